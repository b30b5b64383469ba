/* tzif.c -- reads a compiled zone file (RFC 8536, version 2 or later) and its POSIX footer into transitions.
 *
 * The 64-bit block lists the known transitions; behind its last one the footer ("CST6CDT,M3.2.0,M11.1.0") goes on for
 * ever and is rolled out year by year. Abbreviations, DST flags and leap seconds are not read. A file is input: every
 * length is checked. Only `plan apply` and `import` come here; machines get the result in plan records. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "time/zone.h"

enum { TZIF_BYTES_MAX = 1024 * 1024, TZIF_HEADER_BYTES = 44, NAME_BYTES_MAX = 64, RULE_HOURS_MAX = 167 };

struct tzif {
    uint32_t time_count, type_count;
    const uint8_t *times;   /* time_count x 8 bytes */
    const uint8_t *indices; /* time_count x 1 byte */
    const uint8_t *types;   /* type_count x 6 bytes */
    struct slice footer;
};

/* One end of daylight saving: which day of a year, and when. */
struct footer_rule {
    char kind; /* 'M' month.week.weekday, 'J' day 1..365 without Feb 29, 'N' day 0..365 */
    int32_t month, week, weekday, day;
    int32_t time_s;
};
struct footer {
    int32_t standard_s, daylight_s;
    bool has_daylight;
    struct footer_rule start, end;
};

static uint32_t big32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static int64_t big64(const uint8_t *p) { return (int64_t)((uint64_t)big32(p) << 32 | big32(p + 4)); }

/* Bytes of one data block behind its header. */
static uint64_t block_bytes(const uint8_t *header, unsigned time_bytes)
{
    uint64_t isut = big32(header + 20), isstd = big32(header + 24), leap = big32(header + 28);
    uint64_t times = big32(header + 32), types = big32(header + 36), chars = big32(header + 40);
    return times * (time_bytes + 1) + types * 6 + chars + leap * (time_bytes + 4) + isstd + isut;
}

static bool is_header(struct slice file, uint64_t at)
{
    return at + TZIF_HEADER_BYTES <= file.n && memcmp(file.p + at, "TZif", 4) == 0;
}

static bool tzif_open(struct tzif *tzif, struct slice file)
{
    if (!is_header(file, 0) || file.p[4] < '2')
        return false;
    const uint8_t *bytes = (const uint8_t *)file.p;
    uint64_t second = TZIF_HEADER_BYTES + block_bytes(bytes, 4);
    if (!is_header(file, second))
        return false;
    const uint8_t *header = bytes + second;
    uint64_t body = second + TZIF_HEADER_BYTES, size = block_bytes(header, 8);
    if (body + size > file.n)
        return false;
    tzif->time_count = big32(header + 32);
    tzif->type_count = big32(header + 36);
    tzif->times = bytes + body;
    tzif->indices = tzif->times + (size_t)tzif->time_count * 8;
    tzif->types = tzif->indices + tzif->time_count;
    for (uint32_t i = 0; i < tzif->time_count; i++)
        if (tzif->indices[i] >= tzif->type_count)
            return false;
    struct slice footer = {file.p + body + size, file.n - (size_t)(body + size)};
    if (footer.n < 2 || footer.p[0] != '\n' || footer.p[footer.n - 1] != '\n')
        return false;
    tzif->footer = (struct slice){footer.p + 1, footer.n - 2};
    return tzif->type_count > 0;
}

static int32_t type_offset_s(const struct tzif *tzif, uint32_t type)
{
    return (int32_t)big32(tzif->types + (size_t)type * 6);
}

/* --- the footer: a POSIX TZ string --- */

static bool take_name(struct slice *text)
{
    size_t n = 0;
    bool quoted = text->n && text->p[0] == '<';
    while (n < text->n && (quoted ? text->p[n] != '>' : isalpha((unsigned char)text->p[n]) != 0))
        n++;
    if (quoted && n++ == text->n)
        return false;
    *text = (struct slice){text->p + n, text->n - n};
    return n >= 3;
}

static bool take_byte(struct slice *text, char byte)
{
    if (!text->n || text->p[0] != byte)
        return false;
    *text = (struct slice){text->p + 1, text->n - 1};
    return true;
}

