"""mqbench and a broker of several nodes: RabbitMQ, three of them, of which one is killed while a run goes on. Its MQTT is 3.1.1
without QoS 2. The nodes are slow to start, so one cluster serves all tests, and the last two kill what they do not need."""

import contextlib
import json

import pytest

from support.rabbitmq import Cluster
from support.tools import mqbench, start

SECONDS = 180


@pytest.fixture(scope="module")
def cluster():
    with Cluster(3) as cluster:
        yield cluster


# --- verify ---------------------------------------------------------------------------------------

def verified(cluster, *options):
    result = mqbench("verify", "-L", cluster.nodes[0].endpoint.url, "-V", "311", *options, "--drain", "60s", "--json", "-", "--quiet",
                     seconds=SECONDS)
    return result.code, json.loads(result.out)


@pytest.mark.parametrize("qos", (0, 1))
def test_what_is_promised_is_kept(cluster, qos):
    code, outcome = verified(cluster, "-q", qos, "--count", 300)
    assert (code, outcome["broken"], outcome["counts"]["sent"]) == (0, [], 300)
    assert all(each["qos"] == each["asked_qos"] == qos for each in outcome["streams"])


def test_sessions_of_publishers_are_not_kept_and_it_is_found(cluster):
    """A session is a queue to RabbitMQ, which who has subscribed to nothing has none of."""
    code, outcome = verified(cluster, "-q", 1, "--count", 600, "--faults", "cut,resume", "--fault-rate", "20/s")
    gone = [each for each in outcome["broken"] if "its session was gone" in each]
    assert code == 13 and gone and all(each.startswith("p") for each in gone), outcome["broken"]
    assert outcome["counts"]["corrupted"] == outcome["counts"]["refused"] == 0


def test_a_qos_2_that_it_does_not_have_is_told_from_a_loss(cluster):
    """It grants QoS 1 for 2, which it may, and answers a message of QoS 2 with PUBACK, which nobody may."""
    result = mqbench("verify", "-L", cluster.nodes[0].endpoint.url, "-V", "311", "-q", 2, "--count", 20, "--quiet", seconds=SECONDS)
    assert (result.code, "PUBACK answers a QoS 2 PUBLISH" in result.err_text) == (12, True), result
    code, outcome = verified(cluster, "-q", "1:2", "--count", 20)
    assert (code, outcome["broken"]) == (0, [])


# --- a run over the nodes --------------------------------------------------------------------------

@contextlib.contextmanager
def from_node_to_node(nodes, path, *options):
    """Every message goes from the first node to the second."""
    with start("mqbench", "run", "fan-in", "-V", "311", "--publish-to", nodes[0].endpoint.url, "--subscribe-from",
               nodes[1].endpoint.url, "--publishers", 4, "--subscribers", 2, "--rate", "200/s", "--warmup", 0, "--json", path,
               *options) as bench:
        bench.wait_err(b"delivered", SECONDS)
        yield bench


def test_a_run_from_node_to_node_while_a_third_one_dies(cluster, scratch):
    """It has no clients: what the others do may be held up while they notice, but nothing is lost at QoS 1."""
    path = scratch / "result.json"
    with from_node_to_node(cluster.nodes, path, "-q", 1, "--duration", "6s", "--drain", "60s") as bench:
        cluster.nodes[2].kill()
        ended = bench.wait(SECONDS)
    counts = json.loads(path.read_text())["counts"]
    assert (ended.code, counts["sent"], counts["lost"], counts["connections_lost"]) == (0, 1200, 0, 0), ended
    assert counts["received"] == 2400


def test_a_run_from_node_to_node_of_which_the_second_dies(cluster, scratch):
    """Its subscribers are gone, which the result says second by second; the publishers go on."""
    path = scratch / "result.json"
    with from_node_to_node(cluster.nodes, path, "--duration", "6s", "--drain", "1s") as bench:
        cluster.nodes[1].kill()
        ended = bench.wait(SECONDS)
    result = json.loads(path.read_text())
    counts = result["counts"]
    assert (ended.code, counts["connections_lost"], counts["sent"]) == (8, 2, 1200), ended
    assert counts["received"] > 0 and counts["received"] + counts["lost"] == 2400
    outage = result["outages"][-1]
    assert (outage["over"], outage["connections"], result["intervals"][-1]["connections"]) == (False, 4, 4)
    assert "outage" in ended.out.decode()
