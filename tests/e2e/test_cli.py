"""The command line as a user meets it: help in two languages, exit codes (formats 7), findings with their places, and what
the commands print."""
import csv
import io
import json
import re
import subprocess

import fixture_a
import harness
import pytest

NOWHERE = ["--kafka", "127.0.0.1:1", "--redis", "127.0.0.1:1"]
LEAD = {"type": "lead", "tenant": "acme", "source": "crm", "source_seq": 1, "occurred_at": "2026-03-02T08:00:00.000Z", "action": "created"}


def lead(number, **more):
    return {**LEAD, "event_id": f"e{number}", "lead_id": f"L{number}", "source_seq": number, **more}


def call(folder, *args, env=None, timeout=60):
    """Without servers."""
    return subprocess.run([str(harness.BIN / "paceline"), *map(str, args)], cwd=folder, capture_output=True, text=True, timeout=timeout, env=env)


def commands():
    text = call(".", "help").stdout
    block = text.split("Commands:\n")[1].split("\n\n")[0]
    names = [re.match(r"  ([a-z]+(?: [a-z]+)?)  ", row + "  ").group(1) for row in block.splitlines()]
    assert len(names) > 15
    return names


COMMANDS = commands() if (harness.BIN / "paceline").exists() else []


# ---- help

@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_in_two_languages(command, tmp_path):
    english = call(tmp_path, *command.split(), "--help")
    chinese = call(tmp_path, *command.split(), "--help", "--zh")
    assert (english.returncode, chinese.returncode) == (0, 0)
    assert english.stdout.startswith(f"paceline {command}: ") and english.stderr == ""
    assert "Usage:" in english.stdout and "Exit codes:" in english.stdout and "Example:" in english.stdout
    assert not re.search("[一-鿿]", english.stdout)
    assert len(re.findall("[一-鿿]", chinese.stdout)) > 100
    options = set(re.findall(r"^  (--[a-z-]+)", english.stdout, re.M))
    assert set(re.findall(r"^  (--[a-z-]+)", chinese.stdout, re.M)) == options
    assert {"--dir", "--json", "--zh", "--help"} <= options
    assert call(tmp_path, "help", *command.split()).stdout == english.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_example_of_every_command_is_taken_by_its_own_parser(command, tmp_path):
    """Run against nothing: whatever it lacks (servers, files), its options and arguments are right."""
    text = call(tmp_path, *command.split(), "--help").stdout
    example = re.search(r"Example:\n.*?paceline ([^)\n]*)", text).group(1)
    assert example.startswith(command)
    done = call(tmp_path, *example.split(), "--print-config")
    assert done.returncode == 0, (example, done.stderr)


def test_completion_knows_every_command(tmp_path):
    script = tmp_path / "complete"
    script.write_text(call(tmp_path, "completion", "bash").stdout)
    shell = f'source {script}; COMP_WORDS=(paceline "$1"); COMP_CWORD=1; _paceline; printf "%s\\n" "${{COMPREPLY[@]}}"'

    def offered(word):
        return set(subprocess.run(["bash", "-c", shell, "bash", word], capture_output=True, text=True, check=True).stdout.split())

    assert {c.split()[0] for c in COMMANDS} <= offered("")
    assert offered("im") == {"import"}


# ---- usage

@pytest.mark.parametrize("args,said", [
    (["improt"], 'did you mean "import"'),
    (["show", "funel"], 'did you mean "show funnel"'),
    (["show"], "show funnel"),
    (["import"], "name the files"),
    (["import", "--as-live", "x"], "--as-lived"),
    (["import", "--then-live", "x"], "--as-lived"),
    (["import", "--abort", "r"], "--tenant"),
    (["import", "/no/such/file"], "/no/such/file"),
    (["wait", "--timeout", "soon"], "whole number"),
    (["tail", "leeds"], "leads"),
    (["tail", "--count"], "needs a value"),
    (["tail", "leads", "orders"], "too many"),
    (["tail", "--from", "yesterday", "--once"], "--from"),
    (["plan", "check"], "argument is missing"),
    (["plan", "show"], "--tenant"),
    (["show", "lead"], "argument is missing"),
    (["rejects", "resend", "--reason", "whim"], "no such reason"),
    (["help", "nosuch"], "nosuch"),
    (["check", "answers", "nofile"], "nofile"),
    (["completion", "tcsh"], "tcsh"),
    (["wait", "--set", "no_such_setting=1"], "no_such_setting"),
])
def test_a_wrong_call_is_2_and_says_what_is_right(args, said, tmp_path):
    done = call(tmp_path, *args)
    assert done.returncode == (78 if "--set" in args else 2), done.stderr
    assert said in done.stderr
    assert done.stdout == ""


