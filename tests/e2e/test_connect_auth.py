"""MQTT 5 enhanced authentication: SCRAM against a server of Python's own, and tokens that are renewed."""

import base64
import json
import pathlib
import time

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.fault_server import FaultServer
from support.ports import wait_until
from support.proc import run
from support.scram import HASHES, ScramServer
from support.tools import assert_fails, assert_ok, mqpub, mqsub, program, start

USER, PASSWORD = "joe", "pencil, Bleistift = карандаш"


def scram(method="SCRAM-SHA-256", user=USER):
    return ("--scram-user", user, *(() if method == "SCRAM-SHA-256" else ("--auth-method", method)))


@pytest.fixture
def secret(tmp_path):
    """--password-file of the right password."""
    (tmp_path / "password").write_text(PASSWORD + "\n", encoding="utf-8")
    return ("--password-file", tmp_path / "password")


def publish(server, *args, **how):
    return mqpub("-L", server.url, "-t", "t", "-m", "x", "-q", "1", *args, **how)


def authenticate(connection, method, *, change=lambda step, data: data, **server):
    """One whole exchange, up to CONNACK; `change` may alter what the server says at step "first" and "final"."""
    server = ScramServer(method, USER, PASSWORD, **server)
    connect = connection.expect(wire.CONNECT)
    assert connect.authentication[0] == method.encode()
    first = change("first", server.first(connect.authentication[1]))
    connection.send(wire.auth(0x18, method, first))
    answer = connection.expect(wire.AUTH)
    assert answer.body[0] == 0x18 and answer.authentication[0] == method.encode()
    final = server.final(answer.authentication[1])
    if final is None:
        connection.send(wire.connack(5, 0x87, props=wire.authentication(method, b"e=invalid-proof")))
        return connection.drain()
    final = change("final", final)
    connection.send(wire.connack(5, props=wire.authentication(method, final)))
    return None


def take_publish(connection):
    packet = connection.expect(wire.PUBLISH)
    connection.send(wire.ack(wire.PUBACK, packet.packet_id, 5))
    connection.drain()


# --- SCRAM ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("method", HASHES)
def test_scram_is_driven_to_its_end(method, secret):
    def script(connection):
        authenticate(connection, method)
        take_publish(connection)
    with FaultServer(script) as server:
        assert_ok(publish(server, *scram(method), *secret))
    connect = server.connections[0].received[0]
    assert connect.credentials == (None, None), "what SCRAM is for: the password stays here"


@pytest.mark.parametrize("tool, args", (("mqsub", ("-t", "t", "-E")), ("mqreq", ("-t", "t", "-e", "r", "-m", "x", "-W", "3s"))))
def test_scram_is_for_every_program(tool, args, secret):
    def script(connection):
        authenticate(connection, "SCRAM-SHA-256")
        connection.accept_subscription()
        connection.drain()
    with FaultServer(script) as server:
        result = run([program(tool), "-L", server.url, *map(str, (*scram(), *secret)), *args])
    assert result.code == (0 if tool == "mqsub" else 9), result


def test_scram_takes_its_user_from_u_or_the_url_and_escapes_it(secret):
    def script(connection):
        connection.expect(wire.CONNECT)
    for user, sent in (("joe", b"n,,n=joe,r="), ("a,b=c", b"n,,n=a=2Cb=3Dc,r=")):
        with FaultServer(script) as server:
            publish(server, "--auth-method", "SCRAM-SHA-1", "-u", user, *secret)
        connect = server.connections[0].received[0]
        assert connect.authentication[1].startswith(sent)
        assert connect.credentials == (user.encode(), None)
    with FaultServer(script) as server:
        mqpub("-L", f"mqtt://joe:pw@127.0.0.1:{server.port}", "--auth-method", "SCRAM-SHA-1", "-t", "t", "-n")
    assert server.connections[0].received[0].authentication[1].startswith(b"n,,n=joe,r=")


def test_each_login_has_a_nonce_of_its_own(secret):
    def script(connection):
        connection.expect(wire.CONNECT)
    with FaultServer(script) as server:
        for _ in range(2):
            publish(server, *scram(), *secret)
    first, second = (c.received[0].authentication[1] for c in server.connections)
    assert first != second and len(first) == len(second) >= len("n,,n=joe,r=") + 24


