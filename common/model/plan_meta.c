/* plan_meta.c -- the plan as the view's readers need it: canonical JSON of what is in force now. */
#include <stdlib.h>

#include "model/plan_internal.h"
#include "model/plan_json.h"
#include "model/plan_value.h"

static void write_key(struct buf *out, const char *key)
{
    plan_write_json_text(out, slice_of(key));
    buf_add_byte(out, ':');
}

static void write_text(struct buf *out, const char *key, struct slice text)
{
    write_key(out, key);
    plan_write_json_text(out, text);
}

static const char *kind_name(enum stage_kind kind)
{
    static const char *const names[] = {"open", "won", "lost", "pool"};
    return names[kind];
}

static void write_stages(struct buf *out, const struct plan_model *model)
{
    buf_add_text(out, ",\"stages\":[");
    for (uint32_t i = 0; i < model->stage_count; i++) {
        const struct plan_stage *stage = &model->stages[i];
        buf_addf(out, "%s{\"id\":%u,\"in_model\":%s,\"kind\":\"%s\",", i ? "," : "", stage->id,
                 stage->in_model ? "true" : "false", kind_name(stage->kind));
        write_text(out, "name", stage->name);
        buf_addf(out, ",\"ord\":%d}", stage->ord);
    }
    buf_add_byte(out, ']');
}

/* `cohorts: {by: [week, month], horizons: [7d, ...]}` with its defaults. */
static void write_cohorts(struct buf *out, const struct yaml_node *cohorts)
{
    const struct yaml_node *by = yaml_get(cohorts, "by"), *horizons = yaml_get(cohorts, "horizons");
    bool week = !by, month = !by;
    for (const struct yaml_node *word = by ? by->first : NULL; word; word = word->next) {
        week = week || slice_is(word->text, "week");
        month = month || slice_is(word->text, "month");
    }
    buf_addf(out, "\"cohort_by\":[%s%s%s],\"horizons_ms\":[", month ? "\"month\"" : "", month && week ? "," : "",
             week ? "\"week\"" : "");
    if (!horizons)
        buf_add_text(out, "604800000,1209600000,2592000000,5184000000,7776000000");
    for (const struct yaml_node *text = horizons ? horizons->first : NULL; text; text = text->next)
        buf_addf(out, "%s%lld", text == horizons->first ? "" : ",", (long long)plan_elapsed_ms(text->text, 0));
    buf_add_text(out, "],");
}

static void write_models(struct buf *out, const struct plan *plan, int64_t now_ms)
{
    buf_add_text(out, ",\"models\":[");
    bool any = false;
    for (uint32_t i = 0; i < plan->pipelines.count; i++) {
        struct slice name = plan->pipelines.names[i];
        const struct plan_model *model = plan_model_at(plan, name, now_ms);
        const struct plan_item *item = model ? plan_item_find(plan, PLAN_KIND_stage_model, name, now_ms) : NULL;
        struct plan_tree tree;
        if (!item || !plan_tree_parse(&tree, item->spec))
            continue;
        buf_add_text(out, any ? ",{" : "{");
        write_cohorts(out, yaml_get(tree.root, "cohorts"));
        write_text(out, "pipeline", name);
        buf_addf(out, ",\"pipeline_id\":%u", i);
        write_stages(out, model);
        buf_addf(out, ",\"valid_from_ms\":%lld}", (long long)model->valid_from_ms);
        plan_tree_close(&tree);
        any = true;
    }
    buf_add_byte(out, ']');
}

static void write_node(struct buf *out, const struct plan *plan, uint32_t node, uint32_t path, int64_t now_ms)
{
    const uint32_t *chain;
    uint32_t length = plan_path_nodes(plan, path, &chain);
    const struct plan_item *item = plan_item_find(plan, PLAN_KIND_node, plan_node_name(plan, node), now_ms);
    struct plan_tree tree = {0};
    if (item)
        plan_tree_parse(&tree, item->spec);
    write_text(out, "id", plan_node_name(plan, node));
    const char *const keys[] = {"kind", "manager", "name"};
    for (size_t i = 0; i < 3; i++) {
        buf_add_byte(out, ',');
        write_text(out, keys[i], plan_text(tree.root, keys[i]));
    }
    buf_addf(out, ",\"node\":%u,", node);
    write_text(out, "parent", length > 1 ? plan_node_name(plan, chain[1]) : (struct slice){"", 0});
    plan_tree_close(&tree);
}

static void write_nodes(struct buf *out, const struct plan *plan, int64_t now_ms)
{
    buf_add_text(out, ",\"nodes\":[");
    bool any = false;
    for (uint32_t node = 0; node < plan_node_count(plan); node++) {
        uint32_t path = plan_path_of_node(plan, node, now_ms);
        if (path == PLAN_NONE)
            continue;
        buf_add_text(out, any ? ",{" : "{");
        write_node(out, plan, node, path, now_ms);
        buf_add_byte(out, '}');
        any = true;
    }
    buf_add_byte(out, ']');
}

static void write_zone(struct buf *out, const struct zone *zone, struct slice name)
{
    buf_addf(out, ",\"zone\":{\"first_offset_s\":%d,", zone->first_offset_s);
    write_text(out, "name", name);
    buf_add_text(out, ",\"transitions\":[");
    for (uint32_t i = 0; i < zone->count; i++)
        buf_addf(out, "%s[%lld,%d]", i ? "," : "", (long long)zone->transitions[i].at_ms,
                 zone->transitions[i].offset_s);
    buf_add_text(out, "]}");
}

/* Spec of the tenant item in force, or of the first one. */
static bool tenant_tree(const struct plan *plan, int64_t now_ms, struct plan_tree *tree)
{
    const struct plan_item *found = NULL;
    for (uint32_t i = 0; i < plan_item_count(plan); i++) {
        bool used;
        const struct plan_item *item = plan_item_at(plan, i, &used, NULL);
        if (!used || item->ended || item->kind != PLAN_KIND_tenant)
            continue;
        bool sooner = !found || (item->valid_from_ms <= now_ms ? item->valid_from_ms > found->valid_from_ms
                                                               : item->valid_from_ms < found->valid_from_ms);
        if (sooner || (found->valid_from_ms > now_ms && item->valid_from_ms <= now_ms))
            found = item;
    }
    return found && plan_tree_parse(tree, found->spec);
}

void plan_write_meta(const struct plan *plan, int64_t now_ms, struct buf *out)
{
    struct plan_tree tenant = {0};
    tenant_tree(plan, now_ms, &tenant);
    buf_addf(out, "{\"calendar_version\":%llu,", (unsigned long long)plan_calendar_version(plan));
    write_text(out, "currency", plan_text(tenant.root, "currency"));
    buf_addf(out, ",\"history_ms\":%lld,\"invalid_items\":%u", (long long)plan_history_ms(plan, now_ms),
             plan_invalid_items(plan));
    write_models(out, plan, now_ms);
    write_nodes(out, plan, now_ms);
    buf_add_byte(out, ',');
    write_text(out, "pipeline", plan_default_pipeline(plan, now_ms));
    buf_addf(out, ",\"plan_version\":%llu,\"week_start\":%u", (unsigned long long)plan_version(plan),
             plan_week_start(plan, now_ms));
    write_zone(out, plan_zone(plan), plan_text(tenant.root, "zone"));
    buf_add_byte(out, '}');
    plan_tree_close(&tenant);
}
