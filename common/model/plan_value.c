/* plan_value.c -- parsers of the plan's small languages. */
#include "model/plan_value.h"

#include <stdio.h>

#define DAY_MS     86400000ll
#define SCALED_MAX 4000000000000000000ll

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool take(struct slice *text, char byte)
{
    if (!text->n || text->p[0] != byte)
        return false;
    *text = (struct slice){text->p + 1, text->n - 1};
    return true;
}

/* Exactly `digits` digits. */
static bool take_fixed(struct slice *text, size_t digits, int32_t *value)
{
    if (text->n < digits)
        return false;
    *value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!is_digit(text->p[i]))
            return false;
        *value = *value * 10 + (text->p[i] - '0');
    }
    *text = (struct slice){text->p + digits, text->n - digits};
    return true;
}

static bool ends_with(struct slice *text, const char *suffix)
{
    size_t n = strlen(suffix);
    if (text->n < n || memcmp(text->p + text->n - n, suffix, n) != 0)
        return false;
    text->n -= n;
    return true;
}

bool plan_parse_decimal(struct slice text, unsigned digits, int64_t *scaled)
{
    bool negative = take(&text, '-');
    int64_t value = 0;
    unsigned decimals = 0;
    bool point = false;
    if (!text.n || !is_digit(text.p[0]) || !is_digit(text.p[text.n - 1]))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (!is_digit(text.p[i]))
            return false;
        if (point && decimals == digits) { /* only zeros may follow */
            if (text.p[i] != '0')
                return false;
            continue;
        }
        if (value > SCALED_MAX / 10)
            return false;
        value = value * 10 + (text.p[i] - '0');
        decimals += point;
    }
    for (; decimals < digits; decimals++) {
        if (value > SCALED_MAX / 10)
            return false;
        value *= 10;
    }
    *scaled = negative ? -value : value;
    return true;
}

bool plan_parse_int(struct slice text, int64_t *value)
{
    return !memchr(text.p ? text.p : "", '.', text.n) && plan_parse_decimal(text, 0, value);
}

bool plan_parse_duration(struct slice text, struct plan_duration *duration)
{
    /* Longest suffix first: "wd" before "d". `scale` = units of the result in one of the text. */
    static const struct {
        const char *suffix;
        enum duration_unit unit;
        int64_t scale, day_units; /* day_units: of the result in a day, for the bound */
    } units[] = {
        {"wm", DURATION_WORKING, 60000, DAY_MS},     {"wh", DURATION_WORKING, 3600000, DAY_MS},
        {"wd", DURATION_WORKDAYS, 1000, 1000},       {"ms", DURATION_ELAPSED, 1, DAY_MS},
        {"s", DURATION_ELAPSED, 1000, DAY_MS},       {"m", DURATION_ELAPSED, 60000, DAY_MS},
        {"h", DURATION_ELAPSED, 3600000, DAY_MS},    {"d", DURATION_ELAPSED, DAY_MS, DAY_MS},
        {"w", DURATION_ELAPSED, 7 * DAY_MS, DAY_MS},
    };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        struct slice number = text;
        if (!ends_with(&number, units[i].suffix))
            continue;
        int64_t milli;
        if (!plan_parse_decimal(number, 3, &milli) || milli < 0)
            return false;
        __int128 amount = (__int128)milli * units[i].scale;
        if (amount % 1000 != 0 || amount / 1000 > (__int128)DURATION_DAYS_MAX * units[i].day_units)
            return false;
        *duration = (struct plan_duration){units[i].unit, (int64_t)(amount / 1000)};
        return true;
    }
    return false;
}

int64_t plan_elapsed_ms(struct slice text, int64_t otherwise)
{
    struct plan_duration duration;
    return plan_parse_duration(text, &duration) && duration.unit == DURATION_ELAPSED ? duration.amount : otherwise;
}

static bool take_date(struct slice *text, int32_t *day)
{
    int32_t year, month, date;
    if (!take_fixed(text, 4, &year) || !take(text, '-') || !take_fixed(text, 2, &month) || !take(text, '-') ||
        !take_fixed(text, 2, &date) || year < 1 || month < 1 || month > 12 || date < 1)
        return false;
    *day = date_from_civil(year, month, date);
    int32_t y, m, d;
    date_to_civil(*day, &y, &m, &d);
    return y == year && m == month && d == date;
}

bool plan_parse_date(struct slice text, int32_t *day) { return take_date(&text, day) && text.n == 0; }

