"""mqbroker --password-file and mqbroker passwd, with our clients, MQTT.js and mosquitto's own files."""

import os
import pathlib
import re
import stat
import subprocess
from contextlib import closing

import pytest

from conformance import wire as w
from conformance.wire import V5
from support import peers
from support.brokers import Mosquitto
from support.malformed import Raw
from support.mqbroker import MqBroker
from support.mqtt_wire import CONNACK
from support.ports import HOST
from support.scram import ScramClient
from support.proc import run
from support.tools import assert_fails, assert_ok, mqpub, program

PASSWORD = "pencil, Bleistift"


def passwd(*args, env=None):
    return run([program("mqbroker"), "passwd", *map(str, args)], env=env)


def assert_passwd_fails(result, code, *words):
    assert result.code == code and result.out == b"" and len(result.err_lines) == 1, result
    assert result.err_lines[0].startswith("mqbroker"), result
    for word in words:
        assert word in result.err_text, result


@pytest.fixture
def users(tmp_path):
    """A password file with joe, by us."""
    file = tmp_path / "users"
    assert_ok(passwd(file, "joe", "--password-env", "WORD", env={"WORD": PASSWORD}))
    return file


@pytest.fixture(scope="module")
def one_broker(temporary_directory):
    """One that lets joe in by SCRAM-SHA-256."""
    file = temporary_directory / "scram-users"
    assert_ok(passwd(file, "joe", "--scram-sha-256", "--password-env", "WORD", env={"WORD": PASSWORD}))
    with serve(file, "--max-login-delay", "0") as broker:
        yield broker


@pytest.fixture
def both(tmp_path):
    """One with joe for SCRAM-SHA-256, too."""
    file = tmp_path / "both"
    assert_ok(passwd(file, "joe", "--scram-sha-256", "--password-env", "WORD", env={"WORD": PASSWORD}))
    return file


def serve(file, *options, certs=None, transports=("tcp",)):
    return MqBroker(certs, transports, ["-v", "--password-file", file, *options])


def publish(broker, *args, password=PASSWORD, **how):
    return mqpub("-h", HOST, "-p", broker["tcp"].port, "-t", "t", "-m", "x", "-q", "1", *args, env={"WORD": password}, **how)


WITH_PASSWORD = ("-u", "joe", "--password-env", "WORD")
BY_SCRAM_256 = ("--scram-user", "joe", "--password-env", "WORD")
BY_SCRAM = ("--scram-user", "joe", "--auth-method", "SCRAM-SHA-512", "--password-env", "WORD")


def test_the_right_password_gets_in_and_a_wrong_one_does_not(both):
    with serve(both) as broker:
        for how in (WITH_PASSWORD, (*WITH_PASSWORD, "-V", "311"), BY_SCRAM, BY_SCRAM_256):
            assert_ok(publish(broker, *how))
            assert_fails(publish(broker, *how, password="Pencil, Bleistift"), 6)
        for wrong in ("pencil", "x" * 60000):
            assert_fails(publish(broker, *WITH_PASSWORD, password=wrong), 6)
        assert PASSWORD not in broker.proc.err.decode()


def test_mqtt_js_proves_itself_by_scram(users):
    with serve(users) as broker, closing(peers.MqttJs()) as js:
        client = js.connect(broker["tcp"], scram={"user": "joe", "password": PASSWORD})
        js.send(client, "t", 2, b"x")
        js.end(client)
        with pytest.raises(AssertionError, match="Not authorized"):
            js.connect(broker["tcp"], scram={"user": "joe", "password": "wrong"})


def test_who_has_no_user_name_or_an_unknown_one_stays_out(users):
    with serve(users) as broker:
        assert_fails(publish(broker), 6, "not authorized")
        assert_fails(publish(broker, "-u", "jim", "--password-env", "WORD"), 6, "user name or password")
        assert_fails(publish(broker, "-u", "joe"), 6, "user name or password")
        assert_fails(publish(broker, *("--scram-user", "jim"), *BY_SCRAM[2:]), 6, "not authorized")
        assert_fails(publish(broker, "--scram-user", "joe", "--password-env", "WORD"), 6, "SCRAM-SHA-256", "hint: ")


def test_a_file_without_users_lets_nobody_in(tmp_path):
    (tmp_path / "users").write_text("# nobody yet\n")
    with serve(tmp_path / "users") as broker:
        assert_fails(publish(broker), 6)
        assert_fails(publish(broker, "-u", "", "--password-env", "WORD", password=""), 6)


def test_anonymous_clients_come_in_where_that_is_said(users):
    with serve(users, "--allow-anonymous") as broker:
        assert_ok(publish(broker))
        assert_ok(publish(broker, *WITH_PASSWORD))
        assert_fails(publish(broker, *WITH_PASSWORD, password="wrong"), 6)


