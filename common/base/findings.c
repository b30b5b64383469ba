/* findings.c -- see findings.h. */
#include "base/findings.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/memory.h"

enum { FINDINGS_FIRST = 16, NAME_BYTES_MAX = 64 };

void findings_init(struct findings *findings) { *findings = (struct findings){0}; }

void findings_close(struct findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        free(findings->list[i].file);
        free(findings->list[i].text);
    }
    free(findings->list);
    *findings = (struct findings){0};
}

static struct finding *room_for_one(struct findings *findings)
{
    if (findings->count == FINDINGS_MAX) {
        findings->dropped++;
        return NULL;
    }
    if (findings->count == findings->cap) {
        findings->cap = findings->cap ? findings->cap * 2 : FINDINGS_FIRST;
        findings->list = memory_must(realloc(findings->list, findings->cap * sizeof *findings->list));
    }
    return &findings->list[findings->count++];
}

void findings_add(struct findings *findings, const char *file, uint32_t line, uint32_t column, const char *code,
                  const char *format, ...)
{
    struct finding *finding = room_for_one(findings);
    if (!finding)
        return;
    char text[FINDING_TEXT_BYTES_MAX + 1];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    *finding = (struct finding){.line = line, .column = column, .order = (uint32_t)findings->count};
    finding->file = memory_must(strndup(file ? file : "", FINDING_FILE_BYTES_MAX));
    finding->text = memory_must(strdup(text));
    (void)snprintf(finding->code, sizeof finding->code, "%s", code);
}

size_t findings_count(const struct findings *findings) { return findings->count + findings->dropped; }

static int compare_u32(uint32_t a, uint32_t b) { return a < b ? -1 : a > b; }

static int by_place(const void *left, const void *right)
{
    const struct finding *a = left;
    const struct finding *b = right;
    int order = strcmp(a->file, b->file);
    if (!order)
        order = compare_u32(a->line, b->line);
    if (!order)
        order = compare_u32(a->column, b->column);
    return order ? order : compare_u32(a->order, b->order);
}

void findings_sort(struct findings *findings)
{
    if (findings->count > 1)
        qsort(findings->list, findings->count, sizeof *findings->list, by_place);
}

static void write_one(const struct finding *finding, struct buf *out)
{
    if (*finding->file)
        buf_addf(out, "%s:", finding->file);
    if (finding->line)
        buf_addf(out, "%u:%u:", (unsigned)finding->line, (unsigned)finding->column);
    if (*finding->file || finding->line)
        buf_add_byte(out, ' ');
    buf_addf(out, "%s: %s\n", finding->code, finding->text);
}

void findings_write(struct findings *findings, struct buf *out)
{
    findings_sort(findings);
    for (size_t i = 0; i < findings->count; i++)
        write_one(&findings->list[i], out);
    if (findings->dropped)
        buf_addf(out, "... and %zu more\n", findings->dropped);
}

void findings_print(struct findings *findings, FILE *out)
{
    struct buf text = {0};
    findings_write(findings, &text);
    (void)fwrite(text.p, 1, text.n, out);
    buf_close(&text);
}

enum err_code findings_to_err(struct findings *findings, struct err *err)
{
    enum { MORE_ROOM_BYTES = 40 };
    if (findings_count(findings) == 0)
        return OK;
    findings_sort(findings);
    struct buf text = {0};
    size_t told = 0;
    for (; told < findings->count; told++) {
        size_t before = text.n;
        write_one(&findings->list[told], &text);
        if (text.n > ERR_TEXT_MAX - MORE_ROOM_BYTES && told > 0) {
            text.n = before;
            break;
        }
    }
    size_t more = findings_count(findings) - told;
    if (more)
        buf_addf(&text, "... and %zu more", more);
    else
        text.n--; /* without the last line end */
    err_set(err, ERR_CONFIG, "%s", buf_cstr(&text));
    buf_close(&text);
    return ERR_CONFIG;
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/* Optimal string alignment: insert, delete, replace, swap neighbours; three rows of the matrix. */
static size_t distance(struct slice a, struct slice b)
{
    size_t rows[3][NAME_BYTES_MAX + 1];
    size_t *before = rows[0];
    size_t *last = rows[1];
    size_t *now = rows[2];
    for (size_t j = 0; j <= b.n; j++)
        last[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t change = last[j - 1] + (a.p[i - 1] != b.p[j - 1]);
            now[j] = least(change, least(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = now;
        now = oldest;
    }
    return last[b.n];
}

const char *did_you_mean(struct slice name, const char *const *candidates)
{
    if (name.n == 0 || name.n > NAME_BYTES_MAX)
        return NULL;
    const char *best = NULL;
    size_t best_distance = name.n < 6 ? 2 : name.n / 3 + 1; /* the first distance that is too far */
    for (; *candidates; candidates++) {
        struct slice candidate = slice_of(*candidates);
        if (candidate.n > NAME_BYTES_MAX)
            continue;
        size_t d = distance(name, candidate);
        if (d < best_distance) {
            best_distance = d;
            best = *candidates;
        }
    }
    return best;
}