bool plan_parse_dates(struct slice text, int32_t *first, int32_t *last)
{
    if (!take_date(&text, first))
        return false;
    *last = *first;
    if (!text.n)
        return true;
    /* NOLINTNEXTLINE(misc-redundant-expression): take moves on */
    return take(&text, '.') && take(&text, '.') && plan_parse_date(text, last) && *last >= *first;
}

static void months_span(int32_t year, int32_t month, int32_t months, int32_t *first, int32_t *last)
{
    *first = date_from_civil(year, month, 1);
    int32_t next = month - 1 + months;
    *last = date_from_civil(year + next / 12, next % 12 + 1, 1) - 1;
}

bool plan_parse_period(struct slice text, int32_t *first, int32_t *last)
{
    struct slice rest = text;
    int32_t year, part;
    if (!take_fixed(&rest, 4, &year) || year < 1)
        return false;
    if (!rest.n) {
        months_span(year, 1, 12, first, last);
        return true;
    }
    if (!take(&rest, '-'))
        return false;
    if (take(&rest, 'Q')) {
        if (!take_fixed(&rest, 1, &part) || rest.n || part < 1 || part > 4)
            return false;
        months_span(year, part * 3 - 2, 3, first, last);
        return true;
    }
    if (take_fixed(&rest, 2, &part) && !rest.n) {
        if (part < 1 || part > 12)
            return false;
        months_span(year, part, 1, first, last);
        return true;
    }
    return plan_parse_dates(text, first, last);
}

static bool take_fraction(struct slice *text, int32_t *ms)
{
    *ms = 0;
    if (!take(text, '.'))
        return true;
    size_t n = 0;
    for (; n < text->n && is_digit(text->p[n]); n++)
        if (n < 3)
            *ms = *ms * 10 + (text->p[n] - '0');
    for (size_t i = n; i < 3; i++)
        *ms *= 10;
    *text = (struct slice){text->p + n, text->n - n};
    return n >= 1 && n <= 9;
}

