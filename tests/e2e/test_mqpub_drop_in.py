"""mqpub where mosquitto_pub was: which of its options there are, and command lines that both are given."""

import subprocess

import pytest

from support import mqtt_wire as wire
from support import fault_server as faults
from support.brokers import Mosquitto
from support.fault_server import FaultServer
from support.mosquitto_options import ABSENT, options_named_by, options_shown_by
from support.proc import Proc
from support.tools import assert_fails, assert_ok, json_lines, mqpub, payload_of, start, unique

# mosquitto_pub's options, 2.0 and 2.1 (its manual).
OPTIONS = """
    -A -c --disable-clean-session --cafile --capath --cert --ciphers -D --property -d --debug -f --file --help -h --host
    -I --id-prefix -i --id --insecure -k --keepalive --key --keyform -L --url -l --stdin-line -M -m --message
    -n --null-message --nodelay -P --pw -p --port --proxy --psk --psk-identity -q --qos --quiet -r --retain --repeat
    --repeat-delay -S -s --stdin-file --tls-alpn --tls-engine --tls-engine-kpass-sha1 --tls-use-os-certs --tls-version
    -t --topic -u --username --unix -V --protocol-version --will-payload --will-qos --will-retain --will-topic -x
    --tls-keylog --ws --mptcp -o --no-tls""".split()
# What is there and differs on purpose, each with its test: exit codes (below and test_failures), --help on stdout
# with 0 (test_options), -V tries 5 and then 3.1.1 (test_matrix), strict numbers and missing files (test_options),
# -s publishes an empty input, too (test_options),
# -f reads FIFOs and may be given several times (test_mqpub_streams), -l keeps NULs (test_mqpub_streams).


@pytest.mark.parametrize("option", [option for option in OPTIONS if option not in ABSENT])
def test_an_option_of_mosquitto_pub_is_there(option):
    assert option in options_shown_by("mqpub")


def test_what_is_absent_is_so_on_purpose():
    assert not options_shown_by("mqpub") & set(ABSENT)


def test_mosquittos_own_help_names_nothing_else():
    named = options_named_by("mosquitto_pub")
    assert len(named) > 40 and named <= set(OPTIONS), named - set(OPTIONS)


@pytest.fixture(scope="module")
def broker():
    with Mosquitto() as broker:
        yield broker


# Command lines without -h, -p and -t, which both get; and what is on standard input.
LINES = [
    (("-m", "text"), b""), (("-m", "text", "-q", "1"), b""), (("-m", "text", "-q", "2", "-V", "mqttv5"), b""),
    (("-m", ""), b""), (("-n",), b""), (("-s",), b"all\nof it\n"), (("-l",), b"one\n\nthree"), (("-l", "-q", "1"), b"a\nb\n"),
    (("--stdin-line", "--qos", "2"), b"a\nb\n"), (("-f", "FILE"), b""), (("--file", "FILE", "-V", "mqttv31"), b""),
    (("--message", "m", "--repeat", "3"), b""), (("-m", "m", "--repeat", "2", "--repeat-delay", "0.01"), b""),
    (("-m", "m", "-V", "mqttv311", "-k", "30", "-i", "ID"), b""), (("-m", "m", "-I", "pre-", "--nodelay"), b""),
    (("-m", "m", "-V", "5", "-x", "20", "-c", "-i", "ID"), b""), (("-m", "m", "-M", "5", "--quiet"), b""),
    (("-m", "m", "--will-topic", "w", "--will-payload", "p", "--will-qos", "1", "--will-retain"), b""),
    (("-m", "m", "-V", "5", "-D", "publish", "content-type", "a/b", "-D", "publish", "user-property", "k", "v"), b""),
    (("-m", "m", "-V", "5", "--property", "PUBLISH", "message-expiry-interval", "99"), b""),
    (("-m", "m", "-V", "5", "-D", "publish", "response-topic", "r", "-D", "publish", "correlation-data", "c"), b""),
    # Of scripts: payloads that look like options, JSON for Home Assistant, retained states, pipes, kept sessions.
    (("-m", "-1"), b""), (("-m", "--help"), b""), (("-m", "-n", "-q", "1"), b""), (("-m", " 21.5 \u00b0C\n"), b""),
    (("-r", "-m", '{"name": "Room", "state_topic": "~/state", "unit_of_measurement": "\u00b0C"}'), b""), (("-r", "-n"), b""),
    (("-s", "-q", "1"), b"22:33:44 up 1 day\n"), (("-l", "-q", "2"), b"a\n\nb"), (("-l",), b"\r\n\r\n"),
    (("-m", "m", "-u", "user", "-P", "pass word", "-k", "5"), b""), (("-m", "m", "-c", "-i", "ID", "-q", "2", "-V", "mqttv311"), b""),
    (("-m", "m", "-A", "127.0.0.1", "-V", "31", "-q", "1"), b""), (("-f", "FILE", "-r", "-q", "2"), b""),
    (("-m", "m", "--will-topic", "s/LWT", "--will-payload", "Offline", "--will-retain", "-r", "-q", "1"), b""),
    (("-m", "m", "-V", "5", "-D", "connect", "session-expiry-interval", "0", "-D", "disconnect", "user-property", "a", "b"), b""),
    (("-m", "m", "-V", "5", "-D", "publish", "topic-alias", "1", "--repeat", "3", "-q", "1"), b"")]


