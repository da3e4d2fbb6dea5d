"""Runs a program under test: byte-exact stdin and stdout, deadlines, signals, CPU time, memory."""

import contextlib
import io
import os
import shlex
import signal
import subprocess
import threading
import time
from dataclasses import dataclass

from .ports import wait_until

DEADLINE = 60.0  # seconds; longer than any single program of the tests may take where others take the cores


@dataclass(repr=False)
class Result:
    """How a program ended. `code` is what a shell says: 128 + n after signal n."""

    argv: list
    code: int
    out: bytes
    err: bytes
    seconds: float
    cpu_seconds: float

    @property
    def err_text(self):
        return self.err.decode("utf-8", "replace")

    @property
    def err_lines(self):
        return self.err_text.splitlines()

    def __repr__(self):
        return (f"$ {shlex.join(self.argv)}\nexit {self.code} after {self.seconds:.3f} s\n"
                f"stdout ({len(self.out)} bytes): {self.out[:400]!r}\nstderr: {self.err_text[:2000]}")


class Proc:
    """A running program. Its output is collected by threads, so it never blocks on us.

    `stdin`: bytes to feed and close, an open file, or None for an open pipe (`write`, `close_stdin`).
    `stdout`: an open file or descriptor to use instead of collecting. `on_line`: called, in a thread,
    with each line of stdout instead of collecting.
    `cwd`, `env` (added to ours), `pass_fds` as for subprocess.
    """

    def __init__(self, argv, stdin=b"", stdout=None, on_line=None, cwd=None, env=None, preexec=None,
                 pass_fds=()):
        self.argv = [os.fspath(a) for a in argv]
        self._started = time.monotonic()
        self._buffers = {"out": bytearray(), "err": bytearray()}
        self._open = {"err"} if stdout is not None else {"out", "err"}
        self._changed = threading.Condition()
        self._usage = None
        self._status = None
        self._popen = subprocess.Popen(
            self.argv, cwd=cwd, env={**os.environ, **(env or {})}, preexec_fn=preexec,
            stdin=stdin if hasattr(stdin, "fileno") else subprocess.PIPE,
            stdout=subprocess.PIPE if stdout is None else stdout, stderr=subprocess.PIPE,
            bufsize=0, start_new_session=True, pass_fds=pass_fds)
        self.pid = self._popen.pid
        self._threads = [self._thread(self._collect, self._popen.stderr, "err"),
                         self._thread(self._reap)]
        if on_line:
            self._threads.append(self._thread(self._follow, on_line))
        elif stdout is None:
            self._threads.append(self._thread(self._collect, self._popen.stdout, "out"))
        if isinstance(stdin, (bytes, bytearray)):
            self._threads.append(self._thread(self._feed, stdin))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @staticmethod
    def _thread(function, *args):
        thread = threading.Thread(target=function, args=args, daemon=True)
        thread.start()
        return thread

    def _collect(self, pipe, name):
        while chunk := pipe.read(1 << 16):
            with self._changed:
                self._buffers[name] += chunk
                self._changed.notify_all()
        pipe.close()
        with self._changed:
            self._open.discard(name)
            self._changed.notify_all()

    def _follow(self, on_line):
        with io.BufferedReader(self._popen.stdout) as lines:
            for line in lines:
                on_line(line)

    def _feed(self, data):
        try:
            view = memoryview(data)
            while view:
                view = view[self._popen.stdin.write(view[: 1 << 16]):]
        except BrokenPipeError:
            pass  # the program may end without reading its input; its exit code tells
        self.close_stdin()

    def _reap(self):
        _, status, usage = os.wait4(self.pid, 0)
        ended = time.monotonic()
        with self._changed:
            code = os.waitstatus_to_exitcode(status)
            self._popen.returncode = code  # so that subprocess does not wait too
            self._status, self._usage, self._ended = code if code >= 0 else 128 - code, usage, ended
            self._changed.notify_all()

    def write(self, data):
        view = memoryview(data)
        while view:
            view = view[self._popen.stdin.write(view):]

    def close_stdin(self):
        try:
            self._popen.stdin.close()
        except BrokenPipeError:
            pass

    @property
    def running(self):
        return self._status is None

    @property
    def out(self):
        with self._changed:
            return bytes(self._buffers["out"])

    @property
    def err(self):
        with self._changed:
            return bytes(self._buffers["err"])

    def peak_memory_bytes(self):
        """The largest resident size so far. (What wait4 reports counts our own size before exec.)"""
        with open(f"/proc/{self.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024

    def kill(self, number):
        """Sends a signal, unless the program has ended."""
        with contextlib.suppress(ProcessLookupError):  # it may end between the two lines
            if self.running:
                os.kill(self.pid, number)

    def _wait_for(self, condition, seconds, what):
        with self._changed:
            if not self._changed.wait_for(condition, seconds):
                raise TimeoutError(f"not within {seconds} s: {what}\n$ {shlex.join(self.argv)}\n"
                                   f"stdout: {bytes(self._buffers['out'])[:500]!r}\n"
                                   f"stderr: {bytes(self._buffers['err'])[-2000:].decode('utf-8', 'replace')}")

    def wait_out(self, needle, seconds=DEADLINE):
        """Waits until stdout holds the bytes `needle`."""
        self._wait_for(lambda: needle in self._buffers["out"] or self._ended_without(needle, "out"),
                       seconds, f"{needle!r} on stdout")

    def wait_err(self, needle, seconds=DEADLINE):
        """Waits until stderr holds the bytes `needle`."""
        self._wait_for(lambda: needle in self._buffers["err"] or self._ended_without(needle, "err"),
                       seconds, f"{needle!r} on stderr")

    def _ended_without(self, needle, name):
        if name not in self._open and needle not in self._buffers[name]:
            raise RuntimeError(f"ended without printing {needle!r}: {shlex.join(self.argv)}\n"
                               f"{bytes(self._buffers['err'])[-2000:].decode('utf-8', 'replace')}")
        return False

    def wait_out_bytes(self, count, seconds=DEADLINE):
        """Waits until stdout holds at least `count` bytes."""
        self._wait_for(lambda: len(self._buffers["out"]) >= count, seconds, f"{count} bytes on stdout")

    def wait(self, seconds=DEADLINE):
        """Waits for the end and returns the Result; kills the program and raises at the deadline."""
        try:
            self._wait_for(lambda: self._status is not None, seconds, "the program's end")
        except TimeoutError:
            self.stop()
            raise
        for thread in self._threads:
            thread.join(5)
        cpu = self._usage.ru_utime + self._usage.ru_stime
        return Result(self.argv, self._status, self.out, self.err, self._ended - self._started, cpu)

    def stop(self, first=signal.SIGTERM, seconds=5.0):
        """Ends the program by its pid: politely, then for certain."""
        for number in (first, signal.SIGKILL):
            self.kill(number)
            try:
                wait_until(lambda: not self.running, seconds, "end")
                return
            except TimeoutError:
                continue


def run(argv, stdin=b"", seconds=DEADLINE, **how):
    """Runs a program to its end and returns the Result."""
    with Proc(argv, stdin=stdin, **how) as proc:
        return proc.wait(seconds)
