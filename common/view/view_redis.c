/* view_redis.c -- the view in Redis, without scripts: WATCH the head, compare here, MULTI .. EXEC.
 *
 * One commit is one transaction: it is applied whole, or refused before its first write (another head, out of memory),
 * or its outcome is unknown (the connection broke) and reading the head tells. A generation that is being filled
 * carries a token of its writer (the key of its empty row): whoever starts to fill it takes it over and empties it, and
 * only the holder of the token can fill on or flip the head to it. So two writers never mix rows, and what a crash left
 * is reused. */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fault.h"
#include "view/redis_step.h"

enum { FILL_CELLS_MAX = 1000, DROP_ROWS_MAX = 200, READ_TRIES_MAX = 16 };

static struct view_redis *redis_of(struct view *view) { return (struct view_redis *)view; }

static void redis_destroy(struct view *base)
{
    struct view_redis *view = redis_of(base);
    redis_client_close(&view->client);
    for (size_t i = 0; i < view->filling_count; i++)
        buf_close(&view->fillings[i].head_key);
    free(view->fillings);
    buf_close(&view->key);
    buf_close(&view->text);
    free(view);
}

static enum err_code redis_head(struct view *base, struct view_scope scope, struct view_head *head, struct err *err)
{
    struct view_redis *view = redis_of(base);
    key_head(&view->key, view->space, scope);
    step_command_key(view, "GET");
    enum err_code code = redis_send(&view->client, err);
    return code ? code : step_read_head(view, head, err);
}

/* Part of a step failed for a reason that lies in the keys: take away the head that would vouch for it. */
static void disown(struct view_redis *view, struct view_scope scope)
{
    key_head(&view->key, view->space, scope);
    step_command_key(view, "DEL");
    if (!redis_send(&view->client, NULL))
        (void)redis_skip(&view->client, 1, NULL);
}

/* Tenants are found again by a set; it may know too many, never too few. */
static enum err_code remember_tenant(struct view_redis *view, struct view_scope scope, struct err *err)
{
    key_tenants(&view->key, view->space, scope.machine);
    redis_command(&view->client, 3);
    redis_text(&view->client, "SADD");
    redis_word(&view->client, buf_slice(&view->key));
    redis_word(&view->client, scope.tenant);
    enum err_code code = redis_send(&view->client, err);
    return code ? code : redis_skip(&view->client, 1, err);
}

static enum err_code redis_commit(struct view *base, struct view_scope scope, const struct view_head *expected,
                                  const struct view_head *next, const struct view_cell *cells, size_t count,
                                  struct err *err)
{
    struct view_redis *view = redis_of(base);
    bool flip = !expected->present || expected->generation != next->generation;
    struct view_head head;
    char token[TOKEN_TEXT_BYTES];
    FAULT_POINT("view.before_commit");
    enum err_code code = flip ? remember_tenant(view, scope, err) : OK;
    if (!code)
        code = step_watch(view, scope, next->generation, &head, token, err);
    if (code)
        return code;
    if (!view_head_eq(&head, expected))
        return step_unwatch(view, "another head is there", err);
    const struct filling *filling = flip ? filling_find(view, scope, next->generation) : NULL;
    if (flip && strcmp(token, filling ? filling->token : "") != 0) {
        filling_forget(view, scope, next->generation);
        return step_unwatch(view, "the generation was taken over by another writer", err);
    }
    step_command(view, "MULTI");
    step_add_cells(view, scope, next->generation, cells, count);
    key_head(&view->key, view->space, scope);
    head_write(&view->text, next);
    redis_command(&view->client, 3);
    redis_text(&view->client, "SET");
    redis_word(&view->client, buf_slice(&view->key));
    redis_word(&view->client, buf_slice(&view->text));
    if (flip) {
        step_token_key(view, scope, next->generation);
        step_command_key(view, "DEL");
    }
    code = step_exec(view, NULL, err);
    if (code == ERR_CONFIG)
        disown(view, scope);
    if (code)
        return code;
    if (flip)
        filling_forget(view, scope, next->generation);
    FAULT_POINT("view.after_commit");
    return OK;
}

/* --- generations --- */

static void add_members(struct view_redis *view, const redisReply *rows)
{
    for (size_t i = 0; i < rows->elements; i++)
        redis_word(&view->client, redis_slice(rows->element[i]));
}

