"""mqsub --decode: payloads of other formats as JSON, whatever the output's form."""

import json
import struct

import pytest

from support.mqbroker import MqBroker
from support.ports import HOST
from support.tools import assert_fails, assert_ok, json_lines, mqpub, mqsub, start, unique

CBOR = bytes.fromhex("a2616101616282f93e00f6")  # {"a": 1, "b": [1.5, null]}
MSGPACK = bytes.fromhex("82a16101a16292cb3ff8000000000000c0")
BSON = bytes.fromhex("0c0000001061000100000000")  # {"a": 1}
UBJSON = b"{i\x01ai\x01}"
SPARKPLUG = bytes.fromhex("0801120b0a0178200350feffffff0f1803")  # x = -2


@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


def received(broker, payload, *options):
    """What mqsub writes of one message with this payload."""
    topic = unique("d")
    subscriber = start("mqsub", "-h", HOST, "-p", broker["tcp"].port, "-t", f"{topic}/#", "-C", "1", "-W", "10",
                       *(str(option).replace("TOPIC", topic) for option in options))
    broker.wait_subscribed(f"{topic}/#")
    assert_ok(mqpub("-h", HOST, "-p", broker["tcp"].port, "-t", f"{topic}/x", "-s", stdin=payload))
    return subscriber.wait()


@pytest.mark.parametrize("decoder,payload,expected", (
    ("cbor", CBOR, {"a": 1, "b": [1.5, None]}),
    ("msgpack", MSGPACK, {"a": 1, "b": [1.5, None]}),
    ("bson", BSON, {"a": 1}),
    ("ubjson", UBJSON, {"a": 1}),
    ("sparkplug", SPARKPLUG, {"timestamp": 1, "seq": 3, "metrics": [{"name": "x", "datatype": "Int32", "value": -2}]}),
    ("json", b'{"a":\n1.10}', {"a": 1.10}),
    ("hex", b"\x00\xff", "00ff"),
    ("base64", b"\x00\xff", "AP8="),
    ("float32be", struct.pack(">f", 0.1), 0.1),
    ("uint16le", struct.pack("<2H", 1, 65535), [1, 65535]),
))
def test_each_decoder_in_json_and_plainly(broker, decoder, payload, expected):
    result = assert_ok(received(broker, payload, "--json", "--decode", f"TOPIC/+={decoder}"))
    [line] = json_lines(result.out)
    assert (line["encoding"], line["payload"], line["len"]) == (decoder, expected, len(payload))
    plain = assert_ok(received(broker, payload, "--decode", f"TOPIC/+={decoder}")).out.decode()
    assert plain == (f"{expected}\n" if isinstance(expected, str) else plain)
    assert isinstance(expected, str) or json.loads(plain) == expected
    assert assert_ok(received(broker, payload, "-F", "<%p>", "--decode", f"TOPIC/+={decoder}")).out.decode() == (
        f"<{plain[:-1]}>\n")


def test_a_payload_that_is_something_else_is_written_as_it_came(broker):
    result = received(broker, b"\xa1\x61", "--decode", "TOPIC/#=cbor")
    assert (result.code, result.out) == (0, b"\xa1\x61\n"), result
    assert "cannot be decoded as cbor: it is broken at byte 2; such messages are written as they come" in result.err_text, result
    [line] = json_lines(received(broker, b"\xa1\x61", "--json", "--decode", "TOPIC/#=cbor").out)
    assert (line["encoding"], line["payload"], line["decode_error"]) == ("base64", "oWE=", "is broken at byte 2")


def test_the_first_rule_that_matches_counts_and_other_topics_are_left_alone(broker):
    assert received(broker, b"A", "--decode", "TOPIC/x=hex", "--decode", "TOPIC/#=uint8").out == b"41\n"
    assert received(broker, b"A", "--decode", "other/#=hex").out == b"A\n"


@pytest.mark.parametrize("rule,words", (
    ("plant/#", ("'plant/#'", "FILTER=DECODER")),
    ("plant/#=yaml", ("'yaml'", "is not a decoder")),
    ("a/#/b=cbor", ("'a/#/b'",)),
))
def test_a_wrong_rule_is_a_usage_error(rule, words):
    assert_fails(mqsub("-t", "t", "--decode", rule), 2, "--decode", *words)
