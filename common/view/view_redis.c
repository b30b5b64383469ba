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
#include <sys/random.h>

#include "base/fault.h"
#include "view/redis_client.h"
#include "view/redis_keys.h"
#include "view/view_impl.h"

enum { FILL_CELLS_MAX = 1000, DROP_ROWS_MAX = 200, READ_TRIES_MAX = 16, TOKEN_TEXT_BYTES = 24 };

/* A generation that this handle fills. */
struct filling {
    struct buf head_key; /* names the scope */
    uint64_t generation;
    char token[TOKEN_TEXT_BYTES];
};

struct view_redis {
    struct view base;
    struct redis_client client;
    struct buf key, text;
    struct filling *fillings;
    size_t filling_count;
};

static struct view_redis *redis_of(struct view *view) { return (struct view_redis *)view; }

/* --- fillings --- */

static struct filling *filling_find(struct view_redis *view, struct view_scope scope, uint64_t generation)
{
    key_head(&view->key, scope);
    for (size_t i = 0; i < view->filling_count; i++)
        if (view->fillings[i].generation == generation &&
            slice_eq(buf_slice(&view->fillings[i].head_key), buf_slice(&view->key)))
            return &view->fillings[i];
    return NULL;
}

static void filling_forget(struct view_redis *view, struct view_scope scope, uint64_t generation)
{
    struct filling *filling = filling_find(view, scope, generation);
    if (!filling)
        return;
    buf_close(&filling->head_key);
    *filling = view->fillings[--view->filling_count];
}

static struct filling *filling_add(struct view_redis *view, struct view_scope scope, uint64_t generation)
{
    struct filling *grown = realloc(view->fillings, (view->filling_count + 1) * sizeof *grown);
    if (!grown)
        abort(); /* as buf.h: out of memory */
    view->fillings = grown;
    struct filling *filling = &grown[view->filling_count++];
    *filling = (struct filling){.generation = generation};
    key_head(&filling->head_key, scope);
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = (uint64_t)(uintptr_t)filling ^ generation;
    (void)snprintf(filling->token, sizeof filling->token, "%016llx", (unsigned long long)random);
    return filling;
}

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

/* --- commands --- */

static void command(struct view_redis *view, const char *name) /* without words */
{
    redis_command(&view->client, 1);
    redis_text(&view->client, name);
}

static void command_key(struct view_redis *view, const char *name) /* on view->key */
{
    redis_command(&view->client, 2);
    redis_text(&view->client, name);
    redis_word(&view->client, buf_slice(&view->key));
}

static void token_key(struct view_redis *view, struct view_scope scope, uint64_t generation)
{
    key_row(&view->key, scope, generation, (struct slice){"", 0});
}

/* A head that nobody of us wrote is as good as none: a new generation replaces it. */
static void head_of_reply(const redisReply *reply, struct view_head *head)
{
    *head = (struct view_head){0};
    if (reply->type == REDIS_REPLY_STRING && !head_read(redis_slice(reply), head))
        *head = (struct view_head){0};
}

static enum err_code read_head(struct view_redis *view, struct view_head *head, struct err *err)
{
    redisReply *reply;
    enum err_code code = redis_reply(&view->client, &reply, err);
    if (code)
        return code;
    head_of_reply(reply, head);
    freeReplyObject(reply);
    return OK;
}

static enum err_code redis_head(struct view *base, struct view_scope scope, struct view_head *head, struct err *err)
{
    struct view_redis *view = redis_of(base);
    key_head(&view->key, scope);
    command_key(view, "GET");
    enum err_code code = redis_send(&view->client, err);
    return code ? code : read_head(view, head, err);
}

/* --- writing cells --- */

static size_t run_length(const struct view_cell *cells, size_t count)
{
    size_t n = 1;
    while (n < count && slice_eq(cells[n].row, cells[0].row) && (cells[n].value.n == 0) == (cells[0].value.n == 0))
        n++;
    return n;
}

/* HSET or HDEL of cells of one row and one kind. */
static void add_run(struct view_redis *view, const struct view_cell *cells, size_t n)
{
    bool remove = cells[0].value.n == 0;
    redis_command(&view->client, 2 + (remove ? n : 2 * n));
    redis_text(&view->client, remove ? "HDEL" : "HSET");
    redis_word(&view->client, buf_slice(&view->key));
    for (size_t i = 0; i < n; i++) {
        redis_word(&view->client, cells[i].field);
        if (!remove)
            redis_word(&view->client, cells[i].value);
    }
}

