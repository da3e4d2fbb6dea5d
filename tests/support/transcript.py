"""What documentation shows of a terminal, typed and compared: each block in a new shell's place, on a machine of its own.

A block is a literal display of a man page (".Bd -literal"), or one of Markdown ("```console"), whose first line begins
with the prompt "$ ". A line with the prompt is a command, which goes on in the next line after a backslash and within
quotes; the lines beneath it, up to the next prompt, are what appears on the terminal. There,

- "..." stands for anything within a line, and a line of nothing else for any number of lines,
- a command that ends with "&" runs on: what stands beneath it has come before the next command is typed, and a
  subscriber has subscribed, and a broker or proxy listens. What it writes later stands beneath the command that made it do so,
- every command that ends has exit code 0: what fails is shown with "; echo $?".

Comments of the source (mdoc: '.\\" $ ', Markdown: '<!-- $ ... -->' on a line of its own) are commands that are typed
without being shown. They make what the example takes for granted; their output is not compared.

The machine is a network and a /etc/hosts of its own, in which mqbroker listens where it does by default, and the names
of HOSTS are this machine. A document that starts brokers itself is given a machine without one.
"""

import ctypes
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field

from .name_server import enter_private_network
from .ports import wait_until

SECONDS = 30  # for what stands beneath a command
MARK = b"\0all\0"  # of our own, behind what programs that have ended have written
HOSTS = ("broker.lan", "hub.example", "broker.example", "a", "b")


@dataclass
class Command:
    line: int
    text: str
    shown: bool = True
    expected: list = field(default_factory=list)

    @property
    def is_whole(self):
        try:
            return not self.text.endswith("\\") and shlex.split(self.text) is not None
        except ValueError:  # quotes are open
            return False

    @property
    def in_background(self):
        return self.text.rstrip().endswith("&") and not self.text.rstrip().endswith("&&")


def _plain(line):
    """A line of a literal display without roff's escapes."""
    line = line[2:] if line.startswith("\\&") else line
    return line.replace("\\(dq", '"').replace("\\(aq", "'").replace("\\-", "-").replace("\\e", "\\")


def _lines(path, text):
    """(number, kind, line): "hidden" commands, "begin" and "end" of blocks, "text" within them."""
    page = pathlib.Path(path).suffix != ".md"
    begin = re.compile(r"\.Bd -literal\b" if page else r"```console$")
    end = ".Ed" if page else "```"
    hidden = re.compile(r'\.\\" \$ (.*)$' if page else r"<!-- \$ (.*) -->$")
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if match := hidden.match(line):
            yield number, "hidden", match[1]
        elif inside and line == end:
            inside = False
            yield number, "end", ""
        elif inside:
            yield number, "text", _plain(line) if page else line
        elif begin.match(line):
            inside = True
            yield number, "begin", ""


def commands_of(path):
    """The commands of a document, in order."""
    commands, current = [], None
    for number, kind, line in _lines(path, pathlib.Path(path).read_text(encoding="utf-8")):
        if kind == "hidden":
            commands.append(Command(number, line, shown=False))
        elif kind != "text":
            current = None
        elif current and not current.is_whole:
            current.text += "\n" + line
        elif line.startswith("$ "):
            current = Command(number, line[2:])
            commands.append(current)
        elif current:
            current.expected.append(line)
    return commands


def _matcher(lines):
    parts = [r"(?:.*\n)*?" if line == "..." else ".*?".join(map(re.escape, line.split("..."))) + r"\n" for line in lines]
    return re.compile("".join(parts))


def _is(command, programs):
    return command.in_background and re.match(rf"(?:\w+=\S+ )*(?:{programs})\b", command.text)


def _listeners():
    """How many sockets listen. To connect would be seen."""
    LISTEN = "0A"
    return sum(line.split()[3] == LISTEN for kind in ("tcp", "tcp6")
               for line in pathlib.Path("/proc/net", kind).read_text().splitlines())


