"""Fixtures of the end-to-end tests. One real Kafka serves all of them; each test has topics of its own by prefix."""
import itertools
import os
import pathlib
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import harness  # noqa: E402

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared_kafka(tmp_path_factory):
    kafka = harness.Kafka(tmp_path_factory.mktemp("kafka"))
    kafka.call("start")
    yield kafka
    kafka.call("stop")


@pytest.fixture(params=["embedded", "kafka"])
def mode(request):
    return request.param


@pytest.fixture
def paceline(mode, tmp_path, request):
    """A running paceline on the folder log, and again on a real Kafka with a real Redis."""
    kafka = request.getfixturevalue("shared_kafka") if mode == "kafka" else None
    with harness.Paceline(tmp_path, mode, kafka=kafka, prefix=f"t{next(numbers)}." if kafka else "", shards=2 if kafka else None) as running:
        yield running


@pytest.fixture
def data():
    """The public data sets, where they are at hand (PACELINE_DATA, or beside the project)."""
    folder = pathlib.Path(os.environ.get("PACELINE_DATA", harness.DATA))
    if not folder.is_dir():
        pytest.skip(f"the data sets are not at {folder}; set PACELINE_DATA")
    return folder
