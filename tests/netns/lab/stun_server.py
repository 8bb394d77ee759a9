# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""A STUN server, as small as it can be: it tells whoever asks from which address the question came.

    stun_server.py ADDRESS... [--port PORT]

Answers Binding requests of RFC 8489 (with XOR-MAPPED-ADDRESS) and of RFC 3489 (without magic cookie, with
MAPPED-ADDRESS) over UDP on every address given. Anything else is ignored.
"""

import argparse
import ipaddress
import selectors
import socket
import struct

MAGIC_COOKIE = 0x2112A442
BINDING_REQUEST = 0x0001
BINDING_RESPONSE = 0x0101
MAPPED_ADDRESS = 0x0001
XOR_MAPPED_ADDRESS = 0x0020
HEADER = struct.Struct("!HHI12s")  # type, length, magic cookie, transaction id


def address_attribute(kind, address, port, mask):
    packed = ipaddress.ip_address(address).packed
    family = 1 if len(packed) == 4 else 2
    port ^= int.from_bytes(mask[:2], "big")
    packed = bytes(byte ^ m for byte, m in zip(packed, mask))
    return struct.pack("!HHBBH", kind, 4 + len(packed), 0, family, port) + packed


def answer(request, source):
    """The response to a packet, or None."""
    if len(request) < HEADER.size:
        return None
    kind, length, cookie, transaction = HEADER.unpack_from(request)
    if kind != BINDING_REQUEST or length % 4 or HEADER.size + length != len(request):
        return None
    address, port = source[0].split("%")[0], source[1]
    if cookie == MAGIC_COOKIE:
        attribute = address_attribute(XOR_MAPPED_ADDRESS, address, port, request[4:20])
    else:
        attribute = address_attribute(MAPPED_ADDRESS, address, port, bytes(16))
    return HEADER.pack(BINDING_RESPONSE, len(attribute), cookie, transaction) + attribute


def listen(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((address, port))
    return sock


def main():
    parser = argparse.ArgumentParser(description="A minimal STUN server.")
    parser.add_argument("address", nargs="+")
    parser.add_argument("--port", type=int, default=3478)
    options = parser.parse_args()
    selector = selectors.DefaultSelector()
    for address in options.address:
        selector.register(listen(address, options.port), selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _events in selector.select():
            request, source = key.fileobj.recvfrom(2048)
            response = answer(request, source)
            if response:
                try:
                    key.fileobj.sendto(response, source)
                except OSError:
                    pass  # the asker is gone; it will ask again if it is not


if __name__ == "__main__":
    main()
