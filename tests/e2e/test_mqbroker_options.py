"""mqbroker's options: each typed right and wrong, what does not go together, and what is read at the start."""

import re
import subprocess

import pytest

from support.mqbroker_runs import VALID, assert_unusable, assert_usable, mqbroker
from support.tools import assert_ok

BRIDGE = ("--bridge", "mqtt://h")
BRIDGED = (*BRIDGE, "--bridge-topic", "#")
NO_UTF_8 = b"\xff".decode("utf-8", "surrogateescape")

# Each option: a use that is right, and one that is wrong with a word of the complaint.
OPTIONS = {
    "--listen": (("ws://127.0.0.1:0/mqtt",), ("gopher://h",), "gopher"),
    "--host": (("::1",), ("broker.example",), "broker.example"),
    "--bind": (("127.0.0.1",), ("*",), "'*'"),
    "-h": (("localhost",), ("",), "not an IP address"),
    "--port": (("0",), ("65536",), "65535"),
    "-p": (("1884",), ("1x",), "'1x'"),
    "--ready-fd": (("2",), ("99",), "99 is not an open descriptor"),
    "--unix-mode": (("0600",), ("0800",), "'0800'"),
    "--password-file": (("/dev/null",), ("/nowhere/users",), "/nowhere/users"),
    "--max-login-delay": (("0",), ("soon",), "duration"),
    "--acl-file": (("/dev/null",), ("/nowhere/rules",), "/nowhere/rules"),
    "--client-certs": (("none",), ("some",), "none, optional, required"),
    "--tls-version": (("1.3",), ("1.1",), "'1.1'"),
    "--receive-maximum": (("10",), ("0",), "from 1 to 65535"),
    "--receive-maximum-policy": (("tolerant",), ("lenient",), "strict, tolerant"),
    "--max-packet-size": (("64KiB",), ("1",), "from 128"),
    "--topic-alias-maximum": (("0",), ("65536",), "65535"),
    "--max-keepalive": (("60",), ("0",), "from 1 to 65535"),
    "--max-qos": (("1",), ("3",), "'3'"),
    "--max-session-expiry": (("never",), ("1.5",), "whole number of seconds"),
    "--max-inflight": (("1",), ("0",), "from 1 to 65535"),
    "--max-queued-messages": (("1",), ("-1",), "'-1'"),
    "--max-queued-bytes": (("1MiB",), ("1furlong",), "'1furlong'"),
    "--max-memory": (("1GiB",), ("0",), "'0'"),
    "--write-backlog": (("64K",), ("2G",), "'2G'"),
    "--slow-consumer": (("stall",), ("wait",), "drop, stall, disconnect"),
    "--slow-consumer-grace": (("500ms",), ("soon",), "duration"),
    "--db": (("/tmp/mqbroker-that-is-not-made.db",), ("",), "name of a file"),
    "--durability": (("relaxed", "--db", "/tmp/mqbroker-that-is-not-made.db"), ("some", "--db", "x"), "full, relaxed"),
    "--return-grace": (("10s", "--db", "/tmp/mqbroker-that-is-not-made.db"), ("soon", "--db", "x"), "duration"),
    "--max-connections": (("10",), ("many",), "'many'"),
    "--threads": (("4",), ("0",), "from 1 to 64"),
    "--max-sessions": (("10",), ("0",), "'0'"),
    "--connect-timeout": (("1s",), ("0",), "lets nobody in"),
    "--max-connect-packet-size": (("1KiB",), ("1",), "from 128"),
    "--max-retained": (("0",), ("-1",), "'-1'"),
    "--max-retained-bytes": (("0",), ("x",), "'x'"),
    "--max-subscriptions": (("1",), ("0",), "'0'"),
    "--max-subscriptions-total": (("1",), ("0",), "'0'"),
    "--max-topic-levels": (("1",), ("0",), "'0'"),
    "--max-topic-length": (("1",), ("65536",), "65535"),
    "--refused-publish": (("disconnect",), ("ignore",), "drop, disconnect"),
    "--sys-interval": (("0",), ("5ms",), "at least 100ms"),
    "--trace": (("a/+",), ("",), "empty"),
    "--metrics": (("127.0.0.1:0",), ("localhost:9400",), "IP address"),
    "--bridge": (("mqtt://u:p@127.0.0.1", "--bridge-topic", "#"), ("mqtt://h/topic", "--bridge-topic", "#"), "has no topic"),
    "--bridge-topic": (("a/# both 2 x/ y/", *BRIDGE), ("a up", *BRIDGE), "out, in and both"),
    "--bridge-id": (("b", *BRIDGED), (NO_UTF_8, *BRIDGED), "UTF-8"),
    "--bridge-address": (("other.example:1884", *BRIDGED), ("u@h", *BRIDGED), "HOST:PORT"),
    "--bridge-protocol-version": (("311", *BRIDGED), ("4", *BRIDGED), "5, 311"),
    "--bridge-retry-delay": (("1s..2s", *BRIDGED), ("2s..1s", *BRIDGED), "500ms..30s"),
    "--log-format": (("json",), ("xml",), "text, json"),
}
FLAGS = ("--no-retain", "--no-wildcard", "--no-shared", "--allow-anonymous", "--proxy-protocol", "--print-address",
         "-v", "--verbose", "-d", "--debug")


