"""Starts mqpub and mqsub, and says what the contract says of every failure."""

import base64
import contextlib
import functools
import itertools
import json
import os
import pathlib

from .proc import DEADLINE, Proc, run

_serial = itertools.count(1)


def program(name):
    return pathlib.Path(os.environ["MQ_BIN_DIR"]) / name


def mqbroker_words():
    """mqbroker's command line begins so. MQ_BROKER_THREADS: with so many threads, whatever the test."""
    threads = os.environ.get("MQ_BROKER_THREADS")
    return [program("mqbroker"), *(["--threads", threads] if threads else [])]


def mqpub(*args, stdin=b"", seconds=DEADLINE, **how):
    """Runs mqpub to its end."""
    return run([program("mqpub"), *map(str, args)], stdin=stdin, seconds=seconds, **how)


def mqsub(*args, seconds=DEADLINE, **how):
    """Runs mqsub to its end."""
    return run([program("mqsub"), *map(str, args)], seconds=seconds, **how)


def mqreq(*args, stdin=b"", seconds=DEADLINE, **how):
    """Runs mqreq to its end."""
    return run([program("mqreq"), *map(str, args)], stdin=stdin, seconds=seconds, **how)


def mqbench(*args, seconds=DEADLINE, **how):
    """Runs mqbench to its end."""
    return run([program("mqbench"), *map(str, args)], seconds=seconds, **how)


def mqspy(*args, stdin=b"", seconds=DEADLINE, **how):
    """Runs mqspy to its end."""
    return run([program("mqspy"), *map(str, args)], stdin=stdin, seconds=seconds, **how)


def start(name, *args, **how):
    """A running mqpub, mqsub, mqreq or mqbench."""
    return Proc([program(name), *map(str, args)], **how)


def unique(word="t"):
    """A topic or client id that no other test uses; always of the same length in one process."""
    return f"{word}{os.getpid()}x{next(_serial):05}"


def json_lines(data):
    """The objects of mqsub --json's output."""
    return [json.loads(line.decode("utf-8")) for line in data.split(b"\n")[:-1]]


def payload_of(message):
    """The bytes that a JSON line stands for."""
    forms = {"none": lambda payload: b"", "utf8": str.encode, "base64": base64.b64decode}
    return forms[message["encoding"]](message["payload"])


def assert_ok(result):
    assert result.code == 0, result
    assert result.err == b"", f"nothing to say on stderr when all went well\n{result}"
    return result


def with_time(test):
    """Of a test whose numbers are those of a machine that has time for it: what a busy one does to them, it hardly does
    three times; what is wrong is wrong each time."""
    @functools.wraps(test)
    def repeated(*args, **how):
        for _ in range(2):
            with contextlib.suppress(AssertionError):
                return test(*args, **how)
        return test(*args, **how)
    return repeated


def assert_fails(result, code, *words):
    """The documented code, nothing on stdout, one line on stderr (and at most a hint) holding `words`."""
    tool = pathlib.Path(result.argv[0]).name
    assert result.code == code, result
    assert result.out == b"", f"stdout is data only\n{result}"
    assert_one_line(result, tool)
    for word in words:
        assert word.lower() in result.err_text.lower(), f"the message lacks {word!r}\n{result}"
    return result


def assert_one_line(result, tool):
    lines = result.err_lines
    assert lines and lines[0].startswith(f"{tool}: "), result
    assert len(lines) == 1 or len(lines) == 2 and lines[1].startswith("hint: "), (
        f"one line, and a hint at most\n{result}")
    assert result.err.endswith(b"\n"), result
