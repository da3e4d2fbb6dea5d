"""mqpub's streams: how inputs are cut into messages, where they come from, and how they are paced."""

import json
import os
import struct
import threading
import time

import pytest

from support.fault_server import FaultServer
from support import fault_server as faults
from support.brokers import Mosquitto
from support.mqbroker import MqBroker
from support.tools import assert_fails, assert_ok, json_lines, mqpub, payload_of, start, unique

BINARY = [b"", b"one", b"\xff\xfe", b"tail \r", "h\u00e9".encode(), b" blanks "]


@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


class Listener:
    """A running mqsub --json on a topic of its own and all below."""

    def __init__(self, broker, count, *args):
        self.topic = unique("p")
        self.count = count
        self.proc = start("mqsub", *broker.args(), "-t", f"{self.topic}/#", "-q", 2, "--json", "-C", count, *args)
        broker.wait_subscribed(f"{self.topic}/#")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.stop()

    def lines(self):
        return assert_ok(self.proc.wait()).out

    def messages(self):
        return json_lines(self.lines())

    def payloads(self):
        return [payload_of(message) for message in self.messages()]


def length_prefixed(records):
    return b"".join(struct.pack(">I", len(r)) + r for r in records)


FRAMINGS = {"-0": (["-0"], lambda records: b"".join(r + b"\0" for r in records)),
            "--delimiter": (["--delimiter", r"\r\n--\x01"], lambda records: b"".join(r + b"\r\n--\x01" for r in records)),
            "--length-prefix": (["--length-prefix"], length_prefixed),
            "-l": (["-l"], lambda records: b"".join(r + b"\n" for r in records))}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("source", ("stdin", "file", "fifo", "dir"))
def test_each_framing_from_each_source(broker, framing, source, scratch):
    options, encode = FRAMINGS[framing]
    stdin, writer = b"", None
    with Listener(broker, 2 * len(BINARY)) as listener:
        if source == "stdin":
            stdin = encode(BINARY * 2)
        elif source == "file":
            (scratch / "one").write_bytes(encode(BINARY))
            options = [*options, "-f", scratch / "one", "-f", scratch / "one"]
        elif source == "fifo":
            os.mkfifo(scratch / "fifo")
            writer = threading.Thread(target=lambda: (scratch / "fifo").write_bytes(encode(BINARY * 2)))
            writer.start()
            options = [*options, "-f", scratch / "fifo"]
        else:
            for name in ("b", "a"):
                (scratch / name).write_bytes(encode([name.encode()] + BINARY[1:]))
            (scratch / "sub").mkdir()
            options = [*options, "--dir", scratch]
        assert_ok(mqpub(*broker.args(), "-t", listener.topic, "-q", 1, *options, stdin=stdin))
        expected = BINARY * 2 if source != "dir" else [b"a", *BINARY[1:], b"b", *BINARY[1:]]
        assert listener.payloads() == expected
    if writer:
        writer.join()


def test_trap_19_trap_20_nothing_is_trimmed_and_nul_is_a_byte_like_others(broker):
    records = [b"a\0b", b"\0", b" x\t\r", b"\xff\0\xff", b""]
    with Listener(broker, len(records)) as listener:
        assert_ok(mqpub(*broker.args(), "-t", listener.topic, "-l", stdin=b"\n".join(records) + b"\n"))
        assert listener.payloads() == records


@pytest.mark.parametrize("args, word", [
    (("--delimiter", ""), "--delimiter"), (("--delimiter", r"\q"), "--delimiter"), (("-l", "-0"), "only one of"),
    (("--json", "--length-prefix"), "only one of"), (("-l", "-m", "x"), "only one of"), (("-0", "-s"), "only one of"),
    (("-l", "--repeat", "2"), "--repeat"), (("-l", "--rate", "0"), "rate"), (("-l", "--rate", "10/d"), "rate"),
    (("-l", "--rate", "x"), "rate"), (("-l", "--summary", "xml"), "xml"), (("--dir", "a", "-f", "b"), "--dir")],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value)
def test_wrong_values_are_2_and_one_line(args, word):
    assert_fails(mqpub("-p", 1, "-t", "t", *args), 2, word)


def test_a_missing_file_or_directory_is_known_before_anything_is_sent(scratch):
    with FaultServer(faults.silent) as server:
        for args in (("-l", "-f", scratch / "no"), ("--dir", scratch / "no"), ("--json", "-f", scratch / "no")):
            assert_fails(mqpub("-L", server.url, "-t", "t", *args), 14, str(scratch / "no"), "no such file")
        assert not server.connections


