"""The benchmark works at a small size: every number is there and the counts are right. No timing is asserted."""
import json
import os
import subprocess
import sys

import harness

EVENTS, LEADS, REPS, LEVELS = 20_000, 4_000, 100, 5


def test_the_benchmark_runs_and_loses_no_event(tmp_path):
    out = tmp_path / "bench.json"
    done = subprocess.run([sys.executable, harness.ROOT / "bench" / "run.py", "--embedded", "--events", str(EVENTS), "--leads", str(LEADS),
                           "--reps", str(REPS), "--deadline", "120", "--json", str(out)],
                          capture_output=True, text=True, timeout=400, env={**os.environ, "PACELINE_BIN": str(harness.BIN)})
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(out.read_text())
    counts = result["ledger"]["counts"]
    plan_items = counts["accepted"] - EVENTS
    assert counts["rejected"] == 0
    assert counts["accepted"] + counts["duplicate"] == result["records"]
    assert plan_items > REPS, "the plan stands in the ledger: a member each, nodes, stage model"
    assert 0.01 * EVENTS < counts["duplicate"] < 0.03 * EVENTS, "2 % are sent twice"
    assert result["read"]["records"] >= counts["accepted"], "what was accepted is read back from the ledger"
    assert result["funnel"]["cells"] > REPS, "figures went to Redis"
    assert result["restart"]["folded"] == 0, "the restart begins at the snapshot"
