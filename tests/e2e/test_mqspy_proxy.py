"""mqspy proxy: what goes by is shown and judged, and nothing of it is changed."""

import contextlib
import hashlib
import os
import random
import socket
import struct
import subprocess
import threading

import pytest

from support import mqtt_wire, peers
from support.brokers import Aedes, Mosquitto
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.mqspy_proxy import SpyProxy, of_kind
from support.ports import HOST, free_port, wait_until
from support.proc import DEADLINE
from support.tools import assert_fails, assert_ok, mqpub, mqspy, start, unique

CONNECT = mqtt_wire.connect_v311("c", True)


@pytest.fixture(scope="module")
def brokers(certs):
    with MqBroker(certs, ("tcp", "tls", "ws", "wss")) as mqbroker, \
            Mosquitto(certs, ("tcp", "tls", "ws", "wss")) as mosquitto, Aedes(certs) as aedes:
        yield {"mqbroker": mqbroker, "mosquitto": mosquitto, "aedes": aedes}


@pytest.fixture(scope="module")
def broker(brokers):
    return brokers["mqbroker"]


class OursAsPeer:
    """mqpub and mqsub."""

    transports = ("tcp", "tls", "ws", "wss")

    def close(self):
        pass

    def publish(self, proxy, transport, version, messages):
        for topic, qos, payload in messages:
            assert_ok(mqpub(*proxy.args(transport), "-V", version, "-t", topic, "-q", qos, "-s", stdin=payload))

    def subscribe(self, proxy, transport, version, topic, qos):
        subscription = peers.Subscription()
        sub = start("mqsub", *proxy.args(transport), "-V", version, "-t", topic, "-q", qos, "-d")
        sub.wait_err(b"SUBACK")
        subscription.close = sub.stop
        subscription.take = lambda count: [sub.wait_out(payload) for payload in (b"one", b"two")]
        return subscription


PEERS = {"ours": OursAsPeer, "mosquitto": peers.MosquittoClients, "paho": peers.Paho, "mqtt.js": peers.MqttJs}


@pytest.fixture(scope="module", params=PEERS)
def peer(request):
    peer = PEERS[request.param]()
    yield peer
    peer.close()


@pytest.mark.parametrize("version,qos", [("5", 0), ("5", 2), ("311", 1), ("311", 2), ("31", 1)])
@pytest.mark.parametrize("name", ["mqbroker", "mosquitto", "aedes"])
def test_a_clean_conversation_has_no_error(brokers, peer, name, version, qos):
    if name == "aedes" and version == "5":
        pytest.skip("aedes speaks no MQTT 5")
    topic = unique()
    with SpyProxy(brokers[name]["tcp"]) as proxy:
        with peer.subscribe(proxy, "tcp", version, topic, qos) as subscription:
            peer.publish(proxy, "tcp", version, [(topic, qos, b"one"), (topic, qos, b"two")])
            subscription.take(2)
        found = proxy.end()
    assert len(of_kind(found, "pkt", type="PUBLISH", dir="c2s")) == 2
    assert not of_kind(found, "lint", sev="error"), of_kind(found, "lint")
    assert not of_kind(found, "gap")


@pytest.mark.parametrize("to", ["tcp", "tls", "ws", "wss"])
@pytest.mark.parametrize("transport", ["tcp", "tls", "ws", "wss"])
def test_every_transport_to_every_other(broker, transport, to):
    topic = unique()
    with SpyProxy(broker[to], transport=transport) as proxy:
        args = proxy.args(transport)
        with start("mqsub", *args, "-t", topic, "-C", 1, "-d") as sub:
            sub.wait_err(b"SUBACK")
            assert_ok(mqpub(*args, "-t", topic, "-q", 1, "-m", "through"))
            assert sub.wait().out == b"through\n"
        found = proxy.end()
    assert {each["transport"] for each in of_kind(found, "open")} == {transport}


