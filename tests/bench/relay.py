# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Relays: what they cost on the way, and how soon they are there.
relayed_ratio_move, relayed_ratio_inplace: packets/s that come from a over a relay to b, by what comes directly, through the same
three hosts in a row, of which the middle one forwards or runs `wice relay` (a line with "#" says how it turns packets around).
Packets of 1,420 bytes in a tunnel, shaped as WireGuard's, sent and encrypted one by one, and decrypted, by bench-relay, which
cannot be told from WireGuard by the TC programs of its clients. _bare: without encryption; _cpu: per second of processor time of
all that is between sender and receiver (relay and kernel included), which says what packets/s cannot while one thread does
everything and others use the machine. relayed_vs_user: with the TC programs (the payload moves) by the userspace proxy's; this one
uses a second processor, so that _cpu is what counts where WireGuard needs all of them.
relayed_client_*: the same by what comes if the middle host only translates addresses: what the clients alone cost. There, checksums
are left to the device, as the kernel's WireGuard always does; with a relay they are whole, because XDP takes no others.
relayed_tunnel_ratio: tunnels of our engine (wice-wg) with wiced at both ends over `wice relay`, by endpoints set by hand; packets of
1,400 bytes as fast as it goes. _cpu: at a rate that the machine has time for.
server_xdp_vs_coturn: packets/s of a core: the time that coturn takes for a packet, by what `wice relay` takes with its fast path:
what is more than with a cable between the two clients. server_row_vs_coturn: without the fast path.
relay_first_data_rtts: two hosts behind symmetric NATs, 20 ms round trip to everybody, wiced runs at both and has its allocation: from
the moment at which one is told of the other (its log) to the first data packet of WireGuard that leaves for the relay (a capture at
both), in round trips. relay_cold_start_rtts: from the start of the wiced of one end. _ms: in milliseconds.
failover_s: traffic both ways over the direct path of two hosts behind NATs, 40 ms round trip; from the moment at which a router drops
all of it to the first packet that comes over the relay; failover_both_s: to that at both ends.
All in turns in one run, medians of the rounds' ratios; *_spread is between what their middle half lies.
Parts for --only: ratio, client, tunnel, server, coturn, allocations (of these two see relay_server.py), first, failover.
"""

import ctypes
import fcntl
import os
import re
import statistics
import struct
import subprocess
import time

import relay_server
from engine import figure
from lab.engines import Engine, cabled, introduce, ours
from lab.network import Host, Network, connect, program
from lab.relay import PASSWORD, PORT, USER, Coturn, WiceRelay
from lab.system import Lab, LabError, run, wait_until
from lab.traffic import Load
from lab.wice import Pair, SignalingServer, Wiced
from one_port import cpu_seconds, logged

QUICK = "WICE_BENCH_QUICK" in os.environ
ONLY = os.environ.get("WICE_BENCH_ONLY", "")
ROUNDS, TRIAL_S = (3, 0.3) if QUICK else (9, 0.5)
PACKET = 1420
PACED = 60000  # packets/s
STARTS, FAILOVERS = (3, 3) if QUICK else (9, 9)
RELAY_DELAY_MS, PATH_DELAY_MS = 5, 10  # of each of the four lines on a round trip
SETTLE_S = 2
WG_PORT, CLIENT_PORT, TRANSLATED_PORT = 51820, 40000, 3500


def complete_checksums(host):
    """Its packets have whole checksums, as from a machine of its own; XDP takes no others. As `ethtool -K eth0 tx off`."""
    ethtool_set_checksums, ioctl_ethtool = 0x17, 0x8946
    value = ctypes.create_string_buffer(struct.pack("II", ethtool_set_checksums, 0))
    with host.udp_socket(host.ipv4_address) as sock:
        fcntl.ioctl(sock, ioctl_ethtool, struct.pack("16sP16x", b"eth0", ctypes.addressof(value)))


class Row:
    """Three hosts in a row: a, one that forwards and relays, and b. What is on the wires are single packets, as on any real one:
    veth would pass what somebody has joined as it is. complete: the checksums of a and b are."""

    def __init__(self, lab, complete):
        self.lab = lab
        self.middle = Host(lab, "relay", ipv6=True, forward=True)
        self.a, self.b = Host(lab, "a", ipv6=True), Host(lab, "b", ipv6=True)
        for host, prefix in ((self.a, "198.51.100"), (self.b, "203.0.113")):
            device = "to-" + host.name
            connect(host, "eth0", self.middle, device)
            host.ipv4_address = prefix + ".2"
            host.add_address("eth0", host.ipv4_address, 24)
            self.middle.add_address(device, prefix + ".1", 24)
            host.ip("route add default via %s.1" % prefix)
            host.ip("link set eth0 gso_max_segs 1")
            self.middle.ip("link set %s gso_max_segs 1" % device)
        self.middle.ipv4_address = "203.0.113.1"
        self.hosts = (self.a, self.b)
        for host in self.hosts if complete else ():
            complete_checksums(host)


class Cable:
    """Two hosts with a cable between them, else as in a row."""

    def __init__(self, lab):
        self.a, self.b = self.hosts = cabled(lab, "c", "d")
        for host in self.hosts:
            host.ip("link set eth0 gso_max_segs 1")
            complete_checksums(host)


# Nothing passes to and from an address but what a relay sends.
BLOCK = """
table inet blocked {
    chain f {
        type filter hook forward priority -10
        meta l4proto udp ip daddr %s drop
        meta l4proto udp ip saddr %s drop
    }
}
"""

# A relay that is not there: its address and port are translated to those of the other client. Both have the same channel.
TRANSLATE = """
table ip translated {
    chain before {
        type nat hook prerouting priority dstnat
        ip saddr %(a)s ip daddr %(relay)s udp dport %(port)d udp sport %(wg)d dnat to %(b)s:%(wg)d
        ip saddr %(a)s ip daddr %(relay)s udp dport %(port)d udp sport %(client)d dnat to %(b)s:%(client)d
    }
    chain after {
        type nat hook postrouting priority srcnat
        ct original ip daddr %(relay)s ct status dnat meta l4proto udp snat to %(relay)s:%(port)d
    }
}
"""


class Client:
    """bench-relay as client of a host, with an allocation at a server or none."""

    def __init__(self, host, how, server, credentials):
        words = host.command(program("tests", "bench", "bench-relay"), "client", host.netns, server, how, *credentials)
        self.host = host
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self, what):
        line = self.process.stdout.readline().split()
        if len(line) != 2 or line[0] != what:
            raise LabError("bench-relay said %s instead of %s" % (line, what))
        return line[1]

    def tell(self, relayed):
        print(relayed, file=self.process.stdin, flush=True)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(10)


class Way:
    """A way for packets from a to b, while the `with` block lasts. how: direct, or as bench-relay calls the ways over a relay. Of
    relays that run all the time, programs on the devices would be in the way of the others."""

    def __init__(self, row, how, relay=None):
        self.row, self.how, self.relay = row, how, relay
        self.clients = ()

    def __enter__(self):
        if self.relay:
            self.relay.start()
        return self

    def __exit__(self, *_error):
        for client in self.clients:
            client.stop()
        if self.relay:
            self.relay.stop()

    def servers(self):
        """That the two speak to."""
        if isinstance(self.row, Cable):
            return ["%s:%d" % (host.ipv4_address, WG_PORT) for host in self.row.hosts[::-1]]
        return ["%s:%d" % (self.row.middle.ipv4_address, self.relay.port if self.relay else TRANSLATED_PORT)] * 2

    def open(self):
        """Where WireGuard is to send to."""
        if self.how == "direct":
            return "%s:%d" % (self.row.b.ipv4_address, WG_PORT)
        if self.how == "translated":
            return self.servers()[0]
        credentials = (USER, PASSWORD) if self.relay else ()
        self.clients = [Client(host, self.how, server, credentials) for host, server in zip(self.row.hosts, self.servers())]
        if self.relay:
            relayed = [client.read("relayed") for client in self.clients]
            for client, other in zip(self.clients, relayed[::-1]):
                client.tell(other)
        return [client.read("endpoint") for client in self.clients][0]

    def send(self, endpoint, load):
        """Packets that come per second, and per second of processor time of all who have a hand in it."""
        pids = [client.process.pid for client in self.clients] + ([self.relay.process.pid] if self.relay else [])
        words = [self.row.a.netns, self.row.b.netns, endpoint, PACKET, TRIAL_S, load]
        before = cpu_seconds(pids)
        packets, seconds = map(float, run(program("tests", "bench", "bench-relay"), "send", *words).stdout.split())
        return packets / seconds, packets / (cpu_seconds(pids) - before)


LOADS = ("sealed", "bare")


def measure_ways(ways, loads=LOADS):
    """{(way, load): (packets/s, packets per second of processor time) of each round}. A round goes there and back, so that a drift of
    the machine's speed is in all alike."""
    values = {(name, load): [] for name in ways for load in loads}
    for _round in range(ROUNDS):
        trials = {key: [] for key in values}
        for name in (*ways, *reversed(ways)):
            with ways[name] as way:
                endpoint = way.open()
                for load in loads:
                    trials[name, load].append(way.send(endpoint, load))
        for key, found in trials.items():
            values[key].append([statistics.mean(column) for column in zip(*found)])
    return values


