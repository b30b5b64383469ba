/* cmd_import.h -- the parts of `paceline import`: the lines of an input, their order, their way, and what became of
 * them. Used by the cmd_import*.c files only. */
#ifndef CLI_CMD_IMPORT_H
#define CLI_CMD_IMPORT_H

#include "base/intern.h"
#include "base/progress.h"
#include "client.h"
#include "mapping.h"

enum { IMPORT_LINES_MAX = 100000000, IMPORT_FILES_MAX = 4096, IMPORT_RUN_BYTES = 24 };

/* One record to be written. */
struct import_line {
    struct slice bytes;
    uint32_t file; /* number in import.files */
    uint64_t line;
    uint8_t type;    /* enum event_type; EVENT_TYPE_NONE: cannot be read */
    bool good;       /* its form is right: it has a place in the order */
    uint32_t tenant; /* number in import.tenants */
    int64_t at_ms;   /* order: recorded_at else occurred_at; of plan items valid_from */
    int64_t source_seq;
    struct slice id;              /* event_id; of plan items kind and id */
    uint64_t body_low, body_high; /* identity check of a dry run */
};

struct import_counts {
    uint64_t read, accepted, duplicate, rejected;
    uint64_t reasons[REJECT_REASON_COUNT];
    uint64_t failed_rows; /* of a mapping; part of rejected */
    uint64_t by_type[EVENT_TYPE_COUNT];
    int64_t first_ms, last_ms; /* occurred_at */
    bool any;
};

struct import {
    struct cli *cli;
    struct event_codec *codec;
    bool as_lived, dry_run, then_live, wait;
    struct slice as_tenant, tenant;
    int64_t now_ms;
    char run[IMPORT_RUN_BYTES]; /* id of a run as lived */
    struct import_file {
        char *path;
        char *bytes;
        size_t size;
        bool mapped;
    } files[IMPORT_FILES_MAX];
    uint32_t file_count;
    struct intern tenants;
    struct import_line *lines;
    size_t count, cap;
    struct buf scratch;
    struct buf **copies; /* rewritten lines and what mappings made */
    size_t copy_count;
    struct import_counts counts;
    uint64_t rows, skipped_rows; /* of the CSV files of a mapping */
    struct progress progress;
};

/* cmd_import_read.c */
enum err_code import_read_ndjson(struct import *import, const char *path);
enum err_code import_read_mapping(struct import *import, const char *mapping, const char *const *files, int count);
void import_sort(struct import *import);    /* as lived: rulings O1, O3, O31 */
void import_dry_run(struct import *import); /* counts and reasons, by the door and by identity */
void import_report(struct import *import, const char *file, uint64_t line, const char *reason, const char *text);
void import_close(struct import *import);

/* Adds one line whose bytes are copied. */
enum err_code import_add_line(struct import *import, struct slice bytes, const char *path, uint64_t number);
/* cmd_import_plan.c: the items of a plan file as lines, with zones resolved. */
enum err_code import_add_plan(struct import *import, const char *path, struct slice text);

/* cmd_import_send.c */
struct import_sent {    /* what this import wrote, by source and shard: offsets, ascending */
    struct buf offsets; /* i64 */
    uint64_t seen;      /* disposed of so far */
    int64_t begin, end;
};
enum err_code import_send(struct import *import, struct client *client, struct import_sent *sent);
/* cmd_import_begin.c: waits for the ledger's answer to the begin of every tenant's run. ERR_FINDING: another run is
 * going on, nothing may be sent into it. Without an answer in time it returns OK: the ledger may take it in later. */
enum err_code import_begin_wait(struct import *import, struct client *client);
/* cmd_import_wait.c: follows the ledger until everything of this import has an answer; fills the counts. */
enum err_code import_wait(struct import *import, struct client *client, struct import_sent *sent);

/* A control record as canonical JSON: begin or end of a run, or live (`run` then only names the record). */
void import_control_line(struct slice tenant, const char *run, const char *control, int64_t at_ms, bool then_live,
                         struct buf *out);
/* Sends one and waits for the ledger's answer; exit code, 1 if it was refused. `what` stands for the file in reports.
 */
int import_run_control(struct cli *cli, const char *what, struct slice tenant, const char *run, const char *control);
/* Any control, as canonical JSON, the same way. */
int import_run_control_line(struct cli *cli, const char *what, struct slice line);

#endif
