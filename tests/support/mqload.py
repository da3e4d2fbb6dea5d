"""Runs the load generator tests/load/mqload against a broker and reads its one line of JSON."""

import json
import resource

from .proc import Proc
from .tools import program

LIMIT_SECONDS = 600  # no single run may take longer


def raise_descriptors(wanted):
    """Raises our limit of open files, which what we start inherits. Gives how many connections of `wanted`
    a broker can hold with it."""
    spare = 200  # libraries, listeners, logs, and the publishers beside the connections that are counted
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, max(hard - spare, 1))


class Running:
    """A generator that runs in the background until its result is asked for."""

    def __init__(self, broker, scenario, transport="tcp", **options):
        endpoint = broker[transport]
        argv = [program("mqload"), scenario, "--port", endpoint.port, "--broker-pid", broker.pid]
        argv += ["--cafile", endpoint.cafile] if endpoint.cafile else []
        for name, value in options.items():
            argv += ["--" + name.replace("_", "-"), value]
        self._proc = Proc([str(word) for word in argv])

    def result(self):
        ended = self._proc.wait(LIMIT_SECONDS)
        if ended.code != 0:
            raise ChildProcessError(str(ended))
        return json.loads(ended.out)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._proc.stop()


def mqload(broker, scenario, transport="tcp", **options):
    """One run to its end: the report."""
    with Running(broker, scenario, transport, **options) as running:
        return running.result()