def test_mosquitto_pub_trusts_the_throw_away_ca(broker):
    with SpyProxy(broker["tcp"], transport="tls") as proxy:
        subprocess.run(["mosquitto_pub", "-h", "localhost", "-p", str(proxy.port), "--cafile", proxy.ca_file,
                        "-t", "t", "-m", "x"], check=True, timeout=DEADLINE)
        assert b"PRIVATE" not in proxy.ca_file.read_bytes()
        stranger = subprocess.run(["mosquitto_pub", "-h", "localhost", "-p", str(proxy.port), "--capath", "/etc/ssl/certs",
                                   "-t", "t", "-m", "x"], capture_output=True, timeout=DEADLINE)
        assert stranger.returncode != 0


def test_an_own_certificate(broker, certs):
    with SpyProxy(broker["tls"], "--cert", certs.server, "--key", certs.server_key, transport="tls") as proxy:
        assert_ok(mqpub("-h", "localhost", "-p", proxy.port, "--cafile", certs.ca, "-t", "t", "-m", "x"))


def test_a_server_that_wants_a_certificate_gets_the_proxys(certs):
    with MqBroker(certs, ("tls",), ["--client-certs", "required", "--cafile", certs.ca]) as strict:
        with SpyProxy(strict["tls"], "--to-cert", certs.client, "--to-key", certs.client_key) as proxy:
            assert_ok(mqpub(*proxy.args(), "-t", "t", "-m", "x", "-q", 1))
        with SpyProxy(strict["tls"]) as proxy:
            assert mqpub(*proxy.args(), "-t", "t", "-m", "x", "-q", 1).code != 0


def test_the_throw_away_ca_is_written_where_it_is_asked_for(broker, tmp_path):
    url = f"mqtts://{HOST}:0"
    with start("mqspy", "proxy", "--listen", url, "--to", broker["tcp"].url, "--print-address", "--ca-out", tmp_path / "ca") as proxy:
        proxy.wait_out(b"mqtts://")
        assert (tmp_path / "ca").read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert_fails(mqspy("proxy", "--listen", url, "--to", "localhost", "--ca-out", tmp_path), 14, str(tmp_path))


def test_the_protocol_that_the_client_asks_for_is_the_servers(broker):
    with SpyProxy(broker["tls"], transport="tls") as proxy:
        asked = subprocess.run(["openssl", "s_client", "-connect", f"{HOST}:{proxy.port}", "-alpn", "other,mqtt",
                                "-servername", "localhost"], input=b"", capture_output=True, timeout=DEADLINE)
        assert b"ALPN protocol: mqtt" in asked.stdout


def test_web_socket_with_mqtt_js(broker):
    client = peers.MqttJs()
    topic = unique()
    with SpyProxy(broker["tcp"], transport="wss") as proxy:
        with client.subscribe(proxy, "wss", "5", topic, 1) as subscription:
            client.publish(proxy, "wss", "5", [(topic, 1, b"\0\xff")])
            assert subscription.take(1) == [(topic, 1, b"\0\xff")]
    client.close()


def test_secrets_are_hidden_unless_asked_for(broker):
    for options, shown in ((), False), (("--show-secrets",), True), (("--raw",), False):
        for form in ("--json",), ("-vv",):
            if "--raw" in options and form != ("--json",):
                continue
            with SpyProxy(broker["tcp"], *options, form=form) as proxy:
                assert_ok(mqpub(*proxy.args(), "-u", "u", "-P", "seeecret", "-t", "t", "-m", "x"))
                proxy.wait_record(b"DISCONNECT")
                proxy.proc.kill(15)
                out = proxy.proc.wait().out
            plain = b"seeecret" in out or b"c2VlZWNyZX" in out
            assert plain == shown, (options, form)


class Sink(threading.Thread):
    """A server that hashes what comes, and sends `answer` meanwhile."""

    def __init__(self, answer=b""):
        super().__init__(daemon=True)
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.answer, self.hash, self.size, self.end = answer, hashlib.sha256(), 0, None
        self.start()

    def run(self):
        peer, _ = self.listener.accept()
        talk = threading.Thread(target=peer.sendall, args=(self.answer,), daemon=True)
        talk.start()
        try:
            while data := peer.recv(1 << 16):
                self.hash.update(data)
                self.size += len(data)
            self.end = "fin"
        except ConnectionResetError:
            self.end = "reset"
        talk.join()
        peer.close()


