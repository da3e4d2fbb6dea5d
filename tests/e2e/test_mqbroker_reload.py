"""mqbroker and SIGHUP: users, access rules, certificates and log level are read again, and nobody is cut off."""

import shutil
import signal
import socket
import ssl

import pytest

from conformance import wire as w
from conformance.wire import V5
from support.malformed import Raw
from support.mqbroker import MqBroker
from support.mqtt_wire import CONNACK, PINGRESP, PUBACK, SUBACK
from support.ports import HOST
from support.proc import run
from support.tools import assert_ok, program

RELOADED, REFUSED = "SIGHUP: users, access rules", "SIGHUP: nothing is changed: "


def passwd(file, user, word):
    assert_ok(run([program("mqbroker"), "passwd", str(file), user, "--iterations", "1", "--password-env", "WORD"], env={"WORD": word}))


def reload(broker, line=RELOADED):
    """Sends SIGHUP and waits for what is said of it, which it gives."""
    before = broker.log_count(line)
    broker.proc.kill(signal.SIGHUP)
    broker.wait_log(line, before + 1)
    return next(text for text in reversed(broker.proc.err.decode().splitlines()) if line in text)


class Login(Raw):
    """A connection and the code of its CONNACK."""

    def __init__(self, broker, user, password):
        super().__init__(broker["tcp"].address)
        self.send(w.connect(V5, f"c-{user}", username=user, password=password.encode()))
        self.code = self.expect(CONNACK).body[1]

    def publish(self, topic):
        self.send(w.publish(V5, topic, b"x", 1, 7))
        return self.expect(PUBACK).body[2:3] != b"\x87"


@pytest.fixture
def files(tmp_path):
    """Passwords of joe and rules."""
    passwd(tmp_path / "users", "joe", "one")
    (tmp_path / "rules").write_text("user joe\ntopic a\n")
    return tmp_path


def serve(files, *options, **how):
    return MqBroker(options=["--password-file", files / "users", "--acl-file", files / "rules", *options], **how)


def test_users_and_rules_change_and_nobody_is_cut_off(files):
    with serve(files) as broker, Login(broker, "joe", "one") as joe:
        assert joe.code == 0 and joe.publish("a") and not joe.publish("b")
        passwd(files / "users", "joe", "two")
        passwd(files / "users", "jim", "three")
        (files / "rules").write_text("user joe\ntopic b\n")
        assert not joe.publish("b"), "before SIGHUP everything is as it was"
        reload(broker)
        assert joe.publish("b") and not joe.publish("a"), "on the connection that was there"
        for user, word, code in (("joe", "one", 0x86), ("joe", "two", 0), ("jim", "three", 0)):
            with Login(broker, user, word) as login:
                assert login.code == code, (user, word)


@pytest.mark.parametrize("name,text,words", (
    ("users", "joe:plain secret\n", ("users:1: ",)), ("rules", "user joe\ntopic a\ntopic deny\n", ("rules:3: ",)),
    ("users", None, ("No such file",)), ("rules", None, ("No such file",))))
def test_a_broken_file_changes_nothing(files, name, text, words):
    with serve(files) as broker, Login(broker, "joe", "one") as joe:
        # The other file is good, and is not taken either.
        passwd(files / "users", "jim", "two")
        (files / "rules").write_text("user joe\ntopic b\n")
        if text is None:
            (files / name).unlink()
        else:
            (files / name).write_text(text)
        line = reload(broker, REFUSED)
        assert all(word in line for word in words) and "secret" not in line
        assert joe.publish("a") and not joe.publish("b")
        for user, code in (("joe", 0), ("jim", 0x86)):
            with Login(broker, user, "one" if user == "joe" else "two") as login:
                assert login.code == code


