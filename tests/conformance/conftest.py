"""The broker under test, clients, and the marker that says which clauses a test covers."""

import fnmatch
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
sys.dont_write_bytecode = True

import subjects  # noqa: E402  (need the path above)
from client import Client, unique  # noqa: E402
from support.directories import session_directory  # noqa: E402
from mosquitto_faults import FAULTS  # noqa: E402
from wire import V5, V31, V311  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "covers(v5, v311): the clauses of clauses.tsv that a test checks")
    if not config.option.collectonly and (missing := subjects.check_available()):
        raise pytest.UsageError(missing)


def pytest_collection_modifyitems(items):
    if subjects.which() != "mosquitto":
        return
    for item in items:
        name = f"{item.path.name}::{item.name}"
        for pattern, why in FAULTS.items():
            if fnmatch.fnmatchcase(name.replace("[", "("), pattern.replace("[", "(")):
                item.add_marker(pytest.mark.xfail(reason=f"mosquitto: {why}", strict=True))


@pytest.fixture(scope="session", autouse=True)
def temporary_directory():
    os.environ.pop("MQTT_URL", None)  # the user's own settings must not decide a test
    with session_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def brokers(temporary_directory):
    """start(**limits): a broker with these limits; the same one for the same limits."""
    running = {}

    def start(**limits):
        key = repr(sorted(limits.items()))
        if key not in running:
            try:
                running[key] = subjects.start(**limits)
            except subjects.NotOffered as error:
                pytest.skip(str(error))
        return running[key]
    yield start
    for broker in running.values():
        broker.stop()


@pytest.fixture(scope="session")
def broker(brokers):
    """The broker under test as it comes."""
    return brokers()


@pytest.fixture
def opened(broker):
    """opened(version, broker=): a connection on which nothing was sent yet."""
    clients = []

    def new(version=V5, on=broker, **how):
        clients.append(Client(on.address, version, **how))
        return clients[-1]
    yield new
    for client in clients:
        client.close()
    assert broker.running, "the broker ended"


@pytest.fixture
def connected(opened):
    """connected(version, client_id, on=, automatic=, **CONNECT): a client after a successful CONNACK."""
    def new(version=V5, client_id=None, on=None, automatic=True, **how):
        client = opened(version, automatic=automatic, **({"on": on} if on else {}))
        client.connect(client_id, **how)
        return client
    return new


@pytest.fixture
def topic():
    """A topic of this test alone."""
    return unique("t/")


@pytest.fixture(params=[V311, V5], ids=["v311", "v5"])
def version(request):
    """Both versions that the table is about."""
    return request.param


@pytest.fixture(params=[V31, V311, V5], ids=["v31", "v311", "v5"])
def any_version(request):
    return request.param
