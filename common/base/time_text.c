/* time_text.c -- see time_text.h. Civil dates by Howard Hinnant's era arithmetic (days_from_civil). */
#include "base/time_text.h"

#include <assert.h>
#include <stdio.h>

#define MS_OF_SECOND INT64_C(1000)
#define MS_OF_MINUTE (60 * MS_OF_SECOND)
#define MS_OF_HOUR   (60 * MS_OF_MINUTE)
#define MS_OF_DAY    (24 * MS_OF_HOUR)

enum {
    DAYS_MIN = -719162, /* 0001-01-01 */
    DAYS_MAX = 2932896, /* 9999-12-31 */
    FRACTION_DIGITS_MAX = 9,
    DURATION_DIGITS_MAX = 15,
    DURATION_DECIMALS_MAX = 3,
    DURATION_DAYS_MAX = 3660
};

static int32_t days_of(int32_t year, int32_t month, int32_t day)
{
    int32_t y = month <= 2 ? year - 1 : year;
    int32_t era = y / 400; /* y >= 0: years begin at 1 */
    int32_t year_of_era = y - era * 400;
    int32_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void civil_of(int32_t days, int32_t *year, int32_t *month, int32_t *day)
{
    int32_t z = days + 719468; /* >= 0 within years 1..9999 */
    int32_t era = z / 146097;
    int32_t day_of_era = z - era * 146097;
    int32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t m = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

static int32_t month_days(int32_t year, int32_t month)
{
    static const uint8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month] + (month == 2 && leap);
}

/* Reading: each step takes from the front of `rest` or fails. */
static bool take_char(struct slice *rest, char c)
{
    if (rest->n == 0 || *rest->p != c)
        return false;
    rest->p++;
    rest->n--;
    return true;
}

static bool take_number(struct slice *rest, size_t digits, int32_t *value)
{
    if (rest->n < digits)
        return false;
    *value = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = rest->p[i];
        if (c < '0' || c > '9')
            return false;
        *value = *value * 10 + (c - '0');
    }
    rest->p += digits;
    rest->n -= digits;
    return true;
}

static bool take_date(struct slice *rest, int32_t *days)
{
    int32_t year;
    int32_t month;
    int32_t day;
    if (!take_number(rest, 4, &year) || !take_char(rest, '-') || !take_number(rest, 2, &month) ||
        !take_char(rest, '-') || !take_number(rest, 2, &day))
        return false;
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
        return false;
    *days = days_of(year, month, day);
    return true;
}

/* ".5", ".123456789": milliseconds, the rest is cut off. */
static bool take_fraction(struct slice *rest, int32_t *ms)
{
    *ms = 0;
    if (!take_char(rest, '.'))
        return true;
    int32_t weight = 100;
    size_t digits = 0;
    int32_t digit;
    while (digits < FRACTION_DIGITS_MAX && take_number(rest, 1, &digit)) {
        *ms += digit * weight;
        weight /= 10;
        digits++;
    }
    return digits > 0;
}

static bool take_clock(struct slice *rest, int64_t *ms_of_day)
{
    int32_t hour;
    int32_t minute;
    int32_t second;
    int32_t ms;
    if (!take_number(rest, 2, &hour) || !take_char(rest, ':') || !take_number(rest, 2, &minute) ||
        !take_char(rest, ':') || !take_number(rest, 2, &second) || !take_fraction(rest, &ms))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ms_of_day = hour * MS_OF_HOUR + minute * MS_OF_MINUTE + second * MS_OF_SECOND + ms;
    return true;
}

