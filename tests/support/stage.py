"""Command lines of README and mq-tools(7), played as they are printed: bash, a terminal, default ports.

Unlike those of transcript.py they run on, are fed from elsewhere, or read captures, as in life; what is around them is
made by the test.
To be used in a network of its own (name_server.enter_private_network): the ports are those that the text names."""

import contextlib
import os
import pathlib
import pty
import re
import shlex
import signal
import subprocess
import threading
from dataclasses import dataclass

from .ports import HOST, can_connect, wait_until
from .tools import program

SECONDS = 60

# Its log tells who has subscribed; besides, it is the program itself.
_MQBROKER = """#!/bin/bash
case " $* " in
  *" passwd "* | *" -v "*) ;;
  *) set -- -v "$@" ;;
esac
case " $* " in
  *" passwd "*) exec {program} "$@" ;;
  *) exec {program} "$@" 2>>{log} ;;
esac
"""


@dataclass
class Step:
    """A command line, and the lines that are shown below it."""

    command: str
    output: str = ""

    @property
    def in_background(self):
        return self.command.endswith("&")


def read_steps(text):
    """Of a block with `$ ` before each command; its further lines are indented by four blanks, and `# ` begins a comment."""
    steps = []
    for line in text.splitlines():
        if line.startswith("# "):
            continue
        if line.startswith("$ "):
            steps.append(Step(line[2:]))
        elif line.startswith("    ") and not steps[-1].output:
            steps[-1].command += "\n" + line
        else:
            steps[-1].output += line + "\n"
    return steps


class Stage:
    """A directory, a terminal that all programs write to, and what they leave behind."""

    def __init__(self, directory):
        self.directory, self._processes, self._data = directory, [], b""
        self._log = directory / "broker.log"
        self._log.touch()
        (directory / "bin").mkdir()
        wrapper = directory / "bin" / "mqbroker"
        wrapper.write_text(_MQBROKER.format(program=shlex.quote(str(program("mqbroker"))), log=shlex.quote(str(self._log))), encoding="utf-8")
        wrapper.chmod(0o755)
        self._environment = {**os.environ, "PATH": f"{directory}/bin:{program('mqpub').parent}:{os.environ['PATH']}",
                             "HOME": str(directory), "TERM": "dumb", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
        self._master, self._slave = pty.openpty()
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes:
            self.end(process)
        os.close(self._slave)
        os.close(self._master)

    def _read(self):
        with contextlib.suppress(OSError):  # the end of it all
            while data := os.read(self._master, 1 << 16):
                self._data += data

    @property
    def output(self):
        """What stands on the terminal since forget(), without jq's colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self._data.decode("utf-8", "replace")).replace("\r\n", "\n")

    def forget(self):
        self._data = b""

    def start(self, command):
        process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "bash", "-o", "pipefail", "-c", command],
                                   cwd=self.directory, env=self._environment, stdin=subprocess.DEVNULL,
                                   stdout=self._slave, stderr=self._slave, start_new_session=True)
        self._processes.append(process)
        return process

    def run(self, command):
        assert self.start(command).wait(SECONDS) == 0, (command, self.output)

    def end(self, process):
        """Of a pipeline, too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
            process.wait(SECONDS)

    def start_broker(self, options=""):
        process = self.start(f"mqbroker {options}")
        port = int((re.search(r"-p (\d+)", options) or [0, 1883])[1])
        wait_until(lambda: can_connect((HOST, port)), SECONDS, f"mqbroker {options}")
        return process

    def log(self):
        """What all mqbrokers have said."""
        return self._log.read_text(encoding="utf-8")

    def start_subscriber(self, command):
        """Until the server has it, or it has ended."""
        before = self.log().count(" subscribed to ")
        process = self.start(command)
        wait_until(lambda: self.log().count(" subscribed to ") > before or process.poll() is not None, SECONDS, command)
        return process

    def expect(self, output, process, command):
        """Waits for these lines, and no others; `process` may go on or end well."""
        wait_until(lambda: self.output == output or process.poll() is not None, SECONDS, f"{command}\n{output}")
        if process.poll() is not None:
            assert process.returncode == 0, (command, process.returncode, self.output)
        wait_until(lambda: len(self.output) >= len(output), 5, output)
        assert self.output == output, (command, self.output)
