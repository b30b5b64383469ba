"""kill -9 at every named point, first, second and last passage: figures, cells, ledger and digests are those of the clean run.

PACELINE_FAULT ends a program without any handler at the n-th passage of a named point; the parent (scenario.Services) starts it again. A
clean run counts the passages: a point that is never reached, or reached less often than it is to be killed, fails the suite.

PACELINE_KILL_LEADS (40) is the size of the largest company, PACELINE_KILL_JOBS (3) the number of runs at a time."""
import concurrent.futures
import os
import random

import pytest
import scenario

JOBS = int(os.environ.get("PACELINE_KILL_JOBS", "3"))
SEED = int(os.environ.get("PACELINE_SEED", "1"))
AIMS = 5  # how often a run may miss the last passage of a point, whose number the clean run can only foretell

POINTS = {
    "ledger": ["ledger.after_poll", "ledger.before_append", "log.mid_write", "log.before_sync", "log.after_sync", "ledger.after_append",
               "ledger.before_readback", "ledger.before_snapshot", "ledger.after_snapshot", "store.before_rename", "store.after_rename"],
    "funnel": ["machine.after_poll", "machine.before_apply", "machine.after_apply", "machine.before_send", "machine.after_send",
               "machine.before_commit", "view.commit_sent", "machine.after_commit", "view.before_fill", "machine.mid_generation",
               "machine.before_snapshot", "machine.after_snapshot", "store.before_rename", "store.after_rename"],
}
PASSAGES = ["first", "second", "last"]
MATRIX = [(program, point, passage) for program, points in POINTS.items() for point in points for passage in PASSAGES]


@pytest.fixture(scope="module")
def companies(tmp_path_factory):
    return scenario.make_companies(tmp_path_factory.mktemp("companies"))


@pytest.fixture(scope="module")
def clean(tmp_path_factory, companies):
    return scenario.play(tmp_path_factory.mktemp("clean"), companies)


def kill_at(folder, companies, clean, program, point, passage):
    """One kill. The last passage is aimed at by the number of passages of the run before, until it is hit."""
    hits = clean["hits"][program][point]
    for aim in range(AIMS):
        n = {"first": 1, "second": 2, "last": max(3, hits)}[passage]
        run = scenario.play(folder, companies, faults={program: f"{point}:{n}"})
        differs = scenario.difference(run, clean)
        if differs or run["fired"][program]:
            break
        hits = min(hits - aim // 2, run["hits"][program].get(point, 0))
    return {"n": n, "fired": run["fired"], "differs": differs, "seconds": run["seconds"], "aims": aim + 1}


@pytest.fixture(scope="module")
def runs(request, tmp_path_factory, companies, clean):
    """The runs of the matrix that were asked for, a few at a time; each test waits for its own."""
    asked = [item.callspec.params["cell"] for item in request.session.items if item.name.startswith("test_kill_at[")]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        yield {cell: pool.submit(kill_at, tmp_path_factory.mktemp("kill"), companies, clean, *cell) for cell in asked}
        pool.shutdown(cancel_futures=True)


def test_the_clean_run_passes_every_point_at_least_three_times(clean):
    few = [(program, point, clean["hits"][program].get(point, 0)) for program, points in POINTS.items() for point in points
           if clean["hits"][program].get(point, 0) < len(PASSAGES)]
    assert few == []


def test_a_second_clean_run_gives_the_same(tmp_path, companies, clean):
    assert scenario.difference(scenario.play(tmp_path, companies), clean) is None


@pytest.mark.parametrize("cell", MATRIX, ids=["-".join(cell) for cell in MATRIX])
def test_kill_at(runs, cell):
    run = runs[cell].result()
    assert run["fired"][cell[0]] == 1, f"{cell[1]} was not passed {run['n']} times, so nothing was killed"
    assert run["differs"] is None


def test_table_of_kills(runs, clean, capsys):
    """Not a check of its own: what was killed where, after how many passages."""
    done = {cell: run.result() for cell, run in runs.items()}
    if not done:
        pytest.skip("no cell of the matrix was asked for")
    with capsys.disabled():
        print(f"\n  {'program':8s}{'point':26s}{'passages':>9s}   killed at passage: {' '.join(f'{p:>7s}' for p in PASSAGES)}")
        for program, points in POINTS.items():
            for point in points:
                at = [str(done[program, point, p]["n"]) if (program, point, p) in done else "-" for p in PASSAGES]
                print(f"  {program:8s}{point:26s}{clean['hits'][program][point]:9d}   {'':18s} {' '.join(f'{n:>7s}' for n in at)}")
        runs_made, seconds = sum(run["aims"] for run in done.values()), sum(run["seconds"] for run in done.values())
        print(f"  {len(done)} kills in {runs_made} runs, {seconds / len(done):.1f} s each, {JOBS} at a time")
    assert all(sum(run["fired"].values()) for run in done.values())


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_random_kills_of_both_programs(tmp_path, companies, clean, seed):
    dice = random.Random(seed)
    faults = {}
    for program, points in POINTS.items():
        point = dice.choice(points)
        faults[program] = f"{point}:{dice.randint(1, max(1, clean['hits'][program][point] // 2))}"
    run = scenario.play(tmp_path, companies, faults=faults)
    assert scenario.difference(run, clean) is None, f"PACELINE_SEED={seed} {faults}"
    assert run["fired"] == {"ledger": 1, "funnel": 1}, faults
