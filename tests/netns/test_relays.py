# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Peers that reach each other over a relay: at once, and for as long as there is no direct path."""

import time

from lab.hosted import EnginePair
from lab.network import Network
from lab.relay import Coturn, WiceRelay, make_certificate
from lab.system import wait_until
from lab.testing import test
from lab.traffic import Load
from lab.wice import Pair, Wiced
from lab.wireguard import WireGuard, assert_ping

BLOCKED = ("symmetric", "symmetric")


def relayed_pair(lab, a="symmetric", b="symmetric", proxy=None, make_relay=Coturn, query="", **options):
    network = Network(lab, **options)
    relay_host = network.host("relay")
    pair = Pair(lab, a, b, network=network, proxy=proxy)
    pair.relay = make_relay(relay_host)
    pair.wiced_options += ["--relay", pair.relay.option(query)]
    return pair


def assert_relayed(pair, mechanism=None):
    found = pair.wait_path("relay")
    for shown in found:
        assert shown["local"]["type"] == shown["remote"]["type"] == "relay", shown
        if mechanism:
            assert shown["mechanism"] == mechanism, shown
    assert_ping(pair.a.wg, pair.b.wg)
    assert_ping(pair.b.wg, pair.a.wg)
    return found


for MECHANISM in ("bpf", "nft", "user"):
    EXPECTED = "bpf" if MECHANISM == "bpf" else "user"

    @test(name="symmetric NATs are passed by relay with proxy %s" % MECHANISM, timeout=180)
    def _(lab, mechanism=MECHANISM, expected=EXPECTED):
        pair = relayed_pair(lab, proxy=mechanism).start()
        assert_relayed(pair, expected)

    @test(name="symmetric NATs are passed by relay over IPv6 with proxy %s" % MECHANISM, timeout=180)
    def _(lab, mechanism=MECHANISM, expected=EXPECTED):
        pair = relayed_pair(lab, proxy=mechanism, ipv4=False, ipv6=True, nat6=True).start()
        assert_relayed(pair, expected)


def engine_pair(lab):
    network = Network(lab)
    relay = Coturn(network.host("relay"))
    pair = EnginePair(lab, "symmetric", "symmetric", network=network, wiced=["--relay", relay.option()])
    pair.relay = relay
    return pair


@test(name="symmetric NATs are passed by relay by the userspace engine", timeout=180)
def _(lab):
    assert_relayed(engine_pair(lab), "inprocess")


@test(name="a relay is spoken to over TCP where UDP is blocked", timeout=180)
def _(lab):
    pair = relayed_pair(lab, proxy="user", query="?transport=tcp")
    for host in (pair.a, pair.b):
        host.router.run("nft", "-f", "-", stdin="table inet noudp { chain f { type filter hook forward priority -10; "
                        "meta l4proto udp drop; }; }")  # fmt: skip
    pair.start(stun=False)
    assert_relayed(pair, "user")


@test(name="a relay that is there over UDP and TCP is spoken to over UDP", timeout=180)
def _(lab):
    pair = relayed_pair(lab, query="?transport=tcp")
    pair.wiced_options += ["--relay", pair.relay.option()]
    pair.start()
    udp = "relayed by turn:%s:%d (" % (pair.relay.host.address, pair.relay.port)
    for host, other in pair.ends:
        host.wiced.wait_peer(host.wg, other.wg.public_key, "UDP is used", lambda peer: udp in peer["reason"])
    assert_relayed(pair)


# As in hotels: nothing but HTTPS, and the port of signaling, which is over TCP as well.
ONLY_HTTPS = "table inet hotel { chain f { type filter hook forward priority -10; policy drop; " \
             "ct state established,related accept; tcp dport { 443, 8080 } accept; meta l4proto ipv6-icmp accept; }; }"  # fmt: skip

for FAMILY, OPTIONS in (("IPv4", {}), ("IPv6", {"ipv4": False, "ipv6": True, "nat6": True})):
    for MECHANISM in ("bpf", "nft", "user"):

        @test(name="where only HTTPS passes a relay is used by turns at port 443, %s, proxy %s" % (FAMILY, MECHANISM), timeout=180)
        def _(lab, mechanism=MECHANISM, options=OPTIONS):
            network = Network(lab, **options)
            host = network.host("relay")
            certificate, key = make_certificate(lab, host.address, kind="IP")
            relay = WiceRelay(host, "--listen", "tls:*:443", "--cert", certificate, "--key", key)
            pair = Pair(lab, "port-restricted", "endpoint-independent", network=network, proxy=mechanism)
            url = relay.option("?transport=tcp", scheme="turns", port=443)
            pair.wiced_options += ["--relay", "%s ca-file=%s" % (url, certificate)]
            pair.a.router.run("nft", "-f", "-", stdin=ONLY_HTTPS)
            pair.start()
            assert_relayed(pair, "user")