def test_a_cut_off_length_prefix_is_an_error_that_says_so(broker):
    stream = length_prefixed([b"one"]) + b"\0\0\0\5tw"
    with Listener(broker, 1) as listener:
        result = mqpub(*broker.args(), "-t", listener.topic, "-q", 1, "--length-prefix", stdin=stream)
        assert result.code == 14 and "2 of the 5 bytes" in result.err_text, result
        assert listener.payloads() == [b"one"], "what was whole has been published"


# --- reading waits in the loop --------------------------------------------------------------------

@pytest.mark.parametrize("options", (("-s",), ("-f", "FIFO")), ids=("-s", "fifo"))
def test_a_deadline_interrupts_reading(broker, scratch, options):
    os.mkfifo(scratch / "fifo")
    options = [scratch / "fifo" if word == "FIFO" else word for word in options]
    with start("mqpub", *broker.args(), "-t", "t", *options, "-W", "1s", stdin=None) as proc:
        assert_fails(proc.wait(10), 9, "deadline")


def test_trap_3_lines_that_come_before_and_after_connack_are_all_published(broker):
    with Listener(broker, 20) as listener:
        with start("mqpub", *broker.args(), "-t", listener.topic, "-l", stdin=None) as proc:
            for n in range(20):
                proc.write(b"%d\n" % n)
                time.sleep(0.01)
            proc.close_stdin()
            assert_ok(proc.wait())
        assert listener.payloads() == [b"%d" % n for n in range(20)]


def test_a_fifo_may_get_its_writer_later(broker, scratch):
    os.mkfifo(scratch / "fifo")
    with Listener(broker, 1) as listener, start(
            "mqpub", *broker.args(), "-t", listener.topic, "-f", scratch / "fifo") as proc:
        broker.wait_log("connected", broker.log_count("connected") or 1)
        (scratch / "fifo").write_bytes(b"late")
        assert_ok(proc.wait())
        assert listener.payloads() == [b"late"]


# --- JSON lines -----------------------------------------------------------------------------------

def test_json_lines_are_a_bridge(broker):
    """What mqsub --json has written comes out of mqpub --json as the same messages, in the same order."""
    properties = ["content-type a/b", "response-topic re/ply", "correlation-data base64:AP8=",
                  "message-expiry-interval 4000000000", "payload-format-indicator 0", "user-property k v1",
                  "user-property k v2"]
    options = [word for line in properties for word in ("-D", "publish", *line.split())]
    messages = [("text", ("-m", "h\u00e9 \"x\"\n")), ("empty", ("-n",)), ("binary", ("-s",)),
                ("json", ("-m", '{"a": 1.10, "b": 1e400}'))]
    with Listener(broker, 3 * len(messages)) as first:
        for name, payload in messages:
            for qos in (0, 1, 2):
                assert_ok(mqpub(*broker.args(), "-t", f"{first.topic}/{name} {qos}/", "-q", qos, *payload,
                                *(options if qos else ()), stdin=b"\0\xff\n"))
        recorded = first.lines()
    with Listener(broker, 3 * len(messages)) as second:
        copy = recorded.replace(first.topic.encode(), second.topic.encode())
        assert_ok(mqpub(*broker.args(), "--json", stdin=copy))
        comparable = lambda lines: [  # noqa: E731
            {k: v for k, v in m.items() if k not in ("time", "ts", "id")} for m in json_lines(lines)]
        again = comparable(second.lines())
    for was, now in zip(comparable(copy), again, strict=True):
        expiry = [m.get("properties", {}).pop("message_expiry_interval", 4_000_000_000) for m in (was, now)]
        assert min(expiry) > 3_999_999_000, "a broker counts down what it holds"
        assert was == now


def test_embedded_json_survives_as_its_own_bytes(broker):
    payloads = [b'{"a": 1.10,"b":[1e400, -0]}', b" 1.10", b'"\\u00e9"', b"12345678901234567890123", b"null"]
    with Listener(broker, len(payloads), "--json=parse") as first:
        for payload in payloads:
            assert_ok(mqpub(*broker.args(), "-t", first.topic, "-s", stdin=payload))
        recorded = first.lines()
        assert recorded.count(b'"encoding":"json"') == len(payloads)
    with Listener(broker, len(payloads)) as second:
        assert_ok(mqpub(*broker.args(), "--json", stdin=recorded.replace(first.topic.encode(), second.topic.encode())))
        assert second.payloads() == payloads