def test_bytes_of_any_kind_pass_both_ways_and_half_closes_too():
    """Neither side's bytes are MQTT, and the server goes on after the client has ended."""
    up, down = random.Random(1).randbytes(3_000_000), random.Random(2).randbytes(5_000_000)
    server = Sink(down)
    with SpyProxy(f"mqtt://{HOST}:{server.port}") as proxy, socket.create_connection((HOST, proxy.port)) as client:
        client.settimeout(DEADLINE)
        talk = threading.Thread(target=lambda: (client.sendall(up), client.shutdown(socket.SHUT_WR)), daemon=True)
        talk.start()
        got = b""
        while len(got) < len(down):
            got += client.recv(1 << 16)
        server.join(DEADLINE)
        assert got == down
        assert server.hash.digest() == hashlib.sha256(up).digest() and server.end == "fin"
        assert client.recv(1) == b""


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_a_reset_is_a_reset_on_the_other_side():
    server = Sink()
    with SpyProxy(f"mqtt://{HOST}:{server.port}") as proxy:
        client = socket.create_connection((HOST, proxy.port))
        client.sendall(CONNECT)
        wait_until(lambda: server.size == len(CONNECT), DEADLINE, "the packet")
        reset(client)
        server.join(DEADLINE)
        assert server.end == "reset"
        proxy.wait_record(b'"k":"close"')
        [close] = of_kind(proxy.end(), "close")
        assert (close["by"], close["how"]) == ("client", "reset")


def test_two_stalled_sides_that_both_break_are_one_end():
    """Neither reads, so that the proxy does not read from either: it must see that both have gone all the same."""
    piece = mqtt_wire.publish("t", bytes(60_000), version=4)

    def stall(sock):
        sock.settimeout(0.2)
        try:
            while True:
                sock.send(piece)
        except TimeoutError:
            pass

    with socket.create_server((HOST, 0)) as listener:
        with SpyProxy(f"mqtt://{HOST}:{listener.getsockname()[1]}") as proxy:
            client = socket.create_connection((HOST, proxy.port), DEADLINE)
            server, _ = listener.accept()
            stalls = [threading.Thread(target=stall, args=(each,), daemon=True) for each in (client, server)]
            for each in stalls:
                each.start()
            for each in stalls:
                each.join(DEADLINE)
            reset(server)
            reset(client)
            proxy.wait_record(b'"k":"close"')
            assert len(of_kind(proxy.end(), "close")) == 1


def test_what_a_client_says_to_a_server_that_has_gone_is_shown():
    def go_away(connection):
        connection.expect(mqtt_wire.CONNECT)

    with FaultServer(go_away) as server, SpyProxy(server.url) as proxy:
        with socket.create_connection((HOST, proxy.port), DEADLINE) as client:
            client.sendall(CONNECT)
            assert client.recv(1) == b""
            for topic in "ab":  # the server's system answers the first one with a reset, so the second one cannot be written
                client.sendall(mqtt_wire.publish(topic, b"", version=4))
                wait_until(lambda: proxy.proc.out.count(b"PUBLISH") + proxy.proc.out.count(b"close"), DEADLINE, "a record")
        proxy.wait_record(b'"k":"close"')
        found = proxy.end()
    assert [each["topic"] for each in of_kind(found, "pkt", type="PUBLISH")] == ["a", "b"]
    assert len(of_kind(found, "close")) == 1


def test_a_broker_that_is_not_there_is_a_close_and_a_reason():
    with SpyProxy(f"mqtt://{HOST}:{free_port()}") as proxy:
        with socket.create_connection((HOST, proxy.port)) as client:
            client.settimeout(DEADLINE)
            assert client.recv(1) == b""
        proxy.wait_record(b'"k":"close"')
        [note] = of_kind(proxy.end(), "note")
        assert "refused" in note["text"] if "text" in note else "refused" in str(note)