BLOCK = "table inet blocked { chain f { type filter hook forward priority -10; ip daddr %s drop; ip saddr %s drop; }; }"


def block(pair):
    """Nothing passes between the two but what a third one relays."""
    other = pair.b.router.ipv4_address
    pair.a.router.run("nft", "-f", "-", stdin=BLOCK % (other, other))


def unblock(pair):
    pair.a.router.run("nft", "delete", "table", "inet", "blocked")
    for host, remote in pair.ends:
        host.wiced.wice("restart", host.wg.name, remote.wg.public_key)


for MECHANISM in ("bpf", "nft", "user"):

    @test(name="the relay is the first path and gives way to a direct one without losing a packet, proxy %s" % MECHANISM,
          timeout=180)  # fmt: skip
    def _(lab, mechanism=MECHANISM):
        pair = relayed_pair(lab, "port-restricted", "port-restricted", proxy=mechanism)
        block(pair)
        pair.start().wait_path("relay")
        loads = [Load(here.wg, there.wg, 500) for here, there in pair.ends]
        wait_until("packets come over the relay", lambda: all(len(load.received) > 500 for load in loads))
        unblock(pair)
        pair.wait_path("nat")
        count = [len(load.received) for load in loads]
        wait_until("packets come over the direct path",
                   lambda: all(len(load.received) > before + 500 for load, before in zip(loads, count)))  # fmt: skip
        assert [load.stop() for load in loads] == [0, 0]


@test(name="a direct path that dies is replaced by the relay within seconds, and comes back", timeout=240)
def _(lab):
    pair = relayed_pair(lab, "port-restricted", "port-restricted", delay_ms=10).start()
    pair.wait_path("nat")
    ping = pair.start_ping(0.1)
    ping.wait_for_flow()
    block(pair)
    started = time.time()
    pair.wait_path("relay")
    ping.wait_for_answer()
    assert time.time() - started < 14, "a silent path was left after %.1f s" % (time.time() - started)
    unblock(pair)
    pair.wait_path("nat")
    ping.wait_for_answer()


for STALE_AFTER in (0, 2):

    @test(name="allocations are given back when wiced ends" + (", with a stale nonce, too" if STALE_AFTER else ""), timeout=180)
    def _(lab, stale_after=STALE_AFTER):
        options = ["--stale-nonce=%d" % stale_after] if stale_after else []
        pair = relayed_pair(lab, make_relay=lambda host: Coturn(host, *options)).start()
        assert_relayed(pair)
        time.sleep(2 * stale_after)
        for host in (pair.a, pair.b):
            host.wiced.stop()
        wait_until("both allocations end", lambda: pair.relay.process.log().count(pair.relay.ENDED) == 2)
        for _host in range(2):
            pair.relay.process.wait_for_line("delete")


@test(name="a relay that cannot be used is told and does not keep anybody waiting", timeout=180)
def _(lab):
    pair = relayed_pair(lab, "port-restricted", "port-restricted")
    pair.relay.stop()
    pair.start()
    pair.wait_path("nat")
    interface = pair.a.wiced.interface(pair.a.wg.name)
    assert not interface["relays"][0]["ready"]


@test(name="a public peer is the relay of the others, on the port of its WireGuard", timeout=180)
def _(lab):
    pair = Pair(lab, "symmetric", "symmetric")
    public = pair.network.public
    public.wg = WireGuard(public, 3)
    for host in (pair.a, pair.b):
        public.wg.add_peer(host.wg)
        host.wg.add_peer(public.wg)
    pair.serve().make_daemons()
    public.wiced = Wiced(public, [public.wg.name], [pair.signaling.url], [pair.network.stun_url()],
                         options=["--relay-server", "yes"])  # fmt: skip
    for host in (public, pair.a, pair.b):
        host.wiced.start()
    assert_relayed(pair)
    relay = pair.a.wiced.interface(pair.a.wg.name)["relays"][0]
    assert relay["server"] == "%s:%d" % (public.ipv4_address, public.wg.listen_port()), relay


