"""Sessions over connections: what is kept, what is sent again, and what is forgotten."""

import pytest

import wire
from client import unique
from covers import both, covers
from wire import P, PUBACK, PUBCOMP, PUBREC, PUBREL, V5, options

KEPT = {P.SESSION_EXPIRY: 300}


@pytest.fixture
def member(connected):
    """member(version, client_id): a client with a session that is kept."""
    def new(version, client_id=None, **how):
        how.setdefault("clean", False)
        return connected(version, client_id, props=KEPT if version == V5 else (), **how)
    return new


def present(client):
    return client.observer.connack.session_present


@covers("MQTT-3.2.2-2 MQTT-3.1.2-4 MQTT-3.1.4-4", "MQTT-3.2.2-1 MQTT-3.1.2-6 MQTT-3.1.4-3")
def test_a_clean_start_finds_nothing(member, connected, topic, version):
    first = member(version)
    first.subscribe(topic, qos=1)
    first.leave()
    publisher = connected(version)
    publisher.publish(topic, b"missed", 1)
    clean = member(version, first.client_id, clean=True)
    assert not present(clean)
    publisher.publish(topic, b"also", 1)
    assert clean.drain() == []


@covers("MQTT-3.1.2-6 MQTT-3.2.2-3", "MQTT-3.2.2-3")
def test_there_is_no_session_at_first(member, version):
    assert not present(member(version))


@covers("MQTT-3.1.2-5 MQTT-3.2.2-3 MQTT-3.1.2-23 MQTT-4.5.0-1",
        "MQTT-3.1.2-4 MQTT-3.1.2-5 MQTT-3.2.2-2 MQTT-4.1.0-1 MQTT-4.5.0-1")
def test_a_kept_session_gets_what_came_meanwhile(member, connected, topic, version):
    first = member(version)
    first.subscribe(topic, qos=2)
    first.leave()
    publisher = connected(version)
    for qos in (1, 2, 1, 2):
        publisher.publish(topic, b"%d" % qos, qos)
    again = member(version, first.client_id)
    assert present(again)
    assert [(m.payload, m.qos, m.dup) for m in again.messages(4)] == [
        (b"1", 1, 0), (b"2", 2, 0), (b"1", 1, 0), (b"2", 2, 0)]
    publisher.publish(topic, b"live", 1)
    assert [m.payload for m in again.drain()] == [b"live"]


@covers("MQTT-3.1.2-5", "MQTT-3.1.2-4")
def test_options_and_identifiers_are_kept_with_the_subscription(member, connected, topic, version):
    first = member(version)
    if version == V5:
        first.subscribe((topic, options(2, no_local=True, as_published=True)), props={P.SUBSCRIPTION_ID: 9})
    else:
        first.subscribe((topic, 2))
    first.leave()
    again = member(version, first.client_id)
    connected(version).publish(topic, b"x", 2, retain=1)
    message = again.message()
    assert message.qos == 2
    if version == V5:
        assert (message.retain, message.all(P.SUBSCRIPTION_ID)) == (1, [9])
        again.publish(topic, b"own", 1)
        assert again.drain() == []
    again.unsubscribe(topic)
    again.leave()
    assert present(member(version, first.client_id))


@covers("MQTT-4.4.0-1 MQTT-3.3.1-1 MQTT-4.6.0-1 MQTT-4.1.0-1",
        "MQTT-4.4.0-1 MQTT-3.3.1-1 MQTT-2.3.1-4 MQTT-4.6.0-1 MQTT-4.1.0-1")
def test_what_was_not_answered_comes_again_in_order_with_dup(member, connected, topic, version):
    first = member(version, automatic=False)
    first.subscribe(topic, qos=2)
    publisher = connected(version)
    for number in range(8):
        publisher.publish(topic, b"%d" % number, 1 + number % 2)
    before = first.messages(8)
    first.ack(before[2])
    assert before[2].qos == 1
    assert first.drain() == []  # the server has read it
    first.drop()
    again = member(version, first.client_id, automatic=False)
    assert present(again)
    after = again.messages(7)
    assert [(m.payload, m.packet_id, m.qos, m.dup) for m in after] == [
        (m.payload, m.packet_id, m.qos, 1) for m in before if m is not before[2]]


