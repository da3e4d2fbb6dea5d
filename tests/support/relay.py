"""A broker in miniature that delivers what it gets, but for the faults that a test has scripted."""

import threading
import time

from . import mqtt_wire as wire
from .fault_server import Closed, FaultServer


class Relay(FaultServer):
    """`deliver(n, payload)` says what becomes of the n-th message (from 0): the payloads that are delivered, in
    order. `before_ack(n)` runs before the message
    is delivered and acknowledged: it may wait. `delay`: seconds from a message to its delivery.
    """

    def __init__(self, deliver=lambda n, payload: [payload], before_ack=lambda n: None, delay=0.0, retain=0,
                 puback=0, suback=None):
        self._deliver, self._before_ack, self._delay = deliver, before_ack, delay
        self._retain, self._puback, self._suback = retain, puback, suback
        self._lock = threading.Lock()
        self._subscribers = []
        self._count = 0
        self._late = []  # (when, topic, payload)
        self._wake = threading.Condition(self._lock)
        self._over = False
        self._thread = threading.Thread(target=self._deliver_late, daemon=True)
        super().__init__(self._serve)
        self._thread.start()

    def __exit__(self, *how):
        with self._lock:
            self._over = True
            self._wake.notify()
        self._thread.join()
        return super().__exit__(*how)

    def _serve(self, connection):
        connection.accept()
        try:
            while True:
                packet = connection.packet()
                if packet.kind == wire.SUBSCRIBE:
                    code = packet.body[-1] & 3 if self._suback is None else self._suback
                    with self._lock:
                        connection.send(wire.suback(packet.packet_id, connection.version, [code]))
                        self._subscribers.append(connection)
                elif packet.kind == wire.PUBLISH:
                    self._take(connection, packet)
                elif packet.kind == wire.PINGREQ:
                    connection.send(wire.packet(wire.PINGRESP))
                elif packet.kind == wire.DISCONNECT:
                    return
        finally:
            with self._lock:
                self._subscribers = [each for each in self._subscribers if each is not connection]

    def _take(self, connection, packet):
        topic, payload = _cut(packet, connection.version)
        with self._lock:
            number, self._count = self._count, self._count + 1
        self._before_ack(number)
        with self._lock:
            for each in self._deliver(number, payload):
                self._late.append((time.monotonic() + self._delay, topic, each))
            self._wake.notify()
        if packet.qos == 1:
            connection.send(wire.ack(wire.PUBACK, packet.packet_id, connection.version, self._puback))

    def _deliver_late(self):
        with self._lock:
            while not self._over:
                if not self._late or self._late[0][0] > time.monotonic():
                    self._wake.wait(max(0.0, self._late[0][0] - time.monotonic()) if self._late else None)
                    continue
                _, topic, payload = self._late.pop(0)
                for each in self._subscribers:
                    try:
                        each.send(wire.publish(topic, payload, version=each.version, retain=self._retain))
                    except (Closed, OSError):
                        pass  # it has left


def _cut(packet, version):
    """Topic and payload of a PUBLISH; its properties are short."""
    size = int.from_bytes(packet.body[:2], "big")
    topic = packet.body[2:2 + size]
    at = 2 + size + (2 if packet.qos else 0)
    if version == 5:
        at += 1 + packet.body[at]
    return topic.decode(), packet.body[at:]
