#!/usr/bin/env python3
"""Writes zone_golden.txt: local time of many instants by Python's zoneinfo, an implementation that shares no code.

Lines: `zone NAME`; `at MS OFFSET_S`; `day DAY START_MS` (first instant of a local date, found by bisection on the
local clock); `wall DAY MS_OF_DAY FIRST_MS LAST_MS` (folds 0 and 1; gaps are left out: the rule there is the product's).
"""
import random
import sys
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

ZONES = ["UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Beirut",
         "America/St_Johns", "Pacific/Apia", "Asia/Kathmandu", "Europe/London", "Europe/Dublin", "Africa/Casablanca",
         "America/Nuuk", "Asia/Tehran"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def local(zone, ms):
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(zone)


def offset_s(zone, ms):
    return int(local(zone, ms).utcoffset().total_seconds())


def first_instant(zone, day):
    """First instant whose local date is at or after `day`: minutes of two days, one by one."""
    want = date(1970, 1, 1) + timedelta(days=day)
    at = day * 86400000 - 26 * 3600000
    while local(zone, at).date() < want:
        at += 60000
    return at


def wall(zone, day, ms_of_day):
    naive = datetime(1970, 1, 1) + timedelta(days=day, milliseconds=ms_of_day)
    found = []
    for fold in (0, 1):
        aware = naive.replace(tzinfo=zone, fold=fold)
        utc = aware.astimezone(timezone.utc)
        if utc.astimezone(zone).replace(tzinfo=None) != naive:
            return None
        found.append((utc - EPOCH) // timedelta(milliseconds=1))
    return found


def days_of_interest(rng, zone):
    days = [rng.randrange(7305, 47000) for _ in range(12)]
    for year in (1990, 1995, 2005, 2006, 2011, 2012, 2018, 2026, 2031, 2040, 2096):
        start = (date(year, 1, 1) - date(1970, 1, 1)).days
        for day in range(start, start + 365):
            if offset_s(zone, day * 86400000) != offset_s(zone, (day + 1) * 86400000):
                days += [day - 1, day, day + 1]
    return sorted(set(days))


def main():
    rng = random.Random(20260301)
    with open(sys.argv[1], "w", encoding="ascii") as out:
        for name in ZONES:
            zone = ZoneInfo(name)
            out.write(f"zone {name}\n")
            for day in days_of_interest(rng, zone):
                out.write(f"day {day} {first_instant(zone, day)}\n")
                for _ in range(4):
                    ms = day * 86400000 + rng.randrange(86400000)
                    out.write(f"at {ms} {offset_s(zone, ms)}\n")
                    ms_of_day = rng.randrange(8) * 1800000
                    both = wall(zone, day, ms_of_day)
                    if both:
                        out.write(f"wall {day} {ms_of_day} {min(both)} {max(both)}\n")


main()
