/* plan.c -- the records of a plan: taken in, corrected, saved, loaded; and the tenant item.
 *
 * The records are a set. Which of them count is decided per entity (kind, id) by the rule of semantics 0.3 for
 * corrections and, of two versions with one valid_from, by (recorded_at, event key). Everything else is derived. */
#include "model/plan.h"

#include <assert.h>
#include <stdlib.h>

#include "model/plan_internal.h"
#include "model/plan_json.h"
#include "model/plan_value.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SAVE_VERSION = 1, TEXTS = 7 };
#define HISTORY_DEFAULT_MS (400 * 86400000ll)

struct plan *plan_new(void)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        abort();
    plan_names_intern(&plan->nodes, SLICE("unassigned"));
    uint32_t unassigned = 0;
    plan_names_intern(&plan->paths, slice_make(&unassigned, sizeof unassigned));
    plan_names_intern(&plan->tiers, SLICE(""));
    return plan;
}

static void records_close(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->record_count; i++)
        free(plan->records[i]);
    free(plan->records);
    free(plan->entity_first);
    plan_names_close(&plan->event_ids);
    plan_names_close(&plan->entities);
}

void plan_destroy(struct plan **plan)
{
    struct plan *p = *plan;
    if (!p)
        return;
    plan_org_close(p);
    plan_instants_close(p);
    plan_stages_close(p);
    records_close(p);
    free(p->tenants);
    zone_close(&p->zone);
    struct plan_names *all[] = {&p->nodes, &p->reps, &p->tiers, &p->pipelines, &p->stages, &p->words, &p->paths};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        plan_names_close(all[i]);
    free(p);
    *plan = NULL;
}

/* --- records --- */

static struct slice *text_of(struct plan_item *item, unsigned i)
{
    struct slice *texts[TEXTS] = {&item->id,       &item->event_id, &item->corrects, &item->spec,
                                  &item->resolved, &item->reason,   &item->approver};
    return texts[i];
}

/* A record in one block, its texts behind it. */
static struct plan_record *record_new(const struct plan_item *item)
{
    struct plan_item from = *item;
    size_t bytes = 0;
    for (unsigned i = 0; i < TEXTS; i++)
        bytes += text_of(&from, i)->n + 1;
    struct plan_record *record = calloc(1, sizeof *record + bytes);
    if (!record)
        abort();
    record->item = from;
    char *at = (char *)(record + 1);
    for (unsigned i = 0; i < TEXTS; i++) {
        struct slice *text = text_of(&record->item, i);
        if (text->n)
            memcpy(at, text->p, text->n);
        text->p = at;
        at += text->n + 1;
    }
    record->key = XXH3_64bits(record->item.event_id.p, record->item.event_id.n);
    return record;
}

static int compare_int(int64_t a, int64_t b) { return a < b ? -1 : a > b; }

int plan_record_order(const struct plan_record *a, const struct plan_record *b)
{
    int order = compare_int(a->item.recorded_ms, b->item.recorded_ms);
    if (!order)
        order = compare_int(a->item.source_seq, b->item.source_seq);
    if (!order)
        order = a->key < b->key ? -1 : a->key > b->key;
    return order ? order : slice_cmp(a->item.event_id, b->item.event_id);
}

static int falling_order(const void *a, const void *b)
{
    return plan_record_order(*(struct plan_record *const *)b, *(struct plan_record *const *)a);
}

/* Of two versions with one valid_from: the higher (recorded_at, event key). */
static int by_valid_from(const void *a, const void *b)
{
    const struct plan_record *x = *(struct plan_record *const *)a, *y = *(struct plan_record *const *)b;
    int order = compare_int(x->item.valid_from_ms, y->item.valid_from_ms);
    if (!order)
        order = compare_int(x->item.recorded_ms, y->item.recorded_ms);
    if (!order)
        order = x->key < y->key ? -1 : x->key > y->key;
    return order ? order : slice_cmp(x->item.event_id, y->item.event_id);
}

static void entity_records(const struct plan *plan, uint32_t entity, struct plan_version_list *list)
{
    list->count = 0;
    for (uint32_t i = plan->entity_first[entity]; i != PLAN_NONE; i = plan->records[i]->next) {
        list->list = plan_grow(list->list, &list->cap, list->count, sizeof *list->list);
        list->list[list->count++] = plan->records[i];
    }
}

