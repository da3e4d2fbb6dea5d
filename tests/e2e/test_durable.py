"""mqbroker --db: what it has acknowledged outlives it, however it ends."""

import pathlib
import resource
import sqlite3
import sys
import time

import pytest

from support.durable import DurableBroker
from support.ports import HOST, wait_until
from support.proc import run
from support.tools import assert_fails, program, start, unique

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))

from client import Client, Ended  # noqa: E402  (needs the path above)
from wire import PUBACK, PUBCOMP, PUBREC, PUBREL, V5, V311, P, Will, options  # noqa: E402

VERSIONS = pytest.mark.parametrize("version", (V5, V311), ids=("5", "311"))
STAYS = {P.SESSION_EXPIRY: 3600}


@pytest.fixture
def broker():
    with DurableBroker() as broker:
        yield broker


def member(broker, client_id, version=V5, automatic=True, present=None, props=(), **how):
    """A client whose session stays."""
    client = Client(broker.address, version, automatic)
    connack = client.connect(client_id, clean=False, props={**STAYS, **dict(props)} if version == V5 else (), **how)
    assert present is None or connack.session_present == present
    return client


def visitor(broker, version=V5):
    client = Client(broker.address, version)
    client.connect()
    return client


def numbers(messages):
    return [int(message.payload) for message in messages]


@VERSIONS
def test_a_session_its_subscriptions_and_its_queue_outlive_the_broker(broker, version):
    topic, name = unique(), unique("c")
    first = member(broker, name, version)
    first.subscribe(topic, qos=2)
    first.drop()
    publisher = visitor(broker, version)
    for number in range(50):
        publisher.publish(topic, b"%d" % number, 1 + number % 2)
    broker.restart()
    again = member(broker, name, version, present=1)
    came = again.messages(50)
    assert numbers(came) == list(range(50))
    assert [m.qos for m in came] == [1 + n % 2 for n in range(50)]
    visitor(broker, version).publish(topic, b"50", 1)
    assert numbers(again.messages(1)) == [50], "the subscription is in force"


def test_options_and_identifiers_of_subscriptions_are_kept(broker):
    topic, name = unique(), unique("c")
    first = member(broker, name)
    first.subscribe((topic, options(2, no_local=True, as_published=True)), props={P.SUBSCRIPTION_ID: 7})
    first.subscribe(("+", options(1, as_published=True)), props={P.SUBSCRIPTION_ID: 8})
    first.subscribe("gone")
    first.unsubscribe("gone")
    broker.restart()
    again = member(broker, name, present=1)
    visitor(broker).publish(topic, b"x", 2, retain=1)
    message = again.message()
    assert (message.qos, message.retain, sorted(message.all(P.SUBSCRIPTION_ID))) == (2, 1, [7, 8])
    again.publish(topic, b"own", 1)
    assert [m.all(P.SUBSCRIPTION_ID) for m in again.drain()] == [[8]]
    assert broker.ask("SELECT count(*) FROM subscription") == [(2,)]


def test_messages_of_its_own_stay_its_own(broker):
    """No Local, for a retained message that a client published before the broker ended."""
    topic, name = unique(), unique("c")
    first = member(broker, name)
    first.publish(topic, b"mine", 1, retain=1)
    broker.restart()
    again = member(broker, name, present=1)
    again.subscribe((topic, options(1, no_local=True)))
    assert again.drain() == []
    other = visitor(broker)
    other.subscribe((topic, options(1, no_local=True)))
    assert other.message().payload == b"mine"


@VERSIONS
def test_what_is_in_flight_comes_again_with_dup_and_the_same_packet_id(broker, version):
    topic, name = unique(), unique("c")
    first = member(broker, name, version, automatic=False)
    first.subscribe(topic, qos=2)
    publisher = visitor(broker, version)
    for number in range(8):
        publisher.publish(topic, b"%d" % number, 1 + number % 2)
    before = first.messages(8)
    first.ack(before[1])
    assert first.expect(PUBREL).packet_id == before[1].packet_id
    broker.restart()
    again = member(broker, name, version, automatic=False, present=1)
    after = [again.next() for _ in range(8)]
    assert after[-1].kind == PUBREL and after[-1].packet_id == before[1].packet_id
    assert [(m.payload, m.packet_id, m.qos, m.dup) for m in after[:-1]] == [
        (m.payload, m.packet_id, m.qos, 1) for m in before if m is not before[1]]


