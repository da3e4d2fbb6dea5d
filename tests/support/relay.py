"""A broker in miniature that delivers what it gets, but for the faults that a test has scripted."""

import heapq
import itertools
import threading
import time

from . import mqtt_wire as wire
from .fault_server import Closed, FaultServer


class Relay(FaultServer):
    """`deliver(n, payload)` says what becomes of the n-th message (from 0): the payloads that are delivered, in
    order. `before_ack(n)` runs before the message is delivered and acknowledged: it may wait. `delay` and
    `ack_delay`: seconds from a message to its delivery and to its acknowledgement (of QoS 1), or a function of n;
    what comes later may be earlier then. `puback`: the reason code of PUBACK, or a function of n. `suback_delay`: seconds that
    each SUBACK waits. `loss`: the share of the TCP segments to it that the network loses. Keywords besides these are CONNACK's
    properties. Deliveries are always at QoS 0, whatever was granted. It keeps no sessions.
    """

    def __init__(self, deliver=lambda n, payload: [payload], before_ack=lambda n: None, delay=0.0, ack_delay=0.0,
                 retain=0, puback=0, suback=None, suback_delay=0.0, loss=0.0, **connack):
        self._deliver, self._before_ack = deliver, before_ack
        self._delay, self._ack_delay = (each if callable(each) else lambda n, s=each: s for each in (delay, ack_delay))
        self._puback = puback if callable(puback) else lambda n: puback
        self._retain, self._suback, self._suback_delay = retain, suback, suback_delay
        self._loss, self._connack = loss, connack
        self._lock = threading.Lock()
        self._subscribers = []  # (connection, filter)
        self._count = 0
        self._late = []  # (when, ordinal, what to do)
        self._ordinal = itertools.count()
        self._wake = threading.Condition(self._lock)
        self._over = False
        self._thread = threading.Thread(target=self._do_late, daemon=True)
        super().__init__(self._serve)
        self._thread.start()

    def __exit__(self, *how):
        with self._lock:
            self._over = True
            self._wake.notify()
        self._thread.join()
        return super().__exit__(*how)

    def _serve(self, connection):
        if self._loss:
            connection.lose(self._loss)
        connection.accept(**self._connack)
        try:
            while True:
                packet = connection.packet()
                if packet.kind == wire.SUBSCRIBE:
                    self._subscribe(connection, packet)
                elif packet.kind == wire.PUBLISH:
                    self._take(connection, packet)
                elif packet.kind == wire.PUBREL:
                    self._send(connection, wire.ack(wire.PUBCOMP, packet.packet_id, connection.version))
                elif packet.kind == wire.PINGREQ:
                    self._send(connection, wire.packet(wire.PINGRESP))
                elif packet.kind == wire.DISCONNECT:
                    return
        finally:
            with self._lock:
                self._subscribers = [each for each in self._subscribers if each[0] is not connection]

    def _send(self, connection, data):
        with self._lock:  # what is late is sent by another thread
            connection.send(data)

    def _subscribe(self, connection, packet):
        time.sleep(self._suback_delay)
        code = packet.body[-1] & 3 if self._suback is None else self._suback
        start = 2 + (1 + packet.body[2] if connection.version == 5 else 0)
        with self._lock:
            connection.send(wire.suback(packet.packet_id, connection.version, [code]))
            self._subscribers.append((connection, packet.body[start + 2:-1].decode()))

    def _take(self, connection, packet):
        topic, payload = _cut(packet, connection.version)
        with self._lock:
            number, self._count = self._count, self._count + 1
        self._before_ack(number)
        with self._lock:
            for each in self._deliver(number, payload):
                self._later(self._delay(number), lambda each=each: self._publish(topic, each))
            if packet.qos:
                kind, code = (wire.PUBACK, self._puback(number)) if packet.qos == 1 else (wire.PUBREC, 0)
                answer = wire.ack(kind, packet.packet_id, connection.version, code)
                self._later(self._ack_delay(number), lambda: self._try(connection, answer))

    def _later(self, delay, action):
        heapq.heappush(self._late, (time.monotonic() + delay, next(self._ordinal), action))
        self._wake.notify()

    def _publish(self, topic, payload):
        for subscriber, topic_filter in self._subscribers:
            if _matches(topic_filter, topic):
                self._try(subscriber, wire.publish(topic, payload, version=subscriber.version, retain=self._retain))

    @staticmethod
    def _try(connection, data):
        try:
            connection.send(data)
        except (Closed, OSError):
            pass  # it has left

    def _do_late(self):
        with self._lock:
            while not self._over:
                if not self._late or self._late[0][0] > time.monotonic():
                    self._wake.wait(max(0.0, self._late[0][0] - time.monotonic()) if self._late else None)
                    continue
                heapq.heappop(self._late)[2]()


def _matches(topic_filter, topic):
    """Of filters without #."""
    ours, theirs = topic_filter.split("/"), topic.split("/")
    return len(ours) == len(theirs) and all(a in ("+", b) for a, b in zip(ours, theirs))


def _cut(packet, version):
    """Topic and payload of a PUBLISH; its properties are short."""
    size = int.from_bytes(packet.body[:2], "big")
    topic = packet.body[2:2 + size]
    at = 2 + size + (2 if packet.qos else 0)
    if version == 5:
        at += 1 + packet.body[at]
    return topic.decode(), packet.body[at:]
