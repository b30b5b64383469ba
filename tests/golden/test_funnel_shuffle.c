/* Order of arrival does not change final figures (semantics 0.3), nor do batches and snapshots the state (design 2).
 *
 * A seed makes a set of events with every action of 2.2, corrections, retractions, merges, steps and plan records.
 * It is told once as lived - T moves with the events, timers fire on the way - and then in random order with T at
 * the end. All cells but the counters of arrival must be equal, zeros aside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "figures/cell_text.h"
#include "story.h"

enum { SEEDS = 200, EVENTS = 120, PLANS = 14, ITEMS = EVENTS + PLANS, LEADS = 12, SHUFFLES = 1, DAYS = 60 };

struct item {
    enum event_type type;
    struct buf body;
    int64_t at_ms;
};
struct event_seen {
    char id[32];
    int lead;
    int64_t at_ms, recorded_ms;
};
struct set {
    struct item items[ITEMS];
    struct event_seen events[EVENTS];
    uint64_t random;
};

static uint32_t draw(struct set *set, uint32_t below)
{
    set->random = set->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((set->random >> 33) % below);
}
#define PICK(set, list) (list)[draw(set, sizeof(list) / sizeof *(list))]

/* --- making a set --------------------------------------------------------------------------------------------- */

static const char *const all_actions[] = {
    "created", "scored", "assigned", "accepted", "rejected", "contacted", "stage",    "amount", "close_date", "owner",
    "hold",    "resume", "recycled", "claimed",  "won",      "lost",      "reopened", "merged", "touch"};
enum { ACTIONS = sizeof all_actions / sizeof *all_actions };
static const char *const extra_names[] = {"correct",     "retract",          "step",       "plan node",
                                          "plan member", "plan stage_model", "plan tenant"};
enum { EXTRAS = sizeof extra_names / sizeof *extra_names };
static uint32_t told[ACTIONS + EXTRAS];

static const char *const stages[] = {"NEW", "QUAL", "PROP", "NEGO", "WON", "LOST", "POOL", "LATER"};
static const char *const owners[] = {"r1", "r2", "r3", "r4"};
static const char *const channels[] = {"web", "fair", "unassigned"};
static const char *const lead_ids[LEADS] = {"L0", "L1", "L2", "L3", "L4", "L5", "L6", "L7", "L8", "L9", "La", "Lb"};

static int64_t some_instant(struct set *set)
{
    int64_t day = draw(set, DAYS);
    int64_t hour = draw(set, 3) ? draw(set, 24) : 0; /* midnights often: ties, and changes of the org */
    return STORY_DAY(1) + day * STORY_DAY_MS + hour * STORY_HOUR_MS;
}

static void make_step(struct story *story, struct set *set, struct item *item)
{
    char id[16], lead[8];
    snprintf(id, sizeof id, "s-%u", draw(set, 1000000000));
    snprintf(lead, sizeof lead, "%s", PICK(set, lead_ids));
    story_step_body(story, lead, "budget", item->at_ms, id, &item->body);
    item->type = EVENT_FACT;
    told[ACTIONS + 2]++;
}

/* A correction names an earlier event of the lead, now and then one of another lead. */
static void make_correction(struct set *set, int n, struct lead_line *line, int *lead)
{
    const struct event_seen *named = &set->events[draw(set, (uint32_t)n)];
    if (!named->id[0])
        return;
    bool retract = draw(set, 2);
    line->op = retract ? "retract" : "correct";
    line->corrects = named->id;
    if (draw(set, 8))
        *lead = named->lead;
    line->recorded_ms = (line->at_ms > named->recorded_ms ? line->at_ms : named->recorded_ms) + draw(set, 3);
    told[ACTIONS + retract]++;
}

