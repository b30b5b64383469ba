#include "machine/sender.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"

void sender_init(struct sender *sender, struct log *log, struct clock *clock, uint32_t shard, const char *prefix)
{
    *sender = (struct sender){.log = log, .clock = clock, .shard = shard};
    snprintf(sender->alerts, sizeof sender->alerts, "%s%s", prefix, ledger_source_topic(LEDGER_SOURCE_ALERTS));
    snprintf(sender->attests, sizeof sender->attests, "%s%s", prefix, ledger_source_topic(LEDGER_SOURCE_ATTESTS));
    snprintf(sender->import, sizeof sender->import, "%s%s", prefix, ledger_source_topic(LEDGER_SOURCE_IMPORT));
    buf_init(&sender->value);
}

void sender_close(struct sender *sender)
{
    if (sender->producer)
        log_producer_destroy(&sender->producer);
    buf_close(&sender->value);
    free(sender->waiting);
    *sender = (struct sender){0};
}

void sender_add(struct sender *sender, struct tenant *tenant)
{
    if (tenant->waits_to_send)
        return;
    if (sender->count == sender->size) {
        sender->size = sender->size ? sender->size * 2 : 64;
        sender->waiting = realloc(sender->waiting, sender->size * sizeof(struct tenant *));
        if (!sender->waiting)
            abort();
    }
    tenant->waits_to_send = true;
    sender->waiting[sender->count++] = tenant;
}

void sender_rewind(struct sender *sender, struct fold *fold)
{
    outbox_rewind(&fold->attests);
    for (uint32_t i = 0; i < tenants_count(fold->tenants); i++) {
        struct tenant *tenant = tenants_at(fold->tenants, i);
        outbox_rewind(&tenant->alerts);
        tenant->asked = false;
        if (outbox_size(&tenant->alerts) || tenant->stop == TENANT_HELD)
            sender_add(sender, tenant);
    }
    sender->waiting_for_ledger = false;
}

/* Single-object encoding: the ledger takes the datum behind it over as it is. */
static void wrap(struct sender *sender, const struct fold *fold, enum event_type type, struct slice body)
{
    buf_clear(&sender->value);
    buf_add_byte(&sender->value, 0xC3);
    buf_add_byte(&sender->value, 0x01);
    buf_add_u64(&sender->value, event_codec_fingerprint(fold->codec, type));
    buf_add_slice(&sender->value, body);
}

static enum err_code append(struct sender *sender, const char *topic, struct slice key, struct err *err)
{
    FAULT_POINT("machine.before_send");
    enum err_code code =
        log_append(sender->producer, topic, sender->shard, key, buf_slice(&sender->value), slice_of(""), err);
    FAULT_POINT("machine.after_send");
    if (!code) {
        sender->sent++;
        sender->waiting_for_ledger = true;
        sender->progress_ms = sender->clock->monotonic_ms(sender->clock);
    }
    return code;
}

static enum err_code send_outbox(struct sender *sender, const struct fold *fold, struct outbox *outbox,
                                 enum event_type type, const char *topic, struct slice key, unsigned *left,
                                 struct err *err)
{
    uint64_t n;
    struct slice body;
    while (*left > 0 && outbox_peek(outbox, &n, &body)) {
        wrap(sender, fold, type, body);
        enum err_code code = append(sender, topic, key, err);
        if (code)
            return code;
        outbox_sent(outbox);
        (*left)--;
    }
    return OK;
}

static void set(struct event *event, unsigned field, int64_t number, struct slice text)
{
    event->v[field] = (struct event_value){.i = number, .s = text};
    event->present |= UINT64_C(1) << field;
}

