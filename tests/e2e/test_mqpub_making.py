"""mqpub's templates and replays: messages that are made, and recordings in their own time."""

import json
import re
import time

import pytest

from support.mqbroker import MqBroker
from support.tools import assert_fails, assert_ok, json_lines, mqpub, start, unique


@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


class Listener:
    """A running mqsub --json on a topic of its own and all below."""

    def __init__(self, broker, count):
        self.topic = unique("m")
        self.proc = start("mqsub", *broker.args(), "-t", f"{self.topic}/#", "--json", "-C", count)
        broker.wait_subscribed(f"{self.topic}/#")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.stop()

    def messages(self):
        return json_lines(assert_ok(self.proc.wait()).out)

    def seen(self):
        return [(m["topic"].removeprefix(self.topic), m["payload"]) for m in self.messages()]


# --- templates ------------------------------------------------------------------------------------

def test_templates_make_topics_and_payloads_of_lines(broker):
    with Listener(broker, 3) as listener:
        assert_ok(mqpub(*broker.args(), "--topic-template", listener.topic + "/{line}/{seq:10}", "-l",
                        "--payload-template", '{"n":{seq},"{{line":"{line}"}', stdin=b"a\nb\nc\n"))
        assert listener.seen() == [(f"/{letter}/{10 + n}", '{"n":%d,"{line":"%s"}' % (n + 1, letter))
                                   for n, letter in enumerate("abc")]


def test_a_payload_template_alone_is_a_payload_that_repeats(broker):
    before = time.time()
    with Listener(broker, 50) as listener:
        assert_ok(mqpub(*broker.args(), "-t", listener.topic, "--repeat", 50,
                        "--payload-template", "{seq} {time:ms} {uuid} {random:1..6} {random:0.5..1.50} {time}"))
        lines = [payload for _, payload in listener.seen()]
    fields = [line.split() for line in lines]
    assert [int(f[0]) for f in fields] == list(range(1, 51))
    assert all(before * 1000 - 1 <= int(f[1]) <= time.time() * 1000 + 1 for f in fields)
    assert len({f[2] for f in fields}) == 50
    assert {f[3] for f in fields} <= set("123456") and len({f[3] for f in fields}) > 1
    assert all(0.5 <= float(f[4]) <= 1.5 and re.fullmatch(r"\d\.\d\d", f[4]) for f in fields)


def test_a_topic_that_a_template_spoils_is_rejected_and_named(broker):
    result = mqpub(*broker.args(), "--topic-template", "a/{line}", "-l", stdin=b"x\n#\n")
    assert result.code == 10 and "line 2 of standard input" in result.err_text and "a/#" in result.err_text, result


@pytest.mark.parametrize("args, word", [
    (("--topic-template", "{nosuch}", "-m", "x"), "{nosuch}"), (("-t", "t", "--payload-template", "{random:1}"), "needs its ends"),
    (("-t", "t", "--topic-template", "x", "-m", "x"), "--topic-template"),
    (("--json", "--payload-template", "x"), "--payload-template"),
    (("--replay", "f", "--speed", "0"), "speed"), (("--replay", "f", "--speed", "fast"), "speed"),
    (("--replay", "f", "--loop=x"), "--loop"), (("--replay", "-", "--loop"), "--loop"), (("-m", "x", "-t", "t", "--loop"), "--replay"),
    (("-t", "t", "-l", "--speed", "2"), "--replay"), (("-t", "t", "-l", "--rewrite", "a", "b"), "--rewrite"),
    (("--replay", "f", "-l"), "only one of"), (("--replay", "f", "-f", "g"), "-f")],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value)
def test_wrong_values_are_2_and_one_line(args, word):
    assert_fails(mqpub("-p", 1, *args), 2, word)


# --- replays --------------------------------------------------------------------------------------

def recording(topic, times):
    return "".join(json.dumps({"ts": 1795245607.0 + at, "topic": f"{topic}/{n}", "payload": f"{n}"}) + "\n"
                   for n, at in enumerate(times))


TIMES = [0, 0.2, 0.25, 0.6]


@pytest.mark.parametrize("speed, factor", ((None, 1), ("2", 0.5), ("max", 0)))
def test_a_replay_keeps_the_times_of_the_recording(broker, scratch, speed, factor):
    with Listener(broker, len(TIMES)) as listener:
        (scratch / "tape").write_text(recording(listener.topic, TIMES) + '{"event":"disconnected"}\n\n')
        started = time.time()
        result = assert_ok(mqpub(*broker.args(), "--replay", scratch / "tape", *(["--speed", speed] if speed else [])))
        messages = listener.messages()
    assert [m["payload"] for m in messages] == ["0", "1", "2", "3"]
    offsets = [m["ts"] - started for m in messages]
    assert all(offset >= at * factor for offset, at in zip(offsets, TIMES, strict=True)), offsets
    assert TIMES[-1] * factor - 0.05 <= result.seconds < TIMES[-1] * factor + 3, "no earlier, and without drift"


def test_a_loop_goes_on_where_the_recording_ended(broker, scratch):
    with Listener(broker, 6) as listener:
        (scratch / "tape").write_text(recording(listener.topic, [0, 0.1]))
        started = time.time()
        assert_ok(mqpub(*broker.args(), "--replay", scratch / "tape", "--loop=3"))
        messages = listener.messages()
    assert [m["payload"] for m in messages] == ["0", "1"] * 3
    assert messages[-1]["ts"] - started >= 0.3


def test_an_endless_loop_ends_with_its_deadline(broker, scratch):
    with Listener(broker, 20) as listener:
        (scratch / "tape").write_text(recording(listener.topic, [0, 0.01]))
        result = mqpub(*broker.args(), "--replay", scratch / "tape", "--loop", "-W", "2s")
        assert result.code == 9, result
        assert [m["payload"] for m in listener.messages()] == ["0", "1"] * 10


def test_an_empty_recording_is_no_endless_loop(broker, scratch):
    (scratch / "tape").write_text("")
    assert_ok(mqpub(*broker.args(), "--replay", scratch / "tape", "--loop"))


def test_rewrite_is_for_a_topic_and_all_below_it(broker):
    topics = ["site", "site/a", "sites/a", "other"]
    with Listener(broker, len(topics)) as listener:
        lines = "".join(json.dumps({"topic": t, "payload": t}) + "\n" for t in topics)
        assert_ok(mqpub(*broker.args(), "--json", "--rewrite", "site", f"{listener.topic}/copy",
                        "--rewrite", "", listener.topic, stdin=lines.encode()))
        assert listener.seen() == [("/copy", "site"), ("/copy/a", "site/a"), ("/sites/a", "sites/a"),
                                   ("/other", "other")]
