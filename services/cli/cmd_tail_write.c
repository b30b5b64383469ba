/* cmd_tail_write.c -- see cmd_tail.h. */
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/text.h"
#include "base/time_text.h"
#include "cmd_tail.h"

enum { LATE_MS = 48 * 3600000, SKEW_MS = 5 * 60000 };

void tail_print(struct tail *tail)
{
    if (tail_full(tail))
        return;
    buf_add_byte(&tail->line, '\n');
    (void)fwrite(tail->line.p, 1, tail->line.n, stdout);
    tail->printed++;
}

static void add_time(struct buf *out, const char *name, int64_t at_ms)
{
    char text[INSTANT_TEXT_BYTES];
    (void)instant_print(at_ms, text);
    buf_addf(out, "\"%s\":\"%s\"", name, text);
}

static void add_bytes(struct buf *out, struct slice bytes)
{
    if (text_valid(bytes)) {
        buf_add_text(out, "\"raw\":");
        text_add_json(out, bytes);
        return;
    }
    buf_add_text(out, "\"raw_base64\":\"");
    buf_reserve(out, bytes.n / 3 * 4 + 8);
    out->n += (size_t)EVP_EncodeBlock(out->p + out->n, (const unsigned char *)bytes.p, (int)bytes.n);
    buf_add_byte(out, '"');
}

/* The event as canonical JSON, or the bytes with the reason why they are none. */
static bool add_event(struct tail *tail, const struct log_record *record, uint32_t partition, struct event *event)
{
    struct event_origin origin = {.key = record->key,
                                  .partition = partition,
                                  .partitions = tail->client.shards,
                                  .arrival_ms = record->append_ms,
                                  .topic_types = UINT32_MAX};
    struct reject reject = {0};
    buf_clear(&tail->scratch);
    enum reject_reason reason =
        event_decode(tail->client.codec, record->value, &origin, event, &tail->scratch, &reject);
    if (reason == REJECT_NONE) {
        buf_add_text(&tail->line, "\"event\":");
        event_write_json(tail->client.codec, event, &tail->line);
        return true;
    }
    buf_addf(&tail->line, "\"class\":\"rejected\",\"reason\":\"%s\",\"text\":", reject_reason_name(reason));
    text_add_json(&tail->line, slice_of(reject.text));
    buf_add_byte(&tail->line, ',');
    add_bytes(&tail->line, record->value);
    return false;
}

static bool wanted(const struct tail *tail, struct slice tenant)
{
    return !tail->tenant.n || slice_eq(tail->tenant, tenant);
}

/* A reject tells its origin itself. */
static bool write_reject(struct tail *tail, struct slice value)
{
    struct event event;
    if (!client_read_reject(&tail->client, value, &event))
        return false;
    buf_clear(&tail->line);
    event_write_json(tail->client.codec, &event, &tail->line);
    if (wanted(tail, event_has(&event, REJECT_TENANT) ? event.v[REJECT_TENANT].s : (struct slice){0}))
        tail_print(tail);
    return true;
}

void tail_write_raw(struct tail *tail, const char *topic, uint32_t partition, const struct log_record *record)
{
    struct event event;
    struct buf *line = &tail->line;
    const char *plain = strstr(topic, "sales.rejects");
    if (plain && strcmp(plain, "sales.rejects") == 0 && write_reject(tail, record->value))
        return;
    buf_clear(line);
    buf_addf(line, "{\"topic\":\"%s\",\"partition\":%u,\"offset\":%lld,", topic, partition, (long long)record->offset);
    add_time(line, "at", record->append_ms);
    buf_add_byte(line, ',');
    if (record->key.p) {
        buf_add_text(line, "\"key\":");
        text_add_json(line, record->key);
        buf_add_byte(line, ',');
    }
    if (record->origin.n) {
        buf_add_text(line, "\"origin\":");
        text_add_json(line, record->origin);
        buf_add_byte(line, ',');
    }
    (void)add_event(tail, record, partition, &event);
    buf_add_byte(line, '}');
    if (wanted(tail, record->key))
        tail_print(tail);
}

