"""The first minute of a newcomer: ./paceline-up demo."""
import os
import pathlib
import signal
import subprocess

import harness
import pytest

DEMO = harness.ROOT / "deploy" / "local" / "demo.sh"


def environment(state):
    return {**os.environ, "PACELINE_STATE": str(state), "PACELINE_BIN": str(harness.BIN), "PACELINE_DEMO_LEADS": "100",
            "KAFKA_PORT": str(harness.free_port()), "KAFKA_JARS": str(harness.STATE / "kafka-jars")}


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("where", [[], ["--kafka"]], ids=["embedded", "kafka"])
def test_once_prints_the_funnel_and_agrees_with_the_answers(tmp_path, where):
    for _ in range(2):  # the second start meets what the first one left
        done = subprocess.run([DEMO, "--once", *where], env=environment(tmp_path), capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert "stage" in done.stdout and "WON" in done.stdout
        assert " 0 differ" in done.stdout.splitlines()[-1], done.stdout.splitlines()[-1]


def test_ctrl_c_stops_everything_it_started(tmp_path):
    demo = subprocess.Popen([DEMO], env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        seen = b""
        while b"WON" not in seen:
            line = demo.stdout.readline()
            assert line, seen.decode(errors="replace")
            seen += line
        pids = descendants(demo.pid)
        assert len(pids) > 2  # the services, their Redis, the player
        os.killpg(demo.pid, signal.SIGINT)  # as a terminal does
        demo.communicate(timeout=60)
        assert demo.returncode == 130
        harness.wait_until(lambda: not any(alive(pid) for pid in pids), "all processes of the demo are gone")
    finally:
        if demo.poll() is None:
            os.killpg(demo.pid, signal.SIGKILL)
            subprocess.run([DEMO, "--stop"], env=environment(tmp_path), capture_output=True, timeout=60)  # its services are sessions of their own


def descendants(pid):
    """Every process that stems from pid, as /proc tells parents."""
    parents = {}
    for process in pathlib.Path("/proc").iterdir():
        try:
            parents[int(process.name)] = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
    found = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return sorted(found)
        found |= more
