# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""WireGuard inside wiced: interfaces that it hosts, and packets that go straight to the ports of ICE."""

import os

from lab.network import Network, program
from lab.system import run, wait_until
from lab.testing import test
from lab.wice import Pinging, SignalingServer, Wiced
from lab.wireguard import WireGuard, assert_ping, interface_name, new_key, ping, public_key


class Hosted(WireGuard):
    """An interface that `wice up --userspace` makes: in wiced, if one runs on the host."""

    def create(self):
        text = "[Interface]\nPrivateKey = %s\nAddress = %s/24\n" % (self.private_key, self.address)
        self.file = self.lab.write(self.name + ".conf", text)
        self.up()

    def up(self):
        self.host.wiced.wice("up", "--userspace", self.file)
        wait_until("%s answers" % self.name, lambda: self.wg("show", self.name, check=False).returncode == 0)

    def destroy(self):
        self.host.wiced.wice("down", self.file)


class EnginePair:
    """Two hosts whose WireGuard is in their wiced; b's may be another's."""

    def __init__(self, lab, a="none", b="none", make_b=Hosted, **options):
        self.lab = lab
        self.network = Network(lab, **options)
        self.a, self.b = self.network.host("a", a), self.network.host("b", b)
        self.network.start()
        self.signaling = SignalingServer(self.network.public)
        for number, (host, make) in enumerate(((self.a, Hosted), (self.b, make_b)), 1):
            name = interface_name(host.name)
            host.wiced = Wiced(host, [name], [self.signaling.url], [self.network.stun_url()]).start()
            host.wg = make(host, number)
        self.ends = ((self.a, self.b), (self.b, self.a))
        self.introduce()

    def introduce(self):
        for host, other in self.ends:
            host.wg.add_peer(other.wg)

    def wait_mechanism(self, mechanism, hosts=None):
        return [
            host.wiced.wait_peer(
                host.wg,
                other.wg.public_key,
                "connected, mechanism " + mechanism,
                lambda peer: peer["state"] == "connected" and peer["mechanism"] == mechanism,
            )
            for host, other in self.ends
            if host in (hosts or (self.a, self.b))
        ]


@test
def packets_go_straight_from_the_engine_to_the_ports_of_ice(lab):
    pair = EnginePair(lab, "port-restricted", "port-restricted")
    for peer in pair.wait_mechanism("inprocess"):
        assert peer["path"] == "nat", peer
    assert_ping(pair.a.wg, pair.b.wg)
    for host, other in pair.ends:
        assert host.wiced.interface(host.wg.name)["kind"] == "engine"
        endpoint = host.wg.show("endpoints")[other.wg.public_key]
        assert endpoint.split(":")[0] == other.router.ipv4_address, endpoint
        # No hop over the loopback interface.
        assert "127.128." not in host.run("ss", "-uan").stdout
