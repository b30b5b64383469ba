/* redis_client.c -- see redis_client.h. */
#include "view/redis_client.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct timeval timeout_of(const struct redis_client *client)
{
    return (struct timeval){.tv_sec = client->timeout_ms / 1000, .tv_usec = (client->timeout_ms % 1000) * 1000};
}

enum err_code redis_client_init(struct redis_client *client, const char *address, int timeout_ms, struct err *err)
{
    *client = (struct redis_client){.timeout_ms = timeout_ms > 0 ? timeout_ms : 1000};
    size_t n = strlen(address);
    const char *colon = strrchr(address, ':');
    bool path = strchr(address, '/') != NULL;
    long port = colon ? strtol(colon + 1, NULL, 10) : 0;
    if (n >= sizeof client->address || (!path && (!colon || colon == address || port < 1 || port > 65535)))
        return err_set(err, ERR_CONFIG, "Redis address '%s': give HOST:PORT, or the path of a unix socket", address);
    memcpy(client->address, address, n + 1);
    return OK;
}

void redis_client_drop(struct redis_client *client)
{
    if (client->context)
        redisFree(client->context);
    client->context = NULL;
    client->commands = 0;
    buf_clear(&client->out);
}

void redis_client_close(struct redis_client *client)
{
    redis_client_drop(client);
    buf_close(&client->out);
}

/* --- building --- */

static void count_line(struct buf *out, char mark, size_t count)
{
    char digits[24];
    size_t n = sizeof digits;
    digits[--n] = '\n';
    digits[--n] = '\r';
    do {
        digits[--n] = (char)('0' + count % 10);
        count /= 10;
    } while (count);
    digits[--n] = mark;
    buf_add(out, digits + n, sizeof digits - n);
}

void redis_command(struct redis_client *client, size_t words)
{
    count_line(&client->out, '*', words);
    client->commands++;
}

void redis_word(struct redis_client *client, struct slice word)
{
    count_line(&client->out, '$', word.n);
    buf_add_slice(&client->out, word);
    buf_add(&client->out, "\r\n", 2);
}

void redis_text(struct redis_client *client, const char *word) { redis_word(client, slice_of(word)); }

/* --- talking --- */

static enum err_code lost(struct redis_client *client, const char *doing, struct err *err)
{
    const char *why = client->context && client->context->errstr[0] ? client->context->errstr : strerror(errno);
    enum err_code code = err_set(err, ERR_UNAVAILABLE, "Redis %s: %s: %s", client->address, doing, why);
    redis_client_drop(client);
    return code;
}

static const struct {
    const char *begins;
    enum err_code code;
    const char *advice;
} replies[] = {
    {"OOM", ERR_UNAVAILABLE, "raise maxmemory or remove tenants"},
    {"LOADING", ERR_UNAVAILABLE, "it reads its data; wait"},
    {"BUSY", ERR_UNAVAILABLE, "a script blocks it"},
    {"MASTERDOWN", ERR_UNAVAILABLE, "a replica lost its primary"},
    {"MISCONF", ERR_UNAVAILABLE, "it cannot write to its disk"},
    {"READONLY", ERR_UNAVAILABLE, "this is a replica; give the address of the primary"},
    {"CLUSTERDOWN", ERR_UNAVAILABLE, "the cluster is not complete"},
    {"EXECABORT", ERR_UNAVAILABLE, "nothing of the step was applied"},
    {"NOAUTH", ERR_DENIED, "it wants a password"},
    {"WRONGPASS", ERR_DENIED, "it refuses the password"},
    {"NOPERM", ERR_DENIED, "this user may not do it; grant it by ACL"},
    {"WRONGTYPE", ERR_CONFIG, "another program uses our keys (pl:...); give us a Redis of our own"},
};

static enum err_code error_reply(struct redis_client *client, const redisReply *reply, struct err *err)
{
    for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++)
        if (strncmp(reply->str, replies[i].begins, strlen(replies[i].begins)) == 0)
            return err_set(err, replies[i].code, "Redis %s: %.200s (%s)", client->address, reply->str,
                           replies[i].advice);
    return err_set(err, ERR_BUG, "Redis %s refused a command: %.200s", client->address, reply->str);
}

static redisReply *next_reply(struct redis_client *client)
{
    void *reply = NULL;
    if (!client->context || redisGetReply(client->context, &reply) != REDIS_OK)
        return NULL;
    client->commands--;
    return reply;
}

