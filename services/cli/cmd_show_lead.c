/* cmd_show_lead.c -- `paceline show lead ID`: one lead's events from the ledger, and what the fold makes of them.
 *
 * The same fold that fills the figures (model/lead_fold.h) is run over this lead and those that merges join to it, with
 * the tenant's plan, and its postings are printed: so a figure can be traced to the event that moved it. The ledger is
 * read twice: who belongs to the group is known only at its end. */
#include <stdio.h>
#include <stdlib.h>

#include "base/intern.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/time_text.h"
#include "client.h"
#include "cmd_show_view.h"
#include "funnel/funnel.h"
#include "funnel/funnel_input.h"
#include "model/tenant_clock.h"

enum { EVENTS_MAX = 100000, GROUP_MAX = 1000, LINKS_MAX = 1000000 };

enum { SLOT_IGNORED = 255 }; /* no slot of a cell */

/* The events of one lead of the group. */
struct told_lead {
    uint32_t number; /* the lead's, as funnel_input counts them */
    struct lead_event *events;
    uint32_t count, size;
};

struct link {
    uint32_t from, into; /* names in `names_seen` */
};

struct show {
    struct cli *cli;
    struct client client;
    struct slice lead, tenant;
    struct funnel *funnel; /* holds the plan and the names; its leads stay empty */
    struct tenant_clock clock;
    struct intern linked; /* leads of any merge */
    struct link *links;
    uint32_t link_count;
    struct intern group; /* the lead asked for is number 0 */
    struct told_lead *leads;
    uint32_t count;               /* events taken, of the whole group */
    struct buf names, out, story; /* story: the events as JSON, a line each */
    uint64_t postings;
    bool linking; /* the first reading: merges only */
    enum err_code code;
};

static struct slice lead_of(const struct event *event)
{
    int field = event_field_of(event->type, SLICE("lead_id"));
    return field >= 0 && event_has(event, (unsigned)field) ? event->v[field].s : (struct slice){NULL, 0};
}

/* ---- who belongs together */

static void take_link(struct show *show, const struct event *event)
{
    if (event->type != EVENT_LEAD || !event_has(event, LEAD_MERGED_INTO) || show->link_count == LINKS_MAX)
        return;
    uint32_t from = intern_put(&show->linked, lead_of(event));
    uint32_t into = intern_put(&show->linked, event->v[LEAD_MERGED_INTO].s);
    if (show->link_count % 1024 == 0)
        show->links = memory_must(realloc(show->links, (show->link_count + 1024) * sizeof *show->links));
    show->links[show->link_count++] = (struct link){from, into};
}

/* Merges are followed in both directions until nobody new comes in. */
static enum err_code gather(struct show *show)
{
    bool *in = memory_must(calloc((size_t)show->link_count * 2 + 1, sizeof *in));
    uint32_t self = intern_get(&show->linked, show->lead);
    (void)intern_put(&show->group, show->lead);
    if (self != INTERN_NONE)
        in[self] = true;
    for (bool more = self != INTERN_NONE; more;) {
        more = false;
        for (uint32_t i = 0; i < show->link_count; i++) {
            const struct link *link = &show->links[i];
            if (in[link->from] == in[link->into])
                continue;
            uint32_t joins = in[link->from] ? link->into : link->from;
            in[joins] = more = true;
            if (intern_put(&show->group, intern_text(&show->linked, joins)) == INTERN_NONE) {
                free(in);
                return err_set(&show->cli->err, ERR_FINDING, "more than %d leads are merged with this one", GROUP_MAX);
            }
        }
    }
    free(in);
    show->leads = memory_must(calloc(show->group.count, sizeof *show->leads));
    for (uint32_t i = 0; i < show->group.count; i++)
        show->leads[i].number = lead_table_number(&show->funnel->leads, intern_text(&show->group, i));
    return OK;
}

/* ---- the events of the group */

