"""`show lead` and ranges of `show funnel`, where a number comes from."""
import json

import fixture_a
import harness
import pytest


@pytest.fixture
def mode():
    return "embedded"


def load(paceline, tmp_path, events, plan=fixture_a.PLAN):
    (tmp_path / "plan.yaml").write_text(plan, encoding="utf-8")
    paceline.run("plan", "apply", tmp_path / "plan.yaml")
    paceline.run("import", harness.write_ndjson(tmp_path / "events.ndjson", events), "--tenant", fixture_a.TENANT, "--as-lived")
    paceline.wait()


def test_a_lead_merged_into_another_is_shown_from_both_sides(paceline, tmp_path):
    merged = fixture_a.lead_event("L07", 5, "merged", fixture_a.day(10), merged_into="L06")
    later = fixture_a.lead_event("L07", 6, "stage", fixture_a.day(11), to_stage="PROP")
    events = sorted([*fixture_a.events(), merged, later], key=lambda e: e["occurred_at"])
    load(paceline, tmp_path, events)
    for lead in ("L06", "L07"):
        shown = json.loads(paceline.run("show", "lead", lead, "--tenant", fixture_a.TENANT, "--json"))
        what = [(p["at"], p["what"], p["stage"]) for p in shown["path"]]
        assert (fixture_a.text(fixture_a.day(10)), "exits merged", "NEW") in what
        assert (fixture_a.text(fixture_a.day(11)), "exits advance", "QUAL") in what  # told of L07, done to L06
        assert len(shown["events"]) == 5
    assert json.loads(paceline.run("show", "lead", "L06", "--tenant", fixture_a.TENANT, "--json"))["stage"] == "PROP"


def test_a_range_of_months_is_one_of_the_tenants_zone(paceline, tmp_path):
    plan = fixture_a.PLAN.replace("zone: UTC", "zone: Asia/Shanghai")
    load(paceline, tmp_path, fixture_a.events(), plan)
    rows = paceline.rows("show", "funnel", "--tenant", fixture_a.TENANT, "--window", "month", "--from", "2026-03", "--to", "2026-03",
                         "--metric", "entries")
    assert {(r["window_start"], r["window_end"]) for r in rows} == {("2026-02-28T16:00:00.000Z", "2026-03-31T16:00:00.000Z")}
    assert sum(r["value"] for r in rows if r["stage"] == "NEW") == 10
