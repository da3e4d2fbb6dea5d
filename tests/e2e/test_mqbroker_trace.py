"""mqbroker --trace: the packets of a client, and those about a topic, as lines of the log."""

import json

import pytest

from conformance import wire as w
from conformance.wire import V5, V311, P
from support.malformed import Raw
from support.mqbroker import MqBroker
from support.mqtt_wire import PUBACK, PUBREC, PUBREL
from support.tools import unique


@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["--log-format", "json", "--trace", "traced", "--trace", "plan/+", "--topic-alias-maximum", "4"]) as broker:
        yield broker


def lines(broker, client):
    """What is said of a client's packets, of which all have gone by: way and words."""
    mark = unique("mark")
    with Raw(broker["tcp"].address) as marker:
        marker.connect(V5, "marker")
        marker.send(w.publish(V5, "plan/end", mark.encode(), 1, 1))
        assert marker.packet().kind == PUBACK
    broker.wait_log(mark)
    events = [json.loads(line) for line in broker.proc.err.decode().splitlines()]
    return [(event["direction"], event["msg"].split()[2:]) for event in events
            if event.get("event") == "packet" and event["client_id"] == client]


def test_all_packets_of_a_client_without_its_secrets(broker):
    with Raw(broker["tcp"].address) as client:
        client.connect(V5, "traced", username="joe", password=b"hush-hush")
        client.send(w.publish(V5, "elsewhere", b"x", 1, 5) + w.disconnect(V5))
        assert client.packet().kind == PUBACK and client.packet() is None
    said = lines(broker, "traced")
    assert [(way, words[0]) for way, words in said] == [
        ("from_client", "CONNECT"), ("to_client", "CONNACK"), ("from_client", "PUBLISH"), ("to_client", "PUBACK"), ("from_client", "DISCONNECT")]
    assert "user=joe" in said[0][1] and b"hush" not in broker.proc.err


def test_messages_of_a_topic_with_what_belongs_to_them(broker):
    with Raw(broker["tcp"].address) as client:
        client.connect(V5, "other")
        client.send(w.subscribe(V5, 1, [("none", 1)]) + w.subscribe(V5, 2, [("$share/g/#", 1)]))
        client.send(w.publish(V5, "none/1", b"x", 1, 3) + w.publish(V5, "plan/1", b"x", 2, 4, props=[(P.TOPIC_ALIAS, 2)]))
        while client.packet().kind != PUBREC:
            pass
        client.send(w.ack(V5, PUBREL, 4) + w.publish(V5, "", b"y", props=[(P.TOPIC_ALIAS, 2)]) + w.publish(V5, "none/2", b"x")
                    + w.disconnect(V5))
        while client.packet():
            pass
    both = lines(broker, "other")
    said = [words for way, words in both if way == "from_client"]
    assert [words[0] for words in said] == ["SUBSCRIBE", "PUBLISH", "PUBREL", "PUBLISH"]
    assert "@2:=plan/1" in said[1] and "plan/1(@2)" in said[3]
    sent = [words for way, words in both if way == "to_client"]
    assert {"SUBACK", "PUBREC", "PUBCOMP"} <= {words[0] for words in sent} <= {"SUBACK", "PUBREC", "PUBCOMP", "PUBLISH"}
    assert not any("none" in word for words in said + sent for word in words)


def test_nothing_of_what_is_not_meant(broker):
    with Raw(broker["tcp"].address) as client:
        client.connect(V311, "not-meant")
        client.send(w.publish(V311, "none", b"x", 1, 5))
        assert client.packet().kind == PUBACK
    assert lines(broker, "not-meant") == []