def compare(name, values, ours, theirs):
    """Prints the ratios of two ways."""
    for load, suffix in zip(LOADS, ("", "_bare")):
        for column, kind in enumerate(("", "_cpu")):
            ratios = [x[column] / y[column] for x, y in zip(values[ours, load], values[theirs, load])]
            figure("relayed_" + name + kind + suffix, ratios)


def stopped(relay):
    relay.stop()
    print("# " + relay.process.log().splitlines()[-1], flush=True)
    return relay


def show_rates(values):
    for (name, load), found in values.items():
        figure("relayed_kpps_%s_%s" % (name, load), [value[0] / 1000 for value in found], "%.0f")


def bench_ratio():
    with Lab() as lab:
        row = Row(lab, True)
        relay = stopped(WiceRelay(row.middle))
        ways = {"direct": Way(row, "direct"), **{how: Way(row, how, relay) for how in ("move", "inplace", "user")}}
        values = measure_ways(ways)
        compare("ratio_move", values, "move", "direct")
        compare("ratio_inplace", values, "inplace", "direct")
        compare("vs_user", values, "move", "user")
        show_rates(values)


def bench_client():
    with Lab() as lab:
        row = Row(lab, False)
        addresses = {"a": row.a.ipv4_address, "b": row.b.ipv4_address, "relay": row.middle.ipv4_address}
        row.middle.run("nft", "-f", "-", stdin=TRANSLATE % {**addresses, "port": TRANSLATED_PORT, "wg": WG_PORT, "client": CLIENT_PORT})
        ways = {"client_" + how: Way(row, how) for how in ("translated", "move", "inplace", "user")}
        values = measure_ways(ways)
        compare("client_ratio_move", values, "client_move", "client_translated")
        compare("client_ratio_inplace", values, "client_inplace", "client_translated")
        compare("client_vs_user", values, "client_move", "client_user")
        show_rates(values)