# ---- configuration

BAD_PLAN = """\
paceline_plan: 1
valid_from: 2026-01-01
reason: r
approver: a
tenant: {id: t, zone: Mars/Olympus, currency: CNY, calendar: c}
calendars:
- {id: c, zone: UTC, weak: {mon-fri: ["09:00-17:00"]}}
org:
- {id: a, kind: company}
- {id: b, kind: team, parent: nobody}
"""


def test_a_bad_plan_is_78_with_all_its_errors_and_their_places(tmp_path):
    (tmp_path / "plan.yaml").write_text(BAD_PLAN)
    done = call(tmp_path, "plan", "check", "plan.yaml")
    assert done.returncode == 78
    places = [row.split(": ", 2)[:2] for row in done.stderr.splitlines() if row.startswith("plan.yaml:") and row.count(": ") > 1]
    for expected in (["plan.yaml:5:23", "bad_zone"], ["plan.yaml:7:22", "unknown_key"], ["plan.yaml:10:31", "unknown_ref"]):
        assert expected in places, done.stderr
    assert 'did you mean "week"' in done.stderr


def test_a_plan_that_is_no_yaml_is_78_for_check_and_apply(tmp_path):
    (tmp_path / "plan.yaml").write_text("paceline_plan: 1\ntenant: {id: t, zone: [\n")
    for command in ("check", "apply", "diff"):
        done = call(tmp_path, "plan", command, "plan.yaml", *NOWHERE)
        assert done.returncode == 78, done.stderr
        assert re.search(r"^plan.yaml:\d+:\d+: syntax: ", done.stderr, re.M), done.stderr


def test_a_bad_mapping_and_a_bad_configuration_are_78(tmp_path):
    (tmp_path / "m.yaml").write_text("paceline_mapping: 1\ntenant: t\nzone: UTC\nfiles:\n- {file: a.csv, evnts: []}\n")
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    done = call(tmp_path, "check", "mapping", "m.yaml")
    assert done.returncode == 78 and re.search(r"m\.yaml:5:\d+: unknown_key: .*events", done.stdout), done.stdout
    done = call(tmp_path, "import", "--mapping", "m.yaml", "--dry-run")
    assert done.returncode == 78, done.stderr
    (tmp_path / "c.yaml").write_text("shards: many\nkafkaa: x\n")
    done = call(tmp_path, "check", "config", "c.yaml")
    assert done.returncode == 78 and "c.yaml:1:" in done.stderr and "c.yaml:2:" in done.stderr, done.stderr
    done = call(tmp_path, "wait", "--config", "c.yaml")
    assert done.returncode == 78


def test_init_writes_a_file_that_check_config_finds_right_and_leaves_one_that_is_there(tmp_path):
    for language in ([], ["--zh"]):
        path = tmp_path / f"paceline{len(language)}.yaml"
        assert call(tmp_path, "init", path, *language).returncode == 0
        assert call(tmp_path, "check", "config", path).returncode == 0
        path.write_text("mine: 1\n")
        assert call(tmp_path, "init", path, *language).returncode != 0
        assert path.read_text() == "mine: 1\n"


# ---- servers that are away

@pytest.mark.parametrize("args", [["wait"], ["tail", "--once"], ["show", "funnel"], ["show", "shards"], ["show", "lead", "L1", "--tenant", "t"],
                                  ["plan", "show", "--tenant", "t"], ["rejects", "resend"], ["tenant", "live", "t"],
                                  ["import", "--abort", "r", "--tenant", "t"], ["import", "e.ndjson"], ["plan", "apply", "plan.yaml"]])
def test_an_unreachable_kafka_or_redis_is_69(args, tmp_path):
    harness.write_ndjson(tmp_path / "e.ndjson", [lead(1)])
    (tmp_path / "plan.yaml").write_text(fixture_a.PLAN)
    done = call(tmp_path, *args, *NOWHERE, timeout=90)
    assert done.returncode == 69, done.stderr
    assert "Kafka" in done.stderr or "Redis" in done.stderr