@pytest.mark.parametrize("option", OPTIONS)
def test_each_option_typed_right_and_wrong(option):
    right, wrong, word = OPTIONS[option]
    result = mqbroker("--check-config", option, *right)
    assert result.code == 0 and VALID.strip().removeprefix("mqbroker: ") in result.err_text, result
    assert_unusable(option, *wrong, words=[word])


@pytest.mark.parametrize("flag", FLAGS)
def test_each_flag_is_taken(flag):
    assert_usable(flag)


def test_help_and_version_are_on_stdout():
    text = assert_ok(mqbroker("--help")).out.decode()
    for option in (*OPTIONS, *FLAGS, "--config", "--check-config", "--cert", "--cert-as-user", "--keypass-file",
                   "--bridge-cafile", "--bridge-cert", "--bridge-key", "--bridge-keypass-file", "--bridge-password-file",
                   "--jwt-audience", "--jwt-issuer"):
        assert re.search(rf"(^|[ ,]){re.escape(option)}[ ,\n]", text, re.M), option
    assert re.fullmatch(r"mqbroker \d+\.\d+\.\d+.*\n", assert_ok(mqbroker("--version")).out.decode(), re.S)


def test_quiet_says_nothing_when_the_configuration_is_good():
    assert_ok(mqbroker("--check-config", "--quiet"))


WRONG_TOGETHER = {
    "user in a listener's URL": (("--listen", "mqtt://me@127.0.0.1:0"), "user name"),
    "topic in a listener's URL": (("--listen", "mqtt://127.0.0.1:0/topic"), "topic"),
    "query in a listener's URL": (("--listen", "ws://127.0.0.1:0/mqtt?x"), "query"),
    "name in a listener's URL": (("--listen", "mqtt://broker.example:0"), "broker.example"),
    "TLS without a certificate": (("--listen", "mqtts://127.0.0.1:0"), "--cert"),
    "a certificate without TLS": (("-p", "0", "--cert", "c", "--key", "k"), "mqtts://"),
    "a certificate without its key": (("--cert", "c"), "--key"),
    "certificates that are not there": (("--listen", "mqtts://127.0.0.1:0", "--cert", "/nowhere/c", "--key", "k"),
                                        "/nowhere/c"),
    "metrics for whoever reaches them": (("--metrics", "0.0.0.0:0"), "--metrics-public"),
    "public metrics without metrics": (("--metrics-public",), "--metrics"),
    "a bridge without topics": (("--bridge", "mqtt://h"), "--bridge-topic"),
    "topics without a bridge": (("--bridge-topic", "#"), "--bridge"),
    "a bridge's certificate without TLS": (("--bridge", "mqtt://h", "--bridge-topic", "#", "--bridge-cafile", "f"), "mqtts://"),
    "a bridge's certificate without its key": (("--bridge", "mqtts://h", "--bridge-topic", "#", "--bridge-cert", "f"), "--bridge-key"),
    "a bridge's key without its certificate": (("--bridge", "mqtts://h", "--bridge-topic", "#", "--bridge-key", "f"), "--bridge-cert"),
    "an unknown option": (("--prot", "1"), "--port"),
    "a stray word": (("start",), "start"),
}


