/* cmd_show_funnel.c -- `paceline show funnel`: the rows of formats 5 from the view, as a table, JSON or CSV. */
#include <stdio.h>
#include <stdlib.h>

#include "base/time_text.h"
#include "client.h"
#include "cmd_show_view.h"
#include "figures/figures.h"
#include "time/zone.h"

enum form { FORM_TABLE, FORM_JSON, FORM_CSV };

struct show {
    struct cli *cli;
    struct client client;
    struct figures *figures;
    struct slice tenant;
    int64_t now_ms; /* T of the head */
    struct buf tenants, out;
    enum form form;
    uint64_t rows;
    char pipeline[256]; /* the one whose table is printed */
};

/* ---- dates of a range, in the tenant's zone */

/* "2011-10" or "2011-10-05"; of a month that ends a range its whole is meant. */
static bool parse_day(struct slice text, bool end, int32_t *day)
{
    char date[16];
    int32_t y, m, d;
    if (date_parse(text, day))
        return true;
    if (text.n != 7)
        return false;
    (void)snprintf(date, sizeof date, "%.*s-01", SLICE_ARG(text));
    if (!date_parse(slice_of(date), day))
        return false;
    date_to_civil(*day, &y, &m, &d);
    if (end)
        *day = m == 12 ? date_from_civil(y + 1, 1, 1) : date_from_civil(y, m + 1, 1);
    return true;
}

static enum err_code read_bound(struct show *show, const char *option, bool end, int64_t *at_ms)
{
    const char *text = cli_option(show->cli, option);
    int32_t day;
    if (!text)
        return OK;
    if (instant_or_ms_parse(slice_of(text), at_ms))
        return OK;
    if (!parse_day(slice_of(text), end, &day))
        return err_set(&show->cli->err, ERR_USAGE, "--%s %s: expected a month, a date or an instant", option, text);
    *at_ms = zone_day_start_ms(figures_zone(show->figures), day);
    return OK;
}

static enum err_code read_query(struct show *show, struct figures_query *query)
{
    struct cli *cli = show->cli;
    const char *window = cli_option(cli, "window");
    enum figures_window number;
    *query =
        (struct figures_query){.window = -1, .all = cli_flag(cli, "all"), .from_ms = INT64_MIN, .to_ms = INT64_MAX};
    query->org = slice_of(cli_option(cli, "org"));
    query->pipeline = slice_of(cli_option(cli, "pipeline"));
    query->metric = slice_of(cli_option(cli, "metric"));
    query->dim = slice_of(cli_option(cli, "dim"));
    if (!query->all && !query->dim.p)
        query->dim = SLICE("all");
    if (!query->all && !query->org.p)
        query->org = figures_root(show->figures);
    if (window && !figures_window_of(slice_of(window), &number))
        return err_set(&cli->err, ERR_USAGE, "--window %s: expected r1h r24h r7d r30d r90d day week month total or now",
                       window);
    if (window)
        query->window = (int)number;
    query->has_range = cli_option(cli, "from") || cli_option(cli, "to");
    enum err_code code = read_bound(show, "from", false, &query->from_ms);
    return code == OK ? read_bound(show, "to", true, &query->to_ms) : code;
}

/* ---- reading the view */

static void on_cell(void *context, struct slice row, struct slice field, struct slice value)
{
    struct show *show = context;
    figures_cell(show->figures, row, field, value);
}

static enum err_code read_view(struct show *show)
{
    struct view_head head;
    const char *org = cli_option(show->cli, "org");
    enum err_code code = show_view_tenant(&show->client, "funnel", &show->tenants, &show->tenant);
    if (code == OK)
        code = show_view_read(&show->client, "funnel", show->tenant, cli_flag(show->cli, "all") ? NULL : org, &head,
                              on_cell, show);
    if (code != OK)
        return code;
    figures_as_of(show->figures, show->tenant, head.tenant_seq, head.time_ms);
    show->now_ms = head.time_ms;
    if (!figures_has_tenant(show->figures))
        return err_set(&show->cli->err, ERR_FINDING,
                       "tenant %.*s has events but no plan yet: `paceline plan apply plan.yaml` gives it zone, org and "
                       "stages, and its figures appear",
                       SLICE_ARG(show->tenant));
    return OK;
}

/* ---- printing */

static void on_row(void *context, const struct figure_row *row)
{
    struct show *show = context;
    show->rows++;
    if (show->form == FORM_CSV)
        figure_row_write_csv(row, &show->out);
    else {
        figure_row_write_json(row, &show->out);
        buf_add_byte(&show->out, '\n');
    }
    if (show->out.n < 1 << 20)
        return;
    (void)fwrite(show->out.p, 1, show->out.n, stdout);
    buf_clear(&show->out);
}

/* `default` if there is one, else the first by name. */
static void note_pipeline(void *context, const struct figure_row *row)
{
    struct show *show = context;
    bool better = !show->pipeline[0] || slice_is(row->pipeline, "default");
    if (row->pipeline.n && better && row->pipeline.n < sizeof show->pipeline) {
        memcpy(show->pipeline, row->pipeline.p, row->pipeline.n);
        show->pipeline[row->pipeline.n] = '\0';
    }
}

