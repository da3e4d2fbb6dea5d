"""What other MQTT tools got wrong in scripts, and that each of it has its test here: trap_NN in the name."""

import pathlib
import re

import pytest

TRAPS = {
    1: "a rejected publish ends with 0",
    2: "a rejection before MQTT 5 cannot be seen",
    3: "lines from before CONNACK are lost",
    4: "a refused connection ends with 0, or as any other failure",
    5: "refused subscriptions are not said, and end with 0",
    6: "a lost connection ends with 0",
    7: "a packet over the broker's maximum is lost without a word",
    8: "QoS 0 and an immediate exit lose the message",
    9: "a silent server is waited for without end",
    10: "a deadline is a failure though nothing was demanded",
    11: "--help ends with 1; usage goes to standard output",
    12: "protocol codes are exit codes, and overlap",
    13: "| head is noticed with the next message only; commands inherit an ignored SIGPIPE",
    14: "a full disk goes unnoticed",
    15: "acknowledged before it was written",
    16: "output waits in a buffer",
    17: "debugging lines among the data",
    18: "decorations in a pipe",
    19: "NUL cuts, invalid UTF-8 is replaced",
    20: "payloads are trimmed",
    21: "--random-filter lets a tenth of what was asked through",
    22: "an empty payload is no record, or '(null)'",
    23: "escape sequences of a payload reach the terminal",
    24: "the stale retained message is taken for the next event",
    25: "--retained-only does not end",
    26: "1x is a number, a missing file is ignored",
    27: "a FIFO cannot be read",
    28: "URLs without IPv6, percent-decoding and right ports",
    29: "errors say neither where nor why",
    30: "Ctrl-C publishes the will, and ends with 0",
    31: "a stale message is taken for the reply",
    32: "reconnecting without back-off, or after what no retry cures",
    33: "two clients with one id throw each other out for ever",
    34: "an option changes version or transport silently",
    35: "legal topics are refused, illegal ones sent",
    36: "DUP deliveries are dropped at QoS 1",
    37: "a SUBSCRIBE packet for each filter",
    38: "QoS and retain are lowered silently",
}


@pytest.mark.parametrize("number", TRAPS, ids=TRAPS.get)
def test_a_trap_has_its_test(number):
    name = re.compile(rf"trap_0?{number}(?!\d)")
    suites = [file for file in pathlib.Path(__file__).parent.glob("test_*.py") if file != pathlib.Path(__file__)]
    assert any(name.search(suite.read_text()) for suite in suites), f"no test is named trap_{number:02}: {TRAPS[number]}"