/* control quarantine: through sales.import, the topic of controls; the ledger gives it its place. */
static enum err_code ask_quarantine(struct sender *sender, const struct fold *fold, struct tenant *tenant,
                                    struct err *err)
{
    char id[64];
    /* With the time: after a release the same record may crash again, and that is another quarantine. */
    snprintf(id, sizeof id, "quarantine-%.12s-%llu-%lld", fold->type->name, (unsigned long long)tenant->held_seq,
             (long long)fold->time_ms);
    struct event event = {.type = EVENT_CONTROL};
    set(&event, EV_TENANT, 0, tenant->name);
    set(&event, EV_EVENT_ID, 0, slice_of(id));
    set(&event, EV_SOURCE, 0, slice_of(fold->type->name));
    set(&event, EV_SOURCE_SEQ, 0, slice_of(""));
    set(&event, EV_OCCURRED_AT, fold->time_ms, slice_of(""));
    set(&event, CONTROL_CONTROL, CONTROL_CONTROL_quarantine, slice_of(""));
    set(&event, CONTROL_MACHINE, 0, slice_of(fold->type->name));
    set(&event, CONTROL_TARGET_SEQ, (int64_t)tenant->held_seq, slice_of(""));
    buf_clear(&sender->value);
    event_encode_single(fold->codec, &event, &sender->value);
    return append(sender, sender->import, tenant->name, err);
}

static enum err_code send_tenant(struct sender *sender, const struct fold *fold, struct tenant *tenant, unsigned *left,
                                 struct err *err)
{
    if (tenant->stop == TENANT_HELD && !tenant->asked) {
        enum err_code code = ask_quarantine(sender, fold, tenant, err);
        tenant->asked = code == OK;
        return code;
    }
    if (tenant->stop != TENANT_RUNS)
        return OK;
    return send_outbox(sender, fold, &tenant->alerts, EVENT_ALERT, sender->alerts, tenant->name, left, err);
}

static enum err_code send_all(struct sender *sender, struct fold *fold, struct err *err)
{
    unsigned left = SENDER_BATCH;
    enum err_code code =
        send_outbox(sender, fold, &fold->attests, EVENT_ATTEST, sender->attests, slice_of(NULL), &left, err);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sender->count; i++) {
        struct tenant *tenant = sender->waiting[i];
        if (!code && left)
            code = send_tenant(sender, fold, tenant, &left, err);
        if (code || !left)
            sender->waiting[kept++] = tenant;
        else
            tenant->waits_to_send = false;
    }
    sender->count = kept;
    return code;
}

static bool has_work(const struct sender *sender, const struct fold *fold)
{
    uint64_t n;
    struct slice body;
    return sender->count > 0 || outbox_peek(&fold->attests, &n, &body);
}

static bool anything_unread(const struct fold *fold)
{
    if (fold->attests.sent_n > fold->attests.read_n)
        return true;
    for (uint32_t i = 0; i < tenants_count(fold->tenants); i++) {
        const struct tenant *tenant = tenants_at(fold->tenants, i);
        if (tenant->alerts.sent_n > tenant->alerts.read_n || (tenant->stop == TENANT_HELD && tenant->asked))
            return true;
    }
    return false;
}

/* Delivery failed, or the ledger stays silent for too long: everything again. */
static void look_back(struct sender *sender, struct fold *fold)
{
    struct log_progress progress = {0};
    log_producer_poll(sender->producer, 0, &progress);
    bool failed = progress.failed > sender->failed;
    int64_t now_ms = sender->clock->monotonic_ms(sender->clock);
    bool silent = sender->waiting_for_ledger && now_ms - sender->progress_ms >= SENDER_AGAIN_MS;
    if (!failed && silent)
        silent = sender->waiting_for_ledger = anything_unread(fold);
    if (!failed && !silent)
        return;
    log_producer_destroy(&sender->producer);
    sender->resent++;
    sender_rewind(sender, fold);
}

enum err_code sender_step(struct sender *sender, struct fold *fold, struct err *err)
{
    if (fold->moved) /* outputs were read back: the ledger is not silent */
        sender->progress_ms = sender->clock->monotonic_ms(sender->clock);
    if (sender->producer)
        look_back(sender, fold);
    if (!has_work(sender, fold))
        return OK;
    if (!sender->producer) {
        sender->failed = 0;
        enum err_code code = log_producer_open(sender->log, &sender->producer, err);
        if (code)
            return code;
    }
    enum err_code code = send_all(sender, fold, err);
    return code == ERR_LATER ? OK : code; /* the queue is full: the rest at the next step */
}

void sender_flush(struct sender *sender, int timeout_ms)
{
    struct err ignored;
    if (sender->producer)
        log_producer_flush(sender->producer, timeout_ms, &ignored); /* what is lost is sent again after the start */
}
