/* redis_keys.c -- see redis_keys.h. */
#include "view/redis_keys.h"

#include <stdio.h>

enum { HEAD_TEXT_BYTES_MAX = 160 };

/* Braces would end the hash tag early, so that keys of one tenant could live in two places. */
static void add_tenant(struct buf *key, struct slice tenant)
{
    buf_add_byte(key, '{');
    for (size_t i = 0; i < tenant.n; i++) {
        char c = tenant.p[i];
        if (c == '{' || c == '}' || c == '%')
            buf_addf(key, "%%%02X", (unsigned)(unsigned char)c);
        else
            buf_add_byte(key, (uint8_t)c);
    }
    buf_add_text(key, "}:");
}

static void begin(struct buf *key, const char *space)
{
    buf_clear(key);
    buf_add_text(key, "pl:");
    buf_add_text(key, space);
}

static void add_scope(struct buf *key, const char *space, struct view_scope scope)
{
    begin(key, space);
    add_tenant(key, scope.tenant);
    buf_add_slice(key, scope.machine);
    buf_add_byte(key, ':');
}

void key_head(struct buf *key, const char *space, struct view_scope scope)
{
    add_scope(key, space, scope);
    buf_add_text(key, "head");
}

void key_rows(struct buf *key, const char *space, struct view_scope scope, uint64_t generation)
{
    add_scope(key, space, scope);
    buf_addf(key, "%llu", (unsigned long long)generation);
}

void key_row(struct buf *key, const char *space, struct view_scope scope, uint64_t generation, struct slice row)
{
    key_rows(key, space, scope, generation);
    buf_add_byte(key, ':');
    buf_add_slice(key, row);
}

void key_tenants(struct buf *key, const char *space, struct slice machine)
{
    begin(key, space);
    buf_add_text(key, "tenants:");
    buf_add_slice(key, machine);
}

void key_status(struct buf *key, const char *space, struct slice name)
{
    begin(key, space);
    buf_add_text(key, "status:");
    buf_add_slice(key, name);
}

void head_write(struct buf *text, const struct view_head *head)
{
    buf_clear(text);
    buf_addf(text, "%llu %u %u %llu %llu %lld", (unsigned long long)head->generation, head->branch, head->epoch,
             (unsigned long long)head->seq, (unsigned long long)head->tenant_seq, (long long)head->time_ms);
}

bool head_read(struct slice text, struct view_head *head)
{
    char copy[HEAD_TEXT_BYTES_MAX];
    if (text.n == 0 || text.n >= sizeof copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    unsigned long long generation, seq, tenant_seq;
    long long time_ms;
    int used = 0;
    int fields = sscanf(copy, "%llu %u %u %llu %llu %lld%n", &generation, &head->branch, &head->epoch, &seq,
                        &tenant_seq, &time_ms, &used);
    if (fields != 6 || (size_t)used != text.n)
        return false;
    head->present = true;
    head->generation = generation;
    head->seq = seq;
    head->tenant_seq = tenant_seq;
    head->time_ms = time_ms;
    return true;
}
