# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Relays: what they cost on the way, and how soon they are there.
"""

import contextlib
import itertools
import os
import statistics
import subprocess

from engine import figure
from lab.network import Host, Namespace, connect, program
from lab.relay import PASSWORD, PORT, USER, WiceRelay
from lab.system import Lab, LabError, run
from one_port import cpu_seconds

QUICK = "WICE_BENCH_QUICK" in os.environ
ONLY = os.environ.get("WICE_BENCH_ONLY", "")
ROUNDS, TRIAL_S = (3, 0.3) if QUICK else (9, 0.5)
PACKET = 1420
WG_PORT, CLIENT_PORT = 51820, 40000


class Row:
    """Three hosts in a row: a, one that forwards and relays, and b. What is on the wires are single packets, as on any real one:
    veth would pass what somebody has joined as it is."""

    def __init__(self, lab):
        self.lab = lab
        self.middle = Host(lab, "relay", forward=True)
        self.a, self.b = Host(lab, "a"), Host(lab, "b")
        for host, prefix in ((self.a, "198.51.100"), (self.b, "203.0.113")):
            device = "to-" + host.name
            connect(host, "eth0", self.middle, device)
            host.ipv4_address = prefix + ".2"
            host.add_address("eth0", host.ipv4_address, 24)
            self.middle.add_address(device, prefix + ".1", 24)
            host.ip("route add default via %s.1" % prefix)
            host.ip("link set eth0 gso_max_segs 1")
            self.middle.ip("link set %s gso_max_segs 1" % device)
        self.middle.ipv4_address = "203.0.113.1"
        self.hosts = (self.a, self.b)


TRANSLATE = """
table ip relay {
    chain pre {
        type nat hook prerouting priority dstnat
        ip saddr %(a)s ip daddr %(relay)s udp dport %(port)d dnat to %(b)s
        ip saddr %(b)s ip daddr %(relay)s udp dport %(port)d dnat to %(a)s
    }
}
"""


class Client:
    """bench-relay as client of a host, with an allocation at a server or none."""

    def __init__(self, host, how, server, credentials):
        words = host.command(program("tests", "bench", "bench-relay"), "client", host.netns, server, how, *credentials)
        self.host = host
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self, what):
        line = self.process.stdout.readline().split()
        if len(line) != 2 or line[0] != what:
            raise LabError("bench-relay said %s instead of %s" % (line, what))
        return line[1]

    def tell(self, relayed):
        print(relayed, file=self.process.stdin, flush=True)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class Way:
    """A way for packets from a to b."""

    def __init__(self, row, how, relay=None):
        self.row, self.how, self.relay = row, how, relay
        self.clients = ()

    def open(self):
        if self.how == "direct":
            return "%s:%d" % (self.row.b.ipv4_address, WG_PORT)
        credentials = (USER, PASSWORD) if self.relay else ()
        server = "%s:%d" % (self.row.middle.ipv4_address, PORT)
        self.clients = [Client(host, self.how, server, credentials) for host in self.row.hosts]
        if self.relay:
            relayed = [client.read("relayed") for client in self.clients]
            for client, other in zip(self.clients, relayed[::-1]):
                client.tell(other)
        return [client.read("endpoint") for client in self.clients][0]

    def close(self):
        for client in self.clients:
            client.stop()

    def measure(self, endpoint):
        pids = [client.process.pid for client in self.clients] + ([self.relay.process.pid] if self.relay else [])
        words = [self.row.a.netns, self.row.b.netns, endpoint, PACKET, TRIAL_S]
        before = cpu_seconds(pids)
        packets, seconds = map(float, run(program("tests", "bench", "bench-relay"), "send", *words).stdout.split())
        return packets / seconds, packets / (cpu_seconds(pids) - before)


def main():
    with Lab() as lab:
        row = Row(lab)
        relay = WiceRelay(row.middle)
        for how, r in (("direct", None), ("move", relay), ("inplace", relay), ("user", relay)):
            way = Way(row, how, r)
            e = way.open()
            print(how, e)
            for _i in range(3):
                print([x / 1000 for x in way.measure(e)])
            way.close()
