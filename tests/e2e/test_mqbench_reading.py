"""mqbench merge and mqbench compare: exact sums, verdicts that statistics bear out, and what they refuse."""

import itertools
import json

import pytest

from support import bench_results, hdr
from support.mqbroker import MqBroker
from support.result_schema import validated
from support.tools import assert_fails, assert_one_line, assert_ok, mqbench

LATENCIES = ("due_to_received", "sent_to_received", "lag", "connect", "subscribe")


def written(directory, name, result):
    path = directory / name
    path.write_text(json.dumps(result))
    return path


def shard(index, count, **more):
    return bench_results.result(seed=index + 1, seconds=5, host=f"host-{index}", shard={"index": index + 1, "count": count},
                                clock={"offset_ns": 0, "error_ns": 1000}, **more)


def merged(scratch, results, *options):
    files = [written(scratch, f"part{n}.json", result) for n, result in enumerate(results)]
    assert_ok(mqbench("merge", *files, "-o", scratch / "all.json", *options))
    return validated(json.loads((scratch / "all.json").read_text()))


def assert_usage(result, *words):
    """A mistake on the command line: one line that begins with the command."""
    assert (result.code, result.out, len(result.err_lines)) == (2, b"", 1), result
    assert result.err_lines[0].startswith(f"mqbench {result.argv[1]}: "), result
    assert all(word in result.err_text for word in words), result


# --- merge ----------------------------------------------------------------------------------------

def test_a_merge_is_the_sum_counter_by_counter(scratch):
    parts = [shard(index, 3) for index in range(3)]
    result = merged(scratch, parts)
    for name in LATENCIES:
        counters = [hdr.decode(part["latency_ns"][name]["hdr"]) for part in parts]
        total, sum_of_all = result["latency_ns"][name], hdr.added(*counters)
        assert hdr.decode(total["hdr"]) == sum_of_all, name
        least, greatest = (choose(part["latency_ns"][name][key] for part in parts) for choose, key in ((min, "min"), (max, "max")))
        expected = hdr.figures_of(sum_of_all, least, greatest)
        for key in ("count", "min", "max", "p50", "p90", "p99", "p99.9", "p99.99"):
            assert total[key] == expected[key], (name, key)
        assert total["mean"] == pytest.approx(expected["mean"]) and total["stddev"] == pytest.approx(expected["stddev"])
    for second, interval in enumerate(result["intervals"]):
        of_parts = [part["intervals"][second] for part in parts]
        assert hdr.decode(interval["latency"]["hdr"]) == hdr.added(*(hdr.decode(each["latency"]["hdr"]) for each in of_parts))
        for key in ("sent", "received", "connections", "broker_rss_bytes"):
            assert interval[key] == sum(each[key] for each in of_parts)
    for key, value in result["counts"].items():
        assert value == sum(part["counts"][key] for part in parts), key
    times = result["times_ns"]
    assert result["rates"]["sent_per_second"] == pytest.approx(
        result["counts"]["sent"] / ((times["last_sent"] - times["first_due"]) / 1e9))
    assert result["tool"]["cpu_s"] == pytest.approx(sum(part["tool"]["cpu_s"] for part in parts))


def test_a_merge_says_what_it_was_merged_of_and_is_a_result_again(scratch):
    result = merged(scratch, [shard(0, 2), shard(1, 2, verdict="tool-bound", reason="busy")])
    assert (result["format"], result["workers"], result["verdict"]) == ("mqbench/1", 2, "tool-bound")
    assert [(part["host"], part["index"], part["verdict"]) for part in result["parts"]] == [
        ("host-0", 1, "valid"), ("host-1", 2, "tool-bound")]
    assert_ok(mqbench("report", scratch / "all.json", "-o", scratch / "all.html"))


def test_the_offset_of_clocks_does_not_move_seconds(scratch):
    other = shard(1, 2) | {"clock": {"offset_ns": -58_000_000_000, "error_ns": 1}}
    result = merged(scratch, [shard(0, 2), other])
    assert [(each["t_s"], each["sent"]) for each in result["intervals"]] == [(second, 2000) for second in range(5)]
    assert result["clock"] == {"offset_ns": 0, "error_ns": 1000}


def test_thresholds_are_judged_by_the_sum(scratch):
    results = [shard(n, 2, passed=True, thresholds=[{"expr": "sent==10000", "value": 5000, "passed": False}]) for n in (0, 1)]
    result = merged(scratch, results)
    assert (result["passed"], result["thresholds"]) == (True, [{"expr": "sent==10000", "value": 10000, "passed": True}])


