"""How programs end, or go on: two cuts in a row, sessions kept or ended, wills, ignored signals, blocked output."""

import fcntl
import os
import signal
import sys
import termios
import threading
import time

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.peers import Paho
from support.ports import wait_until
from support.tools import assert_fails, assert_ok, mqpub, mqsub, start, unique

AGAIN = ("--reconnect", "--retry-delay", "10ms..20ms")


@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


# --- sessions -------------------------------------------------------------------------------------------

def test_a_subscription_lost_with_the_session_and_cut_again_is_asked_for_again():
    """The session of the third connection is there, but only the second one's: without a subscription."""
    served = []

    def script(connection):
        served.append(connection)
        turn = len(served)
        connection.expect(wire.CONNECT)
        connection.send(wire.connack(connection.version, session_present=int(turn == 3)))
        request = connection.expect(wire.SUBSCRIBE)
        if turn == 2:
            return  # the SUBSCRIBE is lost
        connection.send(wire.suback(request.packet_id, connection.version, [0]))
        if turn == 3:
            connection.send(wire.publish("t", b"at last"))
            connection.drain()
    with FaultServer(script) as server:
        result = mqsub("-L", server.url, "-V", "5", *AGAIN, "--quiet", "-t", "t", "-C", 1)
    assert result.code == 0 and result.out == b"at last\n", result
    assert len(served) == 3


@pytest.mark.parametrize("asked, kept", [((), True), (("-x", "0"), False)], ids=("own choice", "-x 0"))
def test_a_session_for_the_reconnect_is_kept_unless_asked_otherwise(asked, kept):
    with FaultServer(faults.after_connack()) as server:
        assert_ok(mqpub("-L", server.url, "-V", "5", *AGAIN, *asked, "-t", "t", "-m", "x"))
        connect, *_, goodbye = server.connections[0].received
    five_minutes = wire.properties({wire.SESSION_EXPIRY_INTERVAL: 300})[1:]
    assert (five_minutes in connect.body) == kept, connect
    assert goodbye.kind == wire.DISCONNECT
    ended = wire.properties({wire.SESSION_EXPIRY_INTERVAL: 0})[1:]
    assert (ended in goodbye.body) == kept, f"what the program kept of its own accord it ends\n{goodbye}"


@pytest.mark.parametrize("version", ("5", "311"))
def test_will_on_exit_publishes_the_will(broker, version):
    """Before MQTT 5 a DISCONNECT deletes the will."""
    wills, topic = unique("wills"), unique()
    with Paho().subscribe(broker, "tcp", "5", wills, 1) as observer:
        with start("mqsub", *broker.args(), "-V", version, "--will-topic", wills, "--will-payload", "gone",
                   "--will-on-exit", "-t", topic) as sub:
            broker.wait_subscribed(topic)
            sub.kill(signal.SIGTERM)
            assert sub.wait(5).code == 143
        assert observer.take(1) == [(wills, 0, b"gone")]


@pytest.mark.parametrize("version, goodbyes", [("5", [b"\x04"]), ("311", [])])
def test_will_on_exit_says_goodbye_with_the_will_or_not_at_all(version, goodbyes):
    subscribed = threading.Event()

    def script(connection):
        connection.accept()
        connection.accept_subscription()
        subscribed.set()
        connection.drain()
    with FaultServer(script) as server:
        with start("mqsub", "-L", server.url, "-V", version, "--will-topic", "w", "--will-on-exit", "-t", "t") as sub:
            assert subscribed.wait(5)
            sub.kill(signal.SIGTERM)
            assert sub.wait(5).code == 143
    assert [p.body[:1] for p in server.connections[0].received if p.kind == wire.DISCONNECT] == goodbyes


# --- mqpub ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("qos", (0, 1))
def test_a_last_repeated_message_that_is_refused_here_ends_it(qos):
    """No answer and no drained output follows it: it comes from a timer."""
    with FaultServer(faults.after_connack(maximum_packet_size=100)) as server:
        result = mqpub("-L", server.url, "-t", "t", "-m", "x" * 300, "-q", qos, "--repeat", 2,
                       "--repeat-delay", "20ms", seconds=10)
    assert result.code == 10 and result.out == b"", result
    assert [line.startswith("mqpub: ") and "100" in line for line in result.err_lines] == [True, True], result


