"""mqbench tells the truth: what a scripted broker does to messages is found in the right number, and what time does
to the tool (stalls, a slow machine, stepped clocks) shows where theory says."""

import contextlib
import json
import os
import pathlib
import random
import re
import signal
import threading
import time

import pytest

from support import fault_server as faults
from support import hdr
from support import mqtt_wire as wire
from support.mqbroker import MqBroker
from support.proc import run
from support.relay import Relay
from support.tools import mqbench, start, with_time

TESTS = pathlib.Path(__file__).resolve().parent.parent
COUNTS = ("lost", "duplicated", "reordered", "corrupted", "foreign", "retained", "connections_lost")


def pair_of(relay, *options, qos=0, rate="400/s", count=200, drain="3s", code=0, env=None, publishers=1, subscribers=1):
    """The result of one publisher and one subscriber."""
    result = mqbench("run", "pairs", "-L", relay.url, "--publishers", publishers, "--subscribers", subscribers, "-q",
                     f"{qos}:0", "--rate", rate, "--count", count, "--drain", drain, *options, "--json", "-", "--quiet", seconds=60,
                     env=env or {})
    assert result.code == code, result
    return json.loads(result.out)


def faults_of(result):
    return {name: result["counts"][name] for name in COUNTS if result["counts"][name] > 0}


# --- what becomes of messages ---------------------------------------------------------------------

def drop(random_, payload):
    return []


def duplicate(random_, payload):
    return [payload, payload]


def corrupt(random_, payload):
    at = random_.randrange(4, len(payload))  # the three bytes before it name the run: without them it is foreign
    return [payload[:at] + bytes([payload[at] ^ 1 << random_.randrange(8)]) + payload[at + 1:]]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("fault, counted", ((drop, "lost"), (duplicate, "duplicated"), (corrupt, "corrupted")))
@with_time
def test_faults_at_random_places_are_found_to_the_message(fault, counted, seed):
    random_ = random.Random(seed)
    planted = set(random_.sample(range(300), random_.randrange(1, 150)))
    with Relay(lambda n, payload: fault(random_, payload) if n in planted else [payload]) as relay:
        result = pair_of(relay, rate="1000/s", count=300, drain="500ms")
    assert faults_of(result) == {counted: len(planted)}


@with_time
def test_messages_that_come_late_are_counted_as_late_and_as_reordered():
    """Every 20th message comes a second late, after those behind it."""
    with Relay(delay=lambda n: 1.5 if n % 20 == 4 else 0.0) as relay:
        result = pair_of(relay)
    assert faults_of(result) == {"reordered": 10}
    for name in ("due_to_received", "sent_to_received"):
        assert hdr.count_above(result["latency_ns"][name]["hdr"], 1.4e9) == 10


@with_time
def test_acknowledgements_that_come_late_are_counted_as_late():
    """The messages themselves do not: acknowledgement and delivery are told apart. That of the last one of ten is
    late, and nothing is sent again meanwhile."""
    with Relay(ack_delay=lambda n: 1.5 if n >= 190 else 0.0) as relay:
        result = pair_of(relay, qos=1)
        packets = [packet for each in relay.connections for packet in each.received]
    latency = result["latency_ns"]
    assert (faults_of(result), result["counts"]["acked"]) == ({}, 200)
    assert hdr.count_above(latency["ack"]["hdr"], 1.4e9) == 10
    assert hdr.count_above(latency["sent_to_received"]["hdr"], 1.4e9) == 0
    published = [packet for packet in packets if packet.kind == wire.PUBLISH]
    assert len(published) == 200 and not any(packet.flags & 8 for packet in published)  # 8: DUP


@with_time
def test_a_rate_has_the_time_to_the_last_delivery_as_its_denominator():
    """200 messages in half a second, each delivered two seconds after: 80/s, and not 400/s."""
    with Relay(delay=2.0) as relay:
        rates = pair_of(relay)["rates"]
    assert rates["received_per_second"] == pytest.approx(200 / 2.5, rel=0.15)
    assert rates["sent_per_second"] == pytest.approx(400, rel=0.3)


# --- who is to blame for a wait -------------------------------------------------------------------

STALL, RATE, COUNT = 2.0, 100, 400


