/* mapping_time.c -- instants as CSV files write them, in the zone of the mapping. See mapping_internal.h. */
#include "mapping_internal.h"

struct wall {
    int64_t year, month, day, hour, minute, second, ms;
    bool has_time;
    bool has_offset;
    int64_t offset_s;
};

struct scan {
    const char *p, *end;
};

static bool take_digits(struct scan *in, unsigned count, int64_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < count; i++, in->p++) {
        if (in->p == in->end || *in->p < '0' || *in->p > '9')
            return false;
        *value = *value * 10 + (*in->p - '0');
    }
    return true;
}

static bool take_char(struct scan *in, char c)
{
    if (in->p == in->end || *in->p != c)
        return false;
    in->p++;
    return true;
}

static bool take_fraction(struct scan *in, int64_t *ms)
{
    unsigned count = 0;
    *ms = 0;
    for (; in->p < in->end && *in->p >= '0' && *in->p <= '9'; in->p++, count++)
        if (count < 3)
            *ms = *ms * 10 + (*in->p - '0');
    for (unsigned i = count; i < 3; i++)
        *ms *= 10;
    return count >= 1 && count <= 9;
}

static bool take_offset(struct scan *in, struct wall *wall)
{
    wall->has_offset = true;
    if (take_char(in, 'Z') || take_char(in, 'z'))
        return true;
    bool negative = in->p < in->end && *in->p == '-';
    if (!negative && !(in->p < in->end && *in->p == '+'))
        return false;
    in->p++;
    int64_t hours, minutes;
    if (!take_digits(in, 2, &hours) || !take_char(in, ':') || !take_digits(in, 2, &minutes))
        return false;
    wall->offset_s = (hours * 60 + minutes) * 60 * (negative ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

/* YYYY-MM-DD[( or T)HH:MM[:SS[.fff]]][Z or offset] */
static bool parse_iso(struct scan in, struct wall *wall)
{
    if (!take_digits(&in, 4, &wall->year) || !take_char(&in, '-') || !take_digits(&in, 2, &wall->month) ||
        !take_char(&in, '-') || !take_digits(&in, 2, &wall->day))
        return false;
    if (in.p == in.end)
        return true;
    if (!take_char(&in, ' ') && !take_char(&in, 'T') && !take_char(&in, 't'))
        return false;
    wall->has_time = true;
    if (!take_digits(&in, 2, &wall->hour) || !take_char(&in, ':') || !take_digits(&in, 2, &wall->minute))
        return false;
    if (take_char(&in, ':') && !take_digits(&in, 2, &wall->second))
        return false;
    if (take_char(&in, '.') && !take_fraction(&in, &wall->ms))
        return false;
    if (in.p < in.end && !take_offset(&in, wall))
        return false;
    return in.p == in.end;
}

/* A number of one to `count` digits: files write 3/1/2017 as well as 03/01/2017. */
static bool take_some_digits(struct scan *in, unsigned count, int64_t *value)
{
    unsigned seen = 0;
    *value = 0;
    for (; seen < count && in->p < in->end && *in->p >= '0' && *in->p <= '9'; in->p++, seen++)
        *value = *value * 10 + (*in->p - '0');
    return seen > 0;
}

static int64_t *wall_field(struct wall *wall, char letter)
{
    switch (letter) {
    case 'Y':
        return &wall->year;
    case 'm':
        return &wall->month;
    case 'd':
        return &wall->day;
    case 'H':
        return &wall->hour;
    case 'M':
        return &wall->minute;
    case 'S':
        return &wall->second;
    default:
        return NULL;
    }
}

static bool parse_format(const char *format, struct scan in, struct wall *wall)
{
    for (; *format; format++) {
        if (*format != '%') {
            if (!take_char(&in, *format))
                return false;
            continue;
        }
        char letter = *++format;
        int64_t *field = wall_field(wall, letter);
        if (!field || !(letter == 'Y' ? take_digits(&in, 4, field) : take_some_digits(&in, 2, field)))
            return false;
        wall->has_time = wall->has_time || letter == 'H';
    }
    return in.p == in.end;
}

bool mapping_time_format_ok(struct slice format)
{
    bool year = false, month = false, day = false;
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%')
            continue;
        char letter = i + 1 < format.n ? format.p[++i] : '\0';
        struct wall wall;
        if (!wall_field(&wall, letter))
            return false;
        year = year || letter == 'Y';
        month = month || letter == 'm';
        day = day || letter == 'd';
    }
    return year && month && day && format.n < MAPPING_DATE_FORMAT_BYTES_MAX;
}

static bool in_range(const struct wall *wall, int32_t *day)
{
    if (wall->year < 1 || wall->month < 1 || wall->month > 12 || wall->day < 1 || wall->day > 31 || wall->hour > 23 ||
        wall->minute > 59 || wall->second > 59)
        return false;
    *day = date_from_civil((int32_t)wall->year, (int32_t)wall->month, (int32_t)wall->day);
    int32_t y, m, d;
    date_to_civil(*day, &y, &m, &d); /* the 30th of February comes back as another day */
    return d == wall->day && m == wall->month;
}

bool mapping_time_parse(const struct zone *zone, const char *format, struct slice text, int64_t *instant_ms,
                        int32_t *day)
{
    struct scan in = {text.p, text.p + text.n};
    struct wall wall = {0};
    if (!(format[0] && parse_format(format, in, &wall))) {
        wall = (struct wall){0};
        if (!parse_iso(in, &wall))
            return false;
    }
    if (!in_range(&wall, day))
        return false;
    int64_t of_day = ((wall.hour * 60 + wall.minute) * 60 + wall.second) * 1000 + wall.ms;
    if (wall.has_offset)
        *instant_ms = (int64_t)*day * 86400000 + of_day - wall.offset_s * 1000;
    else if (!wall.has_time)
        *instant_ms = zone_day_start_ms(zone, *day);
    else
        *instant_ms = zone_instant_ms(zone, *day, (int32_t)of_day, false);
    return true;
}
