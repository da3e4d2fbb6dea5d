"""What documentation shows of a terminal, typed and compared, in a network of its own (own_network.py) with default ports.

A block is a literal display of a man page (".Bd -literal"), or one of Markdown ("```console"), whose first line is a
command or a comment. A line with the prompt "$ " is a command, which goes on in the next line after a backslash, after
"|" and within quotes; one with "# " is a comment; the lines beneath a command, up to the next prompt, are what appears on
the terminal. There,

- "..." stands for anything within a line, and a line of nothing else for any number of lines,
- a command that ends with "&" runs on: what stands beneath it has come before the next command is typed, and a
  subscriber has subscribed, and a broker or proxy listens. What it writes later stands beneath the command that made it do so,
- every command that ends has exit code 0: what fails is shown with "; echo $?".

Comments of a page's source (".\\" $ ") are commands that are typed without being shown. They make what the example takes for
granted; their output is not compared.
"""

import contextlib
import os
import pathlib
import pty
import re
import shlex
import signal
import subprocess
import termios
import threading
from dataclasses import dataclass, field

from .ports import wait_until
from .tools import program

SECONDS = 60
MARK = b"\0all\0"  # of our own


@dataclass
class Command:
    line: int
    text: str
    shown: bool = True
    expected: list = field(default_factory=list)

    @property
    def is_whole(self):
        try:
            return not self.text.endswith(("\\", "|")) and shlex.split(self.text) is not None
        except ValueError:  # quotes are open
            return False

    @property
    def in_background(self):
        return self.text.endswith("&")


def _plain(line):
    """A line of a literal display without roff's escapes."""
    line = line.removeprefix("\\&")
    return line.replace("\\(dq", '"').replace("\\(aq", "'").replace("\\-", "-").replace("\\e", "\\")


def _lines(text):
    """(number, line) of blocks, of each line between them only what is typed without being shown."""
    inside = ""
    for number, line in enumerate(text.splitlines(), 1):
        if inside:
            inside = "" if line == inside else inside
            yield number, (_plain(line) if inside == ".Ed" else line) if inside else None
        elif line == "```console" or line.startswith(".Bd -literal"):
            inside = "```" if line == "```console" else ".Ed"
        elif line.startswith('.\\" $ '):
            yield number, line


def read_commands(text):
    """The commands of a document, or of a part of one, in order."""
    commands, current = [], None
    for number, line in _lines(text):
        if line is None:
            current = None
        elif line.startswith('.\\" $ '):
            commands.append(Command(number, line[6:], shown=False))
        elif current and not current.is_whole:
            current.text += "\n" + line
        elif line.startswith("$ "):
            current = Command(number, line[2:])
            commands.append(current)
        elif current and not line.startswith("# "):
            current.expected.append(line)
    return commands


def _matcher(lines):
    parts = [r"(?:.*\n)*?" if line == "..." else ".*?".join(map(re.escape, line.split("..."))) + r"\n" for line in lines]
    return re.compile("".join(parts))


def _listeners():
    """How many sockets listen. To connect would be seen."""
    LISTEN = "0A"
    return sum(line.split()[3] == LISTEN for kind in ("tcp", "tcp6")
               for line in pathlib.Path("/proc/net", kind).read_text().splitlines())


class Stage:
    """A directory, a terminal that all programs write to, both outputs in one order, and what they leave behind."""

    def __init__(self, directory):
        self.directory, self._processes, self._background, self._data = directory, [], [], b""
        self._log = directory / "broker.log"
        self._log.touch()
        self._environment = {**os.environ, "PATH": f"{program('mqpub').parent}:{os.environ['PATH']}", "HOME": str(directory),
                             "TERM": "dumb", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
        self._master, self._slave = pty.openpty()
        mode = termios.tcgetattr(self._slave)
        mode[1] &= ~termios.OPOST
        termios.tcsetattr(self._slave, termios.TCSANOW, mode)
        self._lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes:
            self.end(process)
        os.close(self._slave)

    def _read(self):
        """Until nobody has the terminal any more. What we started may have it for longer than we do: closed by somebody
        else, the descriptor could be that of the next terminal, and its output would come here."""
        with open(self._master, "rb", buffering=0) as master, contextlib.suppress(OSError):
            while data := master.read(1 << 16):
                with self._lock:
                    self._data += data

    @property
    def output(self):
        """What stands on the terminal since forget(), without jq's colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self._data.replace(MARK, b"").decode("utf-8", "replace"))

    def forget(self):
        with self._lock:
            self._data = b""

    def start(self, command):
        process = subprocess.Popen(["bash", "-o", "pipefail", "-c", command], cwd=self.directory, env=self._environment,
                                   stdin=subprocess.DEVNULL, stdout=self._slave, stderr=self._slave, start_new_session=True)
        self._processes.append(process)
        return process

    def run(self, command):
        code = self.start(command).wait(SECONDS)
        self._catch_up()
        assert code == 0, f"$ {command}\nexit code {code}: {self.output}"

    def _catch_up(self):
        """What programs that have ended have written may still be on its way."""
        before = self._data.count(MARK)
        os.write(self._slave, MARK)
        wait_until(lambda: self._data.count(MARK) > before, SECONDS, "what has been written")

    def end(self, process):
        """Of a pipeline, too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(SECONDS)

    def start_broker(self, options=""):
        """Until it is ready. It says on no terminal who has subscribed."""
        before = self.logged(" ready for ")
        self.start(f"exec mqbroker -v {options} 2>>broker.log")
        wait_until(lambda: self.logged(" ready for ") > before, SECONDS, f"mqbroker {options}")

    def logged(self, words):
        """How often those brokers have said so."""
        return self._log.read_text(encoding="utf-8").count(words)

    def start_in_background(self, command):
        """Until it has subscribed or listens, if it is a program that does, or has ended."""
        def count():
            return _listeners() if re.match(r"mqbroker|mqspy proxy", command) else self.logged(" subscribed to ")
        before = count()
        process = self.start(command)
        self._background.append(process)
        if re.match(r"mqsub|mqbroker|mqspy proxy", command):
            wait_until(lambda: count() > before or process.poll() is not None, SECONDS, command)
        return process

    def type(self, command):
        """Runs it and compares what appears."""
        self.forget()
        if command.in_background:
            self.start_in_background(command.text.removesuffix("&"))
        else:
            self.run(command.text)
        if command.shown:
            self.compare(command)

    def compare(self, command):
        """What has appeared, and appears as long as something runs, with the lines beneath the command."""
        matcher = _matcher(command.expected)
        running = any(process.poll() is None for process in self._background)
        self._catch_up()
        with contextlib.suppress(TimeoutError):
            wait_until(lambda: matcher.fullmatch(self.output), SECONDS if running else 0, "")
        shown = self.output
        assert matcher.fullmatch(shown), "\n".join([f"$ {command.text}", "expected:", *command.expected, "got:", shown])
