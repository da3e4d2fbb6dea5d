"""What needs time to pass: keep-alive, expiry of sessions and messages, will delays. All at once, in threads."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import subjects
import wire
from client import Client, unique
from covers import covers
from wire import P, PUBLISH, PUBREC, PUBREL, V5, V311, Will

BOTH, ONLY_5 = (V311, V5), (V5,)
EARLY, LATE = 0.15, 3.0 if subjects.is_ours() else 12.0  # seconds that something may come before and after its time
PATIENCE = 15.0
_cases = {}


class Scene:
    """One case's clients at one broker."""

    def __init__(self, address, version):
        self.address, self.version, self.topic = address, version, unique("time/")
        self.started = time.monotonic()

    def client(self, client_id=None, **how):
        automatic = how.pop("automatic", True)
        client = Client(self.address, self.version, automatic)
        client.connect(client_id, **how)
        return client

    def watcher(self):
        client = self.client()
        client.subscribe(self.topic + "/#", qos=2)
        return client

    def restart(self):
        self.started = time.monotonic()

    def assert_after(self, seconds):
        """That about this time has passed since restart()."""
        passed = time.monotonic() - self.started
        assert seconds - EARLY <= passed <= seconds + LATE, f"after {passed:.2f} s instead of {seconds}"

    def let_pass(self, seconds):
        """Time itself is the input here."""
        time.sleep(max(0.0, self.started + seconds - time.monotonic()))


def concurrent(versions=BOTH, limits=None):
    """Makes a test for each version of a function of a Scene; the functions run at once."""
    def make(function):
        for version in versions:
            _cases[function, version] = limits or {}

        @pytest.mark.parametrize("version", versions, ids=["v5" if v == V5 else "v311" for v in versions])
        def test(version, results):
            results(function, version)
        test.__name__, test.__doc__ = function.__name__, function.__doc__
        return test
    return make


@pytest.fixture(scope="module")
def results(brokers, request):
    """Runs the cases of the selected tests, and gives each its result."""
    wanted = {(item.name.partition("[")[0], item.callspec.params["version"])
              for item in request.session.items if item.module is request.module and hasattr(item, "callspec")}
    pool = ThreadPoolExecutor(len(_cases))
    futures, skipped = {}, {}
    for (function, version), limits in _cases.items():
        if (function.__name__, version) not in wanted:
            continue
        try:
            address = brokers(**limits).address
        except pytest.skip.Exception as why:
            skipped[function, version] = why
            continue
        futures[function, version] = pool.submit(lambda f, a, v: f(Scene(a, v)), function, address, version)

    def result(function, version):
        if (function, version) in skipped:
            pytest.skip(str(skipped[function, version]))
        futures[function, version].result(60)
    yield result
    pool.shutdown(cancel_futures=True)


@covers("MQTT-3.1.2-22 MQTT-3.2.2-22 MQTT-4.13.2-1 MQTT-3.14.4-2", "MQTT-3.1.2-24")
@concurrent()
def test_a_silent_client_is_cut_off_after_one_and_a_half_keep_alives(scene):
    client = scene.client(keep_alive=1)
    scene.restart()
    client.refused(0x8D, seconds=PATIENCE)
    scene.assert_after(1.5)


@covers("MQTT-3.1.2-22", "MQTT-3.1.2-24")
@concurrent()
def test_its_will_is_published(scene):
    watcher = scene.watcher()
    client = scene.client(keep_alive=1, will=Will(scene.topic))
    scene.restart()
    assert watcher.message(PATIENCE).payload == b"will"
    scene.assert_after(1.5)
    client.close()


@covers("MQTT-3.1.2-22", "MQTT-3.1.2-24")
@concurrent()
def test_any_packet_keeps_a_connection_alive(scene):
    client = scene.client(keep_alive=1)
    for number in range(1, 7):
        scene.let_pass(number * 0.5)
        if number % 2:
            client.send(wire.publish(scene.version, scene.topic, b"x"))
        else:
            client.subscribe(scene.topic + "/other")
    assert client.drain() == []


