"""mqbroker --acl-file: who may publish, subscribe and read what, side by side with mosquitto on the same file."""

import re

import pytest

from conformance import wire as w
from conformance.wire import V5, V31, V311
from support.brokers import Mosquitto
from support.malformed import Raw
from support.mqbroker import MqBroker
from support.mqtt_wire import CONNACK, PUBACK, PUBLISH, PUBREC, SUBACK
from support.proc import run
from support.tools import assert_fails, program

REFUSED = 0x87

RULES = """\
# for anonymous clients
topic read news/#

user root
topic readwrite #

user joe
topic read a/#
topic write a/in
topic deny a/secret/#
topic   both/+/x
topic read $SYS/x

pattern readwrite d/%u/#
pattern deny d/+/locked
pattern write c/%c
pattern read all
user jim
topic readwrite b b/#
user joe
topic late
"""


@pytest.fixture
def rules(tmp_path):
    """Writes a file of rules and gives its path."""
    def write(text):
        path = tmp_path / "rules"
        path.write_text(text)
        return path
    return write


@pytest.fixture
def broker(rules):
    with MqBroker(None, ("tcp",), ["-v", "--acl-file", rules(RULES)]) as running:
        yield running


class Client(Raw):
    """A connected client; `user` is None for an anonymous one."""

    def __init__(self, broker, user=None, client_id=None, version=V5, **how):
        super().__init__(broker["tcp"].address)
        self._version = version
        self.connect(version, client_id, username=user, **how)

    def publish(self, topic, payload=b"x", qos=1, **how):
        """The reason code of its acknowledgement."""
        self.send(w.publish(self._version, topic, payload, qos, 7, **how))
        body = self.expect(PUBACK if qos == 1 else PUBREC).body
        return body[2] if len(body) > 2 else 0

    def subscribe(self, topic):
        """The reason code."""
        self.send(w.subscribe(self._version, 9, [(topic, 0)]))
        return self.expect(SUBACK).body[-1]

    def read(self):
        """The topics and payloads of what has come until a ping is answered."""
        self.send(w.PING)
        messages = []
        while (found := self.packet()) is not None and found.kind == PUBLISH:
            length = int.from_bytes(found.body[:2], "big")
            messages.append(found.body[2:2 + length].decode())
        return messages


# mosquitto cuts off who has a '#' or '+' in his name; test_names_with_wildcards is about them.
CLIENTS = ((None, "c0"), ("joe", "c1"), ("jim", "c2"), ("nobody", "c3"), ("root", "c6"), ("%c", "c7"))
TOPICS = ("a", "a/in", "a/out", "a/secret", "a/secret/x", "both/1/x", "both/1", "news", "news/1", "d/joe", "d/joe/x", "d/jim/x",
          "d/joe/locked", "c/c1", "c/c2", "all", "b b/1", "late", "d/%c/x", "other", "a//", "/a")


def may_publish(broker, user, client_id, topic):
    """On a connection of its own: mosquitto 2.0.11 ends one on which it has refused something."""
    with Client(broker, user, client_id) as client:
        return client.publish(topic) < 0x80


def behaviour(broker):
    """Who may publish what, and who gets what of everything who has subscribed to whatever he can name."""
    written, got = {}, {}
    with Client(broker, "root", "root1") as root:
        for who in CLIENTS:
            written[who] = [topic for topic in TOPICS if may_publish(broker, *who, topic)]
            with Client(broker, *who) as client:
                for topic in TOPICS:
                    client.subscribe(topic)
                for topic in TOPICS:
                    assert root.publish(topic) < 0x80
                got[who] = client.read()
    return written, got


def test_mosquitto_says_the_same_of_the_same_file(broker):
    with Mosquitto(None, ("tcp",), acl=RULES) as theirs:
        expected_written, expected_got = behaviour(theirs)
    written, got = behaviour(broker)
    assert (written, got) == (expected_written, expected_got)
    assert written["joe", "c1"] == ["a/in", "both/1/x", "d/joe", "d/joe/x", "c/c1", "late"], "it is not all or nothing"