def test_a_reconnect_is_a_login_of_its_own(secret):
    def script(connection):
        authenticate(connection, "SCRAM-SHA-256")
        connection.accept_subscription()
        if len(server.connections) == 2:
            connection.send(wire.publish("t", b"x"))
            connection.drain()
    with FaultServer(script) as server:
        result = mqsub("-L", server.url, "-t", "t", "-C", "1", *scram(), *secret, "--reconnect", "--retry-delay", "10ms..20ms")
    assert result.code == 0 and result.out == b"x\n", result
    first, second = (c.received[0].authentication[1] for c in server.connections)
    assert first != second


def test_a_wrong_password_is_refused_by_the_server_and_explained(tmp_path):
    (tmp_path / "wrong").write_text("guess\n")
    with FaultServer(lambda connection: authenticate(connection, "SCRAM-SHA-256")) as server:
        result = publish(server, *scram(), "--password-file", tmp_path / "wrong")
        assert_fails(result, 6, "not authorized", "hint: ", "--scram-user", "--password-file")


def other_signature(data):
    return b"v=" + base64.b64encode(bytes([data[2] ^ 1]) + b"\0" * 31)


UNPROVEN = {
    "a signature of somebody else": (lambda step, data: other_signature(data) if step == "final" else data, "signature is wrong"),
    "no signature": (lambda step, data: None if step == "final" else data, "without proving"),
    "an error in place of it": (lambda step, data: b"e=other-error" if step == "final" else data, "other-error"),
    "garbage": (lambda step, data: b"\xff\0" if step == "final" else data, "malformed"),
}


@pytest.mark.parametrize("case", UNPROVEN)
def test_a_server_that_does_not_know_the_password_is_left(case, secret):
    change, words = UNPROVEN[case]
    def script(connection):
        authenticate(connection, "SCRAM-SHA-256", change=change)
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(publish(server, *scram(), *secret, "--reconnect"), 12, words, "hint: ")
    assert len(server.connections) == 1, "no second chance for it"
    assert [p.kind for p in server.connections[0].received] == [wire.CONNECT, wire.AUTH, wire.DISCONNECT]


CHALLENGES = {
    "another nonce": (lambda data: b"r=x" + data[2:], "another login"),
    "our nonce alone": (lambda data: data.replace(b"+server/nonce", b""), "another login"),
    "1 iteration": (lambda data: data.replace(b"i=4096", b"i=1"), "fewer than 4096"),
    "2^31 iterations": (lambda data: data.replace(b"i=4096", b"i=2147483648"), "more than the 2000000"),
    "a salt that is none": (lambda data: data.replace(b"s=", b"s=*"), "salt"),
    "a mandatory extension": (lambda data: b"m=x," + data, "extension"),
    "nothing": (lambda data: b"", "nonce"),
}


@pytest.mark.parametrize("case", CHALLENGES)
def test_a_challenge_that_is_wrong_is_not_answered(case, secret):
    change, words = CHALLENGES[case]
    def script(connection):
        server = ScramServer("SCRAM-SHA-256", USER, PASSWORD)
        data = connection.expect(wire.CONNECT).authentication[1]
        connection.send(wire.auth(0x18, "SCRAM-SHA-256", change(server.first(data))))
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(publish(server, *scram(), *secret, seconds=10), 12, words, "hint: ")
    assert [p.kind for p in server.connections[0].received] == [wire.CONNECT, wire.DISCONNECT]


def test_an_endless_exchange_ends_at_its_second_challenge(secret):
    def script(connection):
        server = ScramServer("SCRAM-SHA-256", USER, PASSWORD)
        challenge = server.first(connection.expect(wire.CONNECT).authentication[1])
        while True:
            connection.send(wire.auth(0x18, "SCRAM-SHA-256", challenge))
            connection.packet()
    with FaultServer(script) as server:
        assert_fails(publish(server, *scram(), *secret, seconds=10), 12, "another answer")


def test_a_challenge_that_does_not_come_is_waited_for_as_long_as_for_a_connack(secret):
    with FaultServer(faults.silent) as server:
        assert_fails(publish(server, *scram(), *secret, "--connect-timeout", "300ms"), 7, "timeout")


def test_auth_by_another_method_or_without_one(secret):
    def script(connection):
        connection.expect(wire.CONNECT)
        connection.send(wire.auth(0x18, "SCRAM-SHA-512", b"r=x"))
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(publish(server, *scram(), *secret), 12, "MQTT-4.12.0-5")
        assert_fails(publish(server), 12, "MQTT-4.12.0-6")


