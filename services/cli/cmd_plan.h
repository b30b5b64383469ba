/* cmd_plan.h -- what `plan check`, `diff`, `apply` and `show` share: a tenant's present plan as its ledger has it, and
 * the words for a change. Used by the cmd_plan*.c files only. */
#ifndef CLI_CMD_PLAN_H
#define CLI_CMD_PLAN_H

#include "client.h"
#include "plan_file.h"

/* The ledger of the tenant's shard, read to the end that it had when opened. */
struct plan_present {
    struct client *client;
    struct client_ledger ledger;
    struct plan *plan;
    struct slice tenant;
    uint64_t records;  /* plan records of the tenant */
    uint64_t last_seq; /* of the newest of them */
    uint64_t rejected; /* plan records of the tenant that the ledger refused */
    /* Called with every plan record of the tenant; may be NULL. */
    void (*on_plan)(void *context, const struct ledger_record *record, const struct event *event);
    void *context;
    enum err_code code;
    bool open;
};
enum err_code plan_present_open(struct plan_present *present, struct client *client, struct slice tenant);
/* Reads on, what is there now; *got: there was something. */
enum err_code plan_present_read(struct plan_present *present, bool *got);
void plan_present_close(struct plan_present *present);

/* Name of the tenant: --tenant, else the file's tenant item; empty and a usage error if neither says it. The text is
 * put into `out`. */
int plan_tenant_name(struct cli *cli, const char *path, struct buf *out);

/* One line of a change: "+ node t1", "~ target x", "- rule y", or an object with --json. */
void plan_print_change(struct cli *cli, const struct plan_change_event *change);
/* Prints findings to stderr; the exit code of a bad file. */
int plan_fail_findings(struct cli *cli, const char *path, struct findings *findings);

extern const char plan_tenant_help[], plan_tenant_help_zh[];

#endif
