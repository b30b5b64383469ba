/* text.c -- UTF-8: validity, width, JSON strings. Numbers and hex: number_text.c. See text.h. */
#include "base/text.h"

/* Smallest code point of a character of n bytes: anything below it is overlong. */
static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};

static size_t lead_bytes(unsigned char c)
{
    if (c < 0x80)
        return 1;
    if (c < 0xc2)
        return 0;
    if (c < 0xe0)
        return 2;
    if (c < 0xf0)
        return 3;
    return c < 0xf5 ? 4 : 0;
}

size_t text_char(const char *p, const char *end, uint32_t *code_point)
{
    if (p >= end)
        return 0;
    unsigned char first = (unsigned char)*p;
    size_t n = lead_bytes(first);
    if (n == 0 || (size_t)(end - p) < n)
        return 0;
    uint32_t value = n == 1 ? first : first & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if ((c & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (c & 0x3fU);
    }
    if (value < smallest[n] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    if (code_point)
        *code_point = value;
    return n;
}

bool text_valid(struct slice text)
{
    const char *end = text.p + text.n;
    for (const char *p = text.p; p < end;) {
        size_t n = (unsigned char)*p < 0x80 ? 1 : text_char(p, end, NULL);
        if (n == 0)
            return false;
        p += n;
    }
    return true;
}

bool text_has_control(struct slice text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f)
            return true;
    return false;
}

/* Ranges of Unicode's East Asian Width W and F, with neighbours that are unassigned or wide in practice merged. */
struct range {
    uint32_t first, last;
};
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
    {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
    {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
    {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
    {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},
    {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},
    {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x1aff0, 0x1b2ff}, {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf},
    {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c},
    {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0}, {0x1f3f4, 0x1f3f4},
    {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e},
    {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f},
    {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6d7}, {0x1f6dc, 0x1f6df},
    {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb}, {0x1f7f0, 0x1f7f0}, {0x1f90c, 0x1f93a},
    {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};
/* Combining marks and format characters that take no column. */
static const struct range narrowest[] = {
    {0x0300, 0x036f}, {0x0483, 0x0489}, {0x0591, 0x05bd}, {0x0610, 0x061a}, {0x064b, 0x065f},
    {0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
    {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2064}, {0x20d0, 0x20f0}, {0x302a, 0x302d},
    {0x3099, 0x309a}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef},
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t count)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c > ranges[middle].last)
            low = middle + 1;
        else if (c < ranges[middle].first)
            high = middle;
        else
            return true;
    }
    return false;
}

static size_t char_width(uint32_t c)
{
    if (c < 0x300)
        return 1;
    if (in_ranges(c, narrowest, sizeof narrowest / sizeof *narrowest))
        return 0;
    return in_ranges(c, wide, sizeof wide / sizeof *wide) ? 2 : 1;
}

/* One step: bytes taken and columns needed. */
static size_t step(const char *p, const char *end, size_t *columns)
{
    uint32_t c;
    size_t n = text_char(p, end, &c);
    *columns = n ? char_width(c) : 1;
    return n ? n : 1;
}

size_t text_width(struct slice text)
{
    const char *end = text.p + text.n;
    size_t width = 0;
    for (const char *p = text.p; p < end;) {
        size_t columns;
        p += step(p, end, &columns);
        width += columns;
    }
    return width;
}

struct slice text_cut(struct slice text, size_t width)
{
    const char *end = text.p + text.n;
    const char *p = text.p;
    size_t used = 0;
    while (p < end) {
        size_t columns;
        size_t n = step(p, end, &columns);
        if (used + columns > width)
            break;
        /* A character cut off by the end of the slice is no whole one. */
        if (text_char(p, end, NULL) == 0 && lead_bytes((unsigned char)*p) > (size_t)(end - p))
            break;
        used += columns;
        p += n;
    }
    return (struct slice){text.p, (size_t)(p - text.p)};
}

static void add_replacement(struct buf *out) { buf_add(out, "\xef\xbf\xbd", 3); }

void text_add_clean(struct buf *out, struct slice text)
{
    const char *end = text.p + text.n;
    for (const char *p = text.p; p < end;) {
        size_t n = text_char(p, end, NULL);
        if (n)
            buf_add(out, p, n);
        else
            add_replacement(out);
        p += n ? n : 1;
    }
}

static void add_escape(struct buf *out, unsigned char c)
{
    static const char names[128] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"', ['\\'] = '\\'};
    buf_add_byte(out, '\\');
    if (names[c])
        buf_add_byte(out, (uint8_t)names[c]);
    else
        buf_addf(out, "u%04x", c);
}

void text_add_json(struct buf *out, struct slice text)
{
    const char *end = text.p + text.n;
    buf_add_byte(out, '"');
    for (const char *p = text.p; p < end;) {
        unsigned char c = (unsigned char)*p;
        size_t n = text_char(p, end, NULL);
        if (n == 0)
            add_replacement(out);
        else if (c < ' ' || c == '"' || c == '\\' || c == 0x7f)
            add_escape(out, c);
        else
            buf_add(out, p, n);
        p += n ? n : 1;
    }
    buf_add_byte(out, '"');
}