@covers("MQTT-3.1.2-22", "MQTT-3.1.2-24")
@concurrent()
def test_a_keep_alive_of_0_is_none(scene):
    client = scene.client(keep_alive=0)
    scene.let_pass(2.5)
    assert client.drain() == []


@covers("MQTT-3.1.2-22", "MQTT-3.1.2-24")
@concurrent()
def test_what_the_server_sends_does_not_keep_a_connection_alive(scene):
    client, publisher = scene.client(keep_alive=1), scene.client()
    client.subscribe(scene.topic)
    scene.restart()
    ended = ThreadPoolExecutor(1).submit(lambda: (client.refused(0x8D, seconds=PATIENCE), scene.assert_after(1.5)))
    while not ended.done():  # it is told something all the time
        publisher.publish(scene.topic, b"x")
        time.sleep(0.2)
    ended.result()


@covers("v5#3.2.2.3.14/ska-dup MQTT-3.2.2-21")
@concurrent(ONLY_5, {"max_keepalive": 1})
def test_the_server_s_keep_alive_is_announced_and_holds(scene):
    for keep_alive in (60, 0):
        client = scene.client(keep_alive=keep_alive)
        assert client.observer.connack.prop(P.SERVER_KEEP_ALIVE) == 1
    scene.restart()
    client.refused(0x8D, seconds=PATIENCE)
    scene.assert_after(1.5)


@covers("MQTT-3.2.2-22")
@concurrent(ONLY_5, {"max_keepalive": 10})
def test_a_shorter_keep_alive_is_the_client_s_own(scene):
    client = scene.client(keep_alive=1)
    assert client.observer.connack.prop(P.SERVER_KEEP_ALIVE) in (None, 1)
    scene.restart()
    client.refused(0x8D, seconds=PATIENCE)
    scene.assert_after(1.5)


@covers("MQTT-4.1.0-2 MQTT-3.1.2-23 MQTT-3.1.2-8")
@concurrent(ONLY_5)
def test_a_session_ends_with_its_expiry_and_so_does_the_will_s_delay(scene):
    watcher = scene.watcher()
    client = scene.client(props={P.SESSION_EXPIRY: 1}, will=Will(scene.topic, props={P.WILL_DELAY: 60}))
    client.drop()
    scene.restart()
    watcher.message(PATIENCE)
    scene.assert_after(1)
    again = scene.client(client.client_id, clean=False)
    assert not again.observer.connack.session_present


@covers("MQTT-4.1.0-2 MQTT-3.1.2-23")
@concurrent(ONLY_5)
def test_the_expiry_counts_from_the_end_of_the_connection(scene):
    client = scene.client(props={P.SESSION_EXPIRY: 3})
    scene.let_pass(3.7)
    client.leave()
    assert scene.client(client.client_id, clean=False).observer.connack.session_present


@covers("MQTT-4.1.0-2 MQTT-3.1.2-23")
@concurrent(ONLY_5)
def test_an_expiry_given_with_disconnect_holds(scene):
    client = scene.client(props={P.SESSION_EXPIRY: 300})
    client.leave(props={P.SESSION_EXPIRY: 1})
    other = scene.client(props={P.SESSION_EXPIRY: 1})
    other.leave(props={P.SESSION_EXPIRY: 300})
    scene.restart()
    scene.let_pass(2.5)
    assert not scene.client(client.client_id, clean=False).observer.connack.session_present
    assert scene.client(other.client_id, clean=False).observer.connack.session_present


@covers("MQTT-3.1.2-23")
@concurrent(ONLY_5, {"max_session_expiry": "1s"})
def test_a_shorter_session_expiry_of_the_server_is_announced_and_holds(scene):
    client = scene.client(props={P.SESSION_EXPIRY: 300})
    assert client.observer.connack.prop(P.SESSION_EXPIRY) == 1
    client.leave()
    scene.restart()
    scene.let_pass(2.5)
    assert not scene.client(client.client_id, clean=False).observer.connack.session_present