def test_with_passwords_it_may_listen_for_other_machines(users):
    check = lambda *args: run([program("mqbroker"), "--check-config", "-h", "0.0.0.0", *map(str, args)])
    assert check("--password-file", users).code == 0
    assert "--password-file" in check().err_text


def test_mosquittos_files_are_read(tmp_path):
    file = tmp_path / "users"
    subprocess.run(["mosquitto_passwd", "-c", "-b", file, "joe", PASSWORD], check=True, capture_output=True)
    with serve(file) as broker:
        assert_ok(publish(broker, *WITH_PASSWORD))
        assert_fails(publish(broker, *WITH_PASSWORD, password="wrong"), 6)
        # Its 101 iterations would lay the password open to whoever stands between.
        assert_fails(publish(broker, *BY_SCRAM), 12, "101 SCRAM iterations")


def test_mosquitto_reads_ours(users):
    users.chmod(0o644)
    with Mosquitto(None, ("tcp",), [f"password_file {users}"]) as broker:
        assert_ok(publish(broker, *WITH_PASSWORD))
        assert_fails(publish(broker, *WITH_PASSWORD, password="wrong"), 6)


def test_what_is_shown_as_a_password_is_bytes(tmp_path):
    """And who guesses is not told whether there is such a user."""
    file = tmp_path / "users"
    data = b"\xff\xfe pass"
    assert_ok(passwd(file, "joe", "--iterations", "1", "--password-cmd", r"printf '\377\376 pass'"))
    with serve(file, "--max-login-delay", "0") as broker:
        def login(user, password):
            """The whole CONNACK, behind its length."""
            with Raw(broker["tcp"].address) as client:
                client.send(w.connect(V5, "c", username=user, password=password))
                return client.expect(CONNACK).body
        assert login("joe", data)[1] == 0
        for wrong in (b"", data[:-1], data + b"x", data + b"\n", b"\xff", b"\0", b"x" * 60000):
            refusal = login("joe", wrong)
            assert refusal[1] == 0x86, wrong
            assert refusal == login("jim", wrong) == login("", wrong) == login("j" * 60000, b""), wrong
        assert login(b"joe\xff", data)[1] == login(b"joe\0", data)[1] == 0x81
        assert login("joe", data)[1] == 0


class Exchange(Raw):
    """A login by an authentication method."""

    def __init__(self, broker, method, data):
        super().__init__(broker["tcp"].address)
        self._method = method
        self.send(w.connect(V5, "s", props={w.P.AUTH_METHOD: method, w.P.AUTH_DATA: data}))
        found = self.packet()
        self.code = found.body[1] if found.kind == CONNACK else 0x18
        self.challenge = b"" if found.kind == CONNACK else re.search(rb"r=[^,]+,s=[^,]+,i=\d+", found.body)[0]

    def finish(self, data):
        """The code of CONNACK."""
        self.send(w.auth(0x18, {w.P.AUTH_METHOD: self._method, w.P.AUTH_DATA: data}))
        return self.expect(CONNACK).body[1]


SCRAM = "SCRAM-SHA-256"


def test_what_was_overheard_of_another_login_is_of_no_use(both):
    with serve(both, "--max-login-delay", "0") as broker:
        joe = ScramClient(SCRAM, "joe", PASSWORD)
        with Exchange(broker, SCRAM, joe.first()) as login:
            final = joe.final(login.challenge)
            assert login.finish(final) == 0
        challenges = {login.challenge}
        for _ in range(3):
            with Exchange(broker, SCRAM, joe.first()) as again:
                challenges.add(again.challenge)
                assert again.finish(final) == 0x87
        assert len(challenges) == 4, "each login has a nonce of its own"


@pytest.mark.parametrize("first", (
    b"", b"\0", b"n,,", b"n,,n=,r=x", b"n,,n=joe", b"n,a=joe,n=joe,r=x", b"n,,n=\xff,r=x", b"n,,n=joe\0,r=x",
    b"n,,n=" + b"j" * 50000 + b",r=x", b"n,,n=joe,r=" + b"x" * 50000, b"p=tls-exporter,,n=joe,r=x", b"p=tls-unique,,n=joe,r=x"), ids=lambda data: repr(data[:20]))
def test_a_scram_login_begins_rightly_or_not_at_all(one_broker, first):
    with Exchange(one_broker, SCRAM, first) as login:
        assert login.code == 0x87 or login.finish(b"c=biws,r=x,p=") == 0x87


