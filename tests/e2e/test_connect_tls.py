"""Who is trusted and how a client shows who it is: pins, PKCS #12, key stores, pre-shared keys, --no-tls."""

import base64
import signal
import ssl
import subprocess

import pytest

from support import fault_server as faults
from support.brokers import Mosquitto
from support.fault_server import FaultServer, tls_context
from support.mqbroker import MqBroker
from support.ports import HOST, wait_until
from support.terminal import Terminal
from support.tools import assert_fails, assert_ok, mqpub, start, unique

PASSWORD = "correct horse"
PSK_IDENTITY, PSK = "joe", "0123456789abcdef0123456789ABCDEF"


def openssl(*args, **how):
    return subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, **how).stdout


def pin_of(certificate):
    """As RFC 7469 and curl's manual compute it."""
    key = openssl("x509", "-in", certificate, "-pubkey", "-noout")
    der = openssl("pkey", "-pubin", "-outform", "der", input=key)
    return base64.b64encode(openssl("dgst", "-sha256", "-binary", input=der)).decode()


@pytest.fixture(scope="module")
def broker(certs):
    options = ["-v", "--client-certs", "optional", "--cafile", certs.ca]
    with MqBroker(certs, ("tcp", "tls", "wss"), options) as broker:
        yield broker


@pytest.fixture(scope="module")
def strict(certs):
    with MqBroker(certs, ("tls",), ["--client-certs", "required", "--cafile", certs.ca]) as broker:
        yield broker


def publish(broker, *args, transport="tls", **how):
    return mqpub("-L", broker[transport].url, "-t", unique(), "-m", "x", "-q", 1, *args, **how)


# --- pins -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("transport", ("tls", "wss"))
def test_a_pinned_key_is_accepted_and_another_is_5(broker, certs, transport):
    right, wrong = pin_of(certs.server), pin_of(certs.expired)
    trust = ["--cafile", certs.ca]
    assert_ok(publish(broker, *trust, "--pin-sha256", right, transport=transport))
    assert_ok(publish(broker, *trust, "--pin-sha256", wrong, "--pin-sha256", f"sha256//{right}", transport=transport))
    assert_fails(publish(broker, *trust, "--pin-sha256", wrong, transport=transport), 5, "not pinned", right)


def test_a_pin_is_verified_without_authorities_too(broker, certs):
    assert_ok(publish(broker, "--insecure", "--pin-sha256", pin_of(certs.server)))
    assert_fails(publish(broker, "--insecure", "--pin-sha256", pin_of(certs.client)), 5, "not pinned")


def test_a_pin_does_not_replace_the_other_checks(certs):
    for which in ("expired", "wrong_name", "self_signed"):
        with FaultServer(faults.after_connack(), tls=tls_context(certs, which)) as server:
            assert_fails(mqpub("-L", f"mqtts://localhost:{server.port}", "--cafile", certs.ca, "-t", "t", "-m", "x",
                               "--pin-sha256", pin_of(getattr(certs, which))), 5, "cert")


def test_a_wrong_pin_is_not_retried(certs):
    with FaultServer(faults.after_connack(), tls=tls_context(certs)) as server:
        assert_fails(mqpub("-L", f"mqtts://localhost:{server.port}", "--cafile", certs.ca, "-t", "t", "-m", "x",
                           "--pin-sha256", pin_of(certs.client), "--reconnect"), 5)
    assert len(server.connections) == 1  # its thread has ended, and has noted it by then
    assert not server.connections[0].received, "not a word of MQTT"


@pytest.mark.parametrize("value", ("", "x", "AAAA", "sha256//", "é" * 43 + "=", "A" * 43))
def test_a_wrong_pin_value_is_2(broker, value):
    assert_fails(publish(broker, "--pin-sha256", value), 2, "--pin-sha256")


# --- own certificate ------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def pkcs12(certs):
    def make(name, password, *more):
        path = certs.directory / name
        openssl("pkcs12", "-export", "-in", certs.client, "-inkey", certs.client_key, "-certfile", certs.ca,
                "-passout", f"pass:{password}", "-out", path, *more)
        return path
    return {"locked": make("locked.p12", PASSWORD), "open": make("open.p12", ""),
            "keyless": make("keyless.p12", "", "-nokeys")}


