"""The broker under test: ours, or mosquitto (MQ_CONFORMANCE_BROKER=mosquitto) to test the tests."""

import os
import pathlib
import re

from support.brokers import Mosquitto
from support.directories import new_directory
from support.ports import wait_until
from support.proc import Proc
from support.tools import mqbroker_words, program

START_SECONDS = 20


class NotOffered(Exception):
    """The broker under test has no such option."""


class MqBroker:
    """mqbroker with the listeners and limits asked for. `addresses`: by scheme."""

    name = "mqbroker"
    _PLACES = {"tcp": "mqtt://127.0.0.1:0", "ws": "ws://127.0.0.1:0/mqtt"}

    def __init__(self, transports=("tcp",), **limits):
        argv = [*mqbroker_words(), "--print-address"]
        if os.environ.get("MQ_CONFORMANCE_DB"):
            argv += ["--db", new_directory("db-") / "mqbroker.db"]
        for transport in transports:
            argv += ["--listen", self._PLACES[transport]]
        for name, value in limits.items():
            argv += ["--" + name.replace("_", "-")] + ([] if value is True else [str(value)])
        self.proc = Proc(["setpriv", "--pdeathsig", "TERM", *argv])
        schemes = ["mqtt" if transport == "tcp" else transport for transport in transports]
        try:
            self.addresses = {scheme: self._wait_listening(scheme) for scheme in schemes}
        except BaseException:
            self.stop()
            raise

    def _wait_listening(self, scheme):
        line = re.compile(rb"(?m)^%s://127\.0\.0\.1:(\d+).*\n" % scheme.encode())

        def find():
            if not self.proc.running:
                raise ChildProcessError(self.proc.err.decode("utf-8", "replace"))
            return line.search(self.proc.out)
        return "127.0.0.1", int(wait_until(find, START_SECONDS, f"{scheme} address on stdout")[1])

    @property
    def address(self):
        return self.addresses["mqtt"]

    @property
    def running(self):
        return self.proc.running

    def signal(self, number):
        self.proc.kill(number)

    def exit_code(self):
        return self.proc.wait().code

    def stop(self):
        self.proc.stop()


class MosquittoSubject(Mosquitto):
    """Debian's mosquitto with the same limits, as far as it has them."""

    _GLOBAL = {"receive_maximum": "max_inflight_messages", "max_packet_size": "max_packet_size",
               "max_keepalive": "max_keepalive"}
    _LISTENER = {"topic_alias_maximum": "max_topic_alias", "max_qos": "max_qos"}

    def __init__(self, transports=("tcp",), no_retain=False, **limits):
        for name in limits:
            if name not in self._GLOBAL and name not in self._LISTENER:
                raise NotOffered(f"mosquitto has nothing like {name}")
        if limits.get("max_keepalive", 10) < 10:
            raise NotOffered("mosquitto's max_keepalive begins at 10")
        self._limits = limits
        options = [f"{self._GLOBAL[n]} {v}" for n, v in limits.items() if n in self._GLOBAL]
        super().__init__(transports=transports, options=options + ["retain_available false"] * no_retain)

    def _listener(self, endpoint):
        return super()._listener(endpoint) + [
            f"{self._LISTENER[n]} {v}" for n, v in self._limits.items() if n in self._LISTENER]

    @property
    def address(self):
        return self["tcp"].address

    @property
    def addresses(self):
        return {"mqtt" if t == "tcp" else t: e.address for t, e in self.endpoints.items()}

    @property
    def running(self):
        return self.proc.running

    def signal(self, number):
        self.proc.kill(number)

    def exit_code(self):
        return self.proc.wait().code


def which():
    return os.environ.get("MQ_CONFORMANCE_BROKER", "mqbroker")


def is_ours():
    return which() == "mqbroker"


def start(**how):
    return {"mqbroker": MqBroker, "mosquitto": MosquittoSubject}[which()](**how)


def check_available():
    """Says what is missing, or nothing."""
    if not is_ours():
        return None
    path = program("mqbroker") if "MQ_BIN_DIR" in os.environ else pathlib.Path("$MQ_BIN_DIR/mqbroker")
    return None if os.access(path, os.X_OK) else f"{path} is not there: build first"
