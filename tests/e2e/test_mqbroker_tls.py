"""mqbroker's TLS, as OpenSSL's own client and Python's see it: versions, ciphers, tickets, and certificates of clients."""

import base64
import json
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from conformance import wire as w
from conformance.wire import V5
from support.mqbroker import MqBroker
from support.ports import HOST
from support.tools import assert_fails, assert_ok, mqpub


def s_client(broker, *args, stdin=b""):
    """What openssl s_client says, and how it ends."""
    return subprocess.run(["openssl", "s_client", "-connect", f"{HOST}:{broker['tls'].port}", *map(str, args)], input=stdin,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)


def shakes_hands(broker, *args):
    done = s_client(broker, "-brief", *args)
    return done.returncode == 0 and b"CONNECTION ESTABLISHED" in done.stdout


@pytest.fixture(scope="module")
def broker(certs):
    with MqBroker(certs, ("tls",), ["-v"]) as running:
        yield running


# Of a client that would take anything: its own level of security must not be what keeps it out.
ANYTHING = ("-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")


@pytest.mark.parametrize("version,good", (("-tls1", False), ("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)))
def test_only_tls_1_2_and_1_3_are_spoken(broker, version, good):
    assert shakes_hands(broker, version, *ANYTHING) == good


# Those of them that today's OpenSSL still has: RC4, 3DES and their like it cannot speak at all.
@pytest.mark.parametrize("ciphers,good", (("eNULL", False), ("aNULL", False), ("ECDHE", True)))
def test_ciphers_that_hide_nothing_or_prove_nothing_are_refused(broker, ciphers, good):
    assert shakes_hands(broker, "-tls1_2", "-cipher", f"{ciphers}:@SECLEVEL=0") == good


def test_a_client_may_not_renegotiate_or_compress(broker):
    """Either costs the server more than the client, or tells what was encrypted."""
    said = s_client(broker, "-tls1_2", stdin=b"R\n").stdout
    assert b"RENEGOTIATING" in said and (b"no renegotiation" in said or b"alert" in said), said
    assert b"Compression: NONE" in said


# --- certificates of clients ------------------------------------------------------------------------

def test_required_client_certificates(certs):
    tls = ("--cafile", certs.ca, "-t", "t", "-m", "x", "-q", 1)
    with MqBroker(certs, ("tls",), ["-v", "--client-certs", "required", "--cafile", certs.ca]) as broker:
        url = broker["tls"].url
        assert_fails(mqpub("-L", url, *tls), 5)
        assert_ok(mqpub("-L", url, *tls, "--cert", certs.client, "--key", certs.client_key))
        broker.proc.wait_err(b"no connection through mqtts:0: ")


def test_optional_client_certificates_and_their_names_as_users(certs):
    tls = ("--cafile", certs.ca, "-t", "t", "-m", "x", "-q", 1)
    options = ["-v", "--log-format", "json", "--client-certs", "optional", "--cafile", certs.ca, "--cert-as-user"]
    with MqBroker(certs, ("tls",), options) as broker:
        url = broker["tls"].url
        assert_ok(mqpub("-L", url, *tls, "-i", "with", "-u", "root", "--cert", certs.client, "--key", certs.client_key))
        assert_ok(mqpub("-L", url, *tls, "-i", "without", "-u", "root"))
        broker.wait_log('"event":"connected"', 2)
        events = [json.loads(line) for line in broker.proc.err.decode().splitlines()]
    users = {e["client_id"]: e.get("user") for e in events if e["event"] == "connected"}
    assert users == {"with": "test client", "without": None}, "nobody names himself"


def openssl(*args, cwd):
    subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, cwd=cwd)


@pytest.fixture(scope="module")
def others(certs, temporary_directory):
    """Certificates of clients that are not to be let in, by name, each with the key that belongs to it."""
    place = temporary_directory / "clients"
    place.mkdir()

    def signed(name, ca, subject, extension):
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key", cwd=place)
        openssl("req", "-new", "-key", f"{name}.key", "-subj", subject, "-out", f"{name}.csr", cwd=place)
        (place / "ext").write_text(extension + "\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", getattr(certs, ca), "-CAkey", getattr(certs, f"{ca}_key"), "-CAcreateserial",
                "-extfile", "ext", "-out", f"{name}.pem", cwd=place)
        return place / f"{name}.pem", place / f"{name}.key"
    for_clients = "extendedKeyUsage=clientAuth"
    lines = certs.client.read_text().split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0]
    data = bytearray(base64.b64decode(lines))
    data[-1] ^= 1  # the end of the CA's signature
    tampered = place / "tampered.pem"
    tampered.write_text(ssl.DER_cert_to_PEM_cert(bytes(data)))
    return {"expired": (certs.expired, certs.expired_key), "not yet valid": (certs.not_yet_valid, certs.not_yet_valid_key),
            "self-signed": (certs.self_signed, certs.self_signed_key), "tampered": (tampered, certs.client_key),
            "of another CA": signed("other", "other_ca", "/CN=test client", for_clients),
            "for servers alone": signed("server", "ca", "/CN=test client", "extendedKeyUsage=serverAuth"),
            "without a name": signed("nameless", "ca", "/O=somebody", for_clients),
            "with a control character": signed("control", "ca", "/CN=root\x01", for_clients)}


def answer(broker, certs, cert=None, key=None):
    """The code of CONNACK, or None if there is no connection."""
    context = ssl.create_default_context(cafile=certs.ca)
    if cert:
        context.load_cert_chain(cert, key)
    try:
        with socket.create_connection((HOST, broker["tls"].port), 20) as plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(w.connect(V5, "c", username="root"))
            data = tls.recv(100)
            return data[3] if data else None
    except (ssl.SSLError, ConnectionError):
        return None


REFUSED = {"without a name": 0x87, "with a control character": 0x87}  # good for TLS, but nobody's


@pytest.fixture(scope="module")
def strict(certs):
    with MqBroker(certs, ("tls",), ["-v", "--client-certs", "required", "--cafile", certs.ca, "--cert-as-user", "--max-login-delay", "0"]) as running:
        yield running


@pytest.mark.parametrize("which", ("expired", "not yet valid", "self-signed", "tampered", "of another CA", "for servers alone", "without a name",
                                   "with a control character"))
def test_a_certificate_that_is_not_good_lets_nobody_in(strict, certs, others, which):
    assert answer(strict, certs, *others[which]) == REFUSED.get(which)
    assert answer(strict, certs, certs.client, certs.client_key) == 0


def test_somebody_elses_certificate_without_its_key_is_none(strict, certs):
    """It is public: a client has to sign with its key. Python refuses to try; OpenSSL's client shows what it may."""
    assert answer(strict, certs) is None
    assert not shakes_hands(strict, "-tls1_2", "-cert", certs.client, "-key", certs.server_key)


def test_a_ticket_brings_nobody_back_whose_ca_is_trusted_no_more(certs, tmp_path):
    """TLS resumes sessions without another look at certificates."""
    trusted, ticket = tmp_path / "ca.pem", tmp_path / "ticket"
    shutil.copy(certs.ca, trusted)
    shown = ("-tls1_2", "-CAfile", certs.ca, "-cert", certs.client, "-key", certs.client_key)
    with MqBroker(certs, ("tls",), ["--client-certs", "required", "--cafile", trusted]) as broker:
        assert b"New, TLSv1.2" in s_client(broker, *shown, "-sess_out", ticket).stdout
        assert b"Reused, TLSv1.2" in s_client(broker, *shown, "-sess_in", ticket).stdout
        shutil.copy(certs.other_ca, trusted)
        broker.proc.kill(signal.SIGHUP)
        broker.wait_log("SIGHUP: users")
        said = s_client(broker, *shown, "-sess_in", ticket)
        assert b"Reused" not in said.stdout and b"unknown ca" in said.stdout, said.stdout
