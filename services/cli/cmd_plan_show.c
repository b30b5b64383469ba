/* cmd_plan_show.c -- `paceline plan show`: the items of a tenant's plan, as its ledger has them. */
#include <stdio.h>

#include "base/json_write.h"
#include "cmd_plan.h"
#include "model/plan_schema.h"
#include "model/plan_value.h"

static void print_json(const struct plan_item *item, bool in_force)
{
    char from[PLAN_INSTANT_BYTES];
    struct buf line;
    buf_init(&line);
    plan_format_instant(item->valid_from_ms, from);
    struct json_writer json = json_writer_of(&line);
    json_object_begin(&json);
    json_key_text(&json, "kind", slice_of(plan_kinds[item->kind].name));
    json_key_text(&json, "id", item->id);
    json_key_text(&json, "valid_from", slice_of(from));
    json_key_bool(&json, "ended", item->ended);
    json_key_bool(&json, "org_invalid", !in_force);
    json_key_text(&json, "reason", item->reason);
    json_key_text(&json, "approver", item->approver);
    json_key_int(&json, "tenant_seq", (int64_t)item->tenant_seq);
    json_key(&json, "spec");
    if (item->spec.n)
        json_raw(&json, item->spec);
    else
        json_null(&json);
    json_object_end(&json);
    printf("%s\n", buf_cstr(&line));
    buf_close(&line);
}

static void print_text(const struct plan_item *item, bool in_force)
{
    char from[PLAN_INSTANT_BYTES];
    plan_format_instant(item->valid_from_ms, from);
    printf("%-11s  %s  %.*s%s%s  %.*s\n", plan_kinds[item->kind].name, from, SLICE_ARG(item->id),
           item->ended ? "  ended" : "", in_force ? "" : "  org_invalid", SLICE_ARG(item->spec));
}

static void print_items(struct cli *cli, const struct plan *plan)
{
    bool used, in_force;
    for (int kind = 0; kind < PLAN_KINDS; kind++)
        for (uint32_t i = 0; i < plan_item_count(plan); i++) {
            const struct plan_item *item = plan_item_at(plan, i, &used, &in_force);
            if (item->kind != kind || !used)
                continue;
            if (cli->json)
                print_json(item, in_force);
            else
                print_text(item, in_force);
        }
}

static int run(struct cli *cli)
{
    struct client client = {0};
    struct plan_present present = {0};
    struct buf tenant;
    buf_init(&tenant);
    int exit_code = plan_tenant_name(cli, NULL, &tenant);
    if (!exit_code) {
        enum err_code code = client_open(&client, cli);
        if (code == OK)
            code = plan_present_open(&present, &client, buf_slice(&tenant));
        if (code == OK)
            print_items(cli, present.plan);
        else
            exit_code = err_exit_code(cli->err.code = code);
        plan_present_close(&present);
        client_close(&client);
    }
    buf_close(&tenant);
    return exit_code;
}

static const struct option_spec options[] = {
    {"tenant", OPTION_TEXT, "NAME", "whose plan", "哪个租户"},
    {NULL, OPTION_FLAG, NULL, NULL, NULL},
};

const struct command cmd_plan_show = {
    .name = "plan show",
    .args_help = "",
    .summary = "list the items of a tenant's plan",
    .summary_zh = "列出租户计划的各项",
    .details = "Every version that counts, with its date; org_invalid marks what contradicts other items and is not in "
               "force.",
    .example = "paceline plan show --tenant acme",
    .args_max = 0,
    .options = options,
    .run = run,
};
