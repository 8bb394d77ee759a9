# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""wiced beside others that have to do with packets on the same host: other daemons, firewalls, containers, wg-quick, tc.

Daemons in several network namespaces of one machine are what every test in this folder has.
"""

from lab.system import wait_until
from lab.testing import test
from lab.wice import Pair, Wiced
from lab.wireguard import WireGuard, assert_ping, ping

KERNEL_MECHANISMS = ("bpf", "nft")

CONTAINERS = """
table ip docker {
    chain published {
        type nat hook prerouting priority dstnat
        fib daddr type local udp dport 5353 dnat to 172.17.0.2
        fib daddr type local tcp dport 8080 dnat to 172.17.0.2:80
    }
    chain outward {
        type nat hook postrouting priority srcnat
        ip saddr 172.17.0.0/16 oifname != "docker0" masquerade
    }
    chain forward {
        type filter hook forward priority filter; policy drop
        oifname "docker0" ct state established,related accept
        iifname "docker0" oifname != "docker0" accept
    }
}
"""

FIREWALL = """
table inet firewall {
    chain input {
        type filter hook input priority filter; policy drop
        iifname { "lo", "w*" } accept
        ct state established,related accept
        ct state invalid drop
        meta l4proto { icmp, icmpv6 } accept
    }
    chain output {
        type filter hook output priority filter; policy accept
    }
}
"""


def with_each(mechanisms, name):
    """Makes a test of a function for each mechanism."""

    def register(function):
        for mechanism in mechanisms:
            test(name="%s: %s" % (mechanism, name))(lambda lab, mechanism=mechanism: function(lab, mechanism))
        return function

    return register


def natted(lab, mechanism):
    return Pair(lab, "port-restricted", "endpoint-independent", proxy=mechanism)


def connect(pair, mechanism):
    pair.start()
    pair.wait_mechanism(mechanism)
    assert_ping(pair.a.wg, pair.b.wg)
    return pair


# --- several of ours ---


class TwoTunnels:
    """Two hosts with two interfaces each."""

    def __init__(self, lab, mechanism):
        self.pair = natted(lab, mechanism)
        a, b = self.hosts = self.pair.a, self.pair.b
        self.second = {a: WireGuard(a, 3, name="aa"), b: WireGuard(b, 4, name="bb")}
        self.second[a].add_peer(self.second[b])
        self.second[b].add_peer(self.second[a])
        # Two interfaces cannot both have the route to the tunnels' network.
        for host, other in self.pair.ends:
            host.ip("route replace %s/32 dev %s" % (other.wg.address, host.wg.name))
            host.ip("route replace %s/32 dev %s" % (self.second[other].address, self.second[host].name))
        self.pair.make_daemons()

    def check(self, mechanism, second_wiced):
        self.pair.wait_mechanism(mechanism)
        for host, other in self.pair.ends:
            wiced, wg = second_wiced[host], self.second[host]
            wiced.wait_peer(
                wg, self.second[other].public_key, "connected, mechanism " + mechanism,
                lambda peer: peer["state"] == "connected" and peer["mechanism"] == mechanism,
            )  # fmt: skip
        a, b = self.hosts
        assert_ping(a.wg, b.wg)
        assert_ping(self.second[a], self.second[b])


@with_each((*KERNEL_MECHANISMS, "user"), "two interfaces of one daemon")
def two_interfaces(lab, mechanism):
    tunnels = TwoTunnels(lab, mechanism)
    for host in tunnels.hosts:
        host.wiced.arguments += ["-i", tunnels.second[host].name]
        host.wiced.start()
    tunnels.check(mechanism, {host: host.wiced for host in tunnels.hosts})


@with_each((*KERNEL_MECHANISMS, "user"), "two daemons of one host, of which one is killed")
def two_daemons(lab, mechanism):
    tunnels = TwoTunnels(lab, mechanism)
    url, stun = tunnels.pair.signaling.url, tunnels.pair.network.stun_url()
    others = {}
    for host in tunnels.hosts:
        options = ["--proxy", mechanism]
        others[host] = Wiced(host, [tunnels.second[host].name], [url], [stun], name="other", options=options)
        host.wiced.start()
        others[host].start()
    tunnels.check(mechanism, others)
    a, b = tunnels.hosts
    others[a].kill()
    assert_ping(a.wg, b.wg)
    others[a].start()
    tunnels.check(mechanism, others)
    others[a].stop()
    assert_ping(a.wg, b.wg)
    # The first one restarted finds what the second left, and the other way round.
    a.wiced.stop()
    a.wiced.start()
    others[a].start()
    tunnels.check(mechanism, others)


@test
def a_second_daemon_for_an_interface_is_refused_with_the_pid_of_the_first(lab):
    pair = natted(lab, None).start()
    pair.wait_connected()
    a = pair.a
    second = Wiced(a, [a.wg.name], [pair.signaling.url], [pair.network.stun_url()], name="second")
    second.launch()
    wait_until("the second one says whose the interface is", lambda: str(a.wiced.process.pid) in second.process.log())
    assert_ping(a.wg, pair.b.wg)
    if second.process.is_running():
        assert second.interface(a.wg.name) is None
        second.stop()
    peer = a.wiced.peer(a.wg, pair.b.wg.public_key)
    assert peer["state"] == "connected" and peer["restarts"] == 0, peer


# --- other rules ---


@with_each(KERNEL_MECHANISMS, "beside containers with published ports")
def containers(lab, mechanism):
    pair = natted(lab, mechanism)
    for host in (pair.a, pair.b):
        host.ip("link add docker0 type bridge")
        host.add_address("docker0", "172.17.0.1", 16)
        host.ip("link set docker0 up")
        host.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        host.run("nft", "-f", "-", stdin=CONTAINERS)
    connect(pair, mechanism)
    for host in (pair.a, pair.b):
        host.wiced.stop()
        assert "docker" in host.run("nft", "list", "tables").stdout


@with_each((*KERNEL_MECHANISMS, "user"), "behind a firewall of the host that lets nothing in unasked")
def firewall(lab, mechanism):
    pair = natted(lab, mechanism)
    for host in (pair.a, pair.b):
        host.run("nft", "-f", "-", stdin=FIREWALL)
    connect(pair, mechanism)


@with_each(KERNEL_MECHANISMS, "nft flush ruleset while connected")
def flush(lab, mechanism):
    pair = connect(natted(lab, mechanism), mechanism)
    for host in (pair.a, pair.b):
        host.run("nft", "flush", "ruleset")
    wait_until("the tunnel works", lambda: ping(pair.a, pair.b.wg.address, deadline=1))
    pair.wait_mechanism(mechanism)
    assert_ping(pair.a.wg, pair.b.wg)


@with_each(KERNEL_MECHANISMS, "a full tunnel with the rules of wg-quick")
def full_tunnel(lab, mechanism):
    pair = Pair(lab, "port-restricted", "endpoint-independent", proxy=mechanism)
    a, b = pair.a, pair.b
    a.wg.destroy()
    text = "[Interface]\nPrivateKey = %s\nAddress = %s/24\n[Peer]\nPublicKey = %s\nAllowedIPs = 0.0.0.0/0\n"
    config = lab.write(a.wg.name + ".conf", text % (a.wg.private_key, a.wg.address, b.wg.public_key))
    b.add_address("lo", "198.18.0.1", 32)
    assert a.spawn("wg-quick", "wg-quick", "up", config).exit_status() == 0
    connect(pair, mechanism)
    assert ping(a, "198.18.0.1"), "what is not in the local network does not reach b through the tunnel"
    a.wiced.stop()
    a.run("wg-quick", "down", config)


# --- tc ---

ALIEN = ["bpf", "bytecode", "1,6 0 0 0,"]  # matches nothing


@test
def bpf_lives_beside_the_filters_of_others_and_outlives_that_they_remove_the_qdisc(lab):
    pair = natted(lab, "bpf")
    a = pair.a
    a.run("tc", "qdisc", "add", "dev", "eth0", "clsact")
    for way in ("ingress", "egress"):
        a.run("tc", "filter", "add", "dev", "eth0", way, "protocol", "all", "pref", "7", *ALIEN)
    connect(pair, "bpf")
    for way in ("ingress", "egress"):
        assert "bytecode" in a.run("tc", "filter", "show", "dev", "eth0", way).stdout
    a.run("tc", "qdisc", "del", "dev", "eth0", "clsact")
    assert_ping(a.wg, pair.b.wg)
    pair.a.wiced.wice("restart", a.wg.name, pair.b.wg.public_key)
    a.wiced.wait_peer(
        a.wg, pair.b.wg.public_key, "connected anew", lambda peer: peer["restarts"] and peer["state"] == "connected"
    )
    pair.wait_mechanism("bpf")
    assert_ping(a.wg, pair.b.wg)


# --- what is left ---


def traces(host):
    """All that a mechanism may leave on a host: tables, filters and programs on devices, interfaces."""
    lines = host.run("nft", "list", "tables").stdout.splitlines()
    lines += [line for line in host.run("bpftool", "net", check=False).stdout.splitlines() if "(" in line]
    for device in ("eth0", "lo", host.wg.name):
        lines += host.run("tc", "qdisc", "show", "dev", device).stdout.splitlines()
        for way in ("ingress", "egress"):
            lines += host.run("tc", "filter", "show", "dev", device, way, check=False).stdout.splitlines()
    return sorted(lines)


@with_each((*KERNEL_MECHANISMS, "user"), "a killed daemon leaves nothing that the next one does not clean")
def leftovers(lab, mechanism):
    pair = natted(lab, mechanism)
    a = pair.a
    before = traces(a)
    connect(pair, mechanism)
    a.wiced.kill()
    # The network goes on, with and without the tunnel.
    assert ping(a, pair.network.public.ipv4_address), "without wiced, the Internet cannot be reached"
    a.wiced.start()
    pair.wait_mechanism(mechanism)
    wait_until("the tunnel works", lambda: ping(a, pair.b.wg.address, deadline=1))
    a.wiced.stop()
    assert traces(a) == before, set(traces(a)) ^ set(before)
    # And one that will never be started with this mechanism again.
    a.wiced.start()
    a.wiced.kill()
    a.wiced = Wiced(a, [a.wg.name], [pair.signaling.url], [pair.network.stun_url()], options=["--proxy", "user"])
    a.wiced.start().stop()
    assert traces(a) == before, set(traces(a)) ^ set(before)