def bench_server():
    """What a relay itself costs: what is less where there is a cable between the two clients."""
    with Lab() as lab:
        row = Row(lab, True)
        relays = {
            "fast": stopped(WiceRelay(row.middle)),
            "user": stopped(WiceRelay(row.middle, "--fast-path", "off", port=PORT + 2)),
            "coturn": stopped(Coturn(row.middle, port=PORT + 3)),
        }
        ways = {"cable": Way(Cable(lab), "move"), **{name: Way(row, "move", relay) for name, relay in relays.items()}}
        values = measure_ways(ways, ("bare",))
        costs = {
            name: [1e9 / mine[1] - 1e9 / cable[1] for mine, cable in zip(values[name, "bare"], values["cable", "bare"])]
            for name in relays
        }
        for name in ("fast", "user"):
            figure("server_xdp_vs_coturn" if name == "fast" else "server_row_vs_coturn",
                   [theirs / mine for mine, theirs in zip(costs[name], costs["coturn"])])  # fmt: skip
        for name, values in costs.items():
            figure("server_ns_" + name, values, "%.0f")


class Tunnel:
    """A tunnel of our engine from a to b: by endpoints set by hand, or with wiced at both ends over the relay, which is all that lets
    UDP of the one to the other."""

    RELAYED, DIRECT = "relayed", "direct"

    def __init__(self, lab):
        self.row = Row(lab, True)
        self.relay = WiceRelay(self.row.middle)
        for number, host in enumerate(self.row.hosts, 1):
            host.wg = Engine(host, number, ours())
        a, b = self.row.hosts
        introduce(a.wg, b.wg)
        url = SignalingServer(self.row.middle).url
        for host in self.row.hosts:
            host.wiced = Wiced(host, [host.wg.name], [url], options=["--relay", self.relay.option()])
        self.ends = ((a, b), (b, a))
        self.current = None

    def leave(self):
        if self.current == self.RELAYED:
            self.row.middle.run("nft", "delete", "table", "inet", "blocked")
            for host in self.row.hosts:
                host.wiced.stop()
        self.current = None

    def switch(self, name):
        if name == self.current:
            return
        self.leave()
        self.current = name
        a, b = self.row.hosts
        if name == self.RELAYED:
            self.row.middle.run("nft", "-f", "-", stdin=BLOCK % (b.ipv4_address, b.ipv4_address))
            for host in self.row.hosts:
                host.wiced.start()
            for host, other in self.ends:
                peer = host.wiced.wait_connected(host.wg, other.wg.public_key)
                if (peer["path"], peer["mechanism"]) != ("relay", "bpf"):
                    raise LabError("path %s, mechanism %s instead of relay, bpf" % (peer["path"], peer["mechanism"]))
        else:
            for host, other in self.ends:
                host.wg.set_endpoint(other.wg, other.ipv4_address)
        wait_until("the tunnel works", lambda: a.wg.reaches(b.wg, deadline=1))
        self.send(0)

    def send(self, rate):
        """Sends for a while, as fast as it goes if rate is 0. Returns packets that come per second, and per second of processor time."""
        pids = [self.relay.process.pid] + [host.wg.process.pid for host in self.row.hosts]
        a, b = self.row.hosts
        words = [a.netns, b.netns, b.wg.address, 1400, rate, TRIAL_S]
        before = cpu_seconds(pids)
        _sent, received, seconds = map(float, run(program("tests", "bench", "bench-udp"), *words).stdout.split())
        return received / seconds, received / (cpu_seconds(pids) - before)