# --- refusals -------------------------------------------------------------------------------------

def test_a_method_that_the_server_does_not_know(secret):
    with FaultServer(faults.answer_connect(wire.connack(5, 0x8C))) as server:
        assert_fails(publish(server, *scram("SCRAM-SHA-512"), *secret), 6, "authentication method", "hint: ", "SCRAM-SHA-512")
        assert_fails(publish(server), 6, "hint: ", "--auth-method")


@pytest.mark.parametrize("answer", (wire.connack(5, 0x84), wire.connack(4, 1)), ids=("v5", "v311"))
def test_with_a_method_there_is_no_falling_back_to_3_1_1(answer, secret):
    with FaultServer(faults.answer_connect(answer)) as server:
        assert_fails(publish(server, *scram(), *secret), 7, "version", "hint: ", "needs MQTT 5")
    assert len(server.connections) == 1


def test_a_disconnect_in_the_middle_is_an_error(secret):
    with FaultServer(faults.answer_connect(wire.disconnect(0x87))) as server:
        assert_fails(publish(server, *scram(), *secret), 12, "DISCONNECT before CONNACK")


def test_a_password_that_scram_cannot_carry(tmp_path):
    for text, words in (("a\x07b", "control character"), ("ﬁ", "SASLprep")):
        (tmp_path / "password").write_text(text, encoding="utf-8")
        assert_fails(mqpub("-t", "t", "-n", *scram(), "--password-file", tmp_path / "password"), 2, "password", words)


# --- data in one piece ----------------------------------------------------------------------------

@pytest.mark.parametrize("data, sent", (("text", b"text"), ("base64:AP8=", b"\x00\xff"), ("@", b"of a file\n"), (None, None)))
def test_auth_data(tmp_path, data, sent):
    (tmp_path / "data").write_text("of a file\n")
    given = () if data is None else ("--auth-data", f"@{tmp_path}/data" if data == "@" else data)
    def script(connection):
        connection.expect(wire.CONNECT)
        connection.send(wire.connack(5, props=wire.authentication("K8S-SAT")))
        take_publish(connection)
    with FaultServer(script) as server:
        assert_ok(publish(server, "--auth-method", "K8S-SAT", *given))
    assert server.connections[0].received[0].authentication == (b"K8S-SAT", sent)


def test_a_method_that_wants_more_than_its_data():
    def script(connection):
        connection.expect(wire.CONNECT)
        connection.send(wire.auth(0x18, "GS2-KRB5"))
        connection.drain()
    with FaultServer(script) as server:
        assert_fails(publish(server, "--auth-method", "GS2-KRB5", "--auth-data", "x"), 12, "another step", "GS2-KRB5", "hint: ")


# --- tokens ---------------------------------------------------------------------------------------

def jwt(seconds, mark="1"):
    """A JSON Web Token that ends in so many seconds."""
    part = lambda claims: base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{part({'alg': 'none'})}.{part({'sub': mark, 'exp': time.time() + seconds})}.c2lnbmF0dXJl"


def replace(file, text):
    """In one step: a file that is being written may be read empty."""
    new = file.with_name("next")
    new.write_text(text)
    new.rename(file)


def accept_token(connection, seen):
    """CONNECT and CONNACK; `seen` collects the tokens."""
    seen.append(connection.expect(wire.CONNECT).authentication[1])
    connection.send(wire.connack(5, props=wire.authentication("JWT")))


@pytest.mark.parametrize("way", ("--token-file", "--token-env", "--token-cmd"))
def test_a_token_as_password_or_as_data(tmp_path, way):
    (tmp_path / "token").write_text("opaque\n")
    value = {"--token-file": tmp_path / "token", "--token-env": "TOKEN", "--token-cmd": f"cat {tmp_path}/token"}[way]
    environment = {"TOKEN": "opaque"}
    with FaultServer(lambda connection: (connection.accept(), take_publish(connection))) as server:
        assert_ok(publish(server, way, value, env=environment))
        assert_ok(publish(server, way, value, "-u", "me", env=environment))
        assert_ok(publish(server, way, value, "-u", "me", "-V", "311", env=environment))
    assert [c.received[0].credentials for c in server.connections] == [(None, b"opaque"), (b"me", b"opaque"), (b"me", b"opaque")]
    seen = []
    with FaultServer(lambda connection: (accept_token(connection, seen), take_publish(connection))) as server:
        assert_ok(publish(server, way, value, "--auth-method", "JWT", env=environment))
    assert seen == [b"opaque"]


