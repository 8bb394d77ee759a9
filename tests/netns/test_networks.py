# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Networks other than two hosts behind a NAT each."""

from lab.network import Network
from lab.testing import test
from lab.wice import Pair
from lab.wireguard import assert_ping


def ips(peer):
    """The addresses of the selected pair without their ports."""
    return [peer[end]["endpoint"].rsplit(":", 1)[0].strip("[]") for end in ("local", "remote")]


def connects(pair, path):
    """Starts both daemons; returns what host a says of b."""
    pair.start()
    peers = pair.wait_path(path)
    assert_ping(pair.a.wg, pair.b.wg)
    return peers[0]


@test
def hosts_in_one_lan_connect_directly_and_not_through_their_router(lab):
    network = Network(lab)
    router = network.router("home", "port-restricted")
    pair = Pair(lab, network=network, hosts=(router.host("a"), router.host("b")))
    peer = connects(pair, "direct")
    assert ips(peer) == [pair.a.address, pair.b.address], peer


@test
def hosts_in_two_lans_of_a_router_that_hairpins_connect_by_its_outside_address(lab):
    network = Network(lab)
    router = network.router("home", "hairpin")
    hosts = [router.host(name, router.add_lan()) for name in "ab"]
    connects(Pair(lab, network=network, hosts=hosts), "nat")


@test
def hosts_with_the_same_private_address_connect_through_their_nats(lab):
    network = Network(lab)
    hosts = []
    for name in "ab":
        router = network.router(name + "-nat", "port-restricted")
        hosts.append(router.host(name, router.add_lan("192.168.178")))
    assert hosts[0].address == hosts[1].address
    connects(Pair(lab, network=network, hosts=hosts), "nat")


@test
def hosts_with_ipv6_only_connect_directly(lab):
    pair = Pair(lab, ipv4=False, ipv6=True)
    peer = connects(pair, "direct")
    assert ips(peer) == [pair.a.ipv6_address, pair.b.ipv6_address], peer


@test
def hosts_with_ipv6_only_behind_firewalls_connect_directly(lab):
    pair = Pair(lab, "firewall", "firewall", ipv4=False, ipv6=True)
    peer = connects(pair, "direct")
    assert ips(peer) == [pair.a.ipv6_address, pair.b.ipv6_address], peer


@test
def hosts_behind_firewalls_without_nat_connect_directly(lab):
    pair = Pair(lab, "firewall", "firewall")
    peer = connects(pair, "direct")
    assert ips(peer) == [pair.a.ipv4_address, pair.b.ipv4_address], peer


@test
def hosts_with_ipv4_and_ipv6_connect(lab):
    connects(Pair(lab, ipv6=True), "direct")


@test
def hosts_behind_symmetric_nats_connect_directly_when_both_have_ipv6(lab):
    pair = Pair(lab, "symmetric", "symmetric", ipv6=True)
    peer = connects(pair, "direct")
    assert ips(peer) == [pair.a.ipv6_address, pair.b.ipv6_address], peer


@test
def hosts_behind_carrier_grade_nats_connect(lab):
    connects(Pair(lab, "carrier-grade", "carrier-grade"), "nat")


@test
def a_host_behind_a_carrier_grade_nat_connects_to_a_public_one(lab):
    connects(Pair(lab, "carrier-grade", "none"), "nat")


@test
def hosts_connect_over_an_internet_that_loses_and_reorders(lab):
    connects(Pair(lab, "port-restricted", "endpoint-independent", loss=5, reorder=10), "nat")


@test
def a_host_without_a_stun_server_is_found_by_one_behind_a_nat(lab):
    """The public host's own address is all that is needed; the other's is learnt from its first packet."""
    pair = Pair(lab, "none", "port-restricted").start(stun=False)
    pair.wait_path("nat")
    assert_ping(pair.a.wg, pair.b.wg)
