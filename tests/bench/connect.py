# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Two hosts behind endpoint-independent NATs and a signaling server; 40 ms round trip between any two. wiced runs on host a;
the clock starts when wiced on host b is executed and stops when host b has the answer to its first packet
through the tunnel (UDP, echoed by host a). That packet is sent as soon as WireGuard on host b has a session, not before:
a packet for a peer without endpoint makes wireguard-go wait 5 s before it tries a handshake.
connect_floor_ms is what this topology allows, 6 round trips: TCP to the server (1), the description of b to a (1) and back
(1), a check and its answer (1; b's starts when a's description is there), WireGuard's handshake (1), the packet
and its answer (1). TLS would add 1. known_endpoint_ms is the same packet between two public hosts when the
endpoint is set by hand: 2 round trips, from which the length of one is taken.
"""

import re
import socket
import statistics
import threading
import time

from lab.network import Network
from lab.system import WIREGUARD_SOCKETS, Lab, LabError
from lab.wice import Pair
from lab.wireguard import WireGuard

RUNS = 9
DELAY_MS = 10  # of each of the four lines on a round trip
ECHO_PORT = 7
FLOOR_ROUND_TRIPS = 6
KNOWN_ROUND_TRIPS = 2
DEADLINE = 30


def start_echo(wg):
    sock = wg.host.udp_socket(wg.address, ECHO_PORT)
    sock.settimeout(None)

    def echo():
        try:
            while True:
                data, source = sock.recvfrom(100)
                sock.sendto(data, source)
        except OSError:
            pass  # the namespace is gone

    threading.Thread(target=echo, daemon=True).start()


class Uapi:
    """A connection to WireGuard's socket; `wg show` would take longer than what is measured."""

    def __init__(self, wg):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect("%s/%s.sock" % (WIREGUARD_SOCKETS, wg.name))

    def has_session(self):
        self.socket.sendall(b"get=1\n\n")
        text = b""
        while not text.endswith(b"\n\n"):
            text += self.socket.recv(65536)
        return re.search(rb"last_handshake_time_n?sec=[1-9]", text)


def first_answer(wg, other):
    """Sends a packet to the echo of the other end until it comes back; returns when it did."""
    sock = wg.host.udp_socket(wg.address)
    sock.settimeout(0.2)
    deadline = time.monotonic() + DEADLINE
    while time.monotonic() < deadline:
        sock.sendto(b"hello", (other.address, ECHO_PORT))
        try:
            sock.recv(100)
            return time.monotonic()
        except TimeoutError:
            pass
    raise LabError("no answer through the tunnel")


def connect_ms():
    with Lab() as lab:
        pair = Pair(lab, "endpoint-independent", "endpoint-independent", delay_ms=DELAY_MS)
        pair.serve().make_daemons()
        pair.a.wiced.start()
        start_echo(pair.a.wg)
        uapi = Uapi(pair.b.wg)
        # a waits for b: it has gathered, told the server, and has nothing more to do
        pair.a.wiced.wait_peer(pair.a.wg, pair.b.wg.public_key, "signaling", lambda peer: peer["state"] == "signaling")
        time.sleep(1)
        started = time.monotonic()
        pair.b.wiced.launch()
        while not uapi.has_session():
            if time.monotonic() > started + DEADLINE:
                raise LabError("no session within %d s" % DEADLINE)
            time.sleep(0.001)
        return (first_answer(pair.b.wg, pair.a.wg) - started) * 1000


def known_endpoint_ms():
    with Lab() as lab:
        network = Network(lab, delay_ms=DELAY_MS)
        a, b = network.host("a"), network.host("b")
        network.start()
        a.wg, b.wg = WireGuard(a, 1), WireGuard(b, 2)
        a.wg.add_peer(b.wg)
        b.wg.add_peer(a.wg)
        start_echo(a.wg)
        endpoint = "%s:%d" % (a.address, a.wg.listen_port())
        started = time.monotonic()
        b.wg.set("peer", a.wg.public_key, "endpoint", endpoint)
        return (first_answer(b.wg, a.wg) - started) * 1000


def report(name, values):
    print("%s: %.0f" % (name, statistics.median(values)))
    print("%s_min: %.0f" % (name, min(values)))
    print("%s_max: %.0f" % (name, max(values)), flush=True)


def main():
    known = [known_endpoint_ms() for _run in range(RUNS)]
    times = [connect_ms() for _run in range(RUNS)]
    floor = statistics.median(known) / KNOWN_ROUND_TRIPS * FLOOR_ROUND_TRIPS
    print("connect_runs: %d" % RUNS)
    report("connect_ms", times)
    print("connect_floor_ms: %.0f" % floor)
    print("connect_ratio: %.2f" % (statistics.median(times) / floor))
    report("known_endpoint_ms", known)
