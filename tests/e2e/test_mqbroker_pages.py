"""mqbroker --metrics: Prometheus' metrics, /healthz and the status page, in a browser too."""

import json
import re
import resource
import socket

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conformance import wire as w
from conformance.wire import V5
from support.chromium import Chromium
from support.malformed import Raw
from support.mqbroker import MqBroker
from support.peers import Paho
from support.ports import HOST, free_port, wait_until
from support.proc import DEADLINE, run
from support.tools import assert_fails, program

NASTY = "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
SIZE = 50_000


class Watched:
    """A broker, and the address of its pages."""

    def __init__(self, broker):
        self.broker = broker
        broker.wait_log(r"status page at http://")
        self.port = int(re.search(rb"status page at http://[0-9.]+:(\d+)/", broker.proc.err)[1])
        self.url = f"http://{HOST}:{self.port}"

    def get(self, path, *args):
        """What curl gets: status, head and text."""
        got = run(["curl", "--silent", "--show-error", "--include", "--max-time", "60", *args, self.url + path])
        assert got.code == 0, got
        head, text = got.out.decode().split("\r\n\r\n", 1)
        return int(head.split()[1]), head, text

    def metrics(self):
        """Values by name and labels, as Prometheus' own parser reads them."""
        return {(sample.name, *sample.labels.values()): sample.value
                for family in text_string_to_metric_families(self.get("/metrics")[2]) for sample in family.samples}

    def status(self):
        return json.loads(self.get("/status.json")[2])


@pytest.fixture(scope="module")
def watched():
    with MqBroker(options=["-v", "--metrics", f"{HOST}:0", "--write-backlog", "64K", "--max-queued-messages", "1000",
                           "--bridge", f"mqtt://{HOST}:{free_port()}", "--bridge-topic", "bridged/#"]) as broker:
        yield Watched(broker)


@pytest.fixture(scope="module")
def slow(watched):
    """A client that does not read, whose name is meant to do harm, and messages that wait for it."""
    with Raw(watched.broker["tcp"].address) as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(V5, NASTY)
        client.send(w.subscribe(V5, 1, [("slow/#", 1)]))
        watched.broker.wait_subscribed("slow/#")
        publisher = Paho.client(watched.broker["tcp"])
        try:
            def waits():
                publisher.publish("slow/x", bytes(SIZE), 1).wait_for_publish(DEADLINE)
                return watched.status()["slow_clients"]
            wait_until(waits, DEADLINE, "messages that wait")
            yield NASTY
        finally:
            Paho.leave(publisher)


# --- what programs read ---------------------------------------------------------------------------

def test_every_metric_has_its_type_and_help(watched):
    families = list(text_string_to_metric_families(watched.get("/metrics")[2]))
    assert all(family.documentation and re.match("mqbroker_|process_", family.name) and family.type in ("counter", "gauge")
               for family in families)
    names = [family.name for family in families]
    assert len(names) == len(set(names)) > 25
    assert "Content-Type: text/plain; version=0.0.4" in watched.get("/metrics")[1]


def test_metrics_and_json_count_what_happens(watched):
    before = watched.metrics()
    client = Paho.client(watched.broker["tcp"])
    try:
        client.subscribe("counted", 1)
        watched.broker.wait_subscribed("counted")
        for _ in range(3):
            client.publish("counted", b"12345", 1).wait_for_publish(DEADLINE)
        client.publish("kept", b"x", 1, retain=True).wait_for_publish(DEADLINE)
        after = wait_until(lambda: (now := watched.metrics())["mqbroker_messages_sent_total",] >= before["mqbroker_messages_sent_total",] + 3 and now,
                           DEADLINE, "deliveries")

        def grown(*name):
            return after[name] - before[name]
        assert grown("mqbroker_messages_received_total") == 4 and grown("mqbroker_payload_received_bytes_total") == 16
        assert grown("mqbroker_clients_connected") == grown("mqbroker_connections_accepted_total") == grown("mqbroker_subscriptions") == 1
        assert grown("mqbroker_retained_messages") == 1 and after["mqbroker_store_up",] == 1
        assert grown("mqbroker_packets_received_total") >= 6 and grown("mqbroker_received_bytes_total") > 60
        assert after["mqbroker_messages_dropped_total", "queue_full"] == 0 and after["process_resident_memory_bytes",] > 1_000_000
        status = watched.status()
        assert status["clients"] == after["mqbroker_clients_connected",] and status["retained_messages"] == after["mqbroker_retained_messages",]
        assert status["messages_received"] == after["mqbroker_messages_received_total",] and status["fault"] == ""
    finally:
        Paho.leave(client)


def test_health_and_what_is_not_there(watched):
    assert watched.get("/healthz")[0] == 200 and watched.get("/healthz")[2] == "ok\n"
    assert watched.get("/nothing")[0] == 404 and watched.get("/", "--data", "x")[0] == 405
    for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/metrics/../healthz", "//etc/passwd", "/metrics%00", "/healthz/"):
        assert watched.get(path, "--path-as-is")[0] == 404, path
    status, head, text = watched.get("/", "--head")
    assert status == 200 and text == "" and "default-src 'none'" in head


