"""mqbroker --jwt-keys and --jwt-secret-file: JSON Web Tokens, as passwords and by a method of MQTT 5."""

import base64
import hmac
import json
import signal
import subprocess
import time
from contextlib import closing

import pytest

from conformance import wire as w
from conformance.wire import V5
from support import peers
from support.malformed import Raw
from support.mqbroker import MqBroker
from support.mqtt_wire import CONNACK, DISCONNECT
from support.ports import HOST, wait_until
from support.proc import DEADLINE, run
from support.tools import assert_fails, assert_ok, mqpub, program

SECRET = b"0123456789abcdef0123456789abcdef"
LATER = 4_000_000_000


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(claims, algorithm="HS256"):
    return b64(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()) + "." + b64(json.dumps(claims).encode())


def token(secret=SECRET, algorithm="HS256", **claims):
    text = unsigned({"sub": "joe", "exp": LATER, **claims}, algorithm)
    return f"{text}.{b64(hmac.new(secret, text.encode(), 'sha256').digest())}"


@pytest.fixture
def files(tmp_path):
    """The secret, and rules by which joe alone may publish on t."""
    (tmp_path / "secret").write_bytes(SECRET + b"\n")
    (tmp_path / "rules").write_text("user joe\ntopic write t\n")
    return tmp_path


def serve(files, *options):
    return MqBroker(options=["-v", "--jwt-secret-file", files / "secret", "--acl-file", files / "rules",
                             "--max-login-delay", "0", *options])


def publish(broker, shown, *args):
    return mqpub("-h", HOST, "-p", broker["tcp"].port, "-t", "t", "-m", "x", "-q", "1", *args, env={"TOKEN": shown})


AS_PASSWORD = ("-u", "whoever", "--password-env", "TOKEN")
BY_METHOD = ("--auth-method", "JWT", "--token-env", "TOKEN")


def test_a_token_lets_in_whom_it_names(files):
    with serve(files) as broker:
        for how in (AS_PASSWORD, (*AS_PASSWORD, "-V", "311"), BY_METHOD):
            assert_ok(publish(broker, token(), *how))
        assert_fails(publish(broker, token(sub="jim"), *AS_PASSWORD), 10, "Not authorized")
        none = unsigned({"sub": "joe", "exp": LATER}, "none") + "."
        for wrong in (token(b"x" * 32), token(exp=1), token(nbf=LATER), token(exp=None), token(algorithm="HS512"), none):
            for how in (AS_PASSWORD, BY_METHOD):
                assert_fails(publish(broker, wrong, *how), 6)
            assert wrong not in broker.proc.err.decode(), "secrets are not logged"


def test_what_is_no_token_is_refused_whatever_it_is(files):
    """As bytes, by a client of its own: empty, huge, no UTF-8, and JSON that costs whoever reads it."""
    head, claims, signature = token().split(".")
    deep = b64(b"[" * 8000)
    others = ("", ".", "..", "ey", "ey..", f"{head}..{signature}", f"{head}.{claims}.", f".{claims}.{signature}",
              f"{head}.{claims}.{signature}.{signature}", f"{deep}.{claims}.{signature}", f"{head}.{deep}.{signature}",
              f"{b64(b'{')}.{claims}.{signature}", token(pad="x" * 20000), "ey" + "." * 60000, "ey" * 30000,
              f"{b64(json.dumps({'alg': 'none', 'Alg': 'HS256'}).encode())}.{claims}.{signature}", f" {token()}", f"{token()}\n")
    all_shown = [text.encode() for text in others] + [b"ey\xff.\xfe.\xfd", b"\0", token().encode() + b"\0"]
    with serve(files) as broker:
        def code(**how):
            with Raw(broker["tcp"].address) as client:
                client.send(w.connect(V5, "c", **how))
                return client.expect(CONNACK).body[1]
        for shown in all_shown:
            assert code(username="joe", password=shown) == 0x86, shown[:50]
            assert code(props={w.P.AUTH_METHOD: "JWT", w.P.AUTH_DATA: shown}) == 0x87, shown[:50]
        assert code(password=token().encode()) == 0, "its user is who it says: CONNECT need not name one"


def test_a_token_is_of_no_use_when_it_has_ended(files):
    """Replayed, it is what it was: good until its end, for who may use it (--jwt-client-id-claim)."""
    with serve(files) as broker:
        for seconds in (1, 4, 9):  # where that was too short to come in, a longer one is tried
            brief = token(exp=time.time() + seconds)
            if publish(broker, brief, *AS_PASSWORD).code != 0:
                continue
            wait_until(lambda brief=brief: publish(broker, brief, *AS_PASSWORD).code == 6, DEADLINE, "its end")
            return
        pytest.fail("no token was good when it came")


def test_paho_and_mqtt_js_show_tokens(files):
    with serve(files) as broker, closing(peers.MqttJs()) as js:
        endpoint = broker["tcp"]
        for version in ("311", "5"):
            client = peers.Paho.client(endpoint, version, user="whoever", password=token())
            sent = client.publish("t", b"x", 1)
            sent.wait_for_publish(DEADLINE)
            assert sent.is_published()
            peers.Paho.leave(client)
            with pytest.raises(PermissionError):
                peers.Paho.client(endpoint, version, user="whoever", password=token(exp=1))
            client = js.connect(endpoint, version, username="whoever", password=token())
            js.send(client, "t", 1, b"x")
            js.end(client)
        client = js.connect(endpoint, token=token())  # paho has no authentication methods
        js.send(client, "t", 1, b"x")
        js.end(client)
        with pytest.raises(AssertionError, match="Not authorized"):
            js.connect(endpoint, token=token(exp=1))