static void make_event(struct story *story, struct set *set, int n)
{
    struct item *item = &set->items[n];
    item->at_ms = some_instant(set);
    if (draw(set, 12) == 0) {
        make_step(story, set, item);
        return;
    }
    uint32_t action = draw(set, 3) ? draw(set, ACTIONS) : 6; /* many stage moves */
    int lead = (int)draw(set, LEADS);
    struct lead_line line = {.action = all_actions[action], .at_ms = item->at_ms, .source_seq = draw(set, 4)};
    if (draw(set, 2) || strcmp(line.action, "stage") == 0)
        line.to = PICK(set, stages);
    bool owner = draw(set, 3) == 0 || strcmp(line.action, "owner") == 0 || strcmp(line.action, "assigned") == 0;
    line.owner = owner ? PICK(set, owners) : NULL;
    line.channel = draw(set, 4) == 0 ? PICK(set, channels) : NULL;
    line.reason = draw(set, 2) ? "why" : NULL;
    line.hold_until_ms = draw(set, 2) ? item->at_ms + STORY_DAY_MS : 0;
    if (draw(set, 3) == 0 || strcmp(line.action, "amount") == 0) {
        line.currency = draw(set, 2) ? "CNY" : "USD";
        line.amount = (int64_t)draw(set, 1000) - 200;
    }
    if (draw(set, 10) == 0)
        line.pipeline = draw(set, 2) ? "partner" : "default";
    if (strcmp(line.action, "merged") == 0)
        line.merged_into = PICK(set, lead_ids);
    if (n && draw(set, 5) == 0)
        make_correction(set, n, &line, &lead);
    struct event_seen *seen = &set->events[n];
    snprintf(seen->id, sizeof seen->id, "e-%u-%d", draw(set, 1000000), n);
    seen->lead = lead;
    seen->at_ms = item->at_ms;
    seen->recorded_ms = line.recorded_ms ? line.recorded_ms : item->at_ms;
    line.lead = lead_ids[lead];
    line.id = seen->id;
    story_lead_body(story, &line, &item->body);
    item->type = EVENT_LEAD;
    told[action]++;
}

#define PARTNER                                                                                                        \
    "{\"stages\":[{\"id\":\"P1\",\"kind\":\"open\",\"ord\":1},{\"id\":\"QUAL\",\"kind\":\"open\",\"ord\":2},"          \
    "{\"id\":\"WON\",\"kind\":\"won\"}]}"
#define STRICT                                                                                                         \
    "{\"allow_regress\":false,\"allow_skip\":false,\"loss_reason\":\"required\",\"stages\":["                          \
    "{\"id\":\"NEW\",\"kind\":\"open\",\"ord\":10},{\"id\":\"QUAL\",\"kind\":\"open\",\"ord\":20,"                     \
    "\"required_steps\":[\"budget\"]},{\"id\":\"LATER\",\"kind\":\"open\",\"ord\":25},"                                \
    "{\"id\":\"NEGO\",\"kind\":\"open\",\"ord\":40},{\"id\":\"WON\",\"kind\":\"won\"},"                                \
    "{\"id\":\"LOST\",\"kind\":\"lost\"},{\"id\":\"POOL\",\"kind\":\"pool\"}]}"

/* What comes besides the plan of the fixtures: it is in the set, so it arrives anywhere. */
static const struct plan_line plans[PLANS] = {
    {.kind = "node", .id = "S", .spec = "{\"kind\":\"region\",\"parent\":\"N\"}"},
    {.kind = "node", .id = "T3", .spec = "{\"kind\":\"team\",\"parent\":\"S\"}"},
    {.kind = "node", .id = "T2", .spec = "{\"kind\":\"team\",\"parent\":\"S\"}", .valid_from_ms = STORY_DAY(20)},
    {.kind = "member", .id = "r3/T3/2026-01-01", .spec = "{\"from\":\"2026-01-01\",\"node\":\"T3\",\"rep\":\"r3\"}"},
    {.kind = "member",
     .id = "r3/T3/2026-01-01",
     .spec = "{\"from\":\"2026-01-01\",\"node\":\"T3\",\"rep\":\"r3\",\"to\":\"2026-03-30\"}",
     .valid_from_ms = STORY_DAY(15)},
    {.kind = "member",
     .id = "r3/T1/2026-03-30",
     .spec = "{\"from\":\"2026-03-30\",\"node\":\"T1\",\"rep\":\"r3\",\"tier\":\"A\"}",
     .valid_from_ms = STORY_DAY(25)},
    {.kind = "member",
     .id = "r2/T2/2026-01-01",
     .spec = "{\"from\":\"2026-01-01\",\"node\":\"T2\",\"rep\":\"r2\",\"role\":\"rep\",\"tier\":\"C\"}",
     .valid_from_ms = STORY_DAY(33)},
    {.kind = "stage_model", .id = "partner", .spec = PARTNER, .valid_from_ms = STORY_DAY(5)},
    {.kind = "stage_model", .id = "default", .spec = STRICT, .valid_from_ms = STORY_DAY(30)},
    {.kind = "tenant",
     .id = "acme",
     .spec = "{\"calendar\":\"c\",\"currency\":\"CNY\",\"pipeline\":\"partner\",\"zone\":\"UTC\"}",
     .valid_from_ms = STORY_DAY(40)},
    {.kind = "member", .id = "r4/T1/2026-04-01", .spec = "{\"from\":\"2026-04-01\",\"node\":\"T1\",\"rep\":\"r4\"}"},
    {.kind = "node", .id = "T3", .spec = "{\"kind\":\"team\",\"parent\":\"N\"}", .valid_from_ms = STORY_DAY(45)},
    {.kind = "member",
     .id = "r4/T1/2026-04-01",
     .spec = "{\"from\":\"2026-04-01\",\"node\":\"T2\",\"rep\":\"r4\"}",
     .valid_from_ms = STORY_DAY(50)},
    {.kind = "stage_model", .id = "partner", .spec = NULL, .valid_from_ms = STORY_DAY(55)},
};

