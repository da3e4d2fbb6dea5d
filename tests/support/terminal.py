"""A program on a pseudo-terminal of its own: what it has written there, and what is typed."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import termios
import threading

from .ports import wait_until
from .tools import start

ENTERED, LEFT = b"\x1b[?1049h\x1b[?25l\x1b[?7l", b"\x1b[?7h\x1b[?25h\x1b[?1049l"  # a view, and its end


class Terminal:
    """mqpub, mqsub, mqreq or mqbench with standard output on it, and with `stderr_too` standard error; with
    `controlling` it is also /dev/tty."""

    def __init__(self, name, *args, rows=24, columns=80, env=None, controlling=False, stderr_too=False):
        self._master, slave = pty.openpty()
        self.resize(rows, columns)
        self._data = b""

        def prepare():  # in the child, after setsid
            if controlling:
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            if stderr_too:
                os.dup2(1, 2)
        self.proc = start(name, *args, stdout=slave, env=env, preexec=prepare if controlling or stderr_too else None)
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.stop()
        self._reader.join(5)
        os.close(self._master)

    def _read(self):
        with contextlib.suppress(OSError):  # EIO: the program has gone
            while data := os.read(self._master, 1 << 16):
                self._data += data

    def resize(self, rows, columns):
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self._master, text.encode())

    @property
    def echoes(self):
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    @property
    def data(self):
        return self._data

    def lines(self):
        """The last frame, without its colours."""
        frame = self._data.rsplit(b"\x1b[H", 1)[-1]
        text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", frame).decode()
        return [line for line in re.split(r"\r+\n", text) if line]  # the terminal adds a return

    def wait(self, condition, what):
        wait_until(lambda: condition(self.lines()), 10, what)
        return self.lines()

    def wait_data(self, data):
        wait_until(lambda: data in self._data, 10, repr(data))
