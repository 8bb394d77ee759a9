# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Many WireGuard interfaces in one process: see fakewg.c."""

from .network import Network, program
from .system import run
from .wice import SignalingServer, Wiced
from .wireguard import interface_name, new_key, public_key


class FakeInterface:
    def __init__(self, host, name, number):
        self.host = host
        self.lab = host.lab
        self.name = name
        self.address = "10.78.%d.%d" % (number // 250, number % 250 + 1)
        self.private_key = new_key()
        self.public_key = public_key(self.private_key)

    def set(self, *words):
        self.host.run("wg", "set", self.name, *words)

    def show(self, what):
        lines = self.host.run("wg", "show", self.name, what).stdout.splitlines()
        return {line.split("\t")[0]: line.split("\t", 1)[1] for line in lines}

    def listen_port(self):
        return int(self.host.run("wg", "show", self.name, "listen-port").stdout)


class FakeWireGuard:
    """count interfaces on a host: w<pid><host>0 and so on."""

    first_address = 0

    def __init__(self, host, count):
        names = [interface_name("%s%d" % (host.name, number)) for number in range(count)]
        host.lab.sockets.update(names)
        self.process = host.spawn("fakewg", program("tests", "netns", "netns-fakewg"), *names)
        self.process.wait_for_line("ready")
        batch = "".join("link set %s up\n" % name for name in names)
        run("ip", "-n", host.netns, "-batch", "-", stdin=batch)
        self.interfaces = [FakeInterface(host, name, self._next_address()) for name in names]

    @classmethod
    def _next_address(cls):
        cls.first_address += 1
        return cls.first_address


def introduce(interface, others):
    """Gives the interface its private key and the others as peers, without endpoints."""
    text = "[Interface]\nPrivateKey = %s\n" % interface.private_key
    for other in others:
        text += "[Peer]\nPublicKey = %s\nAllowedIPs = %s/32\n" % (other.public_key, other.address)
    path = interface.lab.write(interface.name + ".conf", text)
    interface.host.run("wg", "setconf", interface.name, path)


class Star:
    """One interface with many peers on host `hub`; the peers' interfaces are on the hosts `outer`."""

    PER_HOST = 50

    def __init__(self, lab, peers, signal_options=(), **options):
        network = Network(lab, **options)
        self.hub = network.host("a")
        self.outer = [network.host("b" + chr(ord("a") + index)) for index in range(-(-peers // self.PER_HOST))]
        network.start()
        self.peers = peers
        server = SignalingServer(network.public, *signal_options)
        [self.center] = FakeWireGuard(self.hub, 1).interfaces
        self.hub.wiced = Wiced(self.hub, [self.center.name], [server.url], [network.stun_url()])
        tips = []
        for host in self.outer:
            count = min(self.PER_HOST, peers - len(tips))
            tips += FakeWireGuard(host, count).interfaces
            host.wiced = Wiced(host, [interface_name(host.name) + "*"], [server.url], [network.stun_url()])
        introduce(self.center, tips)
        for tip in tips:
            introduce(tip, [self.center])

    def start(self):
        for host in (self.hub, *self.outer):
            host.wiced.start()

    def is_connected(self):
        for host in (self.hub, *self.outer):
            peers = [peer for interface in host.wiced.status()["interfaces"] for peer in interface["peers"]]
            if not peers or any(peer["state"] != "connected" for peer in peers):
                return False
        return len(self.hub.wiced.interface(self.center.name)["peers"]) == self.peers
