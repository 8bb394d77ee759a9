# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""WireGuard interfaces inside of wiced, made by `wice up --userspace`."""

from .network import Network
from .system import wait_until
from .wice import Pair, SignalingServer, Wiced
from .wireguard import WireGuard, interface_name


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

    def __init__(self, lab, a="none", b="none", make_b=Hosted, network=None, hosts=None, signaling=None, wiced=(), **options):
        self.lab = lab
        self.network = network or Network(lab, **options)
        self.a, self.b = hosts or (self.network.host("a", a), self.network.host("b", b))
        self.network.start()
        self.signaling = signaling or SignalingServer(self.network.public)
        for number, (host, make) in enumerate(((self.a, Hosted), (self.b, make_b)), 1):
            name = interface_name(host.name)
            stun = [self.network.stun_url()]
            proxy = ["--proxy", "inprocess" if make is Hosted else "user"]
            host.wiced = Wiced(host, [name], [self.signaling.url], stun, options=[*proxy, *wiced]).start()
            host.wg = make(host, number)
        self.ends = ((self.a, self.b), (self.b, self.a))
        self.introduce()

    def introduce(self):
        for host, other in self.ends:
            host.wg.add_peer(other.wg)

    wait_path = Pair.wait_path
    start_ping = Pair.start_ping

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