class Terminal:
    """Where commands are typed. What they write, on both outputs, is in one order."""

    def __init__(self, directory, bin_dir):
        self._directory = directory
        home = pathlib.Path(directory) / "home"
        home.mkdir()
        self._environment = {**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}", "HOME": str(home), "NO_COLOR": "1"}
        for name in ("XDG_CONFIG_HOME", "MQTT_URL", "MQTT_VERSION"):
            self._environment.pop(name, None)
        self._output, self._procs, self._background = b"", [], []
        read_end, self._write_end = os.pipe()
        threading.Thread(target=self._collect, args=(read_end,), daemon=True).start()

    def _collect(self, read_end):
        while octets := os.read(read_end, 1 << 16):
            self._output += octets

    @property
    def _seen(self):
        return self._output.replace(MARK, b"").decode("utf-8", "replace")

    def start(self, text, output=None):
        """A shell that does this, and is ended with the terminal."""
        proc = subprocess.Popen(["bash", "-c", f"set -o pipefail\n{text}"], cwd=self._directory, env=self._environment,
                                stdin=subprocess.DEVNULL, stdout=output or self._write_end, stderr=subprocess.STDOUT,
                                start_new_session=True, preexec_fn=_end_with_parent)
        self._procs.append(proc)
        return proc

    def type(self, command, subscriptions):
        """Runs it and compares. `subscriptions` says how many there have been."""
        self._output = b""
        before, listeners = subscriptions(), _listeners()
        if command.in_background:
            proc = self.start(command.text.rstrip()[:-1])
            self._background.append(proc)
            if _is(command, "mqsub"):
                wait_until(lambda: subscriptions() > before or proc.poll() is not None, SECONDS, "a subscriber")
            if _is(command, "mqbroker|mqspy proxy"):
                wait_until(lambda: _listeners() > listeners or proc.poll() is not None, SECONDS, "a listener")
        else:
            code = self.start(command.text).wait(SECONDS)
            assert code == 0, f"exit code {code}: {self._seen}"
        if command.shown:
            self._compare(command.expected)

    def _compare(self, expected):
        matcher = _matcher(expected)
        running = any(proc.poll() is None for proc in self._background)
        os.write(self._write_end, MARK)
        wait_until(lambda: MARK in self._output, SECONDS, "what has been written")
        try:
            wait_until(lambda: matcher.fullmatch(self._seen), SECONDS if running else 0, "")
        except TimeoutError:
            raise AssertionError("expected:\n" + "\n".join(expected) + "\ngot:\n" + self._seen) from None

    def close(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            for proc in self._procs:
                if proc.poll() is None:
                    os.killpg(proc.pid, number)
            for proc in self._procs:
                try:
                    proc.wait(5)
                except subprocess.TimeoutExpired:
                    continue


def _end_with_parent():
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _name_this_machine():
    with tempfile.NamedTemporaryFile("w") as own:
        own.write(f"127.0.0.1 localhost {' '.join(HOSTS)}\n::1 localhost\n")
        own.flush()
        os.chmod(own.name, 0o644)
        subprocess.run(["mount", "--bind", own.name, "/etc/hosts"], check=True)


def run_document(path, bin_dir):
    """Types all of it; what differs is an AssertionError that says where. In a process with a network and mounts of its
    own."""
    enter_private_network()
    _name_this_machine()
    commands = commands_of(path)
    own_broker = any(_is(command, "mqbroker") for command in commands)
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile() as log:
        terminal = Terminal(directory, bin_dir)

        def subscriptions():
            log.seek(0)
            return log.read().count(b" subscribed to ")
        try:
            if not own_broker:
                ready = pathlib.Path(directory) / "home" / "ready"
                terminal.start(f"exec mqbroker -v --ready-fd 3 3>{ready}", log)
                wait_until(lambda: ready.exists() and ready.read_bytes(), SECONDS, "the broker")
                ready.unlink()
            for command in commands:
                try:
                    terminal.type(command, subscriptions)
                except Exception as error:
                    raise AssertionError(f"{path}:{command.line}: $ {command.text}\n{error}") from error
        finally:
            terminal.close()
    return len(commands)


UNSHARE = ("unshare", "--map-root-user", "--net", "--mount")


def can_run_apart():
    return subprocess.run([*UNSHARE, "true"], stderr=subprocess.DEVNULL).returncode == 0


def run_apart(path, bin_dir):
    """run_document() in a process of its own: whether all was as it is shown, and what it says."""
    tests = pathlib.Path(__file__).resolve().parents[1]
    done = subprocess.run([*UNSHARE, sys.executable, "-B", "-m", "support.transcript",
                           pathlib.Path(path).absolute(), pathlib.Path(bin_dir).absolute()], cwd=tests,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", timeout=300)
    return done.returncode == 0, done.stdout


if __name__ == "__main__":
    try:
        print(run_document(sys.argv[1], sys.argv[2]), "commands")
    except AssertionError as error:
        sys.exit(str(error))