@pytest.mark.parametrize("name", WRONG_TOGETHER)
def test_what_does_not_go_together_is_one_line(name):
    args, word = WRONG_TOGETHER[name]
    assert_unusable(*args, words=[word])


def test_client_certificates_need_a_ca_and_names_need_certificates(certs):
    tls = ("--listen", "mqtts://127.0.0.1:0", "--cert", certs.server, "--key", certs.server_key)
    assert_unusable(*tls, "--client-certs", "required", words=["--cafile"])
    assert_unusable(*tls, "--cert-as-user", words=["--client-certs"])
    assert_unusable(*tls, "--client-certs", "required", "--cafile", certs.server_key, words=[str(certs.server_key)])
    assert_unusable("--listen", "mqtts://127.0.0.1:0", "--cert", certs.server, "--key", certs.client_key,
                    words=["does not match"])
    assert_usable(*tls, "--client-certs", "required", "--cafile", certs.ca, "--cert-as-user")


def test_what_a_bridge_needs_is_read_at_the_start(certs, tmp_path):
    tls = ("--bridge", "mqtts://joe@h", "--bridge-topic", "#")
    assert_unusable(*tls, "--bridge-cafile", "/nowhere/ca", words=["bridge to h:8883", "/nowhere/ca"])
    assert_unusable(*tls, "--bridge-password-file", "/nowhere/p", words=["/nowhere/p"])
    assert_unusable(*tls, "--bridge-cert", certs.server, "--bridge-key", certs.client_key, words=["does not match"])
    assert_unusable(*BRIDGED, "--bridge-password-file", "/nowhere/p", words=["user name"])
    for user in ("j%FFoe", "j%00oe", "j" * 65536):
        assert_unusable("--bridge", f"mqtt://{user}@h", "--bridge-topic", "#", words=["user name"])
    (tmp_path / "long").write_bytes(b"x" * 65536)
    assert_unusable(*tls, "--bridge-password-file", tmp_path / "long", words=["longer than 65535"])
    for name in ("id", "cafile", "cert", "key", "keypass-file", "password-file"):  # a variable that is not set must not mean "without"
        assert_unusable(*tls, f"--bridge-{name}", "", words=[f"--bridge-{name}", "empty"])
    (tmp_path / "password").write_text("x")
    assert_usable(*tls, "--bridge-cafile", certs.ca, "--bridge-cert", certs.client, "--bridge-key", certs.client_key,
                  "--bridge-password-file", tmp_path / "password")


def test_a_key_with_its_password(certs, scratch):
    key = scratch / "encrypted.key"
    subprocess.run(["openssl", "pkey", "-in", certs.server_key, "-aes256", "-passout", "pass:open sesame", "-out", key],
                   check=True, capture_output=True)
    tls = ("--listen", "mqtts://127.0.0.1:0", "--cert", certs.server, "--key", key)
    (scratch / "password").write_text("open sesame\n")
    assert_unusable(*tls, words=["password"])
    assert_usable(*tls, "--keypass-file", scratch / "password")
    bridge = ("--bridge", "mqtts://h", "--bridge-topic", "#", "--bridge-cert", certs.server, "--bridge-key", key)
    assert_unusable(*bridge, words=["password"])
    assert_usable(*bridge, "--bridge-keypass-file", scratch / "password")
    assert_unusable(*bridge[:4], "--bridge-keypass-file", scratch / "password", words=["--bridge-key"])
