# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""One UDP port per interface: what is on the wire, and what becomes of a tunnel whose mechanism changes or whose daemon dies."""

import itertools
import socket
import struct
import threading
import time

from lab.system import wait_until
from lab.testing import test
from lab.traffic import Load
from lab.wice import Pair
from lab.wireguard import assert_ping, ping

MECHANISMS = ("bpf", "nft", "user")
LOAD_PER_SECOND = 200
KEEPALIVE_S = 25  # of WireGuard, and longer than a mapping of these routers lives
ETHERNET, IPV4_PROTOCOL, UDP = 14, 9, 17
ETH_P_ALL, PACKET_OUTGOING = 3, 4


class Capture:
    """The IPv4 UDP packets of a host's eth0, as (is outgoing, source port, destination port, payload)."""

    def __init__(self, host):
        with host.entered():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
        self.socket.bind(("eth0", 0))
        self.socket.settimeout(0.2)
        self.packets = []
        self.stopping = False
        self.thread = threading.Thread(target=self._receive, daemon=True)
        self.thread.start()

    def _receive(self):
        while not self.stopping:
            try:
                frame, address = self.socket.recvfrom(65536)
            except TimeoutError:
                continue
            if address[1] != 0x0800 or frame[ETHERNET + IPV4_PROTOCOL] != UDP:
                continue
            start = ETHERNET + (frame[ETHERNET] & 15) * 4
            source, destination, length = struct.unpack_from("!HHH", frame, start)
            self.packets.append((address[2] == PACKET_OUTGOING, source, destination, frame[start + 8 : start + length]))

    def stop(self):
        self.stopping = True
        self.thread.join()
        self.socket.close()
        return self.packets


def is_stun(payload):
    return len(payload) >= 20 and payload[4:8] == b"\x21\x12\xa4\x42"


def is_data(payload):
    return payload[:4] == b"\x04\0\0\0"


def natted(lab, **options):
    """Two hosts behind NATs, where the path's mechanism is that of the interface."""
    return Pair(lab, "port-restricted", "endpoint-independent", **options)


def connected(lab, mechanism):
    pair = natted(lab, proxy=mechanism).start()
    pair.wait_mechanism(mechanism)
    assert_ping(pair.a.wg, pair.b.wg)
    return pair


# --- the wire ---


@test
def with_bpf_every_packet_on_the_wire_uses_the_one_port(lab):
    pair = natted(lab, proxy="bpf")
    pair.wiced_options += ["--port-mapping", "no"]  # it talks to routers, and from ports of its own
    captures = {host: Capture(host) for host in (pair.a, pair.b)}
    pair.start()
    pair.wait_mechanism("bpf")
    assert_ping(pair.a.wg, pair.b.wg)
    pair.a.wiced.wice("restart", pair.a.wg.name, pair.b.wg.public_key)
    pair.a.wiced.wait_peer(
        pair.a.wg, pair.b.wg.public_key, "connected anew", lambda peer: peer["restarts"] and peer["state"] == "connected"
    )
    assert_ping(pair.a.wg, pair.b.wg)
    for host, capture in captures.items():
        packets = capture.stop()
        ports = {source if outgoing else destination for outgoing, source, destination, _payload in packets}
        port = host.wg.listen_port()
        others = [packet for packet in packets if packet[1 if packet[0] else 2] != port]
        assert ports == {port}, (port, others[:5])
        kinds = [(outgoing, is_stun(payload), is_data(payload)) for outgoing, _from, _to, payload in packets]
        for outgoing in (True, False):
            assert (outgoing, True, False) in kinds and (outgoing, False, True) in kinds, set(kinds)
        print("note: host %s: %d packets, all of port %d" % (host.name, len(packets), *ports))


def unchanged(lab, mechanism):
    """What one end's eth0 sees leave, the other's sees arrive; and the engines, which authenticate it, lose nothing."""
    pair = connected(lab, mechanism)
    captures = {host: Capture(host) for host in (pair.a, pair.b)}
    loads = [Load(host.wg, other.wg, LOAD_PER_SECOND) for host, other in pair.ends]
    time.sleep(2)
    lost = [load.stop() for load in loads]
    packets = {host: capture.stop() for host, capture in captures.items()}
    for host, other in pair.ends:
        sent, received = (
            [payload for is_out, _from, _to, payload in packets[end] if is_out is outgoing and is_data(payload)]
            for end, outgoing in ((host, True), (other, False))
        )
        assert len(received) >= loads[0].sent / 2 and set(received) <= set(sent), (len(sent), len(received))
        # Numbered and authenticated: each is one that WireGuard made, and none came twice.
        assert len(set(received)) == len(received)
    assert lost == [0, 0], lost