def test_a_client_id_of_several_levels_gets_no_place_of_another_in_patterns(rules):
    """Ours is stricter than mosquitto: 'd/%c/#' is d/a/b/# for a client id a/b, which is a's."""
    with MqBroker(None, ("tcp",), ["--acl-file", rules("pattern readwrite d/%c/#\n")]) as broker:
        with Client(broker, None, "a/b") as client:
            assert client.publish("d/a/b/x") == REFUSED and client.subscribe("d/a/b/x") == REFUSED


def test_names_with_wildcards_have_no_part_in_patterns(broker):
    """CVE-2017-7650"""
    for user, client_id in (("#", "c4"), ("+", "c5"), ("joe", "#"), ("nobody", "+")):
        with Client(broker, user, client_id) as client:
            assert [topic for topic in TOPICS if client.publish(topic) < 0x80] == (["a/in", "both/1/x", "late"] if user == "joe" else [])
            assert [topic for topic in ("d/+/x", "d/#", "all", "#") if client.subscribe(topic) < 0x80] == (["#"] if user == "joe" else [])


@pytest.mark.parametrize("version,code", ((V31, 0x80), (V311, 0x80), (V5, REFUSED)))
def test_a_subscription_that_nothing_could_come_through_is_refused(broker, version, code):
    with Client(broker, "joe", version=version) as joe:
        for topic in ("news/1", "a/secret/#", "d/jim/#", "$SYS/y", "c/+"):
            assert joe.subscribe(topic) == code, topic
        for topic in ("#", "a/#", "+/joe/+", "a/+/x"):
            assert joe.subscribe(topic) == 0, topic


def test_share_and_dollar_are_no_way_around(broker):
    with Client(broker, "joe") as joe, Client(broker, "root") as root:
        assert joe.subscribe("$share/g/news/1") == REFUSED and joe.subscribe("$share/g/#") == 0
        assert joe.subscribe("#") == 0
        for topic in ("news/1", "a/secret/x", "a/out", "d/joe/locked"):
            assert root.publish(topic) < 0x80
        assert joe.read() == ["a/out", "a/out"]
    with Client(broker, "$SYS", "x") as sly:
        assert sly.publish("$SYS/x") == REFUSED and sly.subscribe("$SYS/x") == REFUSED


def test_retained_messages_are_shown_to_whom_they_may(broker):
    with Client(broker, "root") as root:
        for topic in ("a/out", "a/secret/x", "news/1"):
            assert root.publish(topic, retain=1) < 0x80
    with Client(broker, "joe") as joe, Client(broker) as anonymous:
        assert joe.publish("a/out", b"", retain=1) == REFUSED
        assert joe.subscribe("#") == 0 and joe.read() == ["a/out"]
        assert anonymous.subscribe("#") == 0 and anonymous.read() == ["news/1"]


def test_an_alias_is_no_way_around(broker):
    with Client(broker, "joe") as joe:
        joe.send(w.publish(V5, "news/1", b"x", 1, 1, props={w.P.TOPIC_ALIAS: 1}))
        assert joe.expect(PUBACK).body[2] == REFUSED
        joe.send(w.publish(V5, "", b"x", 2, 2, props={w.P.TOPIC_ALIAS: 1}))
        assert joe.expect(PUBREC).body[2] == REFUSED


@pytest.mark.parametrize("version,code", ((V311, 5), (V5, REFUSED)))
def test_a_will_that_may_not_be_published_is_refused_with_its_connect(broker, version, code):
    for topic, refused in (("news/1", True), ("a/in", False)):
        with Raw(broker["tcp"].address) as client:
            client.send(w.connect(version, "w", username="joe", will=w.Will(topic, b"gone")))
            assert client.expect(CONNACK).body[1] == (code if refused else 0)