/* Semantics 0.3: corrections and retractions in falling order, each one that is still active acts once. */
static void deactivate(struct plan *plan, struct plan_version_list *list)
{
    qsort(list->list, list->count, sizeof *list->list, falling_order);
    for (uint32_t i = 0; i < list->count; i++)
        list->list[i]->active = true;
    for (uint32_t i = 0; i < list->count; i++) {
        struct plan_record *record = list->list[i];
        if (!record->active || record->item.op == OP_ASSERT)
            continue;
        uint32_t named = plan_names_find(&plan->event_ids, record->item.corrects);
        if (named == PLAN_NONE)
            continue;
        struct plan_record *target = plan->records[named];
        if (target->entity == record->entity && plan_record_order(target, record) < 0)
            target->active = false;
    }
}

static void entity_resolve(struct plan *plan, struct plan_version_list *list)
{
    if (!list->count)
        return;
    deactivate(plan, list);
    qsort(list->list, list->count, sizeof *list->list, by_valid_from);
    struct plan_record *previous = NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        struct plan_record *record = list->list[i];
        record->used = record->active && record->item.op != OP_RETRACT;
        if (!record->used)
            continue;
        if (previous && previous->item.valid_from_ms == record->item.valid_from_ms)
            previous->used = false;
        previous = record;
    }
}

void plan_versions(const struct plan *plan, uint32_t entity, struct plan_version_list *versions)
{
    entity_records(plan, entity, versions);
    uint32_t used = 0;
    for (uint32_t i = 0; i < versions->count; i++)
        if (versions->list[i]->used)
            versions->list[used++] = versions->list[i];
    versions->count = used;
    if (used > 1)
        qsort(versions->list, used, sizeof *versions->list, by_valid_from);
}

bool plan_entity_is(const struct plan *plan, uint32_t entity, int kind)
{
    return (uint8_t)plan->entities.names[entity].p[0] == kind;
}

struct slice plan_entity_id(const struct plan *plan, uint32_t entity)
{
    struct slice name = plan->entities.names[entity];
    return (struct slice){name.p + 1, name.n - 1};
}

static uint32_t entity_find(const struct plan *plan, uint8_t kind, struct slice id, bool intern)
{
    struct buf name;
    buf_init(&name);
    buf_add_byte(&name, kind);
    buf_add_slice(&name, id);
    uint32_t entity = intern ? plan_names_intern((struct plan_names *)&plan->entities, buf_slice(&name))
                             : plan_names_find(&plan->entities, buf_slice(&name));
    buf_close(&name);
    return entity;
}

/* Numbers are given in the order of the records, whatever is derived from them later. */
static void intern_names(struct plan *plan, const struct plan_item *item)
{
    if (item->kind == PLAN_KIND_node)
        plan_names_intern(&plan->nodes, item->id);
    else if (item->kind == PLAN_KIND_stage_model)
        plan_stages_intern(plan, item->id, item->spec);
}

static struct plan_record *record_add(struct plan *plan, const struct plan_item *item)
{
    struct plan_record *record = record_new(item);
    plan->records = plan_grow(plan->records, &plan->record_cap, plan->record_count, sizeof(*plan->records));
    plan->records[plan->record_count] = record;
    uint32_t number = plan_names_intern(&plan->event_ids, item->event_id);
    assert(number == plan->record_count);
    uint32_t entities = plan->entities.count;
    record->entity = entity_find(plan, item->kind, item->id, true);
    if (record->entity == entities) {
        plan->entity_first = plan_grow(plan->entity_first, &plan->entity_cap, entities, sizeof(*plan->entity_first));
        plan->entity_first[entities] = PLAN_NONE;
    }
    record->next = plan->entity_first[record->entity];
    plan->entity_first[record->entity] = plan->record_count++;
    intern_names(plan, item);
    return record;
}

/* --- applying --- */

/* Earliest instant at which a version can matter: a membership's first version reaches back to its `from`. */
static int64_t effect_from_ms(const struct plan *plan, const struct plan_record *record)
{
    int64_t from_ms = record->item.valid_from_ms;
    if (record->item.kind == PLAN_KIND_tenant)
        return INT64_MIN; /* the zone cuts all of time */
    if (record->item.kind != PLAN_KIND_member)
        return from_ms;
    struct plan_tree tree;
    int64_t begin_ms;
    if (plan_tree_parse(&tree, record->item.spec)) {
        if (plan_parse_when(plan_text(tree.root, "from"), &plan->zone, &begin_ms) && begin_ms < from_ms)
            from_ms = begin_ms;
        plan_tree_close(&tree);
    }
    return from_ms;
}