for one in ("bpf", "nft"):
    test(name="data packets leave and enter unchanged with %s" % one)(lambda lab, one=one: unchanged(lab, one))


def stays_open(lab, mechanism, pair):
    """The routers forget a mapping after some seconds of silence; WireGuard's own keepalive would come too late."""
    for host in (pair.a, pair.b):
        timeouts = ["net.netfilter.nf_conntrack_udp_timeout=%d" % KEEPALIVE_S]
        timeouts += ["net.netfilter.nf_conntrack_udp_timeout_stream=%d" % KEEPALIVE_S]
        host.router.run("sysctl", "-qw", *timeouts)
    pair.start()
    pair.wait_mechanism(mechanism)
    assert_ping(pair.a.wg, pair.b.wg)
    before = [host.wg.show("endpoints") for host, _other in pair.ends]
    time.sleep(2 * KEEPALIVE_S)
    for host, other in pair.ends:
        assert ping(host, other.wg.address, deadline=2), "host %s" % host.name
    assert [host.wg.show("endpoints") for host, _other in pair.ends] == before
    for host, other in pair.ends:
        assert host.wiced.peer(host.wg, other.wg.public_key)["restarts"] == 0


for one in MECHANISMS:
    test(name="an idle path stays open with %s" % one)(lambda lab, one=one: stays_open(lab, one, natted(lab, proxy=one)))


@test
def an_idle_path_without_nat_stays_open_through_firewalls(lab):
    stays_open(lab, "bpf", Pair(lab, "firewall", "firewall", proxy="bpf"))


# --- the daemon dies ---


@test
def with_bpf_a_tunnel_through_nats_outlives_killed_daemons(lab):
    pair = connected(lab, "bpf")
    for host in (pair.a, pair.b):
        host.wiced.kill()
    load = Load(pair.a.wg, pair.b.wg, LOAD_PER_SECOND)
    time.sleep(2)
    assert load.stop() == 0
    for host in (pair.a, pair.b):
        host.wiced.start()
    pair.wait_connected()
    assert_ping(pair.a.wg, pair.b.wg)


def comes_back(lab, mechanism):
    pair = connected(lab, mechanism)
    pair.a.wiced.kill()
    pair.a.wiced.start()
    wait_until("the tunnel works", lambda: ping(pair.a, pair.b.wg.address, deadline=1))
    pair.wait_mechanism(mechanism)


for one in ("nft", "user"):
    test(name="with %s a tunnel through NATs comes back after a killed daemon" % one)(lambda lab, one=one: comes_back(lab, one))


# --- WireGuard is not heard for a while ---

DEAF = """
table inet deaf {
    chain arriving {
        type filter hook prerouting priority raw
        meta l4proto udp @th,64,32 { 0x01000000, 0x02000000, 0x04000000 } drop
    }
}
"""


@test
def a_mechanism_that_has_worked_is_tried_once_more(lab):
    pair = connected(lab, "bpf")
    a, b = pair.a, pair.b
    a.run("nft", "-f", "-", stdin=DEAF)
    a.wiced.wice("restart", a.wg.name)
    a.wiced.wait_peer(a.wg, b.wg.public_key, "nothing is heard", lambda peer: peer["state"] == "failed")
    a.run("nft", "delete", "table", "inet", "deaf")
    pair.wait_mechanism("bpf")
    assert_ping(a.wg, b.wg)


# --- another mechanism at run time ---


@test(timeout=300)
def the_mechanism_changes_in_every_order_and_hardly_a_packet_is_lost(lab):
    pair = connected(lab, "bpf")
    loads = [Load(host.wg, other.wg, LOAD_PER_SECOND) for host, other in pair.ends]
    steps = []  # (change, packets sent by then)
    for order in itertools.permutations(MECHANISMS):
        for mechanism in order:
            for host, other in pair.ends:
                host.wiced.wice("restart", "--proxy", mechanism, host.wg.name)
                host.wiced.wait_peer(
                    host.wg, other.wg.public_key, "mechanism " + mechanism,
                    lambda peer, mechanism=mechanism: peer["state"] == "connected" and peer["mechanism"] == mechanism,
                )  # fmt: skip
                steps.append(("%s at host %s" % (mechanism, host.name), [load.sent for load in loads]))
    lost = [load.stop() for load in loads]
    missing = [
        (which, after)
        for way, load in enumerate(loads)
        for which, after in ((number, next((what for what, sent in steps if sent[way] >= number), "the end")) for number in range(load.sent))
        if which not in load.received
    ]
    assert sum(lost) <= len(steps) / 10, "lost in %d changes, and during which: %s" % (len(steps), missing)
