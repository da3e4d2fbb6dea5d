"""The clients of others that ours talk to, behind one face: mosquitto_pub/sub, paho, MQTT.js.

A peer has `name`, `transports` (what it can speak) and two methods:
  publish(broker, transport, version, messages)   messages: [(topic, qos, payload)], in order; all acknowledged
  subscribe(broker, transport, version, topic, qos) -> Subscription, carried out by the broker already
Versions are "5", "311" and "31", as in our own -V.
"""

import base64
import itertools
import json
import queue
import time

import paho.mqtt.client as paho

from .brokers import JS
from .proc import DEADLINE, Proc, run

_serial = itertools.count(1)


class Subscription:
    """Messages as they arrive: (topic, qos, payload)."""

    def __init__(self):
        self.messages = queue.Queue()
        self.close = lambda: None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add(self, topic, qos, payload):
        self.messages.put((topic, qos, payload))

    def take(self, count, seconds=DEADLINE):
        """The next `count` messages; fails at the deadline."""
        deadline = time.monotonic() + seconds
        taken = []
        while len(taken) < count:
            try:
                taken.append(self.messages.get(timeout=max(0.0, deadline - time.monotonic())))
            except queue.Empty:
                raise TimeoutError(f"{len(taken)} of {count} messages: {[m[:2] for m in taken]}") from None
        return taken

    def take_until(self, is_last, seconds=DEADLINE):
        """All messages up to the first for which is_last(payload) holds, that one included."""
        taken = []
        while not taken or not is_last(taken[-1][2]):
            taken += self.take(1, seconds)
        return taken


class MosquittoClients:
    """mosquitto_pub and mosquitto_sub of Debian 12 (2.0.11)."""

    name = "mosquitto-clients"
    transports = ("tcp", "tls", "unix")  # no WebSocket in this release
    versions = ("5", "311", "31")

    def close(self):
        pass

    def publish(self, broker, transport, version, messages):
        for topic, qos, payload in messages:
            result = run(["mosquitto_pub", *broker[transport].mosquitto_args(), "-V", f"mqttv{version}",
                          "-t", topic, "-q", str(qos), "-s" if payload else "-n"], stdin=payload)
            assert result.code == 0, result

    def subscribe(self, broker, transport, version, topic, qos):
        subscription = Subscription()

        def add(line):
            topic, qos, payload = line.rstrip(b"\n").split(b" ")
            subscription.add(topic.decode(), int(qos), bytes.fromhex(payload.decode()))

        proc = Proc(["mosquitto_sub", *broker[transport].mosquitto_args(), "-V", f"mqttv{version}",
                     "-t", topic, "-q", str(qos), "-F", "%t %q %x"], on_line=add)
        subscription.close = proc.stop
        broker.wait_subscribed(topic)
        return subscription


class Paho:
    """paho for Python, 1.6."""

    name = "paho"
    transports = ("tcp", "tls", "ws", "wss")  # no unix sockets in this release
    versions = ("5", "311", "31")

    def close(self):
        pass

    @staticmethod
    def client(endpoint, version="5", client_id=None, user=None, password=None):
        """A connected client with its loop running in a thread; the caller ends it with `leave`. PermissionError if the
        broker refuses it."""
        client = paho.Client(
            client_id or f"paho{next(_serial)}",
            protocol={"5": paho.MQTTv5, "311": paho.MQTTv311, "31": paho.MQTTv31}[version],
            transport="websockets" if endpoint.transport in ("ws", "wss") else "tcp")
        if endpoint.encrypted:
            client.tls_set(endpoint.cafile)
        if user:
            client.username_pw_set(user, password)
        connected = queue.Queue()
        client.on_connect = lambda c, user, flags, code, properties=None: connected.put(code)
        client.connect(endpoint.host, endpoint.port)
        client.loop_start()
        code = connected.get(timeout=DEADLINE)
        if code != 0:
            client.loop_stop()
            raise PermissionError(str(code))
        return client

    @staticmethod
    def leave(client):
        client.disconnect()
        client.loop_stop()

    def publish(self, broker, transport, version, messages):
        client = self.client(broker[transport], version)
        try:
            for topic, qos, payload in messages:
                sent = client.publish(topic, payload, qos)
                sent.wait_for_publish(DEADLINE)
                assert sent.is_published(), (topic, qos, len(payload))
        finally:
            self.leave(client)

    def subscribe(self, broker, transport, version, topic, qos):
        client = self.client(broker[transport], version)
        subscription = Subscription()
        subscription.close = lambda: self.leave(client)
        client.on_message = lambda c, user, m: subscription.add(m.topic, m.qos, m.payload)
        client.subscribe(topic, qos)
        broker.wait_subscribed(topic)
        return subscription


class MqttJs:
    """MQTT.js 5: one node process for all its clients."""

    name = "MQTT.js"
    transports = ("tcp", "tls", "ws", "wss")
    versions = ("5", "311", "31")

    def __init__(self):
        self._replies = {}  # client id -> queue of events
        self._subscriptions = {}  # client id -> Subscription
        self._proc = Proc(["node", JS / "client.js"], stdin=None, on_line=self._dispatch)

    def close(self):
        self._proc.close_stdin()
        self._proc.wait()

    def _dispatch(self, line):
        event = json.loads(line)
        if event["event"] != "message":
            self._replies[event["id"]].put(event)
            return
        self._subscriptions[event["id"]].add(event["topic"], event["qos"], base64.b64decode(event["payload"]))

    def _do(self, op, client, **fields):
        self._proc.write(json.dumps({"op": op, "id": client, **fields}).encode() + b"\n")
        event = self._replies[client].get(timeout=DEADLINE)
        assert event["event"] == op, event

    def connect(self, endpoint, version="5", **credentials):
        """The number of a connected client; client.js says what `credentials` there are."""
        client = next(_serial)
        self._replies[client] = queue.Queue()
        self._do("connect", client, url=endpoint.url, cafile=endpoint.cafile if endpoint.encrypted else None,
                 version={"5": 5, "311": 4, "31": 3}[version], **credentials)
        return client

    def publish(self, broker, transport, version, messages):
        client = self.connect(broker[transport], version)
        for topic, qos, payload in messages:
            self.send(client, topic, qos, payload)
        self.end(client)

    def send(self, client, topic, qos, payload):
        self._do("publish", client, topic=topic, qos=qos, payload=base64.b64encode(payload).decode())

    def end(self, client):
        self._do("end", client)

    def subscribe(self, broker, transport, version, topic, qos):
        client = self.connect(broker[transport], version)
        subscription = Subscription()
        subscription.close = lambda: self.end(client)
        self._subscriptions[client] = subscription
        self._do("subscribe", client, topic=topic, qos=qos)
        return subscription