# --- signals --------------------------------------------------------------------------------------------

def test_an_ignored_sigint_stays_ignored(broker):
    """As a shell starts what is put into the background."""
    topic = unique()
    ignore = lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)  # noqa: E731
    with start("mqsub", *broker.args(), "-t", topic, preexec=ignore) as sub:
        broker.wait_subscribed(topic)
        sub.kill(signal.SIGINT)
        assert_ok(mqpub(*broker.args(), "-t", topic, "-m", "still here"))
        sub.wait_out(b"still here\n", 5)
        sub.kill(signal.SIGTERM)
        assert sub.wait(5).code == 143


STAYS = {"mqpub": ("-t", "t", "-l"), "mqsub": ("-t", "t"), "mqreq": ("-t", "t", "-e", "r", "-n", "-W", 0)}


@pytest.fixture(params=STAYS)
def tool(request):
    return request.param


class Working:
    """A program that has begun its work, with a server that does not hang up when it is told goodbye."""

    def __init__(self, tool):
        self.said_goodbye, self._works, self._over = threading.Event(), threading.Event(), threading.Event()
        self._server = FaultServer(self._serve)
        self.proc = start(tool, "-L", self._server.url, *STAYS[tool], stdin=None)
        if tool == "mqpub":
            self.proc.write(b"first\n")
        assert self._works.wait(10)

    def _serve(self, connection):
        connection.accept()
        for packet in iter(connection.packet, None):
            if packet.kind == wire.SUBSCRIBE:
                connection.send(wire.suback(packet.packet_id, connection.version, [0]))
            if packet.kind == wire.DISCONNECT:
                self.said_goodbye.set()
                self._over.wait(10)
                return
            self._works.set()

    def __enter__(self):
        return self

    def __exit__(self, *how):
        self._over.set()
        self.proc.stop()
        self._server.__exit__(*how)


@pytest.mark.parametrize("second, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_it_at_once(tool, second, code):
    """The first one would still wait two seconds for the server's end."""
    with Working(tool) as working:
        working.proc.kill(signal.SIGINT)
        assert working.said_goodbye.wait(10)
        before = time.monotonic()
        working.proc.kill(second)
        assert working.proc.wait(5).code == code
        assert time.monotonic() - before < 1.5


def test_a_server_that_does_not_hang_up_is_not_waited_for_long(tool):
    with Working(tool) as working:
        working.proc.kill(signal.SIGTERM)
        result = working.proc.wait(15)
    assert result.code == 143 and working.said_goodbye.is_set(), result


LINES_OF_STATISTICS = {"mqpub": "sent 1, acked 0", "mqsub": "0 messages received", "mqreq": "0 of 1 replies received"}


def test_sigusr1_is_a_line_of_statistics_and_no_end(tool):
    with Working(tool) as working:
        for count in (1, 2):
            working.proc.kill(signal.SIGUSR1)
            wait_until(lambda: working.proc.err.count(b"\n") == count, 5, "a line")
        assert working.proc.running and working.proc.out == b""
        assert all(LINES_OF_STATISTICS[tool] in line for line in working.proc.err.decode().splitlines())


@pytest.mark.parametrize("words", (("--help",), ("--version",), ("--show-config",)), ids=" ".join)
def test_words_that_cannot_be_written_are_14(tool, words):
    args = STAYS[tool] + words if "--show-config" in words else words
    with open("/dev/full", "wb") as full, start(tool, *args, stdout=full) as proc:
        assert_fails(proc.wait(5), 14, "No space left")
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as unread, start(tool, *args, stdout=unread) as proc:
        assert_ok(proc.wait(5))


# --- deadlines ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("args, ends_after", [(("-W", "1s", "--idle-timeout", "9s"), "1s"),
                                              (("-W", "9s", "--idle-timeout", "1s"), "nothing came for 1s")])
def test_the_shorter_of_two_deadlines_ends_it(broker, args, ends_after):
    result = assert_fails(mqsub(*broker.args(), "-t", unique(), "--fail-on-timeout", *args), 9, ends_after)
    assert result.seconds < 7, result


