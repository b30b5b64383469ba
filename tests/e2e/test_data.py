"""The public data sets, imported as lived by the shipped mappings: the totals of the contract, and every figure of every
agent, manager and office against a recomputation that reads nothing but the CSV (oracle_crm.py)."""
import csv
import decimal
import json
import shutil
import subprocess

import harness
import oracle_crm
import pytest

MAPPINGS = harness.ROOT / "deploy" / "mappings"
RETAIL = "online-retail-2010-12_2011-02"


def dry_run(tmp_path, mapping, folder):
    """No log is needed for it: only the files."""
    done = subprocess.run([str(harness.BIN / "paceline"), "import", "--mapping", str(MAPPINGS / mapping), str(folder), "--dry-run", "--json",
                           "--no-progress", "--dir", str(tmp_path / "none")], capture_output=True, text=True, timeout=harness.DEADLINE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def import_as_lived(paceline, mapping, folder):
    """As a user does it: a copy of the mapping of one's own, the folder of the data beside it or named."""
    summary = json.loads(paceline.run("import", "--mapping", MAPPINGS / mapping, folder, "--as-lived", "--json", "--no-progress",
                                      timeout=300).splitlines()[-1])
    assert (summary["duplicate"], summary["rejected"]) == (0, 0)
    assert summary["accepted"] == summary["read"] == sum(summary["types"].values())
    paceline.wait()
    return summary


def assert_conserved(paceline, records):
    """`records` and the begin and end of the run; the ends of the topics are asked of the broker."""
    ends, counters = paceline.topic_ends(), paceline.counters()
    assert ends["sales.import"] == records + 2
    assert counters["sales.import"] == {"accepted": records + 2, "duplicate": 0, "rejected": 0}
    for source, counts in counters.items():
        assert counts["accepted"] + counts["duplicate"] + counts["rejected"] == ends[source], source


def orders(paceline, tenant):
    """Orders as they stand in the ledger."""
    lines = paceline.run("tail", "ledger", "--from", "begin", "--once", "--tenant", tenant, timeout=300).splitlines()
    events = [json.loads(text).get("event", {}) for text in lines]
    return [e for e in events if e.get("type") == "order"]


def added_up(all_orders, by):
    """Minor units by a property of the order."""
    out = {}
    for order in all_orders:
        out[by(order)] = out.get(by(order), 0) + order["net_amount"]
    return out


def rows_of(folder, name):
    with open(folder / name, newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


# ---- crm-maven

@pytest.fixture
def maven(paceline, data):
    summary = import_as_lived(paceline, "crm-maven.yaml", data / "crm-maven")
    return paceline, data / "crm-maven", summary


def test_crm_maven_gives_the_totals_of_the_contract_and_every_figure_of_its_csv(maven):
    paceline, folder, summary = maven
    assert summary["types"] == {"lead": 15511, "order": 4238, "plan": 48}
    assert (summary["rows"], summary["skipped_rows"], summary["failed_rows"]) == (8835, 0, 0)
    assert summary["last"] == "2017-12-31T05:00:00.000Z"
    assert_conserved(paceline, 15511 + 4238 + 48)
    lines = paceline.run("show", "funnel", "--tenant", "maven", "--all", "--json", timeout=600).splitlines()
    seen = oracle_crm.figures(lines)

    def now(org, stage, metric="occupancy"):
        return seen[(org, stage, metric, None, "now", None)][0]

    assert {s: now("maven", s) for s in oracle_crm.STAGES} == {"WON": 4238, "LOST": 2473, "ENGAGING": 1589, "PROSPECTING": 500}
    assert now("maven", "WON", "occupancy_amount") == 1000553400
    offices = {"West": (356864700, 1438), "Central": (334629300, 1629), "East": (309059400, 1171)}
    assert {o: (now(o, "WON", "occupancy_amount"), now(o, "WON")) for o in offices} == offices
    agents = {org for org, *_ in seen if org.startswith("rep:")}
    teams = {r["manager"] for r in rows_of(folder, "sales_teams.csv")}
    assert (len(agents), len(teams)) == (30, 6)
    assert {org for org, *_ in seen} == agents | teams | set(offices) | {"maven"}
    assert oracle_crm.differences(str(folder), lines) == []
    # The agents have no tier and the leads no channel: each of these dimensions has one value, which is everything.
    nodes = {key: pair for key, pair in seen.items() if not key[0].startswith("rep:")}
    parts = oracle_crm.split_by_dimension(lines)
    assert set(parts) == {("source_channel", "unassigned"), ("owner_tier", "unassigned")}
    assert all(part == nodes for part in parts.values())


def test_crm_maven_orders_are_those_of_the_csv(maven):
    paceline, folder, _ = maven
    all_orders = orders(paceline, "maven")
    assert len(all_orders) == 4238
    assert sum(o["net_amount"] for o in all_orders) == 1000553400
    totals = oracle_crm.totals(str(folder))
    by_rep = added_up(all_orders, lambda o: "rep:" + o["splits"][0]["rep_id"])
    assert by_rep == {org: amount for org, amount in totals["order_amount"].items() if org.startswith("rep:")}
    assert (totals["members"], totals["with_deals"]) == (35, 30)
    assert "GTXPro" not in {o["lines"][0]["sku"] for o in all_orders}
    without_account = sum(not row["account"] for row in rows_of(folder, "sales_pipeline.csv"))
    assert without_account == 1425


# ---- northwind

def test_northwind_gives_its_totals(paceline, data, tmp_path):
    folder = data / "northwind"
    summary = import_as_lived(paceline, "northwind.yaml", folder)
    assert summary["types"] == {"order": 830, "plan": 16}
    assert_conserved(paceline, 846)
    all_orders = orders(paceline, "northwind")
    assert len(all_orders) == 830
    assert sum(len(o["lines"]) for o in all_orders) == 2155
    assert added_up(all_orders, lambda o: o["occurred_at"][:4]) == {"1996": 20808397, "1997": 61708522, "1998": 44062383}
    # An employee's territories lie in one region.
    region_of = {r["RegionID"]: r["Region"] for r in rows_of(folder, "regions.csv")}
    territory = {r["TerritoryID"]: region_of[r["RegionID"]].strip() for r in rows_of(folder, "territories.csv")}
    home = {r["EmployeeID"]: territory[r["TerritoryID"]] for r in rows_of(folder, "employee_territories.csv")}
    assert added_up(all_orders, lambda o: home[o["splits"][0]["rep_id"]]) == {
        "Eastern": 66032852, "Western": 19848136, "Northern": 20417032, "Southern": 20281282}
    assert sum(o["net_amount"] for o in all_orders) == 126579302
    cents = [decimal.Decimal(r["UnitPrice"]) * decimal.Decimal(r["Quantity"]) * (1 - decimal.Decimal(r["Discount"])) * 100
             for r in rows_of(folder, "order_details.csv")]
    assert sum(c != c.to_integral_value() for c in cents) == 81
    assert sum(int(c.quantize(decimal.Decimal(1), decimal.ROUND_HALF_EVEN)) for c in cents) == 126579302


def test_northwind_dry_run_counts_its_events(data, tmp_path):
    counted = dry_run(tmp_path, "northwind.yaml", data / "northwind")
    assert counted["types"] == {"order": 830, "plan": 16}
    assert (counted["accepted"], counted["failed_rows"]) == (846, 0)


# ---- online-retail

def test_online_retail_gives_its_totals(paceline, data):
    folder = data / RETAIL
    summary = import_as_lived(paceline, "online-retail.yaml", folder)
    assert summary["types"]["order"] == 3761 + 805 + 360
    assert summary["rows"] == 105335
    assert_conserved(paceline, summary["read"])
    all_orders = orders(paceline, "retail")
    kinds = {"confirmed": (3761, 102891, 203874259), "invoiced": (805, 1904, -23172266), "created": (360, 540, 0)}
    for status, expected in kinds.items():
        of = [o for o in all_orders if o["status"] == status]
        assert (len(of), sum(len(o["lines"]) for o in of), sum(o["net_amount"] for o in of)) == expected, status
    booked = [o for o in all_orders if o["status"] != "created"]
    assert sum(o["net_amount"] for o in booked) == 180701993
    assert added_up(booked, lambda o: o["occurred_at"][:7]) == {"2010-12": 74895702, "2011-01": 56000026, "2011-02": 49806265}
    by_country = added_up(booked, lambda o: o["sold_region"])
    assert by_country["United Kingdom"] == 151929883
    assert len({o["sold_region"] for o in all_orders}) == 31
    # From the CSV itself: pounds of each country, lines as they are (prices of two decimals: nothing is rounded).
    exact = {}
    for path in sorted(folder.glob("20*.csv")):
        for row in rows_of(folder, path.name):
            amount = decimal.Decimal(row["UnitPrice"]) * decimal.Decimal(row["Quantity"]) * 100
            exact[row["Country"]] = exact.get(row["Country"], 0) + int(amount.quantize(decimal.Decimal(1), decimal.ROUND_HALF_EVEN))
    assert {c: by_country.get(c, 0) for c in exact} == exact


def test_online_retail_dry_run_counts_its_events(data, tmp_path):
    counted = dry_run(tmp_path, "online-retail.yaml", data / RETAIL)
    assert counted["types"]["order"] == 4926
    assert (counted["rows"], counted["skipped_rows"], counted["failed_rows"], counted["rejected"]) == (105335, 0, 0, 0)


def test_a_mapping_beside_its_data_needs_no_other_word(data, tmp_path):
    """The first thing a newcomer types: in the folder of the CSV files, with the mapping copied there."""
    for source in [MAPPINGS / "crm-maven.yaml", *(data / "crm-maven").glob("*.csv")]:
        shutil.copy(source, tmp_path)
    done = subprocess.run([str(harness.BIN / "paceline"), "import", "--mapping", "crm-maven.yaml", "--dry-run", "--json", "--no-progress"],
                          cwd=tmp_path, capture_output=True, text=True, timeout=harness.DEADLINE_S)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["types"] == {"lead": 15511, "order": 4238, "plan": 48}
    done = subprocess.run([str(harness.BIN / "paceline"), "check", "mapping", "crm-maven.yaml"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    (tmp_path / "sales_teams.csv").unlink()
    done = subprocess.run([str(harness.BIN / "paceline"), "import", "--mapping", "crm-maven.yaml", "--dry-run"], cwd=tmp_path, capture_output=True,
                          text=True)
    assert done.returncode == 78 and "sales_teams.csv" in done.stderr, done.stderr


def written_so_far(paceline):
    """A fast look at sales.import: is a part of the run there?"""
    if not paceline.kafka:
        return lambda: sum(f.stat().st_size for f in paceline.dir.glob("**/sales.import/**/*") if f.is_file()) > 300000
    import confluent_kafka
    client = confluent_kafka.Consumer({"bootstrap.servers": paceline.kafka.bootstrap, "group.id": "test-look"})
    places = [confluent_kafka.TopicPartition(paceline.prefix + "sales.import", n) for n in range(paceline.shards)]
    return lambda: sum(client.get_watermark_offsets(place, timeout=30)[1] for place in places) > 500


def test_an_import_cut_off_in_the_middle_is_ended_and_brought_in_again(paceline, data):
    """Killed while sending: the run has no end, the tenant is closed. After `import --abort` the same history comes in as
    late events, and what the first attempt had brought in is a duplicate."""
    folder = data / "crm-maven"
    feed = subprocess.Popen([str(a) for a in (harness.BIN / "paceline", "import", "--mapping", MAPPINGS / "crm-maven.yaml", folder, "--as-lived",
                                              "--quiet", *paceline.where())], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    written = written_so_far(paceline)
    while feed.poll() is None and not written():
        pass  # looks without a pause: the import takes less than a second
    feed.kill()
    feed.wait()
    paceline.wait()
    first = paceline.counters()["sales.import"]["accepted"]
    if first == 15511 + 4238 + 48 + 2:
        pytest.skip("the import was faster than the test")
    assert first > 1
    begin = next(json.loads(row)["event"] for row in paceline.run("tail", "import", "--from", "begin", "--once", timeout=300).splitlines())
    assert begin["control"] == "backfill_begin"
    again = ["import", "--mapping", MAPPINGS / "crm-maven.yaml", folder, "--json", "--no-progress"]
    done = paceline.call(*again, "--as-lived", timeout=300)
    assert done.returncode == 1 and "--abort" in done.stderr
    paceline.run("import", "--abort", begin["run_id"], "--tenant", "maven")
    summary = json.loads(paceline.run(*again, timeout=300).splitlines()[-1])
    paceline.wait()
    # Of what the first run brought in, its begin is no line of the files.
    assert (summary["duplicate"], summary["rejected"]) == (first - 1, 0)
    assert summary["read"] == summary["accepted"] + summary["duplicate"]
    seen = oracle_crm.figures(paceline.run("show", "funnel", "--tenant", "maven", "--org", "maven", "--window", "total", "--json").splitlines())
    entries = {stage: seen[("maven", stage, "entries", None, "total", None)][0] for stage in oracle_crm.STAGES}
    assert entries == {"PROSPECTING": 500, "ENGAGING": 8300, "WON": 4238, "LOST": 2473}


# ---- rows that cannot be read

def test_a_bad_row_is_named_and_the_rest_goes_in(paceline, data, tmp_path):
    folder = tmp_path / "maven"
    folder.mkdir()
    shutil.copy(data / "crm-maven" / "sales_teams.csv", folder)
    header, *rows = (data / "crm-maven" / "sales_pipeline.csv").read_text(encoding="utf-8").splitlines()
    won = next(r for r in rows if ",Won," in r).split(",")
    bad_date, bad_number = list(won), list(won)
    bad_date[0], bad_date[5] = "BAD1", "2016-13-20"
    bad_number[0], bad_number[7] = "BAD2", "1o54"
    (folder / "sales_pipeline.csv").write_text("\n".join([header, *rows[:10], ",".join(bad_date), ",".join(bad_number)]) + "\n", encoding="utf-8")
    done = paceline.call("import", "--mapping", MAPPINGS / "crm-maven.yaml", folder, "--as-lived", "--json", "--no-progress")
    assert done.returncode == 1, done.stderr
    *told, summary = [json.loads(text) for text in done.stdout.splitlines()]
    assert [(t["file"].rsplit("/", 1)[-1], t["line"], t["reason"]) for t in told] == [("sales_pipeline.csv", 12, "bad_date"),
                                                                                    ("sales_pipeline.csv", 13, "bad_number")]
    assert (summary["failed_rows"], summary["rejected"]) == (2, 2)
    assert summary["read"] == summary["accepted"] + summary["duplicate"] + summary["rejected"]
    assert summary["accepted"] > 10
