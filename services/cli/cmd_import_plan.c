/* cmd_import_plan.c -- the plan section of a mapping: its items as plan records, zones resolved, before all events. */
#include <stdio.h>

#include "cmd_import.h"
#include "plan_file.h"

struct lines {
    struct import *import;
    const char *path;
    uint64_t count;
    enum err_code code;
    struct buf text;
};

/* As history says it, not when this import ran: the same mapping imported again gives the same bodies, hence
 * duplicates. The door takes no instant before 1990 and none of tomorrow. */
static int64_t said_at(const struct import *import, const struct event *event)
{
    const int64_t first_ms = INT64_C(631152000000); /* 1990-01-01 */
    int64_t at_ms = event->v[PLAN_VALID_FROM].i;
    return at_ms < first_ms ? first_ms : at_ms > import->now_ms ? import->now_ms : at_ms;
}

static void on_change(void *context, const struct plan_change_event *change)
{
    struct lines *lines = context;
    struct event event = *change->event;
    if (lines->code != OK)
        return;
    event_set_int(&event, EV_OCCURRED_AT, said_at(lines->import, &event));
    buf_clear(&lines->text);
    event_write_json(lines->import->codec, &event, &lines->text);
    lines->code = import_add_line(lines->import, buf_slice(&lines->text), lines->path, ++lines->count);
}

enum err_code import_add_plan(struct import *import, const char *path, struct slice text)
{
    struct findings findings;
    struct plan_file file;
    char name[512];
    struct lines lines = {.import = import, .path = path};
    findings_init(&findings);
    (void)snprintf(name, sizeof name, "%s (plan)", path);
    enum err_code code = plan_file_parse(&file, name, text, import->tenant, NULL, &findings);
    if (code == OK) {
        (void)plan_file_changes(&file, import->now_ms, "import", -1, on_change, &lines);
        code = lines.code;
    } else {
        findings_print(&findings, stderr);
        code = findings_to_err(&findings, &import->cli->err);
    }
    plan_file_close(&file);
    findings_close(&findings);
    buf_close(&lines.text);
    return code;
}
