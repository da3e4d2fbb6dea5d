"""A cluster of RabbitMQ nodes, Debian's, with the MQTT plugin: each an own process on loopback, with an epmd of their
own."""

import os
import pathlib
import secrets
import signal

from .brokers import Endpoint
from .directories import new_directory
from .ports import HOST, can_connect, free_port, wait_until
from .proc import Proc, run

START_SECONDS = 240
PROGRAMS = pathlib.Path("/usr/lib/rabbitmq/bin")


class Node:
    """One node. `stop()` kills it, `endpoint` is where MQTT is spoken."""

    def __init__(self, cluster, name):
        self.name = f"{name}@localhost"
        self.endpoint = Endpoint("tcp", port=free_port())
        self._cluster, self._proc = cluster, None
        self._dir = cluster.dir / name
        for part in ("mnesia", "log"):
            (self._dir / part).mkdir(parents=True)
        (self._dir / "plugins").write_text("[rabbitmq_mqtt].\n")
        self.environment = cluster.environment | {
            "RABBITMQ_NODENAME": self.name, "RABBITMQ_NODE_IP_ADDRESS": HOST, "RABBITMQ_NODE_PORT": str(free_port()),
            "RABBITMQ_DIST_PORT": str(free_port()), "RABBITMQ_MNESIA_BASE": str(self._dir / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self._dir / "log"), "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._dir / "plugins"), "RABBITMQ_PID_FILE": str(self._dir / "pid"),
            "RABBITMQ_CONFIG_FILE": str(self._dir / "rabbitmq.conf"),
            # Two schedulers do: three nodes share the machine with their test.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none"}

    def configure(self, names):
        (self._dir / "rabbitmq.conf").write_text("\n".join([
            f"mqtt.listeners.tcp.1 = {HOST}:{self.endpoint.port}", "mqtt.allow_anonymous = true", "loopback_users = none",
            "cluster_partition_handling = ignore", "cluster_formation.peer_discovery_backend = classic_config",
            *(f"cluster_formation.classic_config.nodes.{n} = {name}" for n, name in enumerate(names, 1)), ""]))

    def start(self):
        self._proc = Proc(["setpriv", "--pdeathsig", "TERM", PROGRAMS / "rabbitmq-server"],
                          env=os.environ | self.environment, stdin=None)

    def wait_listening(self):
        def accepts():
            if not self._proc.running:
                raise ChildProcessError((self._proc.out + self._proc.err).decode("utf-8", "replace"))
            return can_connect(self.endpoint.address)
        wait_until(accepts, START_SECONDS, f"MQTT on {self.name}")

    @property
    def pid(self):
        """Of the virtual machine."""
        return int((self._dir / "pid").read_text())

    def kill(self):
        """As a power failure would."""
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not can_connect(self.endpoint.address), 20, "a dead node")

    def stop(self):
        if not self._proc:
            return
        if (self._dir / "pid").exists() and self._proc.running:
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._proc.stop()


class Cluster:
    """`count` nodes that know each other."""

    def __init__(self, count=3):
        self.dir = new_directory("rabbitmq-")
        cookie = self.dir / ".erlang.cookie"
        cookie.write_text(secrets.token_hex(16))
        cookie.chmod(0o400)
        port = free_port()
        self.environment = {"HOME": str(self.dir), "ERL_EPMD_PORT": str(port), "ERL_EPMD_ADDRESS": HOST}
        self._epmd = Proc(["setpriv", "--pdeathsig", "KILL", "epmd", "-port", str(port), "-address", HOST], stdin=None)
        self.nodes = [Node(self, f"n{number}") for number in range(1, count + 1)]
        for node in self.nodes:
            node.configure([each.name for each in self.nodes])

    def __enter__(self):
        try:
            self.nodes[0].start()
            self.nodes[0].wait_listening()
            for node in self.nodes[1:]:
                node.start()
            for node in self.nodes[1:]:
                node.wait_listening()
            wait_until(lambda: self.running() == len(self.nodes), START_SECONDS, "a cluster of all nodes")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.stop()
        self._epmd.stop()

    def running(self):
        """How many nodes the first that lives knows to run."""
        script = "io:format(\"~p\", [length(rabbit_nodes:all_running())])."
        done = run([PROGRAMS / "rabbitmqctl", "-n", self.nodes[0].name, "--silent", "eval", script],
                   env=os.environ | self.nodes[0].environment, seconds=60)
        text = done.out.decode("utf-8", "replace").strip()
        return int(text[0]) if text[:1].isdigit() else 0
