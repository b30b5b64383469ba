/* date.c -- proleptic Gregorian days since 1970-01-01, by eras of 400 years counted from 1 March (the leap day is the
 * last of its year, so month lengths need no table). */
#include "time/zone.h"

enum { DAYS_PER_ERA = 146097, EPOCH_SHIFT_DAYS = 719468 };

static int32_t floor_div(int32_t a, int32_t b) { return a / b - (a % b < 0); }

int32_t date_from_civil(int32_t year, int32_t month, int32_t day)
{
    int32_t y = month <= 2 ? year - 1 : year;
    int32_t era = floor_div(y, 400);
    int32_t year_of_era = y - era * 400;
    int32_t month_from_march = (month + 9) % 12;
    int32_t day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - EPOCH_SHIFT_DAYS;
}

void date_to_civil(int32_t days, int32_t *year, int32_t *month, int32_t *day)
{
    int32_t z = days + EPOCH_SHIFT_DAYS;
    int32_t era = floor_div(z, DAYS_PER_ERA);
    int32_t day_of_era = z - era * DAYS_PER_ERA;
    int32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t month_from_march = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    *month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    *year = year_of_era + era * 400 + (*month <= 2);
}

uint8_t date_weekday(int32_t days)
{
    int32_t weekday = (days + 3) % 7; /* 1970-01-01 was a Thursday */
    return (uint8_t)(weekday < 0 ? weekday + 7 : weekday);
}
