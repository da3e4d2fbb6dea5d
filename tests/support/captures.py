"""Writes capture files: what mqspy and tshark are given to read."""

import ipaddress
import itertools
import struct

ETHERNET, NULL, RAW, LOOP, SLL, SLL2, UPPER_PDU = 1, 0, 101, 108, 113, 276, 252
SYN, FIN, RST, PSH, ACK = 2, 1, 4, 8, 16
BEGIN = 1767614400  # 2026-01-05 12:00:00 UTC


def pcap(packets, link=ETHERNET, order="<", nanoseconds=False, snap=262144):
    """`packets`: (seconds since BEGIN, bytes), or those with the original length as third."""
    magic, per_second = (0xA1B23C4D, 10**9) if nanoseconds else (0xA1B2C3D4, 10**6)
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)]
    for at, data, *original in packets:
        ticks = round(at * per_second)
        kept = data[:snap]
        out.append(struct.pack(order + "IIII", BEGIN + ticks // per_second, ticks % per_second, len(kept), (original or [len(data)])[0]))
        out.append(kept)
    return b"".join(out)


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size)


def pcapng(packets, link=ETHERNET, order="<", resolution=6, offset=0, extra=b""):
    """`resolution`: if_tsresol; with 0x80 powers of two."""
    per_second = 2 ** (resolution & 0x7F) if resolution & 0x80 else 10**resolution
    options = struct.pack(order + "HHB3x", 9, 1, resolution) + struct.pack(order + "HHq", 14, 8, offset) + bytes(4)
    out = [block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
           block(order, 1, struct.pack(order + "HHI", link, 0, 0) + options), extra]
    for at, data, *_ in packets:
        ticks = round((BEGIN - offset) * per_second + at * per_second)
        out.append(block(order, 6, struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data)) + data))
    return b"".join(out)


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(source, target, payload, protocol=6, fragment=0, extensions=()):
    """An IP packet; `extensions`: (type, bytes) of IPv6."""
    source, target = ipaddress.ip_address(source), ipaddress.ip_address(target)
    if source.version == 4:
        head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, fragment, 64, protocol, 0) + source.packed + target.packed
        return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload
    kinds = [kind for kind, _ in extensions] + [protocol]
    inner = b"".join(bytes([kinds[n + 1]]) + data for n, (_, data) in enumerate(extensions)) + payload
    return struct.pack(">IHBB", 6 << 28, len(inner), kinds[0], 64) + source.packed + target.packed + inner


def link_header(link, version=4, vlans=()):
    kind = 0x0800 if version == 4 else 0x86DD
    if link == ETHERNET:
        tags = b"".join(struct.pack(">HH", kind_of_tag, number) for kind_of_tag, number in vlans)
        return bytes(12) + tags + struct.pack(">H", kind)
    if link == SLL:
        return struct.pack(">HHH8sH", 0, 1, 6, bytes(8), kind)
    if link == SLL2:
        return struct.pack(">HHIHBB8s", kind, 0, 1, 1, 0, 6, bytes(8))
    return {NULL: struct.pack("<I", 2 if version == 4 else 10), LOOP: struct.pack(">I", 2 if version == 4 else 10)}.get(link, b"")


class Talk:
    """One TCP connection: `>` and `<` send, and every segment is kept in `packets` with its time."""

    def __init__(self, client=("10.0.0.7", 51234), server=("10.0.0.1", 1883), link=ETHERNET, vlans=(), at=0.0, step=0.001,
                 sequence=(1000, 5000), extensions=()):
        self.ends, self.link, self.vlans, self.at, self.step = [client, server], link, vlans, at, step
        self.next, self.packets, self.extensions = list(sequence), [], extensions

    def segment(self, side, flags, data=b"", sequence=None, acknowledged=None, keep=True, fragment=0):
        """Side 0 is the client. Not kept: it was sent, but the capture lost it."""
        (source, source_port), (target, target_port) = self.ends[side], self.ends[1 - side]
        number = self.next[side] if sequence is None else sequence
        ack = self.next[1 - side] if acknowledged is None else acknowledged
        tcp = struct.pack(">HHIIBBHHH", source_port, target_port, number & 0xFFFFFFFF, ack & 0xFFFFFFFF, 0x50, flags, 65535, 0, 0) + data
        version = ipaddress.ip_address(source).version
        packet = link_header(self.link, version, self.vlans) + ip(source, target, tcp, fragment=fragment, extensions=self.extensions)
        if sequence is None:
            self.next[side] += len(data) + (1 if flags & (SYN | FIN) else 0)
        if keep:
            self.packets.append((self.at, packet))
        self.at += self.step
        return self

    def open(self):
        return self.segment(0, SYN, acknowledged=0).segment(1, SYN | ACK).segment(0, ACK)

    def client(self, *data, **how):
        for one in data:
            self.segment(0, PSH | ACK, one, **how)
        return self

    def server(self, *data, **how):
        for one in data:
            self.segment(1, PSH | ACK, one, **how)
        return self

    def close(self, side=0):
        return self.segment(side, FIN | ACK).segment(1 - side, FIN | ACK).segment(side, ACK)


def fragments(packet, size, number=7):
    """The Ethernet packet in IP fragments with `size` bytes of payload each, a multiple of 8."""
    ether, packet = packet[:14], packet[14:]
    version = packet[0] >> 4
    head, payload = packet[:20 if version == 4 else 40], packet[20 if version == 4 else 40:]
    out = []
    for at in range(0, len(payload), size):
        part, more = payload[at:at + size], at + size < len(payload)
        if version == 4:
            new = head[:2] + struct.pack(">HHH", 20 + len(part), number, (0x2000 if more else 0) | at // 8) + head[8:10] + bytes(2) + head[12:]
            new = new[:10] + struct.pack(">H", checksum(new)) + new[12:]
        else:
            new = head[:4] + struct.pack(">HB", 8 + len(part), 44) + head[7:] + struct.pack(">BBHI", head[6], 0, at | more, number)
        out.append(ether + new + part)
    return out


def merged(*talks):
    return sorted(itertools.chain(*(talk.packets for talk in talks)), key=lambda packet: packet[0])


def ws_frame(data, opcode=2, mask=None, final=True):
    size = len(data)
    head = bytes([opcode | (0x80 if final else 0)])
    long = 126 if size > 125 else size
    head += bytes([long | (0x80 if mask else 0)]) + (struct.pack(">H", size) if size > 125 else b"")
    if not mask:
        return head + data
    return head + mask + bytes(byte ^ mask[n % 4] for n, byte in enumerate(data))