@pytest.mark.parametrize("results, words", (
    ([shard(0, 2), shard(0, 2)], ("shard 1 is there twice",)),
    ([shard(0, 2), shard(1, 2, run=5)], ("different runs", "--force")),
    ([shard(0, 2), shard(1, 2, scenario_hash="00")], ("different scenarios", "--force")),
))
def test_what_does_not_belong_together_is_refused(scratch, results, words):
    files = [written(scratch, f"{n}.json", result) for n, result in enumerate(results)]
    assert_fails(mqbench("merge", *files, "-o", scratch / "all.json"), 2, *words)
    assert not (scratch / "all.json").exists()
    if "--force" in words:
        assert_ok(mqbench("merge", "--force", *files, "-o", scratch / "all.json"))


def test_a_part_that_is_missing_is_said(scratch):
    files = [written(scratch, f"{n}.json", shard(n, 3)) for n in (0, 2)]
    result = mqbench("merge", *files, "-o", scratch / "all.json")
    assert (result.code, "2 of 3 parts are there, but not 2/3: what" in result.err_text) == (0, True), result
    assert_one_line(result, "mqbench")


def test_parts_that_do_not_know_of_the_others_are_said(scratch):
    parts = [shard(n, 3) | {"shard": {"index": n + 1, "count": 3, "complete": n == 1}} for n in range(3)]
    result = mqbench("merge", *(written(scratch, f"{n}.json", part) for n, part in enumerate(parts)), "-o", scratch / "all.json")
    assert (result.code, "1/3, 3/3 ended before the others had told what they sent" in result.err_text) == (0, True), result
    assert_one_line(result, "mqbench")
    assert [part["complete"] for part in json.loads((scratch / "all.json").read_text())["parts"]] == [False, True, False]


@pytest.mark.parametrize("text, code, word", (
    ("", 2, "not JSON"), ("{}", 2, "no result"), ('{"format":"mqbench-search/1"}', 2, "mqbench-search/1"),
    ('{"format":"mqbench/1"}', 2, "run is missing"), (None, 14, "No such file"),
))
@pytest.mark.parametrize("command", ("merge", "compare", "report"))
def test_what_is_no_result_is_one_line(scratch, command, text, code, word):
    path = scratch / "bad.json"
    if text is not None:
        path.write_text(text)
    args = (path, "--", path) if command == "compare" else (path, "-o", scratch / "out")
    assert_fails(mqbench(command, *args), code, "bad.json: ", word)


def test_merge_needs_its_arguments(scratch):
    assert_usage(mqbench("merge", "-o", scratch / "x"), "needs each RESULT")
    assert_usage(mqbench("merge", written(scratch, "a", shard(0, 1))), "needs -o FILE")
    assert_usage(mqbench("merge", scratch / "a", "-h", "broker", "-o", scratch / "x"), "-h")


@pytest.mark.parametrize("command", ("merge", "compare", "report"))
def test_the_command_comes_first(command):
    assert_fails(mqbench("--quiet", command), 2, f"the command {command} comes before all options")


# --- compare --------------------------------------------------------------------------------------

def runs(scratch, file, count, **kind):
    serial = itertools.count(len(file) * 100 + 1)
    return [written(scratch, f"{file}{n}.json", bench_results.result(seed=next(serial), seconds=2, rate=500, run=n, **kind))
            for n in range(count)]


def compared(a, b, *options, code):
    result = mqbench("compare", *options, *a, "--", *b, "--json", "-")
    assert result.code == code, result
    comparison = json.loads(result.out)
    return comparison, {metric["name"]: metric for metric in comparison["metrics"]}


def test_a_regression_is_13_and_named(scratch):
    old, new = runs(scratch, "old", 5), runs(scratch, "newer", 5, middle=2e6)
    comparison, metrics = compared(old, new, code=13)
    p99 = metrics["due_to_received p99"]
    assert (comparison["regression"], p99["verdict"], p99["p"]) == (True, "worse", pytest.approx(2 / 252))
    assert p99["a"] == [json.loads(path.read_text())["latency_ns"]["due_to_received"]["p99"] for path in old]
    assert p99["interval"][0] < p99["change"] < p99["interval"][1] and 1 < p99["change"] < 2
    table = mqbench("compare", *old, "--", *new)
    assert (table.code, table.err) == (13, b"")
    line = next(line for line in table.out.decode().splitlines() if line.startswith("due_to_received p99 "))
    assert line.endswith("worse") and " ms " in line


