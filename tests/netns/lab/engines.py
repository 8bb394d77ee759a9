# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Programs that carry a WireGuard interface in userspace, all of them with the same command line, and tunnels made by them.

WICE_ENGINE names the one under test: a path, or "debian" or "newest" for a wireguard-go (which tests the tests themselves).
"""

import os
import shutil
import subprocess
import tempfile

from .network import Host, build_folder, connect, program
from .system import Skip
from .wireguard import WireGuard, new_key, ping

NEWEST = "golang.zx2c4.com/wireguard"
BUILD_TIMEOUT = 180


def ours():
    chosen = os.environ.get("WICE_ENGINE")
    return {"debian": debian, "newest": newest}.get(chosen, lambda: chosen or program("tools", "wice-wg"))()


def debian():
    path = shutil.which("wireguard-go")
    if not path:
        raise Skip("wireguard-go is not installed")
    return path


def newest():
    """The newest wireguard-go, built by the Go toolchain from its module, once per build folder."""
    folder = os.path.join(build_folder(), "wireguard-go")
    path = os.path.join(folder, "wireguard")
    if os.path.exists(path):
        return path
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if not go:
        raise Skip("the newest wireguard-go cannot be built: there is no Go toolchain")
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        try:
            built = subprocess.run([go, "install", NEWEST + "@latest"], env={**os.environ, "GOBIN": temporary}, check=False,
                                   capture_output=True, text=True, timeout=BUILD_TIMEOUT)  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise Skip("the newest wireguard-go could not be built within %d s" % BUILD_TIMEOUT) from error
        if built.returncode != 0:
            raise Skip("the newest wireguard-go cannot be built: " + (built.stderr.strip().splitlines() or ["?"])[-1])
        os.rename(os.path.join(temporary, "wireguard"), path)
    return path


def cabled(lab, a="a", b="b"):
    """Two hosts with a cable between them."""
    hosts = Host(lab, a, ipv6=True), Host(lab, b, ipv6=True)
    connect(hosts[0], "eth0", hosts[1], "eth0")
    for number, host in enumerate(hosts, 1):
        host.ipv4_address, host.ipv6_address = "192.0.2.%d" % number, "2001:db8::%d" % number
        host.add_address("eth0", host.ipv4_address, 24)
        host.add_address("eth0", host.ipv6_address, 64)
    return hosts


class Engine(WireGuard):
    """A WireGuard interface with an IPv6 address, too. The sockets of its packets are in the namespace that it is born in."""

    def __init__(self, host, number, engine, birthplace=None, name=None):
        self.engine = engine
        self.birthplace = birthplace or host
        self.address6 = "fd77::%d" % number
        super().__init__(host, number, name=name)

    def spawn(self):
        process = self.birthplace.spawn(self.name, self.engine, "-f", self.name)
        self.wait_ready(process)
        if self.birthplace is not self.host:
            self.birthplace.ip("link set %s netns %s" % (self.name, self.host.netns))
        return process

    def create(self):
        super().create()
        self.host.add_address(self.name, self.address6, 64)

    def add_peer(self, other, *more):
        self.set("peer", other.public_key, "allowed-ips", "%s/32,%s/128" % (other.address, other.address6), *more)

    def set_endpoint(self, other, address):
        endpoint = "[%s]:%d" if ":" in address else "%s:%d"
        self.set("peer", other.public_key, "endpoint", endpoint % (address, other.listen_port()))

    def set_mtu(self, mtu):
        self.host.ip("link set %s mtu %d" % (self.name, mtu))

    def transfer(self, other):
        """Bytes received from and sent to a peer."""
        return tuple(map(int, self.show("transfer")[other.public_key].split()))

    def handshake(self, other):
        return int(self.show("latest-handshakes")[other.public_key])

    def reaches(self, other, **options):
        return ping(self.host, other.address, **options)


def introduce(a, b, psk=False):
    """Makes two engines peers of each other; none knows an endpoint."""
    more = ["preshared-key", a.lab.write("psk", new_key())] if psk else []
    a.add_peer(b, *more)
    b.add_peer(a, *more)
