/* redis_step.h -- the pieces that every operation of the Redis view is made of: commands on our keys, the generations
 * that this handle fills, and one step WATCH .. MULTI .. EXEC. Internal to view/. */
#ifndef VIEW_REDIS_STEP_H
#define VIEW_REDIS_STEP_H

#include "view/redis_client.h"
#include "view/redis_keys.h"
#include "view/view_impl.h"

enum { TOKEN_TEXT_BYTES = 24 };

/* A generation that this handle fills. */
struct filling {
    struct buf head_key; /* names the scope */
    uint64_t generation;
    char token[TOKEN_TEXT_BYTES];
};

struct view_redis {
    struct view base;
    struct redis_client client;
    char space[VIEW_SPACE_BYTES_MAX + 1]; /* put before every key */
    struct buf key, text;
    struct filling *fillings;
    size_t filling_count;
};

/* Generations that are being filled. find: NULL = not by us. */
struct filling *filling_find(struct view_redis *view, struct view_scope scope, uint64_t generation);
struct filling *filling_add(struct view_redis *view, struct view_scope scope, uint64_t generation);
void filling_forget(struct view_redis *view, struct view_scope scope, uint64_t generation);
/* One of this scope that we began to fill; 0: none. */
uint64_t filling_given_up(struct view_redis *view, struct view_scope scope);

/* Commands: without words; with view->key as their only word. */
void step_command(struct view_redis *view, const char *name);
void step_command_key(struct view_redis *view, const char *name);
void step_token_key(struct view_redis *view, struct view_scope scope, uint64_t generation); /* into view->key */
void step_add_cells(struct view_redis *view, struct view_scope scope, uint64_t generation,
                    const struct view_cell *cells, size_t count);

void step_head_of(const redisReply *reply, struct view_head *head);
enum err_code step_read_head(struct view_redis *view, struct view_head *head, struct err *err);

/* WATCHes head and token of a generation and reads both. Then either unwatch (always ERR_MOVED, with the reason), or
 * MULTI, what is to be done, and step_exec, which adds EXEC, sends, and reads everything. *result (may be NULL) gets
 * EXEC's array. */
enum err_code step_watch(struct view_redis *view, struct view_scope scope, uint64_t generation, struct view_head *head,
                         char token[TOKEN_TEXT_BYTES], struct err *err);
enum err_code step_unwatch(struct view_redis *view, const char *why, struct err *err);
enum err_code step_exec(struct view_redis *view, redisReply **result, struct err *err);

#endif
