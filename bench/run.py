#!/usr/bin/python3
"""The benchmarks: whole programs on a real Kafka and a real Redis, CPU-seconds of each process.

    bench/run.py [--events N] [--leads N] [--reps N] [--runs K] [--embedded] [--json FILE]

The load is the fixed one of `paceline gen --bench` (Zipf 1.1 over the reps, 30 % stage moves, 3 % late, 2 % duplicates), one
event per Kafka record, Avro. Ratios are taken inside one run: the same bytes are read by the fastest plain librdkafka
loop in the same minute. Nothing is asserted: RESULTS.md says what was seen."""
import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
import harness  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
TENANT = "bench"
LEVELS = 5


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().split("\n"):
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def redis_cpu_seconds(p):
    out = subprocess.run(["redis-cli", "-s", str(p.redis.socket), "INFO", "cpu"], capture_output=True, text=True, check=True).stdout
    values = dict(line.strip().split(":") for line in out.splitlines() if ":" in line)
    return float(values["used_cpu_sys"]) + float(values["used_cpu_user"])


def redis_ask(p, *words):
    return subprocess.run(["redis-cli", "-s", str(p.redis.socket), *words], capture_output=True, text=True, check=True).stdout


def redis_slow(p):
    """Redis calls of more than 5 ms: how many (128 at most are kept), and the longest in ms."""
    lines = redis_ask(p, "EVAL", "local all = redis.call('SLOWLOG', 'GET', -1) local most = 0 "
                      "for i = 1, #all do most = math.max(most, all[i][3]) end return {#all, most}", "0").split()
    return {"count": int(lines[0]), "longest_ms": int(lines[1]) / 1000}


def program(p, name, settings=None, profile=None):
    """A service; profile: where perf writes what it saw of it, read by `perf report -i`."""
    env = {f"PACELINE_{k.upper()}": str(v) for k, v in (settings or {}).items()}
    watch = ["perf", "record", "-q", "-e", "cpu-clock", "-F", "999", "-g", "-o", f"{profile}.{name}.perf"] if profile else []
    return harness.Process([*watch, harness.BIN / f"paceline-{name}", *p.where()], p.folder, name, env)


def pid_of(process):
    """The service itself, below perf if that runs."""
    children = pathlib.Path(f"/proc/{process.child.pid}/task/{process.child.pid}/children").read_text().split()
    own = pathlib.Path(f"/proc/{process.child.pid}/comm").read_text().strip()
    return int(children[0]) if own == "perf" and children else process.child.pid


def until(condition, process, deadline_s):
    def check():
        if not process.alive():
            raise harness.Failed(process.tail())
        return condition()
    harness.wait_until(check, "the work is done", deadline_s)


def apply_plan(p, options):
    """The organisation of the load: without a plan no figures are projected, and the numbers would flatter."""
    company = p.folder / "company"
    p.run("gen", "--out", company, "--leads", 1, "--reps", options.reps, "--levels", LEVELS, "--tenant", TENANT)
    ledger = program(p, "ledger")
    try:
        until(lambda: metric(p, "paceline_ledger_running") >= 1, ledger, options.deadline)
        p.run("plan", "apply", company / "plan.yaml", timeout=options.deadline)
    finally:
        ledger.stop()


def bench_ledger(p, total, deadline_s, profile):
    """raw -> ledger: from the start of paceline-ledger until the last raw record is disposed of."""
    begin = time.monotonic()
    process = program(p, "ledger", profile=profile)
    try:
        until(lambda: metric(p, "paceline_ledger_records_total") >= total, process, deadline_s)
        pid = pid_of(process)
        return {"cpu_seconds": cpu_seconds(pid), "wall_seconds": time.monotonic() - begin, "rss": rss_bytes(pid),
                "seq": metric(p, "paceline_ledger_seq"), "blocks": metric(p, "paceline_ledger_blocks_total"),
                "counts": {c: metric(p, "paceline_ledger_records_total", f'"{c}"') for c in ("accepted", "duplicate", "rejected")},
                "id_bytes": metric(p, "paceline_ledger_id_bytes") / max(1, metric(p, "paceline_ledger_ids"))}
    finally:
        process.stop()


def metric(p, name, label=""):
    """The sum of a metric over its labels, or over those that hold `label`, from the metrics page of the service that runs;
    0 while there is none."""
    try:
        text = urllib.request.urlopen(f"http://127.0.0.1:{p.http_port}/metrics", timeout=5).read().decode()
    except OSError:
        return 0
    values = (line.rsplit(" ", 1) for line in text.splitlines())
    return sum(float(value) for labels, value in values if labels.split("{")[0] == name and label in labels)


def bench_funnel(p, deadline_s, profile):
    """ledger -> Redis: from the start of paceline-funnel until its figures are current."""
    redis_ask(p, "CONFIG", "SET", "slowlog-log-slower-than", "5000")
    redis_ask(p, "SLOWLOG", "RESET")
    redis = redis_cpu_seconds(p)
    begin = time.monotonic()
    process = program(p, "funnel", {"snapshot_records": 10**9}, profile)
    try:
        p.run("wait", timeout=deadline_s)
        pid = pid_of(process)
        spent = {"cpu_seconds": cpu_seconds(pid), "wall_seconds": time.monotonic() - begin, "rss": rss_bytes(pid),
                 "redis_cpu_seconds": redis_cpu_seconds(p) - redis}
        until(lambda: metric(p, "paceline_view_cells_total"), process, deadline_s)  # the page is a moment behind
        return {**spent, "redis_slow": redis_slow(p), "cells": metric(p, "paceline_view_cells_total"),
                "commits": metric(p, "paceline_view_commits_total"), "generations": metric(p, "paceline_view_generations_total")}
    finally:
        process.stop(deadline_s=300)


