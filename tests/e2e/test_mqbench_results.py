"""mqbench: what a run says of itself: seconds, thresholds, verdicts, files, and what is seen while it lasts."""

import csv
import io
import json
import os
import re
import shlex
import signal
import time

import jsonschema
import pytest

from support.brokers import JS
from support.mqbroker import MqBroker
from support.ports import wait_until
from support.proc import Proc, run
from support.procfs import descriptors
from support.relay import Relay
from support.result_schema import SCHEMA, objects_of, validated
from support.tools import mqbench, start, with_time


@pytest.fixture(scope="module")
def mqbroker():
    with MqBroker() as broker:
        yield broker


def result_of(broker, *args, code=0, seconds=60):
    """The JSON of a run, and what it said on stderr."""
    result = mqbench("run", "quick", *broker["tcp"].mq_args(), *args, "--json", "-", seconds=seconds)
    assert result.code == code, result
    return validated(json.loads(result.out)), result.err_text


def result_of_itself(*args):
    """The same, against the broker in mqbench."""
    result = mqbench("run", "quick", "--self", *args, "--json", "-", "--quiet", seconds=60)
    assert result.code == 0, result
    return validated(json.loads(result.out)), result.err_text


# --- second by second -----------------------------------------------------------------------------

@with_time
def test_each_second_has_its_counts_and_latencies(mqbroker, scratch):
    path = scratch / "result.json"
    result = mqbench("run", *mqbroker["tcp"].mq_args(), "--rate", "400/s", "--count", 1000, "--threads", 3, "--json", path)
    assert result.code == 0, result
    written = json.loads(path.read_text())
    seconds = written["intervals"]
    assert [each["t_s"] for each in seconds] == list(range(len(seconds)))
    assert [each["sent"] for each in seconds[:2]] == pytest.approx([400, 400], abs=200)  # on a busy machine
    with_latency = [each["latency"] for each in seconds if "latency" in each]
    assert len(seconds) >= 3 and sum(each["count"] for each in with_latency) == sum(each["received"] for each in seconds) == 1000
    assert max(each["max"] for each in with_latency) == written["latency_ns"]["due_to_received"]["max"]
    for each in with_latency:
        assert 0 < each["p50"] <= each["p99"] <= each["p99.9"] <= each["max"]
    known = [each for each in seconds if "tool_cpu" in each]
    assert all(0 <= each["tool_cpu"] < os.cpu_count() + 1 and each["connections"] == 20 for each in known) and len(known) >= 3
    assert not any(name.startswith("broker") for each in seconds for name in each)


def test_the_histogram_of_a_second_is_read_by_another_port(mqbroker):
    result, _ = result_of(mqbroker, "--count", 100, "--quiet")
    latency = next(each["latency"] for each in result["intervals"] if "latency" in each)
    log = f'#[StartTime: 1000.000 (seconds since epoch)]\n1000.000,1.000,1.000,{latency["hdr"]}\n'
    line = json.loads(run(["node", JS / "hlog.js", "read"], stdin=log.encode()).out.splitlines()[0])
    assert (line["count"], line["percentiles"][3]) == (latency["count"], latency["p50"])


def test_a_closed_loop_has_the_latency_from_sending_in_each_second(mqbroker):
    result, _ = result_of(mqbroker, "-q", 1, "--window", 5, "--count", 500, "--quiet")
    assert sum(each["latency"]["count"] for each in result["intervals"] if "latency" in each) == 500
    assert max(each["latency"]["max"] for each in result["intervals"] if "latency" in each) == result["latency_ns"]["sent_to_received"]["max"]


# --- the broker's process -------------------------------------------------------------------------

@with_time
def test_a_broker_that_is_watched_is_seen_each_second(mqbroker):
    result, said = result_of(mqbroker, "--watch-pid", mqbroker.pid, "--rate", "2000/s", "--count", 3000)
    known = [each for each in result["intervals"] if "broker_cpu" in each]
    assert len(known) >= 2 and "not watched" not in said
    assert all(0 <= each["broker_cpu"] < os.cpu_count() + 1 for each in known)
    assert max(each["broker_cpu"] for each in known) > 0
    assert all(each["broker_rss_bytes"] > 1_000_000 for each in known)
    assert max(each["broker_fds"] for each in known) >= descriptors(mqbroker.pid) + 20  # our clients


@with_time
def test_several_processes_are_added_up(mqbroker):
    with Proc(["sleep", "60"]) as other:
        alone, _ = result_of(mqbroker, "--watch-pid", other.pid, "--count", 50)
        both, _ = result_of(mqbroker, "--watch-pid", mqbroker.pid, "--watch-pid", other.pid, "--count", 50)
    assert both["intervals"][0]["broker_rss_bytes"] > alone["intervals"][0]["broker_rss_bytes"] > 0


