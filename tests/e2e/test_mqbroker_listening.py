"""Where mqbroker listens: nowhere beyond loopback unless that is meant, saying so, and sockets of a service manager."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import ssl
import stat
import subprocess

import pytest

from support import procfs
from support.mqbroker_runs import VALID, Running, address_of, assert_unusable, assert_usable, mqbroker
from support.ports import HOST, can_connect, wait_until
from support.proc import run
from support.tools import assert_fails, assert_ok, mqpub, program, start

UNITS = pathlib.Path(__file__).parents[2] / "tools/mqbroker"


# --- nobody from elsewhere, unless that is meant --------------------------------------------------------

ELSEWHERE = (("-h", "0.0.0.0"), ("-h", "::"), ("-h", "192.0.2.1"), ("--listen", "mqtt://[2001:db8::1]:1883"),
             ("--listen", "ws://0.0.0.0:8080/mqtt"))


@pytest.mark.parametrize("args", ELSEWHERE, ids=" ".join)
def test_beyond_loopback_needs_words(args):
    assert_unusable(*args, words=["--allow-anonymous", args[1].split("/")[2] if "//" in args[1] else args[1]])
    assert_usable(*args, "--allow-anonymous")


@pytest.mark.parametrize("args", (("-h", "127.0.0.2"), ("-h", "::1"), ("--listen", "unix:///nowhere/socket"), ()),
                         ids=" ".join)
def test_this_machine_needs_none(args):
    assert_usable(*args)


def test_beyond_loopback_required_client_certificates_do(certs):
    tls = ("--listen", "mqtts://0.0.0.0:0", "--cert", certs.server, "--key", certs.server_key, "--cafile", certs.ca)
    assert_unusable(*tls, words=["--client-certs required"])
    assert_unusable(*tls, "--client-certs", "optional", words=["--client-certs required"])
    assert_usable(*tls, "--client-certs", "required")


# --- listening, and saying so ---------------------------------------------------------------------------

def test_without_an_address_it_is_this_machine_by_ipv4_and_ipv6():
    with Running("-p", 0) as broker:
        broker.proc.wait_err(b"ready for")
        urls = broker.proc.out.decode().splitlines()
    port = address_of(urls[0])[1]
    assert urls[0] == f"mqtt://127.0.0.1:{port}"
    assert urls[1:] in ([], [f"mqtt://[::1]:{port}"]), "the same port, unless the machine has no IPv6"


def test_a_port_in_use_is_4_and_named():
    with Running("-h", HOST, "-p", 0) as broker:
        assert_fails(mqbroker("-h", HOST, "-p", broker.address[1]), 4, f"127.0.0.1:{broker.address[1]}", "in use")


def test_addresses_that_cannot_be_printed_are_14():
    with open("/dev/full", "wb") as full:
        result = mqbroker("-p", 0, "--print-address", stdout=full)
    assert result.code == 14 and "standard output" in result.err_text, result


def test_ready_fd_gets_a_newline_and_is_closed():
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe:
        with start("mqbroker", "-h", HOST, "-p", 0, "--print-address", "--ready-fd", writing,
                   pass_fds=[writing]) as proc:
            os.close(writing)
            assert pipe.read() == b"\n"  # to its end
            line = wait_until(lambda: proc.out.decode().splitlines(), 15, "the address")[0]
            assert can_connect(address_of(line))


def test_ready_fd_that_cannot_be_written_is_2():
    with open("/dev/null", "rb") as null:
        assert_fails(mqbroker("-p", 0, "--ready-fd", null.fileno(), pass_fds=[null.fileno()]), 2, "cannot be written")


def test_a_service_manager_is_told(scratch):
    path = scratch / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(15)
        with start("mqbroker", "-p", 0, env={"NOTIFY_SOCKET": str(path)}) as proc:
            assert manager.recv(100) == b"READY=1"
            proc.kill(signal.SIGTERM)
            assert manager.recv(100) == b"STOPPING=1"


def test_unix_socket_has_its_mode_and_goes_with_the_broker(scratch):
    path = scratch / "socket"
    with Running("--listen", f"unix://{path}", "--unix-mode", "0600") as broker:
        assert broker.urls == [f"unix://{path}"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert_ok(mqpub("-L", broker.urls[0], "-t", "t", "-m", "x", "-q", 2))
        broker.proc.kill(signal.SIGTERM)
        assert broker.proc.wait(10).code == 143
    assert not path.exists()


@pytest.mark.parametrize("threads, apart", ((1, False), (2, True), (3, True)))
def test_connections_without_tls_have_other_threads_than_those_with_tls(certs, threads, apart):
    def watching(connect):
        """The loop that watches this connection."""
        before = set(os.listdir(f"/proc/{broker.proc.pid}/fd"))

        def found():
            return [fd for fd, watched in procfs.epoll_watches(broker.proc.pid).items() if watched - before]
        kept.enter_context(contextlib.closing(connect()))
        wait_until(found, 15, "a thread that watches it")
        return found()

    def connect_tls():
        return ssl.create_default_context(cafile=certs.ca).wrap_socket(
            socket.create_connection(address_of(broker.urls[1])), server_hostname=HOST)

    with contextlib.ExitStack() as kept, Running(
            "--threads", threads, "--cert", certs.server, "--key", certs.server_key, "--listen", f"mqtt://{HOST}:0",
            "--listen", f"mqtts://{HOST}:0", count=2) as broker:
        plain = watching(lambda: socket.create_connection(address_of(broker.urls[0])))
        for _ in range(3):
            assert (watching(connect_tls) != plain) == apart


# --- sockets of a service manager -----------------------------------------------------------------------

@contextlib.contextmanager
def activation(*sockets, names="", pid="$$", count=None):
    """How to start mqbroker with these sockets, as systemd does: from descriptor 3 on, and told of them."""
    high = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 100) for one in sockets]
    moves = " ".join(f"{3 + n}<&{fd} {fd}<&-" for n, fd in enumerate(high))
    variables = f"LISTEN_PID={pid} LISTEN_FDS={len(high) if count is None else count} LISTEN_FDNAMES={names}"
    try:
        yield {"before": ("bash", "-c", f'exec {moves}; {variables} exec "$@"', "bash"), "pass_fds": high}
    finally:
        for fd in high:
            os.close(fd)


def listening(place=(HOST, 0)):
    one = socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET)
    one.bind(place)
    one.listen()
    return one


def url_of(one, scheme="mqtt"):
    return f"{scheme}://{HOST}:{one.getsockname()[1]}"


def say(url, *options):
    assert_ok(mqpub("-L", url, "-t", "t", "-m", "x", "-q", 1, *options))


@pytest.mark.parametrize("threads", (1, 3))
def test_an_inherited_socket_replaces_the_default(threads):
    with listening() as one, activation(one) as how, Running("--threads", threads, **how) as broker:
        broker.proc.wait_err(b"ready for")
        assert broker.proc.out.decode().splitlines() == [url_of(one)]
        say(url_of(one))


@pytest.mark.parametrize("where", ("typed", "file"))
def test_what_else_is_said_comes_in_addition(scratch, where):
    file = scratch / "mq.toml"
    file.write_text("[[listener]]\nurl = \"mqtt://127.0.0.1:0\"\n")
    args = ("-h", HOST, "-p", 0) if where == "typed" else ("-c", file)
    with listening() as one, activation(one) as how, Running(*args, count=2, **how) as broker:
        assert broker.urls[0] == url_of(one) and address_of(broker.urls[1])[1] not in (0, address_of(broker.urls[0])[1])
        for url in broker.urls:
            say(url)


def test_names_of_inherited_sockets_say_what_is_spoken(certs, scratch):
    path = scratch / "inherited"
    tls = ("--cert", certs.server, "--key", certs.server_key)
    with (listening() as ws, listening() as mqtts, listening() as other, listening() as wss,
          listening(str(path)) as local,
          activation(ws, mqtts, other, wss, local, names="ws:mqtts:mq.socket:wss") as how,
          Running(*tls, count=5, **how) as broker):
        say(url_of(ws, "ws"))
        say(url_of(mqtts, "mqtts"), "--cafile", certs.ca)
        say(url_of(other))
        say(url_of(wss, "wss"), "--cafile", certs.ca)
        say(f"unix://{path}")
        assert broker.urls[4] == f"unix://{path}"
        broker.proc.kill(signal.SIGTERM)
        assert broker.proc.wait(10).code == 143
    assert path.exists(), "it is the service manager's"


def test_an_inherited_socket_beyond_loopback_needs_words(certs):
    tls = ("--cert", certs.server, "--key", certs.server_key, "--cafile", certs.ca)
    with listening(("0.0.0.0", 0)) as one:
        with activation(one) as how:
            for check in ((), ("--check-config",)):
                assert_fails(mqbroker(*check, **how), 2, "0.0.0.0", "--allow-anonymous")
            assert mqbroker("--check-config", "--allow-anonymous", **how).err_text == VALID
        with activation(one, names="mqtts") as how:
            assert_fails(mqbroker("--check-config", *tls, **how), 2, "--client-certs required")
            assert mqbroker("--check-config", *tls, "--client-certs", "required", **how).err_text == VALID


def test_sockets_for_another_process_are_not_touched():
    with listening() as one, activation(one, pid=1) as how, Running("-h", HOST, "-p", 0, **how) as broker:
        broker.proc.wait_err(b"ready for")
        assert broker.proc.err.count(b"listening on") == 1 and broker.urls != [url_of(one)]


def test_programs_that_it_starts_see_nothing_of_inherited_sockets(certs, scratch):
    key, seen = scratch / "encrypted.key", scratch / "seen"
    subprocess.run(["openssl", "pkey", "-in", certs.server_key, "-aes256", "-passout", "pass:word", "-out", key],
                   check=True, capture_output=True)
    command = f"{{ env; ls -l /proc/$$/fd; }} > {seen}; echo word"
    with listening() as one, activation(one, names="mqtts") as how:
        result = mqbroker("--check-config", "--cert", certs.server, "--key", key, "--keypass-cmd", command, **how)
    assert result.err_text == VALID, result
    assert "PATH=" in seen.read_text() and "LISTEN_" not in seen.read_text() and "socket:" not in seen.read_text()


def test_inherited_descriptors_that_cannot_be_used_are_2():
    with listening() as one, socket.socket() as idle, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        for sockets, count, word in (((one,), "x", "'x' is not a number"), ((one,), "-1", "'-1'"), ((one,), "", "''"),
                                     ((one,), 2, "descriptor 4"), ((one, idle), 2, "descriptor 4"),
                                     ((udp,), 1, "descriptor 3"), ((), 65535, "descriptor 3")):
            with activation(*sockets, count=count) as how:
                assert_fails(mqbroker("--check-config", **how), 2, "LISTEN_FDS", word)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_takes_the_units(scratch):
    (scratch / "mqbroker").symlink_to(program("mqbroker"))  # whose path may have spaces
    service = (UNITS / "mqbroker.service.in").read_text()
    (scratch / "mqbroker.service").write_text(service.replace("@MQ_BINDIR@", str(scratch)))
    (scratch / "mqbroker.socket").write_text((UNITS / "mqbroker.socket").read_text())
    result = run(["systemd-analyze", "verify", "./mqbroker.service", "./mqbroker.socket"], cwd=scratch)
    assert (result.code, result.err) == (0, b""), result
