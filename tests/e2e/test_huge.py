"""100 MiB payloads through mosquitto: both directions, QoS 0, 1, 2, MQTT 3.1.1 and 5, byte for byte."""

import hashlib
import random

import pytest

from support.brokers import Mosquitto
from support.tools import assert_ok, mqpub, start, unique

SIZE = 100 << 20
SECONDS = 60


@pytest.fixture(scope="module")
def broker():
    with Mosquitto() as broker:
        yield broker


@pytest.fixture(scope="module")
def payload(temporary_directory):
    """A file of 100 MiB with every byte value, and no period that a lost or repeated chunk could hide in."""
    path = temporary_directory / "huge"
    block = random.Random(1).randbytes(1 << 20)
    with open(path, "wb") as file:
        for number in range(SIZE >> 20):
            file.write(number.to_bytes(4, "big") + block[4:])
    return path


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.parametrize("version", ("5", "311"))
@pytest.mark.parametrize("qos", (0, 1, 2))
def test_100_mib_arrives_as_it_was_sent(broker, payload, scratch, version, qos):
    topic, out = unique("huge"), scratch / "out"
    with open(out, "wb") as sink, start("mqsub", *broker.args(), "-V", version, "-t", topic, "-q", qos, "-N",
                                        "-C", 1, stdout=sink) as sub:
        broker.wait_subscribed(topic)
        assert_ok(mqpub(*broker.args(), "-V", version, "-t", topic, "-q", qos, "-f", payload, seconds=SECONDS))
        assert_ok(sub.wait(SECONDS))
    assert out.stat().st_size == SIZE
    assert digest(out) == digest(payload)
    out.unlink()