static void make_plan(struct story *story, struct set *set, int n)
{
    struct item *item = &set->items[EVENTS + n];
    struct plan_line line = plans[n];
    char id[16];
    snprintf(id, sizeof id, "p-%d", n);
    line.event_id = id;
    item->type = EVENT_PLAN;
    item->at_ms = draw(set, 2) && line.valid_from_ms ? line.valid_from_ms : some_instant(set);
    story_plan_body(story, &line, &item->body);
    told[ACTIONS + (line.kind[0] == 'n' ? 3 : line.kind[0] == 'm' ? 4 : line.kind[0] == 's' ? 5 : 6)]++;
}

static void make_set(struct set *set, uint64_t seed)
{
    struct story story;
    memset(set, 0, sizeof *set);
    set->random = seed * 0x9e3779b97f4a7c15u + 1;
    story_begin_bare(&story);
    for (int i = 0; i < EVENTS; i++)
        make_event(&story, set, i);
    for (int i = 0; i < PLANS; i++)
        make_plan(&story, set, i);
    story_end(&story);
}

static void free_set(struct set *set)
{
    for (int i = 0; i < ITEMS; i++)
        buf_close(&set->items[i].body);
}

/* --- telling it ----------------------------------------------------------------------------------------------- */

static const int64_t the_end_ms = STORY_DAY(DAYS + 1);

/* Cells as sorted lines, without zeros and without what tells of arrival. */
static bool of_arrival(struct slice name)
{
    static const char *const names[] = {"late", "restated", "beyond", "overflow", "repeat", "R"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (slice_is(name, names[i]))
            return true;
    }
    return false;
}

