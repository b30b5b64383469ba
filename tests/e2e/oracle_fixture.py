"""The answers of `paceline gen` against the rows of `paceline show funnel --json --all`.

    paceline gen --out company && ... import ... && paceline show funnel --tenant demo --json --all > rows.ndjson
    python3 oracle_fixture.py company/answers.json rows.ndjson

The generator books every move of its stories in counters of its own (services/cli/gen_book.h); this compares them row
by row. A row of the answers that the figures lack counts as 0: a cell that nothing touched is not printed. Exit 1 and
the first differences if any row differs.
"""
import json
import sys

METRICS = {"entries", "exits", "reached", "transfer_in", "transfer_out"}


def read_rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def key_of(row):
    return (row["org"], row["stage"], row["metric"], row["class"], row["window"],
            None if row["window"] == "now" else row["window_start"])


def figures_by_key(rows, pipeline="default"):
    """Rows of one pipeline and of dimension all; of `now` the instant is not part of the key."""
    return {key_of(row): row["value"] for row in rows
            if row["dim"] == "all" and row["pipeline"] == pipeline and row["metric"] in METRICS | {"occupancy", "occupancy_amount"}}


def differences(answers, rows, pipeline="default"):
    """[(key, expected, seen)], for metrics of the funnel; order_amount is another machine's."""
    seen = figures_by_key(rows, pipeline)
    wrong = []
    expected_keys = set()
    for row in answers["rows"]:
        if row["metric"] == "order_amount":
            continue
        key = key_of(row)
        expected_keys.add(key)
        if seen.get(key, 0) != row["value"]:
            wrong.append((key, row["value"], seen.get(key)))
    # What the figures count and the answers do not know, in the windows the answers cover.
    for key, value in seen.items():
        org, _, metric, _, window, _ = key
        covered = window == "day" or (window in ("month", "total") and not org.startswith("rep:"))
        if metric in METRICS and covered and value and key not in expected_keys:
            wrong.append((key, 0, value))
    return wrong


def main(argv):
    with open(argv[1], encoding="utf-8") as file:
        answers = json.load(file)
    wrong = differences(answers, read_rows(argv[2]))
    for key, expected, seen in wrong[:20]:
        print("differs:", key, "expected", expected, "seen", seen)
    print(f"{len(answers['rows'])} rows of answers, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
