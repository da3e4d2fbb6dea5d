"""Conversations of MQTT for captures."""

import struct

from .captures import Talk
from .mqtt_wire import connack, packet, properties, publish, string


def connect(client_id="plc3", user=None, password=None, keep_alive=60, version=5, props=None):
    flags = 2 | (0x80 if user is not None else 0) | (0x40 if password is not None else 0)
    body = string("MQTT") + bytes([version, flags]) + struct.pack(">H", keep_alive) + (properties(props or {}) if version == 5 else b"")
    return packet(1, body + string(client_id) + b"".join(string(part) for part in (user, password) if part is not None))


CONNECT, CONNACK = connect(), connack(5)
PUBLISH = publish("plant/7/temp", b'{"c":21.5}', qos=1, packet_id=7)
PUBACK = bytes.fromhex("40020007")


def talk(**how):
    """A connection with a message."""
    return Talk(**how).open().client(CONNECT).server(CONNACK).client(PUBLISH).server(PUBACK).client(packet(14)).close()


def broken():
    t = Talk().open().client(connect(user="u", password="s3cret")).server(CONNACK)
    return t.client(packet(3, string("a/+") + b"\0", flags=0)).client(publish("x", b"1", qos=0, dup=1)).close(1)
