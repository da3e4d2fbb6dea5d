"""What mqsub does with messages besides showing them: commands, replies, recordings, backups of retained messages."""

import os
import signal
import stat

import pytest

from support import fault_server as faults
from support import mqtt_wire as wire
from support.fault_server import FaultServer
from support.mqbroker import MqBroker
from support.peers import Paho
from support.ports import HOST, wait_until
from support.subscribed import Subscribed, retain
from support.tools import assert_fails, assert_ok, json_lines, mqpub, mqsub, payload_of, start, unique


@pytest.fixture(scope="module")
def broker():
    with MqBroker(options=["-v"]) as broker:
        yield broker


def publish(broker, topic, *payloads, qos=1):
    assert_ok(mqpub(*broker.args(), "-t", topic, "-q", qos, "-l", stdin=b"".join(p.encode() + b"\n" for p in payloads)))


def ended(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat_file:
            return " Z " in stat_file.read()
    except FileNotFoundError:
        return True


def acknowledged(server):
    return [(p.packet_id, p.body[2:3]) for p in server.connections[0].received if p.kind == wire.PUBACK]


# --- --exec ---------------------------------------------------------------------------------------------

def test_exec_has_the_payload_on_stdin_and_the_rest_in_its_environment(broker):
    command = 'cat; echo "|$MQ_TOPIC|$MQ_QOS|$MQ_RETAIN|$MQ_LEN|$MQ_CONTENT_TYPE|$MQ_CORRELATION_DATA|$MQ_PROPERTIES"'
    with Subscribed(broker, "-q", 1, "--exec", command, "-C", 1) as sub:
        assert_ok(mqpub(*broker.args(), "-t", sub.topic, "-q", 1, "-m", "it's", "-D", "publish", "content-type", "text/x",
                        "-D", "publish", "correlation-data", "base64:/wA=", "-D", "publish", "user-property", "k", "v"))
        out = sub.output().decode()
    assert out == (f"it's|{sub.topic}|1|0|4|text/x|/wA=|"
                   '{"content_type":"text/x","correlation_data":{"base64":"/wA="},"user_properties":[["k","v"]]}\n')


@pytest.mark.parametrize("size", (0, 1, 1 << 20))
def test_exec_is_fed_any_bytes_of_any_length(size, scratch):
    payload = bytes(range(256)) * (size // 256) or b"\0" * size
    with FaultServer(faults.subscribed_then(wire.publish("t", payload, 1, 1))) as server:
        assert_ok(mqsub("-L", server.url, "-q", 1, "-t", "t", "--exec", f"cat > {scratch}/out", "-C", 1))
    assert (scratch / "out").read_bytes() == payload


def test_a_command_that_does_not_read_is_no_failure():
    with FaultServer(faults.subscribed_then(wire.publish("t", b"x" * (1 << 20), 1, 1))) as server:
        assert_ok(mqsub("-L", server.url, "-q", 1, "-t", "t", "--exec", "exec true", "-C", 1))
    assert acknowledged(server) == [(1, b"")]


def test_trap_15_exec_acknowledges_on_success_only():
    messages = [wire.publish("t", payload, 1, number) for number, payload in enumerate((b"0", b"3", b"0"), 1)]
    with FaultServer(faults.subscribed_then(*messages)) as server:
        assert_fails(mqsub("-L", server.url, "-q", 1, "-t", "t", "--exec", 'exit "$(cat)"'), 14, "'t'", "exit code 3")
    assert acknowledged(server) == [(1, b"")]


def test_exec_failure_continue_gives_the_message_up():
    messages = [wire.publish("t", payload, 1, number) for number, payload in enumerate((b"0", b"3", b"0"), 1)]
    with FaultServer(faults.subscribed_then(*messages)) as server:
        result = mqsub("-L", server.url, "-V", 5, "-q", 1, "-t", "t", "--exec", 'exit "$(cat)"', "--exec-failure",
                       "continue", "-C", 3)
    assert result.code == 0 and "exit code 3" in result.err_text, result
    assert acknowledged(server) == [(1, b""), (2, b"\x83"), (3, b"")]


def test_exec_jobs_bound_what_runs_at_the_same_time(scratch):
    """Each command waits until three run at once; with fewer it would wait for ever."""
    messages = [wire.publish("t", b"%d" % number, 1, number) for number in range(1, 7)]
    command = (f'cd {scratch}; : > "run.$(cat)"; '
               'while [ $(ls | wc -l) -lt 3 ]; do sleep 0.05; done; [ $(ls | wc -l) -le 6 ]')
    with FaultServer(faults.subscribed_then(*messages)) as server:
        assert_ok(mqsub("-L", server.url, "-q", 1, "-t", "t", "--exec", command, "--exec-jobs", 3, "-C", 6))
    assert [packet for packet, _ in acknowledged(server)] == [1, 2, 3, 4, 5, 6], "in the order in which they came"


def test_one_job_at_a_time_keeps_the_order(broker, scratch):
    with Subscribed(broker, "-q", 1, "--exec", f"cat >> {scratch}/all", "-C", 20) as sub:
        publish(broker, sub.topic, *(f"{n};" for n in range(20)))
        sub.output()
    assert (scratch / "all").read_text() == "".join(f"{n};" for n in range(20))


def test_trap_13_a_command_does_not_inherit_an_ignored_sigpipe():
    """yes | head ends only if SIGPIPE ends yes."""
    with FaultServer(faults.subscribed_then(wire.publish("t", b"x"))) as server:
        out = assert_ok(mqsub("-L", server.url, "-t", "t", "--exec", "grep SigIgn /proc/self/status; yes | head -1",
                              "-C", 1)).out
    ignored = int(out.split()[1], 16)
    assert not ignored & 1 << (signal.SIGPIPE - 1) and out.endswith(b"y\n"), out


def test_a_signal_ends_what_runs_and_leaves_the_message(scratch):
    with FaultServer(faults.subscribed_then(wire.publish("t", b"x", 1, 1))) as server:
        with start("mqsub", "-L", server.url, "-q", 1, "-t", "t", "--exec",
                   f"echo $$ > {scratch}/pid; exec sleep 60") as sub:
            wait_until(lambda: (scratch / "pid").exists() and (scratch / "pid").read_text(), 5, "the command")
            sub.kill(signal.SIGTERM)
            assert sub.wait(5).code == 143
    pid = int((scratch / "pid").read_text())
    wait_until(lambda: ended(pid), 5, "its end")
    assert not acknowledged(server)


def test_exec_timeout_ends_the_command_and_all_that_it_started(scratch):
    with FaultServer(faults.subscribed_then(wire.publish("t", b"x", 1, 1))) as server:
        assert_fails(mqsub("-L", server.url, "-q", 1, "-t", "t", "--exec-timeout", "2s", "--exec",
                           f"sleep 60 & echo $! > {scratch}/pid; wait"), 14, "'t'", "no end after 2s")
    wait_until(lambda: ended(int((scratch / "pid").read_text())), 5, "the end of what it started")
    assert not acknowledged(server)


def test_a_command_that_does_not_want_to_end_is_made_to(scratch):
    messages = [wire.publish("t", payload, 1, number) for number, payload in enumerate((b"stay", b"go"), 1)]
    stays = f'[ "$(cat)" = go ] || {{ trap "" TERM; echo $$ > {scratch}/pid; while :; do sleep 0.1; done; }}'
    with FaultServer(faults.subscribed_then(*messages)) as server:
        result = mqsub("-L", server.url, "-V", 5, "-q", 1, "-t", "t", "--exec", stays, "--exec-timeout", "2s",
                       "--exec-failure", "continue", "-C", 2)
    assert result.code == 0 and "no end after 2s" in result.err_text, result
    assert acknowledged(server) == [(1, b"\x83"), (2, b"")] and ended(int((scratch / "pid").read_text()))


def test_exec_timeout_is_also_for_the_end_of_an_answer():
    request = wire.publish("t", b"x", 1, 1, props={wire.RESPONSE_TOPIC: "answers"})
    with FaultServer(faults.subscribed_then(request)) as server:
        assert_fails(mqsub("-L", server.url, "-q", 1, "-t", "t", "--reply", "--exec-timeout", "500ms", "--exec",
                           "setsid sleep 5 & echo answer"), 14, "no end after 500ms")
    assert wire.PUBLISH not in [p.kind for p in server.connections[0].received]


# --- --reply --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("qos", (0, 1, 2))
def test_reply_answers_on_the_response_topic(broker, qos):
    answers = unique("answers")
    with Paho().subscribe(broker, "tcp", "5", answers, 2) as observer:
        with Subscribed(broker, "-q", 2, "--exec", "tr a-z A-Z", "--reply", "-C", 2) as sub:
            for data in ("one", "two"):
                assert_ok(mqpub(*broker.args(), "-t", sub.topic, "-q", qos, "-m", f"request {data}", "-D", "publish",
                                "response-topic", answers, "-D", "publish", "correlation-data", data))
            sub.output()
        assert [payload for _, _, payload in observer.take(2)] == [b"REQUEST ONE", b"REQUEST TWO"]


def test_a_reply_has_the_correlation_data_and_comes_before_the_acknowledgement():
    request = wire.packet(wire.PUBLISH, wire.string("t") + b"\0\1" + b"\x09\x08\0\1a\x09\0\2\0\7" + b"ping", 2)

    def script(connection):
        connection.accept()
        connection.accept_subscription()
        connection.send(request)
        while (packet := connection.packet()).kind != wire.DISCONNECT:
            if packet.kind == wire.PUBLISH:
                connection.send(wire.ack(wire.PUBACK, packet.packet_id, 5))
    with FaultServer(script) as server:
        assert_ok(mqsub("-L", server.url, "-q", 1, "-t", "t", "--exec", "cat; echo", "--reply", "-C", 1))
    sent = [p for p in server.connections[0].received if p.kind in (wire.PUBLISH, wire.PUBACK)]
    assert [p.kind for p in sent] == [wire.PUBLISH, wire.PUBACK]
    assert sent[0].body.startswith(b"\0\1a") and b"\x09\0\2\0\7" in sent[0].body and sent[0].body.endswith(b"ping\n")


def test_a_message_that_asks_for_no_answer_is_said(broker):
    with Subscribed(broker, "--exec", "cat", "--reply", "-W", "2s") as sub:
        publish(broker, sub.topic, "x")
        result = sub.proc.wait()
    assert result.code == 0 and "no Response Topic" in result.err_text, result


# --- --record -------------------------------------------------------------------------------------------

def test_record_appends_what_mqpub_can_publish(broker, scratch):
    payloads = ["one", "two"]
    for payload in payloads:
        with Subscribed(broker, "-q", 1, "--record", scratch / "log", "-C", 1) as sub:
            publish(broker, sub.topic, payload)
            assert sub.output().decode() == payload + "\n"
    lines = json_lines((scratch / "log").read_bytes())
    assert [payload_of(line).decode() for line in lines] == payloads and lines[1]["topic"] == sub.topic


def test_trap_14_what_cannot_be_recorded_is_not_acknowledged():
    with FaultServer(faults.subscribed_then(wire.publish("t", b"x", 1, 1))) as server:
        result = mqsub("-L", server.url, "-q", 1, "-t", "t", "--record", "/dev/full")
    assert result.code == 14 and "/dev/full" in result.err_text and len(result.err_lines) == 1, result
    assert not acknowledged(server)


# --- backups --------------------------------------------------------------------------------------------

def test_backup_is_replaced_only_when_it_is_whole(broker, scratch):
    base = unique()
    retain(broker, {f"{base}/a": "1", f"{base}/b": "zwei"})
    backup = scratch / "backup"
    backup.write_text("old")
    assert assert_ok(mqsub(*broker.args(), "-t", f"{base}/#", "--retained-backup", backup)).out == b""
    lines = json_lines(backup.read_bytes())
    assert {line["topic"]: line["payload"] for line in lines} == {f"{base}/a": "1", f"{base}/b": "zwei"}
    assert all(line["retain"] and line["qos"] == 1 for line in lines), "as they were published"
    assert os.listdir(scratch) == ["backup"]
    assert stat.S_IMODE(backup.stat().st_mode) == 0o666 & ~current_umask()


def test_a_backup_into_what_is_no_regular_file_replaces_nothing(broker, scratch):
    base = unique()
    retain(broker, {f"{base}/a": "1"})
    behind, link = scratch / "behind", scratch / "link"
    behind.write_text("old and longer than what comes, by far, so that a rest of it would be seen: " + 1000 * "x")
    link.symlink_to(behind)
    assert_ok(mqsub(*broker.args(), "-t", f"{base}/#", "--retained-backup", link))
    assert link.is_symlink() and [line["topic"] for line in json_lines(behind.read_bytes())] == [f"{base}/a"]


def current_umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("end", ("connection", "signal"))
def test_a_backup_that_is_cut_leaves_the_old_one(scratch, end):
    def script(connection):
        connection.accept()
        connection.accept_subscription()
        connection.send(wire.publish("t", b"kept", retain=1))
        connection.packet()  # PINGREQ
        if end == "signal":
            connection.drain()
    backup = scratch / "backup"
    backup.write_text("old")
    with FaultServer(script) as server, start("mqsub", "-L", server.url, "-t", "t", "--retained-backup", backup) as sub:
        wait_until(lambda: server.connections and any(p.kind == wire.PINGREQ for p in server.connections[0].received), 5,
                   "PINGREQ")
        if end == "signal":
            sub.kill(signal.SIGINT)
        assert sub.wait().code == {"connection": 8, "signal": 130}[end]
    assert backup.read_text() == "old" and os.listdir(scratch) == ["backup"]


def test_diff_says_what_is_new_gone_and_other(broker, scratch):
    base = unique()
    backup = scratch / "backup"
    retain(broker, {f"{base}/same": "1", f"{base}/other": "1", f"{base}/gone": "1"})
    arguments = [*broker.args(), "-q", 1, "-t", f"{base}/#"]
    assert_ok(mqsub(*arguments, "--retained-backup", backup))
    assert assert_ok(mqsub(*arguments, "--retained-diff", backup)).out == b""
    retain(broker, {f"{base}/other": "2", f"{base}/new": "1"})
    assert_ok(mqpub(*broker.args(), "-t", f"{base}/gone", "-n", "-r", "-q", 1))
    result = mqsub(*arguments, "--retained-diff", backup)
    assert result.code == 13 and result.err == b"", result
    assert result.out.decode() == f"- {base}/gone\n+ {base}/new\n~ {base}/other\n"
    assert assert_ok(mqsub(*broker.args(), "-t", f"{base}/same", "--retained-diff", backup)).out == b"", "as asked for"


@pytest.mark.parametrize("content, word", [("{\n", "line 1"), ('{"payload":"x"}\n', "line 1")])
def test_a_backup_that_cannot_be_read_is_14(broker, scratch, content, word):
    (scratch / "backup").write_text(content)
    assert_fails(mqsub(*broker.args(), "-t", "t", "--retained-diff", scratch / "backup"), 14, word, "backup")


WRONG = [(("--exec", ""), "empty"), (("--exec-jobs", "2"), "--exec"), (("--exec", "cat", "--exec-jobs", "0"), "0"),
         (("--exec", "cat", "--exec-failure", "retry"), "retry"), (("--reply",), "--exec"), (("--exec", "cat", "-v"), "-v"),
         (("--exec", "cat", "--reply", "-V", "311"), "MQTT 5"), (("--record", ""), "empty"),
         (("--retained-backup", "x", "-R"), "-R"), (("--retained-diff", "x", "--retained-backup", "x"), "--retained-backup")]


@pytest.mark.parametrize("args, word", WRONG, ids=lambda value: " ".join(value) if isinstance(value, tuple) else "")
def test_wrong_use_is_2_and_one_line(broker, args, word):
    assert_fails(mqsub("-h", HOST, "-p", broker["tcp"].port, "-t", "t", *args, seconds=5), 2, word)


@pytest.mark.parametrize("option", ("--record", "--retained-backup", "--retained-diff"))
def test_a_file_that_cannot_be_opened_is_14(broker, option):
    assert_fails(mqsub(*broker.args(), "-t", "t", option, "/nowhere/file"), 14, "/nowhere/file")
