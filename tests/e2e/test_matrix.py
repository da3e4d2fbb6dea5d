"""mqpub, mqsub and mqbroker with each other, and with two brokers and three client libraries of others, byte
for byte.

Every combination that exists is run; what a peer lacks is listed here and nowhere else:

  peer                     lacks                          so
  mosquitto 2.0.11         delivering more than about     mqsub over ws and wss gets at most 64 KiB from it
                           150 KiB over WebSocket (it     (aedes sends it the megabyte); mqpub sends it all,
                           stalls for every client)       and others receive that over tcp
  aedes 0.51               MQTT 5, unix sockets           -V 311 and 31 only
  mosquitto_pub/sub 2.0    WebSocket                      it uses tcp while ours uses ws or wss
  paho 1.6, MQTT.js        unix sockets                   they use tcp while ours uses the socket

Besides, mosquitto_rr with mqbroker.
"""

import re

import pytest

from support import peers
from support.brokers import Aedes, Mosquitto
from support.mqbroker import MqBroker
from support.proc import run
from support.tools import assert_ok, json_lines, mqpub, payload_of, start, unique

PAYLOADS = [
    b"",
    bytes(range(256)),
    b"\0\0a\0",
    b"\xff\xfe\xc0\x80\xed\xa0\x80 not UTF-8",
    b"line\r\nline\n\n",
    bytes(range(256)) * 256,
    bytes(range(251)) * 4178,  # just above 1 MiB, and no power of two repeats in it
]
LIMITED = 64 << 10
PEERS = {"mosquitto-clients": peers.MosquittoClients, "paho": peers.Paho, "mqtt.js": peers.MqttJs}
BROKERS = {"mqbroker": (("tcp", "tls", "ws", "wss", "unix"), ("5", "311", "31")),
           "mosquitto": (("tcp", "tls", "ws", "wss", "unix"), ("5", "311", "31")),
           "aedes": (("tcp", "tls", "ws", "wss"), ("311", "31"))}
CASES = [(broker, transport, version)
         for broker, (transports, versions) in BROKERS.items()
         for transport in transports
         for version in versions if version != "31" or transport == "tcp"]


@pytest.fixture(scope="module")
def brokers(certs):
    with MqBroker(certs, BROKERS["mqbroker"][0], ["-v"]) as mqbroker, \
            Mosquitto(certs, BROKERS["mosquitto"][0]) as mosquitto, Aedes(certs) as aedes:
        yield {"mqbroker": mqbroker, "mosquitto": mosquitto, "aedes": aedes}


@pytest.fixture(scope="module", params=PEERS)
def peer(request):
    peer = PEERS[request.param]()
    yield peer
    peer.close()


def messages(topic, largest=None):
    """All payloads at all QoS, each with a topic of its own."""
    return [(f"{topic}/{qos}/{number}", qos, payload) for qos in (0, 1, 2)
            for number, payload in enumerate(PAYLOADS) if largest is None or len(payload) <= largest]


def its_transport(peer, transport):
    return transport if transport in peer.transports else "tcp"


def summary(messages):
    return [(topic, qos, len(payload)) for topic, qos, payload in messages]


def assert_same(got, sent):
    got, sent = sorted(got), sorted(sent)
    assert summary(got) == summary(sent)
    assert got == sent, "the bytes differ"


@pytest.mark.parametrize("broker, transport, version", CASES)
def test_a_peer_gets_what_mqpub_publishes(brokers, peer, broker, transport, version, scratch):
    broker, topic = brokers[broker], unique("m")
    sent = messages(topic)
    for number, payload in enumerate(PAYLOADS):
        (scratch / str(number)).write_bytes(payload)
    stalls = broker.name == "mosquitto" and transport in ("ws", "wss")
    with peer.subscribe(broker, "tcp" if stalls else its_transport(peer, transport), version, f"{topic}/#", 2) as subscription:
        for name, qos, _ in sent:
            assert_ok(mqpub(*broker.args(transport), "-V", version, "-t", name, "-q", qos,
                            "-f", scratch / name.rsplit("/", 1)[1]))
        assert_same(subscription.take(len(sent)), sent)


@pytest.mark.parametrize("broker, transport, version", CASES)
def test_mqsub_gets_what_a_peer_publishes(brokers, peer, broker, transport, version):
    limited = broker == "mosquitto" and transport in ("ws", "wss")
    broker, topic = brokers[broker], unique("m")
    sent = messages(topic, LIMITED if limited else None)
    with start("mqsub", *broker.args(transport), "-V", version, "-t", f"{topic}/#", "-q", 2, "--json",
               "-C", len(sent)) as sub:
        broker.wait_subscribed(f"{topic}/#")
        peer.publish(broker, its_transport(peer, transport), version, sent)
        lines = json_lines(assert_ok(sub.wait()).out)
    assert_same([(m["topic"], m["qos"], payload_of(m)) for m in lines], sent)
    assert all(m["len"] == len(payload_of(m)) for m in lines)


@pytest.mark.parametrize("qos", (0, 1, 2))
@pytest.mark.parametrize("broker, transport, version", [c for c in CASES if c[2] != "31"])
def test_bare_payloads_come_out_as_they_went_in(brokers, broker, transport, version, qos):
    """mqsub -N prints the payloads and nothing else: no separator, no escape, no trimming."""
    limited = broker == "mosquitto" and transport in ("ws", "wss")
    broker, topic = brokers[broker], unique("m")
    payloads = [p for p in PAYLOADS if not limited or len(p) <= LIMITED]
    with start("mqsub", *broker.args(transport), "-V", version, "-t", topic, "-q", qos, "-N",
               "-C", len(payloads)) as sub:
        broker.wait_subscribed(topic)
        for payload in payloads:
            assert_ok(mqpub(*broker.args(transport), "-V", version, "-t", topic, "-q", qos, "-s", stdin=payload))
        out = assert_ok(sub.wait()).out
    assert len(out) == sum(map(len, payloads))
    assert out == b"".join(payloads)


# --- mosquitto_rr ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("version", ("5", "311", "31"))
@pytest.mark.parametrize("transport", ("tcp", "tls", "unix"))
def test_mosquitto_rr(certs, transport, version):
    topic = unique("rr/")
    with MqBroker(certs, ("tcp", transport) if transport != "tcp" else ("tcp",), ["-v"]) as broker:
        responder = peers.Paho.client(broker["tcp"])
        try:
            responder.on_message = lambda client, user, m: client.publish(
                # Before 5.0 both sides have to know it.
                m.properties.ResponseTopic if version == "5" else f"{topic}/answer",
                b"re: " + m.payload, 1, properties=reply_to(m))
            responder.subscribe(topic, 1)
            broker.wait_subscribed(topic)
            result = run(["mosquitto_rr", *broker[transport].mosquitto_args(), "-V", f"mqttv{version}", "-i", "rr",
                          "-q", "1", "-t", topic, "-e", f"{topic}/answer", "-m", "ping", "-W", "10"])
            assert (result.code, result.out) == (0, b"re: ping\n"), result
            name = {"5": "5.0", "311": "3.1.1", "31": "3.1"}[version]
            broker.wait_log(rf"'rr' \([^)]*\) connected: MQTT {re.escape(name)}\n")
        finally:
            peers.Paho.leave(responder)


def reply_to(message):
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties
    properties = Properties(PacketTypes.PUBLISH)
    if hasattr(message.properties, "CorrelationData"):
        properties.CorrelationData = message.properties.CorrelationData
    return properties
