/* progress.c -- see progress.h. */
#include "base/progress.h"

#include <unistd.h>

#include "base/text.h"

enum { BAR_EVERY_MS = 200, LINE_EVERY_MS = 5000, BAR_COLUMNS = 24, PERMILLE = 1000 };

enum progress_mode progress_mode_for(FILE *out, bool off)
{
    if (off)
        return PROGRESS_OFF;
    return isatty(fileno(out)) ? PROGRESS_BAR : PROGRESS_LINES;
}

void progress_init(struct progress *progress, enum progress_mode mode, FILE *out, struct clock *clock, const char *what,
                   const char *unit, uint64_t total)
{
    *progress = (struct progress){.mode = mode, .out = out, .clock = clock, .what = what, .unit = unit, .total = total};
    progress->start_ms = clock->monotonic_ms(clock);
    progress->shown_ms = progress->start_ms;
}

/* part of whole, in thousandths, at most 1000; without overflow. */
static unsigned permille(uint64_t part, uint64_t whole)
{
    if (part >= whole)
        return PERMILLE;
    return (unsigned)((unsigned __int128)part * PERMILLE / whole);
}

static void add_grouped(struct buf *text, uint64_t n)
{
    text_add_decimal(text, n > INT64_MAX ? INT64_MAX : (int64_t)n, 0, ',');
}

static uint64_t rate_per_s(const struct progress *progress, int64_t elapsed_ms)
{
    return elapsed_ms > 0 ? (uint64_t)((unsigned __int128)progress->done * 1000 / (uint64_t)elapsed_ms) : 0;
}

/* "1:05" or "2:03:04" */
static void add_time(struct buf *text, uint64_t seconds)
{
    unsigned long long hours = seconds / 3600;
    unsigned minutes = (unsigned)(seconds / 60 % 60);
    if (hours)
        buf_addf(text, "%llu:%02u:%02u", hours, minutes, (unsigned)(seconds % 60));
    else
        buf_addf(text, "%u:%02u", minutes, (unsigned)(seconds % 60));
}

static void add_bar(struct buf *text, unsigned done_permille)
{
    unsigned full = done_permille * BAR_COLUMNS / PERMILLE;
    buf_add_text(text, " [");
    for (unsigned i = 0; i < BAR_COLUMNS; i++)
        buf_add_byte(text, i < full ? '#' : '.');
    buf_add_byte(text, ']');
}

static void add_state(const struct progress *progress, int64_t elapsed_ms, bool ended, struct buf *text)
{
    buf_addf(text, "%s", progress->what);
    if (progress->total) {
        unsigned part = permille(progress->done, progress->total);
        if (progress->mode == PROGRESS_BAR)
            add_bar(text, part);
        buf_addf(text, " %u.%u%%", part / 10, part % 10);
    }
    buf_add_byte(text, ' ');
    add_grouped(text, progress->done);
    if (progress->total) {
        buf_add_byte(text, '/');
        add_grouped(text, progress->total);
    }
    buf_addf(text, " %s, ", progress->unit);
    uint64_t rate = rate_per_s(progress, elapsed_ms);
    add_grouped(text, rate);
    buf_add_text(text, "/s");
    if (ended) {
        buf_add_text(text, ", took ");
        add_time(text, (uint64_t)elapsed_ms / 1000);
    } else if (rate && progress->total > progress->done) {
        buf_add_text(text, ", ");
        add_time(text, (progress->total - progress->done) / rate);
        buf_add_text(text, " left");
    }
}

static void show(struct progress *progress, int64_t now_ms, bool ended)
{
    struct buf text = {0};
    bool bar = progress->mode == PROGRESS_BAR;
    if (bar)
        buf_add_text(&text, "\r\033[K");
    add_state(progress, now_ms - progress->start_ms, ended, &text);
    if (!bar || ended)
        buf_add_byte(&text, '\n');
    (void)fwrite(text.p, 1, text.n, progress->out);
    (void)fflush(progress->out);
    buf_close(&text);
    progress->shown_ms = now_ms;
}

void progress_set(struct progress *progress, uint64_t done)
{
    progress->done = done;
    if (progress->mode == PROGRESS_OFF)
        return;
    int64_t now_ms = progress->clock->monotonic_ms(progress->clock);
    int64_t every_ms = progress->mode == PROGRESS_BAR ? BAR_EVERY_MS : LINE_EVERY_MS;
    if (now_ms - progress->shown_ms >= every_ms)
        show(progress, now_ms, false);
}

void progress_end(struct progress *progress)
{
    if (progress->mode == PROGRESS_OFF)
        return;
    show(progress, progress->clock->monotonic_ms(progress->clock), true);
    progress->mode = PROGRESS_OFF;
}
