# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Namespaces, links and addresses.

    network = Network(lab)                         the Internet: 203.0.113.0/24 and 2001:db8:ffff::/64
    a = network.host("a", behind="symmetric")      a host behind a router of its own
    home = network.router("home", "port-restricted")
    b = home.host("b")                             a host behind a router that others may share
    network.start()                                from now on packets flow

The Internet is one Ethernet segment, switched by hub.c, which adds the latency. On it are routers, hosts without a
router, and the public host with the STUN server and the signaling server.
"""

import contextlib
import ctypes
import os
import socket
import sys

from . import nat
from .system import PREFIX, LabError, Process, run

_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_HERE = os.path.dirname(os.path.abspath(__file__))


def build_folder():
    """The Meson build folder with the programs under test."""
    default = os.path.join(_HERE, "..", "..", "..", "build")
    return os.path.abspath(os.environ.get("WICE_BUILD", default))


def program(*path):
    full = os.path.join(build_folder(), *path)
    if not os.access(full, os.X_OK):
        raise LabError("%s is missing: build first, or say in WICE_BUILD where it is" % full)
    return full


class Namespace:
    """A network namespace: a host or a router."""

    def __init__(self, lab, name, ipv4=True, ipv6=False, forward=False):
        self.lab = lab
        self.name = name
        self.netns = "%s-%d-%s" % (PREFIX, os.getpid(), name)
        self.ipv4, self.ipv6 = ipv4, ipv6
        run("ip", "netns", "add", self.netns)
        lab.namespaces.append(self.netns)
        settings = ["net.ipv6.conf.all.disable_ipv6=%d" % (not ipv6)]
        settings += ["net.ipv6.conf.default.disable_ipv6=%d" % (not ipv6)]
        settings += ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"]
        if forward:
            settings += ["net.ipv4.ip_forward=1"]
            settings += ["net.ipv6.conf.all.forwarding=1"] if ipv6 else []
        self.run("sysctl", "-qw", *settings)
        self.ip("link set lo up")

    def command(self, *words):
        """The command that runs a command in here."""
        return ["ip", "netns", "exec", self.netns, *words]

    def run(self, *words, **options):
        return run(*self.command(*words), **options)

    def ip(self, arguments, check=True):
        return run("ip", "-n", self.netns, *arguments.split(), check=check)

    def spawn(self, name, *words, **options):
        return Process(self.lab, "%s-%s" % (self.name, name), self.command(*words), **options)

    @contextlib.contextmanager
    def entered(self):
        """Sockets that this thread opens inside the block belong to the namespace, for good."""
        with open("/proc/thread-self/ns/net", "rb") as before, open(
            "/run/netns/" + self.netns, "rb"
        ) as inside:
            _setns(inside)
            try:
                yield
            finally:
                _setns(before)

    def udp_socket(self, address, port=0):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with self.entered():
            sock = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setsockopt(socket.SOL_SOCKET, 33, 4 << 20)  # SO_RCVBUFFORCE
        sock.bind((address, port))
        sock.settimeout(10)
        return sock

    def add_address(self, device, address, length):
        flags = " nodad" if ":" in address else ""
        self.ip("addr add %s/%d dev %s%s" % (address, length, device, flags))


def _setns(file):
    if _libc.setns(file.fileno(), _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def connect(a, a_device, b, b_device):
    """A cable between two namespaces."""
    run("ip", "link", "add", a_device, "netns", a.netns, "type", "veth",
        "peer", "name", b_device, "netns", b.netns)  # fmt: skip
    a.ip("link set %s up" % a_device)
    b.ip("link set %s up" % b_device)


class Host(Namespace):
    """A host with a network interface (eth0). ipv4_address and ipv6_address are those of eth0, or None."""

    def __init__(self, lab, name, **options):
        super().__init__(lab, name, **options)
        self.ipv4_address = self.ipv6_address = None

    @property
    def address(self):
        return self.ipv4_address or self.ipv6_address


class Router(Namespace):
    """A router between the Internet (or another router) and its LANs."""

    def __init__(self, network, name, kind, upstream, ipv4, ipv6):
        super().__init__(network.lab, name, ipv4=ipv4, ipv6=ipv6, forward=True)
        self.network = network
        self.kind = kind
        self.lans = []
        upstream.attach(self, "wan")
        translated = [self.ipv4_address, self.ipv6_address if network.nat6 else None]
        self.run("nft", "-f", "-", stdin=nat.rules(kind, [address for address in translated if address]))
        network.lab.reporters.append(self.report)

    def add_lan(self, prefix4=None):
        """Another LAN; the first is made by need. prefix4: its first three bytes, if they matter."""
        lan = Lan(self, len(self.lans), self.network.next_lan(), prefix4)
        self.lans.append(lan)
        return lan

    def host(self, name, lan=None):
        """A host in a LAN of this router (by default its first one)."""
        if lan is None:
            lan = self.lans[0] if self.lans else self.add_lan()
        host = Host(self.lab, name, ipv4=self.ipv4, ipv6=self.ipv6)
        lan.attach(host, "eth0")
        return host

    def report(self):
        rules = self.run("nft", "list", "ruleset", check=False).stdout
        counters = [line.strip() for line in rules.splitlines() if "counter" in line]
        print("--- router %s (%s): %s" % (self.name, self.kind, "; ".join(counters)))
        with contextlib.suppress(LabError):
            print(self.run("grep", "-w", "udp", "/proc/net/nf_conntrack", check=False).stdout.rstrip())


class Lan:
    """One LAN of a router: a bridge in the router's namespace."""

    def __init__(self, router, index, number, prefix4=None):
        self.router = router
        self.device = "lan%d" % index
        self.hosts = 0
        public = router.kind == "firewall"
        self.prefix4 = prefix4 or ("198.51.%d" if public else "192.168.%d") % number
        public6 = public or not router.network.nat6
        self.prefix6 = ("2001:db8:%x" if public6 else "fd00:1ce:%x") % (0x100 + number)
        router.ip("link add %s type bridge" % self.device)
        # What stays inside a LAN is none of the router's rules' business.
        router.run("sysctl", "-qew", "net.bridge.bridge-nf-call-iptables=0", "net.bridge.bridge-nf-call-ip6tables=0",
                   check=False)  # fmt: skip
        router.ip("link set %s up" % self.device)
        if router.ipv4:
            router.add_address(self.device, self.prefix4 + ".1", 24)
            if public:
                router.network.announce(router, self.prefix4 + ".0/24")
        if router.ipv6:
            router.add_address(self.device, self.prefix6 + "::1", 64)
            if public6:
                router.network.announce(router, self.prefix6 + "::/64")

    def attach(self, host, device):
        """Plugs a host in and gives it addresses and default routes."""
        self.hosts += 1
        port = "%sp%d" % (self.device.replace("lan", "l"), self.hosts)
        connect(host, device, self.router, port)
        self.router.ip("link set %s master %s" % (port, self.device))
        host.ipv4_address = host.ipv6_address = None
        if host.ipv4 and self.router.ipv4:
            host.ipv4_address = "%s.%d" % (self.prefix4, self.hosts + 1)
            host.add_address(device, host.ipv4_address, 24)
            host.ip("route replace default via %s.1" % self.prefix4)
        if host.ipv6 and self.router.ipv6:
            host.ipv6_address = "%s::%x" % (self.prefix6, self.hosts + 1)
            host.add_address(device, host.ipv6_address, 64)
            host.ip("-6 route replace default via %s::1" % self.prefix6)


