# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Our userspace engine (wice-wg) against wireguard-go, Debian's and the newest (built from its Go module), each at both ends of a
tunnel between two network namespaces over veth; both ends, the traffic's source and its sink share this machine. All tunnels
exist all the time and carry nothing but when they are measured, in turns, in another order each round. A ratio is the
median of the ratios of the rounds, ours by theirs; *_spread is between what their middle half lies. "ceiling" is our
engine with memcpy in place of the cipher (wice-wg-null), "plain" is veth without a tunnel. MTU of the tunnels: 1420.
tcp_*: one stream of iperf3, what was received, without the first second.
udp1400_*, udp64_*: IPv4 packets of 1,400 and 64 bytes, with their headers. What counts is what is delivered, per second, at the
highest rate at which no more than 0.5 % is lost; looked for by bisection, with trials of half a second; a trial that fails
is repeated once. *_flood_*: what is delivered while the source sends as fast as it can.
latency_*: median round-trip time of pings every 2 ms, less that of plain veth in the same round.
rss_mib: the larger end's resident memory after the loads, at its largest. peer_bytes: what it grows by when 10,000 peers are set
that have an IPv4 and an IPv6 address each, by 10,000.
set10k_s, dump10k_s: `wg setconf` and `wg show dump` (our wg) with these peers, from fork() to the end; *_uapi_* the same by a
client that only sends what is ready and does nothing with the answer.
handshakes_per_s, seal*: of bench-handshake and bench-aead, see there.
Parts for --only: tcp, udp1400, udp64, latency, control, micro.
"""

import json
import math
import os
import re
import statistics
import subprocess
import time

from lab.engines import Engine, cabled, debian, introduce, newest, ours
from lab.network import build_folder, program
from lab.system import Lab, LabError, Skip, run, wait_until
from wg_devices import conf, uapi_answer, uapi_request

QUICK = "WICE_BENCH_QUICK" in os.environ
ONLY = os.environ.get("WICE_BENCH_ONLY", "")
ROUNDS, UDP_ROUNDS = (2, 1) if QUICK else (5, 3)
TCP_S, WARM_UP_S = (1, 1) if QUICK else (4, 1)
PINGS, PING_INTERVAL_S = 400, 0.002
TRIAL_S, LOSS = 0.5, 0.005
SLOWEST, FASTEST, STEPS = 10e3, 2e6, 8  # packets/s; eight halvings of this range are steps of 2 %
PEERS = 10000
CONTROL_ROUNDS = 3 if QUICK else 9
SETTLE_S = 2
INFORMATION = ("ours", "newest", "debian", "ceiling", "plain")
MICRO = ("bench-handshake", "bench-aead")


def rss_bytes(process):
    with open("/proc/%d/status" % process.pid, encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) * 1024


class Subject:
    """What is measured: two hosts and a tunnel between them, or, without an engine, just these."""

    def __init__(self, lab, name, engine):
        self.name = name
        self.a, self.b = cabled(lab, name[0] + "a", name[0] + "b")
        self.target = self.b.ipv4_address
        self.ends = []
        if engine:
            self.ends = [Engine(host, number, engine) for number, host in enumerate((self.a, self.b), 1)]
            introduce(*self.ends)
            self.ends[0].set_endpoint(self.ends[1], self.b.ipv4_address)
            self.target = self.ends[1].address
            wait_until("the tunnel works", lambda: self.ends[0].reaches(self.ends[1], deadline=1))
        self.b.spawn("iperf3", "iperf3", "-s")
        wait_until("iperf3 listens", lambda: "5201" in self.b.run("ss", "-Hltn", "sport = 5201").stdout)
        self.rss = 0

    def note_memory(self):
        self.rss = max([self.rss, *(rss_bytes(end.process) for end in self.ends)])

    def tcp(self):
        """Bits per second."""
        words = ["-c", self.target, "-t", TCP_S, "-O", WARM_UP_S, "-J"]
        report = json.loads(self.a.run("iperf3", *words).stdout)
        self.note_memory()
        return report["end"]["sum_received"]["bits_per_second"]

    def latency(self):
        """Milliseconds."""
        output = self.a.run("ping", "-n", "-c", PINGS, "-i", PING_INTERVAL_S, self.target).stdout
        return statistics.median(float(word) for word in re.findall(r"time=([0-9.]+)", output))

    def udp(self, size, rate):
        """Offers packets at a rate. Returns how many were delivered per second, and which share was lost."""
        words = [self.a.netns, self.b.netns, self.target, size, rate, TRIAL_S]
        sent, received, seconds = map(float, run(program("tests", "bench", "bench-udp"), *words).stdout.split())
        self.note_memory()
        return received / seconds, 1 - received / sent

    def udp_without_loss(self, size):
        """The highest rate of packets that are delivered with next to no loss."""
        best, low, high = 0, math.log(SLOWEST), math.log(FASTEST)
        for _step in range(STEPS):
            rate = (low + high) / 2
            for _again in range(2):
                delivered, lost = self.udp(size, math.exp(rate))
                if lost <= LOSS:
                    best, low = max(best, delivered), rate
                    break
            else:
                high = rate
        return best


def spread(values):
    quarters = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return quarters[0], quarters[2]


def figure(name, values, form="%.2f"):
    print("%s: %s" % (name, form % statistics.median(values)))
    print("%s_spread: %s-%s" % (name, *(form % value for value in spread(values))), flush=True)


class Rounds:
    """Figures of each subject, round by round."""

    def __init__(self, subjects, measure, rounds=ROUNDS):
        self.values = {subject.name: [] for subject in subjects}
        for turn in range(rounds):
            turned = subjects[turn % len(subjects) :] + subjects[: turn % len(subjects)]
            for subject in turned:
                self.values[subject.name].append(measure(subject))

    def without(self, name):
        """What is more than that of a certain subject in the same round."""
        for other in set(self.values) - {name}:
            self.values[other] = [value - base for value, base in zip(self.values[other], self.values[name])]
        return self

    def show(self, name, scale=1.0, form="%.2f"):
        for subject in INFORMATION:
            if subject in self.values:
                figure("%s_%s" % (name, subject), [value * scale for value in self.values[subject]], form)

    def compare(self, name, subject, form="%.2f"):
        """Ours by that of another subject, if there is such."""
        if subject in self.values:
            pairs = zip(self.values["ours"], self.values[subject])
            figure(name, [mine / theirs if theirs > 0 else math.inf for mine, theirs in pairs], form)


def bench_tcp(subjects):
    tcp = Rounds(subjects, Subject.tcp)
    tcp.compare("tcp_vs_debian_wireguard_go", "debian")
    tcp.compare("tcp_vs_newest_wireguard_go", "newest")
    tcp.compare("tcp_share_of_ceiling", "ceiling", "%.3f")
    tcp.show("tcp_gbit", 1e-9)


def bench_udp(subjects, size):
    delivered = Rounds(subjects, lambda subject: subject.udp_without_loss(size), UDP_ROUNDS)
    delivered.compare("udp%d_vs_newest" % size, "newest")
    delivered.show("udp%d_kpps" % size, 1e-3, "%.1f")
    flood = Rounds(subjects, lambda subject: subject.udp(size, 0)[0])
    flood.compare("udp%d_flood_vs_newest" % size, "newest")
    flood.show("udp%d_flood_kpps" % size, 1e-3, "%.1f")


def bench_latency(subjects):
    latency = Rounds(subjects, Subject.latency).without("plain")
    latency.compare("latency_vs_newest", "newest")
    latency.show("latency_ms", 1, "%.3f")


def show_memory(subjects):
    for subject in subjects:
        if subject.rss:
            suffix = "" if subject.name == "ours" else "_" + subject.name
            print("rss_mib%s: %.1f" % (suffix, subject.rss / 2**20), flush=True)


LOADS = (
    ("tcp", bench_tcp, ()),
    ("udp1400", bench_udp, (1400,)),
    ("udp64", bench_udp, (64,)),
    ("latency", bench_latency, ()),
)


def timed(action):
    start = time.monotonic()
    action()
    return time.monotonic() - start


def bench_control(lab, name, engine):
    """10,000 peers that nobody is."""
    host, _other = cabled(lab, name[0] + "ca", name[0] + "cb")
    device = Engine(host, 1, engine)
    text = conf(PEERS)
    path, request = lab.write("peers.conf", text), uapi_request(text)
    wg = host.command(program("tools", "wg"))
    figures = {"set10k_s": [], "dump10k_s": [], "set10k_uapi_s": [], "dump10k_uapi_s": []}
    time.sleep(SETTLE_S)
    before = rss_bytes(device.process)
    for turn in range(CONTROL_ROUNDS):
        device.wg("setconf", device.name, "/dev/null")
        figures["set10k_s"].append(timed(lambda: run(*wg, "setconf", device.name, path)))
        if turn == 0:
            time.sleep(SETTLE_S)
            grown = rss_bytes(device.process) - before
        figures["dump10k_s"].append(timed(lambda: run(*wg, "show", device.name, "dump")))
        figures["dump10k_uapi_s"].append(timed(lambda: uapi_answer(device.name, b"get=1\n\n")))
        device.wg("setconf", device.name, "/dev/null")
        figures["set10k_uapi_s"].append(timed(lambda: uapi_answer(device.name, request)))
    suffix = "" if name == "ours" else "_" + name
    print("peer_bytes%s: %d" % (suffix, grown / PEERS))
    for key, values in figures.items():
        figure(key + suffix, values, "%.3f")
    device.destroy()


def bench_micro():
    """Programs that need no network; their lines are ours."""
    for name in MICRO:
        path = os.path.join(build_folder(), "tests", "bench", name)
        if not os.access(path, os.X_OK):
            print("# %s is not built" % path, flush=True)
            continue
        result = subprocess.run([path], capture_output=True, text=True, check=False)
        print(result.stdout, end="")
        if result.returncode != 0:
            print("# %s exited with %d: %s" % (name, result.returncode, result.stderr.strip()), flush=True)


def engines():
    """{name: program} of those that can be had; says why others cannot."""
    found = {"ours": ours()}
    for name, find in (("newest", newest), ("debian", debian)):
        try:
            found[name] = find()
        except Skip as reason:
            print("# without %s: %s" % (name, reason), flush=True)
    ceiling = os.path.join(build_folder(), "tests", "bench", "wice-wg-null")
    if os.access(ceiling, os.X_OK):
        found["ceiling"] = ceiling
    else:
        print("# without the ceiling: %s is not built" % ceiling, flush=True)
    for name, path in found.items():
        print("# %s: %s" % (name, path), flush=True)
    return found


def main():
    found = engines()
    for tool in ("iperf3", "ping", "wg", "ss"):
        if run("sh", "-c", "command -v " + tool, check=False).returncode != 0:
            raise LabError("%s is missing" % tool)
    with Lab() as lab:
        subjects = [Subject(lab, name, path) for name, path in [*found.items(), ("plain", None)]]
        for part, bench, more in LOADS:
            if part.startswith(ONLY):
                bench(subjects, *more)
        show_memory(subjects)
    with Lab() as lab:
        for name, path in found.items():
            if name != "ceiling" and "control".startswith(ONLY):
                bench_control(lab, name, path)
    if "micro".startswith(ONLY):
        bench_micro()
