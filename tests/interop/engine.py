#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Our userspace engine with wireguard-go at the other end of the tunnel.

    engine.py ENGINE PEER BUILD

ENGINE is our program, PEER is "debian" or "newest" (built by the Go toolchain into the folder BUILD, once). Each of the two begins,
over IPv4 and over IPv6, with and without a preshared key. Needs root, for network namespaces. Exit code 77: skipped.
"""

import concurrent.futures
import itertools
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "netns"))

from lab import engines  # noqa: E402
from lab.engines import Engine, cabled, introduce  # noqa: E402
from lab.system import Lab, LabError, Skip  # noqa: E402
from lab.traffic import send_datagrams, send_stream  # noqa: E402
from lab.wireguard import new_key, ping  # noqa: E402

SKIPPED = 77
STREAM = 48 << 20
INITIATION = 148
MTU = 1420
REKEYS = 3
RENEW_S = 0.05  # no more than 50 handshakes per second are answered


def assert_reaches(a, b):
    assert a.reaches(b) and ping(a.host, b.address6), "no answer from %s" % b.engine


def exchange(a, b, address):
    """Everything in both directions; address is an attribute of an engine."""
    for here, there in ((a, b), (b, a)):
        send_stream(here.host, there.host, getattr(there, address), STREAM)
        send_datagrams(here.host, there.host, getattr(there, address), range(MTU + 1))


class Path:
    """How the one that begins reaches the other."""

    def __init__(self, a, b, outer, psk):
        self.a, self.b = a, b
        self.outer = outer  # an attribute of a host
        introduce(a, b, psk)
        self.more = ["preshared-key", a.lab.file("psk")] if psk else []
        self.connect(a, b)

    def connect(self, here, there):
        here.set_endpoint(there, getattr(there.host, self.outer))

    def renew(self, here, there):
        """Forgets the session at one end, which makes another one while the other end still has the old one."""
        time.sleep(RENEW_S)
        here.remove_peer(there.public_key)
        here.add_peer(there, *self.more)
        self.connect(here, there)
        assert here.reaches(there), "no session that %s began" % here.engine
        assert here.transfer(there)[1] >= INITIATION

    def renew_both(self):
        """Both begin at the same time."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            pairs = ((self.a, self.b), (self.b, self.a))
            for future in [pool.submit(self.renew, *pair) for pair in pairs]:
                future.result()


def rekey(path):
    """Sessions are replaced while a stream flows; nothing of it is lost."""
    a, b = path.a, path.b

    def renew():
        for _ in range(REKEYS):
            path.renew(a, b)
            path.renew(b, a)

    def renew_both():
        for _ in range(REKEYS):
            path.renew_both()

    send_stream(a.host, b.host, b.address, STREAM, renew)
    send_stream(b.host, a.host, a.address, STREAM, renew_both)
    assert_reaches(a, b)


def roam(path):
    a, b = path.a, path.b
    for here, there in ((a, b), (b, a)):
        port = here.listen_port() ^ 1
        here.set("listen-port", str(port))
        assert_reaches(here, there)
        assert there.show("endpoints")[here.public_key].endswith(":%d" % port)
    other = {"ipv4_address": "ipv6_address", "ipv6_address": "ipv4_address"}[path.outer]
    a.set_endpoint(b, getattr(b.host, other))
    assert_reaches(a, b)
    assert b.show("endpoints")[a.public_key].strip("[").startswith(getattr(a.host, other))


def disagree(path):
    """With different preshared keys there is no session, and with the same ones there is one again."""
    a, b = path.a, path.b
    keys = [a.lab.write("psk-%d" % number, new_key()) for number in range(2)]
    a.remove_peer(b.public_key)
    a.add_peer(b, "preshared-key", keys[0])
    b.set("peer", a.public_key, "preshared-key", keys[1])
    path.connect(a, b)
    assert not a.reaches(b, deadline=1)
    assert not a.handshake(b)
    b.set("peer", a.public_key, "preshared-key", keys[0])
    path.more = ["preshared-key", keys[0]]
    path.renew(a, b)
    assert_reaches(a, b)


def run_all(first, second, outer, psk):
    with Lab() as lab:
        a, b = (Engine(host, number, engine)
                for number, (host, engine) in enumerate(zip(cabled(lab), (first, second)), 1))  # fmt: skip
        path = Path(a, b, outer, psk)
        assert_reaches(a, b)
        exchange(a, b, "address6" if psk else "address")
        rekey(path)
        roam(path)
        disagree(path)


def main():
    ours, peer, build = sys.argv[1:]
    os.environ["WICE_BUILD"] = build
    try:
        theirs = {"debian": engines.debian, "newest": engines.newest}[peer]()
        if os.geteuid() != 0:
            raise Skip("making network namespaces needs root")
    except Skip as reason:
        print("skipped: %s" % reason)
        return SKIPPED
    cases = itertools.product(((ours, theirs), (theirs, ours)), (("ipv4_address", False), ("ipv6_address", True)))
    for (first, second), (outer, psk) in cases:
        started = time.monotonic()
        try:
            run_all(first, second, outer, psk)
        except (AssertionError, LabError, OSError) as error:
            print("FAILED: %s begins, %s, psk %s: %s: %s" % (first, outer, psk, type(error).__name__, error))
            raise
        print("passed: %s begins, %s, psk %s (%.1f s)" % (first, outer, psk, time.monotonic() - started), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
