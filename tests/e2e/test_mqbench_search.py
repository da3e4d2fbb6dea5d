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
MANY = ("--publishers", 100, "--subscribers", 1)
SHORT = ("--warmup", 0, "--duration", "400ms", "--drain", "300ms", "--repeats", 2)


@pytest.fixture(scope="module")
def mqbroker(certs):
    with MqBroker(certs, ("tcp",)) as broker:
        yield broker


@pytest.fixture(scope="module")
def schema():
    schema = json.loads((TOOLS / "mqbench" / "mqbench-search.schema.json").read_text(encoding="utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


class Capacity:
    """What becomes of the messages at a relay that takes `rate` of them a second: the rest of each tenth of a second is
    dropped. By when a message was due: no busy machine can move that."""

    def __init__(self, rate):
        self._most, self._lock, self._counts = rate // 10 + 1, threading.Lock(), collections.Counter()

    def takes(self, payload):
        tenth = int.from_bytes(payload[16:22], "big") // 100_000_000
        with self._lock:
            self._counts[tenth] += 1
            return self._counts[tenth] <= self._most

    def __call__(self, n, payload):
        return [payload] if self.takes(payload) else []


def searched(url, *args, code=0):
    """A hundred publishers: each has so much time for a message that a busy machine does not make the tool the limit."""
    result = mqbench("search", "pairs", "-L", url, *MANY, *args, "--json", "-", "--quiet", seconds=120)
    assert result.code == code, result
    return json.loads(result.out)


def test_the_capacity_of_a_broker_is_found(schema):
    with Relay(Capacity(300)) as relay:
        result = searched(relay.url, *SHORT, "--first", "100/s", "--precision", "10%")
    schema.validate(result)
    assert result["end"] == "precise" and 260 <= result["best"] <= 310 < result["bad"] * 1.1, result["conclusion"]
    assert result["bad"] <= result["best"] * 1.1
    loads = [step["load"] for step in result["steps"]]
    assert loads[:3] == [100, 200, 400] and len({step["run"] for step in result["steps"]}) == len(loads)
    assert all((step["lost"] == 0) == (step["attempt"] == "good") for step in result["steps"] if step["verdict"] == "valid")
    assert re.fullmatch(r"[\d.]+/s is good; [\d.]+/s is not \(\d+ of \d+ deliveries lost\)", result["conclusion"])


def test_an_objective_of_latency_limits():
    """What is above its capacity the relay delivers with a second of delay."""
    capacity, late = Capacity(250), set()

    def deliver(n, payload):
        if not capacity.takes(payload):
            late.add(n)
        return [payload]
    with Relay(deliver, delay=lambda n: 1.0 if n in late else 0.0) as relay:
        result = searched(relay.url, *SHORT, "--drain", "3s", "--first", "100/s", "--precision", "20%", "--slo", "max<900ms",
                          "--slo", "lost==0")
    assert result["end"] == "precise" and 200 <= result["best"] <= 260 < result["bad"], result["conclusion"]
    assert "(max<900ms: 1" in result["conclusion"]
    assert result["objectives"] == ["max<900ms", "lost==0"]


def test_a_slowed_tool_ends_the_search_with_that_word(mqbroker):
    """It is stopped for most of its time."""
    with start("mqbench", "search", "pairs", *mqbroker["tcp"].mq_args(), "--publishers", 2, "--subscribers", 2, "--first",
               "500/s", *SHORT, "--json", "-") as bench:
        bench.wait_err(b"trying")
        over = threading.Event()

        def throttle():
            while not over.wait(0.01) and bench.running:
                bench.kill(signal.SIGSTOP)
                time.sleep(0.06)
                bench.kill(signal.SIGCONT)
        thread = threading.Thread(target=throttle)
        thread.start()
        result = bench.wait(60)
        over.set()
        thread.join()
    outcome = json.loads(result.out)
    assert (result.code, outcome["end"]) == (13, "tool-bound"), result
    assert outcome["conclusion"].startswith("unknown; the tool was the limit at 500/s (tool-bound: ")


def test_clients_are_searched_too():
    """A hundred publishers make 100 messages a second, and it takes 330."""
    with Relay(Capacity(330)) as relay:
        result = searched(relay.url, *SHORT, "--clients", "--rate", "100/s", "--precision", "20%")
    assert (result["quantity"], result["end"]) == ("clients", "precise"), result["conclusion"]
    # A busy machine has a step repeated before it is believed.
    assert list(dict.fromkeys(step["load"] for step in result["steps"]))[:3] == [100, 200, 400]
    assert 270 <= result["best"] <= 340 < result["bad"] and result["best"] % 1 == 0
    assert re.match(r"\d+ publishers is good; \d+ publishers is not \(", result["conclusion"])


def test_nothing_good_is_13_and_the_highest_is_told(mqbroker):
    with Relay(lambda n, payload: []) as relay:
        result = searched(relay.url, *SHORT, "--first", "100/s", "--lowest", "50/s", code=13)
    assert result["end"] == "lowest" and "best" not in result and result["conclusion"].startswith("below 50/s")
    result = searched(mqbroker["tcp"].url, *SHORT, "--first", "100/s", "--highest", "200/s")
    assert (result["end"], result["best"], result["conclusion"]) == ("highest", 200, "at least 200/s, the highest load to try")


def test_the_curve_is_printed_as_it_goes_and_the_file_has_all(scratch, schema):
    path = scratch / "search.json"
    with Relay(Capacity(150)) as relay:
        result = mqbench("search", "pairs", "-L", relay.url, *MANY, *SHORT, "--first", "100/s",
                         "--precision", "50%", "--slo", "p99<1s", "--json", path, seconds=60)
    assert result.code == 0, result
    text = result.out.decode()
    assert text.startswith("search: pairs, the highest rate with p99<1s and no loss\n")
    assert len(re.findall(r"(?m)^ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+  (good|bad: .*|tool-bound: .*)$", text)) >= 3, text
    assert re.search(r"(?m)^limit: [\d.]+/s is good; ", text), text
    schema.validate(json.loads(path.read_text()))


def test_ctrl_c_prints_what_is_known():
    with Relay() as relay:
        with start("mqbench", "search", "pairs", "-L", relay.url, *MANY, "--warmup", 0, "--duration",
                   "1s", "--first", "50/s", "--repeats", 5) as bench:
            bench.wait_err(b"trying 100/s")
            bench.kill(signal.SIGINT)
            result = bench.wait(30)
    assert result.code == 128 + signal.SIGINT, result
    assert b"\nlimit: interrupted: 50/s is good; nothing was bad\n" in result.out


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