def test_redis_alone_away_is_69(tmp_path):
    with harness.Paceline(None, "embedded") as p:
        done = call(tmp_path, "show", "funnel", "--dir", p.dir, "--redis", tmp_path / "no.sock")
        assert done.returncode == 69 and "Redis" in done.stderr


# ---- events looked over

def test_check_events_names_lines_and_reasons(tmp_path):
    path = tmp_path / "e.ndjson"
    good = json.dumps(lead(1))
    path.write_text("\n".join([good, '{"type":"lead"', json.dumps(lead(2, action="?")), good, json.dumps(lead(1, lead_id="other")), "",
                               json.dumps(lead(3, owner_id="a@b.cn"))]) + "\n")
    done = call(tmp_path, "check", "events", path)
    assert done.returncode == 1
    assert re.findall(r"e\.ndjson:(\d+): (\w+): ", done.stderr) == [("2", "bad_json"), ("3", "bad_enum"), ("7", "personal_id"), ("5", "conflict")]
    assert "read 6, good 1, duplicate 1, rejected 4" in done.stdout
    path.write_text(good + "\r\n" + json.dumps(lead(2)))
    done = call(tmp_path, "check", "events", path)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_dry_run_tells_the_reason_of_each_line_and_writes_nothing(tmp_path):
    path = tmp_path / "e.ndjson"
    path.write_text("\n".join([json.dumps(lead(1)), "[]", json.dumps(lead(2, amount=1)), json.dumps(lead(3))]) + "\n")
    with harness.Paceline(None, "embedded") as p:
        done = p.call("import", path, "--dry-run", "--json", "--no-progress")
        assert done.returncode == 1
        *told, summary = [json.loads(row) for row in done.stdout.splitlines()]
        assert [(t["line"], t["reason"]) for t in told] == [(2, "not_object"), (3, "missing_field")]
        assert (summary["read"], summary["accepted"], summary["rejected"]) == (4, 2, 2)
        assert p.topic_ends()["sales.leads"] == 0


# ---- with the services running