def test_who_does_not_read_stops_the_other_side():
    """Hundreds of megabytes are on offer: the proxy may hold little of them, and what is shown is bounded, too."""
    stalled, stop = threading.Event(), threading.Event()

    def flood(connection):
        connection._socket.settimeout(0.5)
        piece = mqtt_wire.publish("t", bytes(60_000)) * 16
        while not stop.is_set():
            try:
                connection._socket.send(piece)
            except TimeoutError:
                stalled.set()

    with FaultServer(flood) as server, SpyProxy(f"mqtt://{HOST}:{server.port}", form=("--filter", "k==close")) as proxy:
        client = socket.create_connection((HOST, proxy.port))
        client.sendall(CONNECT)
        assert stalled.wait(DEADLINE)
        assert proxy.proc.peak_memory_bytes() < 150 << 20
        stop.set()
        client.close()


def test_a_huge_payload_passes_unchanged(broker, tmp_path):
    payload = random.Random(3).randbytes(10 << 20)
    (tmp_path / "p").write_bytes(payload)
    topic = unique()
    with SpyProxy(broker["tcp"], "-s", "10") as proxy:
        with start("mqsub", *proxy.args(), "-t", topic, "-C", 1, "-N", "-d") as sub:
            sub.wait_err(b"SUBACK")
            assert_ok(mqpub(*proxy.args(), "-t", topic, "-q", 1, "-f", tmp_path / "p"))
            assert sub.wait().out == payload


def test_of_a_huge_packet_little_is_held():
    """It may all have to wait to be looked at, up to 64 MiB of it, but it is not put together again."""
    server, packet = Sink(), mqtt_wire.publish("t", bytes(160 << 20), version=4)
    with SpyProxy(f"mqtt://{HOST}:{server.port}", form=("--filter", "k==close")) as proxy:
        with socket.create_connection((HOST, proxy.port), DEADLINE) as client:
            client.sendall(CONNECT)
            client.sendall(packet)
            wait_until(lambda: server.size == len(CONNECT) + len(packet), DEADLINE, "the packet")
            assert proxy.proc.peak_memory_bytes() < 140 << 20


@contextlib.contextmanager
def piped(to):
    """A proxy, its port, and its output, which nobody reads unless the test does."""
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as output:
        with start("mqspy", "proxy", "--listen", f"{HOST}:0", "--to", to, "--print-address", "--json", stdout=write_end) as proxy:
            os.close(write_end)
            yield proxy, int(output.readline().rsplit(b":", 1)[1]), output


def test_a_second_signal_ends_it_while_nobody_takes_its_output():
    server, packets = Sink(), CONNECT + mqtt_wire.publish("t", b"", version=4) * 20_000
    with piped(f"mqtt://{HOST}:{server.port}") as (proxy, port, _):
        with socket.create_connection((HOST, port), DEADLINE) as client:
            client.sendall(packets)
            wait_until(lambda: server.size == len(packets), DEADLINE, "all packets")
            proxy.kill(15)
            assert client.recv(1) == b""  # it has ended its connections, and waits to tell of them
            proxy.kill(2)
            assert proxy.wait().code == 130


def test_many_connections_at_once(broker):
    with SpyProxy(broker["tcp"]) as proxy:
        clients = [socket.create_connection((HOST, proxy.port)) for _ in range(200)]
        for n, client in enumerate(clients):
            client.sendall(mqtt_wire.connect_v311(f"many{n}", True))
        for client in clients:
            client.settimeout(DEADLINE)
            assert client.recv(4) == b"\x20\x02\0\0"
            client.close()
        wait_until(lambda: proxy.proc.out.count(b'"k":"close"') == 200, DEADLINE, "200 ends")
        found = proxy.end()
    assert len(of_kind(found, "pkt", type="CONNACK")) == 200