def test_a_process_that_is_not_there_is_said_and_the_run_goes_on(mqbroker):
    gone = run(["sh", "-c", "echo $$"])
    result, said = result_of(mqbroker, "--watch-pid", int(gone.out), "--count", 50)
    assert "the broker is not watched" in said and "No such process" in said
    assert result["counts"]["received"] == 50
    assert not any(name.startswith("broker") for each in result["intervals"] for name in each)


def test_a_process_that_ends_is_said_and_the_run_goes_on(mqbroker, scratch):
    path = scratch / "result.json"
    with Proc(["sleep", "60"]) as other:
        with start("mqbench", "run", *mqbroker["tcp"].mq_args(), "--watch-pid", other.pid, "--duration", "60s", "--json", path) as bench:
            wait_until(lambda: bench.err.count(b" delivered") >= 2, 20, "a second to pass")
            other.stop()
            bench.wait_err(b"is not watched")
            bench.kill(signal.SIGINT)
            ended = bench.wait()
    assert (ended.code, ended.err_text.count("is not watched")) == (130, 1), ended
    seconds = json.loads(path.read_text())["intervals"]
    assert "broker_rss_bytes" in seconds[0] and "broker_rss_bytes" not in seconds[-1]


# --- thresholds -----------------------------------------------------------------------------------

def test_thresholds_that_are_met_are_said_and_0(mqbroker):
    """On a machine too busy to measure none is met: that is the verdict's."""
    ended = mqbench("run", *mqbroker["tcp"].mq_args(), "--count", 200, "--threshold", "due_to_received.max < 1h", "--threshold",
                    "lost==0", "--threshold", "sent_rate>=1/s", "--json", "-", "--quiet")
    result = json.loads(ended.out)
    valid = result["verdict"] == "valid"
    assert (ended.code, result["passed"]) == ((0, True) if valid else (13, False)), ended
    assert [each["passed"] for each in result["thresholds"]] == [valid] * 3
    assert [each["expr"] for each in result["thresholds"]] == ["due_to_received.max<1h", "lost==0", "sent_rate>=1/s"]
    assert [each["value"] for each in result["thresholds"]] == [
        result["latency_ns"]["due_to_received"]["max"], 0, result["rates"]["sent_per_second"]]


def test_a_missed_threshold_is_13_and_the_result_is_whole(mqbroker, scratch):
    path = scratch / "result.json"
    result = mqbench("run", *mqbroker["tcp"].mq_args(), "--count", 200, "--threshold", "lost==0", "--threshold", "received>200",
                     "--json", path, "--quiet")
    assert (result.code, result.err) == (13, b""), result
    written = json.loads(path.read_text())
    assert written["passed"] is False
    assert written["thresholds"][1] == {"expr": "received>200", "value": 200, "passed": False}
    assert b"threshold received>200: MISSED (200)" in result.out


def test_a_run_that_is_not_valid_passes_no_threshold_and_says_so():
    with Relay(before_ack=lambda n: time.sleep(0.5) if n == 5 else None) as relay:
        result = mqbench("run", "pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "-q", "1:0", "--window", 1,
                         "--rate", "100/s", "--count", 50, "--threshold", "p99<1h", "--threshold", "p99<1us", "--quiet")
    assert result.code == 13, result
    assert re.search(rb"threshold p99<1h: NOT PASSED, because the run is (broker|tool|network)-bound \([0-9.]+ m?s\)\n", result.out)
    assert re.search(rb"threshold p99<1us: MISSED \([0-9.]+ m?s\)\n", result.out)


@with_time
def test_what_was_not_measured_is_missed():
    with Relay(lambda n, payload: []) as relay:
        result = mqbench("run", "pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "--count", 5, "--drain", "100ms",
                         "--threshold", "p99<1h", "--quiet")
    assert (result.code, b"MISSED (nothing was measured)" in result.out) == (13, True), result


def test_without_thresholds_nothing_is_passed(mqbroker):
    result, _ = result_of(mqbroker, "--count", 10, "--quiet")
    assert {"passed", "thresholds"}.isdisjoint(result)


# --- files, and what they say of how they came to be ---------------------------------------------

def test_the_schema_is_one():
    jsonschema.validators.validator_for(SCHEMA).check_schema(SCHEMA)
    for wrong in ({}, {"format": "mqbench/2"}):
        with pytest.raises(jsonschema.ValidationError):
            validated(wrong)