@pytest.mark.parametrize("change", (
    lambda final: b"", lambda final: b"\xff" * 100, lambda final: b"x" * 60000, lambda final: final[:-4], lambda final: final + b"A",
    lambda final: final.rpartition(b"p=")[0], lambda final: final.rpartition(b"p=")[0] + b"p=", lambda final: final.replace(b"c=biws", b"c=eSws"),
    lambda final: final.replace(b"c=biws", b"c=cD10bHMtZXhwb3J0ZXIsLA=="), lambda final: final.replace(b"r=", b"r=x")), ids=range(10))
def test_a_scram_login_ends_with_a_proof_or_not_at_all(one_broker, change):
    joe = ScramClient(SCRAM, "joe", PASSWORD)
    with Exchange(one_broker, SCRAM, joe.first()) as login:
        assert login.finish(change(joe.final(login.challenge))) == 0x87
    with Exchange(one_broker, SCRAM, joe.first()) as login:
        assert login.finish(joe.final(login.challenge)) == 0


def test_no_weaker_way_to_log_in_is_taken(one_broker, users):
    """Another hash, a binding to the channel that is taken back on the way, a hash that the user has no key for."""
    for method in ("SCRAM-SHA-1", "SCRAM-SHA-256-PLUS", "scram-sha-256", "PLAIN", "x" * 60000):
        with Exchange(one_broker, method, ScramClient(SCRAM, "joe", PASSWORD).first()) as login:
            assert login.code == 0x8C, method
    joe = ScramClient(SCRAM, "joe", PASSWORD)
    with Exchange(one_broker, SCRAM, b"y" + joe.first()[1:]) as login:
        # It would have taken a binding, and somebody in between has made it not ask for one.
        assert login.code == 0x87 or login.finish(joe.final(login.challenge)) == 0x87
    with serve(users) as broker, Exchange(broker, SCRAM, joe.first()) as login:
        assert login.code == 0x8C, "nobody has a key for SHA-256 there"


# --- mqbroker passwd ------------------------------------------------------------------------------

def test_passwd_adds_changes_and_deletes(users):
    assert re.fullmatch(r"joe:\$7\$4096\$[A-Za-z0-9+/]{16}\$[A-Za-z0-9+/]{86}==\n", users.read_text())
    assert stat.S_IMODE(users.stat().st_mode) == 0o600
    first = users.read_text()
    users.write_text("# ours\n" + first)
    users.chmod(0o640)
    assert_ok(passwd(users, "jim", "--password-cmd", "echo other", "--iterations", "101"))
    assert users.read_text().startswith("# ours\n" + first + "jim:$7$101$")
    assert stat.S_IMODE(users.stat().st_mode) == 0o640, "as it was"
    assert_ok(passwd(users, "joe", "--password-cmd", "echo new"))
    assert first not in users.read_text() and users.read_text().count("joe:") == 1
    assert_ok(passwd(users, "joe", "--scram-sha-256", "--password-cmd", "echo new"))
    assert re.findall(r"(?m)^joe:(\$7\$4096\$|SCRAM-SHA-256\$4096:)", users.read_text()) == ["$7$4096$", "SCRAM-SHA-256$4096:"]
    assert_ok(passwd("--delete", users, "joe"))
    assert "joe" not in users.read_text() and "jim:" in users.read_text()
    assert sorted(p.name for p in users.parent.iterdir()) == ["users"], "nothing is left beside it"


def test_passwd_leaves_links_and_owners_as_they_are(users, tmp_path):
    """As root it must not take the file away from the broker that reads it."""
    link = tmp_path / "link"
    link.symlink_to(users)
    owner = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(users, *owner)
    assert_ok(passwd(link, "jim", "--password-cmd", "echo other"))
    assert link.is_symlink() and "jim:" in users.read_text() and "joe:" in users.read_text()
    assert (users.stat().st_uid, users.stat().st_gid) == owner
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "users"]


def test_passwd_refuses(users, tmp_path):
    before = users.read_text()
    word = ("--password-cmd", "echo x")
    assert_passwd_fails(passwd(), 2, "FILE")
    assert_passwd_fails(passwd(users), 2, "USER")
    assert_passwd_fails(passwd(users, "joe", "stray", *word), 2, "stray")
    for user in ("", "a:b", "#a", "a\nb"):
        assert_passwd_fails(passwd(users, user, *word), 2)
    assert_passwd_fails(passwd(users, "joe", "--iterations", "0", *word), 2, "from 1 to 1000000")
    assert_passwd_fails(passwd("--delete", users, "joe", *word), 2, "together")
    assert_passwd_fails(passwd(users, "joe", "--scram-sha-256", "--password-cmd", "printf '\\1'"), 14, "SCRAM")
    assert_passwd_fails(passwd("--delete", users, "jim"), 14, "no user 'jim'")
    assert_passwd_fails(passwd(users, "joe", "--password-cmd", "true"), 14, "empty")
    assert_passwd_fails(passwd(users, "joe", "--password-env", "NO_SUCH"), 14, "NO_SUCH")
    assert_passwd_fails(passwd(tmp_path / "no" / "file", "joe", *word), 14, "No such file")
    assert_passwd_fails(passwd(tmp_path, "joe", *word), 14, "directory")
    (tmp_path / "device").symlink_to("/dev/null")
    assert_passwd_fails(passwd(tmp_path / "device", "joe", *word), 14, "no regular file")
    assert users.read_text() == before
    users.write_text("joe:plain\n")
    assert_passwd_fails(passwd(users, "jim", *word), 14, f"{users}:1: ")
    assert users.read_text() == "joe:plain\n"