def test_pkcs12(strict, certs, pkcs12, scratch):
    trust = ["--cafile", certs.ca]
    (scratch / "password").write_text(PASSWORD + "\n")
    assert_fails(publish(strict, *trust), 5, "certificate required")
    assert_ok(publish(strict, *trust, "--pkcs12", pkcs12["open"]))
    assert_ok(publish(strict, *trust, "--pkcs12", pkcs12["locked"], "--keypass-file", scratch / "password"))
    assert_ok(publish(strict, *trust, "--pkcs12", pkcs12["locked"], "--keypass-env", "SECRET",
                      env={"SECRET": PASSWORD}))


def test_pkcs12_that_cannot_be_used_is_2(broker, certs, pkcs12):
    trust = ["--cafile", certs.ca]
    for args, words in (((pkcs12["locked"],), ("password",)),
                        ((pkcs12["locked"], "--keypass-cmd", "echo wrong"), ("wrong password",)),
                        ((pkcs12["keyless"],), ("no certificate with its key",)),
                        ((certs.client,), ("not a PKCS #12 file",)),
                        (("/nowhere.p12",), ("/nowhere.p12", "No such file")),
                        ((pkcs12["open"], "--cert", certs.client, "--key", certs.client_key), ("--pkcs12",))):
        assert_fails(publish(broker, *trust, "--pkcs12", *args), 2, *words)


def test_key_as_the_uri_of_a_store(strict, certs, scratch):
    trust = ["--cafile", certs.ca, "--cert", certs.client]
    assert_ok(publish(strict, *trust, "--key", f"file:{certs.client_key}"))
    locked = scratch / "locked.key"
    openssl("pkey", "-in", certs.client_key, "-aes256", "-passout", f"pass:{PASSWORD}", "-out", locked)
    assert_ok(publish(strict, *trust, "--key", f"file:{locked}", "--keypass-env", "P", env={"P": PASSWORD}))
    assert_fails(publish(strict, *trust, "--key", f"file:{locked}", "--keypass-cmd", "echo no"), 2, "wrong password")
    assert_fails(publish(strict, *trust, "--key", f"file:{locked}"), 2, "needs its password")
    assert_fails(publish(strict, *trust, "--key", "file:/nowhere"), 2, "/nowhere")
    assert_fails(publish(strict, *trust, "--key", f"file:{certs.ca}"), 2, "no private key")
    result = assert_fails(publish(strict, *trust, "--key", "pkcs11:object=none?pin-value=1234"), 2, "pkcs11:object=none")
    assert "1234" not in result.err_text


def test_engines_are_refused_with_the_way_out(broker, certs):
    for args in (("--tls-engine", "pkcs11"), ("--tls-engine-kpass-sha1", "00"), ("--keyform", "engine")):
        assert_fails(publish(broker, *args), 2, args[0], "store")
    assert_fails(publish(broker, "--keyform", "der"), 2, "--keyform")
    assert_ok(publish(broker, "--cafile", certs.ca, "--cert", certs.client, "--key", certs.client_key,
                      "--keyform", "pem"))


@pytest.mark.parametrize("version", ("1.2", "1.3", "tlsv1.2", "tlsv1.3", "1.2..1.3"))
def test_tls_versions_in_both_spellings(broker, certs, version):
    assert_ok(publish(broker, "--cafile", certs.ca, "--tls-version", version))


class Handshakes:
    """A TLS server that keeps what was agreed upon. `settings`: attributes of its context."""

    def __init__(self, certs, which="server", **settings):
        self.names = []
        self._context = tls_context(certs, which)
        for name, value in settings.items():
            setattr(self._context, name, value)
        self._context.set_alpn_protocols(["amqp", "mqtt"])
        self._context.sni_callback = lambda sock, name, context: self.names.append(name)

    def publish(self, *args):
        def script(connection):
            self.cipher, self.version = connection.tls.cipher()[0], connection.tls.version()
            self.protocol = connection.tls.selected_alpn_protocol()
            faults.after_connack()(connection)
        with FaultServer(script, tls=self._context) as server:
            return mqpub("-L", f"mqtts://localhost:{server.port}", "-t", "t", "-m", "x", *args)