static void keep_event(struct show *show, uint32_t at, const struct event *event)
{
    struct told_lead *lead = &show->leads[at];
    if (show->count == EVENTS_MAX)
        return;
    if (lead->count == lead->size) {
        lead->size = lead->size ? lead->size * 2 : 16;
        lead->events = memory_must(realloc(lead->events, lead->size * sizeof *lead->events));
    }
    if (!funnel_input(show->funnel, event, &lead->number, &lead->events[lead->count]))
        return;
    lead->count++;
    show->count++;
}

static void take_event(struct show *show, const struct ledger_record *record, const struct event *event)
{
    struct buf *story = &show->story;
    struct slice lead = lead_of(event);
    uint32_t at = lead.n ? intern_get(&show->group, lead) : INTERN_NONE;
    if (at == INTERN_NONE)
        return;
    buf_addf(story, "%s{\"tenant_seq\":%llu,\"event\":", story->n ? ",\n" : "", (unsigned long long)record->tenant_seq);
    event_write_json(show->client.codec, event, story);
    buf_add_byte(story, '}');
    keep_event(show, at, event);
}

static bool on_record(void *context, uint32_t shard, const struct ledger_record *record)
{
    struct show *show = context;
    struct event event;
    (void)shard;
    if (!slice_eq(record->tenant, show->tenant) || record->type >= EVENT_TYPE_COUNT)
        return true;
    show->code =
        event_decode_body(show->client.codec, (enum event_type)record->type, record->body, &event, &show->cli->err);
    if (show->code != OK)
        return false;
    if (show->linking) {
        take_link(show, &event);
        return true;
    }
    struct tenant_step step = tenant_clock_apply(&show->clock, record, &event);
    show->funnel->now_ms = step.now_ms;
    if (event.type == EVENT_PLAN) {
        struct plan_change change;
        plan_apply(show->funnel->plan, &event, record->tenant_seq, &change);
    } else if (record->kind == LEDGER_EVENT || record->kind == LEDGER_IMPORT)
        take_event(show, record, &event);
    return true;
}

static enum err_code read_ledger(struct show *show)
{
    struct client_ledger *ledger = calloc(1, sizeof *ledger);
    if (!ledger)
        abort();
    uint32_t shard = log_partition_of_key(show->tenant, show->client.shards);
    enum err_code code = client_ledger_open(ledger, &show->client, shard);
    while (code == OK && show->code == OK && !client_ledger_at_end(ledger)) {
        bool got;
        code = client_ledger_read(ledger, on_record, NULL, show, &got);
        if (!got)
            log_wait(ledger->consumer, 100);
    }
    if (ledger->consumer)
        client_ledger_close(ledger);
    free(ledger);
    return code == OK ? show->code : code;
}

/* ---- what the fold says */

static void slot_text(uint8_t slot, char text[64])
{
    static const char *const plain[] = {"reached", "transfer_in", "transfer_out"};
    if (slot == LEAD_SLOT_ENTRIES)
        (void)snprintf(text, 64, "entries");
    else if (slot < LEAD_SLOT_REACHED)
        (void)snprintf(text, 64, "exits %s",
                       lead_class_name((enum lead_class)(slot - LEAD_SLOT_EXITS + LEAD_CLASS_advance)));
    else if (slot < LEAD_SLOT_VIOLATIONS)
        (void)snprintf(text, 64, "%s", plain[slot - LEAD_SLOT_REACHED]);
    else if (slot < LEAD_SLOT_UNKNOWN_STAGE)
        (void)snprintf(text, 64, "violation %s",
                       lead_violation_name((enum lead_violation)(slot - LEAD_SLOT_VIOLATIONS)));
    else if (slot == LEAD_SLOT_UNKNOWN_STAGE)
        (void)snprintf(text, 64, "unknown_stage");
    else if (slot == LEAD_SLOT_ORPHANS)
        (void)snprintf(text, 64, "orphan_correction");
    else if (slot == SLOT_IGNORED)
        (void)snprintf(text, 64, "correction_ignored");
    else
        (void)snprintf(text, 64, "amount");
}