static bool begins_row(const struct view_cell *cells, size_t i)
{
    return i == 0 || !slice_eq(cells[i].row, cells[i - 1].row);
}

static void add_row_names(struct view_redis *view, struct view_scope scope, uint64_t generation,
                          const struct view_cell *cells, size_t count)
{
    size_t rows = 0;
    for (size_t i = 0; i < count; i++)
        rows += begins_row(cells, i);
    if (rows == 0)
        return;
    key_rows(&view->key, scope, generation);
    redis_command(&view->client, 2 + rows);
    redis_text(&view->client, "SADD");
    redis_word(&view->client, buf_slice(&view->key));
    for (size_t i = 0; i < count; i++)
        if (begins_row(cells, i))
            redis_word(&view->client, cells[i].row);
}

static void add_cells(struct view_redis *view, struct view_scope scope, uint64_t generation,
                      const struct view_cell *cells, size_t count)
{
    add_row_names(view, scope, generation, cells, count);
    for (size_t i = 0; i < count;) {
        size_t n = run_length(cells + i, count - i);
        key_row(&view->key, scope, generation, cells[i].row);
        add_run(view, cells + i, n);
        i += n;
    }
}

/* --- one transaction --- */

/* WATCHes head and token of a generation and reads both. */
static enum err_code watch(struct view_redis *view, struct view_scope scope, uint64_t generation,
                           struct view_head *head, char token[TOKEN_TEXT_BYTES], struct err *err)
{
    struct redis_client *client = &view->client;
    key_head(&view->key, scope);
    redis_command(client, 3);
    redis_text(client, "WATCH");
    redis_word(client, buf_slice(&view->key));
    token_key(view, scope, generation);
    redis_word(client, buf_slice(&view->key));
    key_head(&view->key, scope);
    command_key(view, "GET");
    token_key(view, scope, generation);
    command_key(view, "GET");
    enum err_code code = redis_send(client, err);
    if (!code)
        code = redis_skip(client, 1, err);
    if (!code)
        code = read_head(view, head, err);
    redisReply *reply = NULL;
    if (!code)
        code = redis_reply(client, &reply, err);
    if (code)
        return code;
    struct slice text = reply->type == REDIS_REPLY_STRING ? redis_slice(reply) : (struct slice){"", 0};
    (void)snprintf(token, TOKEN_TEXT_BYTES, "%.*s", SLICE_ARG(text));
    freeReplyObject(reply);
    return OK;
}

static enum err_code unwatch(struct view_redis *view, const char *why, struct err *err)
{
    command(view, "UNWATCH");
    if (!redis_send(&view->client, NULL))
        (void)redis_skip(&view->client, 1, NULL);
    return err_set(err, ERR_MOVED, "view: %s", why);
}

static enum err_code element_error(const redisReply *reply, struct err *err)
{
    for (size_t i = 0; i < reply->elements; i++)
        if (reply->element[i]->type == REDIS_REPLY_ERROR)
            return err_set(err, ERR_CONFIG,
                           "Redis: %.200s: another program uses our keys (pl:...); give paceline a Redis of its own",
                           reply->element[i]->str);
    return OK;
}

/* Sends what stands between MULTI and EXEC. *result (may be NULL) gets EXEC's array. */
static enum err_code exec(struct view_redis *view, redisReply **result, struct err *err)
{
    struct redis_client *client = &view->client;
    command(view, "EXEC");
    enum err_code code = redis_send(client, err);
    FAULT_POINT("view.commit_sent");
    if (!code)
        code = redis_skip(client, client->commands - 1, err);
    redisReply *reply = NULL;
    if (!code)
        code = redis_reply(client, &reply, err);
    if (code)
        return code;
    if (reply->type != REDIS_REPLY_ARRAY)
        code = err_set(err, ERR_MOVED, "view: somebody else moved the head");
    else
        code = element_error(reply, err);
    if (!code && result)
        *result = reply;
    else
        freeReplyObject(reply);
    return code;
}

/* Part of a step failed for a reason that lies in the keys: take away the head that would vouch for it. */
static void disown(struct view_redis *view, struct view_scope scope)
{
    key_head(&view->key, scope);
    command_key(view, "DEL");
    if (!redis_send(&view->client, NULL))
        (void)redis_skip(&view->client, 1, NULL);
}

