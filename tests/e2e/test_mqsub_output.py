"""What mqsub writes: formats as mosquitto_sub has them, JSON over several lines, CSV."""

import base64
import csv
import io
import json
import os
import re
import socket

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.ports import HOST
from support.proc import Proc
from support.tools import assert_fails, assert_ok, mqpub, mqsub, start, unique


@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


PROPERTIES = [word for prop in (("content-type", "text/x"), ("response-topic", "answer/here"), ("correlation-data", "cd"),
                                ("payload-format-indicator", "1"), ("user-property", "k", "v"),
                                ("user-property", "k2", "v 2"))
              for word in ("-D", "publish", *prop)]

# What mosquitto_sub 2.0.11 writes for these we write, too.
FORMATS = ["%t %p", "%%|%C|%D|%F|%l|%q|%R|%r|%S|%P", "%x|%X", "[%20t|%-20t|%.3t|%5.3t]", "[%5l|%05l|%-5l]", "[%-10C|%10C]",
           "@@|@Y-@m-@d|@Z|@z", "\\\\|\\a\\e\\r\\t\\v|\\0|", "[%A|%5A|%E|%m]", "%-8p|"]


@pytest.mark.parametrize("form", FORMATS)
def test_formats_are_as_mosquitto_sub_has_them(broker, form):
    """The same message, to both at once."""
    topic = unique() + "/levels"
    theirs = Proc(["mosquitto_sub", *broker["tcp"].mosquitto_args(), "-V", "5", "-q", "1", "-t", topic, "-C", "1", "-F", form])
    with theirs, start("mqsub", *broker.args(), "-V", 5, "-q", 1, "-t", topic, "-C", 1, "-F", form) as ours:
        broker.wait_subscribed(topic, 2)
        assert_ok(mqpub(*broker.args(), "-t", topic, "-q", 1, "-m", "jkl", *PROPERTIES))
        assert assert_ok(ours.wait()).out == theirs.wait().out


def test_mosquittos_json_is_theirs(broker):
    topic = unique()
    theirs = Proc(["mosquitto_sub", *broker["tcp"].mosquitto_args(), "-V", "5", "-q", "1", "-t", topic, "-C", "1", "-F", "%j"])
    with theirs, start("mqsub", *broker.args(), "-V", 5, "-q", 1, "-t", topic, "-C", 1, "-F", "%j") as ours:
        broker.wait_subscribed(topic, 2)
        assert_ok(mqpub(*broker.args(), "-t", topic, "-q", 1, "-m", "hello \"x\"", *PROPERTIES))
        messages = [json.loads(result.out) for result in (ours.wait(), theirs.wait())]
    for message in messages:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z?[+-]\d{4}", message.pop("tst"))
        message.pop("mid")
    assert messages[0] == messages[1]


def shown(payload, *args, **how):
    """What mqsub writes of one message at QoS 0 on the topic "a/b"."""
    with FaultServer(faults.subscribed_then(wire.publish("a/b", payload))) as server:
        return assert_ok(mqsub("-L", server.url, "-t", "#", "-C", 1, *args, **how)).out


def test_escapes_of_the_man_page():
    assert shown(b"x", "-F", "\\\\\\0\\a\\e\\n\\r\\t\\v") == b"\\\0\a\x1b\n\r\t\v\n"


def test_a_format_overrides_v_and_goes_with_n_and_0():
    assert shown(b"x", "-v", "-F", "%p") == b"x\n"
    assert shown(b"x", "-N", "-F", "%p") == b"x"
    assert shown(b"x", "-0", "-F", "%p") == b"x\0"


