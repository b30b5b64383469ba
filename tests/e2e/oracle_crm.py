"""What the crm-maven data must give, recomputed from its CSV files alone (formats 2.2, 2.5; semantics 2, 3).

    python3 oracle_crm.py FOLDER                  prints the totals
    python3 oracle_crm.py FOLDER rows.ndjson      compares with `paceline show funnel --tenant maven --json --all`

No code of the product is used: each opportunity is at most two stage visits (ENGAGING, then WON or LOST), or one in
PROSPECTING. ENGAGING is the second stage, so its leads have passed PROSPECTING: they count there in `reached`.
Exit 1 and the first differences if a row differs.
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


def read(folder, name):
    with open(os.path.join(folder, name), newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def window_start(day, window):
    """The instant a local day or month begins, as rows write it."""
    if window == "total":
        return None
    first = day.replace(day=1) if window == "month" else day
    local = datetime.datetime.combine(first, datetime.time(), ZONE)
    return local.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


class Book:
    """Counters by (org, stage, metric, class, window, window_start)."""

    def __init__(self):
        self.rows = collections.Counter()

    def add(self, path, stage, metric, class_name, day, value=1):
        for org in path:
            for window in ("day", "month", "total"):
                if window != "day" and org.startswith("rep:"):
                    continue
                self.rows[(org, stage, metric, class_name, window, window_start(day, window))] += value

    def now(self, path, stage, metric, value):
        for org in path:
            if not org.startswith("rep:"):
                self.rows[(org, stage, metric, None, "now", None)] += value


def paths(folder):
    return {row["sales_agent"]: ["rep:" + row["sales_agent"], row["manager"], row["regional_office"], "maven"]
            for row in read(folder, "sales_teams.csv")}


def date(text):
    return datetime.date.fromisoformat(text)


def expected(folder):
    book = Book()
    path_of = paths(folder)
    for row in read(folder, "sales_pipeline.csv"):
        path, stage = path_of[row["sales_agent"]], row["deal_stage"]
        if stage == "Prospecting":
            book.add(path, "PROSPECTING", "entries", None, LAST_DAY)
            book.add(path, "PROSPECTING", "reached", None, LAST_DAY)
            book.now(path, "PROSPECTING", "occupancy", 1)
            continue
        day = date(row["engage_date"])
        book.add(path, "ENGAGING", "entries", None, day)
        book.add(path, "ENGAGING", "reached", None, day)
        book.add(path, "PROSPECTING", "reached", None, day)
        if stage == "Engaging":
            book.now(path, "ENGAGING", "occupancy", 1)
            continue
        end, class_name = ("WON", "win") if stage == "Won" else ("LOST", "lose")
        closed = date(row["close_date"])
        book.add(path, "ENGAGING", "exits", class_name, closed)
        book.add(path, end, "entries", None, closed)
        book.now(path, end, "occupancy", 1)
        if stage == "Won":
            book.now(path, "WON", "occupancy_amount", int(row["close_value"]) * 100)
    return book.rows


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


def figures(path):
    seen = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["dim"] != "all" or row["pipeline"] != "default":
                continue
            start = None if row["window"] == "now" else row["window_start"]
            seen[(row["org"], row["stage"], row["metric"], row["class"], row["window"], start)] = row["value"]
    return seen


def differences(folder, rows_path):
    """Days are kept 400 days only; what has expired cannot be shown and is left out of the comparison."""
    want, seen = expected(folder), figures(rows_path)
    oldest = window_start(LAST_DAY - datetime.timedelta(days=399), "day")
    wrong = []
    for key, value in want.items():
        if key[4] == "day" and key[5] < oldest:
            continue
        if seen.get(key, 0) != value:
            wrong.append((key, value, seen.get(key)))
    metrics = {"entries", "exits", "reached"}
    for key, value in seen.items():
        covered = key[4] == "day" or (key[4] in ("month", "total") and not key[0].startswith("rep:"))
        if key[2] in metrics and covered and value and key not in want:
            wrong.append((key, 0, value))
    return wrong


def main(argv):
    folder = argv[1]
    if len(argv) < 3:
        result = totals(folder)
        result["order_amount_by_month"] = {f"{org} {month}": value for (org, month), value
                                           in sorted(result["order_amount_by_month"].items()) if org == "maven"}
        print(json.dumps(result, indent=1, ensure_ascii=False))
        return 0
    wrong = differences(folder, argv[2])
    for key, want, seen in wrong[:20]:
        print("differs:", key, "expected", want, "seen", seen)
    print(f"{len(expected(folder))} rows expected, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