/* Rows and their names in one step; *more: some are left. */
static enum err_code drop_rows(struct view_redis *view, struct view_scope scope, uint64_t generation,
                               const redisReply *rows, bool *more, struct err *err)
{
    step_command(view, "MULTI");
    redis_command(&view->client, 1 + rows->elements);
    redis_text(&view->client, "UNLINK");
    for (size_t i = 0; i < rows->elements; i++) {
        key_row(&view->key, view->space, scope, generation, redis_slice(rows->element[i]));
        redis_word(&view->client, buf_slice(&view->key));
    }
    key_rows(&view->key, view->space, scope, generation);
    redis_command(&view->client, 2 + rows->elements);
    redis_text(&view->client, "SREM");
    redis_word(&view->client, buf_slice(&view->key));
    add_members(view, rows);
    step_command_key(view, "SCARD");
    redisReply *reply = NULL;
    enum err_code code = step_exec(view, &reply, err);
    if (code)
        return code;
    *more = reply->elements == 3 && reply->element[2]->integer > 0;
    freeReplyObject(reply);
    return OK;
}

static enum err_code drop_some(struct view_redis *view, struct view_scope scope, uint64_t generation, bool *more,
                               struct err *err)
{
    char count[16];
    (void)snprintf(count, sizeof count, "%d", DROP_ROWS_MAX);
    *more = false;
    key_rows(&view->key, view->space, scope, generation);
    redis_command(&view->client, 3);
    redis_text(&view->client, "SRANDMEMBER");
    redis_word(&view->client, buf_slice(&view->key));
    redis_text(&view->client, count);
    redisReply *rows = NULL;
    enum err_code code = redis_send(&view->client, err);
    if (!code)
        code = redis_reply(&view->client, &rows, err);
    if (!code && rows->type == REDIS_REPLY_ARRAY && rows->elements > 0)
        code = drop_rows(view, scope, generation, rows, more, err);
    if (rows)
        freeReplyObject(rows);
    return code;
}

static enum err_code not_in_use(struct view_redis *view, struct view_scope scope, uint64_t generation, struct err *err)
{
    struct view_head head = {0};
    enum err_code code = redis_head(&view->base, scope, &head, err);
    if (!code && head.present && head.generation == generation)
        code = err_set(err, ERR_MOVED, "view: generation %llu is in use", (unsigned long long)generation);
    return code;
}

static enum err_code redis_drop(struct view *base, struct view_scope scope, uint64_t generation, bool *more,
                                struct err *err)
{
    struct view_redis *view = redis_of(base);
    enum err_code code = not_in_use(view, scope, generation, err);
    if (code)
        return code;
    filling_forget(view, scope, generation);
    step_token_key(view, scope, generation);
    step_command_key(view, "DEL"); /* first, so that nobody flips to what is half gone */
    code = redis_send(&view->client, err);
    if (!code)
        code = redis_skip(&view->client, 1, err);
    return code ? code : drop_some(view, scope, generation, more, err);
}

/* Removes what we gave up, unless a commit of unknown outcome has put it in use. */
static enum err_code clear_given_up(struct view_redis *view, struct view_scope scope, struct err *err)
{
    uint64_t old = filling_given_up(view, scope);
    enum err_code code = OK;
    for (bool more = old > 0; more && !code;)
        code = redis_drop(&view->base, scope, old, &more, err);
    if (code == ERR_MOVED) {
        filling_forget(view, scope, old);
        code = OK;
    }
    return code;
}

/* Takes the generation over: our token, and nothing of anybody else in it. */
static enum err_code filling_begin(struct view_redis *view, struct view_scope scope, uint64_t generation,
                                   struct err *err)
{
    enum err_code code = clear_given_up(view, scope, err);
    if (!code)
        code = not_in_use(view, scope, generation, err);
    if (code)
        return code;
    const struct filling *filling = filling_add(view, scope, generation);
    step_token_key(view, scope, generation);
    redis_command(&view->client, 3);
    redis_text(&view->client, "SET");
    redis_word(&view->client, buf_slice(&view->key));
    redis_text(&view->client, filling->token);
    code = redis_send(&view->client, err);
    if (!code)
        code = redis_skip(&view->client, 1, err);
    for (bool more = true; more && !code;)
        code = drop_some(view, scope, generation, &more, err);
    if (code)
        filling_forget(view, scope, generation);
    return code;
}