@pytest.fixture
def loaded(paceline, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(fixture_a.PLAN, encoding="utf-8")
    paceline.run("plan", "apply", plan)
    paceline.run("import", harness.write_ndjson(tmp_path / "events.ndjson", fixture_a.events()), "--as-lived")
    paceline.wait()
    return paceline


def test_plan_apply_says_what_changed_and_diff_that_nothing_did(paceline, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(fixture_a.PLAN, encoding="utf-8")
    assert "8 changes" in paceline.run("plan", "diff", plan, code=1)
    assert "8 changes" in paceline.run("plan", "apply", plan, "--dry-run")
    assert paceline.topic_ends()["sales.plans"] == 0
    applied = paceline.rows("plan", "apply", plan)
    assert applied[-1]["changes"] == applied[-1]["written"] == 8
    shown = {(r["kind"], r["id"]) for r in paceline.rows("plan", "show", "--tenant", fixture_a.TENANT)}
    assert ("node", "T1") in shown and ("member", "r1/T1/2026-01-01") in shown and len(shown) == 8
    assert paceline.run("plan", "diff", plan).startswith("0 changes")
    plan.write_text(fixture_a.PLAN.replace("{id: T2, kind: team", "{id: T2, kind: squad"), encoding="utf-8")
    assert paceline.run("plan", "diff", plan, code=1).startswith("~ node T2")
    before = paceline.topic_ends()["sales.plans"]
    plan.write_text(fixture_a.PLAN.replace("parent: N", "parent: nobody"), encoding="utf-8")
    paceline.run("plan", "apply", plan, code=78)
    assert paceline.topic_ends()["sales.plans"] == before == 8


def test_a_conflict_is_1_and_names_its_line(paceline, tmp_path):
    paceline.run("import", harness.write_ndjson(tmp_path / "a.ndjson", [lead(1)]))
    again = harness.write_ndjson(tmp_path / "b.ndjson", [lead(1), lead(1, lead_id="other"), lead(2)])
    done = paceline.call("import", again)
    assert done.returncode == 1
    assert f"{again}:2: conflict: " in done.stderr
    assert "read 3, accepted 1, duplicate 1, rejected 1" in done.stdout


def test_a_run_that_was_interrupted_is_ended_by_abort_once(paceline, tmp_path):
    begin = {"type": "control", "tenant": "acme", "event_id": "run-9/begin", "source": "import", "source_seq": 0,
             "occurred_at": "2026-03-01T00:00:00.000Z", "control": "backfill_begin", "run_id": "run-9"}
    paceline.run("import", harness.write_ndjson(tmp_path / "begin.ndjson", [begin]))
    history = harness.write_ndjson(tmp_path / "h.ndjson", [lead(1)])
    done = paceline.call("import", history, "--as-lived")
    assert done.returncode == 1 and "backfill_refused" in done.stderr and "--abort" in done.stderr
    assert paceline.topic_ends()["sales.import"] == 2, "nothing of the history was sent into the other run"
    done = paceline.call("tenant", "live", "acme")
    assert done.returncode == 1 and "backfill_running" in done.stderr, done.stderr
    done = paceline.call("import", "--abort", "run-8", "--tenant", "acme")
    assert done.returncode == 1 and "backfill_refused" in done.stderr, done.stderr
    paceline.run("import", "--abort", "run-9", "--tenant", "acme")
    paceline.run("import", harness.write_ndjson(tmp_path / "live.ndjson", [lead(2)]))
    assert paceline.counters()["sales.leads"]["accepted"] == 1


def test_tenant_live_starts_the_clock_that_stood_still(loaded):
    def clock():
        return loaded.rows("show", "funnel", "--tenant", fixture_a.TENANT, "--metric", "occupancy", "--window", "now")[0]["as_of_time"]

    assert clock() == fixture_a.text(fixture_a.day(24))
    loaded.run("tenant", "live", fixture_a.TENANT)
    loaded.wait()
    assert clock() > "2026-06"
    controls = [r["event"]["control"] for r in loaded.rows("tail", "ledger", "--from", "begin", "--once", "--tenant", fixture_a.TENANT)
                if r.get("event", {}).get("type") == "control"]
    assert controls[-1] == "live"


def test_tenant_release_is_taken_by_the_ledger(paceline, tmp_path):
    paceline.run("import", harness.write_ndjson(tmp_path / "one.ndjson", [lead(1)]))
    paceline.run("tenant", "release", "acme")
    controls = [r["event"] for r in paceline.rows("tail", "ledger", "--from", "begin", "--once", "--tenant", "acme")
                if r.get("event", {}).get("type") == "control"]
    assert [(c["control"], c["machine"], c["source"]) for c in controls] == [("release", "funnel", "operator")]
    assert paceline.counters()["sales.import"] == {**paceline.counters()["sales.import"], "accepted": 1, "rejected": 0}


def test_show_lead_tells_its_path_and_events(loaded):
    text = loaded.run("show", "lead", "L04", "--tenant", fixture_a.TENANT)
    for said in ("recycle", "POOL", "reclaim", "QUAL", "2026-03-11"):
        assert said in text, text
    (story,) = [json.loads(loaded.run("show", "lead", "L04", "--tenant", fixture_a.TENANT, "--json"))]
    moves = [(m["stage"], m["what"], m["at"][:10]) for m in story["path"] if m["what"].split()[0] in ("entries", "exits")]
    assert moves == [("NEW", "entries", "2026-03-07"), ("NEW", "exits recycle", "2026-03-11"), ("POOL", "entries", "2026-03-11"),
                     ("POOL", "exits reclaim", "2026-03-21"), ("NEW", "entries", "2026-03-21"), ("NEW", "exits advance", "2026-03-23"),
                     ("QUAL", "entries", "2026-03-23")]
    done = loaded.call("show", "lead", "L99", "--tenant", fixture_a.TENANT)
    assert done.returncode == 1 and "L99" in done.stderr


def test_csv_has_the_rows_of_json_and_a_mark_for_excel(loaded):
    ask = ["show", "funnel", "--tenant", fixture_a.TENANT, "--window", "r30d"]
    rows = loaded.rows(*ask)
    done = subprocess.run([str(harness.BIN / "paceline"), *ask, "--csv", "--bom", *loaded.where()], capture_output=True, timeout=60)
    assert done.returncode == 0 and done.stdout.startswith(b"\xef\xbb\xbf")
    text = done.stdout[3:].decode()
    assert text.count("\r\n") == text.count("\n") == len(rows) + 1
    table = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(table[0]) == list(rows[0])
    assert len(table) == len(rows)
    for seen, row in zip(table, rows):
        for name, value in row.items():
            assert seen[name] == ("|".join(value) if isinstance(value, list) else "" if value is None else str(value)), name
    assert not loaded.run(*ask, "--csv").startswith("\ufeff")
    assert loaded.run(*ask, "--csv", "--zh").startswith("\ufeff")


def test_csv_disarms_texts_that_a_spreadsheet_would_run(paceline, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text(fixture_a.PLAN, encoding="utf-8")
    paceline.run("plan", "apply", plan)
    events = [{**lead(1, source_channel="=HYPERLINK(1)", owner_id="r1", to_stage="NEW"), "tenant": fixture_a.TENANT},
              {**lead(2, source_channel='a"b,c', owner_id="r1", to_stage="NEW"), "tenant": fixture_a.TENANT}]
    paceline.run("import", harness.write_ndjson(tmp_path / "e.ndjson", events))
    paceline.wait()
    text = paceline.run("show", "funnel", "--tenant", fixture_a.TENANT, "--all", "--csv", "--metric", "entries")
    values = {r["dim_value"] for r in csv.DictReader(io.StringIO(text, newline="")) if r["dim"] == "source_channel"}
    assert values == {"'=HYPERLINK(1)", 'a"b,c'}


def test_show_funnel_takes_a_range_of_months(loaded):
    rows = loaded.rows("show", "funnel", "--tenant", fixture_a.TENANT, "--metric", "entries", "--window", "month", "--from", "2026-02", "--to", "2026-03")
    assert {r["window_start"] for r in rows} == {"2026-03-01T00:00:00.000Z"}
    assert sum(r["value"] for r in rows if r["stage"] == "NEW") == 10
    assert loaded.rows("show", "funnel", "--tenant", fixture_a.TENANT, "--window", "month", "--from", "2025-01", "--to", "2025-12") == []


@pytest.mark.parametrize("filters", [["--org", "nobody"], ["--metric", "entrys"], ["--pipeline", "p9"], ["--dim", "colour"]])
def test_a_filter_that_selects_nothing_is_told(loaded, filters):
    for form in ([], ["--json"]):
        done = loaded.call("show", "funnel", "--tenant", fixture_a.TENANT, *filters, *form)
        assert done.returncode == 1 and filters[1] in done.stderr and done.stdout == "", done.stdout


def test_the_table_keeps_the_three_conversions_apart_in_both_languages(loaded):
    english = loaded.run("show", "funnel", "--tenant", fixture_a.TENANT)
    chinese = loaded.run("show", "funnel", "--tenant", fixture_a.TENANT, "--zh")
    assert "of those who left" in english and "flow" in english
    assert "离开者转化率" in chinese and "流量比" in chinese
    new = next(row.split() for row in english.splitlines() if row.startswith("NEW"))
    assert "77.8%" in new and "70.0%" in new


def test_show_without_figures_says_what_to_do(paceline, tmp_path):
    assert paceline.call("show", "funnel").returncode == 1
    paceline.run("import", harness.write_ndjson(tmp_path / "e.ndjson", [lead(1)]))
    paceline.wait()
    done = paceline.call("show", "funnel")
    assert done.returncode == 1 and "plan apply" in done.stderr
    paceline.run("import", harness.write_ndjson(tmp_path / "f.ndjson", [lead(1, tenant="beta")]))
    paceline.wait()
    done = paceline.call("show", "funnel")
    assert done.returncode == 2 and "acme" in done.stderr and "beta" in done.stderr


def test_tail_shows_ledger_topics_and_repeats(loaded, tmp_path):
    events = tmp_path / "events.ndjson"
    done = loaded.call("import", events)
    assert "duplicate 34" in done.stdout
    loaded.wait()
    ledger = loaded.rows("tail", "--from", "begin", "--once", "--tenant", fixture_a.TENANT)
    seqs = [r["tenant_seq"] for r in ledger]
    assert seqs == list(range(1, len(seqs) + 1)), "dense"
    assert [r["t"] for r in ledger] == sorted(r["t"] for r in ledger)
    imported = [r for r in ledger if r["source"] == "sales.import" and r["event"]["type"] != "control"]
    assert len(imported) == 34 and all(r["historic"] for r in imported)
    repeats = loaded.rows("tail", "--duplicates", "--from", "begin", "--once")
    assert len(repeats) == 34 and {r["class"] for r in repeats} == {"duplicate"}
    assert sorted(json.loads(r["raw"])["event_id"] for r in repeats) == sorted(e["event_id"] for e in fixture_a.events())
    leads = loaded.rows("tail", "leads", "--from", "begin", "--once")
    assert {r["key"] for r in leads} == {fixture_a.TENANT} and len(leads) == 33
    assert [r["origin"] for r in leads] == [f"{events}:{n}" for n in range(1, 34)]
    assert loaded.rows("tail", "sales.leads", "--from", "begin", "--once") == leads
    assert loaded.rows("tail", "leads", "--from", "begin", "--once", "--count", "2") == leads[:2]
    assert loaded.rows("tail", "leads", "--from", "begin", "--once", "--tenant", "nobody") == []
    assert loaded.rows("tail", "leads", "--once", "--from", leads[-1]["at"]) != []
    assert loaded.rows("tail", "leads", "--once", "--from", "2999-01-01") == []
    assert loaded.rows("tail", "--void", "--from", "begin", "--once") == []
    assert loaded.rows("tail", "alerts", "--from", "begin", "--once") == []


def test_show_shards_counts_add_up(loaded):
    shards = loaded.rows("show", "shards")
    assert [s["shard"] for s in shards] == list(range(loaded.shards or 1))
    ends = loaded.topic_ends()
    for source, counts in loaded.counters().items():
        assert counts["accepted"] + counts["duplicate"] + counts["rejected"] == ends[source]


def test_a_second_run_in_the_same_folder_is_75(tmp_path):
    with harness.Paceline(None, "embedded") as p:
        done = call(tmp_path, "run", p.dir)
        assert done.returncode == 75 and "another" in done.stderr


# ---- a generated company

def test_a_generated_company_gives_its_answers(paceline, tmp_path):
    company = tmp_path / "company"
    assert call(tmp_path, "gen", "--out", company, "--seed", "5", "--leads", "300", "--tenant", "demo").returncode == 0
    answers = json.loads((company / "answers.json").read_text())
    paceline.run("plan", "apply", company / "plan.yaml")
    done = paceline.call("import", company / "events.ndjson", "--tenant", "demo", "--as-lived", "--json", "--no-progress")
    summary = json.loads(done.stdout.splitlines()[-1])
    assert done.returncode == 1
    assert {k: summary[k] for k in ("accepted", "duplicate", "rejected")} == {k: answers[k] for k in ("accepted", "duplicate", "rejected")}
    assert summary["read"] == answers["received"]
    paceline.wait()
    import oracle_fixture
    lines = paceline.run("show", "funnel", "--tenant", "demo", "--all", "--json", timeout=300).splitlines()
    assert oracle_fixture.differences(answers, [json.loads(row) for row in lines]) == []
    verdict = paceline.rows("check", "answers", company / "answers.json")[-1]
    assert verdict["different"] == 0 and verdict["compared"] > 10000
    assert verdict["other_services"] == sum(r["metric"] == "order_amount" for r in answers["rows"])


def test_check_answers_finds_what_differs_in_both_directions(paceline, tmp_path):
    company = tmp_path / "company"
    assert call(tmp_path, "gen", "--out", company, "--leads", "40", "--tenant", "demo", "--clean").returncode == 0
    paceline.run("plan", "apply", company / "plan.yaml")
    paceline.run("import", company / "events.ndjson", "--tenant", "demo", "--as-lived")
    paceline.wait()
    answers = json.loads((company / "answers.json").read_text())
    wrong = answers["rows"][0]
    wrong["value"] += 1
    lost = answers["rows"].pop(1)
    answers["accepted"] += 3
    other = tmp_path / "other.json"
    other.write_text(json.dumps(answers))
    done = paceline.call("check", "answers", other, "--json")
    assert done.returncode == 1
    *told, summary = [json.loads(row) for row in done.stdout.splitlines()]
    assert summary["different"] == 3
    assert {(t["expected"], t["seen"]) for t in told} == {(answers["accepted"], answers["accepted"] - 3), (wrong["value"], wrong["value"] - 1),
                                                         (0, lost["value"])}
    other.write_text("{")
    assert paceline.call("check", "answers", other).returncode == 78


def test_gen_gives_the_same_bytes_for_the_same_seed(tmp_path):
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert call(tmp_path, "gen", "--out", tmp_path / name, "--seed", str(seed), "--leads", "30").returncode == 0
    read = {n: (tmp_path / n / "events.ndjson").read_bytes() for n in "abc"}
    assert read["a"] == read["b"] != read["c"]
