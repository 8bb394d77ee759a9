# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Every kind of NAT against every other."""

from lab.testing import test
from lab.wice import Pair
from lab.wireguard import assert_ping

KINDS = ("none", "endpoint-independent", "port-restricted", "symmetric")

# A symmetric NAT uses another port for the peer than the one that the STUN server saw, and only the peer could tell which,
# if its own NAT let that packet in. When that one lets in only answers to the port it knows, there is no way without a relay.
IMPOSSIBLE = ({"symmetric"}, {"symmetric", "port-restricted"})


def connects(lab, a, b):
    pair = Pair(lab, a, b).start()
    pair.wait_path("direct" if a == b == "none" else "nat")
    assert_ping(pair.a.wg, pair.b.wg)
    assert_ping(pair.b.wg, pair.a.wg)


def needs_relay(lab, a, b):
    pair = Pair(lab, a, b).start()
    for host, other in pair.ends:
        peer = host.wiced.wait_peer(
            host.wg, other.wg.public_key, "the peer has failed", lambda peer: peer["state"] == "failed"
        )
        assert "relay" in peer["reason"], peer["reason"]
        assert peer["path"] == "none", peer


def add_cell(a, b):
    if {a, b} in IMPOSSIBLE:
        name, check = "%s and %s fail and say that a relay would help", needs_relay
    else:
        name, check = "%s and %s connect", connects
    test(name=name % (a, b))(lambda lab: check(lab, a, b))


for first in KINDS:
    for second in KINDS:
        add_cell(first, second)