class Network:
    """The Internet."""

    IPV4, IPV6 = "203.0.113", "2001:db8:ffff"

    def __init__(self, lab, delay_ms=2, ipv4=True, ipv6=False, loss=0, reorder=0, nat6=False):
        """nat6: routers that translate IPv4 do so with IPv6, too."""
        self.lab = lab
        self.nat6 = nat6
        self.delay_ms = delay_ms
        self.ipv4, self.ipv6 = ipv4, ipv6
        self.hub_options = ["--loss", str(loss), "--reorder", str(reorder)]
        self.core = Namespace(lab, "internet", ipv6=False)
        self.members = []
        self.routes = []  # (router, prefix)
        self._next_lan = 0
        self.ports = []
        self.hub = None
        self.capture = None
        self.public = self.host("public")
        # A second address for NAT behaviour discovery: RFC 5780 needs one.
        self.public.second_ipv4 = self.IPV4 + ".200"
        self.public.second_ipv6 = self.IPV6 + "::200"
        if ipv4:
            self.public.add_address("eth0", self.public.second_ipv4, 24)
        if ipv6:
            self.public.add_address("eth0", self.public.second_ipv6, 64)

    def next_lan(self):
        self._next_lan += 1
        return self._next_lan

    def attach(self, member, device):
        """Plugs a namespace into the Internet."""
        number = len(self.members) + 1
        port = "p%d" % number
        connect(member, device, self.core, port)
        self.ports.append(port)
        self.members.append((member, device))
        self.give_address(member, device, number)

    def give_address(self, member, device, number):
        """Addresses and default routes. The way to addresses that nobody has is a neighbour that swallows everything."""
        nobody = "lladdr 02:00:00:00:00:01 dev %s nud permanent" % device
        member.ipv4_address = member.ipv6_address = None
        if self.ipv4 and member.ipv4:
            member.ipv4_address = "%s.%d" % (self.IPV4, number)
            member.add_address(device, member.ipv4_address, 24)
            member.ip("neigh replace %s.254 %s" % (self.IPV4, nobody))
            member.ip("route replace default via %s.254" % self.IPV4)
        if self.ipv6 and member.ipv6:
            member.ipv6_address = "%s::%x" % (self.IPV6, number)
            member.add_address(device, member.ipv6_address, 64)
            member.ip("neigh replace %s::fe %s" % (self.IPV6, nobody))
            member.ip("-6 route replace default via %s::fe" % self.IPV6)

    def announce(self, router, prefix):
        self.routes.append((router, prefix))

    def router(self, name, kind, upstream=None):
        return Router(self, name, kind, upstream or self, self.ipv4, self.ipv6)

    def host(self, name, behind="none"):
        """A host, with a router (or two) of its own unless behind is "none"."""
        if behind == "none":
            host = Host(self.lab, name, ipv4=self.ipv4, ipv6=self.ipv6)
            self.attach(host, "eth0")
            return host
        if behind == "carrier-grade":
            carrier = self.router(name + "-cgn", "port-restricted")
            home = self.router(name + "-nat", "port-restricted", upstream=carrier.add_lan("100.64.%d" % self.next_lan()))
        else:
            home = self.router(name + "-nat", behind)
        host = home.host(name)
        host.router = home
        return host

    def start(self):
        """Routes prefixes that routers announced and lets packets flow. May be called again."""
        if self.hub:
            return
        for router, prefix in self.routes:
            for member, device in self.members:
                if member is not router:
                    via = router.ipv6_address if ":" in prefix else router.ipv4_address
                    member.ip("route add %s via %s dev %s" % (prefix, via, device))
        arguments = ["%s=%g" % (port, self.delay_ms) for port in self.ports]
        hub = program("tests", "netns", "netns-hub")
        self.hub = self.core.spawn("hub", hub, *self.hub_options, *arguments)
        self.hub.wait_for_line("ready")
        self._start_stun()
        self._start_capture()

    def _start_stun(self):
        addresses = []
        if self.ipv4:
            addresses += [self.public.ipv4_address, self.public.second_ipv4]
        if self.ipv6:
            addresses += [self.public.ipv6_address, self.public.second_ipv6]
        server = os.path.join(_HERE, "stun_server.py")
        process = self.public.spawn("stun", sys.executable, server, *addresses)
        process.wait_for_line("ready")

    def _start_capture(self):
        """Keeps the last packets on the Internet, for the report of a failure."""
        if run("sh", "-c", "command -v tcpdump", check=False).returncode != 0:
            return
        self.capture = self.core.spawn(
            "tcpdump", "tcpdump", "-n", "-i", "any", "-Q", "in", "-s", "200", "--immediate-mode", "-U", "-Z", "root",
            "-C", "4", "-W", "2", "-w", self.lab.file("packets"), "udp or tcp or icmp or icmp6")  # fmt: skip
        self.lab.reporters.append(self.report)

    def report(self):
        print("--- the last packets on the Internet")
        self.capture.stop()
        files = [self.lab.file("packets" + part) for part in "01" if os.path.exists(self.lab.file("packets" + part))]
        for file in sorted(files, key=os.path.getmtime)[-1:]:
            text = self.core.run("tcpdump", "-n", "-r", file, check=False).stdout
            print("\n".join(text.splitlines()[-40:]))

    def stun_url(self):
        address = self.public.ipv4_address or "[%s]" % self.public.ipv6_address
        return "stun:%s:3478" % address