def serve_renewals(seen, answers=None):
    """Takes a subscription and re-authentications, which it answers as the function says, and sends a message
    before and behind each."""
    def script(connection):
        accept_token(connection, seen)
        connection.accept_subscription()
        while True:
            connection.send(wire.publish("t", b"before"))
            packet = connection.packet()
            while packet.kind == wire.PINGREQ:
                connection.send(wire.packet(wire.PINGRESP))
                packet = connection.packet()
            if packet.kind == wire.DISCONNECT:
                return
            assert packet.kind == wire.AUTH and packet.body[0] == 0x19, packet
            assert packet.authentication[0] == b"JWT"
            seen.append(packet.authentication[1])
            connection.send(wire.publish("t", b"during"))
            connection.send((answers or (lambda: wire.auth(0, "JWT")))())
    return script


def subscribe(server, *args):
    return start("mqsub", "-L", server.url, "-t", "t", "--auth-method", "JWT", *args)


def test_a_token_is_renewed_before_it_ends_and_messages_go_on(tmp_path):
    file, seen = tmp_path / "token", []
    file.write_text(jwt(3, "1"))
    with FaultServer(serve_renewals(seen)) as server:
        with subscribe(server, "--token-file", file, "-C", "3") as subscriber:
            wait_until(lambda: seen, 10, "CONNECT")
            second = jwt(3600, "2")
            replace(file, second)
            result = subscriber.wait(30)
    assert_ok(result)
    assert result.out == b"before\nduring\nbefore\n"
    assert [bool(t) for t in seen] == [True, True] and seen[1] == second.encode()


def test_a_command_is_asked_again_and_does_not_read_our_input(tmp_path):
    """Each call writes a longer-lived token; the command would swallow the lines that are to be published."""
    for n, life in (("1", 2), ("2", 3600)):
        (tmp_path / n).write_text(jwt(life, n))
    command = f"cd {tmp_path}; if [ -e used ]; then cat > stolen; cat 2; else touch used; cat 1; fi"
    seen, published = [], []
    def script(connection):
        accept_token(connection, seen)
        while True:
            packet = connection.packet()
            if packet.kind == wire.AUTH:
                seen.append(packet.authentication[1])
                connection.send(wire.auth(0, "JWT"))
            elif packet.kind == wire.PUBLISH:
                published.append(packet.body[-1:])
                connection.send(wire.ack(wire.PUBACK, packet.packet_id, 5))
            elif packet.kind == wire.DISCONNECT:
                return
    with FaultServer(script) as server:
        with start("mqpub", "-L", server.url, "-t", "t", "-q", "1", "-l", "--auth-method", "JWT", "--token-cmd", command,
                   stdin=None) as publisher:
            publisher.write(b"a\n")
            wait_until(lambda: len(seen) == 2, 20, "a re-authentication")
            publisher.write(b"b\n")
            publisher.close_stdin()
            assert_ok(publisher.wait(20))
    assert published == [b"a", b"b"] and (tmp_path / "stolen").read_bytes() == b""
    assert seen == [(tmp_path / n).read_bytes() for n in ("1", "2")]


def test_a_token_that_says_nothing_of_its_end_has_a_lifetime_by_option(tmp_path):
    file, seen = tmp_path / "token", []
    file.write_text("one")
    with FaultServer(serve_renewals(seen)) as server:
        with subscribe(server, "--token-file", file, "--token-lifetime", "3s", "-C", "3") as subscriber:
            wait_until(lambda: seen, 10, "CONNECT")
            replace(file, "two")
            assert_ok(subscriber.wait(30))
    assert seen == [b"one", b"two"]


