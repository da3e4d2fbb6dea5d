"""Proxies that do as they are told: SOCKS 5 and HTTP's CONNECT, honest or scripted."""

import base64
import ipaddress
import select
import socket
import threading

from .ports import HOST

PATIENCE = 20.0


class Proxy:
    """Listens on a port of its own and runs `script(self, client)` for each connection.

    `asked` keeps the destinations, as (host, port); `names` maps what is asked for to where it really is.
    """

    def __init__(self, script, login=None, names=None):
        self._script, self.login, self.names = script, login, names or {}
        self.asked, self.connections = [], 0
        self._listener = socket.create_server((HOST, 0))
        self.port = self._listener.getsockname()[1]
        self._threads = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(PATIENCE)  # then whoever was accepted is in the list, and at work
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def url(self, scheme, login=""):
        return f"{scheme}://{login}{HOST}:{self.port}"

    def connect(self, host, port):
        """To the destination: a socket."""
        self.asked.append((host, port))
        return socket.create_connection((self.names.get(host, host), port), PATIENCE)

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            client.settimeout(PATIENCE)
            thread = threading.Thread(target=self._run, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _run(self, client):
        with client:
            try:
                self._script(self, client)
            except (OSError, EOFError):
                pass  # the client left: what it did is judged by its exit code


def read(sock, count):
    data = b""
    while len(data) < count:
        chunk = sock.recv(count - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return data


def relay(client, server):
    with server:
        while True:
            for ready in select.select([client, server], [], [])[0]:
                other = server if ready is client else client
                data = ready.recv(1 << 16)
                if not data:
                    try:
                        other.shutdown(socket.SHUT_WR)
                    except OSError:
                        return
                    if ready is server:
                        return
                    while data := server.recv(1 << 16):
                        client.sendall(data)
                    return
                other.sendall(data)


def wait_for_end(client):
    while client.recv(1 << 16):
        pass


def _socks_login(proxy, client):
    version, count = read(client, 2)
    assert version == 5
    methods = read(client, count)
    if proxy.login is None:
        client.sendall(b"\5\0")
        return True
    if 2 not in methods:
        client.sendall(b"\5\xff")
        return False
    client.sendall(b"\5\2")
    user = read(client, read(client, 2)[1])
    password = read(client, read(client, 1)[0])
    good = (user.decode(), password.decode()) == proxy.login
    client.sendall(b"\1" + (b"\0" if good else b"\1"))
    return good


def _socks_destination(client):
    _, _, _, kind = read(client, 4)
    if kind == 3:
        host = read(client, read(client, 1)[0]).decode()
    else:
        host = str(ipaddress.ip_address(read(client, 4 if kind == 1 else 16)))
    return host, int.from_bytes(read(client, 2), "big")


def socks5(proxy, client):
    """An honest SOCKS 5 server; `login` is what it wants."""
    if not _socks_login(proxy, client):
        return
    host, port = _socks_destination(client)
    try:
        server = proxy.connect(host, port)
    except ConnectionRefusedError:
        client.sendall(b"\5\5\0\1" + bytes(6))
        return
    except OSError:
        client.sendall(b"\5\4\0\1" + bytes(6))
        return
    client.sendall(b"\5\0\0\1" + bytes(6))
    relay(client, server)


def http(proxy, client):
    """An honest HTTP proxy that knows CONNECT and Basic authentication."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read(client, 1)
    lines = head.decode().split("\r\n")
    method, target, _ = lines[0].split(" ")
    assert method == "CONNECT"
    if proxy.login:
        wanted = base64.b64encode(":".join(proxy.login).encode()).decode()
        if f"Proxy-Authorization: Basic {wanted}" not in lines:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n"
                           b"Content-Length: 0\r\n\r\n")
            return
    host, _, port = target.rpartition(":")
    try:
        server = proxy.connect(host.strip("[]"), int(port))
    except OSError:
        client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
        return
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    relay(client, server)


def saying(*answers, then=None):
    """Sends each of `answers` after the next bytes of the client, then closes, or waits for its end."""
    def script(proxy, client):
        for answer in answers:
            client.recv(1 << 16)
            client.sendall(answer)
        if then == "wait":
            wait_for_end(client)
    return script
