/* plan_stages.c -- stage models by version: which stages a pipeline had at an instant. */
#include <stdlib.h>

#include "model/plan_internal.h"
#include "model/plan_json.h"
#include "model/plan_value.h"

#define RECLAIM_DEFAULT_MS (7 * 86400000ll)

/* Stages are numbered by "pipeline NUL stage". */
static struct slice stage_key(struct buf *key, struct slice pipeline, struct slice stage)
{
    buf_clear(key);
    buf_add_slice(key, pipeline);
    buf_add_byte(key, 0);
    buf_add_slice(key, stage);
    return buf_slice(key);
}

void plan_stages_intern(struct plan *plan, struct slice pipeline, struct slice spec)
{
    plan_names_intern(&plan->pipelines, pipeline);
    struct plan_tree tree;
    if (!plan_tree_parse(&tree, spec))
        return;
    struct buf key;
    buf_init(&key);
    const struct yaml_node *stages = yaml_get(tree.root, "stages");
    for (const struct yaml_node *stage = stages ? stages->first : NULL; stage; stage = stage->next)
        if (plan_text(stage, "id").n)
            plan_names_intern(&plan->stages, stage_key(&key, pipeline, plan_text(stage, "id")));
    buf_close(&key);
    plan_tree_close(&tree);
}

static bool read_bool(const struct yaml_node *map, const char *key, bool otherwise)
{
    struct slice text = plan_text(map, key);
    return text.n ? slice_is(text, "true") : otherwise;
}

static struct slice keep(struct plan *plan, struct slice word)
{
    uint32_t number = plan_names_intern(&plan->words, word); /* may move the list */
    return plan->words.names[number];
}

static enum stage_kind read_kind(struct slice text)
{
    static const char *const names[] = {"open", "won", "lost", "pool"};
    for (int i = 0; i < 4; i++)
        if (slice_is(text, names[i]))
            return (enum stage_kind)i;
    return STAGE_OPEN;
}

static void read_stage(struct plan *plan, struct slice pipeline, const struct yaml_node *node, struct plan_stage *stage)
{
    struct buf key;
    buf_init(&key);
    struct slice name = plan_text(node, "id");
    *stage = (struct plan_stage){.name = keep(plan, name), .in_model = true, .win_ppm = -1};
    stage->id = plan_names_intern(&plan->stages, stage_key(&key, pipeline, name));
    stage->kind = read_kind(plan_text(node, "kind"));
    int64_t ord;
    if (stage->kind == STAGE_OPEN && plan_parse_int(plan_text(node, "ord"), &ord))
        stage->ord = (int32_t)ord;
    plan_parse_percent(plan_text(node, "win"), &stage->win_ppm);
    const struct yaml_node *steps = yaml_get(node, "required_steps");
    for (const struct yaml_node *step = steps ? steps->first : NULL; step && stage->required_count < 16;
         step = step->next)
        stage->required_steps[stage->required_count++] = keep(plan, step->text);
    buf_close(&key);
}

static int by_place(const void *a, const void *b)
{
    const struct plan_stage *x = a, *y = b;
    int rank_x = !x->in_model ? 2 : x->kind != STAGE_OPEN, rank_y = !y->in_model ? 2 : y->kind != STAGE_OPEN;
    if (rank_x != rank_y)
        return rank_x - rank_y;
    if (rank_x == 0 && x->ord != y->ord)
        return x->ord < y->ord ? -1 : 1;
    return slice_cmp(x->name, y->name);
}

static void read_model(struct plan *plan, struct slice pipeline, struct plan_record *record,
                       struct plan_model_version *version)
{
    *version = (struct plan_model_version){.ended = record->item.ended};
    struct plan_model *model = &version->model;
    *model = (struct plan_model){.valid_from_ms = record->item.valid_from_ms,
                                 .allow_skip = true,
                                 .allow_regress = true,
                                 .reclaim_block_ms = RECLAIM_DEFAULT_MS};
    model->pipeline_id = plan_names_intern(&plan->pipelines, pipeline);
    model->pipeline = plan->pipelines.names[model->pipeline_id];
    struct plan_tree tree;
    if (version->ended)
        return;
    record->unreadable = !plan_tree_parse(&tree, record->item.spec);
    if (record->unreadable)
        return;
    model->allow_skip = read_bool(tree.root, "allow_skip", true);
    model->allow_regress = read_bool(tree.root, "allow_regress", true);
    model->loss_reason_required = slice_is(plan_text(tree.root, "loss_reason"), "required");
    model->reclaim_block_ms = plan_elapsed_ms(plan_text(tree.root, "reclaim_block"), RECLAIM_DEFAULT_MS);
    const struct yaml_node *list = yaml_get(tree.root, "stages");
    version->stages = calloc((list ? list->count : 0) + 1, sizeof *version->stages);
    if (!version->stages)
        abort();
    for (const struct yaml_node *node = list ? list->first : NULL; node && model->stage_count < PLAN_STAGES_MAX;
         node = node->next)
        read_stage(plan, pipeline, node, &version->stages[model->stage_count++]);
    plan_tree_close(&tree);
}