def test_a_renewal_that_fails_is_said_and_tried_again(tmp_path):
    """First the file is gone, then it has the old token, then a new one."""
    file, seen = tmp_path / "token", []
    old = jwt(1, "old")
    file.write_text(old)
    with FaultServer(serve_renewals(seen)) as server:
        with subscribe(server, "--token-file", file, "-C", "3") as subscriber:
            wait_until(lambda: seen, 10, "CONNECT")
            file.unlink()
            subscriber.wait_err(b"cannot renew the token", 20)
            replace(file, old)
            subscriber.wait_err(b"only the one that ends", 30)
            replace(file, jwt(3600, "new"))
            result = subscriber.wait(60)
    assert result.code == 0, result
    assert all(line.startswith("mqsub: warning: cannot renew the token: ") for line in result.err_lines), result
    assert old not in result.err_text and len(seen) == 2


def test_a_server_that_refuses_the_new_token(tmp_path):
    file, seen = tmp_path / "token", []
    file.write_text(jwt(1, "1"))
    with FaultServer(serve_renewals(seen, lambda: wire.disconnect(0x87))) as server:
        with subscribe(server, "--token-file", file) as subscriber:
            wait_until(lambda: seen, 10, "CONNECT")
            replace(file, jwt(3600, "2"))
            result = subscriber.wait(30)
    assert result.code == 8 and "not authorized" in result.err_text.lower() and "hint: the token" in result.err_text, result


def test_a_reconnect_brings_a_new_token_as_password(tmp_path):
    """The server ends the connection with the token, and refuses the old one."""
    file, accepted = tmp_path / "token", ["one", "two"]
    file.write_text("one")
    def script(connection):
        connect = connection.expect(wire.CONNECT)
        if connect.credentials[1] != accepted[0].encode():
            connection.send(wire.connack(5, 0x87))
            return connection.drain()
        connection.send(wire.connack(5))
        connection.accept_subscription()
        if accepted == ["two"]:
            connection.send(wire.publish("t", b"x"))
            return connection.drain()
        accepted.pop(0)
        file.write_text("two")
        connection.send(wire.disconnect(0x87))
        return connection.drain()
    with FaultServer(script) as server:
        result = mqsub("-L", server.url, "-t", "t", "-C", "1", "--token-file", file, "--reconnect", "--retry-delay", "10ms..20ms")
    assert result.code == 0 and result.out == b"x\n", result
    assert [c.received[0].credentials[1] for c in server.connections] == [b"one", b"two"]


def test_a_token_that_cannot_be_fetched_for_a_reconnect_is_tried_again(tmp_path):
    file = tmp_path / "token"
    file.write_text("one")
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        if len(server.connections) == 1:
            return file.unlink()
        connection.send(wire.publish("t", b"x"))
        return connection.drain()
    with FaultServer(script) as server:
        with start("mqsub", "-L", server.url, "-t", "t", "-C", "1", "--token-file", file, "--reconnect", "--retry-delay",
                   "10ms..20ms") as subscriber:
            subscriber.wait_err(b"No such file", 20)
            replace(file, "two")
            assert subscriber.wait(20).code == 0
    assert server.connections[1].received[0].credentials[1] == b"two"


def test_a_command_that_hangs_does_not_hold_up_the_end(tmp_path):
    """Its shell is ended with us."""
    (tmp_path / "1").write_text(jwt(1))
    command = f"cd {tmp_path}; if [ -e used ]; then echo $$ > pid; exec sleep 600; else touch used; cat 1; fi"
    seen = []
    with FaultServer(serve_renewals(seen)) as server:
        with subscribe(server, "--token-cmd", command) as subscriber:
            wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), 20, "the second call")
            subscriber.kill(15)
            assert subscriber.wait(10).code == 143
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists(), 10, "the end of the command")


# --- secrets --------------------------------------------------------------------------------------

SECRET = "S3cr3tW0rd"


def test_no_secret_is_shown(tmp_path):
    (tmp_path / "token").write_text(SECRET)
    ways = (("--auth-method", "X", "--auth-data", SECRET), ("--auth-method", "X", "--token-file", tmp_path / "token"),
            ("--scram-user", "u", "-P", SECRET), ("--token-cmd", f"cat {tmp_path}/token"))
    for way in ways:
        with FaultServer(faults.answer_connect(wire.connack(5, 0x87))) as server:
            result = publish(server, *way, "-d")
            assert result.code == 6 and SECRET not in result.err_text, result
        shown = mqpub("-t", "t", "-n", *way, "--show-config")
        assert shown.code == 0 and SECRET.encode() not in shown.out, shown
    encoded = base64.b64encode(SECRET.encode()).decode() + "?"
    result = assert_fails(mqpub("-t", "t", "-n", "--auth-method", "X", "--auth-data", f"base64:{encoded}"), 2, "base64")
    assert encoded not in result.err_text


