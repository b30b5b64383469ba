/* redis_step.c -- see redis_step.h. */
#include "view/redis_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/fault.h"

/* --- fillings --- */

struct filling *filling_find(struct view_redis *view, struct view_scope scope, uint64_t generation)
{
    key_head(&view->key, view->space, scope);
    for (size_t i = 0; i < view->filling_count; i++)
        if (view->fillings[i].generation == generation &&
            slice_eq(buf_slice(&view->fillings[i].head_key), buf_slice(&view->key)))
            return &view->fillings[i];
    return NULL;
}

void filling_forget(struct view_redis *view, struct view_scope scope, uint64_t generation)
{
    struct filling *filling = filling_find(view, scope, generation);
    if (!filling)
        return;
    buf_close(&filling->head_key);
    *filling = view->fillings[--view->filling_count];
}

struct filling *filling_add(struct view_redis *view, struct view_scope scope, uint64_t generation)
{
    struct filling *grown = realloc(view->fillings, (view->filling_count + 1) * sizeof *grown);
    if (!grown)
        abort(); /* as buf.h: out of memory */
    view->fillings = grown;
    struct filling *filling = &grown[view->filling_count++];
    *filling = (struct filling){.generation = generation};
    key_head(&filling->head_key, view->space, scope);
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        random = (uint64_t)(uintptr_t)filling ^ generation;
    (void)snprintf(filling->token, sizeof filling->token, "%016llx", (unsigned long long)random);
    return filling;
}

/* The generation of this scope that we began to fill and gave up; 0: none. */
uint64_t filling_given_up(struct view_redis *view, struct view_scope scope)
{
    key_head(&view->key, view->space, scope);
    for (size_t i = 0; i < view->filling_count; i++)
        if (slice_eq(buf_slice(&view->fillings[i].head_key), buf_slice(&view->key)))
            return view->fillings[i].generation;
    return 0;
}

/* --- commands --- */

void step_command(struct view_redis *view, const char *name) /* without words */
{
    redis_command(&view->client, 1);
    redis_text(&view->client, name);
}

void step_command_key(struct view_redis *view, const char *name) /* on view->key */
{
    redis_command(&view->client, 2);
    redis_text(&view->client, name);
    redis_word(&view->client, buf_slice(&view->key));
}

void step_token_key(struct view_redis *view, struct view_scope scope, uint64_t generation)
{
    key_row(&view->key, view->space, scope, generation, (struct slice){"", 0});
}

/* A head that nobody of us wrote is as good as none: a new generation replaces it. */
void step_head_of(const redisReply *reply, struct view_head *head)
{
    *head = (struct view_head){0};
    if (reply->type == REDIS_REPLY_STRING && !head_read(redis_slice(reply), head))
        *head = (struct view_head){0};
}

enum err_code step_read_head(struct view_redis *view, struct view_head *head, struct err *err)
{
    redisReply *reply;
    enum err_code code = redis_reply(&view->client, &reply, err);
    if (code)
        return code;
    step_head_of(reply, head);
    freeReplyObject(reply);
    return OK;
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
    key_rows(&view->key, view->space, scope, generation);
    redis_command(&view->client, 2 + rows);
    redis_text(&view->client, "SADD");
    redis_word(&view->client, buf_slice(&view->key));
    for (size_t i = 0; i < count; i++)
        if (begins_row(cells, i))
            redis_word(&view->client, cells[i].row);
}

void step_add_cells(struct view_redis *view, struct view_scope scope, uint64_t generation,
                    const struct view_cell *cells, size_t count)
{
    add_row_names(view, scope, generation, cells, count);
    for (size_t i = 0; i < count;) {
        size_t n = run_length(cells + i, count - i);
        key_row(&view->key, view->space, scope, generation, cells[i].row);
        add_run(view, cells + i, n);
        i += n;
    }
}

/* --- one transaction --- */

/* WATCHes head and token of a generation and reads both. */
enum err_code step_watch(struct view_redis *view, struct view_scope scope, uint64_t generation, struct view_head *head,
                         char token[TOKEN_TEXT_BYTES], struct err *err)
{
    struct redis_client *client = &view->client;
    key_head(&view->key, view->space, scope);
    redis_command(client, 3);
    redis_text(client, "WATCH");
    redis_word(client, buf_slice(&view->key));
    step_token_key(view, scope, generation);
    redis_word(client, buf_slice(&view->key));
    key_head(&view->key, view->space, scope);
    step_command_key(view, "GET");
    step_token_key(view, scope, generation);
    step_command_key(view, "GET");
    enum err_code code = redis_send(client, err);
    if (!code)
        code = redis_skip(client, 1, err);
    if (!code)
        code = step_read_head(view, head, err);
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

enum err_code step_unwatch(struct view_redis *view, const char *why, struct err *err)
{
    step_command(view, "UNWATCH");
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
enum err_code step_exec(struct view_redis *view, redisReply **result, struct err *err)
{
    struct redis_client *client = &view->client;
    step_command(view, "EXEC");
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