static bool take_number(struct slice *text, int32_t min, int32_t max, int32_t *number)
{
    int32_t value = 0;
    size_t n = 0;
    for (; n < text->n && n < 4 && isdigit((unsigned char)text->p[n]); n++)
        value = value * 10 + (text->p[n] - '0');
    *text = (struct slice){text->p + n, text->n - n};
    *number = value;
    return n > 0 && value >= min && value <= max;
}

/* [+-]h[h][:mm[:ss]] */
static bool take_time(struct slice *text, int32_t *seconds)
{
    bool negative = take_byte(text, '-');
    if (!negative)
        take_byte(text, '+');
    int32_t hours, minutes = 0, rest = 0;
    if (!take_number(text, 0, RULE_HOURS_MAX, &hours))
        return false;
    if (take_byte(text, ':') && !take_number(text, 0, 59, &minutes))
        return false;
    if (take_byte(text, ':') && !take_number(text, 0, 59, &rest))
        return false;
    *seconds = (hours * 3600 + minutes * 60 + rest) * (negative ? -1 : 1);
    return true;
}

static bool take_rule(struct slice *text, struct footer_rule *rule)
{
    *rule = (struct footer_rule){.kind = 'N', .time_s = 2 * 3600};
    bool ok;
    if (take_byte(text, 'M')) {
        rule->kind = 'M';
        ok = take_number(text, 1, 12, &rule->month) && take_byte(text, '.') && take_number(text, 1, 5, &rule->week) &&
             take_byte(text, '.') && take_number(text, 0, 6, &rule->weekday);
    } else if (take_byte(text, 'J')) {
        rule->kind = 'J';
        ok = take_number(text, 1, 365, &rule->day);
    } else
        ok = take_number(text, 0, 365, &rule->day);
    if (ok && take_byte(text, '/'))
        ok = take_time(text, &rule->time_s);
    return ok;
}

static bool footer_parse(struct footer *footer, struct slice text)
{
    *footer = (struct footer){0};
    int32_t west_s;
    if (!take_name(&text) || !take_time(&text, &west_s))
        return false;
    footer->standard_s = -west_s; /* POSIX counts west of Greenwich */
    if (!text.n)
        return true;
    footer->has_daylight = true;
    footer->daylight_s = footer->standard_s + 3600;
    if (!take_name(&text))
        return false;
    if (text.n && text.p[0] != ',') {
        if (!take_time(&text, &west_s))
            return false;
        footer->daylight_s = -west_s;
    }
    return take_byte(&text, ',') && take_rule(&text, &footer->start) && take_byte(&text, ',') &&
           take_rule(&text, &footer->end) && text.n == 0;
}