def stalled_latencies(service):
    """What coordinated-omission theory says of one stall in an open loop with one message in flight: a message that
    is due t after the stall began waits for the rest of it, and for those before it, which take `service` each."""
    behind = [max(service, STALL + i * service - i / RATE) for i in range(COUNT)]
    return sorted(behind[:COUNT - 50] + [service] * 50)  # 50 messages come before the stall


@with_time
def test_a_stall_of_two_seconds_shows_in_what_was_due_as_theory_says_and_once_in_what_was_sent():
    with Relay(before_ack=lambda n: time.sleep(STALL) if n == 50 else None) as relay:
        result = pair_of(relay, "--window", 1, qos=1, rate=f"{RATE}/s", count=COUNT)
    latency = result["latency_ns"]
    due, sent = latency["due_to_received"], latency["sent_to_received"]
    assert (result["counts"]["received"], faults_of(result)) == (COUNT, {})
    # An instant broker is the lower bound; the upper one takes up to 2 ms for a message, or as long as this one did.
    served = (latency["ack"]["mean"] * COUNT / 1e9 - STALL) / (COUNT - 1)
    for name, percent in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        at = int(percent * COUNT) - 1
        least, most = stalled_latencies(0)[at], stalled_latencies(max(2e-3, 2 * served))[at]
        assert least - 0.01 <= due[name] / 1e9 <= most + 0.3, (name, least, most, due)
    assert due["max"] >= STALL * 1e9
    assert hdr.count_above(sent["hdr"], STALL / 2 * 1e9) == 1 and sent["p99"] < 0.5e9, sent
    assert result["counts"]["held"] > 0 and result["verdict"] != "valid", result["reason"]


@contextlib.contextmanager
def slowed(pid):
    """Lets a process run for 10 ms of each 70: what a CPU quota does, without a cgroup."""
    over = threading.Event()

    def throttle():
        with contextlib.suppress(ProcessLookupError):  # it has ended
            while not over.wait(0.01):
                os.kill(pid, signal.SIGSTOP)
                time.sleep(0.06)
                os.kill(pid, signal.SIGCONT)
    thread = threading.Thread(target=throttle)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("options", (("-q", 0), ("-q", 1), ("-q", 1, "--window", 5)), ids=str)
def test_a_tool_that_is_slowed_down_is_tool_bound(certs, options):
    with MqBroker(certs, ("tcp",)) as broker:
        with start("mqbench", "run", "pairs", *broker["tcp"].mq_args(), "--publishers", 4, "--subscribers", 4, *options,
                   "--rate", "1000/s", "--warmup", 0, "--duration", "2s", "--json", "-") as bench:
            bench.wait_err(b"sent")
            with slowed(bench.pid):
                ended = bench.wait(60)
    result = json.loads(ended.out)
    assert (result["verdict"], faults_of(result)) == ("tool-bound", {}), result["reason"]
    assert result["counts"]["received"] + result["counts"]["unsent"] == 2000


@with_time
def test_bytes_that_are_left_unread_are_the_tools_fault():
    """A subscriber gets 64 MiB at once: a turn of the loop takes 2 MiB of a socket."""
    flood = [b"x" * (8 << 20)] * 8
    with Relay(deliver=lambda n, payload: [payload, *(flood if n == 5 else [])]) as relay:
        result = pair_of(relay, qos=0, rate="50/s", count=20)
    assert result["counts"]["foreign"] == 8 and result["counts"]["received"] == 20
    assert result["tool"]["unread"] > 0.01 and result["verdict"] == "tool-bound", result["reason"]


# --- clocks ---------------------------------------------------------------------------------------

