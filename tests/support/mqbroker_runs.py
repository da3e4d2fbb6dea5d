"""mqbroker by its own command line: to its end, or running and printing where it listens."""

import json
import re

from .ports import wait_until
from .proc import Proc, run
from .tools import assert_fails, program

VALID = "mqbroker: the configuration can be used\n"


def mqbroker(*args, before=(), **how):
    """Runs it to its end, by the command `before` if that is given."""
    result = run([*before, program("mqbroker"), *map(str, args)], seconds=10, **how)
    result.argv = result.argv[len(before):]  # its messages begin with its own name
    return result


def assert_usable(*args):
    result = mqbroker("--check-config", *args)
    assert (result.code, result.out, result.err_text) == (0, b"", VALID), result


def assert_unusable(*args, words=()):
    for check in ((), ("--check-config",)):
        assert_fails(mqbroker(*check, *args), 2, *words)


class Running:
    """A running mqbroker with the arguments given, and the URLs that it prints."""

    def __init__(self, *args, count=1, before=(), **how):
        self.proc = Proc([*before, program("mqbroker"), "--print-address", *map(str, args)], **how)
        try:
            wait_until(lambda: self.proc.out.count(b"\n") >= count or not self.proc.running, 15, "its addresses")
            assert self.proc.running, self.proc.err.decode()
        except BaseException:
            self.proc.stop()
            raise
        self.urls = self.proc.out.decode().splitlines()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.proc.stop()

    @property
    def address(self):
        return address_of(self.urls[0])

    def lines(self):
        """The log as objects, for --log-format json."""
        return [json.loads(line) for line in self.proc.err.decode("utf-8").splitlines()]

    def events(self, name):
        return [line for line in self.lines() if line.get("event") == name]

    def wait_event(self, name, count=1):
        wait_until(lambda: self.proc.err.endswith(b"\n") and len(self.events(name)) >= count, 15, f"the event {name}")
        return self.events(name)


def address_of(url):
    if url.startswith("unix://"):
        return url.removeprefix("unix://")
    host, port = re.fullmatch(r"\w+://(.+):(\d+)(?:/.*)?", url).groups()
    return host, int(port)