@covers("MQTT-3.1.2-8 MQTT-3.1.2-7")
@concurrent(ONLY_5)
def test_a_will_waits_for_its_delay(scene):
    watcher = scene.watcher()
    scene.client(props={P.SESSION_EXPIRY: 60}, will=Will(scene.topic, props={P.WILL_DELAY: 1})).drop()
    scene.restart()
    message = watcher.message(PATIENCE)
    scene.assert_after(1)
    assert message.prop(P.WILL_DELAY) is None
    assert watcher.drain() == []


@covers("MQTT-3.1.3-9 MQTT-3.1.2-8")
@concurrent(ONLY_5)
def test_coming_back_in_time_cancels_a_delayed_will(scene):
    watcher = scene.watcher()
    kept = {P.SESSION_EXPIRY: 60}
    client = scene.client(props=kept, will=Will(scene.topic, b"cancelled", props={P.WILL_DELAY: 3}))
    client.drop()
    again = scene.client(client.client_id, clean=False, props=kept)
    assert again.observer.connack.session_present
    # Its end by take-over does not count while the session goes on.
    taken = scene.client(props=kept, will=Will(scene.topic, b"taken over", props={P.WILL_DELAY: 3}))
    scene.client(taken.client_id, clean=False, props=kept)
    scene.client(props=kept, will=Will(scene.topic, b"fence", props={P.WILL_DELAY: 4})).drop()
    assert watcher.message(PATIENCE).payload == b"fence"


@covers("MQTT-3.1.2-8 MQTT-3.1.2-4")
@concurrent(ONLY_5)
def test_a_clean_start_ends_the_session_and_publishes_a_delayed_will(scene):
    watcher = scene.watcher()
    client = scene.client(props={P.SESSION_EXPIRY: 60}, will=Will(scene.topic, props={P.WILL_DELAY: 60}))
    client.drop()
    scene.client(client.client_id, clean=True)
    assert watcher.message().payload == b"will"


@covers("MQTT-3.1.2-8")
@concurrent(ONLY_5)
def test_without_a_kept_session_there_is_no_delay(scene):
    watcher = scene.watcher()
    scene.client(will=Will(scene.topic, props={P.WILL_DELAY: 60})).drop()
    watcher.message()


@covers("MQTT-3.3.2-5 MQTT-3.3.2-6")
@concurrent(ONLY_5)
def test_expired_messages_are_not_sent_and_others_say_what_is_left(scene):
    kept = {P.SESSION_EXPIRY: 60}
    absent, live, publisher = scene.client(props=kept), scene.client(), scene.client()
    for subscriber in (absent, live):
        subscriber.subscribe(scene.topic, qos=1)
    absent.leave()
    scene.restart()
    for payload, expiry in ((b"short", 1), (b"long", 100), (b"none", None)):
        props = {} if expiry is None else {P.MESSAGE_EXPIRY: expiry}
        publisher.publish(scene.topic, payload, 1, props=props)
    assert [(m.payload, m.prop(P.MESSAGE_EXPIRY)) for m in live.messages(3)] == [
        (b"short", 1), (b"long", 100), (b"none", None)]
    scene.let_pass(2.5)
    again = scene.client(absent.client_id, clean=False)
    taken = again.messages(2)
    assert [m.payload for m in taken] == [b"long", b"none"]
    assert 95 <= taken[0].prop(P.MESSAGE_EXPIRY) <= 98
    assert taken[1].prop(P.MESSAGE_EXPIRY) is None
    assert again.drain() == []


@covers("MQTT-3.3.2-5 MQTT-3.3.2-6")
@concurrent(ONLY_5)
def test_retained_messages_expire_too(scene):
    publisher = scene.client()
    scene.restart()
    for name, expiry in (("/short", 1), ("/long", 100)):
        publisher.publish(scene.topic + name, b"x", 1, retain=1, props={P.MESSAGE_EXPIRY: expiry})
    scene.let_pass(2.5)
    late = scene.client()
    late.subscribe(scene.topic + "/#")
    [message] = late.drain()
    assert message.topic == scene.topic + "/long"
    assert 95 <= message.prop(P.MESSAGE_EXPIRY) <= 98