static bool is_leap(int32_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

static int32_t rule_day(const struct footer_rule *rule, int32_t year)
{
    if (rule->kind == 'J')
        return date_from_civil(year, 1, 1) + rule->day - 1 + (is_leap(year) && rule->day >= 60);
    if (rule->kind == 'N')
        return date_from_civil(year, 1, 1) + rule->day;
    int32_t first = date_from_civil(year, rule->month, 1);
    int32_t next = rule->month == 12 ? date_from_civil(year + 1, 1, 1) : date_from_civil(year, rule->month + 1, 1);
    int32_t first_weekday = (date_weekday(first) + 1) % 7; /* 0 = Sunday, as POSIX counts */
    int32_t day = first + (rule->weekday - first_weekday + 7) % 7 + 7 * (rule->week - 1);
    return day >= next ? day - 7 : day;
}

static int64_t rule_ms(const struct footer_rule *rule, int32_t year, int32_t offset_before_s)
{
    return (rule_day(rule, year) * 86400ll + rule->time_s - offset_before_s) * 1000;
}

/* --- putting both together --- */

/* Keeps the offset before the range as the first one, drops moves that change nothing. */
struct collector {
    struct zone *zone;
    int64_t from_ms, to_ms;
    int32_t offset_s;
    bool overflow;
};

static void collect(struct collector *collector, int64_t at_ms, int32_t offset_s)
{
    if (at_ms >= collector->to_ms || offset_s == collector->offset_s)
        return;
    collector->offset_s = offset_s;
    if (at_ms < collector->from_ms)
        collector->zone->first_offset_s = offset_s;
    else if (!zone_add(collector->zone, at_ms, offset_s))
        collector->overflow = true;
}

static int32_t year_of_ms(int64_t at_ms)
{
    int32_t year, month, day;
    date_to_civil((int32_t)(at_ms / 86400000 - (at_ms % 86400000 < 0)), &year, &month, &day);
    return year;
}

static void collect_footer(struct collector *collector, const struct footer *footer, int64_t after_ms)
{
    if (!footer->has_daylight) {
        collect(collector, after_ms == INT64_MIN ? collector->from_ms - 1 : after_ms, footer->standard_s);
        return;
    }
    int64_t begin_ms = after_ms > collector->from_ms - 1 ? after_ms : collector->from_ms;
    int32_t last_year = year_of_ms(collector->to_ms);
    for (int32_t year = year_of_ms(begin_ms) - 1; year <= last_year; year++) {
        int64_t start_ms = rule_ms(&footer->start, year, footer->standard_s);
        int64_t end_ms = rule_ms(&footer->end, year, footer->daylight_s);
        bool north = start_ms < end_ms;
        int64_t moves_ms[2] = {north ? start_ms : end_ms, north ? end_ms : start_ms};
        int32_t offsets_s[2] = {north ? footer->daylight_s : footer->standard_s,
                                north ? footer->standard_s : footer->daylight_s};
        for (int i = 0; i < 2; i++)
            if (moves_ms[i] > after_ms)
                collect(collector, moves_ms[i], offsets_s[i]);
    }
}

static bool resolve_file(struct slice file, int64_t from_ms, int64_t to_ms, struct zone *zone)
{
    struct tzif tzif;
    if (!tzif_open(&tzif, file))
        return false;
    zone->first_offset_s = type_offset_s(&tzif, 0);
    struct collector collector = {zone, from_ms, to_ms, zone->first_offset_s, false};
    int64_t last_ms = INT64_MIN;
    for (uint32_t i = 0; i < tzif.time_count; i++) {
        int64_t at_s = big64(tzif.times + (size_t)i * 8);
        if (at_s < INT64_MIN / 2000 || at_s > INT64_MAX / 2000)
            continue;
        last_ms = at_s * 1000;
        collect(&collector, last_ms, type_offset_s(&tzif, tzif.indices[i]));
    }
    if (tzif.footer.n) {
        struct footer footer;
        if (!footer_parse(&footer, tzif.footer))
            return false;
        if (footer.has_daylight || tzif.time_count == 0)
            collect_footer(&collector, &footer, last_ms);
    }
    return !collector.overflow;
}

static bool is_zone_name(struct slice name)
{
    if (name.n == 0 || name.n > NAME_BYTES_MAX || name.p[0] == '/')
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!isalnum((unsigned char)name.p[i]) && !memchr("_+-/", name.p[i], 4))
            return false;
    return true;
}

static enum err_code read_file(const char *path, struct buf *bytes, struct err *err)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return err_set(err, ERR_CONFIG, "no such time zone: %s cannot be opened (is tzdata installed?)", path);
    buf_reserve(bytes, TZIF_BYTES_MAX);
    bytes->n = fread(bytes->p, 1, TZIF_BYTES_MAX, file);
    bool whole = !ferror(file) && fgetc(file) == EOF;
    fclose(file);
    return whole ? OK : err_set(err, ERR_CONFIG, "%s is no zone file", path);
}

enum err_code zone_resolve(const char *zoneinfo, struct slice name, int64_t from_ms, int64_t to_ms, struct zone *zone,
                           struct err *err)
{
    zone_init_utc(zone);
    if (!is_zone_name(name))
        return err_set(err, ERR_CONFIG, "not the name of a time zone: expected one like Asia/Shanghai");
    struct buf path, bytes;
    buf_init(&path);
    buf_init(&bytes);
    buf_addf(&path, "%s/%.*s", zoneinfo, SLICE_ARG(name));
    enum err_code code = read_file(buf_cstr(&path), &bytes, err);
    if (code == OK && !resolve_file(buf_slice(&bytes), from_ms, to_ms, zone))
        code = err_set(err, ERR_CONFIG, "%s is no zone file of version 2 or later", buf_cstr(&path));
    if (code != OK)
        zone_close(zone);
    buf_close(&bytes);
    buf_close(&path);
    return code;
}
