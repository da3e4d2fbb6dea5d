"""mqbench run --reconnect: nodes that die while a load goes on, and what its result says of that."""

import json

import pytest

from support.dying_node import DyingNode
from support.mqbroker import MqBroker
from support.result_schema import validated
from support.tools import assert_fails, mqbench

CLIENTS = ("--publishers", 3, "--subscribers", 2)
QUICKLY = ("--retry-delay", "10ms..50ms", "--drain", "5s")
NOT_BACK = "mqbench: a client that had been connected did not come back: cannot connect to "
BYTES = 8000  # of CONNECT and SUBSCRIBE some 400, of a message 150 and more


@pytest.fixture(scope="module")
def broker():
    with MqBroker() as broker:
        yield broker["tcp"]


def result_of(*args, code=0):
    result = mqbench("run", *args, "--json", "-", "--quiet", seconds=90)
    assert result.code == code, result
    return validated(json.loads(result.out))


@pytest.mark.parametrize("qos, version", ((1, "5"), (1, "311"), (2, "5"), (2, "311")))
def test_what_is_in_flight_is_sent_again_and_nothing_is_lost(broker, qos, version):
    with DyingNode(broker.port, BYTES, refusals=8) as node:
        result = result_of("fan-in", "-L", node.mqtt_url, "-V", version, *CLIENTS, *QUICKLY, "-q", qos, "--count", 200, "--rate",
                           "500/s")
    counts = result["counts"]
    assert (counts["sent"], counts["acked"], counts["lost"], counts["connections_lost"]) == (200, 200, 0, 5)
    assert counts["received"] - counts["duplicated"] == 400
    assert counts["duplicated"] == 0 or qos == 1
    assert sum(each["count"] for each in result["refusals"]) == node.refused == 8
    (outage,) = result["outages"]
    assert outage["over"] and 0 <= outage["began_ns"] < outage["recovered_ns"]
    assert (outage["connections"], outage["lost"]) == (0, 0)
    # Everybody was away for 10 ms at least, and each publisher's messages are due every 6 ms.
    assert result["latency_ns"]["due_to_received"]["max"] > 4e6


def test_at_qos_0_what_was_lost_is_counted_and_the_schedule_goes_on(broker):
    with DyingNode(broker.port, BYTES, refusals=4) as node:
        result = result_of("fan-in", "-L", node.mqtt_url, *CLIENTS, *QUICKLY, "--drain", "1s", "--count", 200, "--rate", "500/s")
    counts = result["counts"]
    assert (counts["sent"], counts["unsent"], counts["connections_lost"]) == (200, 0, 5)
    assert counts["received"] + counts["lost"] == 400 and counts["held"] > 0
    (outage,) = result["outages"]
    assert outage["over"] and 0 <= outage["lost"] <= counts["lost"]


def test_clients_of_a_node_that_stays_dead_go_to_the_others(broker):
    with DyingNode(broker.port, BYTES) as node:
        result = result_of("fan-in", "--broker", node.mqtt_url, "--broker", broker.url, *CLIENTS, *QUICKLY, "-q", 1, "--count", 200,
                           "--rate", "500/s")
    counts = result["counts"]
    assert (counts["sent"], counts["acked"], counts["lost"], counts["connections_lost"]) == (200, 200, 0, 3)
    (outage,) = result["outages"]
    assert (outage["over"], outage["connections"]) == (True, 2)


def test_what_does_not_come_back_is_said_and_its_messages_are_counted_as_unsent(broker):
    with DyingNode(broker.port, BYTES) as node:
        result = mqbench("run", "fan-in", "-L", node.mqtt_url, *CLIENTS, *QUICKLY, "--drain", "1s", "--rate", "500/s", "--warmup", 0,
                         "--duration", "1s", "--json", "-", "--quiet")
    assert result.code == 8, result
    assert result.err_lines[0].startswith(NOT_BACK), result
    written = json.loads(result.out)
    counts = written["counts"]
    assert (counts["offered"], counts["connections_lost"]) == (500, 5) and counts["unsent"] > 0
    assert (written["outages"][-1]["over"], written["outages"][-1]["connections"]) == (False, 0)
    assert "recovered_ns" not in written["outages"][-1]


def test_a_client_that_may_try_once_gives_up(broker):
    with DyingNode(broker.port, BYTES) as node:
        result = mqbench("run", "fan-in", "-L", node.mqtt_url, *CLIENTS, *QUICKLY, "--retry-max", 1, "--count", 200, "--rate",
                         "500/s", "--drain", "1s", "--json", "-", "--quiet")
    assert result.code == 8 and result.err_lines[0].startswith(NOT_BACK), result
    assert json.loads(result.out)["counts"]["connections_lost"] == 5
    assert node.refused == 5


@pytest.mark.parametrize("args, words", (
    (("run", "will-storm"), "leave and come back"), (("run", "resume"), "leave and come back"), (("verify",), "always"),
), ids=str)
def test_who_comes_and_goes_anyway_does_not_reconnect(args, words):
    assert_fails(mqbench(*args, "--reconnect"), 2, "--reconnect", words)