@pytest.mark.parametrize("number,code", [(2, 130), (15, 143)])
def test_a_signal_ends_it_in_order_with_all_that_was_seen(broker, number, code):
    with SpyProxy(broker["tcp"]) as proxy:
        client = socket.create_connection((HOST, proxy.port))
        client.sendall(CONNECT)
        client.settimeout(DEADLINE)
        assert client.recv(4) == b"\x20\x02\0\0"
        proxy.proc.kill(number)
        found = proxy.result(code)
        assert client.recv(1) == b""
    assert [each["type"] for each in of_kind(found, "pkt")] == ["CONNECT", "CONNACK"]
    assert len(of_kind(found, "close")) == 1


def test_who_reads_its_output_goes_away_and_the_proxy_ends_without_a_fault(broker):
    with piped(broker["tcp"].url) as (proxy, port, output):
        output.close()
        with socket.create_connection((HOST, port)):  # is a line, which nobody takes
            result = proxy.wait()
    assert result.code == 0 and result.err == b"", result


def test_a_port_in_use_is_one_line():
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert_fails(mqspy("proxy", "--listen", f"{HOST}:{port}", "--to", "mqtt://localhost"), 4, "in use", str(port))


@pytest.mark.parametrize("options,words", [
    ((), "--listen"), (("--listen", "127.0.0.1:0"), "--to"), (("--listen", "x:0", "--to", "localhost"), "IP address"),
    (("--listen", "127.0.0.1:0", "--to", "mqtt://u@h"), "user name"),
    (("--listen", "127.0.0.1:0", "--to", "h", "--ca-out", "f"), "--ca-out"),
    (("--listen", "127.0.0.1:0", "--to", "h", "--fault", "qos>0 do explode"), "column 10"),
    (("--listen", "127.0.0.1:0", "--to", "h", "--filter", "qos>"), "column 5"),
    (("--listen", "127.0.0.1:0", "--to", "h", "--stop-on", "qoss>1"), "column 1"),
    (("--listen", "127.0.0.1:0", "--to", "h", "--expect", "qos>1 within soon"), "column 14"),
    (("--listen", "127.0.0.1:0", "--to", "h", "surplus"), "surplus")])
def test_wrong_options_are_one_line(options, words):
    assert_fails(mqspy("proxy", *options), 2, words)


def test_filter_stop_on_and_expect(broker):
    topic = unique()
    with SpyProxy(broker["tcp"], "--filter", "type==PUBLISH && payload~b", "--stop-on", "topic==stop/now") as proxy:
        for payload in "abc":
            assert_ok(mqpub(*proxy.args(), "-t", topic, "-q", 1, "-m", payload))
        mqpub(*proxy.args(), "-t", "stop/now", "-m", "x")
        found = proxy.result(0)
    assert [each["payload"]["data"] for each in found] == ["b"]
    with SpyProxy(broker["tcp"], "--expect", f"topic=={topic}", "--expect", "type==DISCONNECT within 60s") as proxy:
        assert_ok(mqpub(*proxy.args(), "-t", topic, "-m", "x"))
        proxy.result(0)
    with SpyProxy(broker["tcp"], "--expect", "topic==never within 100ms") as proxy:
        proxy.result(13)
        assert b"topic==never" in proxy.proc.err


def test_a_taken_over_client_id_names_both_connections(broker):
    with SpyProxy(broker["tcp"]) as proxy:
        clients = []
        for _ in range(5):
            client = socket.create_connection((HOST, proxy.port))
            client.settimeout(DEADLINE)
            client.sendall(mqtt_wire.connect_v311("plc3", True))
            assert client.recv(4) == b"\x20\x02\0\0"
            if clients:
                assert clients[-1].recv(1) == b""
                clients[-1].close()
            clients.append(client)
        wait_until(lambda: proxy.proc.out.count(b'"k":"close"') == 4, DEADLINE, "four ends")
        ends = of_kind(proxy.end(), "close", why="taken-over")
    assert len(ends) == 4
    assert "client id plc3" in str(ends[0]) and "c2 from 127.0.0.1:" in str(ends[0])
    assert "in turns" not in str(ends[0]) and "in turns, 4 times" in str(ends[3])
