"""Brokers for the tests: Debian's mosquitto and npm's aedes, each an own process on loopback."""

import json
import os
import pathlib
import re
from dataclasses import dataclass

from .directories import new_directory
from .ports import HOST, can_connect, free_port, wait_until
from .proc import Proc

JS = pathlib.Path(__file__).resolve().parent.parent / "e2e" / "js"
START_SECONDS = 60


@dataclass(frozen=True)
class Endpoint:
    """Where a broker listens. `host` is localhost for TLS, so that the certificate's name is checked."""

    transport: str  # tcp, tls, ws, wss, unix
    port: int = 0
    path: str = ""  # of the unix socket
    cafile: str = ""

    @property
    def encrypted(self):
        return self.transport in ("tls", "wss")

    @property
    def host(self):
        return "localhost" if self.encrypted else HOST

    @property
    def address(self):
        return self.path if self.transport == "unix" else (HOST, self.port)

    @property
    def url(self):
        if self.transport == "unix":
            return f"unix://{self.path}"
        scheme = {"tcp": "mqtt", "tls": "mqtts"}.get(self.transport, self.transport)
        path = "/mqtt" if self.transport in ("ws", "wss") else ""
        return f"{scheme}://{self.host}:{self.port}{path}"

    def mq_args(self):
        """The options that take mqpub and mqsub there."""
        return ["-L", self.url] + (["--cafile", self.cafile] if self.encrypted else [])

    def mosquitto_args(self):
        """The options that take mosquitto_pub and mosquitto_sub there."""
        if self.transport == "unix":
            return ["--unix", self.path]
        return ["-h", self.host, "-p", str(self.port)] + (["--cafile", self.cafile] if self.encrypted else [])


class Broker:
    """A running broker: `endpoints` by transport, and its log to wait for."""

    name = ""

    def __init__(self):
        self.endpoints = {}
        self.proc = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, **how):
        if self.proc:
            self.proc.stop(**how)

    def __getitem__(self, transport):
        return self.endpoints[transport]

    @property
    def pid(self):
        return self.proc.pid

    def args(self, transport="tcp"):
        return self.endpoints[transport].mq_args()

    def wait_log(self, pattern, count=1, seconds=START_SECONDS):
        """Waits until `count` lines of the log match the regular expression."""
        matcher = re.compile(pattern.encode())
        wait_until(lambda: len(matcher.findall(self.proc.err)) >= count, seconds,
                   f"{count} x {pattern} in the broker's log")

    def log_count(self, pattern):
        return len(re.findall(pattern.encode(), self.proc.err))

    def _wait_listening(self):
        def accepts(endpoint):
            if not self.proc.running:
                raise ChildProcessError(self.proc.err.decode("utf-8", "replace"))
            return can_connect(endpoint.address)
        for endpoint in self.endpoints.values():
            wait_until(lambda: accepts(endpoint), START_SECONDS, f"{self.name} listening on {endpoint.url}")


