# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Many peers, and doing nothing.

200 peers of one interface need 200 interfaces at the other ends. They are on four hosts with 50 each (a signaling server
takes no more than 64 keys from one client), and made by fakewg.c, which pretends to be WireGuard for as many
interfaces as one likes.
"""

import time

from lab.fakewg import FakeWireGuard, Star, introduce
from lab.network import Network
from lab.system import wait_until
from lab.testing import test
from lab.wice import Pair

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
    star = Star(lab, PEERS)
    started = time.monotonic()
    star.start()
    wait_until("all peers are connected", star.is_connected, timeout=180, interval=0.5)
    print("note: %d peers connected after %.1f s" % (PEERS, time.monotonic() - started))
    wiceds = [star.hub.wiced, star.outer[0].wiced]
    sizes = (wiceds[0].rss_mib(), wiceds[1].rss_mib())
    print("note: resident memory: %.1f MiB (one interface), %.1f MiB (50 interfaces)" % sizes)
    print("note: idle: %.1f %% of a processor (one interface), %.1f %% (50 interfaces)" % tuple(idle_percent(wiceds)))
    assert star.is_connected()


@test(alone=True)
def an_idle_tunnel_stays_connected_and_costs_next_to_no_processor(lab):
    """WireGuard is silent when it has nothing to send, and that is no sign of a broken path."""
    pair = Pair(lab, "endpoint-independent", "port-restricted").start()
    before = [peer["state_since_ms"] for peer in pair.wait_connected()]
    percent = idle_percent([pair.a.wiced, pair.b.wiced], 50)
    print("note: idle: %.2f %% and %.2f %% of a processor" % tuple(percent))
    after = [host.wiced.peer(host.wg, other.wg.public_key) for host, other in pair.ends]
    assert [peer["state"] for peer in after] == ["connected", "connected"], after
    assert [peer["restarts"] for peer in after] == [0, 0], after
    assert [peer["state_since_ms"] for peer in after] == before, "it was not connected all the time"