def test_silence_counts_from_the_subscription_and_a_deadline_from_the_start():
    def script(connection):
        connection.expect(wire.CONNECT)
        time.sleep(0.8)
        connection.send(wire.connack(connection.version))
        connection.accept_subscription()
        connection.drain()
    with FaultServer(script) as server:
        result = assert_ok(mqsub("-L", server.url, "-t", "t", "--idle-timeout", "400ms"))
        assert result.seconds >= 1.1, result
        assert_fails(mqsub("-L", server.url, "-t", "t", "-W", "400ms"), 7, "400ms")


# --- blocked standard output ----------------------------------------------------------------------------

PIPE_BYTES = 4096
LINE_BYTES = 1001
LINES = [b"%0*d\n" % (LINE_BYTES - 1, number) for number in range(60)]


class SlowReader:
    """A small pipe for a program's standard output that nobody reads until rest() is called."""

    def __init__(self):
        self._read_end, self.write_end = os.pipe()
        fcntl.fcntl(self._read_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._read_end)
        self.close_write_end()

    def close_write_end(self):
        """Ours; the program has its own."""
        if self.write_end is not None:
            os.close(self.write_end)
        self.write_end = None

    def full(self):
        waiting = bytearray(4)
        fcntl.ioctl(self._read_end, termios.FIONREAD, waiting)
        return int.from_bytes(waiting, sys.byteorder) == PIPE_BYTES

    def rest(self):
        data = b""
        while chunk := os.read(self._read_end, 1 << 16):
            data += chunk
        return data


def lines_at_qos_1(connection):
    connection.accept()
    connection.accept_subscription()
    connection.send(b"".join(wire.publish("t", line[:-1], 1, i) for i, line in enumerate(LINES, 1)))
    connection.drain()


def acknowledged(server):
    return [p.packet_id for p in server.connections[0].received if p.kind == wire.PUBACK]


def blocked(server, reader, *args):
    """mqsub whose standard output takes no more."""
    sub = start("mqsub", "-L", server.url, "-t", "t", "-q", 1, *args, stdout=reader.write_end)
    reader.close_write_end()
    wait_until(reader.full, 5, "output")
    return sub


def test_what_was_received_is_written_after_the_connection_has_ended():
    message = b"x" * 10 * PIPE_BYTES
    with FaultServer(faults.subscribed_then(wire.publish("t", message), close=True)) as server, \
            SlowReader() as reader, blocked(server, reader) as sub:
        sub.wait_err(b"mqsub: ")  # the connection is lost
        assert sub.running, "the output still waits"
        assert reader.rest() == message + b"\n"
        assert_fails(sub.wait(5), 8)


def test_what_was_received_is_written_after_the_deadline_and_only_that_is_acknowledged():
    deadline = time.monotonic() + 1.5
    with FaultServer(lines_at_qos_1) as server, SlowReader() as reader:
        with blocked(server, reader, "-W", "1500ms") as sub:
            time.sleep(max(0.0, deadline + 0.3 - time.monotonic()))  # less than the grace of 2 s
            written = reader.rest()
            assert_ok(sub.wait(5))
    count = len(written) // LINE_BYTES
    assert count > PIPE_BYTES // LINE_BYTES and written == b"".join(LINES[:count])
    assert acknowledged(server) == [*range(1, count + 1)]


def test_output_blocked_for_good_is_14_after_the_grace_and_not_acknowledged():
    with FaultServer(lines_at_qos_1) as server, SlowReader() as reader:
        with blocked(server, reader, "-W", "1s") as sub:
            result = assert_fails(sub.wait(10), 14, "standard output is blocked")
    assert result.seconds > 2, result
    assert acknowledged(server) == [*range(1, PIPE_BYTES // LINE_BYTES + 1)]


@pytest.mark.parametrize("resumes, code", [(True, 8), (False, 14)], ids=("reader resumes", "for good"))
def test_the_deadline_ends_the_wait_for_the_output_of_an_ended_connection(resumes, code):
    message = b"x" * 10 * PIPE_BYTES
    deadline = time.monotonic() + 1.5
    with FaultServer(faults.subscribed_then(wire.publish("t", message), close=True)) as server, \
            SlowReader() as reader, blocked(server, reader, "-W", "1500ms") as sub:
        if resumes:
            time.sleep(max(0.0, deadline + 0.3 - time.monotonic()))  # less than the grace of 2 s
            assert reader.rest() == message + b"\n"
        result = sub.wait(10)
    assert result.code == code, result
    assert "connection" in result.err_lines[0] and ("blocked" in result.err_text) != resumes, result
