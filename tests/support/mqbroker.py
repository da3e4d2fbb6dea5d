"""mqbroker as a broker for the tests: on free ports of loopback, which it prints itself."""

import re
import resource
import signal

from .brokers import START_SECONDS, Broker, Endpoint
from .directories import new_directory
from .ports import HOST, wait_until
from .proc import Proc
from .tools import mqbroker_words

_SCHEMES = {"tcp": "mqtt", "tls": "mqtts", "ws": "ws", "wss": "wss", "unix": "unix"}


class MqBroker(Broker):
    """`transports`: which listeners to open. `options`: words of its command line. `descriptors`: limit of
    open files, by default ours."""

    name = "mqbroker"

    def __init__(self, certs=None, transports=("tcp",), options=(), descriptors=None):
        super().__init__()
        self._dir = new_directory("mqbroker-")
        argv = [*mqbroker_words(), "--print-address", *options]
        for transport in transports:
            argv += ["--listen", self._listen(transport)]
        if certs and {"tls", "wss"} & set(transports):
            argv += ["--cert", certs.server, "--key", certs.server_key]

        def limit_descriptors():
            resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        # setpriv: should the tests be killed, the broker must not stay behind.
        self.proc = Proc(["setpriv", "--pdeathsig", "TERM", *argv],
                         preexec=limit_descriptors if descriptors else None)
        try:
            wait_until(lambda: len(self._addresses()) >= len(transports), START_SECONDS, "mqbroker's addresses")
            self.endpoints = {t: self._endpoint(t, certs) for t in transports}
        except BaseException:
            self.stop()
            raise

    def dropped(self):
        """How many messages it says it has dropped, for whatever reason."""
        line = r" (\d+) dropped, "
        before = self.log_count(line)
        self.proc.kill(signal.SIGUSR1)
        self.wait_log(line, before + 1)
        return int(re.findall(line, self.proc.err.decode("utf-8", "replace"))[-1])

    def _listen(self, transport):
        if transport == "unix":
            return f"unix://{self._dir}/socket"
        return f"{_SCHEMES[transport]}://{HOST}:0"

    def _addresses(self):
        if not self.proc.running:
            raise ChildProcessError(self.proc.err.decode("utf-8", "replace"))
        return re.findall(r"(?m)^(\w+)://(\S+)\n", self.proc.out.decode())

    def _endpoint(self, transport, certs):
        where = dict(self._addresses())[_SCHEMES[transport]]
        cafile = str(certs.ca) if certs and transport in ("tls", "wss") else ""
        if transport == "unix":
            return Endpoint(transport, path=where)
        return Endpoint(transport, port=int(re.search(r":(\d+)", where)[1]), cafile=cafile)

    def wait_subscribed(self, topic, count=1):
        """Waits until somebody's SUBSCRIBE for `topic` was carried out `count` times in all; needs "-v"."""
        self.wait_log(rf"subscribed to '{re.escape(topic)}': ", count)
