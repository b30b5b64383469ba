/* event_examples.h -- the examples of the formats, one of each type, as canonical JSON. */
#ifndef EVENT_EXAMPLES_H
#define EVENT_EXAMPLES_H

#define EXAMPLE_VISIT                                                                                                  \
    "{\"type\":\"visit\",\"tenant\":\"acme\",\"event_id\":\"v-881-out\",\"source\":\"field-app\",\"source"             \
    "_seq\":5120,\"occurred_at\":\"2026-03-10T02:42:00.000Z\",\"recorded_at\":\"2026-03-10T02:42:03.120Z\""            \
    ",\"actor_id\":\"r1\",\"visit_id\":\"v-881\",\"kind\":\"field\",\"phase\":\"checkout\",\"rep_id\":\"r"             \
    "1\",\"customer_id\":\"c-77\",\"lead_id\":\"L07\",\"plan_id\":\"p-9\",\"planned_start\":\"2026-03-10T"             \
    "02:00:00.000Z\",\"planned_end\":\"2026-03-10T02:30:00.000Z\",\"route_id\":\"rt-4\",\"route_seq\":3,\""            \
    "lat\":30.2741,\"lon\":120.1551,\"accuracy_m\":25,\"mock_gps\":false,\"outcome\":\"demo\",\"next_acti"             \
    "on_at\":\"2026-03-12T06:00:00.000Z\"}"
#define EXAMPLE_ORDER                                                                                                  \
    "{\"type\":\"order\",\"tenant\":\"acme\",\"event_id\":\"o-4711-r2\",\"source\":\"erp\",\"source_seq\""             \
    ":90211,\"occurred_at\":\"2026-03-11T07:15:00.000Z\",\"order_id\":\"o-4711\",\"revision\":2,\"status\""            \
    ":\"confirmed\",\"customer_id\":\"c-77\",\"lead_id\":\"L01\",\"dealer_id\":\"d-hangzhou\",\"channel\""             \
    ":\"dealer\",\"campaign\":\"spring\",\"sold_region\":\"zhejiang\",\"ship_region\":\"zhejiang\",\"spli"             \
    "ts\":[{\"rep_id\":\"r1\",\"ppm\":600000},{\"rep_id\":\"r2\",\"ppm\":400000}],\"lines\":[{\"sku\":\"c"             \
    "offee-1kg\",\"product_group\":\"coffee\",\"qty\":12500,\"unit_price\":88335000,\"list_price\":980000"             \
    "00,\"floor_price\":88000000,\"cost\":51200000,\"net_amount\":110419}],\"currency\":\"CNY\",\"net_amo"             \
    "unt\":110419,\"signed_at\":\"2026-03-11T07:00:00.000Z\"}"
#define EXAMPLE_LEAD                                                                                                   \
    "{\"type\":\"lead\",\"tenant\":\"acme\",\"event_id\":\"crm-20931\",\"source\":\"crm\",\"source_seq\":"             \
    "20931,\"occurred_at\":\"2026-03-10T00:00:00.000Z\",\"actor_id\":\"r1\",\"lead_id\":\"L07\",\"action\""            \
    ":\"created\",\"customer_id\":\"c-77\",\"pipeline\":\"default\",\"to_stage\":\"NEW\",\"score\":35,\"s"             \
    "ource_channel\":\"web\",\"campaign\":\"spring\",\"owner_id\":\"r1\",\"amount\":2500000,\"currency\":"             \
    "\"CNY\",\"close_date\":\"2026-04-30\",\"category\":\"pipeline\",\"next_action_at\":\"2026-03-12T06:0"             \
    "0:00.000Z\"}"
#define EXAMPLE_FACT                                                                                                   \
    "{\"type\":\"fact\",\"tenant\":\"acme\",\"event_id\":\"fin-3301\",\"source\":\"erp\",\"source_seq\":3"             \
    "301,\"occurred_at\":\"2026-03-11T01:00:00.000Z\",\"fact_id\":\"inv-2207\",\"kind\":\"payment\",\"sta"             \
    "tus\":\"invoiced\",\"order_id\":\"o-4711\",\"customer_id\":\"c-77\",\"rep_id\":\"r1\",\"amount\":110"             \
    "419,\"currency\":\"CNY\",\"due_at\":\"2026-04-10T16:00:00.000Z\",\"attrs\":{\"terms\":\"net30\"}}"