void tail_write_duplicate(struct tail *tail, const char *topic, uint32_t partition, const struct log_record *record)
{
    struct buf *line = &tail->line;
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_BYTES];
    if (!wanted(tail, record->key))
        return;
    sha256(record->value, digest);
    sha256_hex(digest, hex);
    buf_clear(line);
    buf_add_text(line, "{\"class\":\"duplicate\",\"tenant\":");
    text_add_json(line, record->key);
    buf_addf(line, ",\"topic\":\"%s\",\"partition\":%u,\"offset\":%lld,", topic, partition, (long long)record->offset);
    add_time(line, "at", record->append_ms);
    buf_addf(line, ",\"bytes\":%zu,\"sha256\":\"%s\",", record->value.n, hex);
    add_bytes(line, record->value);
    buf_add_byte(line, '}');
    tail_print(tail);
}

/* ---- ledger */

static struct tenant_clock *clock_of(struct tail *tail, struct slice tenant)
{
    uint32_t before = tail->tenants.count, number = intern_put(&tail->tenants, tenant);
    if (number == INTERN_NONE)
        abort();
    if (number == tail->clock_cap) {
        tail->clock_cap = tail->clock_cap ? tail->clock_cap * 2 : 64;
        tail->clocks = reallocarray(tail->clocks, tail->clock_cap, sizeof *tail->clocks);
        if (!tail->clocks)
            abort();
    }
    if (number == before)
        tail->clocks[number] = (struct tenant_clock){0};
    return &tail->clocks[number];
}

static void add_flags(struct buf *line, const struct event *event, const struct ledger_record *record, int64_t now_ms)
{
    bool timed = record->kind == LEDGER_EVENT || (record->kind == LEDGER_IMPORT && event->type != EVENT_PLAN);
    int64_t at_ms = event->v[EV_OCCURRED_AT].i;
    bool late = timed && at_ms < now_ms - LATE_MS, skew = timed && at_ms > now_ms + SKEW_MS;
    buf_addf(line, ",\"flags\":[%s%s%s]", late ? "\"late\"" : "", late && skew ? "," : "", skew ? "\"skew\"" : "");
}

static bool write_tick(struct tail *tail, uint32_t shard, const struct ledger_record *record)
{
    struct buf *line = &tail->line;
    buf_clear(line);
    buf_addf(line, "{\"shard\":%u,\"seq\":%llu,", shard, (unsigned long long)record->seq);
    add_time(line, "t", record->time_ms);
    buf_add_text(line, ",\"tick\":true}");
    return !tail->tenant.n;
}

bool tail_write_ledger(struct tail *tail, uint32_t shard, const struct ledger_record *record)
{
    struct buf *line = &tail->line;
    struct event event;
    struct err err = {0};
    if (record->kind == LEDGER_TICK)
        return write_tick(tail, shard, record);
    bool readable =
        record->type < EVENT_TYPE_COUNT &&
        event_decode_body(tail->client.codec, (enum event_type)record->type, record->body, &event, &err) == OK;
    struct tenant_step step = {.now_ms = record->time_ms};
    if (record->tenant.n)
        step = tenant_clock_apply(clock_of(tail, record->tenant), record, readable ? &event : NULL);
    buf_clear(line);
    buf_addf(line, "{\"shard\":%u,\"seq\":%llu,\"tenant_seq\":%llu,", shard, (unsigned long long)record->seq,
             (unsigned long long)record->tenant_seq);
    add_time(line, "t", step.now_ms);
    buf_add_byte(line, ',');
    add_time(line, "arrived_at", record->time_ms);
    if (record->source < LEDGER_SOURCE_COUNT)
        buf_addf(line, ",\"source\":\"%s\",\"number\":%llu", ledger_source_topic((enum ledger_source)record->source),
                 (unsigned long long)record->number);
    if (record->dups_before)
        buf_addf(line, ",\"dups_before\":%u", record->dups_before);
    buf_addf(line, ",\"historic\":%s", step.historic ? "true" : "false");
    if (step.catch_up)
        buf_add_text(line, ",\"catch_up\":true");
    if (readable) {
        if (record->kind == LEDGER_EVENT || record->kind == LEDGER_IMPORT)
            add_flags(line, &event, record, step.now_ms);
        buf_add_text(line, record->kind == LEDGER_REJECT ? ",\"reject\":" : ",\"event\":");
        event_write_json(tail->client.codec, &event, line);
    }
    buf_add_byte(line, '}');
    return wanted(tail, record->tenant);
}
