"""mqspy capture: what goes by on an interface. On loopback, and only where that is permitted."""

import json
import pathlib
import re

import pytest

from support.mqbroker import MqBroker
from support.mqspy_proxy import of_kind
from support.tools import assert_fails, assert_ok, mqpub, mqspy, start, unique


def reason_to_skip():
    """Why nothing can be captured here; None if it can."""
    tried = mqspy("capture", "-i", "lo", "--expect", "qos>5 within 10ms")
    if "without libpcap" in tried.err_text:
        return "mqspy was built without libpcap"
    return "capturing on lo is not permitted" if tried.code == 14 else None


@pytest.fixture(scope="module")
def permitted():
    reason = reason_to_skip()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="module")
def broker():
    with MqBroker() as broker:
        yield broker


def capture(broker, *options):
    spy = start("mqspy", "capture", "-i", "lo", f"tcp port {broker['tcp'].port}", *options)
    spy.wait_err(b"listening on 'lo'")
    return spy


def test_what_goes_by_is_shown_and_written_and_counted(permitted, broker, tmp_path):
    topic, file = unique(), tmp_path / "c.pcapng"
    with capture(broker, "--json", "-w", file) as spy:
        status = pathlib.Path(f"/proc/{spy.pid}/status").read_text()
        assert_ok(mqpub(*broker.args("tcp"), "-t", topic, "-q", "2", "-m", "seen"))
        spy.wait_out(b'"k":"close"')
        spy.kill(2)
        result = spy.wait()
    assert result.code == 130, result
    found = [json.loads(line) for line in result.out.splitlines()]
    assert [p["type"] for p in of_kind(found, "pkt")] == ["CONNECT", "CONNACK", "PUBLISH", "PUBREC", "PUBREL", "PUBCOMP", "DISCONNECT"]
    assert of_kind(found, "pkt", topic=topic)[0]["payload"]["data"] == "seen"
    counts = re.search(r"(\d+) packets captured, (\d+) dropped by the kernel, (\d+) by the interface", result.err_text)
    assert counts and int(counts[1]) > 7, result
    assert topic in assert_ok(mqspy("read", file)).out.decode()
    assert int(re.search(r"Uid:\s+(\d+)", status)[1]) != 0, "root's privileges are kept"
    assert int(re.search(r"CapEff:\s+(\w+)", status)[1], 16) == 0


def test_it_ends_with_what_was_expected(permitted, broker):
    topic = unique()
    with capture(broker, "--expect", f'topic=="{topic}"') as spy:
        assert_ok(mqpub(*broker.args("tcp"), "-t", topic, "-m", "x"))
        assert spy.wait().code == 0
    late = mqspy("capture", "-i", "lo", "tcp port 1", "--expect", "type==PUBLISH within 50ms")
    assert late.code == 13 and "expected and not seen" in late.err_text, late


def test_what_cannot_be_captured(permitted):
    nowhere = mqspy("capture", "-i", "none0")
    assert_fails(nowhere, 2, "cannot capture on 'none0'", "no such device")
    assert nowhere.err.lower().count(b"no such device") == 1, "libpcap says it twice"
    assert_fails(mqspy("capture", "-i", "lo", "tcp prt 1"), 2, "'tcp prt 1' is no filter")
    assert_fails(mqspy("capture"), 2, "'--interface' is missing")
    assert_fails(mqspy("read", "f", "-i", "lo"), 2, "'--interface' is for mqspy capture, not for read")