static bool take_offset(struct slice *rest, int64_t *offset_ms)
{
    *offset_ms = 0;
    if (take_char(rest, 'Z'))
        return true;
    bool west = take_char(rest, '-');
    int32_t hour;
    int32_t minute;
    if ((!west && !take_char(rest, '+')) || !take_number(rest, 2, &hour) || !take_char(rest, ':') ||
        !take_number(rest, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *offset_ms = (hour * MS_OF_HOUR + minute * MS_OF_MINUTE) * (west ? -1 : 1);
    return true;
}

bool instant_parse(struct slice text, int64_t *ms)
{
    struct slice rest = text;
    int32_t days;
    int64_t ms_of_day;
    int64_t offset_ms;
    if (!take_date(&rest, &days) || !take_char(&rest, 'T') || !take_clock(&rest, &ms_of_day) ||
        !take_offset(&rest, &offset_ms) || rest.n > 0)
        return false;
    int64_t at = days * MS_OF_DAY + ms_of_day - offset_ms;
    if (at < TIME_TEXT_MIN_MS || at > TIME_TEXT_MAX_MS)
        return false;
    *ms = at;
    return true;
}

bool instant_or_ms_parse(struct slice text, int64_t *ms)
{
    if (text.n >= 5 && text.p[4] == '-')
        return instant_parse(text, ms);
    struct slice rest = text;
    bool negative = take_char(&rest, '-');
    if (rest.n == 0 || rest.n > DURATION_DIGITS_MAX || (*rest.p == '0' && (rest.n > 1 || negative)))
        return false;
    int64_t value = 0;
    int32_t digit;
    while (rest.n) {
        if (!take_number(&rest, 1, &digit))
            return false;
        value = value * 10 + digit;
    }
    if (negative)
        value = -value;
    if (value < TIME_TEXT_MIN_MS || value > TIME_TEXT_MAX_MS)
        return false;
    *ms = value;
    return true;
}

bool date_parse(struct slice text, int32_t *days)
{
    int32_t value;
    if (!take_date(&text, &value) || text.n > 0)
        return false;
    *days = value;
    return true;
}

bool time_of_day_parse(struct slice text, bool end, int32_t *ms)
{
    int32_t hour;
    int32_t minute;
    if (!take_number(&text, 2, &hour) || !take_char(&text, ':') || !take_number(&text, 2, &minute) || text.n > 0 ||
        minute > 59)
        return false;
    if (hour > 23 && !(end && hour == 24 && minute == 0))
        return false;
    *ms = (int32_t)(hour * MS_OF_HOUR + minute * MS_OF_MINUTE);
    return true;
}

static void put_number(char *out, int32_t value, size_t digits)
{
    for (size_t i = digits; i-- > 0; value /= 10)
        out[i] = (char)('0' + value % 10);
}

static void put_date(char *out, int32_t days)
{
    int32_t year;
    int32_t month;
    int32_t day;
    civil_of(days, &year, &month, &day);
    put_number(out, year, 4);
    out[4] = '-';
    put_number(out + 5, month, 2);
    out[7] = '-';
    put_number(out + 8, day, 2);
}

size_t date_print(int32_t days, char out[DATE_TEXT_BYTES])
{
    days = days < DAYS_MIN ? DAYS_MIN : days > DAYS_MAX ? DAYS_MAX : days;
    put_date(out, days);
    out[DATE_TEXT_BYTES - 1] = '\0';
    return DATE_TEXT_BYTES - 1;
}

size_t instant_print(int64_t ms, char out[INSTANT_TEXT_BYTES])
{
    ms = ms < TIME_TEXT_MIN_MS ? TIME_TEXT_MIN_MS : ms > TIME_TEXT_MAX_MS ? TIME_TEXT_MAX_MS : ms;
    int64_t days = ms / MS_OF_DAY;
    int64_t rest = ms % MS_OF_DAY;
    if (rest < 0) {
        rest += MS_OF_DAY;
        days--;
    }
    memcpy(out, "0000-00-00T00:00:00.000Z", INSTANT_TEXT_BYTES);
    put_date(out, (int32_t)days);
    put_number(out + 11, (int32_t)(rest / MS_OF_HOUR), 2);
    put_number(out + 14, (int32_t)(rest / MS_OF_MINUTE % 60), 2);
    put_number(out + 17, (int32_t)(rest / MS_OF_SECOND % 60), 2);
    put_number(out + 20, (int32_t)(rest % MS_OF_SECOND), 3);
    return INSTANT_TEXT_BYTES - 1;
}

/* Largest first within a kind: printing takes the first that fits. `thousandths` of one unit, in the amount's unit. */
static const struct unit {
    const char *name;
    enum duration_kind kind;
    int64_t size; /* of 1 unit, in the amount's unit */
} units[] = {
    {"w", DURATION_ELAPSED, 7 * MS_OF_DAY}, {"d", DURATION_ELAPSED, MS_OF_DAY},     {"h", DURATION_ELAPSED, MS_OF_HOUR},
    {"m", DURATION_ELAPSED, MS_OF_MINUTE},  {"s", DURATION_ELAPSED, MS_OF_SECOND},  {"ms", DURATION_ELAPSED, 1},
    {"wh", DURATION_WORKING, MS_OF_HOUR},   {"wm", DURATION_WORKING, MS_OF_MINUTE}, {"wd", DURATION_WORKING_DAYS, 1000},
};
enum { UNIT_COUNT = sizeof units / sizeof *units };

static int64_t amount_max(enum duration_kind kind)
{
    return kind == DURATION_WORKING_DAYS ? DURATION_DAYS_MAX * INT64_C(1000) : DURATION_DAYS_MAX * MS_OF_DAY;
}

/* Thousandths of the number in front, as many digits as it has. */
static bool take_thousandths(struct slice *rest, int64_t *value)
{
    int32_t digit;
    size_t digits = 0;
    *value = 0;
    for (; digits < DURATION_DIGITS_MAX && take_number(rest, 1, &digit); digits++)
        *value = *value * 10 + digit;
    if (digits == 0)
        return false;
    size_t decimals = 0;
    if (take_char(rest, '.'))
        for (; decimals < DURATION_DECIMALS_MAX && take_number(rest, 1, &digit); decimals++)
            *value = *value * 10 + digit;
    else
        decimals = 0;
    if (decimals == 0 && rest->p[-1] == '.')
        return false;
    for (; decimals < DURATION_DECIMALS_MAX; decimals++)
        if (__builtin_mul_overflow(*value, 10, value))
            return false;
    return true;
}

bool duration_parse(struct slice text, struct duration *duration)
{
    int64_t thousandths;
    if (!take_thousandths(&text, &thousandths))
        return false;
    for (size_t i = 0; i < UNIT_COUNT; i++) {
        if (!slice_is(text, units[i].name))
            continue;
        int64_t product;
        if (__builtin_mul_overflow(thousandths, units[i].size, &product) || product % 1000 ||
            product / 1000 > amount_max(units[i].kind))
            return false;
        *duration = (struct duration){units[i].kind, product / 1000};
        return true;
    }
    return false;
}

bool duration_parse_ms(struct slice text, int64_t *ms)
{
    struct duration duration;
    if (!duration_parse(text, &duration) || duration.kind != DURATION_ELAPSED)
        return false;
    *ms = duration.amount;
    return true;
}

/* A unit is right when the amount is at least one of it and a whole number of its thousandths; weeks are not used. */
static bool unit_fits(const struct unit *unit, struct duration duration)
{
    if (unit->kind != duration.kind || unit->size == 7 * MS_OF_DAY)
        return false;
    return duration.amount >= unit->size && duration.amount * 1000 % unit->size == 0;
}

size_t duration_print(struct duration duration, char out[DURATION_TEXT_BYTES])
{
    assert(duration.amount >= 0 && duration.amount <= amount_max(duration.kind));
    const struct unit *unit = NULL;
    for (size_t i = 0; i < UNIT_COUNT && !unit; i++)
        if (unit_fits(&units[i], duration))
            unit = &units[i];
    for (size_t i = UNIT_COUNT; i-- > 0 && !unit;) /* less than one of anything: the smallest of its kind */
        if (units[i].kind == duration.kind)
            unit = &units[i];
    assert(unit);
    int64_t thousandths = duration.amount * 1000 / unit->size;
    int n = snprintf(out, DURATION_TEXT_BYTES, "%lld", (long long)(thousandths / 1000));
    int64_t part = thousandths % 1000;
    if (part) {
        n += snprintf(out + n, (size_t)(DURATION_TEXT_BYTES - n), ".%03lld", (long long)part);
        while (out[n - 1] == '0')
            n--;
    }
    n += snprintf(out + n, (size_t)(DURATION_TEXT_BYTES - n), "%s", unit->name);
    return (size_t)n;
}