def test_ciphers(certs):
    trust = ("--cafile", certs.ca)
    server = Handshakes(certs)
    for cipher in ("ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"):
        assert_ok(server.publish(*trust, "--tls-version", "1.2..1.2", "--ciphers", cipher))
        assert (server.version, server.cipher) == ("TLSv1.2", cipher)
    for cipher in ("TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256"):
        assert_ok(server.publish(*trust, "--tls-ciphersuites", cipher))
        assert (server.version, server.cipher) == ("TLSv1.3", cipher)


def test_a_server_without_a_wanted_tls_version_is_5(certs):
    server = Handshakes(certs, maximum_version=ssl.TLSVersion.TLSv1_2)
    assert_ok(server.publish("--cafile", certs.ca, "--tls-version", "1.2"))
    assert_fails(server.publish("--cafile", certs.ca, "--tls-version", "1.3"), 5, "version")


def test_alpn_offers_protocols(certs):
    server = Handshakes(certs)
    for offered, agreed in (("mqtt", "mqtt"), ("x-other,mqtt", "mqtt"), ("mqtt,amqp", "amqp")):
        assert_ok(server.publish("--cafile", certs.ca, "--tls-alpn", offered))
        assert server.protocol == agreed


def test_sni_is_asked_for_and_verified(certs):
    server = Handshakes(certs, "wrong_name")
    assert_ok(server.publish("--cafile", certs.ca, "--sni", "other.example"))
    assert_fails(server.publish("--cafile", certs.ca, "--sni", "third.example"), 5, "third.example")
    assert server.names == ["other.example", "third.example"]


@pytest.mark.parametrize("form", ("option", "variable"))
def test_tls_keylog(broker, certs, scratch, form):
    log = scratch / "keys"
    args, env = (("--tls-keylog", log), {}) if form == "option" else ((), {"SSLKEYLOGFILE": str(log)})
    for _ in range(2):  # it is appended to
        assert_ok(publish(broker, "--cafile", certs.ca, *args, env=env))
    labels = [line.split()[0] for line in log.read_text().splitlines() if not line.startswith("#")]
    assert labels.count("CLIENT_TRAFFIC_SECRET_0") == 2 and log.stat().st_mode & 0o077 == 0


def test_capath(broker, certs, scratch):
    for name, ca in (("right", certs.ca), ("wrong", certs.other_ca)):
        (scratch / name).mkdir()
        (scratch / name / "ca.pem").write_bytes(ca.read_bytes())
        openssl("rehash", scratch / name)
    assert_ok(publish(broker, "--capath", scratch / "right"))
    assert_fails(publish(broker, "--capath", scratch / "wrong"), 5, "unknown CA")


def test_the_systems_authorities_are_trusted_besides(broker, certs):
    system = {"SSL_CERT_FILE": str(certs.ca), "SSL_CERT_DIR": "/nonexistent"}  # OpenSSL's own variables
    assert_ok(publish(broker, "--tls-use-os-certs", env=system))
    assert_ok(publish(broker, "--cafile", certs.other_ca, "--tls-use-os-certs", env=system))
    assert_fails(publish(broker, "--cafile", certs.other_ca, env=system), 5, "unknown CA")


def test_wrong_tls_versions_are_2(broker):
    for version in ("1.4", "tlsv1.1", "1.3..1.2", ""):
        assert_fails(publish(broker, "--tls-version", version), 2, "--tls-version")


# --- pre-shared keys ------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def psk_broker(temporary_directory):
    keys = temporary_directory / "psk"
    keys.write_text(f"{PSK_IDENTITY}:{PSK}\n")
    with Mosquitto(options=[f"psk_file {keys}"], transports=("tcp",)) as plain:
        plain.stop()
        plain._options = [f"psk_file {keys}"]
        original = plain._listener
        plain._listener = lambda endpoint: original(endpoint) + ["psk_hint hint"]
        plain._start()
        yield plain


@pytest.mark.parametrize("form", ("value", "file", "env", "cmd"))
def test_pre_shared_key(psk_broker, scratch, form):
    (scratch / "key").write_text(PSK + "\n")
    args = {"value": ["--psk", PSK], "file": ["--psk-file", scratch / "key"], "env": ["--psk-env", "KEY"],
            "cmd": ["--psk-cmd", f"echo {PSK}"]}[form]
    where = ["-h", HOST, "-p", psk_broker["tcp"].port, "-t", "t", "-m", "x", "-q", 1]
    assert_ok(mqpub(*where, *args, "--psk-identity", PSK_IDENTITY, env={"KEY": PSK}))