def test_the_schema_allows_no_key_that_it_does_not_describe():
    """So that a result with a new key fails in every test that validates one: those of all presets do."""
    assert all(each.get("additionalProperties") is False for each in objects_of(SCHEMA))
    result, _ = result_of_itself("--count", 10)
    for path in ((), ("scenario",), ("counts",), ("latency_ns",), ("tool",), ("activity",), ("intervals", 0)):
        changed = json.loads(json.dumps(result))
        within = changed
        for key in path:
            within = within[key]
        within["new"] = 1
        with pytest.raises(jsonschema.ValidationError):
            validated(changed)


@pytest.mark.parametrize("words", (
    "quick --self --count 100", "quick --self -q 1 --window 3 --count 100", "quick --self -q 2 --count 50 -V 311 --threads 3",
    "sink --self --count 1000", "fan-out --self --subscribers 10 --count 20 --rate 200/s --threshold lost==0 --threshold p99<1h",
    "quick --self --rate 300/s --warmup 0.2s --duration 0.3s --arrival poisson", "sink --self --rate max --count 20 --threads 1",
    "quick --self --count 20 --watch-pid 1 --size 20",
))
def test_every_result_fits_the_schema(words):
    ended = mqbench("run", *shlex.split(words), "--json", "-", "--quiet", seconds=60)
    assert ended.code in (0, 13), ended
    validated(json.loads(ended.out))


def test_results_with_failures_fit_the_schema(scratch):
    path = scratch / "result.json"
    with Relay(deliver=lambda n, payload: [], puback=0x97) as relay:
        ended = mqbench("run", "pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "-q", "1:0", "--count", 20, "--drain",
                        "200ms", "--json", path, "--quiet")
    assert ended.code == 10, ended
    validated(json.loads(path.read_text()))


def test_a_table_has_a_line_per_second(mqbroker, scratch):
    path, table = scratch / "result.json", scratch / "result.csv"
    ended = mqbench("run", *mqbroker["tcp"].mq_args(), "--rate", "500/s", "--count", 600, "--watch-pid", mqbroker.pid, "--json", path,
                    "--csv", table, "--quiet")
    assert ended.code == 0, ended
    seconds = json.loads(path.read_text())["intervals"]
    lines = list(csv.DictReader(io.StringIO(table.read_text(), newline="")))
    assert [line["t_s"] for line in lines] == [str(each["t_s"]) for each in seconds]
    for line, each in zip(lines, seconds):
        latency = each.get("latency", {})
        assert (line["sent"], line["received"]) == (str(each["sent"]), str(each["received"]))
        assert line["latency_p99_ns"] == str(latency.get("p99", "")) and line["latency_p99_9_ns"] == str(latency.get("p99.9", ""))
        assert line["broker_rss_bytes"] == str(each.get("broker_rss_bytes", ""))
        assert float(line["tool_cpu"] or 0) == pytest.approx(each.get("tool_cpu", 0))


def test_equal_scenarios_have_equal_hashes(mqbroker):
    hashes = [result_of(mqbroker, "--count", 10, *more, "--quiet")[0]["scenario_hash"] for more in ((), (), ("--seed", 2))]
    assert hashes[0] == hashes[1] != hashes[2] and len(hashes[0]) == 16


def test_the_result_says_what_it_was_made_with(mqbroker):
    result, _ = result_of(mqbroker, "-q", 1, "--window", 7, "--count", 50, "--watch-pid", mqbroker.pid, "-u", "u", "-P", "hidden",
                          "--quickack", "--quiet")
    assert "hidden" not in json.dumps(result) and "--window 7" in result["tool"]["command_line"]
    assert result["broker"]["window"] == 7 and result["broker"]["receive_maximum"] == 1024
    assert result["broker"]["processes"][0]["pid"] == mqbroker.pid
    assert result["broker"]["processes"][0]["allowed_processors"] == result["machine"]["allowed_processors"] != ""
    assert result["activity"]["tcp_segments_sent"] > 0 and result["tool"]["build"] and result["tool"]["tcp_quickack"]


def test_a_window_that_the_broker_makes_smaller_is_said():
    with MqBroker(options=("--receive-maximum", "5")) as broker:
        result, _ = result_of(broker, "-q", 1, "--window", 50, "--count", 100, "--quiet")
    assert result["broker"]["window"] == 5
    assert any("the window is 5 and not 50" in note for note in result["notes"])


