"""mqbench and a broker of several nodes: RabbitMQ, three of them, of which one is killed while a run goes on. Its MQTT is 3.1.1
without QoS 2. The nodes are slow to start, so one cluster serves all tests, and the last two kill a node each."""

import json
import signal

import pytest

from support.ports import wait_until
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


# --- runs over the nodes ---------------------------------------------------------------------------

def from_node_to_nodes(source, targets, path, *options):
    """Every message goes from one node to another."""
    subscribed = [word for node in targets for word in ("--subscribe-from", node.endpoint.url)]
    return start("mqbench", "run", "fan-in", "-V", "311", "--publish-to", source.endpoint.url, *subscribed, "--publishers", 4,
                 "--subscribers", 2, "--rate", "200/s", "--warmup", 0, "--progress", "json", "--json", path, *options)


def last_said(bench):
    return json.loads(([b"{}"] + [line for line in bench.err.split(b"\n")[:-1] if line.startswith(b"{")])[-1])


def wait_for_messages(bench, connections, after=0):
    def come():
        said = last_said(bench)
        return bench.running and said.get("t_s", 0) > after and said["connections"] == connections and said["received_per_s"] > 0
    wait_until(come, SECONDS, f"messages over {connections} connections")
    return last_said(bench)["t_s"]


def test_a_client_of_a_node_that_dies_goes_to_another_one_and_the_outage_is_told(cluster, scratch):
    """Of the subscribers one is at each of two nodes. At QoS 0: a session is a queue of the node that died, and RabbitMQ takes
    its client at no other one before that is back."""
    path, (first, second, third) = scratch / "result.json", cluster.nodes
    with from_node_to_nodes(first, (second, third), path, "--reconnect", "--retry-delay", "100ms..1s", "--duration", "1h",
                            "--drain", "5s") as bench:
        begun = wait_for_messages(bench, 6)
        second.kill()
        wait_for_messages(bench, 6, after=begun + 2)
        bench.kill(signal.SIGINT)
        ended = bench.wait(SECONDS)
    result = json.loads(path.read_text())
    counts, outages = result["counts"], result["outages"]
    assert ended.code == 128 + signal.SIGINT and counts["connections_lost"] >= 1, ended
    # The other one has had everything: what is lost is lost to the one that was away.
    assert counts["received"] - counts["duplicated"] + counts["lost"] == counts["expected"] == 2 * counts["sent"]
    assert 0 < counts["lost"] < counts["sent"]
    assert all(each["over"] for each in outages) and min(each["connections"] for each in outages) < 6, outages
    assert b"outage from " in ended.out


def test_without_reconnecting_who_was_at_a_node_that_dies_is_gone(cluster, scratch):
    """Its subscribers are gone, which the result says second by second; the publishers go on."""
    path, (first, _, third) = scratch / "result.json", cluster.nodes
    with from_node_to_nodes(first, (third,), path, "--duration", "1h", "--drain", "1s") as bench:
        wait_for_messages(bench, 6)
        third.kill()
        wait_until(lambda: last_said(bench)["connections"] == 4, SECONDS, "lost connections")
        sent = last_said(bench)["sent"]
        wait_until(lambda: last_said(bench)["sent"] > sent, SECONDS, "publishers that go on")
        bench.kill(signal.SIGINT)
        ended = bench.wait(SECONDS)
    result = json.loads(path.read_text())
    counts = result["counts"]
    assert ended.code == 128 + signal.SIGINT and counts["connections_lost"] == 2, ended
    assert counts["lost"] > 0 and counts["received"] + counts["lost"] == 2 * counts["sent"]
    outage = result["outages"][-1]
    assert (outage["over"], outage["connections"], result["intervals"][-1]["connections"]) == (False, 4, 4)
    assert b"outage from " in ended.out