def test_wrong_pre_shared_keys(psk_broker):
    where = ["-h", HOST, "-p", psk_broker["tcp"].port, "-t", "t", "-m", "x"]
    assert_fails(mqpub(*where, "--psk", "00" * 16, "--psk-identity", PSK_IDENTITY), 5)
    assert_fails(mqpub(*where, "--psk", PSK, "--psk-identity", "who"), 5)
    assert_fails(mqpub(*where, "--psk", "xyz", "--psk-identity", "who"), 2, "--psk", "hexadecimal")
    assert_fails(mqpub(*where, "--psk-cmd", "echo xyz", "--psk-identity", "who"), 2, "hexadecimal")
    assert_fails(mqpub(*where, "--psk-env", "NOT_SET", "--psk-identity", "who"), 14, "NOT_SET")
    assert_fails(mqpub(*where, "--psk-env", "KEY"), 2, "--psk-identity")
    assert_fails(mqpub(*where, "--psk-identity", "who"), 2, "--psk")
    assert_fails(mqpub(*where, "--psk", PSK, "--psk-cmd", "x", "--psk-identity", "who"), 2)


def test_secrets_are_not_in_the_process_list():
    with FaultServer(faults.silent) as server:
        with start("mqsub", "-h", HOST, "-p", server.port, "-t", "t", "--psk", PSK, "--psk-identity", "joe") as sub:
            wait_until(lambda: server.connections, 10, "a connection")
            with open(f"/proc/{sub.pid}/cmdline", "rb") as arguments:
                assert PSK.encode() not in arguments.read()


@pytest.mark.parametrize("option, secret, where", [
    ("--password-prompt", "s3cret", "CONNECT"), ("--token-prompt", "s3cret", "CONNECT"), ("--keypass-prompt", PASSWORD, "key"), ("--psk-prompt", PSK, "handshake")])
def test_a_secret_is_asked_for_on_the_terminal_without_echo(strict, psk_broker, certs, pkcs12, option, secret, where):
    with FaultServer(faults.after_connack()) as server:
        address = {"CONNECT": ["-L", server.url, "-u", "joe"],
                   "key": ["-L", strict["tls"].url, "--cafile", certs.ca, "--pkcs12", pkcs12["locked"]],
                   "handshake": ["-h", HOST, "-p", psk_broker["tcp"].port, "--psk-identity", PSK_IDENTITY]}[where]
        with Terminal("mqpub", *address, option, "-t", "t", "-m", "x", "-q", int(where != "CONNECT"),
                      controlling=True) as terminal:
            terminal.wait_data(b": ")
            wait_until(lambda: not terminal.echoes, 5, "no echo")
            terminal.type(secret + "\n")
            assert_ok(terminal.proc.wait())
            assert terminal.echoes and secret.encode() not in terminal.data
        if where == "CONNECT":
            assert server.connections[0].received[0].body.endswith(b"\0\3joe\0\6s3cret")


def test_an_interrupted_question_leaves_the_terminal_with_its_echo(certs):
    with Terminal("mqsub", "-t", "t", "-u", "joe", "--password-prompt", controlling=True) as terminal:
        terminal.wait_data(b": ")
        wait_until(lambda: not terminal.echoes, 5, "no echo")
        terminal.proc.kill(signal.SIGINT)
        assert terminal.proc.wait(5).code == 130
        assert terminal.echoes


# --- none -----------------------------------------------------------------------------------------

def test_no_tls(broker):
    assert_ok(mqpub("-h", HOST, "-p", broker["tcp"].port, "--no-tls", "-t", "t", "-m", "x", "-q", 1))
    assert_ok(mqpub("-h", HOST, "-p", broker["tcp"].port, "--no-tls", "-t", "t", "-m", "x", "-q", 1,
                    env={"SSLKEYLOGFILE": "/dev/null"}))
    assert_fails(publish(broker, "--no-tls"), 2, "--no-tls")
    assert_fails(publish(broker, "--no-tls", "--insecure", transport="tcp"), 2, "--no-tls")
