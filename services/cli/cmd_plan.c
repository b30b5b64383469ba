/* cmd_plan.c -- see cmd_plan.h. */
#include "cmd_plan.h"

#include <stdio.h>

#include "base/json_write.h"
#include "model/plan_schema.h"
#include "model/plan_value.h"

const char plan_tenant_help[] = "tenant, where the file has no tenant item";
const char plan_tenant_help_zh[] = "租户(文件中没有 tenant 项时)";

/* --- the present plan --- */

static void take_plan(struct plan_present *present, const struct ledger_record *record)
{
    struct event event;
    struct plan_change change;
    struct err *err = &present->client->cli->err;
    present->code = event_decode_body(present->client->codec, EVENT_PLAN, record->body, &event, err);
    if (present->code != OK)
        return;
    plan_apply(present->plan, &event, record->tenant_seq, &change);
    present->records++;
    present->last_seq = record->seq;
    if (present->on_plan)
        present->on_plan(present->context, record, &event);
}

static bool on_record(void *context, uint32_t shard, const struct ledger_record *record)
{
    (void)shard;
    struct plan_present *present = context;
    if (!slice_eq(record->tenant, present->tenant))
        return true;
    if (record->kind == LEDGER_REJECT && record->source == LEDGER_SOURCE_PLANS)
        present->rejected++;
    else if (record->type == EVENT_PLAN && (record->kind == LEDGER_PLAN || record->kind == LEDGER_IMPORT))
        take_plan(present, record);
    return present->code == OK;
}

enum err_code plan_present_read(struct plan_present *present, bool *got)
{
    enum err_code code = client_ledger_read(&present->ledger, on_record, NULL, present, got);
    return code == OK ? present->code : code;
}

enum err_code plan_present_open(struct plan_present *present, struct client *client, struct slice tenant)
{
    *present = (struct plan_present){.client = client, .plan = plan_new(), .tenant = tenant};
    enum err_code code = client_ledger_open(&present->ledger, client, log_partition_of_key(tenant, client->shards));
    present->open = code == OK;
    while (code == OK && !client_ledger_at_end(&present->ledger)) {
        bool got;
        code = plan_present_read(present, &got);
        if (code == OK && !got)
            log_wait(present->ledger.consumer, 100);
    }
    return code;
}

void plan_present_close(struct plan_present *present)
{
    if (present->open)
        client_ledger_close(&present->ledger);
    plan_destroy(&present->plan);
    present->open = false;
}

/* --- the tenant --- */

int plan_tenant_name(struct cli *cli, const char *path, struct buf *out)
{
    const char *option = cli_option(cli, "tenant");
    int exit_code = 0;
    if (path) {
        struct plan_file file;
        struct findings findings; /* told only without a tenant: the file is read again, with the present plan */
        findings_init(&findings);
        (void)plan_file_read(&file, path, slice_of(option ? option : ""), NULL, &findings);
        buf_add_slice(out, file.tenant);
        if (!out->n && findings_count(&findings))
            exit_code = plan_fail_findings(cli, path, &findings);
        plan_file_close(&file);
        findings_close(&findings);
        if (exit_code)
            return exit_code;
    } else if (option)
        buf_add_text(out, option);
    if (out->n && option && !slice_is(buf_slice(out), option))
        return cli_fail(cli, ERR_USAGE, "the file is of tenant %s, not %s", buf_cstr(out), option);
    if (!out->n)
        return cli_fail(cli, ERR_USAGE, cli->zh ? "请用 --tenant 指明租户" : "name the tenant with --tenant");
    return 0;
}

/* --- output --- */

void plan_print_change(struct cli *cli, const struct plan_change_event *change)
{
    const struct event *event = change->event;
    const char *kind = plan_kinds[event->v[PLAN_KIND].i].name;
    char from[PLAN_INSTANT_BYTES];
    plan_format_instant(event->v[PLAN_VALID_FROM].i, from);
    const char *word = change->ended ? "end" : change->before ? "change" : "add";
    if (!cli->json) {
        printf("%s %s %.*s  %s %s\n",
               change->ended    ? "-"
               : change->before ? "~"
                                : "+",
               kind, SLICE_ARG(event->v[PLAN_ID].s), cli->zh ? "自" : "from", from);
        return;
    }
    struct buf line;
    buf_init(&line);
    struct json_writer json = json_writer_of(&line);
    json_object_begin(&json);
    json_key_text(&json, "change", slice_of(word));
    json_key_text(&json, "kind", slice_of(kind));
    json_key_text(&json, "id", event->v[PLAN_ID].s);
    json_key_text(&json, "valid_from", slice_of(from));
    json_key_text(&json, "event_id", event->v[EV_EVENT_ID].s);
    json_object_end(&json);
    printf("%s\n", buf_cstr(&line));
    buf_close(&line);
}

int plan_fail_findings(struct cli *cli, const char *path, struct findings *findings)
{
    findings_print(findings, stderr);
    return cli_fail(cli, ERR_CONFIG, cli->zh ? "%s:%zu 处错误" : "%s: %zu errors", path, findings_count(findings));
}
