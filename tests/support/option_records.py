"""All options of all programs, as the programs themselves describe them (--print-docs=json)."""

import functools
import json
import subprocess

from .tools import program

PROGRAMS = ("mqpub", "mqsub", "mqreq", "mqbench", "mqspy", "mqbroker")


def _read(*words):
    done = subprocess.run([program(words[0]), *words[1:], "--print-docs=json"], stdout=subprocess.PIPE, check=True, timeout=60)
    return json.loads(done.stdout)


@functools.cache
def all_records():
    """By program ("mqbench", "mqbench merge"): its summary, its commands with options of their own, its options."""
    records = {}
    for name in PROGRAMS:
        records[name] = _read(name)
        records |= {f"{name} {command}": _read(name, command) for command in records[name]["commands"]}
    return records


def shown_options():
    """(program, option) of each one that help shows."""
    return [(name, option) for name, record in all_records().items() for option in record["options"] if not option["hidden"]]


def main_name(option):
    """The long one, as programs say it."""
    return next((name for name in option["names"] if name.startswith("--")), option["names"][0])