static void mark_change(struct plan *plan, uint8_t kind, struct plan_change *change)
{
    switch (kind) {
    case PLAN_KIND_tenant:
        change->tenant = plan->tenant_dirty = true;
        change->org = plan->org_dirty = true; /* dates of memberships are local */
        break;
    case PLAN_KIND_node:
    case PLAN_KIND_member:
        change->org = plan->org_dirty = true;
        break;
    case PLAN_KIND_stage_model:
        change->stages = plan->stages_dirty = true;
        break;
    case PLAN_KIND_calendar:
        change->calendar = true;
        break;
    default:
        change->other = true;
        break;
    }
}

static void record_apply(struct plan *plan, const struct plan_item *item, struct plan_change *change)
{
    *change = (struct plan_change){.from_ms = INT64_MAX};
    if (plan_names_find(&plan->event_ids, item->event_id) != PLAN_NONE)
        return;
    plan_ready(plan); /* the zone that dates are read by */
    struct plan_record *record = record_add(plan, item);
    struct plan_version_list before = {0};
    entity_records(plan, record->entity, &before);
    bool *used = calloc(before.count, sizeof *used);
    struct plan_version_list now = {0};
    entity_records(plan, record->entity, &now);
    if (!used)
        abort();
    for (uint32_t i = 0; i < before.count; i++)
        used[i] = before.list[i]->used;
    entity_resolve(plan, &now);
    for (uint32_t i = 0; i < before.count; i++) {
        int64_t from_ms = before.list[i]->used != used[i] ? effect_from_ms(plan, before.list[i]) : INT64_MAX;
        if (from_ms < change->from_ms)
            change->from_ms = from_ms;
    }
    free(used);
    free(before.list);
    free(now.list);
    change->any = true;
    mark_change(plan, item->kind, change);
    plan_instants_note(plan, item);
    if (item->tenant_seq > plan->version)
        plan->version = item->tenant_seq;
    if (item->kind == PLAN_KIND_calendar && item->tenant_seq > plan->calendar_version)
        plan->calendar_version = item->tenant_seq;
}

static struct slice field_text(const struct event *event, unsigned field)
{
    return event_has(event, field) ? event->v[field].s : (struct slice){"", 0};
}

void plan_apply(struct plan *plan, const struct event *event, uint64_t tenant_seq, struct plan_change *change)
{
    assert(event->type == EVENT_PLAN);
    struct plan_item item = {
        .kind = (uint8_t)event->v[PLAN_KIND].i,
        .op = event_has(event, EV_OP) ? (uint8_t)event->v[EV_OP].i : OP_ASSERT,
        .ended = event_has(event, PLAN_ENDED) && event->v[PLAN_ENDED].i != 0,
        .valid_from_ms = event->v[PLAN_VALID_FROM].i,
        .recorded_ms = event_recorded_at(event),
        .source_seq = event->v[EV_SOURCE_SEQ].i,
        .tenant_seq = tenant_seq,
        .id = event->v[PLAN_ID].s,
        .event_id = event->v[EV_EVENT_ID].s,
        .corrects = field_text(event, EV_CORRECTS),
        .spec = field_text(event, PLAN_SPEC),
        .resolved = field_text(event, PLAN_RESOLVED),
        .reason = field_text(event, PLAN_REASON),
        .approver = field_text(event, PLAN_APPROVER),
    };
    record_apply(plan, &item, change);
}

/* --- the tenant item --- */

static bool read_zone(struct zone *zone, struct slice resolved)
{
    struct plan_tree tree;
    if (!plan_tree_parse(&tree, resolved))
        return false;
    const struct yaml_node *list = yaml_get(tree.root, "transitions");
    bool ok = list && list->kind == YAML_LIST;
    zone_close(zone);
    for (const struct yaml_node *pair = ok ? list->first : NULL; pair && ok; pair = pair->next) {
        int64_t at_ms, offset_s;
        ok = pair->kind == YAML_LIST && pair->count == 2 && plan_parse_decimal(pair->first->text, 0, &at_ms) &&
             plan_parse_decimal(pair->first->next->text, 0, &offset_s) && zone_add(zone, at_ms, (int32_t)offset_s);
    }
    if (zone->count)
        zone->first_offset_s = zone->transitions[0].offset_s; /* `plan apply` begins with the offset at `from` */
    plan_tree_close(&tree);
    return ok;
}

