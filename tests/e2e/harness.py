"""A paceline under test: its programs, a log (folder or real Kafka), a real Redis, everything under one folder.

    with Paceline(tmp_path, "embedded") as p:
        p.run("plan", "apply", "plan.yaml")
        rows = p.rows("show", "funnel", "--tenant", "acme", "--all")

Nothing here sleeps to let something happen: wait_until() polls a condition with a deadline."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PACELINE_BIN", ROOT / "build" / "release" / "bin"))
STATE = pathlib.Path(os.environ.get("PACELINE_STATE", ROOT / ".paceline"))
DATA = ROOT.parent / "shared" / "data"
DEADLINE_S = 90


def wait_until(condition, what, deadline_s=DEADLINE_S):
    """Polls condition() until it is true; its last value is returned, or the test fails naming `what`."""
    end = time.monotonic() + deadline_s
    pause = 0.01
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s} s: {what}")
        select_pause(pause)
        pause = min(pause * 1.5, 0.25)


def select_pause(seconds):
    """Gives the processor away between two looks at a condition."""
    import select
    select.select([], [], [], seconds)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Failed(AssertionError):
    pass


class Process:
    """One program of ours, in a session of its own, ended by pid."""

    def __init__(self, args, folder, name, env=None):
        self.log_path = folder / f"{name}.log"
        self.log = open(self.log_path, "ab")
        self.child = subprocess.Popen([str(a) for a in args], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                      env={**os.environ, **(env or {})}, start_new_session=True)

    def alive(self):
        return self.child.poll() is None

    def send(self, number):
        os.kill(self.child.pid, number)

    def stop(self, number=signal.SIGTERM, deadline_s=30):
        if self.alive():
            self.send(number)
            try:
                self.child.wait(deadline_s)
            except subprocess.TimeoutExpired:
                self.send(signal.SIGKILL)
                self.child.wait(10)
                raise Failed(f"no stop within {deadline_s} s:\n{self.tail()}") from None
        self.log.close()
        return self.child.returncode

    def kill(self):
        if self.alive():
            self.send(signal.SIGKILL)
            self.child.wait(10)
        self.log.close()

    def tail(self, bytes_max=3000):
        return self.log_path.read_bytes()[-bytes_max:].decode(errors="replace")


class Kafka:
    """A private broker by deploy/local/kafka.sh."""

    def __init__(self, folder):
        self.port = free_port()
        self.folder = folder
        self.env = {**os.environ, "KAFKA_DIR": str(folder), "KAFKA_PORT": str(self.port), "KAFKA_CONTROLLER_PORT": str(free_port()),
                    "PACELINE_STATE": str(STATE)}
        self.bootstrap = f"127.0.0.1:{self.port}"

    def call(self, verb):
        done = subprocess.run([ROOT / "deploy" / "local" / "kafka.sh", verb], env=self.env, capture_output=True, text=True, timeout=180)
        if done.returncode:
            raise Failed(f"kafka.sh {verb}: {done.stdout}{done.stderr}")

    def pid(self):
        return int((self.folder / "pid").read_text())


class Redis:
    """A private Redis by deploy/local/redis.sh."""

    def __init__(self, folder, sync="everysec"):
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.env = {**os.environ, "REDIS_DIR": str(folder), "REDIS_SYNC": sync}

    def call(self, verb):
        done = subprocess.run([ROOT / "deploy" / "local" / "redis.sh", verb], env=self.env, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise Failed(f"redis.sh {verb}: {done.stdout}{done.stderr}")


class Paceline:
    """mode: "embedded" or "kafka". services: "run" = one process `paceline run`; "apart" = none started, the test
    starts paceline-ledger and paceline-funnel itself."""

    def __init__(self, folder, mode, services="run", shards=None, prefix="", kafka=None):
        # Unix sockets have short paths: a folder of our own below the system's temporary one.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pl-"))
        self.kept = folder
        self.mode, self.services, self.shards = mode, services, shards
        self.dir = self.folder / "d"
        self.dir.mkdir()
        self.kafka = kafka
        self.own_kafka = mode == "kafka" and kafka is None
        self.redis = None
        self.prefix = prefix
        self.process = None

    def __enter__(self):
        try:
            if self.mode == "kafka":
                if self.own_kafka:
                    self.kafka = Kafka(self.folder / "kafka")
                    self.kafka.call("start")
            if self.mode == "kafka" or self.services == "apart":
                self.redis = Redis(self.folder / "redis")
                self.redis.call("start")
            if self.services == "run":
                self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *unused):
        try:
            if self.process:
                self.process.kill()
            if self.redis:
                self.redis.call("stop")
            if self.own_kafka and self.kafka:
                self.kafka.call("stop")
        finally:
            if self.kept:
                for log in self.folder.glob("*.log"):
                    shutil.copy(log, self.kept)
            shutil.rmtree(self.folder, ignore_errors=True)

    def where(self):
        """Global options that name this installation."""
        options = ["--dir", self.dir]
        if self.kafka:
            options += ["--kafka", self.kafka.bootstrap]
        if self.redis:
            options += ["--redis", self.redis.socket]
        if self.prefix:
            options += ["--prefix", self.prefix]
        if self.shards:
            options += ["--set", f"shards={self.shards}"]
        return [str(o) for o in options]

    def where_services(self):
        """The same for paceline-ledger and paceline-funnel."""
        options = ["--dir", self.dir]
        if self.kafka:
            options += ["--kafka", self.kafka.bootstrap]
        if self.redis:
            options += ["--redis", self.redis.socket]
        if self.prefix:
            options += ["--prefix", self.prefix]
        return [str(o) for o in options]

    def start(self, env=None):
        self.process = Process([BIN / "paceline", "run", *self.where()], self.folder, "run", env)
        self.wait_ready()

    def wait_ready(self):
        def ready():
            if not self.process.alive():
                raise Failed(f"paceline run ended with {self.process.child.returncode}:\n{self.process.tail()}")
            return "paceline is running" in self.process.tail(100000)
        wait_until(ready, "paceline run says that it is running")

    def call(self, *args, stdin=None, timeout=DEADLINE_S * 2):
        return subprocess.run([str(a) for a in (BIN / "paceline", *args, *self.where())], input=stdin, capture_output=True, text=True,
                              timeout=timeout)

    def run(self, *args, code=0, **more):
        done = self.call(*args, **more)
        if done.returncode != code:
            log = self.process.tail() if self.process else ""
            raise Failed(f"paceline {' '.join(map(str, args))}: exit {done.returncode}, expected {code}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{log}")
        return done.stdout

    def rows(self, *args):
        return [json.loads(line) for line in self.run(*args, "--json").splitlines()]

    def topic_ends(self):
        """Records in every topic, by name without prefix: asked of the broker by another client, or counted by `tail`."""
        names = ["sales.visits", "sales.orders", "sales.leads", "sales.facts", "sales.plans", "sales.actions", "sales.import", "sales.alerts",
                 "sales.attests", "sales.ledger"]
        if not self.kafka:
            return {n: len(self.run("tail", n, "--from", "begin", "--once", "--json").splitlines())
                    for n in names}
        import confluent_kafka
        client = confluent_kafka.Consumer({"bootstrap.servers": self.kafka.bootstrap, "group.id": "test-ends"})
        try:
            return {n: sum(client.get_watermark_offsets(confluent_kafka.TopicPartition(self.prefix + n, p), timeout=30)[1]
                           for p in range(self.shards or 1)) for n in names}
        finally:
            client.close()

    def counters(self):
        """accepted, duplicate, rejected of every source, added up over the shards."""
        total = {}
        for shard in self.rows("show", "shards"):
            for name, counts in shard["sources"].items():
                into = total.setdefault(name, {"accepted": 0, "duplicate": 0, "rejected": 0})
                for key in into:
                    into[key] += counts[key]
        return total

    def wait(self, tenant=None):
        self.run("wait", *(["--tenant", tenant] if tenant else []))


def write_ndjson(path, events):
    with open(path, "w", encoding="utf-8") as out:
        for event in events:
            out.write(json.dumps(event, ensure_ascii=False, separators=(",", ":")) + "\n")
    return path