enum err_code redis_reply(struct redis_client *client, redisReply **reply, struct err *err)
{
    assert(client->commands > 0);
    *reply = next_reply(client);
    if (!*reply)
        return lost(client, "no answer", err);
    if ((*reply)->type != REDIS_REPLY_ERROR)
        return OK;
    enum err_code code = error_reply(client, *reply, err);
    freeReplyObject(*reply);
    *reply = NULL;
    redis_client_drop(client);
    return code;
}

enum err_code redis_skip(struct redis_client *client, size_t count, struct err *err)
{
    enum err_code code = OK;
    for (size_t i = 0; i < count && !code; i++) {
        redisReply *reply;
        code = redis_reply(client, &reply, err);
        if (!code)
            freeReplyObject(reply);
    }
    return code;
}

/* --- connecting --- */

static redisContext *connect_to(const struct redis_client *client)
{
    if (strchr(client->address, '/'))
        return redisConnectUnixWithTimeout(client->address, timeout_of(client));
    char host[REDIS_ADDRESS_BYTES_MAX];
    const char *colon = strrchr(client->address, ':');
    (void)snprintf(host, sizeof host, "%.*s", (int)(colon - client->address), client->address);
    return redisConnectWithTimeout(host, (int)strtol(colon + 1, NULL, 10), timeout_of(client));
}

/* The text behind "maxmemory_policy:" of INFO, or the value of CONFIG GET. */
static struct slice policy_of(const redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[1]->type == REDIS_REPLY_STRING)
        return redis_slice(reply->element[1]);
    static const char name[] = "maxmemory_policy:";
    const char *at = reply->type == REDIS_REPLY_STRING ? strstr(reply->str, name) : NULL;
    if (!at)
        return (struct slice){NULL, 0};
    at += sizeof name - 1;
    return slice_make(at, strcspn(at, "\r\n"));
}

/* A Redis that evicts keys would lose rows and keep the head that vouches for them. CONFIG may be forbidden to us and
 * INFO too: then nobody can tell, and the operator was told by the documentation. */
static enum err_code policy_check(struct redis_client *client, struct err *err)
{
    static const char *const questions[][3] = {{"CONFIG", "GET", "maxmemory-policy"}, {"INFO", "memory", NULL}};
    for (size_t i = 0; i < 2; i++) {
        redisReply *reply =
            redisCommandArgv(client->context, questions[i][2] ? 3 : 2, (const char **)(uintptr_t)questions[i], NULL);
        if (!reply)
            return lost(client, "no answer", err);
        if (reply->type == REDIS_REPLY_ERROR &&
            (strncmp(reply->str, "LOADING", 7) == 0 || strncmp(reply->str, "NOAUTH", 6) == 0)) {
            enum err_code code = error_reply(client, reply, err);
            freeReplyObject(reply);
            redis_client_drop(client);
            return code;
        }
        struct slice policy = policy_of(reply);
        enum err_code code = OK;
        if (policy.n && !slice_is(policy, "noeviction"))
            code = err_set(err, ERR_CONFIG,
                           "Redis %s has maxmemory-policy %.*s: it would throw figures away; mend it with: redis-cli "
                           "CONFIG SET maxmemory-policy noeviction",
                           client->address, SLICE_ARG(policy));
        bool known = policy.n > 0;
        freeReplyObject(reply);
        if (code)
            redis_client_drop(client);
        if (code || known)
            return code;
    }
    return OK;
}

static enum err_code connect_now(struct redis_client *client, struct err *err)
{
    client->context = connect_to(client);
    if (!client->context)
        return err_set(err, ERR_MEMORY, "no memory for a connection to Redis");
    if (client->context->err || redisSetTimeout(client->context, timeout_of(client)) != REDIS_OK)
        return lost(client, "cannot connect", err);
    return policy_check(client, err);
}

enum err_code redis_send(struct redis_client *client, struct err *err)
{
    if (!client->context) {
        /* What was built waits while the connection is made. */
        struct buf out = client->out;
        unsigned commands = client->commands;
        buf_init(&client->out);
        enum err_code code = connect_now(client, err);
        buf_close(&client->out);
        client->out = out;
        client->commands = commands;
        if (code) {
            redis_client_drop(client);
            return code;
        }
    }
    int done = 0;
    int failed = redisAppendFormattedCommand(client->context, (const char *)client->out.p, client->out.n);
    buf_clear(&client->out);
    while (!failed && !done)
        failed = redisBufferWrite(client->context, &done);
    return failed ? lost(client, "cannot send", err) : OK;
}