@pytest.mark.parametrize("what", ("drop", "disconnect"))
def test_before_5_a_refused_message_goes_nowhere_or_its_client_goes(rules, what):
    with MqBroker(None, ("tcp",), ["--acl-file", rules(RULES), "--refused-publish", what]) as broker:
        with Client(broker, "root") as root, Client(broker, "joe", version=V311) as joe:
            assert root.subscribe("#") == 0
            joe.send(w.publish(V311, "news/1", b"x", 1, 7))
            assert joe.rest() == [] if what == "disconnect" else joe.expect(PUBACK).body == b"\0\7" and joe.alive()
            assert root.read() == []


CODED = """\
pattern readwrite #
pattern deny=0x97 full/#
pattern deny=0x83 broken/%c
"""


def test_a_rule_says_with_which_reason_code_it_refuses(rules):
    """Before 5.0 there is no such code, but for SUBACK's one and CONNACK's 5."""
    with MqBroker(None, ("tcp",), ["-v", "--acl-file", rules(CODED)]) as broker:
        for version, topic, code in ((V31, "full/1", 0x97), (V311, "broken/me", 0x83), (V5, "full/1", 0x97), (V5, "broken/me", 0x83)):
            with Client(broker, client_id="me", version=version) as client:
                acknowledged = code if version == V5 else 0
                assert client.publish(topic) == acknowledged and client.publish(topic, qos=2) == acknowledged
                assert client.subscribe(topic) == (code if version == V5 else 0x80)
            with Raw(broker["tcp"].address) as client:
                client.send(w.connect(version, "me", will=w.Will(topic, b"gone")))
                assert client.expect(CONNACK).body[1] == (code if version == V5 else 5)
        broker.wait_log(r"'me' .* may not subscribe to 'full/1': Quota exceeded")
        with Client(broker, client_id="other") as client:
            assert client.subscribe("broken/me") == 0 and client.subscribe("#") == 0, "another's rule, and more than a rule's"


def test_without_rules_nothing_is_allowed(rules):
    with MqBroker(None, ("tcp",), ["--acl-file", rules("# empty\n")]) as broker, Client(broker, "joe") as joe:
        assert joe.publish("a") == REFUSED and joe.subscribe("#") == REFUSED


@pytest.mark.parametrize("text,words", (
    ("topic a\n\nfoo a\n", (":3: ", "'foo'")), ("topic reed a", (":1: ", "'reed'")), ("user \n", (":1: ", "missing")),
    ("topic a\ntopic deny=0x8f b\n", (":2: ", "'deny=0x8f'", "0x97")), ("topic a\ntopic deny\n", (":2: ", "missing")), ("pattern a#b", (":1: ", "'#'"))), ids=str)
def test_a_line_that_is_none_stops_the_broker(rules, text, words):
    path = rules(text)
    for check in ((), ("--check-config",)):
        assert_fails(run([program("mqbroker"), *check, "-p", "0", "--acl-file", str(path)]), 2, str(path), *words)


def test_a_response_topic_grants_nothing(broker):
    """Neither to who names one in a request, nor to who is given a place for answers."""
    with Client(broker, "root") as root, Client(broker, "joe") as joe, Client(broker, "joe") as ear:
        assert root.subscribe("a/in") == 0 and ear.subscribe("#") == 0
        for place in ("a/secret/x", "news/1", "d/joe/locked"):
            assert joe.publish("a/in", props={w.P.RESPONSE_TOPIC: place}) == 0, "who asks says where it would like the answer"
            assert root.read() == ["a/in"] and root.publish(place) < 0x80 and joe.publish(place) == REFUSED
        assert ear.read() == ["a/in"] * 3, "the rules say who reads the answers"
    with Raw(broker["tcp"].address) as client:
        client.send(w.connect(V5, "asker", username="joe", props={w.P.RESPONSE_INFO_WANTED: 1}))
        place = re.search(rb"response/[^\0]+", client.expect(CONNACK).body)[0].decode()
        client.send(w.subscribe(V5, 9, [(place, 0)]))
        assert client.expect(SUBACK).body[-1] == REFUSED


def test_an_audit_line_says_who_was_refused(broker):
    with Client(broker, "joe", "auditee") as joe:
        joe.subscribe("news/1")
    broker.wait_log(r"auditee.*news/1.*(?i:not authorized)")