STEPPING = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
static int (*real)(clockid_t, struct timespec*);
/* The wall clock is three hours ahead in one tenth of a second, and three behind in the next. */
int clock_gettime(clockid_t id, struct timespec* time) {
  struct timespec up;
  if (!real) real = (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, time);
  if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE) return result;
  real(CLOCK_MONOTONIC, &up);
  time->tv_sec += up.tv_nsec / 100000000 % 2 ? 10800 : -10800;
  return result;
}
int gettimeofday(struct timeval* restrict time, void* restrict zone) {
  struct timespec now;
  (void)zone;
  int result = clock_gettime(CLOCK_REALTIME, &now);
  time->tv_sec = now.tv_sec, time->tv_usec = now.tv_nsec / 1000;
  return result;
}
time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}
"""


def preloaded(directory, name, source):
    """The environment of a program in which `source` stands before the C library."""
    (directory / f"{name}.c").write_text(source)
    library = directory / f"{name}.so"
    assert run(["cc", "-shared", "-fPIC", "-O1", "-o", library, directory / f"{name}.c", "-ldl"]).code == 0
    return {"LD_PRELOAD": str(library)}


@with_time
def test_steps_of_the_wall_clock_change_nothing_but_dates(scratch):
    before, env = time.time(), preloaded(scratch, "stepping", STEPPING)
    with Relay(delay=0.2) as relay:
        result = pair_of(relay, qos=1, count=600, env=env)
    started = result["started"]
    assert abs(time.mktime(time.strptime(started[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone - before) > 3600, \
        f"the clock was not stepped: {started}"
    assert (result["counts"]["received"], result["counts"]["acked"], faults_of(result)) == (600, 600, {})
    for name in ("due_to_received", "sent_to_received", "ack", "lag", "connect", "subscribe"):
        each = result["latency_ns"][name]
        assert each["negative"] == each["clipped"] == 0 and each["max"] < 20e9, (name, each)
    assert 0.2e9 <= result["latency_ns"]["sent_to_received"]["min"]
    assert result["rates"]["sent_per_second"] == pytest.approx(400, rel=0.3)
    assert result["rates"]["received_per_second"] == pytest.approx(600 / 1.7, rel=0.3)


# --- the start, the window ------------------------------------------------------------------------

@with_time
def test_nothing_is_sent_before_the_last_subscription_was_acknowledged():
    """Its SUBACK takes a second; what is sent before would be lost."""
    with Relay(suback_delay=1.0) as relay:
        result = pair_of(relay, count=50)
    assert (result["counts"]["received"], faults_of(result)) == (50, {})
    assert result["latency_ns"]["subscribe"]["min"] >= 1e9
    assert result["latency_ns"]["due_to_received"]["max"] < 1e9


def test_the_brokers_receive_maximum_is_the_window_and_is_told():
    """It acknowledges with a delay, so that the window is full: never more than five are on their way."""
    with Relay(ack_delay=0.05, receive_maximum=5) as relay:
        result = pair_of(relay, qos=1, count=50, rate="1000/s")
    assert (result["broker"]["receive_maximum"], result["counts"]["received"]) == (5, 50)
    assert result["counts"]["held"] > 0
    # Ten rounds of five, each 50 ms: a window of more would be faster.
    assert result["latency_ns"]["due_to_received"]["max"] >= 0.4e9


@with_time
def test_what_a_broker_accepts_and_drops_is_not_delivered():
    """At QoS 0 the sender never knows: only the subscriber's count tells."""
    with Relay(lambda n, payload: [payload] if n % 2 else []) as relay:
        result = pair_of(relay, rate="1000/s", count=400, drain="500ms")
    assert (result["counts"]["sent"], result["counts"]["received"], faults_of(result)) == (400, 200, {"lost": 200})
    assert result["rates"]["received_per_second"] < 0.75 * result["rates"]["sent_per_second"]


