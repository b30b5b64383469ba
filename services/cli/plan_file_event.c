/* plan_file_event.c -- plan items as plan records: what changes, under which names, with zones resolved. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json_write.h"
#include "base/sha256.h"
#include "model/plan_schema.h"
#include "model/plan_value.h"
#include "plan_file.h"

#define RESOLVED_FROM_MS 631152000000ll  /* 1990-01-01: nothing older is accepted (formats 6, time_past) */
#define RESOLVED_TO_MS   4102444800000ll /* 2100-01-01 */

void plan_event_id(struct slice corrects, bool ended, struct slice id, const char *kind, struct slice spec,
                   struct slice tenant, int64_t valid_from_ms, char hex[static 65])
{
    char instant[PLAN_INSTANT_BYTES];
    uint8_t digest[SHA256_BYTES];
    struct buf text;
    buf_init(&text);
    struct json_writer json = json_writer_of(&text);
    json_object_begin(&json);
    if (corrects.n)
        json_key_text(&json, "corrects", corrects);
    if (ended)
        json_key_bool(&json, "ended", true);
    json_key_text(&json, "id", id);
    json_key_text(&json, "kind", slice_of(kind));
    if (spec.n) {
        json_key(&json, "spec");
        json_raw(&json, spec);
    }
    json_key_text(&json, "tenant", tenant);
    plan_format_instant(valid_from_ms, instant);
    json_key_text(&json, "valid_from", slice_of(instant));
    json_object_end(&json);
    sha256(buf_slice(&text), digest);
    sha256_hex(digest, hex);
    buf_close(&text);
}

/* "# version 2026f" is the first line of tzdata.zi; without it the edition is not known. */
static void read_tzdata_version(char version[static 16])
{
    snprintf(version, 16, "unknown");
    FILE *file = fopen(PLAN_ZONEINFO "/tzdata.zi", "r");
    if (!file)
        return;
    if (fscanf(file, "# version %15s", version) != 1)
        snprintf(version, 16, "unknown");
    fclose(file);
}

static void write_exponents(struct json_writer *json)
{
    json_key(json, "exponents");
    json_object_begin(json);
    for (const char *at = plan_currencies; *at; at += 4) {
        json_key_slice(json, (struct slice){at, 3});
        json_int(json, at[3] - '0');
    }
    json_object_end(json);
}

enum err_code plan_resolve(struct slice zone_name, struct zone *zone, struct buf *out, struct err *err)
{
    struct zone found;
    zone_init_utc(zone);
    enum err_code code = zone_resolve(PLAN_ZONEINFO, zone_name, RESOLVED_FROM_MS, RESOLVED_TO_MS, &found, err);
    if (code != OK)
        return code;
    /* The first pair carries the offset that holds before the first change. */
    zone->first_offset_s = found.first_offset_s;
    zone_add(zone, RESOLVED_FROM_MS, found.first_offset_s);
    for (uint32_t i = 0; i < found.count; i++)
        zone_add(zone, found.transitions[i].at_ms, found.transitions[i].offset_s);
    zone_close(&found);
    char version[16], from[PLAN_INSTANT_BYTES], to[PLAN_INSTANT_BYTES];
    read_tzdata_version(version);
    plan_format_instant(RESOLVED_FROM_MS, from);
    plan_format_instant(RESOLVED_TO_MS, to);
    struct json_writer json = json_writer_of(out);
    json_object_begin(&json);
    write_exponents(&json);
    json_key_text(&json, "from", slice_of(from));
    json_key_text(&json, "to", slice_of(to));
    json_key(&json, "transitions");
    json_array_begin(&json);
    for (uint32_t i = 0; i < zone->count; i++) {
        json_array_begin(&json);
        json_int(&json, zone->transitions[i].at_ms);
        json_int(&json, zone->transitions[i].offset_s);
        json_array_end(&json);
    }
    json_array_end(&json);
    json_key_text(&json, "tzdata", slice_of(version));
    json_object_end(&json);
    return OK;
}

/* --- changes --- */

struct emitter {
    const struct plan_file *file;
    int64_t at_ms, source_seq;
    const char *source;
    plan_file_on_change *on_change;
    void *context;
    uint32_t count;
};

static void set_text(struct event *event, unsigned field, struct slice text)
{
    if (!text.n)
        return;
    event->present |= 1ull << field;
    event->v[field].s = text;
}

