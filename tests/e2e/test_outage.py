"""What stands below goes away, forgets, or comes back older; a process that was stopped wakes up after another took over.

The story of scenario.py with the trouble between or within its steps. In each case figures, cells, ledger, counters and digests are those
of the clean run, which is made on the folder log. The Redis cases run there, too; those of broker and group on a real Kafka."""
import os
import shutil
import signal
import time

import conftest
import harness
import pytest
import scenario

LEADS = int(os.environ.get("PACELINE_OUTAGE_LEADS", "200"))
SHAPES = {"acme": (LEADS, 8, 3), "bolt": (LEADS // 4, 2, 2), "cord": (LEADS // 4, 2, 2)}  # leads, reps, levels
OUTAGE_S = 10
SESSION_S = 10  # session.timeout.ms of the election


@pytest.fixture(scope="module")
def companies(tmp_path_factory):
    return scenario.make_companies(tmp_path_factory.mktemp("companies"), SHAPES)


@pytest.fixture(scope="module")
def clean(tmp_path_factory, companies):
    return scenario.play(tmp_path_factory.mktemp("clean"), companies)


@pytest.fixture
def on_kafka(shared_kafka, companies, tmp_path):
    def play(**more):
        return scenario.play(tmp_path, companies, mode="kafka", kafka=shared_kafka, prefix=f"o{next(conftest.numbers)}.", shards=1, **more)
    return play


def assert_same(run, clean):
    assert scenario.difference(run, clean) is None


# ---- Redis


def test_flushall_under_load(tmp_path, companies, clean):
    def flush(story):
        story.wait_folded("acme", 50)
        story.view.flush()

    assert_same(scenario.play(tmp_path, companies, at={"during acme": flush, "during cord": lambda story: story.view.flush()}), clean)


class Dump:
    """A copy of what Redis has on its disk, and the way back to it."""

    def take(self, story):
        client, folder = story.view.client, story.p.redis.folder
        client.bgrewriteaof()
        harness.wait_until(lambda: not client.info("persistence")["aof_rewrite_in_progress"] and
                           not client.info("persistence")["aof_rewrite_scheduled"], "the file is written anew")
        shutil.copytree(folder / "appendonlydir", folder / "older")
        self.heads = {t: story.view.head(t) for t in story.companies}

    def put_back(self, story):
        folder = story.p.redis.folder
        story.p.redis.call("kill")
        shutil.rmtree(folder / "appendonlydir")
        shutil.copytree(folder / "older", folder / "appendonlydir")
        story.p.redis.call("start")


@pytest.mark.parametrize("taken", ["after acme", "before cord"])
def test_redis_restored_from_an_older_dump(tmp_path, companies, clean, taken):
    dump = Dump()

    def put_back(story):
        now = {t: story.view.head(t) for t in story.companies}
        assert dump.heads["acme"] and dump.heads != now, "the dump is not older"
        dump.put_back(story)
        harness.wait_until(lambda: {t: (h or [0] * 6)[4] for t, h in ((t, story.view.head(t)) for t in story.companies)} ==
                           {t: h[4] for t, h in now.items()}, "the figures are current again")

    assert_same(scenario.play(tmp_path, companies, at={taken: dump.take, "settled": put_back}), clean)


def test_redis_restored_from_an_older_dump_while_the_funnel_is_down(tmp_path, companies, clean):
    """The next life of the funnel begins with a snapshot that is newer than the view."""
    dump = Dump()

    def put_back(story):
        now = {t: story.view.head(t)[4] for t in story.companies}
        story.services.stop()
        dump.put_back(story)
        story.services.again()
        harness.wait_until(lambda: all((story.view.head(t) or [0] * 6)[4] == now[t] for t in now), "the figures are current again")

    assert_same(scenario.play(tmp_path, companies, at={"after acme": dump.take, "settled": put_back}), clean)


def test_redis_away_under_load(tmp_path, companies, clean):
    def outage(story):
        story.wait_folded("acme", 50)
        story.p.redis.call("kill")
        harness.select_pause(2)
        story.p.redis.call("start")

    def frozen(story):
        story.p.redis.call("freeze")
        harness.select_pause(2)
        story.p.redis.call("thaw")

    assert_same(scenario.play(tmp_path, companies, at={"during acme": outage, "during cord": frozen}), clean)


# ---- Kafka


def test_a_clean_run_on_kafka_gives_the_same_as_the_folder_log(on_kafka, clean):
    assert_same(on_kafka(), clean)


@pytest.mark.parametrize("program,fault", [
    ("ledger", "ledger.after_append:2"), ("ledger", "ledger.before_readback:9"), ("ledger", "ledger.before_append:5"),
    ("funnel", "machine.before_commit:2"), ("funnel", "machine.mid_generation:2"), ("funnel", "machine.after_send:2")])
def test_kill_on_kafka(on_kafka, clean, program, fault):
    run = on_kafka(faults={program: fault})
    assert run["fired"][program] == 1, fault
    assert_same(run, clean)


@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_ten_seconds_without_a_broker_under_load(on_kafka, clean, shared_kafka, how):
    def outage(story):
        story.wait_folded("acme", 50)
        shared_kafka.call(how)
        began = time.monotonic()
        harness.select_pause(OUTAGE_S)
        shared_kafka.call("start" if how == "kill" else "thaw")
        assert time.monotonic() - began >= OUTAGE_S

    assert_same(on_kafka(at={"during acme": outage}), clean)


def owners(story, name):
    """The instances whose log says last that they have the shard."""
    words = {"ledger": ("writes the ledger", "stands by"), "funnel": ("owns the shard", "stands by")}[name]
    texts = {instance: story.services.running[f"{name}-{instance}"].tail(1 << 20) for instance in "ab"}
    return [instance for instance, text in texts.items() if text.rfind(words[0]) > text.rfind(words[1])]


def single(items):
    return items[0] if len(items) == 1 else None


def test_a_stopped_owner_wakes_up_after_another_took_over(on_kafka, clean, tmp_path, capsys):
    """Two instances of each service. Those that have the shard are stopped in the middle of an import, past the session timeout: the others
    take over and finish. Then the first wake up and still believe that the shard is theirs."""
    programs = {f"{name}-{instance}": (name, ["--instance", instance], {"PACELINE_STORE": str(tmp_path / f"store-{instance}")})
                for name in ("ledger", "funnel") for instance in ("a", "b")}
    seen = {}

    def stop_and_wake(story):
        story.wait_folded("acme", 50)
        first = {name: owners(story, name)[0] for name in ("ledger", "funnel")}
        sleepers = [story.services.running[f"{name}-{instance}"] for name, instance in first.items()]
        for process in sleepers:
            process.send(signal.SIGSTOP)
        began = time.monotonic()
        seen["stopped at"] = story.view.head("acme")[4]
        try:
            harness.select_pause(SESSION_S + 1)
            harness.wait_until(lambda: story.p.call("wait", "--timeout", "1").returncode == 0, "the other instance has taken over")
            seen["taken over at"] = story.view.head("acme")[4]
        finally:
            seen["seconds"] = round(time.monotonic() - began, 1)
            for process in sleepers:
                process.send(signal.SIGCONT)
        seen["first owners"] = first
        seen["last owners"] = {name: harness.wait_until(lambda name=name: single(owners(story, name)),
                                                        f"{name} has one owner") for name in ("ledger", "funnel")}

    def count_void(story):
        seen["void"] = [row.get("cause") for row in scenario.parsed(story.p.run("tail", "ledger", "--void", "--from", "begin", "--once", "--json"))]

    run = on_kafka(programs=programs, at={"during acme": stop_and_wake, "settled": count_void})
    with capsys.disabled():
        print(f"\n  {seen}")
    assert_same(run, clean)
    assert int(seen["taken over at"]) > int(seen["stopped at"]), "the load was over before the owner was stopped"
