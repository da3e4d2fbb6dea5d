"""mqbroker --bridge: what goes over it, that nothing goes round, and that nothing acknowledged is lost."""

import json
import pathlib
import re
import signal

import pytest

from conformance import wire as w
from conformance.wire import V5, V311
from support.brokers import Mosquitto
from support.durable import DurableBroker
from support.malformed import Raw
from support.mqbroker import MqBroker
from support.mqtt_wire import CONNACK
from support.peers import Paho
from support.ports import HOST, free_port, wait_until
from support.proc import DEADLINE, run
from support.tools import assert_ok, mqpub, start

SOON = ("--bridge-retry-delay", "50ms..500ms")
BRIDGED = r"bridge to \S+: connected to "


def bridge_options(url, rules, *more):
    return ["--bridge", url, *[word for rule in rules for word in ("--bridge-topic", rule)], *SOON, *map(str, more)]


def bridged(remote, rules, *more, url=None, options=()):
    """An mqbroker whose bridge has been connected."""
    broker = MqBroker(options=["-v", *options, *bridge_options(url or remote["tcp"].url, rules, *more)])
    try:
        broker.wait_log(BRIDGED)
    except BaseException:
        broker.stop()
        raise
    return broker


class Ear:
    """All that a broker delivers: (topic, QoS, payload, retain)."""

    def __init__(self, broker, topic="#"):
        self._client = Paho.client(broker["tcp"])
        self.heard, subscribed = [], []
        self._client.on_message = lambda c, user, m: self.heard.append((m.topic, m.qos, m.payload.decode(), m.retain))
        self._client.on_subscribe = lambda *_: subscribed.append(1)
        self._client.subscribe(topic, 2)
        wait_until(lambda: subscribed, DEADLINE, "SUBACK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        Paho.leave(self._client)

    def take(self, count):
        wait_until(lambda: len(self.heard) >= count, DEADLINE, f"{count} messages, there are {self.heard}")
        taken, self.heard[:] = self.heard[:], []
        return taken


def say(broker, topic, payload, qos=1, *more):
    assert_ok(mqpub(*broker.args(), "-t", topic, "-m", payload, "-q", qos, *more))


@pytest.fixture(scope="module")
def mosquitto():
    with Mosquitto() as broker:
        yield broker


RULES = ("o/# out 2 here/ there/", "i/# in 2 here/ there/", "b/# both 2", "z out 0", '"" in 1 one/here one/there')


@pytest.mark.parametrize("version", ("5", "311"))
def test_messages_go_where_the_rules_say_and_none_goes_round(mosquitto, version):
    with bridged(mosquitto, RULES, "--bridge-id", f"b{version}", "--bridge-protocol-version", version) as broker, \
            Ear(broker) as here, Ear(mosquitto) as there:
        for qos in (0, 1, 2):
            say(broker, "here/o/a", f"out {qos}", qos)
            say(mosquitto, "there/i/a", f"in {qos}", qos)
        out, came_in = sorted(there.take(6)), sorted(here.take(6))
        assert out == sorted([("there/o/a", qos, f"out {qos}", 0) for qos in (0, 1, 2)] +
                             [("there/i/a", qos, f"in {qos}", 0) for qos in (0, 1, 2)])
        assert came_in == sorted([("here/o/a", qos, f"out {qos}", 0) for qos in (0, 1, 2)] +
                                 [("here/i/a", qos, f"in {qos}", 0) for qos in (0, 1, 2)])
        # An echo would come before what is said there afterwards, and the other way round.
        say(broker, "b/x", "from here", 2)
        there.take(1)
        say(mosquitto, "b/x", "from there", 2)
        assert here.take(2) == [("b/x", 2, "from here", 0), ("b/x", 2, "from there", 0)]
        say(broker, "b/x", "again", 2)
        assert there.take(2) == [("b/x", 2, "from there", 0), ("b/x", 2, "again", 0)]
        assert here.take(1) == [("b/x", 2, "again", 0)]
        # As the rule says: at most its QoS, and one topic for another one.
        say(broker, "z", "low", 2)
        assert there.take(1) == [("z", 0, "low", 0)]
        say(mosquitto, "one/there", "1", 2)
        assert here.take(2) == [("z", 2, "low", 0), ("one/here", 1, "1", 0)]


@pytest.mark.parametrize("version", ("5", "311"))
def test_two_mqbrokers_with_everything_both_ways(version):
    """Before 5.0 an mqbroker knows nothing of bridges, and sends back what it gets: the bridge sees to it then."""
    with MqBroker(options=["-v"]) as far, bridged(far, ["# both 1"], "--bridge-protocol-version", version) as near, \
            Ear(near) as here, Ear(far) as there:
        for round_ in range(3):
            say(near, "a", f"near {round_}")
            there.take(1)
            say(far, "a", f"far {round_}")
            assert [m[2] for m in here.take(2)] == [f"near {round_}", f"far {round_}"]
            assert [m[2] for m in there.take(1)] == [f"far {round_}"]


def test_a_ring_of_messages_does_not_form_between_two_that_bridge_to_each_other():
    """Each has a bridge to the other, one for each way."""
    port = free_port()
    with MqBroker(options=["-v", "--listen", f"mqtt://{HOST}:{port}"]) as far, \
            bridged(far, ["# both 1"], "--bridge-id", "one") as near, Ear(near) as here, Ear(far) as there:
        for number in range(3):
            say(near, "n", str(number))
            say(far, "f", str(number))
        assert sorted(m[0] + m[2] for m in here.take(6)) == sorted(m[0] + m[2] for m in there.take(6))


def test_retained_messages_stay_retained(mosquitto):
    say(mosquitto, "r/there", "old", 1, "-r")
    with bridged(mosquitto, ["r/# both 1"], "--bridge-id", "retains") as broker, Ear(mosquitto, "r/#") as there:
        there.take(1)
        say(broker, "r/here", "new", 1, "-r")
        there.take(1)
        for each, topic in ((broker, "r/there"), (mosquitto, "r/here")):
            def is_kept(each=each, topic=topic):
                with Ear(each, topic) as ear:
                    return [m[3] for m in ear.take(1)] == [1]
            wait_until(is_kept, DEADLINE, f"a retained {topic}")


CASES = [("out", 2, "5"), ("out", 1, "311"), ("in", 2, "5"), ("in", 2, "311")]


@pytest.mark.parametrize("direction, qos, version", CASES)
def test_killed_brokers_lose_nothing(direction, qos, version, tmp_path):
    """Both keep what they acknowledge; either is killed while messages flow over the bridge."""
    with DurableBroker() as far, DurableBroker(options=["-v", *bridge_options(
            far["tcp"].url, [f"# {direction} {qos}"], "--bridge-protocol-version", version)]) as near:
        near.wait_log(BRIDGED)
        source, sink = (near, far) if direction == "out" else (far, near)
        check_flow(source, sink, qos, [far.restart, near.restart, far.restart])


def check_flow(source, sink, qos, accidents, part=400):
    """Lines that are published at `source` come out at `sink`, whatever happens meanwhile."""
    lasting = ("--reconnect", "--retry-delay", "20ms..200ms", "-c", "-q", qos)
    reader = start("mqsub", *sink.args(), *lasting, "-i", "reader", "-t", "flow")
    writer = None
    try:
        sink.wait_subscribed("flow")
        writer = start("mqpub", *source.args(), *lasting, "-i", "writer", "-t", "flow", "-l", stdin=None)
        said = 0
        for accident in [*accidents, None]:
            for _ in range(part):
                writer.write(f"{said}\n".encode())
                said += 1
            if accident:
                # In the middle: some have come, others are on their way.
                wait_until(lambda: reader.out.count(b"\n") > said - part, DEADLINE, "some messages")
                accident()
        writer.close_stdin()
        assert writer.wait().code == 0, writer.err
        expected = [str(number) for number in range(said)]
        wait_until(lambda: len(set(reader.out.split())) >= said, DEADLINE, f"{said} messages")
        heard = reader.out.decode().split()
        if qos == 2:
            assert heard == expected
        else:
            assert list(dict.fromkeys(heard)) == expected
    finally:
        reader.stop()
        if writer:
            writer.stop()


def test_what_mosquitto_misses_comes_later():
    """It keeps its sessions over a restart; what it cannot be told meanwhile waits in the bridge's session. At QoS 2 some
    would come twice, as they do without a bridge: after a restart mosquitto 2.0 has not all that exactly once takes."""
    with Mosquitto(persistence=True) as remote, bridged(remote, ["# out 1"]) as broker:
        check_flow(broker, remote, 1, [remote.restart, remote.restart])


def test_a_bridge_that_is_refused_tries_again_and_the_broker_goes_on(tmp_path):
    secret = "s3cret-word"
    (tmp_path / "password").write_text(secret)
    with Mosquitto(users={"joe": "other"}) as remote:
        url = remote["tcp"].url.replace("//", "//joe@")
        with MqBroker(options=bridge_options(url, ["# out 1"], "--bridge-password-file", tmp_path / "password")) as broker:
            broker.wait_log(r"bridge to \S+: .*; next attempt in ", 2)
            with Ear(broker) as ear:
                say(broker, "a", "still here")
                assert ear.take(1) == [("a", 1, "still here", 0)]
            assert secret.encode() not in broker.proc.err
            broker.proc.kill(signal.SIGTERM)
            assert broker.proc.wait().code in (143, -signal.SIGTERM)


def test_a_bridge_shows_its_password_and_its_certificate(certs, tmp_path):
    (tmp_path / "word").write_text("pencil, Bleistift\n")
    with Mosquitto(users={"joe": "pencil, Bleistift"}) as remote:
        url = remote["tcp"].url.replace("//", "//joe@")
        with bridged(remote, ["# out 1"], "--bridge-password-file", tmp_path / "word", url=url) as broker:
            assert b"pencil, Bleistift" not in broker.proc.err
    files = ("--bridge-cafile", certs.ca, "--bridge-cert", certs.client, "--bridge-key", certs.client_key)
    with MqBroker(certs, ("tls",), ["-v", "--client-certs", "required", "--cafile", certs.ca, "--cert-as-user"]) as remote:
        with bridged(remote, ["# out 1"], *files, url=remote["tls"].url):
            remote.wait_log("user 'test client'")


@pytest.mark.parametrize("server", ("expired", "wrong_name", "self_signed", "server"))
def test_a_bridge_tells_its_password_to_nobody_but_the_server(certs, tmp_path, server):
    """What the remote server is not known by: its certificate has ended, is another one's, or of no CA that was named."""
    class Shown:
        ca, server_key = certs.ca, getattr(certs, f"{server}_key")
    Shown.server = getattr(certs, server)
    trusted = certs.other_ca if server == "server" else certs.ca
    (tmp_path / "word").write_text("pencil")
    with MqBroker(Shown, ("tls",), ["-d"]) as remote:
        url = remote["tls"].url.replace("//", "//joe@")
        with MqBroker(options=bridge_options(url, ["# out 1"], "--bridge-cafile", trusted, "--bridge-password-file", tmp_path / "word")) as broker:
            broker.wait_log(r"bridge to \S+: .*certificate.*; next attempt in ", 2)
        assert b"CONNECT" not in remote.proc.err


def test_nobody_else_is_a_bridge(mosquitto):
    """By no version, name or method."""
    with bridged(mosquitto, ["a out 1"], "--bridge-id", "only") as broker:
        for name in (f"$bridge/{HOST}:{mosquitto['tcp'].port}", "$bridge/", "$bridge/other"):
            for version in (V311, V5):
                with Raw(broker["tcp"].address) as thief:
                    thief.send(w.connect(version, name, username="(bridge)"))
                    assert thief.expect(CONNACK).body[1] == (0x85 if version == V5 else 2)
            with Raw(broker["tcp"].address) as thief:
                thief.send(w.connect(V5, name, props={w.P.AUTH_METHOD: "SCRAM-SHA-256", w.P.AUTH_DATA: b"n,,n=joe,r=x"}))
                assert thief.expect(CONNACK).body[1] == 0x8C


def test_its_state_and_numbers_are_in_sys_metrics_and_on_the_page(tmp_path):
    """$SYS/broker/connection/NAME/state is mosquitto's name, too."""
    def wait(topic, text):
        wait_until(lambda: latest.get(f"$SYS/broker/connection/{name}/{topic}") == text, DEADLINE, f"{topic} {text}: {latest}")

    def at(path):
        return run(["curl", "--silent", "--fail", "--max-time", "60", pages + path]).out.decode()
    with DurableBroker() as remote:
        name, latest = f"{HOST}:{remote['tcp'].port}", {}
        with bridged(remote, ["a/# both 1"], options=["--sys-interval", "200ms", "--metrics", f"{HOST}:0"]) as broker, Ear(remote) as there:
            broker.wait_log("status page at ")
            pages = re.search(r"status page at (http://\S+)/", broker.proc.err.decode())[1]
            client = Paho.client(broker["tcp"])
            client.on_message = lambda c, user, m: latest.__setitem__(m.topic, m.payload.decode())
            client.subscribe("$SYS/broker/connection/#", 0)
            wait("state", "1")
            for number in range(3):
                say(broker, "a/b", str(number))
            say(remote, "a/c", "x")
            there.take(4)
            wait("messages/sent", "3")
            wait("messages/received", "1")
            wait("messages/dropped", "0")
            assert f'mqbroker_bridge_up{{bridge="{name}"}} 1' in at("/metrics")
            assert f'mqbroker_bridge_messages_total{{bridge="{name}",what="sent"}} 3' in at("/metrics")
            shown = json.loads(at("/status.json"))["bridges"]
            assert shown == [{"name": name, "connected": True, "sent": 3, "received": 1, "dropped": 0, "refused": 0, "echoes": 0}]
            remote.kill()
            wait("state", "0")
            assert f'mqbroker_bridge_up{{bridge="{name}"}} 0' in at("/metrics")
            Paho.leave(client)


def test_an_answer_comes_back_over_the_bridge(mosquitto):
    """A request and its response topic have other names there."""
    rules = ["ask/# out 1 here/ there/", "answer/# in 1 here/ there/"]
    with bridged(mosquitto, rules, "--bridge-id", "asks") as broker:
        responder = Paho.client(mosquitto["tcp"])
        asked, subscribed = [], []
        responder.on_message = lambda c, user, m: asked.append((m.topic, m.properties.ResponseTopic))
        responder.on_subscribe = lambda *_: subscribed.append(1)
        responder.subscribe("there/ask/#", 1)
        wait_until(lambda: subscribed, DEADLINE, "SUBACK")
        with Ear(broker, "here/answer/#") as requester:
            assert_ok(mqpub(*broker.args(), "-t", "here/ask/1", "-m", "?", "-q", 1, "-D", "PUBLISH", "response-topic", "here/answer/1"))
            wait_until(lambda: asked, DEADLINE, "the request")
            assert asked == [("there/ask/1", "there/answer/1")]
            responder.publish(asked[0][1], b"!", 1)
            assert requester.take(1) == [("here/answer/1", 1, "!", 0)]
        Paho.leave(responder)


def test_a_password_in_the_url_is_in_no_list_of_processes():
    url = f"mqtt://joe:s3cret-word@{HOST}:{free_port()}"
    with MqBroker(options=bridge_options(url, ["# out 1"])) as broker:
        broker.wait_log(r"bridge to \S+: .*; next attempt in ")
        assert b"s3cret-word" not in pathlib.Path(f"/proc/{broker.pid}/cmdline").read_bytes()
        assert b"s3cret-word" not in broker.proc.err


def test_its_session_is_its_own_and_access_rules_are_for_others(mosquitto, tmp_path):
    (tmp_path / "rules").write_text("topic write a\n")
    with bridged(mosquitto, ["a out 1"], "--bridge-id", "rules", options=["--acl-file", tmp_path / "rules"]) as broker, \
            Ear(mosquitto, "a") as there:
        name = f"$bridge/{HOST}:{mosquitto['tcp'].port}"
        with Raw(broker["tcp"].address) as thief:
            thief.send(w.connect(V5, name, clean=False))
            assert thief.expect(CONNACK).body[1] == 0x85
        say(broker, "a", "over")
        assert there.take(1) == [("a", 1, "over", 0)]


def test_bridges_of_a_file(tmp_path):
    """Two of them, and what had been subscribed to under rules that are no more is not any longer."""
    config = tmp_path / "mq.toml"
    with MqBroker() as one, MqBroker() as two:
        def write(pattern):
            config.write_text("".join(
                f'[[bridge]]\nurl = "{each["tcp"].url}"\ntopic = ["{pattern} out 1 \\"\\" {name}/"]\nid = "x{name}"\n'
                for name, each in (("one", one), ("two", two))))
        write("a")
        with DurableBroker(options=["-v", "-c", config]) as broker, Ear(one) as first, Ear(two) as second:
            broker.wait_log(BRIDGED, 2)
            say(broker, "a", "1")
            assert (first.take(1), second.take(1)) == ([("one/a", 1, "1", 0)], [("two/a", 1, "1", 0)])
            write("b")
            broker.restart()
            broker.wait_log(BRIDGED, 2)
            assert [row[0] for row in broker.ask("SELECT DISTINCT filter FROM subscription")] == ["b"]
            say(broker, "a", "2")
            say(broker, "b", "3")
            assert (first.take(1), second.take(1)) == ([("one/b", 1, "3", 0)], [("two/b", 1, "3", 0)])
