"""mqspy proxy in front of a broker, as a broker for the tests."""

import json
import pathlib
import re
import tempfile

from .brokers import START_SECONDS, Broker, Endpoint
from .ports import HOST, wait_until
from .proc import Proc
from .tools import program

_SCHEMES = {"tcp": "mqtt", "tls": "mqtts", "ws": "ws", "wss": "wss"}


class SpyProxy(Broker):
    """`to`: an Endpoint or a URL. `transport`: what clients speak. Its output is JSON lines, or what `options`
    make of it."""

    name = "mqspy"

    def __init__(self, to, *options, transport="tcp", form=("--json",)):
        super().__init__()
        self._directory = tempfile.TemporaryDirectory(prefix="mqspy-")  # until this object is gone
        self.ca_file = pathlib.Path(self._directory.name) / "ca.pem"
        url = to if isinstance(to, str) else to.url
        path = "/mqtt" if transport in ("ws", "wss") else ""
        argv = [program("mqspy"), "proxy", "--listen", f"{_SCHEMES[transport]}://{HOST}:0{path}", "--to", url,
                "--print-address", *form, *map(str, options)]
        if not isinstance(to, str) and to.encrypted:
            argv += ["--cafile", to.cafile]
        if transport in ("tls", "wss") and "--cert" not in options:
            argv += ["--ca-out", self.ca_file]
        # setpriv: should the tests be killed, the proxy must not stay behind.
        self.proc = Proc(["setpriv", "--pdeathsig", "TERM", *argv])
        try:
            self.proc.wait_out(b"\n", START_SECONDS)
            port = int(re.match(rb"\w+://[^/]*:(\d+)", self.proc.out)[1])
            self.endpoints = {transport: Endpoint(transport, port=port, cafile=str(self.ca_file))}
        except BaseException:
            self.stop()
            raise

    @property
    def port(self):
        return next(iter(self.endpoints.values())).port

    def wait_record(self, needle, seconds=START_SECONDS):
        """Waits for bytes of its output."""
        self.proc.wait_out(needle, seconds)

    def wait_subscribed(self, _topic, count=1):
        """Of a proxy with few clients: a SUBACK has gone by."""
        wait_until(lambda: self.proc.out.count(b'"type":"SUBACK"') >= count, START_SECONDS, "SUBACK")

    def end(self, code=143):
        """Ends it in order; its records."""
        self.proc.kill(15)
        return self.result(code)

    def result(self, code):
        """Waits until it ends by itself; its records."""
        result = self.proc.wait()
        assert result.code == code, result
        return records(result.out)


def records(output):
    """JSON lines without the line of --print-address."""
    lines = output.split(b"\n", 1)[1].splitlines()
    return [json.loads(line) for line in lines]


def of_kind(found, kind, **fields):
    return [each for each in found if each["k"] == kind and all(each.get(k) == v for k, v in fields.items())]