static enum err_code fill_some(struct view_redis *view, struct view_scope scope, uint64_t generation,
                               const struct view_cell *cells, size_t count, struct err *err)
{
    struct view_head head;
    char token[TOKEN_TEXT_BYTES];
    enum err_code code = step_watch(view, scope, generation, &head, token, err);
    if (code)
        return code;
    const struct filling *filling = filling_find(view, scope, generation);
    assert(filling);
    if (strcmp(token, filling->token) != 0) {
        filling_forget(view, scope, generation);
        return step_unwatch(view, "the generation was taken over by another writer, or lost", err);
    }
    step_command(view, "MULTI");
    step_add_cells(view, scope, generation, cells, count);
    return step_exec(view, NULL, err);
}

static enum err_code redis_fill(struct view *base, struct view_scope scope, uint64_t generation,
                                const struct view_cell *cells, size_t count, struct err *err)
{
    struct view_redis *view = redis_of(base);
    enum err_code code = filling_find(view, scope, generation) ? OK : filling_begin(view, scope, generation, err);
    for (size_t at = 0; at < count && !code; at += FILL_CELLS_MAX) {
        size_t n = count - at < FILL_CELLS_MAX ? count - at : FILL_CELLS_MAX;
        FAULT_POINT("view.before_fill");
        code = fill_some(view, scope, generation, cells + at, n, err);
    }
    return code;
}

/* --- reading --- */

/* MULTI, GET head, what `add` puts behind it, EXEC: until the head names the generation that was asked for. */
typedef void add_questions(struct view_redis *view, struct view_scope scope, uint64_t generation, const void *context);

static enum err_code read_step(struct view_redis *view, struct view_scope scope, add_questions *add,
                               const void *context, struct view_head *head, redisReply **result, struct err *err)
{
    enum err_code code = redis_head(&view->base, scope, head, err);
    for (int i = 0; i < READ_TRIES_MAX && !code && head->present; i++) {
        uint64_t generation = head->generation;
        step_command(view, "MULTI");
        key_head(&view->key, view->space, scope);
        step_command_key(view, "GET");
        add(view, scope, generation, context);
        code = step_exec(view, result, err);
        if (code)
            return code;
        step_head_of((*result)->element[0], head);
        if (head->present && head->generation == generation)
            return OK;
        freeReplyObject(*result);
        *result = NULL;
    }
    if (code)
        return code;
    return head->present ? err_set(err, ERR_UNAVAILABLE, "view: the generation moves too fast to be read")
                         : err_set(err, ERR_MISSING, "no figures of %.*s for tenant %.*s yet", SLICE_ARG(scope.machine),
                                   SLICE_ARG(scope.tenant));
}

struct row_list {
    const struct slice *rows;
    size_t count;
};

static void ask_rows(struct view_redis *view, struct view_scope scope, uint64_t generation, const void *context)
{
    const struct row_list *list = context;
    for (size_t i = 0; i < list->count; i++) {
        key_row(&view->key, view->space, scope, generation, list->rows[i]);
        step_command_key(view, "HGETALL");
    }
}

static void report(const redisReply *row, size_t index, view_on_cell *on_cell, void *context)
{
    for (size_t i = 0; row->type == REDIS_REPLY_ARRAY && i + 1 < row->elements; i += 2)
        on_cell(context, index, redis_slice(row->element[i]), redis_slice(row->element[i + 1]));
}

static enum err_code redis_read(struct view *base, struct view_scope scope, const struct slice *rows, size_t count,
                                struct view_head *head, view_on_cell *on_cell, void *context, struct err *err)
{
    const struct row_list list = {rows, count};
    redisReply *result = NULL;
    enum err_code code = read_step(redis_of(base), scope, ask_rows, &list, head, &result, err);
    if (code)
        return code;
    for (size_t i = 0; i < count && i + 1 < result->elements; i++)
        report(result->element[i + 1], i, on_cell, context);
    freeReplyObject(result);
    return OK;
}

static void ask_row_names(struct view_redis *view, struct view_scope scope, uint64_t generation, const void *context)
{
    (void)context;
    key_rows(&view->key, view->space, scope, generation);
    step_command_key(view, "SMEMBERS");
}

static void add_names(struct buf *out, const redisReply *names, size_t *count)
{
    for (size_t i = 0; names->type == REDIS_REPLY_ARRAY && i < names->elements; i++) {
        buf_add_slice(out, redis_slice(names->element[i]));
        buf_add_byte(out, 0);
        (*count)++;
    }
}

static enum err_code redis_rows(struct view *base, struct view_scope scope, struct view_head *head, struct buf *out,
                                size_t *count, struct err *err)
{
    redisReply *result = NULL;
    enum err_code code = read_step(redis_of(base), scope, ask_row_names, NULL, head, &result, err);
    if (code)
        return code;
    if (result->elements > 1)
        add_names(out, result->element[1], count);
    freeReplyObject(result);
    view_sort_names(out, *count);
    return OK;
}