@test(name="one of two relays is used by both, and left by both for the other when it dies", timeout=240)
def _(lab):
    network = Network(lab, delay_ms=5)
    hosts = {name: network.host(name) for name in ("left", "right")}
    pair = Pair(lab, "symmetric", "symmetric", network=network, proxy="user")
    for relay in [Coturn(host) for host in hosts.values()]:
        pair.wiced_options += ["--relay", relay.option()]

    def used():
        """By whom both are in use: a relay's name, or None as long as they differ."""
        found = set()
        for here, there in pair.ends:
            peer = here.wiced.peer(here.wg, there.wg.public_key)
            path = peer["path"] == "relay" and (peer["local"], peer["remote"])
            for name, host in hosts.items():
                if path and all(host.address in end["endpoint"] for end in path):
                    found.add((here.name, name))
        names = {name for _end, name in found}
        return names.pop() if len(found) == 2 and len(names) == 1 else None

    pair.start()
    first = wait_until("both use one relay", used, interval=0.2)
    ping = pair.start_ping(0.1)
    ping.wait_for_flow()
    hosts[first].ip("link set eth0 down")
    started = time.time()
    wait_until("both use the other one", lambda: used() not in (None, first), interval=0.1)
    ping.wait_for_answer()
    assert time.time() - started < 14, "a dead relay was left after %.1f s" % (time.time() - started)


LOSSY = "table inet blocked { chain f { type filter hook forward priority -10; " \
        "ip daddr %s numgen random mod 100 < 15 drop; ip saddr %s numgen random mod 100 < 15 drop; }; }"  # fmt: skip


def make_lossy(pair):
    """Some of what passes between the two is lost, unless a third one relays it."""
    other = pair.b.router.ipv4_address
    pair.a.router.run("nft", "-f", "-", stdin=LOSSY % (other, other))


def lossy_pair(lab, a, b):
    pair = relayed_pair(lab, "port-restricted", "port-restricted", delay_ms=5)
    pair.make_daemons()
    for host, proxy in ((pair.a, a), (pair.b, b)):
        host.wiced.arguments += ["--proxy", proxy]
        host.wiced.start()
    pair.wait_path("nat")
    return pair


for ENDS in (("bpf", "bpf"), ("user", "nft"), ("bpf", "user"), ("nft", "bpf")):

    @test(name="a direct path that loses packets gives way to a better relay, proxies %s and %s" % ENDS, timeout=240)
    def _(lab, ends=ENDS):
        pair = lossy_pair(lab, *ends)
        ping = pair.start_ping(0.1)
        ping.wait_for_flow()
        make_lossy(pair)
        for shown in pair.wait_path("relay"):
            assert "; the direct path is worse" in shown["reason"], shown
        ping.wait_for_answer()
        pair.a.router.run("nft", "delete", "table", "inet", "blocked")
        if ends == ("bpf", "bpf"):
            pair.wait_path("nat")
            ping.wait_for_answer()


for MECHANISM in ("bpf", "user", "inprocess"):

    @test(name="a relay that starts anew carries packets again, proxy %s" % MECHANISM, timeout=240)
    def _(lab, mechanism=MECHANISM):
        pair = engine_pair(lab) if mechanism == "inprocess" else relayed_pair(lab, proxy=mechanism).start()
        assert_relayed(pair, mechanism)
        ping = pair.start_ping(0.1)
        for _again in range(3):
            ping.wait_for_flow()
            pair.relay.stop()
            pair.relay.start()
            started = time.time()
            ping.wait_for_answer()
            assert time.time() - started < 20, "the relay was missed for %.1f s" % (time.time() - started)


@test(name="a relay that refuses the peer's relayed address is left for one that does not", timeout=180)
def _(lab):
    network = Network(lab)
    refuses = Coturn(network.host("refuses"), "--denied-peer-ip", "0.0.0.0-255.255.255.255")
    serves = Coturn(network.host("serves"))
    pair = Pair(lab, "symmetric", "symmetric", network=network)
    for relay in (refuses, serves):
        pair.wiced_options += ["--relay", relay.option()]
    serves.stop()
    pair.start()
    told = "relayed by turn:%s:%d" % (refuses.host.address, refuses.port)
    pair.a.wiced.wait_peer(pair.a.wg, pair.b.wg.public_key, "it is told",
                           lambda peer: told in peer["reason"] and "refuses packets" in peer["reason"])  # fmt: skip
    assert "are refused: 403 Forbidden" in pair.a.wiced.process.log()
    serves.start()
    for shown in assert_relayed(pair):
        assert all(serves.host.address in end["endpoint"] for end in (shown["local"], shown["remote"])), shown
