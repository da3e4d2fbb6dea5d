"""Shared subscriptions: one member gets each message, and what becomes of it when that member fails."""

import pytest

from client import unique
from covers import covers
from wire import P, PUBREL, V5, V311

KEPT = {P.SESSION_EXPIRY: 300}


@pytest.fixture
def group(topic):
    """The shared filter of this test."""
    return f"$share/{unique('g')}/{topic}"


def hold(members):
    """The one member that got a message, its message, and the others."""
    taken = [(member, member.drain()) for member in members]
    [(holder, [message])] = [(member, messages) for member, messages in taken if messages]
    return holder, message, [member for member in members if member is not holder]


@covers("MQTT-4.8.2-3 MQTT-4.8.2-1 MQTT-4.8.2-2")
def test_each_message_goes_to_one_member_and_all_take_part(connected, topic, group):
    members = [connected(V5) for _ in range(3)]
    for member in members:
        assert member.subscribe(group, qos=1).codes == [1]
    publisher = connected(V5)
    for number in range(30):
        publisher.publish(topic, b"%d" % number, 1)
    taken = [[m.payload for m in member.drain()] for member in members]
    assert sorted(sum(taken, [])) == sorted(b"%d" % n for n in range(30))
    assert all(taken), [len(t) for t in taken]
    for part in taken:
        assert part == sorted(part, key=int), "each in order"


@covers("MQTT-4.8.2-3")
def test_groups_and_others_each_get_a_copy(connected, topic, group):
    one, other, alone = connected(V5), connected(V5), connected(V5)
    one.subscribe(group)
    other.subscribe(group.replace("$share/", "$share/other"))
    alone.subscribe(topic)
    connected(V5).publish(topic, b"x", 1)
    assert [len(c.drain()) for c in (one, other, alone)] == [1, 1, 1]


@covers("MQTT-4.8.2-3 MQTT-3.8.4-8")
@pytest.mark.parametrize("granted", [0, 1, 2])
def test_delivered_within_the_member_s_qos(connected, topic, group, granted):
    member = connected(V5)
    assert member.subscribe(group, qos=granted).codes == [granted]
    publisher = connected(V5)
    for qos in (0, 1, 2):
        publisher.publish(topic, b"x", qos)
    assert [m.qos for m in member.messages(3)] == [min(q, granted) for q in (0, 1, 2)]


@covers("MQTT-4.8.2-3 MQTT-3.3.4-3")
def test_with_the_member_s_identifier(connected, topic, group):
    member = connected(V5)
    member.subscribe(group, props={P.SUBSCRIPTION_ID: 42})
    connected(V5).publish(topic, b"x", 1)
    assert [m.all(P.SUBSCRIPTION_ID) for m in member.drain()] == [[42]]


@covers("MQTT-4.8.2-3")
def test_with_wildcards(connected, topic, group):
    members = [connected(V5) for _ in range(2)]
    for member in members:
        member.subscribe(group + "/+/#")
    connected(V5).publish(topic + "/a/b/c", b"x", 1)
    assert sorted(len(m.drain()) for m in members) == [0, 1]


@covers("MQTT-3.10.4-1 MQTT-3.10.4-2")
def test_who_unsubscribes_gets_no_more(connected, topic, group):
    leaver, stayer = connected(V5), connected(V5)
    for member in (leaver, stayer):
        member.subscribe(group, qos=1)
    assert leaver.unsubscribe(topic, group).codes == [0x11, 0]
    publisher = connected(V5)
    for _ in range(4):
        publisher.publish(topic, b"x", 1)
    assert (len(leaver.drain()), len(stayer.drain())) == (0, 4)


@covers("MQTT-4.5.0-1")
def test_a_publisher_s_message_reaches_its_own_group(connected, topic, group):
    member = connected(V5)
    member.subscribe(group, qos=1)
    member.publish(topic, b"x", 1)
    assert [m.payload for m in member.drain()] == [b"x"]