/* Tenants are found again by a set; it may know too many, never too few. */
static enum err_code remember_tenant(struct view_redis *view, struct view_scope scope, struct err *err)
{
    key_tenants(&view->key, scope.machine);
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
        code = watch(view, scope, next->generation, &head, token, err);
    if (code)
        return code;
    if (!view_head_eq(&head, expected))
        return unwatch(view, "another head is there", err);
    const struct filling *filling = flip ? filling_find(view, scope, next->generation) : NULL;
    if (flip && strcmp(token, filling ? filling->token : "") != 0) {
        filling_forget(view, scope, next->generation);
        return unwatch(view, "the generation was taken over by another writer", err);
    }
    command(view, "MULTI");
    add_cells(view, scope, next->generation, cells, count);
    key_head(&view->key, scope);
    head_write(&view->text, next);
    redis_command(&view->client, 3);
    redis_text(&view->client, "SET");
    redis_word(&view->client, buf_slice(&view->key));
    redis_word(&view->client, buf_slice(&view->text));
    if (flip) {
        token_key(view, scope, next->generation);
        command_key(view, "DEL");
    }
    code = exec(view, NULL, err);
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
    command(view, "MULTI");
    redis_command(&view->client, 1 + rows->elements);
    redis_text(&view->client, "UNLINK");
    for (size_t i = 0; i < rows->elements; i++) {
        key_row(&view->key, scope, generation, redis_slice(rows->element[i]));
        redis_word(&view->client, buf_slice(&view->key));
    }
    key_rows(&view->key, scope, generation);
    redis_command(&view->client, 2 + rows->elements);
    redis_text(&view->client, "SREM");
    redis_word(&view->client, buf_slice(&view->key));
    add_members(view, rows);
    command_key(view, "SCARD");
    redisReply *reply = NULL;
    enum err_code code = exec(view, &reply, err);
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
    key_rows(&view->key, scope, generation);
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
    token_key(view, scope, generation);
    command_key(view, "DEL"); /* first, so that nobody flips to what is half gone */
    code = redis_send(&view->client, err);
    if (!code)
        code = redis_skip(&view->client, 1, err);
    return code ? code : drop_some(view, scope, generation, more, err);
}

/* The generation of this scope that we began to fill and gave up; 0: none. */
static uint64_t given_up(struct view_redis *view, struct view_scope scope)
{
    key_head(&view->key, scope);
    for (size_t i = 0; i < view->filling_count; i++)
        if (slice_eq(buf_slice(&view->fillings[i].head_key), buf_slice(&view->key)))
            return view->fillings[i].generation;
    return 0;
}

/* Removes what we gave up, unless a commit of unknown outcome has put it in use. */
static enum err_code clear_given_up(struct view_redis *view, struct view_scope scope, struct err *err)
{
    uint64_t old = given_up(view, scope);
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
    token_key(view, scope, generation);
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
    enum err_code code = watch(view, scope, generation, &head, token, err);
    if (code)
        return code;
    const struct filling *filling = filling_find(view, scope, generation);
    assert(filling);
    if (strcmp(token, filling->token) != 0) {
        filling_forget(view, scope, generation);
        return unwatch(view, "the generation was taken over by another writer, or lost", err);
    }
    command(view, "MULTI");
    add_cells(view, scope, generation, cells, count);
    return exec(view, NULL, err);
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
        command(view, "MULTI");
        key_head(&view->key, scope);
        command_key(view, "GET");
        add(view, scope, generation, context);
        code = exec(view, result, err);
        if (code)
            return code;
        head_of_reply((*result)->element[0], head);
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
        key_row(&view->key, scope, generation, list->rows[i]);
        command_key(view, "HGETALL");
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
    key_rows(&view->key, scope, generation);
    command_key(view, "SMEMBERS");
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
        key_head(&view->key, (struct view_scope){machine, redis_slice(known->element[i])});
        command_key(view, "EXISTS");
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
    key_tenants(&view->key, machine);
    command_key(view, "SMEMBERS");
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
    command(view, "MULTI");
    key_status(&view->key, name);
    command_key(view, "DEL");
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
    return exec(view, NULL, err);
}

static enum err_code redis_status_get(struct view *base, struct slice name, view_on_cell *on_cell, void *context,
                                      struct err *err)
{
    struct view_redis *view = redis_of(base);
    redisReply *reply = NULL;
    key_status(&view->key, name);
    command_key(view, "HGETALL");
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

enum err_code view_redis_open(const char *address, int timeout_ms, struct view **view, struct err *err)
{
    *view = NULL;
    struct view_redis *redis = calloc(1, sizeof *redis);
    if (!redis)
        return err_set(err, ERR_MEMORY, "no memory for a view");
    redis->base.ops = &redis_ops;
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