static bool take_offset(struct slice *text, int32_t *offset_s)
{
    *offset_s = 0;
    if (take(text, 'Z') || take(text, 'z'))
        return true;
    bool west = text->n && text->p[0] == '-';
    int32_t hours, minutes;
    if ((!take(text, '+') && !take(text, '-')) || !take_fixed(text, 2, &hours) || !take(text, ':') ||
        !take_fixed(text, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset_s = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

bool plan_parse_instant(struct slice text, int64_t *at_ms)
{
    if (plan_parse_int(text, at_ms) && text.n != 4)
        return *at_ms >= -62135596800000ll && *at_ms < 253402300800000ll;
    int32_t day, hour, minute, second, ms, offset_s;
    if (!take_date(&text, &day) || (!take(&text, 'T') && !take(&text, 't')) || !take_fixed(&text, 2, &hour) ||
        !take(&text, ':') || !take_fixed(&text, 2, &minute) || !take(&text, ':') || !take_fixed(&text, 2, &second) ||
        !take_fraction(&text, &ms) || !take_offset(&text, &offset_s) || text.n)
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *at_ms = day * DAY_MS + ((hour * 60ll + minute) * 60 + second - offset_s) * 1000 + ms;
    return true;
}

bool plan_parse_when(struct slice text, const struct zone *zone, int64_t *at_ms)
{
    int32_t day;
    if (plan_parse_date(text, &day)) {
        *at_ms = zone_day_start_ms(zone, day);
        return true;
    }
    return plan_parse_instant(text, at_ms);
}

bool plan_parse_time(struct slice text, int32_t *minutes)
{
    int32_t hour, minute;
    if (!take_fixed(&text, 2, &hour) || !take(&text, ':') || !take_fixed(&text, 2, &minute) || text.n)
        return false;
    *minutes = hour * 60 + minute;
    return minute < 60 && *minutes <= 24 * 60;
}

bool plan_parse_hours(struct slice text, int32_t *from, int32_t *to)
{
    if (text.n != 11 || text.p[5] != '-')
        return false;
    return plan_parse_time((struct slice){text.p, 5}, from) && plan_parse_time((struct slice){text.p + 6, 5}, to) &&
           *from < *to;
}

bool plan_parse_weekday(struct slice text, uint8_t *weekday)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (uint8_t i = 0; i < 7; i++)
        if (slice_is(text, names[i])) {
            *weekday = i;
            return true;
        }
    return false;
}

static struct slice trim(struct slice text)
{
    while (text.n && text.p[0] == ' ')
        text = (struct slice){text.p + 1, text.n - 1};
    while (text.n && text.p[text.n - 1] == ' ')
        text.n--;
    return text;
}

static bool add_days(struct slice part, uint8_t *set)
{
    uint8_t first, last;
    const char *dash = part.n ? memchr(part.p, '-', part.n) : NULL;
    struct slice begin = dash ? (struct slice){part.p, (size_t)(dash - part.p)} : part;
    struct slice end = dash ? (struct slice){dash + 1, (size_t)(part.p + part.n - dash - 1)} : part;
    if (!plan_parse_weekday(begin, &first) || !plan_parse_weekday(end, &last) || first > last)
        return false;
    for (unsigned day = first; day <= last; day++) {
        if (*set >> day & 1)
            return false;
        *set = (uint8_t)(*set | 1u << day);
    }
    return true;
}

bool plan_parse_weekdays(struct slice text, uint8_t *set)
{
    *set = 0;
    for (;;) {
        const char *comma = text.n ? memchr(text.p, ',', text.n) : NULL;
        size_t n = comma ? (size_t)(comma - text.p) : text.n;
        if (!add_days(trim((struct slice){text.p, n}), set))
            return false;
        if (!comma)
            return true;
        text = (struct slice){comma + 1, text.n - n - 1};
    }
}

bool plan_parse_percent(struct slice text, int64_t *ppm)
{
    return ends_with(&text, "%") && plan_parse_decimal(text, 4, ppm) && *ppm >= 0;
}

bool plan_parse_points(struct slice text, int64_t *ppm)
{
    return ends_with(&text, "pp") && plan_parse_decimal(text, 4, ppm);
}

/* --- ids --- */

static bool is_personal(struct slice text)
{
    size_t at = 0, dots_behind = 0, ats = 0;
    bool digits = text.n > 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == ' ')
            return false;
        if (c == '@') {
            ats++;
            at = i;
        }
        /* a dot of the domain that has something on both sides */
        dots_behind += c == '.' && ats && i > at + 1 && i + 1 < text.n;
        digits = digits && (is_digit(text.p[i]) || (i == 0 && c == '+'));
    }
    if (ats == 1 && at > 0 && dots_behind)
        return true;
    if (!digits)
        return false;
    if (text.p[0] == '+')
        return text.n >= 8 && text.n <= 16;
    return text.n == 11 && text.p[0] == '1' && text.p[1] >= '3';
}

/* Length of the UTF-8 sequence at p, 0 if it is none (overlong, surrogate, beyond U+10FFFF). */
static size_t utf8_length(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
        (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

bool plan_is_id(struct slice text)
{
    if (text.n < 1 || text.n > 64 || is_personal(text))
        return false;
    const unsigned char *p = (const unsigned char *)text.p;
    for (size_t i = 0, n; i < text.n; i += n) {
        n = utf8_length(p + i, text.n - i);
        if (!n || p[i] < 0x20 || p[i] == 0x7f)
            return false;
    }
    return true;
}

bool plan_is_plan_id(struct slice text)
{
    if (!plan_is_id(text) || (text.n >= 4 && memcmp(text.p, "rep:", 4) == 0))
        return false;
    for (size_t i = 0; i < text.n; i++)
        if (memchr("/@=|{}\"", text.p[i], 7))
            return false;
    return !slice_is(text, "all") && !slice_is(text, "other") && !slice_is(text, "unassigned");
}

bool plan_is_tenant(struct slice text)
{
    if (!plan_is_id(text))
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool word = is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!word && (i == 0 || !memchr("._-", c, 3)))
            return false;
    }
    return true;
}

void plan_format_date(int32_t day, char text[static PLAN_INSTANT_BYTES])
{
    int32_t year, month, date;
    date_to_civil(day, &year, &month, &date);
    snprintf(text, PLAN_INSTANT_BYTES, "%04d-%02d-%02d", year, month, date);
}

void plan_format_instant(int64_t at_ms, char text[static PLAN_INSTANT_BYTES])
{
    int64_t day = at_ms / DAY_MS - (at_ms % DAY_MS < 0);
    int32_t ms = (int32_t)(at_ms - day * DAY_MS), year, month, date;
    date_to_civil((int32_t)day, &year, &month, &date);
    snprintf(text, PLAN_INSTANT_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month, date, ms / 3600000,
             ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
}
