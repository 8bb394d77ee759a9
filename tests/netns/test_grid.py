# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Every kind of NAT against every other, over IPv4 and over IPv6, with every mechanism.

A cell is one network, in which each mechanism has a pair of hosts behind routers of their own: cells that fail take as long as
one of them.
"""

from lab.hosted import EnginePair
from lab.network import Network
from lab.relay import WiceRelay
from lab.testing import test
from lab.wice import Pair, SignalingServer
from lab.wireguard import assert_ping

KINDS = ("none", "endpoint-independent", "port-restricted", "symmetric")
FAMILIES = {"IPv4": {}, "IPv6": {"ipv4": False, "ipv6": True, "nat6": True}}
MECHANISMS = ("bpf", "nft", "user", "inprocess")
TIMEOUT = 300
# All users of the grid are one.
RELAY_OPTIONS = ("--user-allocations=100", "--address-allocations=100")

# A symmetric NAT uses another port for the peer than the one that the STUN server saw, and only the peer could tell which,
# if its own NAT let that packet in. When that one lets in only answers to the port it knows, there is no way without a relay.
IMPOSSIBLE = ({"symmetric"}, {"symmetric", "port-restricted"})


def make_pairs(lab, a, b, family, relay=False):
    """{mechanism: pair of hosts with daemons that run}; relay: with a relay that all may use"""
    network = Network(lab, **FAMILIES[family])
    options = ["--relay", WiceRelay(network.host("relay"), *RELAY_OPTIONS).option()] if relay else []
    hosts = {name: (network.host("a" + name[0], a), network.host("b" + name[0], b)) for name in MECHANISMS}
    network.start()
    signaling = SignalingServer(network.public)
    pairs = {}
    for mechanism in MECHANISMS:
        if mechanism == "inprocess":
            pairs[mechanism] = EnginePair(lab, network=network, hosts=hosts[mechanism], signaling=signaling, wiced=options)
        else:
            pairs[mechanism] = Pair(lab, network=network, hosts=hosts[mechanism], proxy=mechanism)
            pairs[mechanism].wiced_options += options
            pairs[mechanism].start([signaling.url])
    return pairs


def check_mechanism(pair, mechanism):
    """The interface has the mechanism that was asked for; where WireGuard's own port gets through, the path needs none."""
    for host, other in pair.ends:
        interface = host.wiced.interface(host.wg.name)
        assert interface["mechanism"] == mechanism, (mechanism, interface["mechanism"], interface["mechanism_reason"])
        peer = host.wiced.peer(host.wg, other.wg.public_key)
        assert peer["mechanism"] in (mechanism, "kernel"), peer


def connects(lab, a, b, family):
    path = "direct" if a == b == "none" else "nat"
    for mechanism, pair in make_pairs(lab, a, b, family).items():
        for host, other in pair.ends:
            host.wiced.wait_peer(
                host.wg, other.wg.public_key, "%s: connected, path %s" % (mechanism, path),
                lambda peer: peer["state"] == "connected" and peer["path"] == path,
            )  # fmt: skip
        assert_ping(pair.a.wg, pair.b.wg)
        assert_ping(pair.b.wg, pair.a.wg)
        check_mechanism(pair, mechanism)


def needs_relay(lab, a, b, family):
    for mechanism, pair in make_pairs(lab, a, b, family).items():
        for host, other in pair.ends:
            peer = host.wiced.wait_peer(
                host.wg, other.wg.public_key, mechanism + ": the peer has failed", lambda peer: peer["state"] == "failed"
            )
            assert "relay" in peer["reason"], peer["reason"]
            assert peer["path"] == "none", peer


def connects_by_relay(lab, a, b, family):
    for mechanism, pair in make_pairs(lab, a, b, family, relay=True).items():
        pair.wait_path("relay")
        assert_ping(pair.a.wg, pair.b.wg)
        assert_ping(pair.b.wg, pair.a.wg)
        for host, other in pair.ends:
            peer = host.wiced.peer(host.wg, other.wg.public_key)
            # Rules of nftables cannot make ChannelData: the userspace proxy does.
            assert peer["mechanism"] == ("user" if mechanism == "nft" else mechanism), peer


def add_cell(a, b, family):
    if {a, b} in IMPOSSIBLE:
        name = "%s and %s over %s connect by relay" % (a, b, family)
        test(name=name, timeout=TIMEOUT)(lambda lab: connects_by_relay(lab, a, b, family))
    if {a, b} in IMPOSSIBLE:
        name, check = "%s and %s over %s fail and say that a relay would help", needs_relay
    else:
        name, check = "%s and %s over %s connect", connects
    test(name=name % (a, b, family), timeout=TIMEOUT)(lambda lab: check(lab, a, b, family))


for protocol in FAMILIES:
    for first in KINDS:
        for second in KINDS:
            add_cell(first, second, protocol)