@VERSIONS
def test_a_qos_2_message_that_was_taken_over_is_not_routed_again(broker, version):
    topic, name = unique(), unique("p")
    reader = member(broker, unique("r"), version)
    reader.subscribe(topic, qos=2)
    publisher = member(broker, name, version, automatic=False)
    packet_id = publisher.start(topic, b"1", 2)
    assert publisher.expect(PUBREC).packet_id == packet_id
    assert numbers(reader.messages(1)) == [1]
    broker.restart()
    again = member(broker, name, version, automatic=False, present=1)
    again.start(topic, b"1", 2, packet_id=packet_id, dup=1)
    assert again.expect(PUBREC).packet_id == packet_id
    again.pubrel(packet_id)
    assert again.expect(PUBCOMP).packet_id == packet_id
    reader = member(broker, reader.client_id, version, present=1)
    assert [m.payload for m in reader.drain() if not m.dup] == []
    broker.restart()
    # From PUBCOMP on the id is free for another message.
    third = member(broker, name, version, automatic=False, present=1)
    third.start(topic, b"2", 2, packet_id=packet_id)
    third.expect(PUBREC)
    reader = member(broker, reader.client_id, version, present=1)
    assert 2 in numbers(reader.drain())


def test_retained_messages_are_kept_and_count_down(broker):
    publisher = visitor(broker)
    publisher.publish("a/1", b"stays", 1, retain=1)
    publisher.publish("a/2", b"gone", 1, retain=1)
    publisher.publish("a/2", b"", 1, retain=1)
    publisher.publish("a/3", b"older", 1, retain=1)
    publisher.publish("a/3", b"newer", 2, retain=1,
                      props={P.MESSAGE_EXPIRY: 100, P.CONTENT_TYPE: "text", P.USER: ("a", "b")})
    publisher.publish("a/4", b"expires", 1, retain=1, props={P.MESSAGE_EXPIRY: 1})
    broker.kill()
    time.sleep(1.2)  # the time in which it expires passes while nobody is there
    broker.start()
    reader = visitor(broker)
    reader.subscribe("a/#", qos=2)
    came = {m.topic: m for m in reader.messages(2)}
    assert reader.drain() == []
    assert {topic: m.payload for topic, m in came.items()} == {"a/1": b"stays", "a/3": b"newer"}
    newer = came["a/3"]
    assert 90 <= newer.prop(P.MESSAGE_EXPIRY) <= 99
    assert (newer.prop(P.CONTENT_TYPE), newer.all(P.USER)) == ("text", [("a", "b")])


def test_sessions_and_messages_expire_while_the_broker_is_away(broker):
    topic = unique()
    short, long = unique("s"), unique("l")
    for name, seconds in ((short, 1), (long, 1000)):
        client = member(broker, name, props={P.SESSION_EXPIRY: seconds})
        client.subscribe(topic, qos=1)
        client.leave()
    publisher = visitor(broker)
    publisher.publish(topic, b"1", 1, props={P.MESSAGE_EXPIRY: 1})
    publisher.publish(topic, b"2", 1, props={P.MESSAGE_EXPIRY: 1000})
    broker.kill()
    time.sleep(1.2)
    broker.start()
    broker.wait_log(f"session of client '{short}' ended")
    member(broker, short, present=0)
    again = member(broker, long, present=1)
    message = again.message()
    assert message.payload == b"2" and 990 <= message.prop(P.MESSAGE_EXPIRY) <= 999
    assert again.drain() == []


def test_a_delayed_will_outlives_the_broker_and_comes_when_it_is_due(broker):
    topic = unique()
    reader = member(broker, unique("r"))
    reader.subscribe(topic, qos=1)
    client = member(broker, unique("w"), will=Will(topic, b"late", 1, props={P.WILL_DELAY: 2}))
    ended = time.monotonic()
    client.drop()
    broker.wait_log(f"client '{client.client_id}' .* disconnected")
    time.sleep(1)  # what nobody is told of may wait for a tenth of a second
    broker.restart()
    reader = member(broker, reader.client_id, present=1)
    assert reader.message().payload == b"late"
    assert time.monotonic() - ended > 1.5