NAGLE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int setsockopt(int socket, int level, int option, const void* value, socklen_t size) {
  static int (*real)(int, int, int, const void*, socklen_t);
  if (!real) real = (int (*)(int, int, int, const void*, socklen_t))dlsym(RTLD_NEXT, "setsockopt");
  if (level == IPPROTO_TCP && option == TCP_NODELAY && *(const int*)value == 1) {
    int file = open(getenv("NODELAY_CALLS"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)!write(file, "x", 1);
    close(file);
  }
  return real(socket, level, option, value, size);
}
"""


def test_every_connection_is_without_nagles_algorithm(scratch):
    """A small message would wait for the acknowledgement of the one before it, which TCP delays by up to 40 ms."""
    calls = scratch / "calls"
    with Relay() as relay:
        env = preloaded(scratch, "nagle", NAGLE) | {"NODELAY_CALLS": str(calls)}
        pair_of(relay, publishers=3, subscribers=4, count=10, env=env)
    assert len(calls.read_text()) == 7


# --- the table ------------------------------------------------------------------------------------

# The traps of load generators, and what shows that this one avoids them: "suite: test" or "program".
TRAPS = {
    "the wall clock moves, and is too coarse": "test_mqbench_truth.py: test_steps_of_the_wall_clock_change_nothing_but_dates",
    "samples of 0 and below are dropped": "histogram_test.cpp: CountsWhatIsClippedAndWhatIsNegativeAndDropsNeither",
    "coordinated omission":
        "test_mqbench_truth.py: test_a_stall_of_two_seconds_shows_in_what_was_due_as_theory_says_and_once_in_what_was_sent",
    "a closed loop passes for an open one": "test_mqbench.py: test_a_closed_loop_has_no_latency_from_a_schedule",
    "acknowledgement and delivery are one latency":
        "test_mqbench_truth.py: test_acknowledgements_that_come_late_are_counted_as_late",
    "rates with the wrong denominator":
        "test_mqbench_truth.py: test_a_rate_has_the_time_to_the_last_delivery_as_its_denominator",
    "percentiles are averaged": "histogram_test.cpp: AddingIsAsIfOneHadRecordedAll",
    "the tool is the limit": "test_mqbench_truth.py: test_a_tool_that_is_slowed_down_is_tool_bound",
    "timers are early, late or lose ticks": "precise_timer_test.cpp: IsNeverEarly",
    "the schedule drifts": "schedule_test.cpp: DoesNotDriftInAMonth",
    "a delayed acknowledgement passes for the broker's latency": "verdict_test.cpp: AHeapAtADelayedAcknowledgementIsNamed",
    "clients send together instead of evenly": "schedule_test.cpp: PublishersAreSpreadEvenly",
    "Nagle's algorithm": "test_mqbench_truth.py: test_every_connection_is_without_nagles_algorithm",
    "ephemeral ports run out": "test_mqbench.py: test_several_source_addresses",
    "descriptors run out in the middle": "scenario_test.cpp: CountsDescriptorsAndPorts",
    "threads share counters": "test_mqbench.py: test_a_closed_loop_has_no_latency_from_a_schedule",
    "the stamp is dropped silently, or damaged": "stamp_test.cpp: EveryFlippedBitIsFound",
    "messages of others are counted": "test_mqbench.py: test_messages_of_others_are_counted_apart",
    "retained messages are latencies": "test_mqbench.py: test_retained_messages_are_counted_apart_and_are_no_latency",
    "messages are sent before everybody is subscribed":
        "test_mqbench_truth.py: test_nothing_is_sent_before_the_last_subscription_was_acknowledged",
    "loss is judged before the last message came": "test_mqbench.py: test_a_delay_is_measured",
    "nobody knows which window was in effect":
        "test_mqbench_truth.py: test_the_brokers_receive_maximum_is_the_window_and_is_told",
    "an overload at QoS 0 is invisible":
        "test_mqbench_truth.py: test_what_a_broker_accepts_and_drops_is_not_delivered",
    "sent means queued": "test_mqbench.py: test_what_could_not_be_sent_is_counted",
    "messages are sent again on a living connection":
        "test_mqbench_truth.py: test_acknowledgements_that_come_late_are_counted_as_late",
    "the environment is not in the result": "test_mqbench.py: test_the_result_says_how_it_came_to_be",
    "CPU time is not beside the rate": "test_mqbench.py: test_the_summary_can_be_read",
    "a histogram ends before the timeout": "histogram_test.cpp: CountsWhatIsClippedAndWhatIsNegativeAndDropsNeither",
    "counters wrap": "sequence_tracker_test.cpp: NumbersBeyond32BitsGoOnInOrder",
    "Ctrl-C prints nothing":
        "test_mqbench.py: test_ctrl_c_stops_publishing_waits_for_the_rest_and_writes_the_result",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_a_trap_has_its_test(trap):
    suite, name = TRAPS[trap].split(": ")
    path = TESTS / ("e2e" if suite.endswith(".py") else "unit/mqbench") / suite
    pattern = rf"^def {name}\(" if suite.endswith(".py") else rf"^TEST\(\w+, {name}\)"
    assert re.search(pattern, path.read_text(), re.MULTILINE), f"{suite} has no {name}: {trap}"