def test_local_time_follows_the_zone():
    zone = dict(os.environ, TZ="UTC-3")
    assert re.fullmatch(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0300\n", shown(b"x", "-F", "%I", env=zone))


def test_trap_19_bytes_pass_through_a_format():
    payload = bytes(range(256))
    assert shown(payload, "-N", "-F", "%p") == payload
    assert json.loads(shown(payload, "-F", "%j"))["payload"] == {"base64": base64.b64encode(payload).decode()}
    assert json.loads(shown(b"no json", "-F", "%J"))["payload"] == "no json"


def test_long_names_and_filters():
    assert shown(b"it's \n", "-F", "%{topic:-5}|%{payload:sh}|%{payload:json}|%{payload:hex}|%{user.x:json}|%{qos}") == \
        b"a/b  |'it'\\''s \n'|\"it's \\n\"|69742773200a|null|0\n"


def test_a_shell_word_is_one_word():
    word = shown(b"a 'b' $(id) `id` \\ \"c\"\n*", "-N", "-F", "printf %%s %{payload:sh}")
    with Proc(["sh", "-c", word]) as shell:
        assert shell.wait().out == b"a 'b' $(id) `id` \\ \"c\"\n*"


@pytest.mark.parametrize("option", (("-F", "%J"), ("--json=parse",)), ids=" ".join)
def test_pretty_json_is_the_same_json(option):
    payload = b'{"a":[1.10,{"b":"x, {y}"}],"c":{}}'
    plain, pretty = shown(payload, *option), shown(payload, *option, "--pretty")
    assert json.loads(pretty)["payload"] == json.loads(plain)["payload"] and pretty.count(b"\n") > 5
    assert b'\n  "topic": "a/b",\n' in pretty and b"1.10" in pretty and pretty.endswith(b"}\n"), pretty


AWKWARD = [b"plain", b"", b'a,"b"\r\nc', b"\xff\0", "ü;\t".encode(), b"=1+1"]


def test_csv_is_read_back_whole():
    messages = b"".join(wire.publish("a,b", payload) for payload in AWKWARD)
    with FaultServer(faults.subscribed_then(messages)) as server:
        out = assert_ok(mqsub("-L", server.url, "-t", "#", "-C", len(AWKWARD), "--csv")).out
    rows = list(csv.DictReader(io.StringIO(out.decode(), newline="")))
    forms = {"none": lambda text: b"", "utf8": str.encode, "base64": base64.b64decode}
    assert [forms[row["encoding"]](row["payload"]) for row in rows] == AWKWARD
    assert all((row["topic"], row["qos"], row["retain"]) == ("a,b", "0", "0") for row in rows)
    assert [int(row["len"]) for row in rows] == [len(payload) for payload in AWKWARD]


def test_csv_has_headings_even_without_messages(broker):
    out = assert_ok(mqsub(*broker.args(), "-t", unique(), "--csv", "-W", "1s")).out
    assert out == b"time,topic,qos,retain,len,encoding,payload\n"


def test_line_buffered_writes_message_by_message():
    """A socket of packets keeps the writes apart: ten messages that come at once are ten."""
    messages = b"".join(wire.publish("t", b"%d" % n) for n in range(10))
    reader, writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with FaultServer(faults.subscribed_then(messages)) as server:
        with start("mqsub", "-L", server.url, "-t", "#", "-C", 10, "--line-buffered", stdout=writer) as sub:
            writer.close()
            assert_ok(sub.wait())
    with reader:
        assert [reader.recv(100) for _ in range(10)] == [b"%d\n" % n for n in range(10)]


WRONG = [(("-F", "%"), "%%"), (("-F", "%k"), "%k"), (("-F", "@Q"), "@Q"), (("-F", "\\q"), "\\q"), (("-F", "%{x}"), "%{x}"),
         (("-F", "%{topic:up}"), "up"), (("-F", "%p", "--json"), "--json"), (("--csv", "--json"), "--csv"),
         (("--csv", "-0"), "-0"), (("-N", "-0"), "-0"), (("--json=xml",), "xml")]


@pytest.mark.parametrize("args, word", WRONG, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_wrong_use_is_2_and_one_line(broker, args, word):
    assert_fails(mqsub("-h", HOST, "-p", broker["tcp"].port, "-t", "t", *args, seconds=5), 2, word)
