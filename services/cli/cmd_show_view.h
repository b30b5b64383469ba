/* cmd_show_view.h -- one tenant's cells from the view, head and rows of one instant. */
#ifndef CLI_CMD_SHOW_VIEW_H
#define CLI_CMD_SHOW_VIEW_H

#include "client.h"

/* Fills *tenant when it is empty and the machine knows exactly one; ERR_USAGE lists them otherwise. `names` keeps it.
 */
enum err_code show_view_tenant(struct client *client, const char *machine, struct buf *names, struct slice *tenant);

/* Every field of every row; with `org` only the rows of this org, and `meta`. */
typedef void show_on_cell(void *context, struct slice row, struct slice field, struct slice value);
enum err_code show_view_read(struct client *client, const char *machine, struct slice tenant, const char *org,
                             struct view_head *head, show_on_cell *on_cell, void *context);

#endif
