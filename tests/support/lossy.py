"""A socket that does not get all of what the network brings."""

import ctypes
import socket
import struct

SO_ATTACH_FILTER = 26
LOAD_WORD, JUMP_IF_AT_LEAST, RETURN = 0x20, 0x35, 0x06  # of classic BPF
RANDOM_NUMBER = 0xFFFFF000 + 56  # SKF_AD_OFF + SKF_AD_RANDOM


def lose(sock, share):
    """From here on the kernel drops this share of the segments that come for `sock`, at random, so that TCP has
    to send them again. Needs no rights."""
    program = [(LOAD_WORD, 0, 0, RANDOM_NUMBER), (JUMP_IF_AT_LEAST, 0, 1, int(share * 2**32)),
               (RETURN, 0, 0, 0xFFFFFFFF), (RETURN, 0, 0, 0)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(program), ctypes.addressof(code)))