def test_the_wills_of_those_who_were_connected_are_published_when_the_broker_is_back(broker):
    """3.1.2.5: a server that fails may defer them until its restart. One who is back in time has none."""
    topic = unique()
    reader = member(broker, unique("r"))
    reader.subscribe(topic + "/#", qos=1)
    anonymous = Client(broker.address)
    anonymous.connect(will=Will(topic + "/at-once", b"at once", 1))
    patient = member(broker, unique("w"), will=Will(topic + "/back", b"not this", 1, props={P.WILL_DELAY: 3600}))
    polite = Client(broker.address)
    polite.connect(will=Will(topic + "/polite", b"nor this", 1))
    polite.leave()
    time.sleep(1)
    broker.restart()
    member(broker, patient.client_id, present=1)
    reader = member(broker, reader.client_id, present=1)
    assert reader.message().payload == b"at once"
    assert reader.drain() == []
    assert broker.ask("SELECT count(*) FROM session WHERE will_topic IS NOT NULL") == [(0,)]


def test_sessions_that_end_with_their_connection_are_not_kept(broker):
    client = visitor(broker)
    client.subscribe("a/#", qos=1)
    visitor(broker).publish("a/1", b"x", 1)
    assert client.message().payload == b"x"
    assert broker.ask("SELECT count(*) FROM session") == [(0,)]
    assert broker.ask("SELECT count(*) FROM message") == [(0,)]


def test_a_clean_start_ends_what_was_kept(broker):
    topic, name = unique(), unique("c")
    member(broker, name).subscribe(topic, qos=1)
    visitor(broker).publish(topic, b"x", 1)
    clean = Client(broker.address)
    clean.connect(name, clean=True, props=STAYS)
    broker.restart()
    assert member(broker, name, present=1).drain() == []
    assert broker.ask("SELECT count(*) FROM subscription") == [(0,)]


def test_what_a_member_of_a_group_had_goes_to_another_when_it_ends_with_the_broker(broker):
    """4.8.2: its session has ended with its connection; the session of the other one has not."""
    topic = unique()
    lasting = member(broker, unique("l"))
    lasting.subscribe(f"$share/g/{topic}", qos=1)
    passing = Client(broker.address, automatic=False)
    passing.connect()
    passing.subscribe(f"$share/g/{topic}", qos=1)
    publisher = visitor(broker)
    for number in range(10):
        publisher.publish(topic, b"%d" % number, 1)
    held = numbers(passing.drain())
    assert held, "it had its share"
    own = numbers(lasting.drain())
    broker.restart()
    again = member(broker, lasting.client_id, present=1)
    came = numbers(again.drain())
    assert set(held) <= set(came) and sorted(set(own) | set(came)) == list(range(10))


def test_a_broker_that_is_asked_to_end_keeps_everything_too(broker):
    topic, name = unique(), unique("c")
    member(broker, name).subscribe(topic, qos=1)
    client = Client(broker.address, automatic=False)
    client.connect()
    packet_id = client.start(topic, b"x", 1)
    assert client.expect(PUBACK).packet_id == packet_id
    broker.stop()
    assert not pathlib.Path(f"{broker.database}-wal").exists(), "everything is in one file"
    broker.start()
    assert member(broker, name, present=1).message().payload == b"x"


def test_a_publisher_that_is_back_first_waits_for_its_reader(broker):
    """The reader had been there; it has some seconds to come back before its queue may overflow."""
    broker.stop()
    with DurableBroker(["-v", "--max-queued-messages", "20", "--slow-consumer-grace", "60s"]) as broker:
        topic, name = unique(), unique("r")
        reader = member(broker, name)
        reader.subscribe(topic, qos=2)
        broker.restart()
        publisher = Client(broker.address, automatic=False)
        publisher.connect()
        for number in range(200):
            publisher.start(topic, b"%d" % number, 1)
        publisher._ping()
        assert len([p for p in publisher._inbox if p.kind == PUBACK]) < 50, "it gets no more acknowledgements"
        again = member(broker, name, present=1)
        assert numbers(again.messages(200)) == list(range(200))
        assert broker.log_count("dropped") == 0