def test_a_store_that_keeps_nothing_is_503(scratch):
    """A file that may not grow is a disk that is full."""
    with MqBroker(options=["-v", "--db", str(scratch / "mq.db"), "--metrics", f"{HOST}:0"]) as broker:
        watched = Watched(broker)
        assert watched.get("/healthz")[0] == 200
        resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (16 * 4096, resource.RLIM_INFINITY))
        with Raw(broker["tcp"].address) as client:
            client.connect(V5, "filler")
            client.send(w.publish(V5, "t", bytes(200_000), 1, 7, retain=1))
            wait_until(lambda: watched.get("/healthz")[0] == 503, DEADLINE, "503")
        status, _, text = watched.get("/healthz")
        assert status == 503 and text.strip() == watched.status()["fault"] != ""
        assert watched.metrics()["mqbroker_store_up",] == 0


def test_bad_http_clients_cost_others_nothing(watched):
    """The bounds themselves are in the unit tests; here the broker and its pages go on beside such clients."""
    odd = [b"\x16\x03\x01\x02\x00\x01" * 20, b"GET /metrics", b"A" * 20_000, b"GET / HTTP/1.1\r\n\r\n", b"", b"POST / HTTP/1.0\r\n\r\n" + b"x" * 100_000]
    sockets = []
    try:
        for data in odd:
            sockets.append(socket.create_connection((HOST, watched.port), DEADLINE))
            sockets[-1].sendall(data)
        sockets[-1].shutdown(socket.SHUT_WR)
        assert watched.get("/healthz")[0] == 200
        with Raw(watched.broker["tcp"].address) as client:
            client.connect(V5)
    finally:
        for each in sockets:
            each.close()


def test_an_address_in_use_is_4():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        place = f"{HOST}:{taken.getsockname()[1]}"
        assert_fails(run([program("mqbroker"), "-p", "0", "--metrics", place]), 4, "cannot listen", place, "in use")


# --- the page -------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def browser():
    with Chromium() as browser:
        yield browser


def tile(browser, name):
    return browser.value(f"document.querySelector('[data-name=\"{name}\"] dd')?.textContent")


def test_the_page_goes_with_the_time_and_asks_nobody_else(watched, browser):
    browser.open_url(watched.url + "/")
    assert tile(browser, "Clients").startswith(str(watched.status()["clients"])), "numbers are there at once"
    wait_until(lambda: tile(browser, "Messages in").startswith("0/s"), DEADLINE, "a rate")
    client = Paho.client(watched.broker["tcp"])
    try:
        def rate():
            client.publish("rate", b"x", 1).wait_for_publish(DEADLINE)
            return not tile(browser, "Messages in").startswith("0/s")
        wait_until(rate, DEADLINE, "another rate")
        wait_until(lambda: browser.value("document.querySelectorAll('#chart path').length") == 2, DEADLINE, "the picture")
    finally:
        Paho.leave(client)
    assert browser.value("document.getElementById('state').textContent") == "running"
    assert browser.complaints() == []
    asked = {url for url in browser.requests() if not url.startswith("data:")}
    assert asked == {watched.url + "/", watched.url + "/status.json"}


@pytest.mark.parametrize("scheme", ("light", "dark"))
@pytest.mark.parametrize("width", (1280, 390))
def test_the_page_is_whole_and_readable(watched, slow, browser, scratch, width, scheme):
    browser.open_url(watched.url + "/", width=width, scheme=scheme)
    wait_until(lambda: tile(browser, "Messages in") != "…", DEADLINE, "a second look")
    assert browser.value("document.documentElement.scrollWidth <= innerWidth"), "nothing is beside the window"
    assert browser.value("document.title") == "mqbroker" and browser.value("document.images.length") == 0
    assert browser.value("document.querySelector('#slow td').textContent") == slow, "text, whatever it says"
    assert browser.value("document.querySelector('#slow td:nth-child(2)').offsetWidth") > 90, "an address stays in one piece"
    assert browser.value("document.querySelector('#bridges td:nth-child(2)').textContent") == "not connected"
    ink, paper = (browser.value(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
    brightness = [sum(map(int, re.findall(r"\d+", color)[:3])) for color in (ink, paper)]
    assert brightness[0] < 200 < 600 < brightness[1] if scheme == "light" else brightness[1] < 200 < 600 < brightness[0]
    browser.screenshot(scratch / "page.png")
    assert (scratch / "page.png").stat().st_size > 10_000
    assert browser.complaints() == []


def test_a_page_whose_broker_has_gone_says_so(browser):
    with MqBroker(options=["--metrics", f"{HOST}:0"]) as broker:
        url = Watched(broker).url
        browser.open_url(url + "/")
        wait_until(lambda: tile(browser, "Messages in") != "…", DEADLINE, "a second look")
    wait_until(lambda: browser.value("document.getElementById('state').textContent").startswith("no answer"), DEADLINE, "the page's word")
