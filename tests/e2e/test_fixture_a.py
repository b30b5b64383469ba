"""Fixture A of the semantics through the programs: the events go through the topics, the figures come back by `show`."""
import os
import signal
import subprocess

import fixture_a
import harness
import pytest


@pytest.fixture
def loaded(paceline, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(fixture_a.PLAN, encoding="utf-8")
    paceline.run("plan", "apply", plan)
    events = harness.write_ndjson(tmp_path / "events.ndjson", fixture_a.events())
    paceline.run("import", events, "--tenant", fixture_a.TENANT, "--as-lived")
    return paceline


def figure(rows, metric, stage, window, **more):
    found = [r for r in rows if r["metric"] == metric and r["stage"] == stage and r["window"] == window and
             all(r[k] == v for k, v in more.items())]
    assert len(found) <= 1, found
    return found[0] if found else None


def value(rows, *args, **more):
    row = figure(rows, *args, **more)
    return row["value"] if row else 0


def funnel(paceline, window, org="N"):
    return [r for r in paceline.rows("show", "funnel", "--tenant", fixture_a.TENANT, "--org", org, "--window", window)
            if r["dim"] == "all" and r["org"] == org]


def test_fixture_a_gives_the_table_of_the_semantics(loaded):
    rows = funnel(loaded, "r30d")
    assert {r["as_of_time"] for r in rows} == {fixture_a.text(fixture_a.day(24))}
    for stage, (entries, exits, occupancy, reached, conversion, flow) in fixture_a.EXPECTED.items():
        assert value(rows, "entries", stage, "r30d") == entries, stage
        assert value(rows, "occupancy", stage, "r30d") == occupancy, stage
        for name in ("advance", "skip", "regress", "win", "lose", "recycle", "reclaim", "reopen", "reverse", "move", "merged"):
            assert value(rows, "exits", stage, "r30d", **{"class": name}) == exits.get(name, 0), (stage, name)
        if reached is not None:
            assert value(rows, "reached", stage, "r30d") == reached, stage
            assert figure(rows, "conv_period", stage, "r30d")["value"] == fixture_a.ppm(conversion), stage
            assert figure(rows, "conv_period", stage, "r30d")["n"] == conversion[1], stage
        if flow:
            assert figure(rows, "flow", stage, "r30d")["value"] == fixture_a.ppm(flow), stage
    win_rate = [r for r in rows if r["metric"] == "win_rate" and r["window"] == "r30d"]
    assert [(r["value"], r["n"]) for r in win_rate] == [(400000, 5)]
    for stage in ("NEW", "QUAL", "PROP"):
        assert figure(rows, "leak_share", stage, "r30d")["value"] == 333333, stage


def test_r7d_leaves_out_what_lies_before_its_first_pane(loaded):
    rows = funnel(loaded, "r7d")
    assert value(rows, "exits", "NEW", "r7d", **{"class": "advance"}) == 1
    assert value(rows, "entries", "QUAL", "r7d") == 1
    assert value(rows, "exits", "PROP", "r7d", **{"class": "advance"}) == 1
    assert value(rows, "exits", "PROP", "r7d", **{"class": "lose"}) == 1
    assert figure(rows, "conv_period", "PROP", "r7d")["value"] == 500000
    assert value(rows, "entries", "NEGO", "r7d") == 1
    assert value(rows, "exits", "NEGO", "r7d", **{"class": "win"}) == 1


def test_the_late_event_moves_one_lead(paceline, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(fixture_a.PLAN, encoding="utf-8")
    paceline.run("plan", "apply", plan)
    events = harness.write_ndjson(tmp_path / "events.ndjson", [*fixture_a.events(), fixture_a.late_event()])
    paceline.run("import", events, "--tenant", fixture_a.TENANT, "--as-lived")
    rows = funnel(paceline, "r30d")
    assert value(rows, "exits", "NEW", "r30d", **{"class": "advance"}) == 7
    assert value(rows, "occupancy", "NEW", "r30d") == 0
    assert value(rows, "entries", "QUAL", "r30d") == 8
    assert value(rows, "occupancy", "QUAL", "r30d") == 3


def test_a_lead_that_changes_teams_is_a_transfer_of_both_and_none_of_their_parent(paceline, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(fixture_a.PLAN, encoding="utf-8")
    paceline.run("plan", "apply", plan)
    moved = fixture_a.lead_event("L06", 9, "owner", fixture_a.day(12), owner_id="r2")
    events = sorted([*fixture_a.events(), moved], key=lambda e: e["occurred_at"])
    paceline.run("import", harness.write_ndjson(tmp_path / "events.ndjson", events), "--tenant", fixture_a.TENANT, "--as-lived")

    def counts(org):
        rows = funnel(paceline, "r30d", org)
        return {m: sum(r["value"] for r in rows if r["metric"] == m and r["stage"] == "QUAL")
                for m in ("entries", "exits", "transfer_out", "transfer_in", "occupancy")}

    assert counts("T1") == {"entries": 7, "exits": 5, "transfer_out": 1, "transfer_in": 0, "occupancy": 1}
    assert counts("T2") == {"entries": 0, "exits": 0, "transfer_out": 0, "transfer_in": 1, "occupancy": 1}
    assert counts("N") == {"entries": 7, "exits": 5, "transfer_out": 0, "transfer_in": 0, "occupancy": 2}


def test_the_events_went_through_the_topics(loaded):
    ends = loaded.topic_ends()
    assert ends["sales.import"] == len(fixture_a.events()) + 2
    assert ends["sales.ledger"] > 0
    for source, counts in loaded.counters().items():
        assert counts["accepted"] + counts["duplicate"] + counts["rejected"] == ends[source], source


def test_with_the_broker_stopped_nothing_arrives(tmp_path):
    with harness.Paceline(tmp_path, "kafka") as own:
        plan = tmp_path / "plan.yaml"
        plan.write_text(fixture_a.PLAN, encoding="utf-8")
        own.run("plan", "apply", plan)
        events = harness.write_ndjson(tmp_path / "events.ndjson", fixture_a.events())
        os.kill(own.kafka.pid(), signal.SIGSTOP)
        try:
            with pytest.raises((subprocess.TimeoutExpired, harness.Failed)):
                own.run("import", events, "--tenant", fixture_a.TENANT, "--as-lived", timeout=10)
        finally:
            os.kill(own.kafka.pid(), signal.SIGCONT)
        assert own.counters()["sales.import"]["accepted"] == 0