def test_a_full_disk_is_said_and_survived(broker):
    """As a limit on the size of files, which is taken away again."""
    topic, name = unique(), unique("r")
    reader = member(broker, name)
    reader.subscribe(topic, qos=1)
    reader.leave()
    publisher = visitor(broker)
    publisher.publish(topic, b"0", 1)
    watcher = visitor(broker)
    watcher.subscribe("quick")
    resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (16 * 4096, resource.RLIM_INFINITY))
    acknowledged, number = [0], 0
    while not broker.log_count("cannot write the database"):
        number += 1
        publisher.start(topic, b"%d" % number + b" " * 2000, 1)
        try:
            if publisher.wait(PUBACK).code < 0x80:
                acknowledged.append(number)
        except Ended:
            break  # nobody is told of what is not kept
    broker.wait_log("cannot write the database")
    other = visitor(broker)
    assert other.publish(topic, b"refused", 1).code == 0x97
    other.publish("quick", b"QoS 0 goes on")
    assert watcher.message().payload == b"QoS 0 goes on"
    old = visitor(broker, V311)
    old.start(topic, b"not acknowledged", 1)
    assert old.end() == []
    assert broker.log_count("cannot write the database") == 1, "said once"
    resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    broker.wait_log("the store works again")
    assert other.publish(topic, b"last", 1).code == 0
    broker.restart()
    came = [m.payload.strip() for m in member(broker, name, present=1).drain()]
    assert [int(payload) for payload in came[:-1] if int(payload) in acknowledged] == acknowledged
    assert came[-1] == b"last" and b"refused" not in came


def check(*args):
    return run([program("mqbroker"), "--check-config", "-p", "0", *args], seconds=10)


def refused(database, *words):
    """One line, exit 14, and the file as it was. --check-config says so, too."""
    before = database.read_bytes()
    assert_fails(run([program("mqbroker"), "-h", HOST, "-p", "0", "--db", database], seconds=10), 14, str(database), *words)
    assert database.read_bytes() == before, "it is not touched"


def test_databases_that_cannot_be_used_are_refused(scratch):
    database = scratch / "x.db"
    database.write_bytes(b"not a database at all " * 1000)
    refused(database, "not a database")
    assert_fails(check("--db", database), 2, "not a database")
    with sqlite3.connect(scratch / "y.db") as other:
        other.execute("CREATE TABLE t(a)")
    refused(scratch / "y.db", "another program")
    assert_fails(check("--db", scratch / "y.db"), 2, "another program")
    missing = scratch / "missing" / "x.db"
    assert_fails(run([program("mqbroker"), "-h", HOST, "-p", "0", "--db", missing], seconds=10), 14, "No such file")
    assert_fails(check("--db", missing), 2, "No such file")


def test_a_database_of_a_newer_mqbroker_is_refused(broker):
    broker.stop()
    broker.change("PRAGMA user_version = 7")
    refused(broker.database, "newer")
    assert_fails(check("--db", broker.database), 2, "newer")


def test_a_damaged_row_is_named(broker):
    member(broker, "named")
    broker.stop()
    broker.change("UPDATE session SET version = 8")
    refused(broker.database, "session 1", "version is 8")


def test_a_database_has_one_broker(broker):
    assert_fails(run([program("mqbroker"), "-h", HOST, "-p", "0", "--db", broker.database], seconds=10), 14,
                 "another mqbroker")
    assert check("--db", broker.database).code == 0, "that is no fault of the configuration"
    visitor(broker).publish("a", b"x", 1, retain=1)
    assert broker.ask("SELECT topic, payload FROM retained") == [("a", b"x")], "anybody may look"


@pytest.mark.parametrize("durability", ("full", "relaxed"))
def test_either_durability_outlives_kill_9(durability):
    with DurableBroker(["--durability", durability]) as broker:
        name = unique("c")
        member(broker, name).subscribe("t", qos=1)
        visitor(broker).publish("t", b"x", 1)
        broker.restart()
        assert member(broker, name, present=1).message().payload == b"x"


def test_streams_go_on_over_killed_brokers(broker):
    """mqpub -l, mqsub -c: nothing is lost, at QoS 2 nothing comes twice, and the order is kept."""
    topic, count, lines = unique(), 20_000, []
    spool, quickly = broker.database.parent / "spool", ("--retry-delay", "50ms..500ms")
    with start("mqsub", *broker.args(), "-t", topic, "-q", 2, "-i", unique("s"), "-c", "--reconnect", *quickly,
               on_line=lambda line: lines.append(int(line))) as sub:
        broker.wait_subscribed(topic)
        with start("mqpub", *broker.args(), "-t", topic, "-q", 2, "-l", "--spool", spool, "--reconnect", *quickly,
                   stdin="".join(f"{n}\n" for n in range(count)).encode()) as pub:
            for kill in range(5):
                goal = len(lines) + 500 + kill * 301
                wait_until(lambda: len(lines) >= goal, 30, f"{goal} lines")
                broker.restart()
            assert pub.wait(60).code == 0
        wait_until(lambda: len(lines) >= count, 30, f"all of {count} lines")
        sub.stop()
    assert lines == list(range(count))