def test_passwords_beside_tokens(files):
    assert_ok(run([program("mqbroker"), "passwd", str(files / "users"), "joe", "--password-env", "WORD"], env={"WORD": "pencil"}))
    with serve(files, "--password-file", files / "users") as broker:
        assert_ok(publish(broker, token(), *AS_PASSWORD))
        assert_ok(publish(broker, "pencil", "-u", "joe", "--password-env", "TOKEN"))
        assert_fails(publish(broker, "pen.cil.x", "-u", "joe", "--password-env", "TOKEN"), 6)


def test_claims_that_options_ask_for(files):
    options = ("--jwt-audience", "mqtt", "--jwt-issuer", "https://id.example", "--jwt-user-claim", "name", "--jwt-client-id-claim", "cid")
    right = {"aud": ["mqtt"], "iss": "https://id.example", "name": "joe", "cid": "me"}
    with serve(files, *options) as broker:
        assert_ok(publish(broker, token(**right), *AS_PASSWORD, "-i", "me"))
        assert_fails(publish(broker, token(**right), *AS_PASSWORD, "-i", "you"), 6)
        for name, other in {"aud": "other", "iss": "https://other.example", "name": None, "cid": "other"}.items():
            assert_fails(publish(broker, token(**{**right, name: other}), *AS_PASSWORD, "-i", "me"), 6)


def test_the_connection_ends_with_the_token(files):
    with serve(files) as broker:
        for seconds in (1, 4, 9):  # where that was too short to come in, a longer one is tried
            with Raw(broker["tcp"].address) as client:
                ends = time.time() + seconds
                client.send(w.connect(V5, "brief", username="joe", password=token(exp=ends).encode()))
                if client.expect(CONNACK).body[1] != 0:
                    continue
                assert client.expect(DISCONNECT).body[0] == 0xA0
                assert time.time() >= ends - 0.01
                return
        pytest.fail("no token was good when it came")


def test_public_keys_and_a_reload(files):
    def openssl(*args, **how):
        return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, timeout=120, **how).stdout

    def signed():
        text = unsigned({"sub": "joe", "exp": LATER}, "RS256")
        return f"{text}.{b64(openssl('dgst', '-sha256', '-sign', files / 'key', input=text.encode()))}"
    openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", files / "key")
    openssl("pkey", "-in", files / "key", "-pubout", "-out", files / "public")
    with MqBroker(options=["-v", "--jwt-keys", files / "public", "--max-login-delay", "0"]) as broker:
        assert_ok(publish(broker, signed(), *AS_PASSWORD))
        confused = token((files / "public").read_bytes())
        assert_fails(publish(broker, confused, *AS_PASSWORD), 6)
        (files / "public").write_text(json.dumps({"keys": [{"kty": "oct", "k": b64(SECRET)}]}))
        broker.proc.kill(signal.SIGHUP)
        broker.wait_log("SIGHUP: users")
        assert_ok(publish(broker, token(), *AS_PASSWORD))
        assert_fails(publish(broker, signed(), *AS_PASSWORD), 6)
        (files / "public").write_text("{}")
        broker.proc.kill(signal.SIGHUP)
        broker.wait_log("SIGHUP: nothing is changed: ")
        assert_ok(publish(broker, token(), *AS_PASSWORD))


def test_files_that_are_too_much_or_no_text(files):
    def check(option, data):
        (files / "odd").write_bytes(data)
        return run([program("mqbroker"), "--check-config", option, str(files / "odd")])
    for data in (b"", b"\xff" * 100, b"{" * 100000, b'{"keys":[' + b"[" * 100000, b'{"keys":["\xff"]}', b"x" * 2_000_000,
                   b"-----BEGIN PUBLIC KEY-----\n" + b"\xff" * 1000 + b"\n-----END PUBLIC KEY-----\n"):
        assert_fails(check("--jwt-keys", data), 2, "odd")
    for data in (b"", b"\n", b"x" * 31, b"x" * 31 + b"\n", b"x" * 2_000_000):
        assert_fails(check("--jwt-secret-file", data), 2, "odd")
    assert check("--jwt-secret-file", b"\xff\0" * 16).code == 0, "a secret is bytes"


def test_files_and_options_that_cannot_be_used(files):
    def check(*args):
        return run([program("mqbroker"), "--check-config", *map(str, args)])
    for text, word in ((b"short", "32 bytes"), (b"-----BEGIN PUBLIC KEY-----\n" + b"x" * 40, "--jwt-keys"),
                       (b'{"keys":[]}' + b" " * 40, "--jwt-keys")):
        (files / "bad").write_bytes(text)
        assert_fails(check("--jwt-secret-file", files / "bad"), 2, word)
    (files / "bad").write_text("{}")
    assert_fails(check("--jwt-keys", files / "bad"), 2, "JSON Web Key Set")
    assert_fails(check("--jwt-keys", files / "none"), 2, "No such file")
    for option in ("--jwt-audience", "--jwt-issuer"):
        assert_fails(check(option, "x"), 2, "--jwt-keys")
        assert_fails(check(option, "", "--jwt-secret-file", files / "secret"), 2, option, "empty")
    assert check("-h", "0.0.0.0", "--jwt-secret-file", files / "secret").code == 0, "nobody gets in without a token"
