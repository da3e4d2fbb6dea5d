"""Histogram logs as other programs read and write them: ours beside hdr-histogram-js, in both directions."""

import pytest

from support.brokers import JS
from support.proc import run
from support.tools import json_lines, program


def javascript(mode, text=b""):
    result = run(["node", JS / "hlog.js", mode], stdin=text)
    assert result.code == 0, result
    return result.out


def ours(text, scratch):
    """What our reader understands, and what our writer makes of that."""
    copy = scratch / "copy.hlog"
    result = run([program("hlog"), copy], stdin=text)
    assert result.code == 0, result
    return json_lines(result.out), copy.read_bytes()


def assert_same(left, right):
    assert len(left) == len(right) == 7
    for a, b in zip(left, right):
        assert {k: v for k, v in a.items() if k not in ("mean", "deviation")} == {
            k: v for k, v in b.items() if k not in ("mean", "deviation")}
        assert a["count"] == 0 or a["mean"] == pytest.approx(b["mean"], rel=1e-9)
        assert a["count"] == 0 or a["deviation"] == pytest.approx(b["deviation"], rel=1e-6)


def test_we_read_what_another_port_writes_and_it_reads_what_we_write(scratch):
    made = javascript("make")
    theirs = json_lines(javascript("read", made))
    read_by_us, written_by_us = ours(made, scratch)
    assert_same(read_by_us, theirs)
    assert [line["tag"] for line in theirs] == ["", "tag-1", "", "tag-3", "", "tag-5", ""]
    assert_same(json_lines(javascript("read", written_by_us)), theirs)


def test_a_damaged_log_is_an_error_with_its_line(scratch):
    damaged = javascript("make")[:-30]
    result = run([program("hlog"), scratch / "copy.hlog"], stdin=damaged)
    assert (result.code, result.err_text.startswith("hlog: line ")) == (1, True), result
