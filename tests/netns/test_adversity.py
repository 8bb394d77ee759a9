# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Rough handling: what administrators, crashes and strangers do to a running wiced."""

from lab.fakewg import FakeWireGuard, introduce
from lab.network import Network, program
from lab.system import wait_until
from lab.testing import test
from lab.wice import Pair, SignalingServer, Wiced
from lab.wireguard import WireGuard, assert_ping, new_key, ping, public_key


@test
def peers_that_are_configured_anew_at_once_stay_connected(lab):
    """`wg setconf` removes all peers and makes them again, without the endpoints that wiced has set."""
    pair = Pair(lab, "endpoint-independent", "port-restricted").start()
    pair.wait_connected()
    path = lab.write(
        "again.conf",
        "[Interface]\nPrivateKey = %s\nListenPort = %d\n[Peer]\nPublicKey = %s\nAllowedIPs = %s/32\n"
        % (pair.a.wg.private_key, pair.a.wg.listen_port(), pair.b.wg.public_key, pair.b.wg.address),
    )
    pair.a.wg.wg("setconf", pair.a.wg.name, path)
    wait_until("a ping from a to b", lambda: ping(pair.a, pair.b.wg.address, deadline=1))
    pair.wait_connected()
    assert_ping(pair.a.wg, pair.b.wg)


@test
def two_interfaces_of_one_host_are_connected_with_each_other(lab):
    network = Network(lab)
    host = network.host("a")
    network.start()
    server = SignalingServer(network.public)
    one, two = WireGuard(host, 1, name="aa"), WireGuard(host, 2, name="ab")
    one.add_peer(two)
    two.add_peer(one)
    host.wiced = Wiced(host, [one.name, two.name], [server.url], [network.stun_url()]).start()
    host.wiced.wait_connected(one, two.public_key)
    host.wiced.wait_connected(two, one.public_key)


@test
def a_small_limit_of_open_files_leaves_wiced_in_control(lab):
    """Peers that nobody can be reached behind must not take the descriptors that all else needs."""
    network = Network(lab)
    a, b = network.host("a"), network.host("b")
    network.start()
    server = SignalingServer(network.public)
    [one], [two] = FakeWireGuard(a, 1).interfaces, FakeWireGuard(b, 1).interfaces
    introduce(one, [two])
    introduce(two, [one])
    absent = [public_key(new_key()) for _ in range(50)]
    for number, key in enumerate(absent):
        one.set("peer", key, "allowed-ips", "10.79.0.%d/32" % number)
    a.wiced, b.wiced = (Wiced(host, [wg.name], [server.url]) for host, wg in ((a, one), (b, two)))
    a.wiced.command = lambda: ["prlimit", "--nofile=80:80", program("tools", "wiced"), *a.wiced.arguments]
    b.wiced.start()
    a.wiced.start()
    wait_until(
        "wice show tells why some peers are not tried",
        lambda: "too many open files" in a.wiced.wice("show").stdout,
    )
    for key in absent:
        one.set("peer", key, "remove")
    a.wiced.wait_connected(one, two.public_key)
