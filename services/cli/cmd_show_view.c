/* cmd_show_view.c -- see cmd_show_view.h. */
#include "cmd_show_view.h"

#include <stdlib.h>

#include "figures/cell_text.h"

enum { LISTED_BYTES_MAX = 300 };

enum err_code show_view_tenant(struct client *client, const char *machine, struct buf *names, struct slice *tenant)
{
    size_t count;
    struct err *err = &client->cli->err;
    if (tenant->n)
        return OK;
    enum err_code code = view_tenants(client->view, slice_of(machine), names, &count, err);
    if (code != OK)
        return client->cli->err.code = code;
    if (count == 1) {
        *tenant = slice_of(buf_cstr(names));
        return OK;
    }
    if (count == 0)
        return err_set(err, ERR_FINDING,
                       "no tenant has figures yet: is `paceline run` running, and did events arrive?");
    char list[LISTED_BYTES_MAX] = "";
    size_t used = 0;
    for (const char *p = (const char *)names->p, *end = p + names->n; p < end; p += strlen(p) + 1) {
        size_t n = strlen(p);
        if (used + n + 2 >= sizeof list)
            break;
        memcpy(list + used, p, n);
        list[used + n] = ' ';
        used += n + 1;
    }
    return err_set(err, ERR_USAGE, "several tenants: say which one with --tenant (%s)", list);
}

struct reading {
    const struct slice *rows;
    show_on_cell *on_cell;
    void *context;
};

static void on_field(void *context, size_t row, struct slice field, struct slice value)
{
    struct reading *in = context;
    in->on_cell(in->context, in->rows[row], field, value);
}

static bool is_asked_for(struct slice row, const char *org)
{
    if (!org || slice_is(row, CELL_TEXT_META_ROW))
        return true;
    size_t n = strlen(org);
    return row.n > n && row.p[row.n - n - 1] == '/' && memcmp(row.p + row.n - n, org, n) == 0;
}

enum err_code show_view_read(struct client *client, const char *machine, struct slice tenant, const char *org,
                             struct view_head *head, show_on_cell *on_cell, void *context)
{
    struct view_scope scope = {slice_of(machine), tenant};
    struct buf names = {0};
    size_t count = 0, used = 0;
    struct err *err = &client->cli->err;
    enum err_code code = view_rows(client->view, scope, head, &names, &count, err);
    struct slice *rows = calloc(count + 1, sizeof *rows);
    if (!rows)
        abort();
    if (code == OK) {
        for (const char *p = (const char *)names.p, *end = p + names.n; p < end && used < count; p += strlen(p) + 1)
            if (is_asked_for(slice_of(p), org))
                rows[used++] = slice_of(p);
        struct reading reading = {rows, on_cell, context};
        code = view_read(client->view, scope, rows, used, head, on_field, &reading, err);
    }
    free(rows);
    buf_close(&names);
    if (code == ERR_MISSING)
        return err_set(err, ERR_FINDING, "no figures of tenant %.*s: did its events arrive (`paceline tail`)?",
                       SLICE_ARG(tenant));
    return code == OK ? OK : (client->cli->err.code = code);
}
