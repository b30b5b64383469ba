"""What the crm-maven data must give, recomputed from its CSV files alone (formats 2.2, 2.5, 5; semantics 0.6, 2, 3).

    python3 oracle_crm.py FOLDER                  prints the totals
    python3 oracle_crm.py FOLDER rows.ndjson      compares with `paceline show funnel --tenant maven --json --all`

No code of the product is used: each opportunity is at most two stage visits (ENGAGING, then WON or LOST), or one in
PROSPECTING. ENGAGING is the second stage, so its leads have passed PROSPECTING: they count there in `reached`. All
instants are local midnights, so a window is a set of days. Every row of dimension `all` is computed: counts and
amounts, and the ratios made of them. Exit 1 and the first differences if a row differs.
"""
import collections
import csv
import datetime
import json
import os
import sys
import zoneinfo

ZONE = zoneinfo.ZoneInfo("America/New_York")
LAST_DAY = datetime.date(2017, 12, 31)
FIRST_DAY = datetime.date(2016, 10, 20)
DAY = datetime.timedelta(days=1)
STAGES = ("PROSPECTING", "ENGAGING", "WON", "LOST")
OPEN = STAGES[:2]
KEPT_DAYS = 400
# Rolling windows at T = 2017-12-31 00:00 in New York; the panes of r7d begin after the midnight seven days back.
ROLLING = {"r1h": 1, "r24h": 1, "r7d": 7, "r30d": 30, "r90d": 90}
OF_NODES = {"r1h", "r24h", "r7d"}


