"""Kill -9 at every named point, and what else can go wrong between two servers: figures and digests stay those of the clean run.

The ledger and the funnel run as programs of their own. PACELINE_FAULT ends one of them at the n-th passage of a named
point; this test is the parent that starts it again. A clean run counts how often each point is passed; none may be 0."""
import json
import os
import random
import signal
import subprocess
import time

import harness
import pytest

TENANT = "gen"
LEADS = int(os.environ.get("PACELINE_KILL_LEADS", "300"))

LEDGER_POINTS = ["ledger.after_poll", "ledger.before_append", "ledger.after_append", "ledger.before_readback",
                 "ledger.before_snapshot", "ledger.after_snapshot"]
FUNNEL_POINTS = ["machine.after_poll", "machine.before_apply", "machine.after_apply", "machine.before_commit", "machine.after_commit",
                 "machine.mid_generation", "machine.before_snapshot", "machine.after_snapshot", "machine.before_send", "machine.after_send"]
STORE_POINTS = ["store.before_rename", "store.after_rename"]
SETTINGS = {"PACELINE_SNAPSHOT_RECORDS": "400"}


class Services:
    """paceline-ledger and paceline-funnel under a parent that starts again what a fault point has ended."""

    def __init__(self, p, faults=None, count_file=None):
        self.p = p
        self.faults = dict(faults or {})
        self.count_file = count_file
        self.running = {}
        self.restarts = {"ledger": 0, "funnel": 0}
        for name in ("ledger", "funnel"):
            self.begin(name)

    def begin(self, name):
        env = dict(SETTINGS)
        if name in self.faults:
            env["PACELINE_FAULT"] = self.faults.pop(name)
        if self.count_file:
            env["PACELINE_FAULT_COUNT"] = f"{self.count_file}.{name}"
        self.running[name] = harness.Process([harness.BIN / f"paceline-{name}", *self.p.where()], self.p.folder, name, env)

    def tend(self):
        for name, process in self.running.items():
            if not process.alive():
                code = process.child.returncode
                assert code == 86, f"paceline-{name} ended with {code}:\n{process.tail()}"
                self.restarts[name] += 1
                self.begin(name)

    def stop(self):
        for process in self.running.values():
            if process.alive():
                process.stop()


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    folder = tmp_path_factory.mktemp("company")
    done = subprocess.run([harness.BIN / "paceline", "gen", "--out", folder, "--seed", "11", "--leads", str(LEADS), "--tenant", TENANT],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return folder


def play(tmp_path, company, mode="embedded", faults=None, disturb=None, kafka=None, prefix=""):
    """One run: plan, import as lived, wait; returns figures, digests, counters, restarts and passages of the points."""
    with harness.Paceline(tmp_path, mode, services="apart", kafka=kafka, prefix=prefix) as p:
        p.run("init")
        services = Services(p, faults, tmp_path / "hits")
        try:
            feed = subprocess.Popen([str(a) for a in (harness.BIN / "paceline", "import", company / "events.ndjson", "--tenant", TENANT, "--as-lived",
                                                      "--json", "--no-progress", *p.where())], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            state = {"disturbed": False}

            def fed():
                services.tend()
                if disturb and not state["disturbed"]:
                    state["disturbed"] = disturb(p, services)
                return feed.poll() is not None

            harness.wait_until(fed, "the import is disposed of", 120)
            output, errors = feed.communicate()
            wait = subprocess.Popen([str(a) for a in (harness.BIN / "paceline", "wait", *p.where())], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

            def settled():
                services.tend()
                return wait.poll() is not None

            harness.wait_until(settled, "machines and views are current", 120)
            summary = json.loads(output.splitlines()[-1])
            figures = sorted(p.run("show", "funnel", "--tenant", TENANT, "--all", "--json").splitlines())

            def attested():
                services.tend()
                lines = [json.loads(line) for line in p.run("tail", "sales.attests", "--from", "begin", "--once", "--json").splitlines()]
                found = {(t["tenant"], t["tenant_seq"], t["digest"]) for a in lines for t in a["tenants"]}
                return found

            digests = harness.wait_until(attested, "an attest of the import")
            counters = p.counters()
        finally:
            services.stop()
        hits = {}
        for name in ("ledger", "funnel"):
            path = tmp_path / f"hits.{name}"
            for line in path.read_text().splitlines() if path.exists() else []:
                point, n = line.split()
                hits.setdefault(name, {}).setdefault(point, 0)
                hits[name][point] += int(n)
        summary.pop("seconds")
        return {"figures": figures, "digests": digests, "summary": summary, "counters": counters, "restarts": services.restarts, "hits": hits}


@pytest.fixture(scope="module")
def clean(tmp_path_factory, company):
    return play(tmp_path_factory.mktemp("clean"), company)


def assert_same(run, clean):
    assert run["summary"] == clean["summary"]
    assert run["figures"] == clean["figures"]
    assert run["digests"] == clean["digests"]
    for source in ("sales.plans", "sales.import"):
        assert run["counters"][source] == clean["counters"][source]


def test_the_clean_run_passes_every_point(clean, capsys):
    assert clean["figures"] and clean["digests"]
    with capsys.disabled():
        print()
        for name, points in (("ledger", LEDGER_POINTS + STORE_POINTS), ("funnel", FUNNEL_POINTS + STORE_POINTS)):
            for point in points:
                print(f"  {name:7s} {point:26s} passed {clean['hits'].get(name, {}).get(point, 0)} times")
    missing = [point for name, points in (("ledger", LEDGER_POINTS + STORE_POINTS), ("funnel", FUNNEL_POINTS + STORE_POINTS))
               for point in points if not clean["hits"].get(name, {}).get(point)]
    assert missing == []


@pytest.mark.parametrize("which", ["first", "second", "last"])
@pytest.mark.parametrize("name,point", [("ledger", p) for p in LEDGER_POINTS + STORE_POINTS] + [("funnel", p) for p in FUNNEL_POINTS + STORE_POINTS])
def test_kill_at(tmp_path, company, clean, name, point, which):
    passed = clean["hits"][name][point]
    hit = {"first": 1, "second": 2, "last": max(1, passed - 1)}[which]
    if hit > passed:
        hit = passed
    run = play(tmp_path, company, faults={name: f"{point}:{hit}"})
    assert run["restarts"][name] == 1, "the point was not reached, so nothing was killed"
    assert_same(run, clean)


def test_random_kills_of_both(tmp_path, company, clean):
    seed = int(os.environ.get("PACELINE_SEED", "1"))
    print(f"PACELINE_SEED={seed}")
    dice = random.Random(seed)
    faults = {"ledger": f"ledger.after_append:{dice.randint(1, clean['hits']['ledger']['ledger.after_append'])}",
              "funnel": f"machine.after_apply:{dice.randint(1, clean['hits']['funnel']['machine.after_apply'])}"}
    assert_same(play(tmp_path, company, faults=faults), clean)


def test_flushall_while_running(tmp_path, company, clean):
    def flush(p, services):
        socket = str(p.redis.socket)
        done = subprocess.run(["redis-cli", "-s", socket, "EXISTS", f"pl:{{{TENANT}}}:funnel:head"], capture_output=True, text=True)
        if done.stdout.strip() != "1":
            return False
        subprocess.run(["redis-cli", "-s", socket, "FLUSHALL"], check=True, capture_output=True)
        return True

    assert_same(play(tmp_path, company, disturb=flush), clean)
