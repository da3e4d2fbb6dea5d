"""Reads the histograms in mqbench's results: HdrHistogram's compressed V2 encoding, in base64."""

import base64
import struct
import zlib


def counts(text):
    """[(lowest value of the counter, count)] of all counters that are not 0, in order."""
    _, length = struct.unpack_from(">iI", data := base64.b64decode(text))
    data = zlib.decompress(data[8:8 + length])
    _, length, _, digits, lowest, _, _ = struct.unpack_from(">iiiiqqd", data)
    half = max(0, (2 * 10 ** digits - 1).bit_length() - 1)  # log2 of half the parts of a bucket
    unit = lowest.bit_length() - 1
    found, counter = [], 0
    for number in _numbers(data[40:40 + length]):
        if number > 0:
            bucket = max(0, (counter >> half) - 1)
            part = counter - (bucket << half)
            found.append((part << bucket + unit, number))
        counter += -number if number < 0 else 1
    return found


def count_above(text, value):
    """How many values are in counters from `value` on."""
    return sum(count for lowest, count in counts(text) if lowest >= value)


def _numbers(data):
    """ZigZag LEB128, whose ninth octet has eight bits."""
    at = 0
    while at < len(data):
        value = shift = 0
        while True:
            octet = data[at]
            at += 1
            value |= (octet if shift == 56 else octet & 0x7F) << shift
            shift += 7
            if octet < 0x80 or shift == 63:
                break
        yield value >> 1 ^ -(value & 1)