@covers("MQTT-4.3.3-6 MQTT-4.4.0-1 MQTT-4.3.3-4", "MQTT-4.3.3-1 MQTT-4.4.0-1")
def test_after_pubrec_only_pubrel_comes_again(member, connected, topic, version):
    first = member(version, automatic=False)
    first.subscribe(topic, qos=2)
    connected(version).publish(topic, b"x", 2)
    message = first.message()
    first.ack(message)
    assert first.expect(PUBREL).packet_id == message.packet_id
    first.drop()
    again = member(version, first.client_id, automatic=False)
    pubrel = again.expect(PUBREL)
    assert pubrel.packet_id == message.packet_id
    again.pubcomp(pubrel)
    assert again.drain() == []
    again.leave()
    third = member(version, first.client_id)
    assert third.drain() == []


@covers("MQTT-4.3.3-10 MQTT-4.1.0-1", "MQTT-4.3.3-2 MQTT-4.1.0-1 MQTT-3.1.2-4")
def test_the_server_remembers_received_qos_2_ids(member, connected, topic, version):
    subscriber = connected(version)
    subscriber.subscribe(topic, qos=2)
    first = member(version)
    first.start(topic, b"x", 2, packet_id=5)
    first.wait(PUBREC)
    first.drop()
    again = member(version, first.client_id)
    assert present(again)
    again.start(topic, b"x", 2, packet_id=5, dup=1)
    assert again.wait(PUBREC).packet_id == 5
    again.pubrel(5)
    assert again.wait(PUBCOMP).code == 0
    assert len(subscriber.drain()) == 1


@covers("MQTT-3.1.2-4", "MQTT-3.1.2-6")
def test_a_clean_start_forgets_received_qos_2_ids(member, connected, topic, version):
    subscriber = connected(version)
    subscriber.subscribe(topic, qos=2)
    first = member(version)
    first.start(topic, b"1", 2, packet_id=5)
    first.wait(PUBREC)
    first.drop()
    again = member(version, first.client_id, clean=True)
    again.publish(topic, b"2", 2, packet_id=5)
    taken = subscriber.drain()
    assert taken[-1].payload == b"2", "a new message, not a repetition"


@covers("MQTT-3.1.2-4", "MQTT-3.1.2-6 MQTT-3.2.2-1")
def test_a_clean_session_leaves_nothing_behind(connected, member, topic, version):
    first = connected(version, clean=True)
    first.subscribe(topic, qos=1)
    first.leave()
    connected(version).publish(topic, b"x", 1)
    again = member(version, first.client_id)
    assert not present(again)
    assert again.drain() == []


@covers("MQTT-3.1.2-5")
def test_without_an_expiry_the_session_ends_with_the_connection(connected, topic):
    first = connected(V5, clean=False)
    first.subscribe(topic, qos=1)
    first.leave()
    assert not present(connected(V5, first.client_id, clean=False))


@covers("MQTT-3.1.2-23")
def test_clean_start_and_expiry_are_two_things(connected, topic):
    first = connected(V5, clean=True, props=KEPT)
    first.subscribe(topic, qos=1)
    first.leave()
    assert present(connected(V5, first.client_id, clean=False))


@covers("MQTT-3.1.2-23 MQTT-4.1.0-2")
def test_disconnect_can_end_the_session(connected, member):
    first = member(V5)
    first.leave(props={P.SESSION_EXPIRY: 0})
    assert not present(member(V5, first.client_id))


@covers("MQTT-3.1.2-23")
def test_disconnect_can_lengthen_the_session(connected, member, topic):
    first = connected(V5, props={P.SESSION_EXPIRY: 1})
    first.subscribe(topic)
    first.leave(props={P.SESSION_EXPIRY: 300})
    assert present(member(V5, first.client_id))


@covers("v5#3.14.2.2.2/sei-raise MQTT-4.13.1-1")
def test_disconnect_cannot_raise_an_expiry_of_0(connected, member):
    first = connected(V5)
    first.send(wire.disconnect(V5, 0, {P.SESSION_EXPIRY: 300}))
    first.refused(0x82)
    assert not present(member(V5, first.client_id))


@covers("MQTT-3.1.2-5 MQTT-3.2.2-3", "MQTT-3.1.2-4 MQTT-3.2.2-2")
def test_a_session_is_the_client_s_whatever_version_it_speaks(member, connected, topic, version):
    first = member(version)
    first.subscribe(topic, qos=1)
    first.leave()
    connected(V5).publish(topic, b"x", 1)
    other = member(V5 if version != V5 else 4, first.client_id)
    assert present(other)
    assert other.message().payload == b"x"