static int by_text(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static char *line_of(const struct story_cell *cell)
{
    struct buf line = {0}, numbers = {0};
    struct cursor in = cursor_of(slice_of(cell->value));
    struct slice name;
    int64_t number;
    while (cell_text_next(&in, &name, &number)) {
        if (number && !of_arrival(name))
            buf_addf(&numbers, " %.*s%lld", SLICE_ARG(name), (long long)number);
    }
    if (numbers.n && strcmp(cell->row, "meta") != 0)
        buf_addf(&line, "%s %s%.*s\n", cell->row, cell->field, SLICE_ARG(buf_slice(&numbers)));
    buf_close(&numbers);
    char *text = strdup(buf_cstr(&line));
    buf_close(&line);
    return text;
}

static void figures_of(struct story *story, struct buf *out)
{
    story_project(story);
    char **lines = calloc(story->cell_count, sizeof *lines);
    for (size_t i = 0; i < story->cell_count; i++)
        lines[i] = line_of(&story->cells[i]);
    qsort(lines, story->cell_count, sizeof *lines, by_text);
    for (size_t i = 0; i < story->cell_count; i++) {
        buf_add_text(out, lines[i]);
        free(lines[i]);
    }
    free(lines);
}

static void check_conservation(struct story *story)
{
    struct err err = {0};
    if (story->type->recount(story->tenant, &err) != OK)
        fail_msg("%s", err.text);
}

static const struct set *sorting;
static int by_instant(const void *a, const void *b)
{
    int64_t x = sorting->items[*(const int *)a].at_ms, y = sorting->items[*(const int *)b].at_ms;
    if (x != y)
        return x < y ? -1 : 1;
    return *(const int *)a - *(const int *)b;
}

static void tell_as_lived(const struct set *set, struct buf *out)
{
    struct story story;
    int order[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        order[i] = i;
    sorting = set;
    qsort(order, ITEMS, sizeof *order, by_instant);
    story_begin(&story);
    for (int i = 0; i < ITEMS; i++) {
        const struct item *item = &set->items[order[i]];
        story_tick(&story, item->at_ms);
        story_apply(&story, item->type, buf_slice(&item->body), item->at_ms);
    }
    story_tick(&story, the_end_ms);
    story_time(&story, the_end_ms);
    check_conservation(&story);
    figures_of(&story, out);
    story_end(&story);
}

static void shuffle(struct set *set, int order[ITEMS])
{
    for (int i = 0; i < ITEMS; i++)
        order[i] = i;
    for (int i = ITEMS - 1; i > 0; i--) {
        int k = (int)draw(set, (uint32_t)i + 1);
        int at = order[i];
        order[i] = order[k];
        order[k] = at;
    }
}

static void tell_shuffled(struct set *set, struct buf *out)
{
    struct story story;
    int order[ITEMS];
    shuffle(set, order);
    story_begin(&story);
    for (int i = 0; i < ITEMS; i++)
        story_apply(&story, set->items[order[i]].type, buf_slice(&set->items[order[i]].body), the_end_ms);
    check_conservation(&story);
    figures_of(&story, out);
    story_end(&story);
}

static void first_difference(uint64_t seed, struct buf *a, struct buf *b)
{
    const char *x = buf_cstr(a), *y = buf_cstr(b);
    while (*x && *x == *y) {
        const char *x_end = strchr(x, '\n'), *y_end = strchr(y, '\n');
        if (x_end - x != y_end - y || memcmp(x, y, (size_t)(x_end - x)) != 0)
            break;
        x = x_end + 1;
        y = y_end + 1;
    }
    fail_msg("seed %llu: as lived `%.100s`, shuffled `%.100s`", (unsigned long long)seed, x, y);
}

static void any_order_of_arrival_gives_the_same_figures(void **state)
{
    (void)state;
    static struct set set;
    memset(told, 0, sizeof told);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct buf lived = {0};
        make_set(&set, seed);
        tell_as_lived(&set, &lived);
        assert_true(lived.n > 1000);
        for (int i = 0; i < SHUFFLES; i++) {
            struct buf shuffled = {0};
            tell_shuffled(&set, &shuffled);
            if (!slice_eq(buf_slice(&lived), buf_slice(&shuffled)))
                first_difference(seed, &lived, &shuffled);
            buf_close(&shuffled);
        }
        buf_close(&lived);
        free_set(&set);
    }
    for (int i = 0; i < ACTIONS + EXTRAS; i++) {
        printf("%-18s %6u\n", i < ACTIONS ? all_actions[i] : extra_names[i - ACTIONS], told[i]);
        assert_int_not_equal(told[i], 0);
    }
}

/* --- batches and snapshots ------------------------------------------------------------------------------------ */

static void ignore_cell(struct machine_sink *sink, struct slice row, struct slice field, struct slice value)
{
    (void)sink;
    (void)row;
    (void)field;
    (void)value;
}

static void project_changes(struct story *story)
{
    struct machine_sink sink = {ignore_cell};
    (void)story->type->dirty(story->tenant);
    while (story->type->project_dirty(story->tenant, story->now_ms, 100, &sink))
        continue;
}

static void load_again(struct story *story)
{
    struct buf bytes = {0};
    story->type->save(story->tenant, &bytes);
    void *copy = story->type->create(SLICE("acme"));
    assert_int_equal(story->type->load(copy, buf_slice(&bytes), NULL), OK);
    story->type->destroy(story->tenant);
    story->tenant = copy;
    buf_close(&bytes);
}

/* batch 0: a random number of records. */
static void tell_in_batches(struct set *set, const int order[ITEMS], uint32_t batch, bool snapshots, struct buf *out)
{
    struct story story;
    story_begin(&story);
    uint32_t left = batch;
    for (int i = 0; i < ITEMS; i++) {
        const struct item *item = &set->items[order[i]];
        story_tick(&story, STORY_DAY(1) + i * STORY_DAY_MS / 3);
        story_apply(&story, item->type, buf_slice(&item->body), story.now_ms);
        if (left && --left)
            continue;
        left = batch ? batch : 1 + draw(set, 40);
        project_changes(&story);
        if (snapshots)
            load_again(&story);
    }
    story_save(&story, out);
    story_end(&story);
}

static void batches_and_snapshots_do_not_change_a_byte_of_the_state(void **state)
{
    (void)state;
    static struct set set;
    static const uint32_t batches[] = {7, 1000, 0};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct buf expected = {0}, got = {0};
        int order[ITEMS];
        make_set(&set, seed);
        shuffle(&set, order);
        tell_in_batches(&set, order, 1, false, &expected);
        for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
            tell_in_batches(&set, order, batches[i], false, &got);
            assert_true(slice_eq(buf_slice(&expected), buf_slice(&got)));
        }
        tell_in_batches(&set, order, 11, true, &got);
        assert_true(slice_eq(buf_slice(&expected), buf_slice(&got)));
        buf_close(&expected);
        buf_close(&got);
        free_set(&set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_order_of_arrival_gives_the_same_figures),
        cmocka_unit_test(batches_and_snapshots_do_not_change_a_byte_of_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
