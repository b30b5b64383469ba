"""One story, played with and without trouble: three companies are imported as lived, their figures are read, the view is thrown away and
comes back, everything ends in order. What must not depend on the trouble is in Outcome; difference() compares two of them.

The plans are made once and imported with their own instants, so that even the digests of the states are those of the clean run."""
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

import harness
import redis

FAULT_EXIT_CODE = 86
LEADS = int(os.environ.get("PACELINE_KILL_LEADS", "40"))
COMPANIES = {"acme": (LEADS, 16, 3), "bolt": (max(5, LEADS // 4), 2, 2), "cord": (max(5, LEADS // 4), 2, 2)}  # leads, reps, levels
SETTINGS = {"PACELINE_SNAPSHOT_RECORDS": "100"}
FIRE_S = 4  # a point that ticks pass, too, is reached again within this time


def make_companies(folder, shapes=None):
    """{tenant: (plan lines, events)}: the plan items as `plan apply` writes them, with its instants."""
    with harness.Paceline(folder, "embedded") as scratch:
        for seed, (tenant, (leads, reps, levels)) in enumerate((shapes or COMPANIES).items()):
            out = folder / tenant
            subprocess.run([harness.BIN / "paceline", "gen", "--out", out, "--seed", str(seed + 11), "--leads", str(leads), "--reps", str(reps),
                            "--levels", str(levels), "--tenant", tenant], check=True, capture_output=True, timeout=120)
            scratch.run("plan", "apply", out / "plan.yaml")
        plans = [row["event"] for row in scratch.rows("tail", "plans", "--from", "begin", "--once")]
    for tenant in shapes or COMPANIES:
        harness.write_ndjson(folder / tenant / "plan.ndjson", [e for e in plans if e["tenant"] == tenant])
    return {tenant: (folder / tenant / "plan.ndjson", folder / tenant / "events.ndjson") for tenant in shapes or COMPANIES}


class Services:
    """Programs under a parent that starts again what a fault point has ended. Any other end is noted and fails the test.

    programs: {name: (program, options, environment)}; faults: {name: "POINT:N"}, for the first life of that program."""

    def __init__(self, p, programs=None, faults=None):
        self.p = p
        self.programs = programs or {"ledger": ("ledger", [], {}), "funnel": ("funnel", [], {})}
        self.faults = dict(faults or {})
        self.fired = {name: 0 for name in self.programs}
        self.running, self.bad, self.lock, self.ending = {}, [], threading.Lock(), False
        self.watcher = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self):
        try:
            for name in self.programs:
                self.begin(name)
        except BaseException:
            self.__exit__()
            raise
        self.watcher.start()
        return self

    def __exit__(self, *unused):
        self.ending = True
        if self.watcher.is_alive():
            self.watcher.join()
        for process in self.running.values():
            process.kill()

    def begin(self, name):
        program, options, more = self.programs[name]
        env = {**SETTINGS, **more, "PACELINE_FAULT_COUNT": str(self.p.folder / f"hits.{name}")}
        if self.p.shards:
            env["PACELINE_SHARDS"] = str(self.p.shards)
        if name in self.faults:
            env["PACELINE_FAULT"] = self.faults.pop(name)
        self.running[name] = harness.Process([harness.BIN / f"paceline-{program}", *self.p.where_services(), *options], self.p.folder, name, env)

    def watch(self):
        while not self.ending:
            with self.lock:
                for name, process in list(self.running.items()):
                    if not process.alive() and not self.ending:
                        self.ended(name, process)
            harness.select_pause(0.01)

    def ended(self, name, process):
        process.kill()
        if process.child.returncode in (FAULT_EXIT_CODE, -signal.SIGKILL):
            self.fired[name] += 1
            self.begin(name)
        else:
            self.bad.append(f"paceline-{name} ended with {process.child.returncode}:\n{process.tail()}")
            del self.running[name]

    def check(self):
        assert not self.bad, self.bad[0]

    def stop(self):
        """An orderly end; programs that a fault point ends on the way are counted. The state stays on the disk."""
        self.ending = True
        self.watcher.join()
        for name, process in self.running.items():
            code = process.stop()
            if code == FAULT_EXIT_CODE:
                self.fired[name] += 1
            elif code not in (0, -signal.SIGTERM):  # -TERM: begun so lately that it did not listen yet
                self.bad.append(f"paceline-{name} ended with {code}:\n{process.tail()}")
        self.running = {}
        self.check()

    def again(self):
        self.ending = False
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.__enter__()

    def hits(self):
        """{program: {point: passages}} of all lives that are over."""
        total = {}
        for name in self.programs:
            counts = total.setdefault(name, {})
            path = self.p.folder / f"hits.{name}"
            for line in path.read_text().splitlines() if path.exists() else []:
                point, n = line.split()
                counts[point] = counts.get(point, 0) + int(n)
        return total


class View:
    """The cells as they lie in Redis, without the number of their generation."""

    def __init__(self, p):
        self.space = p.prefix
        self.client = redis.Redis(unix_socket_path=str(p.redis.socket), decode_responses=True)

    def head(self, tenant):
        text = self.client.get(f"pl:{self.space}{{{tenant}}}:funnel:head")
        return text.split() if text else None

    def cells(self, tenant):
        head = self.head(tenant) or ["?"] * 6
        stem = f"pl:{self.space}{{{tenant}}}:funnel:{head[0]}"
        rows = {key[len(stem):]: self.client.hgetall(key) for key in self.client.scan_iter(f"{stem}:*", count=1000)}
        return {"tenant_seq": head[4], "time": head[5], "rows": rows}

    def settled(self, tenants):
        """All cells; read again when a head moved meanwhile."""
        for _ in range(100):
            heads = {tenant: self.head(tenant) for tenant in tenants}
            if all(heads.values()):
                cells = {tenant: self.cells(tenant) for tenant in tenants}
                if heads == {tenant: self.head(tenant) for tenant in tenants}:
                    return cells
            harness.select_pause(0.05)
        raise harness.Failed("the heads of the view do not come to rest")

    def flush(self):
        self.client.flushall()

    def wait_heads(self, tenants):
        harness.wait_until(lambda: all(self.head(t) for t in tenants), "all heads are in the view again")


def parsed(text):
    return [json.loads(line) for line in text.splitlines()]


def without_run(event):
    """An event without the name that the importer gave to its run."""
    event = {k: v for k, v in event.items() if k not in ("run", "run_id")}
    if event["type"] == "control":
        event["event_id"] = event["event_id"].rsplit("/", 1)[-1]
        event = {k: v for k, v in event.items() if not str(v).startswith("run-")}
    return event


def read_ledger(p):
    """{tenant: [(tenant_seq, source, number, name, hash of the event)]}, [rejects], {shard: [seq]}, in the ledger's order."""
    tenants, rejects, seqs = {}, [], {}
    for row in parsed(p.run("tail", "ledger", "--from", "begin", "--once", "--json")):
        seqs.setdefault(row["shard"], []).append(row["seq"])
        if "reject" in row:
            told = row["reject"]
            rejects.append((told["topic"].removeprefix(p.prefix), told["partition"], told["offset"], told["reason"], told["text"]))
        elif row.get("tenant_seq"):
            event = without_run(row["event"])
            body = hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()
            tenants.setdefault(event["tenant"], []).append((row["tenant_seq"], row["source"], row["number"], event["event_id"], body))
    return tenants, rejects, seqs


def reject_bytes(p):
    """{origin: bytes} of sales.rejects: at least once, unique by origin."""
    found = {}
    for row in parsed(p.call("tail", "rejects", "--from", "begin", "--once", "--json").stdout):
        raw = found.setdefault((row["topic"].removeprefix(p.prefix), row["partition"], row["offset"]), row["raw"])
        assert raw == row["raw"], "two records of sales.rejects have the same origin and other bytes"
    return found


def read_digests(p):
    """{(tenant, tenant_seq): digests}."""
    found = {}
    for row in parsed(p.run("tail", "attests", "--from", "begin", "--once", "--json")):
        for item in row["event"]["tenants"]:
            found.setdefault((item["tenant"], item["tenant_seq"]), set()).add(item["digest"])
    return found


class Story:
    """Plays the story on p. disturb(story) is called between the steps, by name in `at`."""

    def __init__(self, p, services, companies, at=None):
        self.p, self.services, self.companies, self.at = p, services, companies, at or {}
        self.view = View(p)
        self.feeding = None
        self.outcome = {}

    def step(self, name):
        self.services.check()
        if name in self.at:
            self.at[name](self)
            self.services.check()

    def load(self):
        p = self.p
        harness.wait_until(lambda: p.call("tail", "ledger", "--from", "begin", "--once").returncode == 0, "the topics are there")
        summaries = []
        for tenant, (plan, events) in self.companies.items():
            p.run("import", plan, timeout=300)
            self.step(f"before {tenant}")
            *rejects, summary = parsed(self.feed(tenant, events))
            summary.pop("seconds"), summary.pop("run")
            for row in rejects:
                row["file"] = pathlib.Path(row["file"]).name
            summaries.append((tenant, summary, rejects))
            self.step(f"after {tenant}")
        self.outcome["summaries"] = summaries

    def feed(self, tenant, events):
        """One import as lived. The step "during TENANT" is taken while it runs."""
        args = (harness.BIN / "paceline", "import", events, "--tenant", tenant, "--as-lived", "--json", "--no-progress", *self.p.where())
        errors = self.p.folder / "import.log"
        with open(errors, "wb") as log, subprocess.Popen([str(a) for a in args], stdout=subprocess.PIPE, stderr=log, text=True) as feed:
            self.feeding = feed
            try:
                self.step(f"during {tenant}")
                output, _ = feed.communicate(timeout=300)
            except BaseException:
                feed.kill()
                raise
        if feed.returncode not in (0, 1):
            raise harness.Failed(f"import: exit {feed.returncode}\n{errors.read_text()}\n{output[-500:]}")
        return output

    def wait_folded(self, tenant, records):
        """Until the figures hold so many records of the tenant: the load is under way."""
        def folded():
            if self.feeding and self.feeding.poll() not in (None, 0, 1):
                raise harness.Failed(f"the import ended: {(self.p.folder / 'import.log').read_text()}")
            head = self.view.head(tenant)
            return head and int(head[4]) >= records
        harness.wait_until(folded, f"{records} records of {tenant} are folded")

    def settle(self):
        self.p.run("wait", timeout=300)
        harness.wait_until(lambda: {t for t, _ in read_digests(self.p)} == set(self.companies), "every company is attested")

    def read(self):
        """Figures byte for byte by `show`, and the cells below them."""
        figures = {}
        for tenant in self.companies:
            text = self.p.run("show", "funnel", "--tenant", tenant, "--all", "--json")
            assert text, tenant
            figures[tenant] = hashlib.sha256(text.encode()).hexdigest(), text.count("\n")
        return figures

    def throw_view_away(self):
        self.view.flush()
        self.view.wait_heads(self.companies)
        self.p.run("wait", timeout=300)

    def play(self):
        self.load()
        self.settle()
        self.step("settled")
        self.outcome["figures"] = self.read()
        cells = self.view.settled(self.companies)
        self.throw_view_away()
        self.same_cells(cells, "the view that was thrown away came back with other cells")
        self.outcome["cells"] = cells
        self.wait_fired()
        self.services.stop()
        if any(f and not self.settled_fired.get(n) for n, f in self.services.fired.items()):
            self.after_late_kill(cells)
        self.count()

    def same_cells(self, cells, what):
        now = self.view.settled(self.companies)
        if now != cells:
            heads = {t: [(c[t]["tenant_seq"], c[t]["time"], len(c[t]["rows"])) for c in (now, cells)] for t in cells}
            raise harness.Failed(f"{what}: {first_difference(now, cells)}; heads {heads}")

    def wait_fired(self):
        """A fault at the last passage may still be ahead: ticks pass most points. If not now, then at the orderly end."""
        self.settled_fired = dict(self.services.fired)
        armed = [n for n in self.services.armed if not self.services.fired[n]]
        end = time.monotonic() + FIRE_S
        while armed and time.monotonic() < end and not any(self.services.fired[n] for n in armed):
            harness.select_pause(0.02)

    def after_late_kill(self, cells):
        """Killed when all was settled: the next life must make the same view out of what is on the disk."""
        self.services.again()
        self.throw_view_away()
        self.same_cells(cells, "after the kill the view has other cells")
        assert self.read() == self.outcome["figures"]
        self.services.stop()

    def count(self):
        """Conservation: what stands in the raw topics has exactly one answer; numbers are dense."""
        p = self.p
        ledger, rejects, seqs = read_ledger(p)
        self.outcome["ledger"], self.outcome["rejects"] = ledger, rejects
        self.outcome["digests"] = read_digests(p)
        for tenant, records in ledger.items():
            assert [r[0] for r in records] == list(range(1, len(records) + 1)), f"tenant_seq of {tenant} is not dense"
        for shard, numbers in seqs.items():
            assert numbers == sorted(set(numbers)), f"a seq of shard {shard} comes twice"
        counters, ends = p.counters(), p.topic_ends()
        for source, counts in counters.items():
            if source in ("sales.plans", "sales.import"):
                assert sum(counts.values()) == ends[source], f"{source}: {counts} of {ends[source]}"
        self.outcome["counters"] = {s: counters[s] for s in ("sales.plans", "sales.import")}
        assert len(rejects) == len({r[:3] for r in rejects}), "a reject stands twice in the ledger"
        self.outcome["reject_bytes"] = reject_bytes(p)


def play(folder, companies, faults=None, at=None, programs=None, mode="embedded", kafka=None, prefix="", shards=None):
    """One run. Returns its outcome, with `hits` and `fired` by program and the `seconds` it took."""
    began = time.monotonic()
    with harness.Paceline(folder, mode, services="apart", kafka=kafka, prefix=prefix, shards=shards) as p:
        services = Services(p, programs, faults)
        services.armed = list(services.faults)
        with services:
            story = Story(p, services, companies, at)
            story.play()
        return {**story.outcome, "hits": services.hits(), "fired": services.fired, "seconds": time.monotonic() - began}


def difference(run, clean):
    """None, or a text that says what differs from the clean run."""
    for what in ("summaries", "figures", "cells", "ledger", "rejects", "reject_bytes", "counters"):
        if run[what] != clean[what]:
            return f"{what} differ: {first_difference(run[what], clean[what])}"
    for key, digests in run["digests"].items():
        if len(digests) > 1:
            return f"{key} was attested with different digests"
    last = {t: max(seq for tenant, seq in clean["digests"] if tenant == t) for t, _ in clean["digests"]}
    for tenant, seq in last.items():
        if run["digests"].get((tenant, seq)) != clean["digests"][tenant, seq]:
            return f"digest of {tenant} at {seq}: {run['digests'].get((tenant, seq))}, clean {clean['digests'][tenant, seq]}"
    for key in run["digests"].keys() & clean["digests"].keys():
        if run["digests"][key] != clean["digests"][key]:
            return f"digest at {key} differs"
    return None


def first_difference(a, b, path=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys(), key=str):
            if a.get(key) != b.get(key):
                return first_difference(a.get(key), b.get(key), f"{path}/{key}")
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and not isinstance(a, str):
        for i, (x, y) in enumerate(zip(a, b)):
            if x != y:
                return first_difference(x, y, f"{path}[{i}]")
        return f"{path}: {len(a)} and {len(b)} entries"
    return f"{path}: {str(a)[:300]} and {str(b)[:300]}"