@covers("MQTT-2.2.1-4 MQTT-4.3.2-1 MQTT-4.3.2-2 MQTT-4.3.2-3 MQTT-4.3.3-1 MQTT-4.3.3-2 MQTT-4.3.3-3 MQTT-4.3.3-5",
        "MQTT-2.3.1-4 MQTT-2.3.1-1 MQTT-4.3.2-1 MQTT-4.3.3-1")
def test_ids_in_flight_are_not_taken_again(member, connected, topic, version):
    """Ten stay open at each stage while others come and go; the observer watches the ids."""
    client, publisher = member(version, automatic=False), connected(version)
    client.subscribe(topic, qos=2)
    for number in range(10):
        publisher.publish(topic, b"open", 1 + number % 2)
    held = client.messages(10)
    for message in held:
        if message.qos == 2:
            client.ack(message)  # PUBREC, no PUBCOMP
    assert {client.wait(PUBREL).packet_id for m in held if m.qos == 2} == {m.packet_id for m in held if m.qos == 2}
    used = {m.packet_id for m in held}
    for number in range(100):
        publisher.publish(topic, b"%d" % number, 1)
        message = client.message()
        assert (message.payload, message.dup) == (b"%d" % number, 0)
        assert message.packet_id not in used
        client.ack(message)


@covers("MQTT-4.4.0-2 MQTT-4.3.3-9 v5#4.3.3/pubrel-after-error")
@pytest.mark.parametrize("qos", [1, 2])
def test_what_was_answered_with_an_error_is_not_sent_again(member, connected, topic, qos):
    client, publisher = member(V5, automatic=False), connected(V5)
    client.subscribe(topic, qos=2)
    publisher.publish(topic, b"1", qos)
    client.ack(client.message(), 0x80, [(P.REASON_STRING, "no")])
    assert client.drain() == []
    client.drop()
    again = member(V5, client.client_id, automatic=False)
    assert present(again) and again.drain() == []
    publisher.publish(topic, b"2", qos)
    assert again.message().dup == 0


@covers("MQTT-4.3.3-4 MQTT-4.3.2-3", "MQTT-4.3.3-1 MQTT-4.3.2-1")
def test_the_server_waits_for_answers_without_sending_again(connected, topic, version):
    client, publisher = connected(version, automatic=False), connected(version)
    client.subscribe(topic, qos=2)
    publisher.publish(topic, b"1", 1)
    publisher.publish(topic, b"2", 2)
    one, two = client.messages(2)
    assert client.drain() == []
    client.ack(two)
    assert client.expect(PUBREL).packet_id == two.packet_id
    assert client.drain() == []
    client.ack(one)
    client.send(wire.ack(version, PUBCOMP, two.packet_id))
    assert client.drain() == []


@both("MQTT-4.5.0-1")
def test_many_messages_for_an_absent_client_keep_their_order(member, connected, topic, version):
    first = member(version)
    first.subscribe(topic, qos=2)
    first.leave()
    publisher = connected(version)
    for number in range(100):
        publisher.publish(topic, b"%d" % number, 1 + number % 2)
    again = member(version, first.client_id)
    assert [m.payload for m in again.messages(100)] == [b"%d" % n for n in range(100)]


@covers("MQTT-4.1.0-1", "MQTT-4.1.0-1")
def test_unsubscribing_is_kept_too(member, connected, topic, version):
    first = member(version)
    first.subscribe(topic, topic + "/a", qos=1)
    first.unsubscribe(topic)
    first.leave()
    publisher = connected(version)
    publisher.publish(topic, b"1", 1)
    publisher.publish(topic + "/a", b"2", 1)
    assert [m.payload for m in member(version, first.client_id).drain()] == [b"2"]


@covers("MQTT-4.3.2-4 MQTT-4.3.3-8", "MQTT-4.3.2-2 MQTT-4.3.3-2")
def test_a_client_may_send_again_what_was_not_answered(member, connected, topic, version):
    subscriber = connected(version)
    subscriber.subscribe(topic, qos=2)
    first = member(version)
    again = member(version, first.client_id)
    for qos, kind in ((1, PUBACK), (2, PUBREC)):
        again.start(topic, b"x", qos, packet_id=40 + qos, dup=1)
        assert again.wait(kind).packet_id == 40 + qos
    again.pubrel(42)
    again.wait(PUBCOMP)
    assert [m.dup for m in subscriber.messages(2)] == [0, 0]


def test_ids_of_clients_are_told_apart_byte_for_byte(member, topic):
    name = unique("Case")
    first = member(V5, name)
    for other in (name.lower(), name + " ", name + "\u00e9", "#" + name, name + "/+"):
        assert not present(member(V5, other))
    assert first.drain() == []