def received(broker, program, args, stdin, scratch):
    """What a subscriber sees of one program's work."""
    topic = unique("d")
    (scratch / "file").write_bytes(b"file\nwith \xff and an end\n")
    args = [{"FILE": scratch / "file", "ID": unique("i")}.get(word, word) for word in args]
    with start("mqsub", *broker.args(), "-t", topic, "-q", 2, "--json", "-V", 5) as sub:
        broker.wait_subscribed(topic)
        where = ["-h", broker["tcp"].host, "-p", str(broker["tcp"].port), "-t", topic]
        if program == "mqpub":
            assert_ok(mqpub(*where, *args, stdin=stdin))
        else:
            with Proc([program, *where, *args], stdin=stdin) as proc:
                assert proc.wait().code == 0
        assert_ok(mqpub(*broker.args(), "-t", topic, "-m", "the end", "-q", 2))
        sub.wait_out(b'"the end"')
        messages = json_lines(sub.out)[:-1]
    return [(payload_of(m), m["qos"], m["retain"], m.get("properties")) for m in messages]


@pytest.mark.parametrize("args, stdin", LINES, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_the_same_command_line_publishes_the_same(broker, scratch, args, stdin):
    ours = received(broker, "mqpub", args, stdin, scratch)
    assert ours == received(broker, "mosquitto_pub", args, stdin, scratch)
    assert ours, "something was published"


def test_a_url_publishes_to_its_topic(broker):
    topic = unique("d")
    with start("mqsub", *broker.args(), "-t", topic, "-C", 2) as sub:
        broker.wait_subscribed(topic)
        for program in ("mosquitto_pub", "mqpub"):
            url = f"mqtt://{broker['tcp'].host}:{broker['tcp'].port}/{topic}"
            if program == "mqpub":
                assert_ok(mqpub("-L", url, "-m", program))
            else:
                subprocess.run([program, "-L", url, "-m", program], check=True, timeout=10)
        assert assert_ok(sub.wait()).out == b"mosquitto_pub\nmqpub\n"


# --- traps of the field that no other suite names -------------------------------------------------

def test_trap_12_protocol_codes_are_not_exit_codes():
    for code, expected in ((0x80, 7), (0x84, 7), (0x86, 6), (0x87, 6), (0x8A, 7), (0x97, 7)):
        with FaultServer(faults.answer_connect(wire.connack(5, code))) as server:
            result = assert_fails(mqpub("-L", server.url, "-V", 5, "-t", "t", "-m", "x"), expected)
            assert f"(0x{code:02X})" in result.err_text, result


@pytest.mark.parametrize("topic", ("a//b", "/a", "a/", "/", " ", "a/ \u00e9\u2028", "$own/x", "x" * 60_000))
def test_trap_35_a_legal_topic_is_published_to(broker, topic):
    assert_ok(mqpub(*broker.args(), "-t", topic, "-m", "x", "-q", 0))


@pytest.mark.parametrize("topic", ("a/+", "#", "a/#/b", "x" * 65_536, ""))
def test_trap_35_an_illegal_topic_is_2_before_connecting(topic):
    assert_fails(mqpub("-p", 1, "-t", topic, "-m", "x"), 2)


def test_trap_38_nothing_is_lowered_silently():
    for limit, options, word in (({"maximum_qos": 0}, ("-q", 1), "Maximum QoS"),
                                 ({"retain_available": 0}, ("-r",), "retained")):
        with FaultServer(faults.after_connack(**limit)) as server:
            assert_fails(mqpub("-L", server.url, "-V", 5, "-t", "t", "-m", "x", *options), 10, word)
        assert wire.PUBLISH not in [packet.kind for packet in server.connections[0].received]