static void add_org(struct show *show, uint32_t leaf, struct buf *out)
{
    struct lead_book *book = &show->funnel->book;
    struct lead_leaf parts = lead_book_leaf_parts(book, leaf);
    const uint32_t *nodes;
    uint32_t count = lead_book_path_nodes(book, parts.path, &nodes);
    struct slice owner = lead_book_text(book, parts.owner);
    for (uint32_t i = count; i-- > 0;) {
        buf_add_slice(out, lead_book_text(book, nodes[i]));
        buf_add_byte(out, i || owner.n ? '/' : ' ');
    }
    buf_add_slice(out, owner);
}

static void on_posting(void *context, const struct lead_posting *posting)
{
    struct show *show = context;
    struct lead_stage_name stage = lead_book_stage_name(&show->funnel->book, posting->stage);
    char at[INSTANT_TEXT_BYTES], what[64];
    struct buf org = {0};
    bool json = show->cli->json;
    (void)instant_print(posting->at_ms, at);
    slot_text(posting->slot, what);
    add_org(show, posting->leaf, &org);
    if (posting->leaf_to) {
        (void)snprintf(what, sizeof what, "transfer");
        buf_add_text(&org, " -> ");
        add_org(show, posting->leaf_to, &org);
    }
    struct slice name = lead_book_text(&show->funnel->book, stage.stage);
    if (json) {
        buf_addf(&show->out, "%s{\"at\":\"%s\",\"what\":\"%s\",\"stage\":", show->postings ? ",\n" : "", at, what);
        text_add_json(&show->out, name);
        buf_add_text(&show->out, ",\"org\":");
        text_add_json(&show->out, buf_slice(&org));
        buf_addf(&show->out, ",\"count\":%lld,\"amount\":%lld}", (long long)posting->count, (long long)posting->amount);
    } else {
        buf_addf(&show->out, "  %s  %-22s %-14.*s %s", at, what, SLICE_ARG(name), buf_cstr(&org));
        if (posting->amount)
            buf_addf(&show->out, "  %+lld", (long long)posting->amount);
        buf_add_byte(&show->out, '\n');
    }
    show->postings++;
    buf_close(&org);
}

static int by_order(const void *left, const void *right) { return lead_event_cmp(left, right); }

/* A correction that names a later event has no class of violation: this is where it is seen (semantics 0.3). */
static void show_ignored(struct show *show, const struct told_lead *lead)
{
    for (uint32_t i = 0; i < lead->count; i++) {
        struct lead_posting posting = {.at_ms = lead->events[i].valid_at_ms, .slot = SLOT_IGNORED, .count = 1};
        if (lead->events[i].ignored)
            on_posting(show, &posting);
    }
}

/* Folds the group; the state of the lead asked for is left in *asked. */
static void fold(struct show *show, struct lead_state *asked)
{
    struct lead_fold in = {.book = &show->funnel->book, .sign = 1, .post = on_posting, .context = show};
    uint32_t *order = memory_must(calloc(show->count + 1, sizeof *order));
    struct lead_member *members = memory_must(calloc(GROUP_MAX, sizeof *members));
    uint32_t count = 0;
    lead_book_plan_changed(&show->funnel->book);
    for (uint32_t i = 0; i < show->group.count; i++) {
        struct told_lead *lead = &show->leads[i];
        if (lead->count) { /* a merge may name a lead that was never heard of */
            qsort(lead->events, lead->count, sizeof *lead->events, by_order);
            (void)lead_events_resolve(lead->events, lead->count, order);
            show_ignored(show, lead);
        }
        members[count++] = (struct lead_member){.lead = lead->number, .events = lead->events, .count = lead->count};
    }
    lead_fold_group(&in, members, count, show->funnel->now_ms);
    for (uint32_t i = 0; i < count; i++) /* the fold sorts its members */
        if (members[i].lead == show->leads[0].number)
            *asked = members[i].state;
    free(members);
    free(order);
}