def test_retained_messages_are_restored_from_a_file_of_them(broker, scratch):
    topic = unique("r")
    (scratch / "backup").write_text("".join(
        json.dumps({"topic": f"{topic}/{n}", "payload": f"{n}", "retain": True, "qos": 1}) + "\n" for n in range(5)))
    assert_ok(mqpub(*broker.args(), "--json", "-f", scratch / "backup"))
    with Listener(broker, 5) as _, start("mqsub", *broker.args(), "-t", f"{topic}/#", "--json", "-C", 5) as sub:
        kept = json_lines(assert_ok(sub.wait()).out)
    assert sorted((m["topic"], m["payload"], m["retain"]) for m in kept) == [
        (f"{topic}/{n}", f"{n}", True) for n in range(5)]


def test_options_are_the_defaults_of_json_lines(broker):
    lines = [b'{"payload":"a"}', b'{"topic":"T/own","qos":0,"payload":[1, 2],"properties":{"content_type":"x"}}']
    with Listener(broker, 2) as listener:
        stdin = b"\n".join(lines).replace(b"T/", listener.topic.encode() + b"/")
        assert_ok(mqpub(*broker.args(), "--json", "-t", listener.topic, "-q", 1,
                        "-D", "publish", "content-type", "text", stdin=stdin))
        one, two = listener.messages()
    assert (one["topic"], one["qos"], one["payload"], one["properties"]["content_type"]) == (
        listener.topic, 1, "a", "text")
    assert (two["topic"], two["qos"], two["payload"], two["properties"]["content_type"]) == (
        f"{listener.topic}/own", 0, "[1, 2]", "x")


def test_a_line_that_is_no_message_is_reported_counted_and_left_out(broker):
    with Listener(broker, 2) as listener:
        topic = listener.topic.encode()
        stdin = (b'{"topic":"%s","payload":"1"}\n{"topic":"%s","payload":}\n\n{"event":"connected"}\n'
                 b'{"topic":"a/#","payload":"x"}\n{"topic":"%s","payload":"2"}\n' % (topic, topic, topic))
        result = mqpub(*broker.args(), "--json", "-q", 1, stdin=stdin)
        assert result.code == 10 and result.out == b"", result
        assert [line.split(": ")[1] for line in result.err_lines] == [
            "line 2 of standard input", "line 5 of standard input", "sent 2, acked 2, rejected 2, unacked 0"], result
        assert "at byte " in result.err_lines[0]
        assert listener.payloads() == [b"1", b"2"]


def test_without_a_topic_anywhere_a_json_line_is_rejected(broker):
    result = mqpub(*broker.args(), "--json", stdin=b'{"payload":"x"}\n')
    assert result.code == 10 and "line 1 of standard input: there is no topic" in result.err_text, result


# --- account and pace -----------------------------------------------------------------------------

def test_summary_in_both_forms(broker):
    for form, check in (("text", lambda err: err == b"mqpub: sent 3, acked 3, rejected 0, unacked 0\n"),
                        ("json", lambda err: json.loads(err)["acked"] == 3 and json.loads(err)["event"] == "summary")):
        result = mqpub(*broker.args(), "-t", unique(), "-q", 1, "-l", "--summary", form, stdin=b"a\nb\nc\n")
        assert result.code == 0 and result.out == b"" and check(result.err), result


def test_trap_1_a_rejected_stream_ends_with_10_and_the_account():
    with Mosquitto(acl="topic write allowed\n") as locked:
        result = mqpub(*locked.args(), "--json", "-q", 1, "--summary", "text",
                       stdin=b'{"topic":"allowed","payload":"x"}\n{"topic":"no/way","payload":"x"}\n')
        assert result.code == 10, result
        assert "'no/way' rejected: Not authorized (0x87)" in result.err_lines[0], result
        assert result.err_lines[-1] == "mqpub: sent 2, acked 1, rejected 1, unacked 0", result


def test_rate_spaces_messages_evenly(broker):
    count, per_second = 40, 100
    with Listener(broker, count) as listener:
        lines = b"".join(b"%d\n" % n for n in range(count))
        started = time.time()
        result = assert_ok(mqpub(*broker.args(), "-t", listener.topic, "-l", "--rate", f"{per_second}/s", stdin=lines))
        messages = listener.messages()
    assert [payload_of(m) for m in messages] == lines.split()
    assert (count - 1) / per_second <= result.seconds < 5
    # The schedule is absolute: the n-th is never early, however late some were.
    assert all(m["ts"] - started >= n / per_second for n, m in enumerate(messages))


def test_rate_does_not_hold_up_the_end(broker):
    assert assert_ok(mqpub(*broker.args(), "-t", unique(), "-l", "--rate", "1/h", stdin=b"x\n")).seconds < 5