@pytest.mark.parametrize("theirs, instead", (
    (("-c", "users", "joe"), "is made without it"), (("-b", "users", "joe", "pencil"), "--password-file"),
    (("-D", "users", "joe"), "--delete")))
def test_passwd_says_what_stands_for_options_of_mosquitto_passwd(theirs, instead):
    assert_passwd_fails(passwd(*theirs), 2, f"option '{theirs[0]}'", instead)


def test_passwd_takes_a_user_for_no_option(users):
    word = ("--password-cmd", "echo x")
    assert_passwd_fails(passwd(users, "--no-such", *word), 2, "--no-such")
    for user in ("--delete", "-x", "../joe", "%c", "joe jim", "=cmd", "$(id)"):
        assert_ok(passwd(*word, "--", users, user))
        assert f"\n{user}:$7$4096$" in users.read_text()
    assert users.read_text().startswith("joe:") and users.read_text().count("\n") == 8


def test_passwd_help():
    text = assert_ok(passwd("--help")).out.decode()
    for word in ("FILE", "USER", "--delete", "--iterations", "--password-file"):
        assert word in text


# --- bad files ------------------------------------------------------------------------------------

@pytest.mark.parametrize("line", ("joe", "joe:", ":", "joe:secret", "joe:$argon2id$v=19$m=1,t=1,p=1$YQ$YQ", "joe:$7$101$YQ==",
                                  "joe:$7$2000000$YQ==$YQ=="), ids=str)
def test_a_line_that_is_none_stops_the_broker_and_is_not_shown(tmp_path, line):
    (tmp_path / "users").write_text(f"# users\n{line}\n")
    for check in ((), ("--check-config",)):
        result = run([program("mqbroker"), *check, "-p", "0", "--password-file", str(tmp_path / "users")])
        assert_fails(result, 2, f"{tmp_path}/users:2: ")
        assert "secret" not in result.err_text


def test_files_that_are_none(tmp_path):
    for path, word in ((tmp_path / "missing", "No such file"), (tmp_path, "directory"), (pathlib.Path("/dev/zero"), "large")):
        assert_fails(run([program("mqbroker"), "-p", "0", "--password-file", str(path)]), 2, word)
    if os.geteuid() != 0:
        (tmp_path / "locked").touch(0)
        assert_fails(run([program("mqbroker"), "-p", "0", "--password-file", str(tmp_path / "locked")]), 2, "denied")


def test_a_certificate_names_who_has_one_and_a_password_the_others(users, certs):
    options = ("--client-certs", "optional", "--cert-as-user", "--cafile", certs.ca)
    with serve(users, *options, certs=certs, transports=("tls",)) as broker:
        with_certificate = mqpub(*broker.args("tls"), "--cert", certs.client, "--key", certs.client_key, "-t", "t", "-n", "-q", "1")
        assert_ok(with_certificate)
        assert_fails(mqpub(*broker.args("tls"), "-t", "t", "-n", "-q", "1"), 6)
        assert_ok(mqpub(*broker.args("tls"), "-t", "t", "-n", "-q", "1", *WITH_PASSWORD, env={"WORD": PASSWORD}))


def test_who_guesses_has_to_wait(users):
    """The delay is too long to end during the test, however slow the machine is."""
    def code(password):
        with Raw(broker["tcp"].address) as client:
            client.send(w.connect(V5, "guesser", username="joe", password=password))
            return client.expect(CONNACK).body[1]
    with serve(users, "--max-login-delay", "1h") as broker:
        codes = [code(b"guess") for _ in range(10)]
        # The waits double: whatever else comes in between, the broker is closed for longer than the loop takes.
        for _ in range(40):
            codes.append(code(b"guess"))
            if codes[-1] == 0x9F:
                break
        assert codes[:10] == [0x86] * 10 and codes[-1] == 0x9F
    with serve(users, "--max-login-delay", "0") as broker:
        assert [code(b"guess") for _ in range(12)] == [0x86] * 12 and code(PASSWORD.encode()) == 0
