"""mqbench search: finds the load that a broker of known capacity can take, and says what limits."""

import collections
import json
import pathlib
import re
import signal
import threading
import time

import jsonschema
import pytest

from support.mqbroker import MqBroker
from support.ports import HOST, free_port
from support.relay import Relay
from support.tools import assert_fails, mqbench, start

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
QUOTA_EXCEEDED = 0x97
MANY = ("--publishers", 100, "--subscribers", 1)
# Nothing is waited for but what comes: where every message that is not taken is refused, the drain is short.
SHORT = ("--warmup", 0, "--duration", "400ms", "--drain", "20s", "--repeats", 2)
TRIES = 3
SECONDS = 300


@pytest.fixture(scope="module")
def mqbroker(certs):
    with MqBroker(certs, ("tcp",)) as broker:
        yield broker


@pytest.fixture(scope="module")
def schema():
    schema = json.loads((TOOLS / "mqbench" / "mqbench-search.schema.json").read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


class Capacity:
    """Which messages a relay takes that has time for `rate` of them a second: the rest of each tenth of a second are too
    many. By when a message was due: no busy machine can move that."""

    def __init__(self, rate):
        self._most, self._lock, self._counts = rate // 10 + 1, threading.Lock(), collections.Counter()

    def takes(self, payload):
        tenth = int.from_bytes(payload[16:22], "big") // 100_000_000
        with self._lock:
            self._counts[tenth] += 1
            return self._counts[tenth] <= self._most


class Refusing(Relay):
    """Refuses what is beyond its capacity."""

    def __init__(self, rate):
        self._capacity, self._refused = Capacity(rate), set()
        super().__init__(self._deliver_or_not, puback=lambda n: QUOTA_EXCEEDED if n in self._refused else 0)

    def _deliver_or_not(self, n, payload):
        if self._capacity.takes(payload):
            return [payload]
        self._refused.add(n)
        return []


def searched_once(url, *args, code):
    result = mqbench("search", "pairs", "-L", url, *MANY, *args, "--json", "-", "--quiet", seconds=SECONDS)
    found = json.loads(result.out)
    assert result.code == (13 if "best" not in found else 0), result
    assert code is None or found["end"] == "tool-bound" or result.code == code, result
    return found


def searched(url, *args, good_to, bad_from, code=None):
    """What is found, and whether it was the broker that decided it: on a busy machine the tool, or what others resend on its
    network, may be the limit again and again, which the search must say. What valid steps say of the broker is true in any
    case. A hundred publishers: each has so much time for a message that little of that happens."""
    for _ in range(TRIES):
        found = searched_once(url, *args, code=code)
        for step in found["steps"]:
            assert step["verdict"] == "tool-bound" if step["attempt"] == "tool-bound" else step["verdict"] != "tool-bound", step
            assert step["verdict"] != "valid" or step["load"] > good_to or step["attempt"] == "good", step
            assert step["verdict"] != "valid" or step["load"] < bad_from or step["attempt"] == "bad", step
        assert found["end"] != "tool-bound" or "the tool was the limit at" in found["conclusion"], found["conclusion"]
        last = {step["load"]: step["verdict"] for step in found["steps"]}  # which decides
        if set(last.values()) == {"valid"}:
            return found, True
    return found, False


def loads_of(found):
    """A busy machine has a step repeated before it is believed."""
    return list(dict.fromkeys(step["load"] for step in found["steps"]))


def test_the_capacity_of_a_broker_is_found(schema):
    with Refusing(300) as relay:
        found, in_time = searched(relay.url, *SHORT, "-q", "1:0", "--first", "100/s", "--precision", "10%", good_to=300, bad_from=330)
    schema.validate(found)
    assert len({step["run"] for step in found["steps"]}) == len(found["steps"])
    if in_time:
        assert found["end"] == "precise" and 260 <= found["best"] <= 330 and found["best"] < found["bad"] <= found["best"] * 1.1
        assert loads_of(found)[:3] == [100, 200, 400]
        assert re.fullmatch(r"[\d.]+/s is good; [\d.]+/s is not \(\d+ rejected, 0 unacknowledged\)", found["conclusion"])


def test_an_objective_of_latency_limits():
    """What is above its capacity the relay delivers with a second of delay. A machine that stalls may do as much to a
    smaller load."""
    capacity, late = Capacity(250), set()

    def deliver(n, payload):
        if not capacity.takes(payload):
            late.add(n)
        return [payload]
    with Relay(deliver, delay=lambda n: 1.0 if n in late else 0.0) as relay:
        found, in_time = searched(relay.url, *SHORT, "--repeats", 1, "--first", "150/s", "--precision", "20%", "--slo", "max<900ms",
                                  "--slo", "lost==0", good_to=0, bad_from=280)
    assert found["objectives"] == ["max<900ms", "lost==0"]
    if in_time:
        assert found["end"] in ("precise", "lowest") and found.get("best", 0) <= 280
        assert re.search(r"\(max<900ms: [\d.]+ s\)", found["conclusion"]), found["conclusion"]


def test_a_slowed_tool_ends_the_search_with_that_word(mqbroker):
    """It is stopped for most of its time."""
    over = threading.Event()
    with start("mqbench", "search", "pairs", *mqbroker["tcp"].mq_args(), "--publishers", 2, "--subscribers", 2, "--first",
               "500/s", *SHORT, "--json", "-") as bench:
        bench.wait_err(b"trying")

        def throttle():
            while not over.wait(0.01) and bench.running:
                bench.kill(signal.SIGSTOP)
                time.sleep(0.06)
                bench.kill(signal.SIGCONT)
        thread = threading.Thread(target=throttle)
        thread.start()
        try:
            result = bench.wait(SECONDS)
        finally:
            over.set()
            thread.join()
    outcome = json.loads(result.out)
    assert (result.code, outcome["end"]) == (13, "tool-bound"), result
    assert outcome["conclusion"].startswith("unknown; the tool was the limit at 500/s (tool-bound: ")


def test_clients_are_searched_too():
    """Each makes a message a second, and it takes 9 in a tenth of a second."""
    with Refusing(80) as relay:
        found, in_time = searched(relay.url, *SHORT, "-q", "1:0", "--clients", "--publishers", 25, "--rate", "25/s", "--precision",
                                  "20%", good_to=80, bad_from=100)
    assert found["quantity"] == "clients"
    if in_time:
        assert found["end"] == "precise" and 70 <= found["best"] < found["bad"] <= 100 and found["best"] % 1 == 0
        assert loads_of(found)[:3] == [25, 50, 100]
        assert re.match(r"\d+ publishers is good; \d+ publishers is not \(", found["conclusion"])


def test_nothing_good_is_13_and_the_highest_is_told(mqbroker):
    with Relay(lambda n, payload: []) as relay:
        found, in_time = searched(relay.url, *SHORT, "--repeats", 1, "--drain", "300ms", "--first", "20/s", "--lowest", "10/s", good_to=0, bad_from=0,
                                  code=13)
    assert "best" not in found
    assert not in_time or found["conclusion"] == "below 10/s, the lowest load to try (4 of 4 deliveries lost)"
    found, in_time = searched(mqbroker["tcp"].url, *SHORT, "--first", "20/s", "--highest", "40/s", good_to=40, bad_from=41)
    assert not in_time or found["conclusion"] == "at least 40/s, the highest load to try"


def test_the_curve_is_printed_as_it_goes_and_the_file_has_all(scratch, schema):
    path = scratch / "search.json"
    with Refusing(150) as relay:
        result = mqbench("search", "pairs", "-L", relay.url, "-q", "1:0", *MANY, *SHORT, "--first", "100/s",
                         "--precision", "50%", "--slo", "p99<1h", "--json", path, seconds=SECONDS)
    assert result.code in (0, 13), result
    text, written = result.out.decode(), json.loads(path.read_text())
    assert text.startswith("search: pairs, the highest rate with p99<1h and no loss\n")
    lines = re.findall(r"(?m)^ +([\d.]+) +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+  (?:good|bad: .*|tool-bound: .*)$", text)
    assert [float(load) for load in lines] == [pytest.approx(step["load"], rel=1e-5) for step in written["steps"]] and len(lines) >= 3, text
    assert f"\nlimit: {written['conclusion']}\n" in text
    schema.validate(written)


def test_ctrl_c_prints_what_is_known():
    with Relay() as relay:
        with start("mqbench", "search", "pairs", "-L", relay.url, *MANY, "--warmup", 0, "--drain", "20s", "--duration", "1s",
                   "--first", "10/s", "--repeats", 9) as bench:
            bench.wait_err(b"trying 20/s", SECONDS)
            bench.kill(signal.SIGINT)
            result = bench.wait(SECONDS)
    assert result.code == 128 + signal.SIGINT, result
    assert re.search(rb"\nlimit: interrupted: \d+/s is good; nothing was bad\n", result.out), result


def test_no_broker_is_one_line_and_4():
    result = mqbench("search", "-h", HOST, "-p", free_port(), "--json", "-", "--quiet")
    assert_fails(result, 4, "refused")


@pytest.mark.parametrize("args, words", (
    (("--slo", "p99"), "--slo"), (("--slo", "ack.p99<1ms"), "--slo"), (("sink",), "rate"), (("--first", "x"), "--first"),
    (("--lowest", "0"), "--lowest"), (("--highest", "-1"), "--highest"), (("--lowest", "9/s", "--highest", "8/s"), "order"),
    (("--precision", "0"), "--precision"), (("--steps", "0"), "--steps"), (("--repeats", "x"), "--repeats"), (("--hdr", "x"), "--hdr"),
    (("--threshold", "p99<1ms"), "--threshold"), (("--faults", "cut"), "--faults"), (("--clients", "--lowest", "0.5"), "--lowest"),
), ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_usage_errors_are_2_and_one_line(args, words):
    assert_fails(mqbench("search", *args), 2, words)


@pytest.mark.parametrize("option", (("--slo", "p99<1ms"), ("--first", "5"), ("--clients",), ("--steps", "3")), ids=" ".join)
@pytest.mark.parametrize("command", ("run", "verify"))
def test_its_options_are_not_those_of_other_commands(command, option):
    assert_fails(mqbench(command, *option), 2, option[0])
