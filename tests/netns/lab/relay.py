# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""TURN servers: coturn from Debian, the reference, and ours."""

import shutil
import socket

from .network import program
from .system import LabError, Skip, run, wait_until
from .wice import url_host

PORT = 3479  # 3478 is the STUN server's
USER, PASSWORD, REALM = "alice", "wonderland", "lab"


def make_certificate(lab, name, kind="DNS"):
    """The files of one that is its own authority, for a name or (kind IP) an address, and of its key."""
    certificate, key = lab.file(name + ".crt"), lab.file(name + ".key")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
        "-out", certificate, "-days", "2", "-subj", "/CN=" + name, "-addext", "subjectAltName=%s:%s" % (kind, name))  # fmt: skip
    return certificate, key


class Relay:
    """What both have in common: an address, and what wiced is to be told to use it."""

    def __init__(self, host, port=PORT):
        self.host = host
        self.lab = host.lab
        self.port = port
        self.process = None
        self.password_file = self.lab.write("relay-password-%s-%d" % (host.name, port), PASSWORD)
        self.lab.reporters.append(self.report)

    def option(self, query="", scheme="turn", address=None, port=None):
        url = "%s:%s:%d%s" % (scheme, url_host(address or self.host.address), port or self.port, query)
        return "%s username=%s password-file=%s" % (url, USER, self.password_file)

    def wait_listening(self):
        def listens():
            if not self.process.is_running():
                raise LabError("the relay ended: " + self.process.log())
            family = socket.AF_INET6 if ":" in self.host.address else socket.AF_INET
            with self.host.entered(), socket.socket(family, socket.SOCK_STREAM) as sock:
                return sock.connect_ex((self.host.address, self.port)) == 0

        wait_until("the relay on host %s listens" % self.host.name, listens)

    def stop(self):
        self.process.stop()

    def report(self):
        if self.process:
            print("--- the relay's log (host %s)\n%s" % (self.host.name, self.process.log()[-3000:].rstrip()))


class Coturn(Relay):
    """coturn."""

    ENDED = "lifetime=0"  # in its log, where a client gives its allocation back

    def __init__(self, host, *options, port=PORT):
        if not shutil.which("turnserver"):
            raise Skip("coturn is not installed")
        super().__init__(host, port)
        self.options = options
        self.start()

    def start(self):
        addresses = [address for address in (self.host.ipv4_address, self.host.ipv6_address) if address]
        words = ["turnserver", "-n", "--no-cli", "--log-file", "stdout", "--simple-log", "--realm", REALM,
                 "--lt-cred-mech", "--user", "%s:%s" % (USER, PASSWORD), "-p", str(self.port),
                 "--pidfile", self.lab.file("coturn.pid"), "--userdb", self.lab.file("coturn.db"),
                 "--no-dtls", "--verbose", "--allow-loopback-peers"]  # fmt: skip
        if "--cert" not in self.options:
            words += ["--no-tls"]
        for address in addresses:
            words += ["-L", address, "-E", address]
        self.process = self.host.spawn("coturn-%d" % self.port, *words, *self.options)
        self.wait_listening()


class WiceRelay(Relay):
    """`wice relay`."""

    def __init__(self, host, *options, port=PORT):
        super().__init__(host, port)
        self.options = options
        self.users_file = self.lab.write("relay-users-%s" % host.name, "%s:%s\n" % (USER, PASSWORD))
        self.start()

    def start(self):
        words = [program("tools", "wice"), "relay", "--realm", REALM, "--users-file", self.users_file]
        for address in (self.host.ipv4_address, self.host.ipv6_address):
            if address:
                words += ["--listen", "udp:%s:%d" % (url_host(address), self.port),
                          "--listen", "tcp:%s:%d" % (url_host(address), self.port),
                          "--relay-address", address]  # fmt: skip
        self.process = self.host.spawn("relay-%d" % self.port, *words, *self.options)
        self.wait_listening()
