/* The examples of the formats survive JSON -> event -> Avro -> event -> JSON byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/event.h"
#include "unit/model/event_examples.h"

static const int64_t arrival_ms = INT64_C(1790000000000); /* 2026-09-21 */

struct fixture {
    struct event_codec *codec;
    struct event_origin origin;
    struct buf scratch, other, datum, json;
};

static int setup(void **state)
{
    static struct fixture fixture;
    struct err err;
    fixture = (struct fixture){.origin = {.arrival_ms = arrival_ms, .topic_types = UINT32_MAX}};
    fixture.codec = event_codec_new(&err);
    *state = &fixture;
    return fixture.codec ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    event_codec_destroy(&f->codec);
    buf_close(&f->scratch);
    buf_close(&f->other);
    buf_close(&f->datum);
    buf_close(&f->json);
    return 0;
}

static void decode(struct fixture *f, struct slice bytes, struct event *event, struct buf *scratch)
{
    struct reject reject;
    enum reject_reason reason = event_decode(f->codec, bytes, &f->origin, event, scratch, &reject);
    if (reason != REJECT_NONE)
        fail_msg("%s %s: %s", reject_reason_name(reason), reject.field, reject.text);
}

static void assert_json(struct fixture *f, const struct event *event, const char *expected)
{
    buf_clear(&f->json);
    event_write_json(f->codec, event, &f->json);
    assert_string_equal(buf_cstr(&f->json), expected);
}

static void survives(struct fixture *f, const char *text)
{
    struct event event, again, body;
    struct err err;
    decode(f, slice_of(text), &event, &f->scratch);
    assert_json(f, &event, text);

    buf_clear(&f->datum);
    event_encode_single(f->codec, &event, &f->datum);
    decode(f, buf_slice(&f->datum), &again, &f->other);
    assert_json(f, &again, text);
    struct slice datum = {(const char *)f->datum.p + 10, f->datum.n - 10};
    assert_true(slice_eq(again.datum, datum)); /* canonical: the ledger may copy it */

    assert_int_equal(event_decode_body(f->codec, event.type, datum, &body, &err), OK);
    assert_int_equal(body.present, event.present);
    assert_json(f, &body, text);

    struct hash128 one = event_body_hash(f->codec, &event, &f->other),
                   two = event_body_hash(f->codec, &body, &f->other);
    assert_true(one.low == two.low && one.high == two.high);
}

static void visit_survives(void **state) { survives(*state, EXAMPLE_VISIT); }
static void order_survives(void **state) { survives(*state, EXAMPLE_ORDER); }
static void lead_survives(void **state) { survives(*state, EXAMPLE_LEAD); }
static void fact_survives(void **state) { survives(*state, EXAMPLE_FACT); }
static void plan_survives(void **state) { survives(*state, EXAMPLE_PLAN); }
static void action_survives(void **state) { survives(*state, EXAMPLE_ACTION); }
static void control_survives(void **state) { survives(*state, EXAMPLE_CONTROL); }
static void attest_survives(void **state) { survives(*state, EXAMPLE_ATTEST); }
static void alert_survives(void **state) { survives(*state, EXAMPLE_ALERT); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visit_survives),   cmocka_unit_test(order_survives),  cmocka_unit_test(lead_survives),
        cmocka_unit_test(fact_survives),    cmocka_unit_test(plan_survives),   cmocka_unit_test(action_survives),
        cmocka_unit_test(control_survives), cmocka_unit_test(attest_survives), cmocka_unit_test(alert_survives),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