static void print_table(struct show *show, const struct figures_query *query)
{
    struct cli *cli = show->cli;
    struct figures_query first = {.org = query->org, .window = FIGURES_total, .dim = SLICE("all")};
    struct slice pipeline = query->pipeline;
    if (!pipeline.p) {
        figures_each(show->figures, &first, note_pipeline, show);
        pipeline = slice_of(show->pipeline);
    }
    enum figures_window window = query->window < 0 ? FIGURES_r30d : (enum figures_window)query->window;
    char now[INSTANT_TEXT_BYTES];
    (void)instant_print(show->now_ms, now);
    buf_addf(&show->out, cli->zh ? "%.*s · %.*s · %.*s · %s · 截至 %s\n" : "%.*s · %.*s · %.*s · %s · as of %s\n",
             SLICE_ARG(show->tenant), SLICE_ARG(query->org), SLICE_ARG(pipeline),
             query->window < 0 ? "r30d" : cli_option(cli, "window"), now);
    figures_funnel_table(show->figures, query->org, pipeline, window, cli->zh, cli->tty, &show->out);
}

static void count_row(void *context, const struct figure_row *row)
{
    (void)row;
    ++*(uint64_t *)context;
}

/* A filter that selects nothing at all is a slip of the pen: an org, pipeline, dimension or metric that is not there.
 */
static enum err_code check_filters(struct show *show, const struct figures_query *query)
{
    const struct {
        const char *option;
        struct figures_query query;
    } filters[] = {{"org", {.window = -1, .org = query->org}},
                   {"pipeline", {.window = -1, .pipeline = query->pipeline}},
                   {"dim", {.window = -1, .dim = query->dim}},
                   {"metric", {.window = -1, .metric = query->metric}}};
    for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++) {
        const char *value = cli_option(show->cli, filters[i].option);
        uint64_t rows = 0;
        if (value)
            figures_each(show->figures, &filters[i].query, count_row, &rows);
        if (value && !rows)
            return err_set(&show->cli->err, ERR_FINDING, "no figure has --%s %s", filters[i].option, value);
    }
    return OK;
}

static bool has_zh_locale(const struct cli *cli) { return cli->zh; }

static enum err_code print_all(struct show *show)
{
    struct figures_query query;
    enum err_code code = read_query(show, &query);
    if (code == OK)
        code = check_filters(show, &query);
    if (code != OK)
        return code;
    show->form = show->cli->json ? FORM_JSON : cli_flag(show->cli, "csv") ? FORM_CSV : FORM_TABLE;
    if (show->form == FORM_TABLE)
        print_table(show, &query);
    else {
        if (show->form == FORM_CSV && (cli_flag(show->cli, "bom") || has_zh_locale(show->cli)))
            buf_add_text(&show->out, "\xef\xbb\xbf");
        if (show->form == FORM_CSV)
            figure_row_write_csv_head(&show->out);
        figures_each(show->figures, &query, on_row, show);
    }
    (void)fwrite(show->out.p, 1, show->out.n, stdout);
    return OK;
}

static int run(struct cli *cli)
{
    struct show show = {.cli = cli, .tenant = slice_of(cli_option(cli, "tenant"))};
    show.figures = figures_new();
    enum err_code code = client_open(&show.client, cli);
    if (code == OK)
        code = client_view(&show.client);
    if (code == OK)
        code = read_view(&show);
    if (code == OK)
        code = print_all(&show);
    client_close(&show.client);
    figures_destroy(&show.figures);
    buf_close(&show.tenants);
    buf_close(&show.out);
    return err_exit_code(code);
}

/* clang-format off */
static const struct option_spec options[] = {
    {"tenant", OPTION_TEXT, "NAME", "needed when there are several", "有多个租户时必填"},
    {"org", OPTION_TEXT, "NODE", "a node, rep:ID or unassigned (default: the root)", "组织节点、rep:ID 或 unassigned（默认根节点）"},
    {"pipeline", OPTION_TEXT, "ID", "one pipeline", "只看该流程"},
    {"window", OPTION_TEXT, "W", "r1h r24h r7d r30d (default of the table) r90d day week month total now", "时间窗口，表格默认 r30d"},
    {"from", OPTION_TEXT, "WHEN", "with --window: from this month, date or instant", "起始月份、日期或时刻"},
    {"to", OPTION_TEXT, "WHEN", "to this month, its end included, or before this date or instant", "截止月份（含）或日期、时刻（不含）"},
    {"metric", OPTION_TEXT, "NAME", "one metric", "只看该指标"},
    {"dim", OPTION_TEXT, "NAME", "all, source_channel or owner_tier", "维度"},
    {"all", OPTION_FLAG, NULL, "every org, dimension and retained window", "全部组织、维度和保留的窗口"},
    {"csv", OPTION_FLAG, NULL, "RFC 4180 with the columns of --json", "以 CSV 输出"},
    {"bom", OPTION_FLAG, NULL, "with --csv: a byte order mark, for Excel (default with --zh)", "CSV 带 BOM，供 Excel（中文默认）"},
    {0},
};
/* clang-format on */

const struct command cmd_show_funnel = {
    .name = "show funnel",
    .args_help = "",
    .summary = "the sales funnel: entries, exits, conversion, dwell, occupancy",
    .summary_zh = "销售漏斗：进入、离开、转化率、停留、在手",
    .details =
        "A table for people; with --json or --csv one row a figure (formats: `paceline help`). Three conversions are\n"
        "told apart: of those who left, of those who came, and flow, which may exceed 100%.",
    .example = "paceline show funnel --window month --dir demo",
    .args_max = 0,
    .options = options,
    .run = run,
};