@covers("MQTT-3.3.2-5")
@concurrent(ONLY_5)
def test_messages_that_wait_for_the_window_expire_too(scene):
    client = scene.client(automatic=False, props={P.RECEIVE_MAXIMUM: 1})
    client.subscribe(scene.topic, qos=1)
    publisher = scene.client()
    scene.restart()
    for payload, expiry in ((b"first", 100), (b"short", 1), (b"long", 100)):
        publisher.publish(scene.topic, payload, 1, props={P.MESSAGE_EXPIRY: expiry})
    first = client.message()
    scene.let_pass(2.5)
    client.ack(first)
    assert client.message().payload == b"long"


@covers("MQTT-4.3.3-7 MQTT-4.3.3-13")
@concurrent(ONLY_5)
def test_a_started_qos_2_flow_is_completed_after_expiry(scene):
    client = scene.client(automatic=False, props={P.SESSION_EXPIRY: 60})
    client.subscribe(scene.topic, qos=2)
    publisher = scene.client()
    scene.restart()
    publisher.publish(scene.topic, b"x", 2, props={P.MESSAGE_EXPIRY: 1})
    message = client.message()
    scene.let_pass(2.5)
    client.ack(message)
    assert client.expect(PUBREL).packet_id == message.packet_id


@covers("MQTT-4.3.3-13 MQTT-4.3.2-4")
@concurrent(ONLY_5)
def test_the_server_answers_for_expired_messages_too(scene):
    publisher = scene.client()
    scene.restart()
    packet_id = publisher.start(scene.topic, b"x", 2, props={P.MESSAGE_EXPIRY: 1})
    publisher.wait(PUBREC)
    scene.let_pass(2.5)
    publisher.pubrel(packet_id)
    assert publisher.wait(wire.PUBCOMP).code == 0


@covers("MQTT-4.3.3-7")
@concurrent(ONLY_5)
def test_a_qos_2_message_that_was_sent_is_sent_again_after_its_expiry(scene):
    client = scene.client(automatic=False, props={P.SESSION_EXPIRY: 60})
    client.subscribe(scene.topic, qos=2)
    publisher = scene.client()
    scene.restart()
    publisher.publish(scene.topic, b"x", 2, props={P.MESSAGE_EXPIRY: 1})
    message = client.message()
    client.drop()
    scene.let_pass(2.5)
    again = scene.client(client.client_id, clean=False, automatic=False)
    repeated = again.expect(PUBLISH)
    assert (repeated.packet_id, repeated.dup, repeated.payload) == (message.packet_id, 1, b"x")


@covers("MQTT-3.3.2-6 MQTT-4.4.0-1")
@concurrent(ONLY_5)
def test_what_is_sent_again_says_what_is_left(scene):
    client = scene.client(automatic=False, props={P.SESSION_EXPIRY: 60})
    client.subscribe(scene.topic, qos=1)
    publisher = scene.client()
    scene.restart()
    for payload, expiry in ((b"long", 100), (b"short", 1)):
        publisher.publish(scene.topic, payload, 1, props={P.MESSAGE_EXPIRY: expiry})
    client.messages(2)
    client.drop()
    scene.let_pass(2.5)
    again = scene.client(client.client_id, clean=False, automatic=False)
    long, short = again.messages(2)
    assert (long.payload, long.dup, short.payload, short.dup) == (b"long", 1, b"short", 1)
    assert 95 <= long.prop(P.MESSAGE_EXPIRY) <= 98
    assert short.prop(P.MESSAGE_EXPIRY) == 0


@covers("MQTT-3.3.2-6")
@concurrent(ONLY_5)
def test_a_will_s_expiry_counts_from_its_publication(scene):
    watcher = scene.watcher()
    props = {P.WILL_DELAY: 1, P.MESSAGE_EXPIRY: 100}
    scene.client(props={P.SESSION_EXPIRY: 60}, will=Will(scene.topic, props=props)).drop()
    assert watcher.message(PATIENCE).prop(P.MESSAGE_EXPIRY) == 100
