# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""WireGuard interfaces by wireguard-go, one process each.

Their sockets are in one folder for all network namespaces, so that names must be unique on the machine: w<pid><host>.
"""

import os

from .system import WIREGUARD_SOCKETS, LabError, run, wait_until

TUNNEL = "10.77.0"

# Two wireguard-go that begin at the same time may both lose their session: it opens what comes in by several workers, which mix up
# our initiation and our response when these come together. It begins anew when it has heard nothing for 15 s.
PING_S = 45


def interface_name(name):
    return "w%d%s" % (os.getpid(), name)


def new_key():
    return run("wg", "genkey").stdout.strip()


def public_key(private_key):
    return run("wg", "pubkey", stdin=private_key).stdout.strip()


class WireGuard:
    """One interface. A peer is known by its public key and its address in the tunnel, and by nothing else."""

    def __init__(self, host, number, private_key=None, name=None):
        self.host = host
        self.lab = host.lab
        self.number = number
        self.name = interface_name(name or host.name)
        self.address = "%s.%d" % (TUNNEL, number)
        self.private_key = private_key or new_key()
        self.public_key = public_key(self.private_key)
        self.process = None
        self.lab.sockets.add(self.name)
        self.create()
        self.lab.reporters.append(self.report)

    def spawn(self):
        """
        Starts the process that carries the interface, and returns it when the interface is there. All namespaces share the
        folder of sockets, and any wg(8) deletes one that does not answer yet: then wireguard-go gives up, and is started again.
        """
        for last in (False, False, False, False, True):
            process = self.host.spawn(self.name, "wireguard-go", "-f", self.name)
            try:
                self.wait_ready(process)
                return process
            except LabError:
                if last or "Failed to listen on uapi socket" not in process.log():
                    raise
        return None

    def wait_ready(self, process):
        socket = os.path.join(WIREGUARD_SOCKETS, self.name + ".sock")

        def ready():
            if not process.is_running():
                raise LabError("%s ended: %s" % (process.name, process.log()))
            return os.path.exists(socket) and self.wg("show", self.name, check=False).returncode == 0

        wait_until(self.name + " is made", ready)

    def create(self):
        self.process = self.spawn()
        self.set_private_key(self.private_key)
        self.host.add_address(self.name, self.address, 24)
        self.host.ip("link set %s mtu 1420 up" % self.name)

    def destroy(self):
        self.process.stop()
        wait_until(self.name + " is gone", lambda: not self.exists())

    def exists(self):
        return self.host.ip("link show " + self.name, check=False).returncode == 0

    def wg(self, *words, **options):
        return self.host.run("wg", *words, **options)

    def set(self, *words):
        self.wg("set", self.name, *words)

    def set_private_key(self, key):
        self.private_key = key
        self.public_key = public_key(key)
        self.set("private-key", self.lab.write(self.name + ".key", key))

    def add_peer(self, other, *more):
        self.set("peer", other.public_key, "allowed-ips", other.address + "/32", *more)

    def remove_peer(self, public):
        self.set("peer", public, "remove")

    def show(self, what):
        """`wg show NAME WHAT` for what is listed per peer, as {public key: the rest of its line}."""
        lines = self.wg("show", self.name, what).stdout.splitlines()
        return {line.split("\t")[0]: line.split("\t", 1)[1] for line in lines}

    def listen_port(self):
        """Engines learn some time after it that their interface is up, and have no port until then."""
        return wait_until("%s has a port" % self.name, lambda: int(self.wg("show", self.name, "listen-port").stdout))

    def report(self):
        print("--- wg show %s of host %s" % (self.name, self.host.name))
        print(self.wg("show", self.name, check=False).stdout.rstrip())


def ping(host, target, count=1, interval=0.2, deadline=PING_S):
    """True if count answers came."""
    result = host.run("ping", "-n", "-q", "-c", count, "-i", interval, "-W", deadline, "-w", deadline,
                      target, check=False)  # fmt: skip
    return result.returncode == 0


def assert_ping(a, b):
    """Both hosts reach each other through the tunnel. a and b: WireGuard."""
    for source, target in ((a, b), (b, a)):
        if not ping(source.host, target.address):
            raise AssertionError("no ping from %s to %s" % (source.host.name, target.host.name))