def test_an_improvement_is_0(scratch):
    _, metrics = compared(runs(scratch, "old", 5, middle=2e6), runs(scratch, "newer", 5), code=0)
    assert metrics["due_to_received p50"]["verdict"] == "better"


def test_runs_of_one_kind_are_no_difference(scratch):
    a = runs(scratch, "a", 5)
    comparison, metrics = compared(a, a, code=0)
    assert {metric["verdict"] for metric in metrics.values()} == {"no difference"} and not comparison["regression"]


def test_too_few_runs_are_said_with_the_p_that_they_can_reach(scratch):
    result = mqbench("compare", *runs(scratch, "a", 3), "--", *runs(scratch, "bb", 3, middle=2e6))
    assert result.code == 13 and b"with 3 and 3 runs p is never below 0.1" in result.out, result


def test_the_same_seed_gives_the_same_intervals(scratch):
    a, b = runs(scratch, "a", 5), runs(scratch, "bb", 5, middle=2e6)
    (first, metrics), (_, again) = (compared(a, b, "--seed", 7, code=13) for _ in range(2))
    assert first["seed"] == 7 and metrics == again


def test_other_circumstances_are_refused_unless_named(scratch):
    machine = bench_results.result()["machine"]
    a, b = runs(scratch, "a", 5), runs(scratch, "bb", 5)
    c = [written(scratch, f"c{n}.json", {**json.loads(path.read_text()), "machine": {**machine, "kernel": "Linux 6.12"}})
         for n, path in enumerate(b)]
    assert_fails(mqbench("compare", *a, "--", *c), 2, "machine.kernel (Linux 6.1.0-18-amd64, Linux 6.12)", "--across kernel")
    compared(a, c, "--across", "kernel", code=0)
    compared(a, c, "--across", "all", code=0)
    assert_fails(mqbench("compare", "--across", "tool", *a, "--", *c), 2, "machine.kernel")
    d = runs(scratch, "dddd", 5, name="other")
    assert_fails(mqbench("compare", *a, "--", *d), 2, "scenario.name (quick, other)", "--across scenario")
    asked = json.loads(a[0].read_text())["scenario"]
    e = runs(scratch, "eeee", 5, scenario={**asked, "properties": [["publish", "content_type", "x"]]})
    assert_fails(mqbench("compare", *a, "--", *e), 2, 'scenario.properties (none, [["publish","content_type","x"]])', "--across scenario")


def test_other_brokers_may_be_what_is_compared_and_are_said(scratch):
    asked = bench_results.result()["scenario"]
    a, b = (runs(scratch, name, 5, scenario={**asked, "brokers": [f"mqtt://{name}:1883"]}) for name in ("a", "bb"))
    result = mqbench("compare", *a, "--", *b)
    assert 'different brokers: scenario.brokers (["mqtt://a:1883"], ["mqtt://bb:1883"])' in result.err_text and result.code == 0, result
    assert mqbench("compare", *a[:2], "--", *a[2:]).err_text == ""


def test_runs_that_are_not_valid_are_warned_of(scratch):
    a, b = runs(scratch, "a", 4), runs(scratch, "bb", 4, verdict="tool-bound")
    result = mqbench("compare", *a, "--", *b)
    assert result.err_text.count("is a run that is tool-bound") == 4, result


@pytest.mark.parametrize("args", ((), ("a",), ("a", "b"), ("--", "b"), ("a", "--")))
def test_compare_needs_both_sides(args):
    assert_usage(mqbench("compare", *args), "both sides of '--'")


@pytest.mark.parametrize("option, value", (("--alpha", "0"), ("--alpha", "x"), ("--tolerance", "-1"), ("--across", "weather"), ("--seed", "x"),
                                           ("--json", "")))
def test_a_wrong_value_is_one_line(option, value):
    assert_usage(mqbench("compare", option, value, "a", "--", "b"), option)


def test_real_runs_are_compared(certs, scratch):
    with MqBroker(certs) as broker:
        for name in ("a", "b"):
            for n in range(4):
                assert mqbench("run", *broker["tcp"].mq_args(), "--count", 100, "--json", scratch / f"{name}{n}.json").code == 0
    comparison, metrics = compared(*([scratch / f"{name}{n}.json" for n in range(4)] for name in ("a", "b")), "--tolerance", "1000%", "--alpha", "0.05", code=0)
    assert len(metrics["due_to_received p99"]["a"]) == 4 and comparison["smallest_p"] == pytest.approx(2 / 70)