#define EXAMPLE_PLAN                                                                                                   \
    "{\"type\":\"plan\",\"tenant\":\"acme\",\"event_id\":\"23e773bd928fdf855f887dc6cff863ebd026c6a10cc1b6"             \
    "b3c73bc53116954a66\",\"source\":\"plan-apply\",\"source_seq\":14,\"occurred_at\":\"2026-01-05T02:00:"             \
    "00.000Z\",\"actor_id\":\"u-ops\",\"kind\":\"target\",\"id\":\"t-2026-03-north\",\"valid_from\":\"202"             \
    "5-12-31T16:00:00.000Z\",\"reason\":\"plan 2026\",\"approver\":\"u-cfo\",\"spec\":{\"measure\":\"orde"             \
    "r_amount\",\"node\":\"north\",\"period\":\"2026-03\",\"status\":\"approved\",\"tier\":\"base\",\"val"             \
    "ue\":20000000}}"
#define EXAMPLE_ACTION                                                                                                 \
    "{\"type\":\"action\",\"tenant\":\"acme\",\"event_id\":\"act-88\",\"source\":\"cli\",\"source_seq\":8"             \
    "8,\"occurred_at\":\"2026-03-20T01:10:00.000Z\",\"actor_id\":\"m2\",\"action\":\"snooze\",\"episode\""             \
    ":\"e2ff228de3f5013a-120934\",\"until\":\"2026-03-23T01:00:00.000Z\",\"reason\":\"customer on holiday"             \
    "\"}"
#define EXAMPLE_CONTROL                                                                                                \
    "{\"type\":\"control\",\"tenant\":\"maven\",\"event_id\":\"run-7f3a/begin\",\"source\":\"import\",\"s"             \
    "ource_seq\":0,\"occurred_at\":\"2016-10-20T04:00:00.000Z\",\"control\":\"backfill_begin\",\"run_id\""             \
    ":\"run-7f3a\"}"
#define EXAMPLE_ATTEST                                                                                                 \
    "{\"type\":\"attest\",\"machine\":\"funnel\",\"version\":1,\"shard\":3,\"seq\":991200,\"tenants\":[{\""            \
    "tenant\":\"acme\",\"tenant_seq\":120934,\"digest\":\"5e1c0b00000000000000000000000000000000000000000"             \
    "00000000000000000\"}],\"n\":1}"
#define EXAMPLE_ALERT                                                                                                  \
    "{\"type\":\"alert\",\"tenant\":\"acme\",\"event_id\":\"funnel/0/17\",\"machine\":\"funnel\",\"branch"             \
    "\":0,\"n\":17,\"as_of_seq\":120901,\"state\":\"firing\",\"prev_state\":\"inactive\",\"cause\":\"cond"             \
    "ition\",\"rule\":\"lead-stall\",\"kind\":\"lead_stall\",\"severity\":\"warning\",\"level\":0,\"mode\""            \
    ":\"enforce\",\"historic\":false,\"subject_kind\":\"lead\",\"subject\":\"lead:L07/default/NEW/1\",\"p"             \
    "eriod\":\"\",\"org\":\"t1\",\"org_path\":\"acme/north/t1\",\"pipeline\":\"default\",\"stage\":\"NEW\""            \
    ",\"item\":null,\"dim\":null,\"dim_value\":null,\"owner_id\":\"r1\",\"fingerprint\":\"e2ff228de3f5013"             \
    "a90948e17ed6cc66ef67a9e6e85cb620d45059a0716c08acd\",\"episode\":\"e2ff228de3f5013a-17\",\"since\":17"             \
    "73100800000,\"due_at\":1773964800000,\"at\":1773964800000,\"value\":864000000,\"limit\":864000000,\""             \
    "unit\":\"ms_working\",\"ratio_ppm\":1000000,\"inputs\":\"{\\\"amount\\\":null,\\\"dwell_ms\\\":86400"             \
    "0000,\\\"hold_ms\\\":0,\\\"holds\\\":0,\\\"idle_ms\\\":null,\\\"missing_steps\\\":[]}\",\"cause_seqs"             \
    "\":[120311,120320],\"title_key\":\"lead_stall.dwell\",\"action_key\":\"contact_or_move\",\"rule_vers"             \
    "ion\":118,\"plan_version\":118,\"calendar_version\":12,\"flags\":[]}"

#endif