def bench_restart(p, end, deadline_s):
    """kill -9 of the funnel behind the snapshot that its orderly end made; then the time until it has folded to the end
    again and the view is current. folded: records behind the snapshot."""
    begin = time.monotonic()
    process = program(p, "funnel", {"snapshot_records": 10**9})
    try:
        until(lambda: metric(p, "paceline_machine_seq") >= end, process, deadline_s)
        process.kill()
        begin = time.monotonic()
        process = program(p, "funnel", {"snapshot_records": 10**9})
        until(lambda: metric(p, "paceline_machine_seq") >= end, process, deadline_s)
        p.run("wait", timeout=deadline_s)
        return {"wall_seconds": time.monotonic() - begin, "cpu_seconds": cpu_seconds(process.child.pid),
                "folded": metric(p, "paceline_machine_records_total")}
    finally:
        process.stop(deadline_s=300)


def tool(*args):
    done = subprocess.run([str(a) for a in args], capture_output=True, text=True, timeout=1200)
    if done.returncode:
        raise harness.Failed(done.stderr)
    return json.loads(done.stdout)


def one_run(options):
    result = {}
    mode = "embedded" if options.embedded else "kafka"
    with harness.Paceline(None, mode, services="apart") as p:
        p.http_port = harness.free_port()
        os.environ["PACELINE_HTTP"] = f"127.0.0.1:{p.http_port}"
        os.environ["PACELINE_SHARDS"] = "1"
        apply_plan(p, options)
        begin = time.monotonic()
        p.run("gen", "--bench", options.events, "--leads", options.leads, "--reps", options.reps, "--levels", LEVELS, "--tenant", TENANT,
              "--no-progress", timeout=3600)
        result["produce"] = {"wall_seconds": time.monotonic() - begin}
        ends = p.topic_ends()
        total = sum(ends[n] for n in ends if n != "sales.ledger")
        result["records"] = total
        if p.kafka:
            result["floor"] = tool(harness.BIN / "bench_floor", p.kafka.bootstrap, p.prefix + "sales.leads", 1)
        result["ledger"] = bench_ledger(p, total, options.deadline, options.profile)
        where = ["--kafka", p.kafka.bootstrap, p.prefix, 1] if p.kafka else [p.dir]
        result["read"] = tool(harness.BIN / "bench_read", *where)
        result["funnel"] = bench_funnel(p, options.deadline, options.profile)
        result["restart"] = bench_restart(p, result["ledger"]["seq"], options.deadline)
        if p.kafka:
            result["floor_again"] = tool(harness.BIN / "bench_floor", p.kafka.bootstrap, p.prefix + "sales.leads", 1)
    return result


def row(name, value):
    print(f"{name:58s} {value}")


def show(options, result):
    millions = result["records"] / 1e6
    leads = options.leads
    row("events", f"{result['records']:,} ({leads:,} leads, {options.reps:,} reps)")
    if "floor" in result:
        for name in ("floor", "floor_again"):
            row(f"raw topic read by plain librdkafka ({name})", f"{result[name]['cpu_seconds'] / millions:.3f} CPU-s per million")
    row("paceline-ledger, raw -> ledger", f"{result['ledger']['cpu_seconds'] / millions:.3f} CPU-s per million, RSS {result['ledger']['rss'] / 2**20:.0f} MiB")
    row("records in a ledger block, mean", f"{result['read']['records'] / max(1, result['ledger']['blocks']):.0f}")
    row("ledger read + filter", f"{result['read']['cpu_seconds'] * 1e9 / max(1, result['read']['records']):.0f} CPU-ns per event")
    funnel = result["funnel"]
    row("paceline-funnel, ledger -> Redis", f"{funnel['cpu_seconds'] / millions:.3f} CPU-s per million, Redis beside it {funnel['redis_cpu_seconds'] / millions:.3f}")
    row("ledger and funnel together", f"{(result['ledger']['cpu_seconds'] + funnel['cpu_seconds']) / millions:.3f} CPU-s per million")
    row("figures written to Redis", f"{funnel['cells']:,.0f} cells in {funnel['commits']:,.0f} commits and {funnel['generations']:,.0f} generations")
    row("Redis calls of more than 5 ms", f"{funnel['redis_slow']['count']}, the longest {funnel['redis_slow']['longest_ms']:.1f} ms")
    counts = result["ledger"]["counts"]
    row("accepted, duplicate, rejected", ", ".join(f"{counts[c]:,.0f}" for c in ("accepted", "duplicate", "rejected")))
    row("memory of the table of ids", f"{result['ledger']['id_bytes']:.1f} B per id")
    row("memory of the funnel", f"{funnel['rss'] / 2**20:.0f} MiB, {funnel['rss'] / leads:.0f} B per lead (whole process)")
    row("restart after kill -9, figures current", f"{result['restart']['wall_seconds']:.2f} s wall, {result['restart']['cpu_seconds']:.2f} CPU-s, {result['restart']['folded']:.0f} records behind the snapshot")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=6_000_000)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--reps", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--deadline", type=int, default=1800)
    parser.add_argument("--embedded", action="store_true", help="the folder log instead of Kafka")
    parser.add_argument("--profile", help="perf record of the services, into PATH.ledger.perf and PATH.funnel.perf")
    parser.add_argument("--json", help="append each run's numbers to this file")
    options = parser.parse_args()
    for _ in range(options.runs):
        result = one_run(options)
        show(options, result)
        if options.json:
            with open(options.json, "a", encoding="utf-8") as out:
                out.write(json.dumps({"events": options.events, "leads": options.leads, **result}) + "\n")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(1))
    main()