/* Of the tenants that are known, those that have a head. */
static enum err_code with_head(struct view_redis *view, struct slice machine, const redisReply *known, struct buf *out,
                               size_t *count, struct err *err)
{
    for (size_t i = 0; i < known->elements; i++) {
        key_head(&view->key, view->space, (struct view_scope){machine, redis_slice(known->element[i])});
        step_command_key(view, "EXISTS");
    }
    enum err_code code = redis_send(&view->client, err);
    for (size_t i = 0; i < known->elements && !code; i++) {
        redisReply *reply;
        code = redis_reply(&view->client, &reply, err);
        if (code)
            return code;
        if (reply->integer == 1) {
            buf_add_slice(out, redis_slice(known->element[i]));
            buf_add_byte(out, 0);
            (*count)++;
        }
        freeReplyObject(reply);
    }
    return code;
}

static enum err_code redis_tenants(struct view *base, struct slice machine, struct buf *out, size_t *count,
                                   struct err *err)
{
    struct view_redis *view = redis_of(base);
    redisReply *known = NULL;
    key_tenants(&view->key, view->space, machine);
    step_command_key(view, "SMEMBERS");
    enum err_code code = redis_send(&view->client, err);
    if (!code)
        code = redis_reply(&view->client, &known, err);
    if (!code && known->type == REDIS_REPLY_ARRAY && known->elements > 0)
        code = with_head(view, machine, known, out, count, err);
    if (known)
        freeReplyObject(known);
    view_sort_names(out, code ? 0 : *count);
    return code;
}

/* --- status --- */

static enum err_code redis_status_put(struct view *base, struct slice name, const struct view_cell *fields,
                                      size_t count, struct err *err)
{
    struct view_redis *view = redis_of(base);
    size_t given = 0;
    for (size_t i = 0; i < count; i++)
        given += fields[i].value.n > 0;
    step_command(view, "MULTI");
    key_status(&view->key, view->space, name);
    step_command_key(view, "DEL");
    if (given) {
        redis_command(&view->client, 2 + 2 * given);
        redis_text(&view->client, "HSET");
        redis_word(&view->client, buf_slice(&view->key));
    }
    for (size_t i = 0; i < count; i++) {
        if (fields[i].value.n == 0)
            continue;
        redis_word(&view->client, fields[i].field);
        redis_word(&view->client, fields[i].value);
    }
    return step_exec(view, NULL, err);
}

static enum err_code redis_status_get(struct view *base, struct slice name, view_on_cell *on_cell, void *context,
                                      struct err *err)
{
    struct view_redis *view = redis_of(base);
    redisReply *reply = NULL;
    key_status(&view->key, view->space, name);
    step_command_key(view, "HGETALL");
    enum err_code code = redis_send(&view->client, err);
    if (!code)
        code = redis_reply(&view->client, &reply, err);
    if (code)
        return code;
    report(reply, 0, on_cell, context);
    bool found = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0;
    freeReplyObject(reply);
    return found ? OK : err_set(err, ERR_MISSING, "no status %.*s in the view", SLICE_ARG(name));
}

static const struct view_ops redis_ops = {
    redis_destroy, redis_head, redis_commit,  redis_fill,       redis_drop,
    redis_read,    redis_rows, redis_tenants, redis_status_put, redis_status_get,
};

enum err_code view_redis_open(const char *address, const char *space, int timeout_ms, struct view **view,
                              struct err *err)
{
    *view = NULL;
    if (strlen(space) > VIEW_SPACE_BYTES_MAX)
        return err_set(err, ERR_CONFIG, "the prefix %.20s... is longer than %d bytes", space, VIEW_SPACE_BYTES_MAX);
    struct view_redis *redis = calloc(1, sizeof *redis);
    if (!redis)
        return err_set(err, ERR_MEMORY, "no memory for a view");
    redis->base.ops = &redis_ops;
    (void)snprintf(redis->space, sizeof redis->space, "%s", space);
    enum err_code code = redis_client_init(&redis->client, address, timeout_ms, err);
    if (code) {
        redis_destroy(&redis->base);
        return code;
    }
    /* hiredis writes with write(2): a Redis that went away must be an error, not the end of the process. */
    struct sigaction present;
    if (sigaction(SIGPIPE, NULL, &present) == 0 && present.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN);
    *view = &redis->base;
    return OK;
}
