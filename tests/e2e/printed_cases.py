"""The command lines of README and of mq-tools(7), as they are printed. Run by test_readme.py in a network of its own."""

import contextlib
import pathlib
import re
import shutil
import sqlite3

import pytest

from support import captures
from support.mqtt_wire import connack, packet, publish
from support.own_network import enter_private_network
from support.ports import HOST, can_connect, wait_until
from support.printed import Stage, read_commands
from support.talks import PUBACK, PUBLISH, connect

ROOT = pathlib.Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "man" / "mq-tools.7").read_text(encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def network():
    enter_private_network()


@pytest.fixture
def stage(tmp_path, certs):
    for name, source in (("ca.pem", certs.ca), ("server.pem", certs.server), ("server.key", certs.server_key)):
        (tmp_path / name).write_bytes(pathlib.Path(source).read_bytes())
    for name, content in (("pw", "pencil\n"), ("rules", "topic readwrite #\n"), ("app.log", "one\ntwo\n"),
                          ("work", "#!/bin/sh\ncat; echo\n"), ("feed.jsonl", FEED)):
        (tmp_path / name).write_text(content, encoding="utf-8")
    (tmp_path / "work").chmod(0o755)
    write_capture(tmp_path)
    with Stage(tmp_path) as stage:
        yield stage


def write_capture(directory):
    (directory / "capture.pcapng").write_bytes(captures.pcapng(capture()))


def capture():
    """A PUBACK that takes 250 ms, a broken packet, and a client that comes three times: twice it falls silent."""
    slow = captures.Talk().open().client(connect("plc3")).server(connack(5)).client(PUBLISH)
    slow.at += 0.249
    slow.server(PUBACK).client(publish("x", b"1", dup=1)).client(packet(14)).close()
    flaky = []
    for number, silence in enumerate((0, 2, 2)):
        talk = captures.Talk(client=("10.0.0.9", 40000 + number), at=10.0 * number)
        talk.open().client(connect("sensor9", keep_alive=1)).server(connack(5)).client(publish("hall", b"21"))
        talk.at += silence
        flaky.append(talk.close(1 if silence else 0))
    return captures.merged(slow, *flaky)


# --- mq-tools(7) ----------------------------------------------------------------------------------

def recipes():
    """{head: [Command]}; what stands before the first head is the recording that all begin with."""
    text = PAGE.split(".Sh RECIPES\n")[1].split("\n.Sh ")[0]
    return {part.splitlines()[0]: read_commands(part) for part in re.split(r"^\.Ss ", text, flags=re.M)}


RECORDING, RECIPES = next(iter(recipes().values()))[0], dict(list(recipes().items())[1:])


@pytest.mark.parametrize("head", RECIPES)
def test_a_recipe_of_the_manual_does_what_is_printed(head, stage):
    (stage.directory / "plant.jsonl").write_text("\n".join(RECORDING.expected) + "\n", encoding="utf-8")
    stage.start_broker()
    stage.start_broker("-p 1884")
    for topic, payload in (("config/door", "not to be opened!"), ("config/lamp", "on"), ("state/lamp", "1")):
        stage.run(f"mqpub -t {topic} -r -q 1 -m '{payload}'")
    assert RECIPES[head]
    for command in RECIPES[head]:
        if "mqsub" not in command.text or "--retained" in command.text:
            stage.type(command)
            continue
        stage.forget()
        process = stage.start_in_background(command.text)
        if command.expected:  # else it goes on while the next one shows what it does
            stage.run("mqpub --replay plant.jsonl --speed max -q 1")
            stage.compare(command)
            assert process.poll() in (None, 0), command
            stage.end(process)


# --- README ---------------------------------------------------------------------------------------

FEED = "".join(f'{{"topic":"{topic}","payload":"{payload}"}}\n' for topic, payload in
               (("home/lamp", "on"), ("room/1", '{\\"temp\\":21.5}'), ("alarm/fire", "1"), ("job/7", "dig"), ("plant/1/temp", "20.5"), ("plant/2/temp", "84.5")))
ENDLESS = re.compile(r"^(mqspy (proxy|capture)|mqbroker -)|\./work$|jq \.payload\.temp$|--reconnect$|--stats=3$|mqpub -p 1884 --json$")
SHORTER = {"mqbench run": "--duration 1s", "mqbench search": "--duration 200ms --warmup 0 --precision 50%"}
LOOP = ("mqbench run", "mqbench run --duration 50ms --warmup 0")  # of five runs
CODES = {"mqspy lint": {13}, "mqbench run": {0, 13}, "mqbench search": {0, 13}}  # of a busy machine


def sections():
    """[(head, [Command])] of README's console blocks: our programs' command lines, not those that build, test and install."""
    found = []
    for part in re.split(r"^##+ ", README, flags=re.M)[1:]:
        commands = [command for command in read_commands(part) if re.match(r"mq[a-z]+ |for ", command.text)]
        if commands:
            found.append((part.splitlines()[0], commands))
    assert sum(len(commands) for _, commands in found) > 25
    return found


def of_command(table, command, default):
    return next((value for start, value in table.items() if command.startswith(start)), default)


def feed(stage):
    for port in (1883, 1884):
        if can_connect((HOST, port)):
            stage.run(f"mqpub -p {port} --json -f feed.jsonl 2>/dev/null")


def shows_life(stage, command, before):
    """Of what goes on: an output (of a capture a message), or a bridge has subscribed."""
    if command.startswith("mqspy capture"):
        return " PUBLISH " in stage.output
    return stage.output or "mqpub -p 1884" in command and stage.logged(" subscribed to ") > before


def play(stage, command):
    """To its end, or until it has shown that it works."""
    before = stage.logged(" subscribed to ")
    process = stage.start(command.replace(*LOOP) if command.startswith("for ") else
                          f"{command} {of_command(SHORTER, command, '')}")
    for _ in range(100):
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: process.poll() is not None or ENDLESS.search(command) and shows_life(stage, command, before),
                       0.5, command)
            break
        feed(stage)
    if ENDLESS.search(command):
        assert process.poll() is None, (command, stage.output)
        stage.end(process)
    else:
        assert process.wait(60) in of_command(CODES, command, {0}), (command, process.returncode, stage.output)