static void print(struct show *show)
{
    struct lead_state state = {0};
    struct buf *out = &show->out;
    bool json = show->cli->json, zh = show->cli->zh;
    struct lead_book *book = &show->funnel->book;
    if (json) {
        buf_add_text(out, "{\"tenant\":");
        text_add_json(out, show->tenant);
        buf_add_text(out, ",\"lead_id\":");
        text_add_json(out, show->lead);
        buf_add_text(out, ",\"path\":[");
    } else
        buf_add_text(out, zh ? "轨迹\n" : "path\n");
    fold(show, &state);
    struct lead_stage_name stage = lead_book_stage_name(book, state.stage);
    struct slice name = lead_book_text(book, stage.stage), owner = lead_book_text(book, state.owner);
    if (json) {
        buf_add_text(out, "],\"stage\":");
        text_add_json(out, name);
        buf_add_text(out, ",\"owner_id\":");
        text_add_json(out, owner);
        buf_addf(out, ",\"cycle\":%u,\"events\":[", state.cycle);
        buf_add_slice(out, buf_slice(&show->story));
        buf_add_text(out, "]}\n");
    } else {
        buf_addf(out,
                 zh ? "现在：阶段 %.*s，负责人 %.*s，第 %u 轮\n事件\n"
                    : "now: stage %.*s, owner %.*s, cycle %u\nevents\n",
                 SLICE_ARG(name), SLICE_ARG(owner), state.cycle);
        buf_add_slice(out, buf_slice(&show->story));
        buf_add_byte(out, '\n');
    }
    (void)fwrite(out->p, 1, out->n, stdout);
}

static int run(struct cli *cli)
{
    struct show show = {.cli = cli, .lead = slice_of(cli->args[0]), .tenant = slice_of(cli_option(cli, "tenant"))};
    intern_init(&show.linked, LINKS_MAX);
    intern_init(&show.group, GROUP_MAX);
    enum err_code code = client_open(&show.client, cli);
    if (code == OK && !show.tenant.n)
        code = client_view(&show.client);
    if (code == OK)
        code = show_view_tenant(&show.client, "funnel", &show.names, &show.tenant);
    if (code == OK) {
        show.funnel = funnel_machine.create(show.tenant);
        show.linking = true;
        code = read_ledger(&show);
        show.linking = false;
    }
    if (code == OK)
        code = gather(&show);
    if (code == OK)
        code = read_ledger(&show);
    if (code == OK && !show.story.n)
        code = err_set(&cli->err, ERR_MISSING, "tenant %.*s has no event of lead %.*s", SLICE_ARG(show.tenant),
                       SLICE_ARG(show.lead));
    if (code == OK)
        print(&show);
    if (show.funnel)
        funnel_machine.destroy(show.funnel);
    client_close(&show.client);
    buf_close(&show.names);
    buf_close(&show.out);
    buf_close(&show.story);
    for (uint32_t i = 0; show.leads && i < show.group.count; i++)
        free(show.leads[i].events);
    free(show.leads);
    free(show.links);
    intern_close(&show.group);
    intern_close(&show.linked);
    return err_exit_code(code);
}

static const struct option_spec options[] = {
    {"tenant", OPTION_TEXT, "NAME", "needed when there are several", "有多个租户时必填"},
    {0},
};

const struct command cmd_show_lead = {
    .name = "show lead",
    .args_help = "ID",
    .summary = "one lead: its path through the stages, owners, and events",
    .summary_zh = "一条线索：阶段轨迹、负责人和事件",
    .details =
        "Reads the ledger and folds this lead, together with those that merges join to it: entries, exits with their\n"
        "class, transfers between owners and nodes, violations, and the events behind them.",
    .example = "paceline show lead L0000001 --tenant demo",
    .args_min = 1,
    .args_max = 1,
    .options = options,
    .run = run,
};
