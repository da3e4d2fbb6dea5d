"""mqbench run --prometheus: what a scraper reads while a run lasts."""

import json
import re
import shlex
import signal
import socket

import pytest
from prometheus_client.parser import text_string_to_metric_families

from support.mqbroker import MqBroker
from support.ports import HOST, wait_until
from support.proc import run
from support.tools import assert_fails, mqbench, start


def address_of(bench):
    """(host, port) of the metrics, as the run says it."""
    bench.wait_err(b"/metrics\n")
    found = re.search(rb"metrics at http://([0-9.]+):(\d+)/metrics\n", bench.err)
    assert found, bench.err
    return found[1].decode(), int(found[2])


def scrape(address, *args):
    """What curl gets: head and text."""
    got = run(["curl", "--silent", "--show-error", "--include", "--max-time", "20", *args, f"http://{address[0]}:{address[1]}/metrics"])
    assert got.code == 0, got
    return got.out.decode().split("\r\n\r\n", 1)


def samples_of(text):
    """Values by name and labels, as Prometheus' own parser reads them."""
    return {(sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text) for sample in family.samples}


@pytest.fixture(scope="module")
def watched():
    """A run that lasts, and its address."""
    with MqBroker() as broker, start("mqbench", "run", "quick", *broker["tcp"].mq_args(), "--rate", "100/s", "--duration", "10m",
                                     "--watch-pid", broker.pid, "--prometheus", f"{HOST}:0") as bench:
        yield bench, address_of(bench)


def test_a_scraper_sees_the_counts_grow(watched):
    def sent():
        head, text = scrape(watched[1])
        assert head.startswith("HTTP/1.1 200 OK\r\n") and "Content-Type: text/plain; version=0.0.4" in head and "Connection: close" in head
        return samples_of(text)["mqbench_messages_sent_total",]
    first = wait_until(sent, 60, "messages that were sent")
    wait_until(lambda: sent() > first, 60, "more of them")


def test_every_metric_has_its_type_and_help(watched):
    families = list(text_string_to_metric_families(scrape(watched[1])[1]))
    assert all(family.documentation and family.name.startswith("mqbench_") and family.type in ("counter", "gauge", "histogram")
               for family in families)
    names = [family.name for family in families]
    assert len(names) == len(set(names))
    values = samples_of(scrape(watched[1])[1])
    assert values["mqbench_clients",] == values["mqbench_connections",] == 20
    assert sum(value for (name, *_), value in values.items() if name == "mqbench_phase") == 1
    assert any(dict(labels).get("scenario") == "quick" for name, *labels in values if name == "mqbench_info")


def test_latencies_are_a_histogram_of_seconds(watched):
    def latencies():
        values = samples_of(scrape(watched[1])[1])
        return values if ("mqbench_latency_seconds_count",) in values else None
    values = wait_until(latencies, 60, "a complete second with messages")
    buckets = sorted((float(dict(labels)["le"]), value) for (name, *labels), value in values.items() if name == "mqbench_latency_seconds_bucket")
    counts = [count for _, count in buckets]
    count, total = values["mqbench_latency_seconds_count",], values["mqbench_latency_seconds_sum",]
    assert counts == sorted(counts) and buckets[-1] == (float("inf"), count) and count > 0
    assert 0 < total / count < 60
    last = [values["mqbench_latency_last_second_seconds", ("percentile", each)] for each in ("50", "99", "99.9", "100")]
    assert 0 < last[0] and last == sorted(last)


def test_what_the_broker_uses_is_there(watched):
    values = wait_until(lambda: (found := samples_of(scrape(watched[1])[1])).get(("mqbench_broker_resident_memory_bytes",)) and found, 60, "a second")
    assert values["mqbench_broker_resident_memory_bytes",] > 1_000_000 and values["mqbench_broker_open_fds",] >= 20


def test_head_has_no_text_and_nothing_can_be_written(watched):
    head, text = scrape(watched[1], "--head")
    assert head.startswith("HTTP/1.1 200 OK\r\n") and int(re.search(r"Content-Length: (\d+)", head)[1]) > 500 and text == ""
    assert scrape(watched[1], "--data", "x")[0].startswith("HTTP/1.1 405 ")
    assert scrape((watched[1][0], f"{watched[1][1]}/no"))[0].startswith("HTTP/1.1 404 ")


def test_a_scraper_does_not_keep_the_run_from_its_end(watched):
    """The last test of this run: it ends."""
    bench, address = watched
    with socket.create_connection(address, 20):
        bench.kill(signal.SIGINT)
        ended = bench.wait(60)
    assert b"verdict" in ended.out, ended
    with pytest.raises(OSError):
        socket.create_connection(address, 20).close()


def test_the_counts_of_a_part_are_its_own(scratch):
    """A run with a limit of messages: what was scraped is never more than its result says."""
    path = scratch / "result.json"
    with start("mqbench", "run", "--self", "--rate", "100/s", "--count", 100, "--prometheus", f"{HOST}:0", "--json", path) as bench:
        values = samples_of(scrape(address_of(bench))[1])
        assert bench.wait(60).code == 0
    assert values["mqbench_messages_sent_total",] <= json.loads(path.read_text())["counts"]["sent"] == 100


def test_an_address_in_use_is_4_before_anything_begins():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        place = f"{HOST}:{taken.getsockname()[1]}"
        assert_fails(mqbench("run", "--self", "--count", 10, "--prometheus", place), 4, "cannot listen", place, "in use")


@pytest.mark.parametrize("words, named", (
    ("run --prometheus ''", "--prometheus"), ("run --prometheus 127.0.0.1", "127.0.0.1:9400"), ("run --prometheus :9400", "':9400'"),
    ("run --prometheus localhost:9400", "IP address"), ("run --prometheus 127.0.0.1:65536", "65536"), ("run --prometheus ::1:9400", "::1:9400"),
    ("run --prometheus [127.0.0.1]:1", "[127.0.0.1]:1"), ("run --prometheus 127.0.0.1:-1", "--prometheus"),
    ("search --prometheus 127.0.0.1:0", "is for mqbench run, not for search"),
    ("verify --prometheus 127.0.0.1:0", "is for mqbench run, not for verify"), ("search --threshold lost==0", "not for search, which has --slo"),
))
def test_usage_errors_are_2_and_one_line(words, named):
    assert_fails(mqbench(*shlex.split(words)), 2, named)