def bench_tunnel():
    flood, economy = {}, {}
    with Lab() as lab:
        tunnel = Tunnel(lab)
        for _round in range(ROUNDS):
            trials = {name: [] for name in (tunnel.DIRECT, tunnel.RELAYED)}
            for name in (*trials, *reversed(trials)):
                tunnel.switch(name)
                trials[name] += [(tunnel.send(0)[0], tunnel.send(PACED)[1]) for _trial in range(2)]
            for name, found in trials.items():
                rate, per_cpu = (statistics.median(column) for column in zip(*found))
                flood.setdefault(name, []).append(rate)
                economy.setdefault(name, []).append(per_cpu)
        tunnel.leave()
    for name, values in (("relayed_tunnel_ratio", flood), ("relayed_tunnel_cpu_ratio", economy)):
        figure(name, [mine / theirs for mine, theirs in zip(values["relayed"], values["direct"])])
    for name, values in flood.items():
        figure("relayed_tunnel_kpps_" + name, [value / 1000 for value in values], "%.0f")


# ChannelData that is no handshake message and no cookie: a data message of WireGuard, moved or in place.
DATA = "udp port %d and udp[8] & 0xf0 = 0x40" % PORT + "".join(" and udp[12:4] != 0x%02x000000" % kind for kind in (1, 2, 3))