static void read_tenant(struct plan *plan, struct plan_tenant *tenant, struct slice spec)
{
    *tenant = (struct plan_tenant){.history_ms = HISTORY_DEFAULT_MS, .pipeline = PLAN_NONE};
    struct plan_tree tree;
    if (!plan_tree_parse(&tree, spec))
        return;
    tenant->history_ms = plan_elapsed_ms(plan_text(tree.root, "history"), HISTORY_DEFAULT_MS);
    plan_parse_weekday(plan_text(tree.root, "week_start"), &tenant->week_start);
    if (plan_text(tree.root, "pipeline").n)
        tenant->pipeline = plan_names_intern(&plan->words, plan_text(tree.root, "pipeline"));
    plan_tree_close(&tree);
}

static void tenants_build(struct plan *plan)
{
    struct plan_version_list all = {0}, versions = {0};
    for (uint32_t entity = 0; entity < plan->entities.count; entity++) {
        if (!plan_entity_is(plan, entity, PLAN_KIND_tenant))
            continue;
        plan_versions(plan, entity, &versions);
        for (uint32_t i = 0; i < versions.count; i++) {
            if (versions.list[i]->item.ended)
                continue;
            all.list = plan_grow(all.list, &all.cap, all.count, sizeof *all.list);
            all.list[all.count++] = versions.list[i];
        }
    }
    if (all.count)
        qsort(all.list, all.count, sizeof *all.list, by_valid_from);
    free(plan->tenants);
    plan->tenants = calloc(all.count + 1, sizeof *plan->tenants);
    if (!plan->tenants)
        abort();
    plan->tenant_count = all.count;
    zone_close(&plan->zone);
    for (uint32_t i = 0; i < all.count; i++) {
        read_tenant(plan, &plan->tenants[i], all.list[i]->item.spec);
        plan->tenants[i].from_ms = all.list[i]->item.valid_from_ms;
        if (all.list[i]->item.resolved.n)
            read_zone(&plan->zone, all.list[i]->item.resolved);
    }
    free(all.list);
    free(versions.list);
}

struct plan *plan_ready(const struct plan *plan)
{
    struct plan *p = (struct plan *)(uintptr_t)plan;
    if (p->tenant_dirty)
        tenants_build(p);
    p->tenant_dirty = false;
    return p;
}

/* Before the first version its values hold too: nothing better is known. */
static const struct plan_tenant *tenant_at(const struct plan *plan, int64_t at_ms)
{
    const struct plan *p = plan_ready(plan);
    const struct plan_tenant *found = p->tenant_count ? &p->tenants[0] : NULL;
    for (uint32_t i = 1; i < p->tenant_count && p->tenants[i].from_ms <= at_ms; i++)
        found = &p->tenants[i];
    return found;
}

bool plan_has_tenant(const struct plan *plan) { return plan_ready(plan)->tenant_count > 0; }

int64_t plan_history_ms(const struct plan *plan, int64_t at_ms)
{
    const struct plan_tenant *tenant = tenant_at(plan, at_ms);
    return tenant ? tenant->history_ms : HISTORY_DEFAULT_MS;
}

uint8_t plan_week_start(const struct plan *plan, int64_t at_ms)
{
    const struct plan_tenant *tenant = tenant_at(plan, at_ms);
    return tenant ? tenant->week_start : 0;
}

const struct zone *plan_zone(const struct plan *plan) { return &plan_ready(plan)->zone; }

struct slice plan_default_pipeline(const struct plan *plan, int64_t at_ms)
{
    const struct plan_tenant *tenant = tenant_at(plan, at_ms);
    if (tenant && tenant->pipeline != PLAN_NONE)
        return plan->words.names[tenant->pipeline];
    const struct plan_names *pipelines = &plan->pipelines;
    if (pipelines->count == 1)
        return pipelines->names[0];
    uint32_t standard = plan_names_find(pipelines, SLICE("default"));
    return standard == PLAN_NONE ? (struct slice){"", 0} : pipelines->names[standard];
}

uint64_t plan_version(const struct plan *plan) { return plan->version; }
uint64_t plan_calendar_version(const struct plan *plan) { return plan->calendar_version; }

/* --- records as items --- */

uint32_t plan_item_count(const struct plan *plan) { return plan->record_count; }

const struct plan_item *plan_item_at(const struct plan *plan, uint32_t index, bool *used, bool *in_force)
{
    const struct plan_record *record = plan->records[index];
    plan_root(plan, 0); /* derives the tree, which knows what contradicts it */
    if (used)
        *used = record->used;
    if (in_force)
        *in_force = record->used && !record->contradicted && !record->unreadable;
    return &record->item;
}