def read(folder, name):
    with open(os.path.join(folder, name), newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def instant(day):
    local = datetime.datetime.combine(day, datetime.time(), ZONE)
    return local.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def ratio(part, whole):
    """ppm, half-even; null where there is nothing to divide by."""
    if not whole:
        return None
    quotient, rest = divmod(part * 10 ** 6, whole)
    return quotient + (2 * rest > whole or (2 * rest == whole and quotient % 2))


def paths(folder):
    return {row["sales_agent"]: ["rep:" + row["sales_agent"], row["manager"], row["regional_office"], "maven"]
            for row in read(folder, "sales_teams.csv")}


class Org:
    """What happened in one node or to one rep: {(kind, stage): {day: [count, amount]}}."""

    def __init__(self):
        self.days = collections.defaultdict(lambda: collections.defaultdict(lambda: [0, 0]))

    def add(self, kind, stage, day, amount=0):
        cell = self.days[(kind, stage)][day]
        cell[0] += 1
        cell[1] += amount

    def count(self, kind, stage, first, last, part=0):
        return sum(cell[part] for day, cell in self.days[(kind, stage)].items() if first <= day <= last)

    def occupancy(self, stage, last):
        into = self.count("entries", stage, FIRST_DAY, last)
        return into - sum(self.count(kind, stage, FIRST_DAY, last) for kind in ("win", "lose"))


def orgs(folder):
    all_orgs = collections.defaultdict(Org)
    path_of = paths(folder)
    for row in read(folder, "sales_pipeline.csv"):
        for name in path_of[row["sales_agent"]]:
            fill(all_orgs[name], row)
    return all_orgs


def fill(org, row):
    if row["deal_stage"] == "Prospecting":
        org.add("entries", "PROSPECTING", LAST_DAY)
        org.add("reached", "PROSPECTING", LAST_DAY)
        return
    day = datetime.date.fromisoformat(row["engage_date"])
    org.add("entries", "ENGAGING", day)
    org.add("reached", "ENGAGING", day)
    org.add("reached", "PROSPECTING", day)
    if row["deal_stage"] == "Engaging":
        return
    closed = datetime.date.fromisoformat(row["close_date"])
    won = row["deal_stage"] == "Won"
    org.add("win" if won else "lose", "ENGAGING", closed)
    org.add("entries", "WON" if won else "LOST", closed, int(row["close_value"]) * 100 if won else 0)


def windows(is_rep):
    """(window, start as rows write it, first day, last day)"""
    yield "total", None, FIRST_DAY, LAST_DAY
    yield "now", None, LAST_DAY, LAST_DAY
    for name, days in ROLLING.items():
        if name not in OF_NODES or not is_rep:
            yield name, None, LAST_DAY - (days - 1) * DAY, LAST_DAY
    for n in range((LAST_DAY - FIRST_DAY).days + 1):
        day = FIRST_DAY + n * DAY
        yield "day", instant(day), day, day
    week = FIRST_DAY - FIRST_DAY.weekday() * DAY
    while week <= LAST_DAY:
        yield "week", instant(week), week, week + 6 * DAY
        week += 7 * DAY
    for year, months in ((2016, range(10, 13)), (2017, range(1, 13))):
        for month in months:
            first = datetime.date(year, month, 1)
            yield "month", instant(first), first, datetime.date(year + month // 12, month % 12 + 1, 1) - DAY


def figures_of(org, window, first, last):
    """{(stage, metric, class): (value, n)} of one window."""
    out = {}
    entries = {s: org.count("entries", s, first, last) for s in STAGES}
    win, lose = (org.count(kind, "ENGAGING", first, last) for kind in ("win", "lose"))
    for stage in STAGES:
        out[(stage, "occupancy", None)] = (org.occupancy(stage, last),) * 2
        amount, n = (org.count("entries", stage, FIRST_DAY, last, 1), org.count("entries", stage, FIRST_DAY, last)) if stage == "WON" else (0, 0)
        out[(stage, "occupancy_amount", None)] = (amount, n)
        if window == "now":
            continue
        out[(stage, "entries", None)] = (entries[stage],) * 2
        for name, value in (("win", win), ("lose", lose)):
            value = value if stage == "ENGAGING" else 0
            out[(stage, "exits", name)] = (value, value)
        exits = win + lose if stage == "ENGAGING" else 0
        for name in ("skip", "regress", "recycle"):
            out[(stage, "exit_rate", name)] = (ratio(0, exits), exits)
        if stage in OPEN:
            reached = org.count("reached", stage, first, last)
            out[(stage, "reached", None)] = (reached, reached)
            out[(stage, "conv_period", None)] = (ratio(win if exits else 0, exits), exits)
            out[(stage, "leak_share", None)] = (ratio(lose if stage == "ENGAGING" else 0, lose), lose)
    if window != "now":
        out[("PROSPECTING", "flow", None)] = (ratio(entries["ENGAGING"], entries["PROSPECTING"]), entries["PROSPECTING"])
        out[(None, "win_rate", None)] = (ratio(win, win + lose), win + lose)
    return out


def expected(folder):
    """{(org, stage, metric, class, window, start): (value, n)}"""
    out = {}
    for name, org in orgs(folder).items():
        for window, start, first, last in windows(name.startswith("rep:")):
            for (stage, metric, class_name), pair in figures_of(org, window, first, last).items():
                out[(name, stage, metric, class_name, window, start)] = pair
    return out


def totals(folder):
    """The table of formats 2.5, and order_amount (minor units) by org and month."""
    rows = read(folder, "sales_pipeline.csv")
    path_of = paths(folder)
    amount, by_month, count = collections.Counter(), collections.Counter(), collections.Counter()
    for row in rows:
        count[row["deal_stage"]] += 1
        if row["deal_stage"] != "Won":
            continue
        for org in path_of[row["sales_agent"]]:
            amount[org] += int(row["close_value"]) * 100
            by_month[(org, row["close_date"][:7])] += int(row["close_value"]) * 100
            count["won:" + org] += 1
    return {"stages": {key: value for key, value in count.items() if ":" not in key},
            "won": {key[4:]: value for key, value in count.items() if key.startswith("won:")},
            "order_amount": dict(amount), "order_amount_by_month": dict(by_month),
            "members": len(path_of), "with_deals": len({row["sales_agent"] for row in rows})}


def figures(lines):
    """Rows of dimension `all`, by the same key. A rolling window and `now` are the only ones of their name."""
    seen = {}
    for line in lines:
        row = json.loads(line)
        if row["dim"] != "all":
            continue
        start = row["window_start"] if row["window"] in ("day", "week", "month") else None
        key = (row["org"], row["stage"], row["metric"], row["class"], row["window"], start)
        if key in seen:
            raise ValueError(f"twice: {key}")
        seen[key] = (row["value"], row["n"])
    return seen


def split_by_dimension(lines):
    """Rows of the other dimensions, by key and dimension: all leads lack a channel, all agents a tier."""
    parts = collections.defaultdict(dict)
    for line in lines:
        row = json.loads(line)
        start = row["window_start"] if row["window"] in ("day", "week", "month") else None
        if row["dim"] != "all":
            key = (row["org"], row["stage"], row["metric"], row["class"], row["window"], start)
            parts[(row["dim"], row["dim_value"])][key] = (row["value"], row["n"])
    return parts


def must_stand(key, pair):
    """A figure that is not 0 must have its row, unless its window is older than what is kept. A stock has rows for the
    days, weeks and months in which it was touched."""
    if not pair[0] or (key[2].startswith("occupancy") and key[4] in ("day", "week", "month")):
        return False
    kept = {"day": KEPT_DAYS - 1, "week": KEPT_DAYS - 7}.get(key[4])
    return kept is None or key[5] >= instant(LAST_DAY - kept * DAY)


def differences(folder, lines):
    """[(key, expected, seen)]. A figure that is 0 needs no row; a row says 0 where nothing happened."""
    want, seen = expected(folder), figures(lines)
    wrong = [(key, pair, None) for key, pair in want.items() if key not in seen and must_stand(key, pair)]
    return wrong + [(key, want.get(key, (0, 0)), pair) for key, pair in seen.items() if pair != want.get(key, (0, 0))]


def main(argv):
    folder = argv[1]
    if len(argv) < 3:
        result = totals(folder)
        result["order_amount_by_month"] = {f"{org} {month}": value for (org, month), value
                                           in sorted(result["order_amount_by_month"].items()) if org == "maven"}
        print(json.dumps(result, indent=1, ensure_ascii=False))
        return 0
    with open(argv[2], encoding="utf-8") as file:
        lines = file.readlines()
    wrong = differences(folder, lines)
    for key, want, seen in wrong[:20]:
        print("differs:", key, "expected", want, "seen", seen)
    print(f"{len(figures(lines))} rows compared, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
