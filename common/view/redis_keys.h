/* redis_keys.h -- names of keys and the text of a head. All keys of a tenant share the hash tag {TENANT}.
 * SPACE keeps apart what several installations have in one Redis: the prefix of their topics, empty for the first. */
#ifndef VIEW_REDIS_KEYS_H
#define VIEW_REDIS_KEYS_H

#include "base/buf.h"
#include "view/view.h"

/* Each clears `key` and fills it. */
void key_head(struct buf *key, const char *space, struct view_scope scope); /* pl:SPACE{TENANT}:MACHINE:head */
void key_rows(struct buf *key, const char *space, struct view_scope scope,
              uint64_t generation); /* pl:SPACE{TENANT}:MACHINE:G */
void key_row(struct buf *key, const char *space, struct view_scope scope, uint64_t generation, struct slice row);
void key_tenants(struct buf *key, const char *space, struct slice machine); /* pl:SPACEtenants:MACHINE */
void key_status(struct buf *key, const char *space, struct slice name);     /* pl:SPACEstatus:NAME */

/* "generation branch epoch seq tenant_seq time_ms", decimal. */
void head_write(struct buf *text, const struct view_head *head);
bool head_read(struct slice text, struct view_head *head);

#endif
