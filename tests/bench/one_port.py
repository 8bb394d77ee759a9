# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""One UDP port per interface: what it costs, and what is lost and waited for.
direct_ratio_bpf, direct_ratio_nft: packets/s that come through a tunnel of our userspace engine (wice-wg at both ends, a cable
between the two hosts) under a flood of UDP packets of 1,400 bytes, with wiced at both ends and this mechanism, by what comes
through the same tunnel with endpoints set by hand and no wiced. In turns in one run; medians of the rounds' ratios.
direct_cpu_ratio_*: the same of packets per second of processor time (of the engines, and of those who send and receive, with
the kernel's work for them), at a rate that the machine has time for: says what packets/s cannot while others use the machine.
mux_ns and others: of bench-mux, see there.
switch_lost: of numbered packets sent both ways through the tunnel of two hosts behind port-restricted NATs, while the
mechanism is changed at run time, at one end and at the other in turns.
connect_rtts: the same hosts at 40 ms round trip, from the moment at which both have the other's description (their logs) to
the first data packet of WireGuard (a capture at both hosts), in round trips; both wiced run already and know how their ports look
from outside, and the peer is new to one of them; connect_ms the same in milliseconds.
peers1000_*: one interface with 1,000 peers, whose interfaces are on 20 hosts, 50 to each (all of this machine; WireGuard is played
by fakewg.c). The 20 run already; the time is from the start of the hub's wiced until both ends of all say that they are
connected. The signaling server's limit of envelopes per second is lifted. _cpu_percent, _rss_mib, _fds, _sockets: of the
hub's wiced when idle. idle_pps_1000: packets/s that its host sends then and that are not WireGuard's.
Parts for --only: direct, mux, switch, connect, peers1000.
"""

import datetime
import glob
import itertools
import os
import re
import resource
import statistics
import subprocess
import time

from engine import figure
from lab.engines import Engine, cabled, introduce, ours
from lab.fakewg import Star
from lab.network import build_folder, program
from lab.system import Lab, LabError, run, wait_until
from lab.traffic import Load
from lab.wice import Pair, SignalingServer, Wiced

QUICK = "WICE_BENCH_QUICK" in os.environ
ONLY = os.environ.get("WICE_BENCH_ONLY", "")
MECHANISMS = ("bpf", "nft")
BY_HAND = "hand"
ROUNDS, TRIALS, TRIAL_S = (2, 3, 0.3) if QUICK else (9, 3, 0.3)
PACED = 60000  # packets/s
PACKET = 1400
SWITCHES = 12 if QUICK else 100
LOAD_PER_SECOND = 1000
CONNECTS = 3 if QUICK else 9
DELAY_MS = 10  # of each of the four lines on a round trip
PEERS = 200 if QUICK else 1000
SETTLE_S, IDLE_S = (2, 10) if QUICK else (10, 60)
WIREGUARD = range(1, 5)  # types of its packets


class Direct:
    """Two hosts with a cable between them and a tunnel over it, with or without wiced. All that is compared is measured at these
    two: where a flow's packets are handled, and what finds a place in which cache, differs more between two pairs of hosts than
    what is to be found."""

    def __init__(self, lab):
        self.a, self.b = self.hosts = cabled(lab, "a", "b")
        self.a.wg, self.b.wg = (Engine(host, number, ours()) for number, host in enumerate(self.hosts, 1))
        introduce(self.a.wg, self.b.wg)
        url = SignalingServer(self.a).url
        self.wiceds = {
            mechanism: [Wiced(host, [host.wg.name], [url], name=mechanism, options=["--proxy", mechanism]) for host in self.hosts]
            for mechanism in MECHANISMS
        }
        self.current = None

    def leave(self):
        for wiced in self.wiceds.get(self.current, ()):
            wiced.stop()

    def switch(self, name):
        if name == self.current:
            return
        self.leave()
        self.current = name
        ends = (self.hosts, self.hosts[::-1])
        for wiced in self.wiceds.get(name, ()):
            wiced.start()
        for (host, other), wiced in zip(ends, self.wiceds.get(name, ())):
            peer = wiced.wait_connected(host.wg, other.wg.public_key)
            if (peer["path"], peer["mechanism"]) != ("direct", name):
                raise LabError("path %s, mechanism %s instead of %s" % (peer["path"], peer["mechanism"], name))
        if name == BY_HAND:
            for host, other in ends:
                host.wg.set_endpoint(other.wg, other.ipv4_address)
        wait_until("the tunnel works", lambda: self.a.wg.reaches(self.b.wg, deadline=1))
        self.flood()

    def send(self, rate):
        """Sends for a while, as fast as it goes if rate is 0. Returns packets that came, seconds, and seconds of processor time of
        all who have a hand in it, where the kernel's part is charged to who calls it."""
        words = [self.a.netns, self.b.netns, self.b.wg.address, PACKET, rate, TRIAL_S]
        before = cpu_seconds(host.wg.process.pid for host in self.hosts)
        _sent, received, seconds = map(float, run(program("tests", "bench", "bench-udp"), *words).stdout.split())
        return received, seconds, cpu_seconds(host.wg.process.pid for host in self.hosts) - before

    def flood(self):
        """Packets per second that come through."""
        received, seconds, _cpu = self.send(0)
        return received / seconds

    def per_cpu_second(self):
        """Packets that come through per second of processor time, at a rate at which none need be lost."""
        received, _seconds, cpu = self.send(PACED)
        return received / cpu


def cpu_seconds(pids):
    """Of these processes, and of all that this one has started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = used.ru_utime + used.ru_stime
    for path in (path for pid in pids for path in glob.glob("/proc/%d/task/*/schedstat" % pid)):
        with open(path, encoding="ascii") as file:
            total += int(file.read().split()[0]) * 1e-9
    return total


def measure_direct(names):
    """(Packets per second, packets per second of processor time), each {name: value of each round}. A round goes there and back,
    so that a drift of the machine's speed is in all alike; each has another order."""
    measures = (Direct.flood, Direct.per_cpu_second)
    values = [{name: [] for name in names} for _measure in measures]
    with Lab() as lab:
        direct = Direct(lab)
        for _round, order in zip(range(ROUNDS), itertools.cycle(itertools.permutations(names))):
            trials = [{name: [] for name in names} for _measure in measures]
            for name in order + order[::-1]:
                direct.switch(name)
                for _trial in range(TRIALS):
                    for measure, of_measure in zip(measures, trials):
                        of_measure[name].append(measure(direct))
            for of_round, of_all in zip(trials, values):
                for name in names:
                    of_all[name].append(statistics.median(of_round[name]))
        direct.leave()
    return values


def bench_direct():
    names = (BY_HAND, *MECHANISMS)
    flood, economy = measure_direct(names)
    for figures, values in (("direct_ratio_", flood), ("direct_cpu_ratio_", economy)):
        for name in MECHANISMS:
            figure(figures + name, [mine / theirs for mine, theirs in zip(values[name], values[BY_HAND])], "%.3f")
    for figures, values in (("direct_kpps_", flood), ("direct_kp_per_cpu_s_", economy)):
        for name in names:
            figure(figures + name, [value / 1000 for value in values[name]], "%.1f")


def bench_mux():
    path = os.path.join(build_folder(), "tests", "bench", "bench-mux")
    if not os.access(path, os.X_OK):
        print("# without mux_ns: %s is not built" % path, flush=True)
        return
    result = subprocess.run([path], capture_output=True, text=True, check=False)
    print(result.stdout, end="")
    if result.returncode != 0:
        print("# %s exited with %d: %s" % (path, result.returncode, result.stderr.strip()))


def natted(lab, **options):
    return Pair(lab, "port-restricted", "port-restricted", **options)


def bench_switch():
    with Lab() as lab:
        pair = natted(lab).start()
        pair.wait_connected()
        wait_until("the tunnel works", lambda: run(*pair.a.command("ping", "-c1", "-W1", pair.b.wg.address), check=False).returncode == 0)
        loads = [Load(host.wg, other.wg, LOAD_PER_SECOND) for host, other in pair.ends]
        started = time.monotonic()
        for number in range(SWITCHES):
            host, other = pair.ends[number % 2]
            mechanism = ("nft", "user", "bpf")[number // 2 % 3]
            host.wiced.wice("restart", "--proxy", mechanism, host.wg.name)
            host.wiced.wait_peer(
                host.wg, other.wg.public_key, "mechanism " + mechanism,
                lambda peer, mechanism=mechanism: peer["state"] == "connected" and peer["mechanism"] == mechanism,
            )  # fmt: skip
        took = time.monotonic() - started
        lost = [load.stop() for load in loads]
        print("switch_lost: %d" % sum(lost))
        print("switch_sent: %d" % sum(load.sent for load in loads))
        print("switch_count: %d" % SWITCHES)
        print("switch_s: %.2f" % (took / SWITCHES), flush=True)


class Capture:
    """When packets of one kind leave a host, in seconds since 1970."""

    def __init__(self, host, condition, device="eth0"):
        self.process = host.spawn("capture", "tcpdump", "-n", "-tt", "-l", "-i", device, "-Q", "out",
                                  "--immediate-mode", condition)  # fmt: skip
        self.process.wait_for_line("listening on")

    def times(self):
        return [float(word) for word in re.findall(r"^(\d+\.\d+) IP", self.process.log(), re.MULTILINE)]


def logged(wiced, text):
    """When a line with this text was logged, each time."""
    found = re.findall(r"^(\S+ \S+) .*" + re.escape(text), wiced.process.log(), re.MULTILINE)
    return [datetime.datetime.strptime(time, "%Y-%m-%d %H:%M:%S.%f").timestamp() for time in found]


def connect_ms():
    with Lab() as lab:
        pair = natted(lab, delay_ms=DELAY_MS)
        pair.make_daemons()
        captures = [Capture(host, "udp[8:4] = 0x04000000") for host in (pair.a, pair.b)]
        pair.a.wiced.start()
        pair.a.wiced.wait_peer(pair.a.wg, pair.b.wg.public_key, "signaling", lambda peer: peer["state"] == "signaling")
        time.sleep(1)
        pair.b.wg.set("peer", pair.a.wg.public_key, "remove")
        pair.b.wiced.start()
        wait_until("b knows how its port looks from outside", lambda: pair.b.wiced.interface(pair.b.wg.name)["outside"])
        pair.b.wg.add_peer(pair.a.wg)
        pair.wait_connected()
        first = wait_until("a data packet", lambda: [time for capture in captures for time in capture.times()])
        exchanged = max(logged(host.wiced, "signaling -> checking")[0] for host in (pair.a, pair.b))
        return (min(first) - exchanged) * 1000


def bench_connect():
    values = [connect_ms() for _run in range(CONNECTS)]
    figure("connect_rtts", [value / (4 * DELAY_MS) for value in values])
    figure("connect_ms", values, "%.0f")


def count_connected(wiced):
    return len(set(re.findall(r" (\S+): \S+ -> connected", wiced.process.log())))


def last_connected(star):
    return max(logged(host.wiced, "-> connected")[-1] for host in (star.hub, *star.outer))


def bench_peers():
    with Lab() as lab:
        star = Star(lab, PEERS, signal_options=["--rate", "1000000"], delay_ms=0)
        for host in star.outer:
            host.wiced.start()
        for host in star.outer:
            wait_until("they wait for the hub", lambda host=host: host.wiced.process.log().count("-> signaling") >= star.PER_HOST)
        time.sleep(SETTLE_S)
        started = time.time()
        star.hub.wiced.launch()
        cpu = 0
        try:
            wait_until("the hub is connected", lambda: count_connected(star.hub.wiced) == PEERS, timeout=180, interval=0.1)
            wait_until("everybody is connected", star.is_connected, timeout=60, interval=0.5)
            cpu = star.hub.wiced.cpu_seconds()
        except LabError as error:
            print("# %s; %d are connected" % (error, count_connected(star.hub.wiced)), flush=True)
        print("peers%d_s: %.2f" % (PEERS, last_connected(star) - started))
        print("peers%d_connect_cpu_s: %.2f" % (PEERS, cpu))
        print("peers%d_again: %d" % (PEERS, star.hub.wiced.process.log().count("connected -> ")), flush=True)
        bench_idle(star)


def bench_idle(star):
    time.sleep(SETTLE_S)
    wiced = star.hub.wiced
    types = " and ".join("udp[8:4] != 0x%02x000000" % number for number in WIREGUARD)
    capture = Capture(star.hub, "tcp or (udp and %s)" % types)
    before = wiced.cpu_seconds()
    time.sleep(IDLE_S)
    used = wiced.cpu_seconds() - before
    folder = "/proc/%d/fd" % wiced.process.pid
    targets = [os.readlink(os.path.join(folder, name)) for name in os.listdir(folder)]
    print("peers%d_cpu_percent: %.2f" % (PEERS, 100 * used / IDLE_S))
    print("peers%d_rss_mib: %.1f" % (PEERS, wiced.rss_mib()))
    print("peers%d_fds: %d" % (PEERS, len(targets)))
    print("peers%d_sockets: %d" % (PEERS, sum(target.startswith("socket:") for target in targets)))
    print("idle_pps_%d: %.2f" % (PEERS, len(capture.times()) / IDLE_S), flush=True)


PARTS = {"direct": bench_direct, "mux": bench_mux, "switch": bench_switch, "connect": bench_connect, "peers1000": bench_peers}


def main():
    for name, bench in PARTS.items():
        if name.startswith(ONLY):
            bench()