def test_auth_data_is_not_visible_in_the_process_list():
    with FaultServer(faults.silent) as server:
        with start("mqpub", "-L", server.url, "-t", "t", "-n", "--auth-method", "X", "--auth-data", SECRET) as publisher:
            wait_until(lambda: server.connections and server.connections[0].received, 10, "CONNECT")
            assert SECRET.encode() not in pathlib.Path(f"/proc/{publisher.pid}/cmdline").read_bytes()


def test_a_profile_holds_these_options_too(tmp_path, secret):
    (tmp_path / "mq").mkdir()
    (tmp_path / "mq" / "s.toml").write_text(f'scram-user = "{USER}"\npassword-file = "{secret[1]}"\nauth-method = "SCRAM-SHA-1"\n')
    def script(connection):
        authenticate(connection, "SCRAM-SHA-1")
        take_publish(connection)
    with FaultServer(script) as server:
        assert_ok(publish(server, "--profile", "s", env={"XDG_CONFIG_HOME": str(tmp_path)}))


# --- usage ----------------------------------------------------------------------------------------

USAGE = [
    (("--auth-method", ""), "empty"),
    (("--auth-method", "SCRAM-SHA-256-PLUS", "-u", "u", "-P", "p"), "channel binding"),
    (("--auth-method", "SCRAM-SHA-384", "-u", "u", "-P", "p"), "is not one of SCRAM-SHA-1"),
    (("--auth-method", "scram-sha-1", "-u", "u", "-P", "p"), "is not one of SCRAM-SHA-1"),
    (("--auth-method", "SCRAM-SHA-1", "-P", "p"), "needs a user name"),
    (("--scram-user", "", "-P", "p"), "needs a user name"),
    (("--scram-user", "u"), "needs a password"),
    (("--scram-user", "u", "-P", "p", "--auth-method", "JWT"), "needs a method of SCRAM"),
    (("--scram-user", "u", "-P", "p", "-V", "311"), "SCRAM needs MQTT 5"),
    (("--auth-method", "JWT", "-V", "311"), "--auth-method", "needs MQTT 5"),
    (("--auth-data", "x"), "--auth-data", "needs"),
    (("--auth-method", "X", "--auth-data", "base64:*"), "base64"),
    (("--auth-method", "X", "--auth-data", "@/no/such/file"), "/no/such/file"),
    (("--auth-method", "SCRAM-SHA-1", "-u", "u", "--token-env", "HOME"), "SCRAM makes its own"),
    (("--auth-method", "SCRAM-SHA-1", "-u", "u", "-P", "p", "--auth-data", "x"), "SCRAM makes its own"),
    (("--auth-method", "X", "--auth-data", "x", "--token-env", "HOME"), "cannot be used together"),
    (("--token-env", "HOME", "-P", "p"), "cannot be used together"),
    (("--token-env", "HOME", "--token-file", "f"), "cannot be used together"),
    (("--token-cmd", "x", "--token-prompt"), "cannot be used together"),
    (("--token-lifetime", "1h"), "needs a token"),
    (("--token-lifetime", "0", "--token-env", "HOME"), "good for nothing"),
    (("--token-lifetime", "soon", "--token-env", "HOME"), "soon"),
    (("--auth-method", "X", "-D", "connect", "authentication-method", "Y"), "both give the authentication method"),
    (("-L", "mqtt://u:p@localhost", "--token-env", "HOME"), "both give a password"),
]


@pytest.mark.parametrize("args, words", [(args, words) for args, *words in USAGE], ids=lambda value: " ".join(value))
def test_usage_errors(args, words):
    assert_fails(mqpub("-t", "t", "-n", *args, seconds=5), 2, *words)


@pytest.mark.parametrize("args, words", ((("--token-file", "/no/such/token"), "/no/such/token"),
                                         (("--token-env", "NO_SUCH_VARIABLE"), "NO_SUCH_VARIABLE"),
                                         (("--token-cmd", "exit 3"), "status 3"), (("--token-cmd", "true"), "empty")))
def test_a_token_that_cannot_be_had(args, words):
    assert_fails(mqpub("-t", "t", "-n", *args, seconds=10), 14, words)