const struct plan_item *plan_item_find(const struct plan *plan, uint8_t kind, struct slice id, int64_t at_ms)
{
    uint32_t entity = entity_find(plan, kind, id, false);
    const struct plan_record *found = NULL;
    for (uint32_t i = entity == PLAN_NONE ? PLAN_NONE : plan->entity_first[entity]; i != PLAN_NONE;
         i = plan->records[i]->next) {
        const struct plan_record *record = plan->records[i];
        if (record->used && record->item.valid_from_ms <= at_ms &&
            (!found || record->item.valid_from_ms > found->item.valid_from_ms))
            found = record;
    }
    return found ? &found->item : NULL;
}

uint32_t plan_invalid_items(const struct plan *plan)
{
    plan_root(plan, 0);
    plan_model_at(plan, (struct slice){"", 0}, 0);
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->record_count; i++)
        count += plan->records[i]->used && (plan->records[i]->contradicted || plan->records[i]->unreadable);
    return count;
}

/* --- canonical bytes: every record, by (kind, id, valid_from, event_id) --- */

static int by_name(const void *a, const void *b)
{
    const struct plan_item *x = &(*(struct plan_record *const *)a)->item, *y = &(*(struct plan_record *const *)b)->item;
    int order = compare_int(x->kind, y->kind);
    if (!order)
        order = slice_cmp(x->id, y->id);
    if (!order)
        order = compare_int(x->valid_from_ms, y->valid_from_ms);
    return order ? order : slice_cmp(x->event_id, y->event_id);
}

static struct plan_record **sorted_records(const struct plan *plan)
{
    struct plan_record **list = malloc((plan->record_count + 1) * sizeof(*list));
    if (!list)
        abort();
    if (plan->record_count) {
        memcpy(list, plan->records, plan->record_count * sizeof(*list));
        qsort(list, plan->record_count, sizeof(*list), by_name);
    }
    return list;
}

void plan_save(const struct plan *plan, struct buf *out)
{
    struct plan_record **list = sorted_records(plan);
    buf_add_byte(out, SAVE_VERSION);
    buf_add_varint(out, plan->record_count);
    for (uint32_t i = 0; i < plan->record_count; i++) {
        struct plan_item item = list[i]->item;
        buf_add_byte(out, item.kind);
        buf_add_byte(out, (uint8_t)(item.op << 1 | item.ended));
        buf_add_zigzag(out, item.valid_from_ms);
        buf_add_zigzag(out, item.recorded_ms);
        buf_add_zigzag(out, item.source_seq);
        buf_add_varint(out, item.tenant_seq);
        for (unsigned text = 0; text < TEXTS; text++) {
            buf_add_varint(out, text_of(&item, text)->n);
            buf_add_slice(out, *text_of(&item, text));
        }
    }
    free(list);
}

static bool load_item(struct cursor *in, struct plan_item *item)
{
    item->kind = cursor_byte(in);
    uint8_t flags = cursor_byte(in);
    item->ended = flags & 1;
    item->op = flags >> 1;
    item->valid_from_ms = cursor_zigzag(in);
    item->recorded_ms = cursor_zigzag(in);
    item->source_seq = cursor_zigzag(in);
    item->tenant_seq = cursor_varint(in);
    for (unsigned text = 0; text < TEXTS; text++)
        *text_of(item, text) = cursor_take(in, cursor_varint(in));
    return !in->bad && item->kind < PLAN_KIND_SYMBOL_COUNT && item->op <= OP_RETRACT && item->event_id.n > 0;
}

static int by_tenant_seq(const void *a, const void *b)
{
    const struct plan_item *x = a, *y = b;
    return x->tenant_seq != y->tenant_seq ? (x->tenant_seq < y->tenant_seq ? -1 : 1)
                                          : slice_cmp(x->event_id, y->event_id);
}

enum err_code plan_load(struct plan *plan, struct slice bytes, struct err *err)
{
    struct cursor in = cursor_of(bytes);
    bool ok = plan->record_count == 0 && cursor_byte(&in) == SAVE_VERSION;
    uint64_t count = cursor_varint(&in);
    ok = ok && !in.bad && count <= cursor_left(&in);
    struct plan_item *items = ok ? calloc((size_t)count + 1, sizeof *items) : NULL;
    for (uint64_t i = 0; ok && items && i < count; i++)
        ok = load_item(&in, &items[i]);
    if (!items || !ok || cursor_left(&in)) {
        free(items);
        return err_set(err, ERR_CORRUPT, "saved plan cannot be read");
    }
    qsort(items, (size_t)count, sizeof *items, by_tenant_seq); /* names get the numbers they had */
    struct plan_change change;
    for (uint64_t i = 0; i < count; i++)
        record_apply(plan, &items[i], &change);
    free(items);
    return OK;
}