def test_what_was_allowed_once_is_looked_at_again(files):
    """A will, a retained message and one that waits in a session, when the rules have changed before they are due."""
    def enter(client, name, **how):
        client.connect(V5, name, clean=False, username="joe", password=b"one", props={w.P.SESSION_EXPIRY: 1000}, **how)

    (files / "rules").write_text("user joe\ntopic a\ntopic write b\nuser jim\ntopic #\n")
    passwd(files / "users", "jim", "two")
    with serve(files, "-v") as broker, Login(broker, "jim", "two") as jim:
        jim.send(w.subscribe(V5, 1, [("b", 1)]))
        jim.expect(SUBACK)
        with Raw(broker["tcp"].address) as away, Raw(broker["tcp"].address) as dying:
            enter(away, "away")
            away.send(w.subscribe(V5, 1, [("a", 1)]))
            away.expect(SUBACK)
            away.send(w.disconnect(V5))
            assert away.rest() == []
            enter(dying, "dying", will=w.Will("b", b"gone", 1))
            jim.send(w.publish(V5, "a", b"kept", 1, 9, retain=1))
            jim.expect(PUBACK)
            (files / "rules").write_text("user joe\ntopic c\nuser jim\ntopic #\n")
            reload(broker)
        broker.wait_log("client 'dying' .*disconnected: connection lost")
        jim.send(w.PING)
        assert jim.packet().kind == PINGRESP, "no will"
        with Raw(broker["tcp"].address) as back:
            enter(back, "away")
            back.send(w.subscribe(V5, 1, [("a", 1), ("#", 1)]) + w.PING)
            assert back.expect(SUBACK).body[-2:] == bytes([0x87, 1])
            assert back.packet().kind == PINGRESP, "no message"


def serial_of(broker, certs):
    """The serial number of the certificate that a new connection is shown."""
    context = ssl.create_default_context(cafile=certs.ca)
    with socket.create_connection((HOST, broker["tls"].port), 20) as plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
        return tls.getpeercert()["serialNumber"]


def test_certificates_are_renewed_for_new_connections(tmp_path, certs):
    class Ours:
        ca, server, server_key = certs.ca, tmp_path / "server.pem", tmp_path / "server.key"
    shutil.copy(certs.server, Ours.server)
    shutil.copy(certs.server_key, Ours.server_key)
    with MqBroker(Ours, ("tcp", "tls")) as broker, Raw(broker["tcp"].address) as client:
        client.connect()
        before = serial_of(broker, certs)
        Ours.server.write_text("no certificate")
        reload(broker, REFUSED)
        assert serial_of(broker, certs) == before and client.alive()
        shutil.copy(certs.client, Ours.server)
        shutil.copy(certs.client_key, Ours.server_key)
        reload(broker)
        context = ssl._create_unverified_context()
        with socket.create_connection((HOST, broker["tls"].port), 20) as plain, context.wrap_socket(plain) as tls:
            shown = tls.getpeercert(binary_form=True)
        assert shown == ssl.PEM_cert_to_DER_cert(first_certificate(certs.client)) and client.alive()


def first_certificate(path):
    text = path.read_text()
    end = "-----END CERTIFICATE-----\n"
    return text[text.index("-----BEGIN CERT"):text.index(end) + len(end)]


def test_the_log_level_comes_from_the_file_unless_it_was_typed(tmp_path):
    config = tmp_path / "mq.toml"
    connected = r"client 'watched' .* connected"
    for typed in ((), ("-v",)):
        config.write_text("verbose = false\n")
        with MqBroker(options=["-c", config, *typed]) as broker:
            def connect():
                with Raw(broker["tcp"].address) as client:
                    client.connect(client_id="watched")
                    assert client.alive()
            connect()
            config.write_text("debug = true\n" if not typed else "verbose = false\n")
            reload(broker)
            connect()
            broker.wait_log(connected, 1 + len(typed))
            assert broker.log_count(connected) == 1 + len(typed), "the first one shows only if it was typed"
            config.write_text("verbose = 7\n")
            assert typed or "mq.toml:1" in reload(broker, REFUSED)
            connect()
            broker.wait_log(connected, 2 + len(typed))
            assert (b"CONNECT" in broker.proc.err) == (not typed), "packets are shown with debug"
