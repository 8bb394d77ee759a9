# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Both ends switch the path of a tunnel, at different moments, under load, with packets of the former path still in flight.

roamer.c is each end: it sets endpoints as lib/agent/roam.c decides, and ICE is this test.
"""

import random
import subprocess
import threading
import time

from lab.engines import Engine, debian, introduce, ours
from lab.network import Host, Namespace, connect, program
from lab.system import wait_until
from lab.testing import test
from lab.wireguard import assert_ping

DELAYS_MS = [15, 2]  # of each path, per port of its hub: what is in flight on the slow one comes late
PACKETS_PER_SECOND = 250
SPREAD = 0.1  # seconds between the two ends' switches, at most
STAY = 0.15  # seconds for which nothing may move once the ends have met, longer than anything is in flight


class TwoPaths:
    """Two hosts with two networks between them. addresses[host][path]."""

    def __init__(self, lab):
        self.hosts = Host(lab, "a", ipv6=True), Host(lab, "b", ipv6=True)
        self.addresses = [["198.51.%d.%d" % (100 + path, number + 1) for path in range(2)] for number in range(2)]
        for path, delay in enumerate(DELAYS_MS):
            middle = Namespace(lab, "m%d" % path)
            for host, addresses in zip(self.hosts, self.addresses):
                connect(host, "eth%d" % path, middle, "to-" + host.name)
                host.add_address("eth%d" % path, addresses[path], 24)
            ports = ["to-%s=%d" % (host.name, delay) for host in self.hosts]
            hub = middle.spawn("hub", program("tests", "netns", "netns-hub"), "--reorder", "10", *ports)
            hub.wait_for_line("ready")


class Roamer:
    """One end. It ends with its stdin, so with this process at the latest."""

    def __init__(self, wg, peer, role, endpoints):
        command = wg.host.command(program("tests", "netns", "netns-roamer"), wg.name, peer.public_key, role, *endpoints)
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def select(self, path):
        self.say(str(path))

    def look(self):
        """The path that WireGuard sends over, and how often it was set."""
        self.say("?")
        return tuple(map(int, self.process.stdout.readline().split()))

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(10) == 0


class Load:
    """Numbered datagrams through the tunnel, one way, until stop()."""

    def __init__(self, source, sink):
        self.receiver = sink.host.udp_socket(sink.address)
        self.sender = source.host.udp_socket(source.address)
        self.sent, self.received = 0, set()
        self.stopping = self.complete = False
        self.sending, self.receiving = (threading.Thread(target=loop, daemon=True) for loop in (self._send, self._receive))
        self.receiving.start()
        self.sending.start()

    def _send_one(self):
        self.sender.sendto(self.sent.to_bytes(4, "big"), self.receiver.getsockname())

    def _send(self):
        while not self.stopping:
            self._send_one()
            self.sent += 1
            time.sleep(1 / PACKETS_PER_SECOND)

    def _receive(self):
        while not self.complete or len(self.received) <= self.sent:
            try:
                self.received.add(int.from_bytes(self.receiver.recv(64), "big"))
            except TimeoutError:
                return

    def stop(self):
        """Returns how many were lost."""
        self.stopping = True
        self.sending.join()
        self.complete = True
        self._send_one()  # with which the receiver sees that it was the last one
        self.receiving.join()
        self.receiver.close()
        self.sender.close()
        return self.sent + 1 - len(self.received)


def switch(roamers, path, other_path, randomness):
    """ICE selects at both ends, in any order. What is selected is not always the same."""
    selections = [(roamers[0], path), (roamers[1], other_path)]
    randomness.shuffle(selections)
    for roamer, selected in selections:
        roamer.select(selected)
        time.sleep(randomness.uniform(0, SPREAD))


def have_met(roamers, path):
    return all(roamer.look()[0] == path for roamer in roamers)


def stay_together(roamers, path):
    until = time.monotonic() + STAY
    while time.monotonic() < until:
        if not have_met(roamers, path):
            return False
        time.sleep(0.02)
    return True


def switch_again_and_again(lab, engines, times, seed):
    randomness = random.Random(seed)
    network = TwoPaths(lab)
    a, b = (Engine(host, number, engine) for number, (host, engine) in enumerate(zip(network.hosts, engines), 1))
    introduce(a, b)
    a.set_endpoint(b, network.addresses[1][0])
    assert_ping(a, b)
    ways = ((a, b, "controlling", network.addresses[1]), (b, a, "controlled", network.addresses[0]))
    roamers = [
        Roamer(wg, peer, role, ["%s:%d" % (address, peer.listen_port()) for address in addresses])
        for wg, peer, role, addresses in ways
    ]
    loads = [Load(a, b), Load(b, a)]
    took = []
    path = 0
    for _ in range(times):
        path = 1 - path if randomness.random() < 0.8 else path
        began = time.monotonic()
        switch(roamers, path, path if randomness.random() < 0.8 else 1 - path, randomness)
        if randomness.random() < 0.35:
            continue  # the next switch while this one is still under way
        wait_until("both ends stay on path %d" % path, lambda: stay_together(roamers, path))
        took.append(time.monotonic() - began - STAY)
    lost = [load.stop() for load in loads]
    writes = [roamer.look()[1] for roamer in roamers]
    for roamer in roamers:
        roamer.close()
    print("note: %d switches, together again after %.2f s, at most %.2f s; endpoints set %d and %d times; of %d packets %s lost"
          % (times, sorted(took)[len(took) // 2], max(took), *writes, sum(load.sent for load in loads), lost))  # fmt: skip
    assert lost == [0, 0]
    assert writes[1] == times, "the controlled end does not only follow"
    assert writes[0] < times * 100


@test
def two_ends_that_switch_in_any_order_meet_on_the_selected_path(lab):
    switch_again_and_again(lab, [debian(), debian()], times=100, seed=1)


@test
def two_ends_with_the_own_engine_and_another_meet_too(lab):
    switch_again_and_again(lab, [ours(), debian()], times=25, seed=2)
