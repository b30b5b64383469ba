/* redis_client.h -- one connection to Redis for the view: connects when needed, pipelines commands written by our own
 * RESP writer (data never passes a format string), and is closed, never reused, after any error: a late reply would be
 * taken for that of the next command. */
#ifndef VIEW_REDIS_CLIENT_H
#define VIEW_REDIS_CLIENT_H

#include <hiredis/hiredis.h>

#include "base/buf.h"
#include "base/err.h"

enum { REDIS_ADDRESS_BYTES_MAX = 512 };

struct redis_client {
    char address[REDIS_ADDRESS_BYTES_MAX];
    int timeout_ms;
    redisContext *context; /* NULL: not connected */
    struct buf out;        /* commands of the next send */
    unsigned commands;     /* in out, or sent and not yet answered */
};
enum err_code redis_client_init(struct redis_client *client, const char *address, int timeout_ms, struct err *err);
void redis_client_close(struct redis_client *client);
void redis_client_drop(struct redis_client *client); /* the connection and what waits to be sent */

/* Building: a command of `words` words, then each word. */
void redis_command(struct redis_client *client, size_t words);
void redis_word(struct redis_client *client, struct slice word);
void redis_text(struct redis_client *client, const char *word);

/* Sends what was built (connects first). The replies must then all be read, in order. */
enum err_code redis_send(struct redis_client *client, struct err *err);
/* The next reply, to be freed by freeReplyObject. An error reply is mapped to an error; on every error the connection
 * is dropped and *reply is NULL. */
enum err_code redis_reply(struct redis_client *client, redisReply **reply, struct err *err);
/* Reads and forgets `count` replies. */
enum err_code redis_skip(struct redis_client *client, size_t count, struct err *err);

static inline struct slice redis_slice(const redisReply *reply) { return (struct slice){reply->str, reply->len}; }

#endif
