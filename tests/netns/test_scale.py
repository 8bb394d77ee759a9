# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Many peers, and doing nothing.

200 peers of one interface need 200 interfaces at the other ends. All of them are in one namespace, looked after by one
wiced, and made by fakewg.c, which pretends to be WireGuard for as many interfaces as one likes.
"""

import time

from lab.fakewg import FakeWireGuard, introduce
from lab.network import Network
from lab.system import wait_until
from lab.testing import test
from lab.wice import Pair, SignalingServer, Wiced

PEERS = 200
IDLE_S = 10


def idle_percent(wiceds, seconds=IDLE_S):
    """The share of one processor that each daemon uses, over some seconds of nothing to do."""
    before = [wiced.cpu_seconds() for wiced in wiceds]
    time.sleep(seconds)
    return [100 * (wiced.cpu_seconds() - was) / seconds for wiced, was in zip(wiceds, before)]


@test
def fake_wireguard_shakes_hands_when_an_endpoint_is_set(lab):
    network = Network(lab)
    a, b = network.host("a"), network.host("b")
    network.start()
    one, two = FakeWireGuard(a, 1).interfaces[0], FakeWireGuard(b, 1).interfaces[0]
    introduce(one, [two])
    introduce(two, [one])
    port = two.listen_port()
    one.set("peer", two.public_key, "endpoint", "%s:%d" % (b.address, port), "persistent-keepalive", "25")
    for here, there in ((one, two), (two, one)):
        wait_until("a handshake", lambda: here.show("latest-handshakes")[there.public_key] != "0")
        assert here.show("transfer")[there.public_key].split("\t")[0] != "0"
    assert two.show("endpoints")[one.public_key] == "%s:%d" % (a.address, one.listen_port())


@test(timeout=300, alone=True)
def two_hundred_peers_of_one_interface_are_connected(lab):
    network = Network(lab)
    a, b = network.host("a"), network.host("b")
    network.start()
    server = SignalingServer(network.public)
    [hub] = FakeWireGuard(a, 1).interfaces
    spokes = FakeWireGuard(b, PEERS).interfaces
    introduce(hub, spokes)
    for spoke in spokes:
        introduce(spoke, [hub])
    a.wiced = Wiced(a, [hub.name], [server.url], [network.stun_url()])
    b.wiced = Wiced(b, [spokes[0].name.rstrip("0") + "*"], [server.url], [network.stun_url()])
    started = time.monotonic()
    for host in (a, b):
        host.wiced.start()

    def all_connected():
        interface = a.wiced.interface(hub.name)
        states = [peer["state"] for peer in interface["peers"]] if interface else []
        return len(states) == PEERS and set(states) == {"connected"}

    wait_until("all peers are connected, seen from a", all_connected, timeout=180, interval=0.5)
    b.wiced.wice("wait", "--timeout", "60", timeout=90)
    print("note: %d peers connected after %.1f s" % (PEERS, time.monotonic() - started))
    print("note: resident memory: %.1f MiB (one interface), %.1f MiB (%d interfaces)"
          % (a.wiced.rss_mib(), b.wiced.rss_mib(), PEERS))  # fmt: skip
    print("note: idle: %.1f %% of a processor (one interface), %.1f %% (%d interfaces)"
          % (*idle_percent([a.wiced, b.wiced]), PEERS))  # fmt: skip


@test(alone=True)
def an_idle_daemon_with_one_peer_uses_next_to_no_processor(lab):
    pair = Pair(lab, "endpoint-independent", "port-restricted").start()
    pair.wait_connected()
    percent = idle_percent([pair.a.wiced, pair.b.wiced])
    print("note: idle: %.2f %% and %.2f %% of a processor" % tuple(percent))
    for host, other in pair.ends:
        assert host.wiced.peer(host.wg, other.wg.public_key)["state"] == "connected"