@covers("MQTT-4.8.2-6 MQTT-4.4.0-2")
@pytest.mark.parametrize("qos", [1, 2])
def test_refused_by_a_member_is_not_offered_to_another(connected, topic, group, qos):
    members = [connected(V5, automatic=False, props=KEPT) for _ in range(2)]
    for member in members:
        member.subscribe(group, qos=2)
    connected(V5).publish(topic, b"x", qos)
    holder, message, others = hold(members)
    holder.ack(message, 0x80)
    assert [m.drain() for m in members] == [[], []]
    holder.leave(props={P.SESSION_EXPIRY: 0})
    assert [m.drain() for m in others] == [[]]


@covers("MQTT-4.8.2-4")
@pytest.mark.parametrize("answered", [False, True], ids=["sent", "received"])
def test_an_interrupted_qos_2_goes_on_with_the_same_member(connected, topic, group, answered):
    members = [connected(V5, automatic=False, props=KEPT) for _ in range(2)]
    for member in members:
        member.subscribe(group, qos=2)
    connected(V5).publish(topic, b"x", 2)
    holder, message, [other] = hold(members)
    if answered:
        holder.ack(message)
        assert holder.expect(PUBREL).packet_id == message.packet_id
    holder.drop()
    assert other.drain() == []
    again = connected(V5, holder.client_id, clean=False, automatic=False, props=KEPT)
    if answered:
        assert again.expect(PUBREL).packet_id == message.packet_id
    else:
        repeated = again.message()
        assert (repeated.payload, repeated.packet_id, repeated.dup) == (b"x", message.packet_id, 1)
    assert other.drain() == []


@covers("MQTT-4.8.2-5")
def test_a_qos_2_message_of_an_ended_session_goes_to_nobody(connected, topic, group):
    members = [connected(V5, automatic=False, props=KEPT) for _ in range(2)]
    for member in members:
        member.subscribe(group, qos=2)
    connected(V5).publish(topic, b"x", 2)
    holder, _, [other] = hold(members)
    holder.leave(props={P.SESSION_EXPIRY: 0})
    assert other.drain() == []


def test_a_qos_1_message_of_an_ended_session_goes_to_another(connected, topic, group):
    """The specification allows it and broker users expect it."""
    members = [connected(V5, automatic=False, props=KEPT) for _ in range(2)]
    for member in members:
        member.subscribe(group, qos=1)
    connected(V5).publish(topic, b"x", 1)
    holder, _, [other] = hold(members)
    holder.leave(props={P.SESSION_EXPIRY: 0})
    assert other.message().payload == b"x"


@covers("MQTT-3.8.4-3")
def test_subscribing_again_is_no_second_share(connected, topic, group):
    member = connected(V5)
    for qos in (0, 1):
        assert member.subscribe(group, qos=qos).codes == [qos]
    connected(V5).publish(topic, b"x", 2)
    assert [m.qos for m in member.drain()] == [1]


def test_in_3_1_1_it_may_be_a_filter_like_any_other_or_shared(connected, topic, group):
    """3.1.1 knows no shared subscriptions; a server may offer them all the same, or match the filter as it is."""
    members = [connected(V311) for _ in range(2)]
    for member in members:
        assert member.subscribe(group).codes in ([0], [0x80])
    connected(V5).publish(topic, b"x", 1)
    assert sorted(len(m.drain()) for m in members) in ([0, 0], [0, 1])


@covers("MQTT-4.9.0-1")
def test_a_member_with_a_full_window_does_not_stop_the_group(connected, topic, group):
    busy = connected(V5, automatic=False, props={P.RECEIVE_MAXIMUM: 1})
    free = connected(V5)
    for member in (busy, free):
        member.subscribe(group, qos=1)
    publisher = connected(V5)
    for _ in range(8):
        assert publisher.publish(topic, b"x", 1).code == 0
    assert len(busy.drain()) <= 1
    assert len(free.drain()) >= 4