class Mosquitto(Broker):
    """Debian's mosquitto.

    `transports`: which listeners to open. `options`: lines of the configuration file, global or for
    all listeners. `users`: {name: password}; with it, nobody else may connect. `client_certificates`:
    TLS listeners demand one. `server`: which certificate to present. `persistence`: keep sessions over
    `restart`. `acl`: text of the access list. `sends_ca`: present the CA's certificate, too.
    """

    name = "mosquitto"

    def __init__(self, certs=None, transports=("tcp",), options=(), users=None, client_certificates=False,
                 server="server", persistence=False, acl=None, sends_ca=True):
        super().__init__()
        self._dir = new_directory("mosquitto-")
        self._certs, self._options, self._users = certs, options, users
        self._client_certificates, self._server = client_certificates, server
        self._persistence, self._acl = persistence, acl
        self._sends_ca = sends_ca
        for attempt in range(5):  # another process may take a port between our look and the bind
            try:
                self.endpoints = {t: self._endpoint(t) for t in transports}
                return self._start()
            except ChildProcessError:
                if attempt == 4:
                    raise

    def _endpoint(self, transport):
        if transport == "unix":
            return Endpoint(transport, path=str(self._dir / "socket"))
        cafile = str(self._certs.ca) if transport in ("tls", "wss") else ""
        return Endpoint(transport, port=free_port(), cafile=cafile)

    def _listener(self, endpoint):
        lines = [f"listener 0 {endpoint.path}" if endpoint.transport == "unix"
                 else f"listener {endpoint.port} {HOST}"]
        if endpoint.transport in ("ws", "wss"):
            lines.append("protocol websockets")
        if endpoint.encrypted:
            lines += [f"certfile {getattr(self._certs, self._server)}",
                      f"keyfile {getattr(self._certs, self._server + '_key')}"]
            if self._sends_ca or self._client_certificates:
                lines.append(f"cafile {self._certs.ca}")
            if self._client_certificates:
                lines.append("require_certificate true")
        return lines

    def _config(self):
        lines = ["log_dest stderr", "log_type all", "connection_messages true", "set_tcp_nodelay true",
                 "max_queued_messages 0", "sys_interval 0"]
        if os.geteuid() == 0:
            lines.append("user root")  # else it gives up root and cannot read the test's files
        if self._persistence:
            lines += ["persistence true", f"persistence_location {self._dir}/"]
        if self._acl is not None:
            (self._dir / "acl").write_text(self._acl)
            lines.append(f"acl_file {self._dir}/acl")
        lines += [f"allow_anonymous {'false' if self._users else 'true'}"]
        if self._users:
            lines.append(f"password_file {self._password_file()}")
        lines += self._options
        for endpoint in self.endpoints.values():
            lines += self._listener(endpoint)
        return "\n".join(lines) + "\n"

    def _password_file(self):
        path = self._dir / "passwords"
        path.write_text("".join(f"{user}:{password}\n" for user, password in self._users.items()))
        with Proc(["mosquitto_passwd", "-U", path]) as hashing:
            result = hashing.wait()
        if result.code:
            raise RuntimeError(str(result))
        return path

    def _start(self):
        config = self._dir / "mosquitto.conf"
        config.write_text(self._config())
        # setpriv: should the tests be killed, the broker must not stay behind.
        self.proc = Proc(["setpriv", "--pdeathsig", "TERM", "mosquitto", "-c", config])
        try:
            try:
                self.proc.wait_err(b" running\n", START_SECONDS)
            except RuntimeError as error:
                raise ChildProcessError(str(error)) from error
            self._wait_listening()
        except BaseException:
            self.stop()
            raise

    def restart(self, **how):
        """Stops it (see Proc.stop) and starts it again on the same ports."""
        self.stop(**how)
        self._start()

    def wait_subscribed(self, topic, count=1):
        """Waits until somebody's SUBSCRIBE for `topic` was carried out `count` times in all."""
        self.wait_log(rf": \S+ \d {re.escape(topic)}\n", count)


class Aedes(Broker):
    """npm's aedes (MQTT 3.1.1 only; it answers a v5 CONNECT with 'unacceptable protocol version')."""

    name = "aedes"

    def __init__(self, certs, transports=("tcp", "tls", "ws", "wss")):
        super().__init__()
        self.proc = Proc(["node", JS / "broker.js"], stdin=None)
        self.proc.write(json.dumps({
            "transports": list(transports), "cert": str(certs.server), "key": str(certs.server_key),
        }).encode() + b"\n")
        try:
            self.proc.wait_out(b"\n", START_SECONDS)
            ports = json.loads(self.proc.out.splitlines()[0])
            self.endpoints = {t: Endpoint(t, port=p, cafile=str(certs.ca)) for t, p in ports.items()}
            self._wait_listening()
        except BaseException:
            self.stop()
            raise

    def wait_subscribed(self, topic, count=1):
        self.wait_log(rf"subscribe {re.escape(topic)}\n", count)
