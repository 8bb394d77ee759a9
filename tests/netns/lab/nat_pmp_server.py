#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""A NAT-PMP server (RFC 6886) that knows nothing else: requests of other versions are refused.

    nat_pmp_server.py INSIDE-ADDRESS OUTSIDE-ADDRESS LIFETIME

Mappings are rules in the chain "translated" of the table "mapped", and a line on stdout each.
"""

import select
import socket
import struct
import subprocess
import sys
import time

CHAIN = "inet mapped translated"
ANNOUNCEMENTS = [0, 0.25, 0.5, 1, 2, 4]  # seconds between them: RFC 6886 section 3.2.1


class Server:
    def __init__(self, inside, outside, lifetime):
        self.outside, self.lifetime = socket.inet_aton(outside), lifetime
        self.started = time.monotonic()
        self.mapped = set()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((inside, 5351))
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(inside))

    def epoch(self):
        return int(time.monotonic() - self.started)

    def address(self):
        return struct.pack("!BBHI", 0, 128, 0, self.epoch()) + self.outside

    def announce(self):
        self.socket.sendto(self.address(), ("224.0.0.1", 5350))

    def write_rules(self):
        rules = "flush chain %s\n" % CHAIN + "".join(
            'add rule %s iifname "wan" udp dport %d dnat ip to %s:%d\n' % (CHAIN, port, host, port)
            for host, port in self.mapped
        )
        accepted = "flush chain inet mapped accepted\nadd rule inet mapped accepted ct status dnat accept\n"
        subprocess.run(["nft", "-f", "-"], input=rules + accepted, text=True, check=True)

    def map(self, host, port, lifetime):
        known = (host, port) in self.mapped
        if lifetime:
            self.mapped.add((host, port))
        else:
            self.mapped.discard((host, port))
        self.write_rules()
        verb = "removed" if not lifetime else "renewed" if known else "added"
        print("%s mapping %s:%d" % (verb, host, port), flush=True)

    def answer(self, request, host):
        version, opcode = request[:2]
        if version != 0:
            return struct.pack("!BBHI", 0, 128 | opcode, 1, self.epoch())
        if opcode == 0:
            return self.address()
        if opcode != 1 or len(request) != 12:
            return struct.pack("!BBHI", 0, 128 | opcode, 5, self.epoch())
        internal, _suggested, lifetime = struct.unpack("!HHI", request[4:])
        lifetime = min(lifetime, self.lifetime)
        self.map(host, internal, lifetime)
        return struct.pack("!BBHIHHI", 0, 129, 0, self.epoch(), internal, internal if lifetime else 0, lifetime)

    def run(self):
        print("ready", flush=True)
        pauses = list(ANNOUNCEMENTS)
        next_at = time.monotonic()
        while True:
            wait = max(0, next_at - time.monotonic()) if pauses else None
            if select.select([self.socket], [], [], wait)[0]:
                request, source = self.socket.recvfrom(2000)
                if len(request) >= 2 and request[1] < 128:
                    self.socket.sendto(self.answer(request, source[0]), source)
            elif pauses:
                self.announce()
                next_at = time.monotonic() + pauses.pop(0)


if __name__ == "__main__":
    Server(sys.argv[1], sys.argv[2], int(sys.argv[3])).run()