static const struct plan_stage *stage_by_id(const struct plan_model_version *version, uint32_t id)
{
    for (uint32_t i = 0; i < version->model.stage_count; i++)
        if (version->stages[i].id == id)
            return &version->stages[i];
    return NULL;
}

/* Adds to a version the stages that only others have: known numbers, not in this model. */
static void add_foreign(struct plan_model_version *version, const struct plan_model_version *other)
{
    for (uint32_t i = 0; i < other->model.stage_count; i++) {
        const struct plan_stage *stage = &other->stages[i];
        if (!stage->in_model || stage_by_id(version, stage->id))
            continue;
        uint32_t count = version->model.stage_count++;
        version->stages = realloc(version->stages, (count + 1) * sizeof *version->stages);
        if (!version->stages)
            abort();
        version->stages[count] = *stage;
        version->stages[count].in_model = false;
        version->stages[count].ord = 0;
    }
}

static void pipeline_build(struct plan *plan, uint32_t entity, struct plan_pipeline *pipeline)
{
    struct plan_version_list versions = {0};
    plan_versions(plan, entity, &versions);
    pipeline->versions = calloc(versions.count + 1, sizeof *pipeline->versions);
    if (!pipeline->versions)
        abort();
    pipeline->count = versions.count;
    for (uint32_t i = 0; i < versions.count; i++)
        read_model(plan, plan_entity_id(plan, entity), versions.list[i], &pipeline->versions[i]);
    free(versions.list);
    for (uint32_t i = 0; i < pipeline->count; i++)
        for (uint32_t j = pipeline->count; j-- > 0;) /* the newest version says what a stage was */
            if (j != i && !pipeline->versions[i].ended)
                add_foreign(&pipeline->versions[i], &pipeline->versions[j]);
    for (uint32_t i = 0; i < pipeline->count; i++) {
        struct plan_model_version *version = &pipeline->versions[i];
        if (version->model.stage_count)
            qsort(version->stages, version->model.stage_count, sizeof *version->stages, by_place);
        version->model.stages = version->stages;
    }
}

void plan_stages_build(struct plan *plan)
{
    plan_stages_close(plan);
    plan->model_count = plan->pipelines.count;
    plan->models = calloc(plan->model_count + 1, sizeof *plan->models);
    if (!plan->models)
        abort();
    for (uint32_t entity = 0; entity < plan->entities.count; entity++) {
        if (!plan_entity_is(plan, entity, PLAN_KIND_stage_model))
            continue;
        uint32_t pipeline = plan_names_find(&plan->pipelines, plan_entity_id(plan, entity));
        pipeline_build(plan, entity, &plan->models[pipeline]);
    }
}

void plan_stages_close(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->model_count; i++) {
        for (uint32_t j = 0; j < plan->models[i].count; j++)
            free(plan->models[i].versions[j].stages);
        free(plan->models[i].versions);
    }
    free(plan->models);
    plan->models = NULL;
    plan->model_count = 0;
}

static struct plan *stages_ready(const struct plan *plan)
{
    struct plan *p = plan_ready(plan);
    if (p->stages_dirty)
        plan_stages_build(p);
    p->stages_dirty = false;
    return p;
}

const struct plan_model *plan_model_at(const struct plan *plan, struct slice pipeline, int64_t at_ms)
{
    const struct plan *p = stages_ready(plan);
    uint32_t number = plan_names_find(&p->pipelines, pipeline);
    if (number == PLAN_NONE || number >= p->model_count)
        return NULL;
    const struct plan_pipeline *versions = &p->models[number];
    uint32_t low = 0, high = versions->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (versions->versions[middle].model.valid_from_ms <= at_ms)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low || versions->versions[low - 1].ended || !versions->versions[low - 1].model.stage_count)
        return NULL;
    return &versions->versions[low - 1].model;
}

const struct plan_stage *plan_stage_of(const struct plan_model *model, struct slice stage)
{
    for (uint32_t i = 0; i < model->stage_count; i++)
        if (slice_eq(model->stages[i].name, stage))
            return &model->stages[i];
    return NULL;
}