@with_time
def test_offered_sent_and_delivered_are_told_apart():
    with Relay(before_ack=lambda n: time.sleep(2) if n == 20 else None) as relay:
        ended = mqbench("run", "pairs", "-L", relay.url, "--publishers", 1, "--subscribers", 1, "-q", "1:0", "--window", 1, "--rate", "100/s",
                        "--warmup", 0, "--duration", "1s", "--drain", "300ms", "--json", "-", "--quiet")
    counts = json.loads(ended.out)["counts"]
    assert counts["offered"] == 100 == counts["sent"] + counts["unsent"] and counts["received"] < counts["offered"], ended


def test_segments_that_are_lost_on_the_way_are_the_networks(scratch):
    """A tenth of what mqbench sends is lost. Its own sockets know that, whatever else this machine sends."""
    path = scratch / "result.json"
    with Relay(loss=0.1) as relay:
        ended = mqbench("run", "pairs", "-L", relay.url, "--publishers", 10, "--subscribers", 10, "--rate", "1500/s", "--count", 3000,
                        "--json", path, "--quiet", seconds=120)
    assert ended.code == 0, ended
    result = validated(json.loads(path.read_text()))
    segments = result["activity"]
    assert segments["tcp_segments_sent"] > segments["tcp_segments_resent"] > 100, segments
    busy = result["verdict"] == "tool-bound" and "thread" in result["reason"]  # on a machine that is too busy for it
    assert result["verdict"] == "network-bound" or busy, result["reason"]


# --- against ourselves ----------------------------------------------------------------------------

def test_the_embedded_broker_needs_no_other_and_is_said():
    ended = mqbench("run", "--self", "--count", 500, "-q", 1, "--quiet")
    assert (ended.code, ended.err) == (0, b""), ended
    assert b"in this process (--self): this is the floor" in ended.out and b"lost 0, " in ended.out


def test_the_environment_is_not_asked_for_a_broker():
    env = {"MQTT_URL": "mqtts://nowhere.invalid", "ALL_PROXY": "socks5://127.0.0.1:9"}
    ended = mqbench("run", "--self", "--count", 10, "--json", "-", "--quiet", env=env)
    assert (ended.code, json.loads(ended.out)["broker"]["embedded"]) == (0, True), ended


# --- what is refused ------------------------------------------------------------------------------

@pytest.mark.parametrize("words, named", (
    ("--watch-pid 0", "--watch-pid"), ("--watch-pid x", "--watch-pid"), ("--watch-pid -1", "--watch-pid"),
    ("--watch-pid 99999999999", "--watch-pid"), ("--csv ''", "--csv"),
    ("--self -h localhost", "--self"), ("--self -p 1883", "--self"), ("--self -L mqtt://x", "--self"), ("--self --unix /x", "--self"),
    ("--self --proxy socks5://x", "--self"), ("--self --insecure", "TLS"),
    ("--self --shard 1/2 --rendezvous mqtt://localhost", "--self"),
    ("--broker mqtt://a --cafile f", "'--cafile' needs TLS"), ("--publish-to mqtt://a --subscribe-from unix:///x --insecure", "'--insecure' needs TLS"),
    ("--broker mqtts://a --ws-path /x", "'--ws-path' needs WebSocket"), ("-L mqtt://a --sni x", "'--sni' needs TLS"),
    ("--threshold ''", "--threshold"), ("--threshold p99", "--threshold"), ("--threshold p99=5ms", "'='"),
    ("--threshold p99<5", "'5'"), ("--threshold lots==0", "'lots'"), ("--threshold lost<0.5", "'0.5'"),
    ("--rate max --threshold p99<5ms", "closed loop"), ("--window 5 -q 1 --threshold lag.p99<5ms", "closed loop"),
    ("sink --threshold rate>1", "subscribers"), ("--threshold ack.p99<1ms", "QoS 0"),
))
def test_usage_errors_are_2_and_one_line(words, named):
    result = mqbench("run", *shlex.split(words))
    assert (result.code, result.out, len(result.err_lines), named in result.err_text) == (2, b"", 1, True), result


def test_what_is_no_regular_file_is_written_into_and_not_replaced(tmp_path):
    """A device that root renames a file over is gone for everybody: here with a pipe and with a link."""
    pipe, link, behind = tmp_path / "pipe", tmp_path / "link", tmp_path / "behind"
    os.mkfifo(pipe)
    behind.write_text("before")
    link.symlink_to(behind)
    with Proc(["cat", pipe]) as reader:
        result = mqbench("run", "quick", "--self", "--count", 10, "--quiet", "--json", pipe, "--csv", link, seconds=60)
        assert result.code == 0, result
        validated(json.loads(reader.wait().out))
    assert pipe.is_fifo() and link.is_symlink() and "," in behind.read_text(), behind.read_text()
