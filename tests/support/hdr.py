"""HdrHistogram's compressed V2 encoding, apart from ours: what mqbench writes is checked by it, and results are made."""

import base64
import math
import struct
import zlib

LOWEST, HIGHEST, DIGITS = 1_000, 3_600_000_000_000, 3  # of mqbench's latencies, in nanoseconds
UNIT = LOWEST.bit_length() - 1
HALF = (2 * 10 ** DIGITS - 1).bit_length() - 1
PLAIN, COMPRESSED = 0x1C849313, 0x1C849314


def index_of(value):
    """The counter of a value."""
    value = min(max(value, 0), HIGHEST)
    bucket = max(value.bit_length(), UNIT + HALF + 1) - (UNIT + HALF + 1)
    return (bucket << HALF) + (value >> (bucket + UNIT))


def _part_and_shift(index):
    part = index if index < 2 << HALF else (1 << HALF) + index % (1 << HALF)
    return part, max((index >> HALF) - 1, 0) + UNIT


def highest_of(index):
    """The largest value that a counter counts."""
    part, shift = _part_and_shift(index)
    return ((part + 1) << shift) - 1


def middle_of(index):
    part, shift = _part_and_shift(index)
    return (part << shift) + (1 << shift) // 2


def _leb128(number):
    rest, out = ((number << 1) ^ (number >> 63)) & (1 << 64) - 1, bytearray()
    while rest > 0x7F and len(out) < 8:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def encode(counters):
    """`counters`: {index: count}."""
    numbers, at = bytearray(), 0
    for index in sorted(counters):
        if index > at:
            numbers += _leb128(0 if index - at == 1 else at - index)
        numbers += _leb128(counters[index])
        at = index + 1
    plain = struct.pack(">IIIIQQd", PLAIN, len(numbers), 0, DIGITS, LOWEST, HIGHEST, 1.0) + numbers
    deflated = zlib.compress(plain)
    return base64.b64encode(struct.pack(">II", COMPRESSED, len(deflated)) + deflated).decode()


def decode(text):
    """{index: count}"""
    data = base64.b64decode(text, validate=True)
    cookie, length = struct.unpack(">II", data[:8])
    plain = zlib.decompress(data[8:8 + length])
    inner, size, _, digits, lowest, highest, _ = struct.unpack(">IIIIQQd", plain[:40])
    assert (cookie, inner, digits, lowest, highest) == (COMPRESSED, PLAIN, DIGITS, LOWEST, HIGHEST)
    counters, index, numbers = {}, 0, iter(plain[40:40 + size])
    for byte in numbers:
        value, shift = byte & 0x7F, 7
        while byte > 0x7F:
            byte = next(numbers)
            value |= (byte if shift == 56 else byte & 0x7F) << shift
            shift += 7
        number = value >> 1 ^ -(value & 1)
        if number > 0:
            counters[index] = number
        index += 1 if number >= 0 else -number
    return counters


def added(*many):
    total = {}
    for counters in many:
        for index, count in counters.items():
            total[index] = total.get(index, 0) + count
    return total


def percentile(counters, percent, greatest):
    """As mqbench gives it: the highest value of the counter where it is reached, and never more than the greatest."""
    wanted, seen = max(1, math.ceil(round(percent * sum(counters.values()) / 100, 9))), 0
    for index in sorted(counters):
        seen += counters[index]
        if seen >= wanted:
            return min(highest_of(index), greatest)
    return 0


def figures(values):
    """A histogram as a result has it."""
    counters = {}
    for value in values:
        index = index_of(value)
        counters[index] = counters.get(index, 0) + 1
    return figures_of(counters, min(values), max(values))


def figures_of(counters, least, greatest):
    total = sum(counters.values())
    mean = sum(middle_of(index) * count for index, count in counters.items()) / total
    deviation = math.sqrt(sum((middle_of(index) - mean) ** 2 * count for index, count in counters.items()) / total)
    found = {"count": total, "clipped": 0, "negative": 0, "min": least, "mean": mean, "stddev": deviation}
    for percent in (50, 90, 99, 99.9, 99.99):
        found[f"p{percent}"] = percentile(counters, percent, greatest)
    return {**found, "max": greatest, "hdr": encode(counters)}


def count_above(text, value):
    """How many values are in counters that begin above `value`."""
    return sum(count for index, count in decode(text).items() if index > index_of(int(value)))