class Capture:
    """When packets of one kind pass at a host, in seconds since 1970. direction: in or out."""

    def __init__(self, host, condition, direction):
        self.process = host.spawn("capture-" + direction, "tcpdump", "-n", "-tt", "-l", "-i", "eth0", "-Q", direction,
                                  "--immediate-mode", condition)  # fmt: skip
        self.process.wait_for_line("listening on")

    def times(self):
        return [float(word) for word in re.findall(r"^(\d+\.\d+) IP", self.process.log(), re.MULTILINE)]


def relayed_pair(lab, kind, delay_ms):
    network = Network(lab, delay_ms=delay_ms)
    host = network.host("relay")
    pair = Pair(lab, kind, kind, network=network)
    pair.relay = WiceRelay(host)
    pair.wiced_options += ["--relay", pair.relay.option()]
    pair.make_daemons()
    return pair


def wait_ready(pair, host):
    wait_until("the relay is ready", lambda: any(relay["ready"] for relay in pair_relays(host)))


def pair_relays(host):
    return (host.wiced.interface(host.wg.name) or {"relays": []})["relays"]


def first_data_ms(cold):
    """From the start to the first data packet of WireGuard's over the relay."""
    with Lab() as lab:
        pair = relayed_pair(lab, "symmetric", RELAY_DELAY_MS)
        captures = [Capture(host, DATA, "out") for host in (pair.a, pair.b)]
        pair.a.wiced.start()
        wait_ready(pair, pair.a)
        pair.a.wiced.wait_peer(pair.a.wg, pair.b.wg.public_key, "signaling", lambda peer: peer["state"] == "signaling")
        time.sleep(1)
        if cold:
            started = time.time()
            pair.b.wiced.launch()
        else:
            pair.b.wg.set("peer", pair.a.wg.public_key, "remove")
            pair.b.wiced.start()
            wait_ready(pair, pair.b)
            time.sleep(1)
            pair.b.wg.add_peer(pair.a.wg)
        first = wait_until("a data packet", lambda: [time for capture in captures for time in capture.times()])
        if not cold:
            started = logged(pair.b.wiced, "peer added")[-1]
        return (min(first) - started) * 1000


def bench_first():
    for name, cold in (("relay_first_data", False), ("relay_cold_start", True)):
        values = [first_data_ms(cold) for _run in range(STARTS)]
        figure(name + "_rtts", [value / (4 * RELAY_DELAY_MS) for value in values])
        figure(name + "_ms", values, "%.0f")


def failover_s():
    """From the moment at which the direct path dies to the first packet that comes over the relay, and to that at both ends."""
    with Lab() as lab:
        pair = relayed_pair(lab, "port-restricted", PATH_DELAY_MS)
        for host in (pair.a, pair.b):
            host.wiced.start()
        pair.wait_path("nat")
        loads = [Load(here.wg, there.wg, 200) for here, there in pair.ends]
        wait_until("traffic flows", lambda: all(len(load.received) > 200 for load in loads))
        time.sleep(SETTLE_S)
        captures = [Capture(host, DATA, "in") for host in (pair.a, pair.b)]
        other = pair.b.router.ipv4_address
        started = time.time()
        pair.a.router.run("nft", "-f", "-", stdin=BLOCK % (other, other))
        for capture in captures:
            wait_until("packets come over the relay", capture.times)
        for load in loads:
            load.stop()
        firsts = [capture.times()[0] - started for capture in captures]
        return min(firsts), max(firsts)


def bench_failover():
    values = [failover_s() for _run in range(FAILOVERS)]
    figure("failover_s", [first for first, _both in values])
    figure("failover_both_s", [both for _first, both in values])


PARTS = {
    "ratio": bench_ratio,
    "client": bench_client,
    "tunnel": bench_tunnel,
    "server": bench_server,
    "coturn": lambda: relay_server.bench(relay_server.packets),
    "allocations": lambda: relay_server.bench(relay_server.allocations),
    "first": bench_first,
    "failover": bench_failover,
}


def main():
    for name, bench in PARTS.items():
        if name.startswith(ONLY):
            bench()
