"""mqbroker --psk-file: clients with pre-shared keys, ours and mosquitto's, by TLS 1.2 and 1.3."""

import signal
import subprocess

import pytest

from support.mqbroker import MqBroker
from support.ports import HOST
from support.proc import run
from support.tools import assert_fails, assert_ok, mqpub, program

KEY, OTHER = "0123456789abcdef0123456789ABCDEF", "fedcba98"


@pytest.fixture
def keys(tmp_path):
    """Keys of joe and jim, of whom joe may publish on t."""
    (tmp_path / "keys").write_text(f"# devices\n\njoe:{KEY}\nj:im:{OTHER}\r\n")
    (tmp_path / "rules").write_text("user joe\ntopic write t\n")
    return tmp_path


def serve(keys, *options, certs=None):
    return MqBroker(certs, ("tls",), ["-v", "--psk-file", keys / "keys", "--acl-file", keys / "rules", *options])


def publish(broker, *args, **how):
    return mqpub("-h", HOST, "-p", broker["tls"].port, "-t", "t", "-m", "x", "-q", "1", *args, **how)


def by_key(identity="joe", key=KEY):
    return "--psk-identity", identity, "--psk", key


def test_who_has_a_key_is_let_in_by_its_name(keys):
    with serve(keys) as broker:
        for version in ("1.2..1.2", "1.3..1.3"):
            assert_ok(publish(broker, *by_key(), "--tls-version", version))
            assert_ok(publish(broker, *by_key(), "-u", "root", "--tls-version", version))
            assert_fails(publish(broker, *by_key("j:im", OTHER), "--tls-version", version), 10, "Not authorized")
            for wrong in (by_key("joe", OTHER), by_key("jane"), by_key("joe", KEY[:-2])):
                assert publish(broker, *wrong, "--tls-version", version).code != 0, wrong
        assert publish(broker, "--tls-use-os-certs").code != 0, "no key, no way in"
        subprocess.run(["mosquitto_pub", "-h", HOST, "-p", str(broker["tls"].port), "-t", "t", "-m", "x", "-q", "1", *by_key()],
                       check=True, capture_output=True, timeout=60)
        assert KEY not in broker.proc.err.decode() and OTHER not in broker.proc.err.decode()


@pytest.mark.parametrize("version", ("-tls1_2", "-tls1_3"))
def test_identities_that_nobody_has_get_no_connection(keys, version):
    """As OpenSSL's own client says them: empty, huge, no UTF-8, wildcards, and almost one that there is."""
    def shakes_hands(identity, key=KEY):
        done = subprocess.run(["openssl", "s_client", "-connect", f"{HOST}:{broker['tls'].port}", version, "-psk_identity", identity,
                               "-psk", key, "-brief"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        return done.returncode == 0 and b"CONNECTION ESTABLISHED" in done.stderr
    with serve(keys) as broker:
        assert shakes_hands(b"joe")
        for identity in (b"", b"x" * 128, b"\xff\xfe", b"#", b"+", b"%u", b"JOE", b"joe ", b"jo", b"joe\n", b"joe:" + KEY.encode()):
            assert not shakes_hands(identity), identity
        for key in (OTHER, KEY[:-2], KEY + "00", "00", "00" * 16):
            assert not shakes_hands(b"joe", key), key
        assert shakes_hands(b"joe")


def test_a_password_is_not_asked_for_where_there_are_keys(keys):
    (keys / "users").write_text("# nobody\n")
    with serve(keys, "--password-file", keys / "users") as broker:
        assert_ok(publish(broker, *by_key()))


def test_sighup_reads_the_keys_again(keys):
    def reload(line):
        before = broker.log_count(line)
        broker.proc.kill(signal.SIGHUP)
        broker.wait_log(line, before + 1)
    with serve(keys) as broker:
        (keys / "keys").write_text(f"joe:{OTHER}\n")
        reload("SIGHUP: users")
        assert_ok(publish(broker, *by_key("joe", OTHER)))
        assert publish(broker, *by_key()).code != 0
        (keys / "keys").write_text(f"joe:{KEY}\njim\n")
        reload("SIGHUP: nothing is changed: .*line 2: ")
        assert_ok(publish(broker, *by_key("joe", OTHER)))


@pytest.mark.parametrize("line", ("joe", "joe:", ":00", "joe:0", "joe:0g", "joe:" + "00" * 600, "x" * 300 + ":00", "j\x01:00", "first:00"), ids=repr)
def test_a_line_that_is_none_stops_the_broker_and_is_not_shown(tmp_path, line):
    (tmp_path / "keys").write_text(f"first:c0ffee\n{line}\n")
    result = run([program("mqbroker"), "--check-config", "--listen", "mqtts://127.0.0.1:0", "--psk-file", str(tmp_path / "keys")])
    assert_fails(result, 2, f"{tmp_path}/keys', line 2: ")
    assert "c0ffee" not in result.err_text and "0000" not in result.err_text


def test_what_goes_together(keys, certs):
    def check(*options):
        return run([program("mqbroker"), "--check-config", *map(str, options)])
    def listener(scheme):
        (keys / "config.toml").write_text(f'[[listener]]\nurl = "{scheme}://127.0.0.1:0"\npsk-file = "{keys}/keys"\n')
        return keys / "config.toml"
    everywhere = ("--listen", "mqtts://0.0.0.0:0", "--psk-file", keys / "keys")
    certificate = ("--cert", certs.server, "--key", certs.server_key)
    assert check(*everywhere).code == 0, "who has no key does not get in"
    assert_fails(check(*everywhere, *certificate), 2, "a listener of their own")
    assert_fails(check(*everywhere, "--client-certs", "required", "--cafile", certs.ca), 2, "a listener of their own")
    assert_fails(check("-c", listener("mqtt")), 2, "it has no TLS")
    assert check("-c", listener("wss")).code == 0
    assert_fails(check("--psk-file", keys / "keys"), 2, "'--psk-file' is for TLS listeners")
    assert_fails(check("--listen", "mqtts://127.0.0.1:0", "--psk-file", keys / "none"), 2, "No such file")