static void set_int(struct event *event, unsigned field, int64_t value)
{
    event->present |= 1ull << field;
    event->v[field].i = value;
}

static void emit(struct emitter *emitter, const struct plan_draft *draft, bool ended, struct slice corrects,
                 const struct plan_item *before)
{
    char event_id[65];
    const struct plan_file *file = emitter->file;
    struct slice spec = ended ? (struct slice){"", 0} : draft->spec;
    plan_event_id(corrects, ended, draft->id, plan_kinds[draft->kind].name, spec, file->tenant, draft->valid_from_ms,
                  event_id);
    struct event event = {.type = EVENT_PLAN};
    set_text(&event, EV_TENANT, file->tenant);
    set_text(&event, EV_EVENT_ID, slice_of(event_id));
    set_text(&event, EV_SOURCE, slice_of(emitter->source));
    set_int(&event, EV_SOURCE_SEQ, ++emitter->source_seq);
    /* A correction acts only on what was recorded before it: a clock that stands or went back must not undo that. */
    bool late = corrects.n && before->recorded_ms >= emitter->at_ms;
    set_int(&event, EV_OCCURRED_AT, late ? before->recorded_ms + 1 : emitter->at_ms);
    if (corrects.n) {
        set_int(&event, EV_OP, OP_CORRECT);
        set_text(&event, EV_CORRECTS, corrects);
    }
    set_int(&event, PLAN_KIND, draft->kind);
    set_text(&event, PLAN_ID, draft->id);
    set_int(&event, PLAN_VALID_FROM, draft->valid_from_ms);
    set_text(&event, PLAN_REASON, draft->reason);
    set_text(&event, PLAN_APPROVER, draft->approver);
    if (ended)
        set_int(&event, PLAN_ENDED, 1);
    else {
        set_text(&event, PLAN_SPEC, draft->spec);
        set_text(&event, PLAN_RESOLVED, draft->resolved);
    }
    struct plan_change_event change = {&event, before, ended};
    emitter->on_change(emitter->context, &change);
    emitter->count++;
}

static void emit_draft(struct emitter *emitter, const struct plan_draft *draft)
{
    const struct plan *current = emitter->file->current;
    const struct plan_item *before =
        current ? plan_item_find(current, (uint8_t)draft->kind, draft->id, draft->valid_from_ms) : NULL;
    if (before && !before->ended && slice_eq(before->spec, draft->spec))
        return;
    bool same_instant = before && before->valid_from_ms == draft->valid_from_ms;
    emit(emitter, draft, false, same_instant ? before->event_id : (struct slice){"", 0}, before);
}

static bool in_file(const struct plan_file *file, const struct plan_item *item)
{
    struct buf key;
    buf_init(&key);
    buf_add_byte(&key, item->kind);
    buf_add_slice(&key, item->id);
    bool found = intern_get(&file->ids, buf_slice(&key)) != INTERN_NONE;
    buf_close(&key);
    return found;
}

static void emit_pruned(struct emitter *emitter, int64_t prune_ms)
{
    const struct plan *current = emitter->file->current;
    for (uint32_t i = 0; current && i < plan_item_count(current); i++) {
        bool used;
        const struct plan_item *item = plan_item_at(current, i, &used, NULL);
        if (!used || item->kind == PLAN_KIND_tenant || in_file(emitter->file, item) ||
            plan_item_find(current, item->kind, item->id, prune_ms) != item || item->ended)
            continue;
        struct plan_draft draft = {.kind = item->kind,
                                   .id = item->id,
                                   .valid_from_ms = prune_ms,
                                   .reason = emitter->file->reason,
                                   .approver = emitter->file->approver};
        bool same_instant = item->valid_from_ms == prune_ms;
        emit(emitter, &draft, true, same_instant ? item->event_id : (struct slice){"", 0}, item);
    }
}

uint32_t plan_file_changes(const struct plan_file *file, int64_t at_ms, const char *source, int64_t prune_ms,
                           plan_file_on_change *on_change, void *context)
{
    struct emitter emitter = {file, at_ms, 0, source, on_change, context, 0};
    for (uint32_t i = 0; i < file->count; i++)
        emit_draft(&emitter, &file->items[i]);
    if (prune_ms >= 0)
        emit_pruned(&emitter, prune_ms);
    return emitter.count;
}