@pytest.mark.parametrize("head, commands", sections(), ids=[head for head, _ in sections()])
def test_readme_works_as_it_is_printed(head, commands, stage):
    words = "\n".join(command.text for command in commands)
    if "mqbroker" not in words:
        stage.start_broker("--listen mqtt://localhost --listen mqtts://localhost --cert server.pem --key server.key")
    if "-p 1884" in words:
        stage.start_broker("-p 1884")
    for command in commands:
        if command.text.startswith("mqbroker") and command.in_background:
            stage.start_broker(command.text.removesuffix("&").removeprefix("mqbroker"))
        elif command.in_background or command.expected:
            stage.type(command)
        else:
            if command.text.startswith("mqbench compare"):  # what was kept from before
                for result in stage.directory.glob("new?.json"):
                    shutil.copy(result, result.with_name(result.name.replace("new", "old")))
            stage.forget()
            play(stage, command.text)
            if command.text.startswith("mqspy capture"):
                assert b"room/1" in (stage.directory / "capture.pcapng").read_bytes()
                write_capture(stage.directory)


def test_what_waits_in_a_database_can_be_seen_while_the_broker_runs(stage):
    stage.start_broker("--db mq.db")
    stage.run("mqsub -c -i joe -q 1 -t news -E")
    stage.run("mqpub -q 1 -t news -m hello")
    query = re.search(r"`sqlite3 mq\.db '([^']+)'`", README)[1]
    with contextlib.closing(sqlite3.connect(f"file:{stage.directory}/mq.db?mode=ro", uri=True)) as database:
        rows = database.execute(query).fetchall()
    assert [(client, topic, payload) for client, _, topic, payload in rows] == [("joe", "news", b"hello")], rows


def other_words():
    """What README and the page say instead of another tool's command."""
    table = README.split("\n## Coming from")[1].split("\n## ")[0]
    page = PAGE.split(".Sh COMING FROM")[1]
    return sorted({*re.findall(r"\| `(mq[^`]+)` \|$", table, re.M), *re.findall(r"(?:^\.| Ta )Li (mq[^t].*)$", page, re.M)})


def test_the_words_for_those_of_another_tool_are_understood(stage):
    """mqbench and the clients say what they would do; the others do it."""
    (stage.directory / "f.pcap").write_bytes(captures.pcap(capture()))
    stage.start_broker()
    assert len(other_words()) > 15
    for command in other_words():
        stage.forget()
        more = {"mqbroker passwd": "--password-file pw", "mqbroker": "--check-config", "mqspy": ""}
        if command.startswith("mqspy capture"):
            spy = stage.start(f"{command} --stop-on type==PUBLISH")
            wait_until(lambda: "listening" in stage.output, 60, command)
            stage.run("mqpub -t a -m b")
            assert spy.wait(60) == 0 and "PUBLISH" in stage.output, stage.output
        else:
            stage.run(f"{command} {of_command(more, command, '--show-config')}")


def toml_after(head):
    return re.search(r"^```toml\n(.*?)^```", README.split(f"\n{head}\n")[1], re.M | re.S)[1]


def test_the_configuration_of_readme_can_be_used(stage):
    (stage.directory / "mq.toml").write_text(toml_after("### mqbroker is a broker"), encoding="utf-8")
    stage.run("mqbroker -c mq.toml --check-config")


def test_the_profile_of_readme_can_be_used(stage):
    path = stage.directory / ".config" / "mq" / "home.toml"
    path.parent.mkdir(parents=True)
    path.write_text(toml_after("## The tools").replace("/home/joe", str(stage.directory)), encoding="utf-8")
    for command in ("mqpub -t a -m b", "mqsub -t a", "mqreq -t a -m b"):
        stage.forget()
        stage.run(f"XDG_CONFIG_HOME=~/.config {command} --profile home --show-config")
        assert 'url = "mqtts://joe@broker.lan"' in stage.output and f"{stage.directory}/pw" in stage.output, stage.output
