#include "funnel.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "funnel_ahead.h"
#include "funnel_input.h"

enum { FUNNEL_VERSION = 1 };

/* The codec is compiled once from the committed schemas and only read afterwards. */
static struct event_codec *codec;
static pthread_once_t codec_once = PTHREAD_ONCE_INIT;
static void codec_make(void) { codec = event_codec_new(NULL); }

static void *funnel_create(struct slice tenant)
{
    pthread_once(&codec_once, codec_make);
    struct funnel *funnel = calloc(1, sizeof *funnel);
    if (!funnel || !codec)
        abort();
    buf_add_slice(&funnel->tenant, tenant);
    funnel->plan = plan_new();
    if (!funnel->plan)
        abort();
    lead_book_init(&funnel->book, funnel->plan);
    lead_table_init(&funnel->leads);
    delta_init(&funnel->deltas);
    roller_init(&funnel->roller);
    cell_table_init(&funnel->cells);
    funnel->next_org_ms = funnel->next_meta_ms = MACHINE_NEVER_MS;
    funnel->meta_stale = true;
    funnel->cells_max = FUNNEL_CELLS_MAX;
    return funnel;
}

static void funnel_destroy(void *tenant)
{
    struct funnel *funnel = tenant;
    funnel_ahead_forget(funnel);
    cell_table_close(&funnel->cells);
    roller_close(&funnel->roller);
    delta_close(&funnel->deltas);
    lead_table_close(&funnel->leads);
    lead_book_close(&funnel->book);
    plan_destroy(&funnel->plan);
    buf_close(&funnel->tenant);
    buf_close(&funnel->record);
    buf_close(&funnel->text);
    buf_close(&funnel->row);
    buf_close(&funnel->field);
    buf_close(&funnel->value);
    order_close(&funnel->shown);
    free(funnel->postings.items);
    free(funnel->events);
    free(funnel->order);
    free(funnel->members);
    free(funnel);
}

/* --- plan records --------------------------------------------------------------------------------------------- */

/* Can this record change what was booked so far? Zone, org and stage models can; even one that begins later, since it
 * may contradict an item in force and put it out of force. */
static bool changes_past(const struct event *event)
{
    int64_t kind = event->v[PLAN_KIND].i;
    return kind == PLAN_KIND_tenant || kind == PLAN_KIND_node || kind == PLAN_KIND_member ||
           kind == PLAN_KIND_stage_model;
}

/* Contributions are taken out under the old plan here and put in under the new one when somebody needs them: a plan
 * of a thousand records folds all leads twice, not a thousand times. */
static void apply_plan(struct funnel *funnel, const struct event *event, uint64_t tenant_seq)
{
    if (!funnel->pending && lead_table_count(&funnel->leads) > 1 && changes_past(event)) {
        funnel_refold_all(funnel, -1);
        funnel->pending = true;
        lead_book_forget_tiers(&funnel->book);
    }
    if (event->v[PLAN_KIND].i == PLAN_KIND_tenant)
        funnel_roll_up(funnel); /* what is booked and kept by local day is so by the days of the old zone */
    struct plan_change change;
    plan_apply(funnel->plan, event, tenant_seq, &change);
    funnel_plan_changed(funnel);
    int64_t from_ms = event->v[PLAN_VALID_FROM].i;
    if (from_ms > funnel->now_ms && from_ms < funnel->next_meta_ms)
        funnel->next_meta_ms = from_ms;
}

/* --- apply ---------------------------------------------------------------------------------------------------- */

static bool concerns_funnel(const struct ledger_record *record)
{
    if (record->kind != LEDGER_EVENT && record->kind != LEDGER_IMPORT && record->kind != LEDGER_PLAN)
        return false;
    return record->type == EVENT_LEAD || record->type == EVENT_PLAN || record->type == EVENT_VISIT ||
           record->type == EVENT_FACT;
}

static enum err_code funnel_apply(void *tenant, const struct machine_input *input, struct machine_out *out,
                                  struct err *err)
{
    (void)out;
    struct funnel *funnel = tenant;
    const struct ledger_record *record = input->record;
    funnel_advance(funnel, input->now_ms);
    if (!concerns_funnel(record))
        return OK;
    const struct event *event = funnel_ahead_take(funnel, record);
    if (!event) {
        event = &funnel->event;
        if (event_decode_body(codec, (enum event_type)record->type, record->body, &funnel->event, err) != OK)
            return err_set(err, ERR_BUG, "funnel: the body of tenant_seq %llu cannot be read; the ledger is damaged",
                           (unsigned long long)record->tenant_seq);
    }
    if (event->type == EVENT_PLAN) {
        apply_plan(funnel, event, record->tenant_seq);
        return OK;
    }
    uint32_t number;
    struct lead_event lead_event;
    if (funnel_input(funnel, event, &number, &lead_event))
        funnel_fold_event(funnel, number, &lead_event);
    return OK;
}

static void funnel_expect(void *tenant, const struct ledger_record *record)
{
    funnel_ahead_expect(tenant, codec, record);
}

static int64_t funnel_type_due(const void *tenant) { return funnel_due(tenant); }

static bool type_is_due(void *tenant, int64_t until_ms) { return funnel_is_due(tenant, until_ms); }

static bool funnel_fire(void *tenant, int64_t until_ms, bool historic, bool catch_up, struct machine_out *out)
{
    (void)historic;
    (void)catch_up;
    (void)out;
    funnel_fire_due(tenant, until_ms);
    return false;
}

static void type_save(void *tenant, struct buf *out) { funnel_save(tenant, out); }
static enum err_code type_load(void *tenant, struct slice bytes, struct err *err)
{
    return funnel_load(tenant, bytes, err);
}
static enum err_code type_recount(void *tenant, struct err *err) { return funnel_recount(tenant, err); }
static size_t type_dirty(void *tenant) { return funnel_dirty(tenant); }

static bool type_project_dirty(void *tenant, int64_t now_ms, size_t max, struct machine_sink *sink)
{
    return funnel_project_dirty(tenant, now_ms, max, sink);
}

static bool type_project_all(void *tenant, int64_t now_ms, uint64_t *cursor, size_t max, struct machine_sink *sink)
{
    return funnel_project_all(tenant, now_ms, cursor, max, sink);
}
static void type_project_done(void *tenant) { funnel_project_done(tenant); }

const struct machine_type funnel_machine = {
    .name = "funnel",
    .version = FUNNEL_VERSION,
    .create = funnel_create,
    .destroy = funnel_destroy,
    .apply = funnel_apply,
    .expect = funnel_expect,
    .due = funnel_type_due,
    .is_due = type_is_due,
    .fire = funnel_fire,
    .save = type_save,
    .load = type_load,
    .recount = type_recount,
    .dirty = type_dirty,
    .project_dirty = type_project_dirty,
    .project_all = type_project_all,
    .project_done = type_project_done,
};
