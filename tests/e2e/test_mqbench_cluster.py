"""mqbench and a broker of several nodes: RabbitMQ, three of them, of which one is killed while a run goes on."""

import contextlib
import json

import pytest

from support.brokers import Mosquitto
from support.rabbitmq import Cluster
from support.tools import start, unique

SECONDS = 180


@pytest.fixture(scope="module")
def rendezvous():
    with Mosquitto() as broker:
        yield broker


@pytest.fixture
def cluster():
    with Cluster(3) as cluster:
        yield cluster


@contextlib.contextmanager
def a_shard_on_each(nodes, rendezvous, scratch, *options):
    """Each with its own node, so that half of the messages go from one node to the other."""
    name = unique("run")
    paths = [scratch / f"{n}.json" for n in range(1, len(nodes) + 1)]
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(start(
            "mqbench", "run", "fan-in", "-L", node.endpoint.url, "-V", "311", "--publishers", 4, "--subscribers", 2, "--rate", "200/s",
            "--warmup", 0, "--shard", f"{n}/{len(nodes)}", "--rendezvous", rendezvous["tcp"].url, "--run", name, "--json", path, *options))
            for n, (node, path) in enumerate(zip(nodes, paths), 1)], paths


def total(results, name):
    return sum(result["counts"][name] for result in results)


def test_a_run_over_two_nodes_and_a_third_that_dies(cluster, rendezvous, scratch):
    """The third has no clients: what the others do may be held up while they notice, but nothing is lost at QoS 1."""
    with a_shard_on_each(cluster.nodes[:2], rendezvous, scratch, "--duration", "10s", "-q", 1, "--drain", "30s") as (running, paths):
        for each in running:
            each.wait_err(b"delivered", SECONDS)
        cluster.nodes[2].kill()
        outcomes = [each.wait(SECONDS) for each in running]
    assert [each.code for each in outcomes] == [0, 0], outcomes
    results = [json.loads(path.read_text()) for path in paths]
    assert (total(results, "sent"), total(results, "lost"), total(results, "connections_lost")) == (2000, 0, 0)
    assert total(results, "received") - total(results, "duplicated") == 4000


def test_a_run_over_two_nodes_of_which_one_dies(cluster, rendezvous, scratch):
    """The clients of the second shard are gone, which its result says second by second; the first one's go on."""
    with a_shard_on_each(cluster.nodes[:2], rendezvous, scratch, "--duration", "10s", "--drain", "5s") as (running, paths):
        for each in running:
            each.wait_err(b"delivered", SECONDS)
        cluster.nodes[1].kill()
        outcomes = [each.wait(SECONDS) for each in running]
    assert [each.code for each in outcomes] == [0, 8], outcomes
    first, second = (json.loads(path.read_text()) for path in paths)
    assert (first["counts"]["connections_lost"], second["counts"]["connections_lost"]) == (0, 3)
    assert first["counts"]["sent"] == 1000 and second["counts"]["sent"] < 1000
    # What the first one's publishers send goes on to its own subscriber until the end; the second one's gets no more.
    assert second["counts"]["lost"] > 0
    assert first["counts"]["received"] >= first["counts"]["sent"]
    assert "outages" not in first
    assert (second["outages"][-1]["over"], second["outages"][-1]["connections"]) == (False, 0)
    assert second["intervals"][-1]["connections"] == 0
