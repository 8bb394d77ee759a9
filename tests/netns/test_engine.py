# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""A userspace engine as its users meet it: through `wg` and the packets that it carries. These are the scenarios that the kernel's
WireGuard and wireguard-go are tested with, and some more. WICE_ENGINE=newest (or debian) runs them with wireguard-go, of which
each fails some: none notices here that its interface is down; the newest (2026-05) does not answer from the address that
it was asked at; Debian's (2022-03) does not find another source address when its own goes, and knows no IFF_VNET_HDR.

Hosts are either cabled, or they have nothing but their end of the tunnel, while the sockets of both are on the loopback
interface of a third namespace, in which both interfaces were born.
"""

import base64
import fcntl
import json
import os
import signal
import socket
import struct
import time

from lab.engines import Engine, cabled, introduce, ours
from lab.network import Host, Namespace, connect
from lab.system import WIREGUARD_SOCKETS, wait_until
from lab.testing import test
from lab.traffic import send_datagrams, send_stream
from lab.wireguard import interface_name, new_key, ping, public_key

STREAM = 24 << 20
BIG_MTU = 34816 - 80
HEADER, INITIATION, RESPONSE = 32, 148, 92  # what a transport message adds, and the handshake's messages
PING, PADDED_PING = 84, 96  # with its IPv4 header
TUNSETIFF, IFF_TUN, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 0x1, 0x1000, 0x4000  # linux/if_tun.h
LOW_ORDER = (
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA=",
    "X5yVvKNQjCSx0LFVnIPvWwREXMRYHI6G2CJO3dCfEVc=",
    "7P///////////////////////////////////////38=",
    "7f///////////////////////////////////////38=",
    "7v///////////////////////////////////////38=",
)


def socket_path(name):
    return "%s/%s.sock" % (WIREGUARD_SOCKETS, name)


def on_loopback(lab):
    """Two engines that are peers of each other, with a preshared key, and know no endpoint."""
    middle = Namespace(lab, "middle", ipv6=True)
    ends = [Engine(Host(lab, name, ipv6=True), number, ours(), middle) for number, name in enumerate("ab", 1)]
    introduce(*ends, psk=True)
    return middle, *ends


def on_a_cable(lab):
    ends = [Engine(host, number, ours()) for number, host in enumerate(cabled(lab), 1)]
    introduce(*ends)
    return ends


def connected(lab):
    a, b = on_a_cable(lab)
    a.set_endpoint(b, b.host.ipv4_address)
    wait_until("the tunnel works", lambda: a.reaches(b, deadline=1))
    return a, b


def assert_reaches(a, b):
    assert a.reaches(b), "no answer from %s to %s" % (b.host.name, a.host.name)
    assert ping(a.host, b.address6), "no answer from %s to %s over IPv6" % (b.host.name, a.host.name)


def carries_all(lab, outer, mtu):
    _middle, a, b = on_loopback(lab)
    a.set_endpoint(b, outer)
    for end in (a, b):
        end.set_mtu(mtu)
    for here, there in ((a, b), (b, a)):
        assert_reaches(here, there)
        for address in (there.address, there.address6):
            send_stream(here.host, there.host, address, STREAM)
            send_datagrams(here.host, there.host, address, range(0, mtu + mtu // 2, 1 + mtu // 200))


@test
def engine_carries_ping_tcp_and_udp_over_ipv4(lab):
    carries_all(lab, "127.0.0.1", 1420)


@test
def engine_carries_ping_tcp_and_udp_over_ipv6(lab):
    carries_all(lab, "::1", 1420)


@test
def engine_carries_jumbo_packets_over_ipv4(lab):
    carries_all(lab, "127.0.0.1", BIG_MTU)


@test
def engine_carries_jumbo_packets_over_ipv6(lab):
    carries_all(lab, "::1", BIG_MTU)


@test
def engine_counts_bytes_exactly(lab):
    a, b = on_a_cable(lab)
    b.set_endpoint(a, a.host.ipv4_address)
    assert ping(b.host, a.address, count=10, interval=0.01)
    received, sent = b.transfer(a)
    # A keepalive may have been in between, where the machine was slow.
    assert received - (RESPONSE + 10 * (PADDED_PING + HEADER)) in (0, HEADER), received
    assert sent - (INITIATION + 10 * (PADDED_PING + HEADER)) in (0, HEADER), sent
    statistics = json.loads(b.host.run("ip", "-s", "-j", "link", "show", b.name).stdout)[0]["stats64"]
    assert statistics["rx"]["bytes"] >= 10 * PING and statistics["tx"]["bytes"] >= 10 * PING, statistics


@test
def engine_pads_to_sixteen_but_never_beyond_the_mtu(lab):
    a, b = connected(lab)
    for mtu in (1420, 1413):
        a.set_mtu(mtu)
        b.set_mtu(mtu)
        for size in (64, 65, 80, 1393, 1405, mtu - 5, mtu - 1, mtu):
            _received, before = a.transfer(b)
            assert a.host.run("ping", "-n", "-c", 1, "-W", 15, "-M", "do", "-s", size - 28, b.address), size
            _received, after = a.transfer(b)
            padded = min((size + 15) // 16 * 16, mtu)
            assert after - before - HEADER - padded in (0, HEADER), (mtu, size, after - before)


@test
def engine_sees_a_peer_roam_over_ipv4(lab):
    middle, a, b = on_loopback(lab)
    a.set("listen-port", "10000")
    a.set_endpoint(b, "127.0.0.1")
    assert_reaches(a, b)
    assert b.show("endpoints") == {a.public_key: "127.0.0.1:10000"}
    middle.ip("addr del 127.0.0.1/8 dev lo")
    middle.ip("addr add 127.212.121.99/8 dev lo")
    a.set("listen-port", "9999")
    a.set_endpoint(b, "127.0.0.1")
    assert ping(a.host, b.address6)
    assert b.show("endpoints") == {a.public_key: "127.212.121.99:9999"}
    assert_reaches(b, a)


@test
def engine_sees_a_peer_roam_from_ipv4_to_ipv6_and_back(lab):
    _middle, a, b = on_loopback(lab)
    a.set("listen-port", "9999")
    a.set_endpoint(b, "127.0.0.1")
    assert_reaches(a, b)
    a.set("listen-port", "9998")
    a.set_endpoint(b, "::1")
    assert a.reaches(b)
    assert b.show("endpoints") == {a.public_key: "[::1]:9998"}
    assert_reaches(b, a)
    a.set_endpoint(b, "127.0.0.1")
    assert a.reaches(b)
    assert b.show("endpoints") == {a.public_key: "127.0.0.1:9998"}


@test
def engine_takes_a_packet_only_from_whom_its_source_address_belongs_to(lab):
    a, b = connected(lab)
    b.set("listen-port", "9997")
    a.set("peer", b.public_key, "allowed-ips", "10.77.0.0/24")
    sink, source = a.host.udp_socket(a.address, 1111), b.host.udp_socket(b.address)
    source.sendto(b"X", (a.address, 1111))
    assert sink.recv(10) == b"X"
    narrower = public_key(new_key())
    a.set("peer", narrower, "allowed-ips", b.address + "/32")
    b.set("listen-port", "9996")
    before = a.transfer(b)
    source.sendto(b"Y", (a.address, 1111))
    # It came, it was authentic, its sender is where it came from; but it is not what it says.
    wait_until("the packet has come", lambda: a.transfer(b)[0] > before[0])
    wait_until("the peer has roamed", lambda: a.show("endpoints")[b.public_key].endswith(":9996"))
    a.set("peer", narrower, "remove")
    a.set("peer", b.public_key, "allowed-ips", "10.77.0.0/24")
    source.sendto(b"Z", (a.address, 1111))
    assert sink.recv(10) == b"Z"


@test
def engine_answers_by_the_session_that_it_was_asked_by(lab):
    """Whoever has lost the session begins another one, and cannot read what is still sealed by the old one."""
    a, b = connected(lab)
    for _ in range(10):
        time.sleep(0.05)  # no more than 50 handshakes per second are answered
        b.remove_peer(a.public_key)
        b.add_peer(a)
        b.set_endpoint(a, a.host.ipv4_address)
        b.host.run("ping", "-n", "-c", 1, "-W", 10, a.address)


@test
def engine_takes_another_private_key_while_it_runs(lab):
    a, b = connected(lab)
    old = a.public_key
    a.set_private_key(new_key())
    b.remove_peer(old)
    b.add_peer(a)
    assert_reaches(a, b)
    assert list(b.show("latest-handshakes")) == [a.public_key]
    # What was agreed on with the old key is void, also for the one that did not change.
    b.set_private_key(new_key())
    [gone] = a.show("latest-handshakes")
    a.remove_peer(gone)
    a.add_peer(b)
    a.set_endpoint(b, b.host.ipv4_address)
    assert_reaches(a, b)


@test
def engine_is_no_peer_of_itself(lab):
    a, b = connected(lab)
    a.set("peer", a.public_key, "allowed-ips", "10.99.0.0/16")
    assert list(a.show("endpoints")) == [b.public_key]
    private = new_key()
    a.set("peer", public_key(private), "allowed-ips", "10.99.0.0/16")
    a.set_private_key(private)
    assert list(a.show("endpoints")) == [b.public_key]


@test
def engine_shows_private_keys_clamped(lab):
    [a, _b] = on_a_cable(lab)
    a.set("private-key", lab.write("key", "//////////////////////////////////////////8="))
    shown = base64.b64decode(a.wg("show", a.name, "private-key").stdout)
    assert shown == b"\xf8" + b"\xff" * 30 + b"\x7f", shown


@test
def engine_agrees_on_nothing_with_points_of_low_order(lab):
    a, b = connected(lab)
    endpoint = "%s:%d" % (b.host.ipv4_address, b.listen_port())
    for number, key in enumerate(LOW_ORDER):
        a.set("peer", key, "allowed-ips", "10.77.1.%d/32" % number, "endpoint", endpoint)
        a.host.ip("route replace 10.77.1.%d dev %s" % (number, a.name))
    a.host.run("ping", "-n", "-c", 1, "-W", 1, "10.77.1.0", check=False)
    for number in range(len(LOW_ORDER)):
        with a.host.udp_socket(a.address) as source:
            source.sendto(b"X", ("10.77.1.%d" % number, 9))
    assert_reaches(a, b)
    transfer = a.show("transfer")
    assert {transfer.get(key, "0\t0") for key in LOW_ORDER} == {"0\t0"}, transfer


@test
def engine_survives_a_route_that_leads_into_itself(lab):
    a, b = connected(lab)
    a.set("peer", b.public_key, "endpoint", b.address + ":1")
    source = a.host.udp_socket(a.address)
    for _ in range(100):
        source.sendto(b"X" * 64, (b.address, 9))
    until = time.monotonic() + 1
    while time.monotonic() < until:
        a.transfer(b)
    a.set_endpoint(b, b.host.ipv4_address)
    assert_reaches(a, b)
    with open("/proc/%d/status" % a.process.pid, encoding="ascii") as file:
        rss_kib = int(next(line for line in file if line.startswith("VmRSS:")).split()[1])
    assert rss_kib < 512 << 10, "%d KiB" % rss_kib


@test
def engine_finds_another_source_address_when_its_own_goes(lab):
    a, b = connected(lab)
    a.host.run("sysctl", "-qw", "net.ipv4.conf.eth0.promote_secondaries=1")
    a.host.add_address("eth0", "192.0.2.10", 24)
    a.host.ip("addr del 192.0.2.1/24 dev eth0")
    assert_reaches(a, b)
    assert b.show("endpoints")[a.public_key].startswith("192.0.2.10:")
    a.set_endpoint(b, b.host.ipv6_address)
    assert_reaches(a, b)
    a.host.add_address("eth0", "2001:db8::10", 64)
    a.host.ip("addr del 2001:db8::1/64 dev eth0")
    assert_reaches(a, b)
    assert b.show("endpoints")[a.public_key].startswith("[2001:db8::10]:")


@test
def engine_answers_from_the_address_that_it_was_asked_at(lab):
    a, b = on_a_cable(lab)
    a.host.add_address("eth0", "192.0.2.9", 24)
    a.host.add_address("eth0", "2001:db8::9", 64)
    # b knows a by an endpoint; if the answer came from elsewhere, that would be a's new one.
    for address in ("192.0.2.1", "192.0.2.9", "2001:db8::1", "2001:db8::9", "192.0.2.1"):
        b.set_endpoint(a, address)
        assert_reaches(b, a)
        text = "[%s]:%d" if ":" in address else "%s:%d"
        assert b.show("endpoints")[a.public_key] == text % (address, a.listen_port()), address


@test
def engine_keeps_a_nat_open(lab):
    """The router forgets after 2 s; a keepalive every second reminds it."""
    a, b = Host(lab, "a"), Host(lab, "b")
    router = Namespace(lab, "router", forward=True)
    connect(a, "eth0", router, "lan")
    connect(b, "eth0", router, "wan")
    for host, own, device, gateway in ((a, "192.168.1.100", "lan", "192.168.1.1"), (b, "192.0.2.100", "wan", "192.0.2.1")):
        host.add_address("eth0", own, 24)
        router.add_address(device, gateway, 24)
    a.ip("route add default via 192.168.1.1")
    router.run("nft", "-f", "-", stdin='table ip nat { chain post { type nat hook postrouting priority srcnat; '
               'oifname "wan" masquerade; }; }')  # fmt: skip
    router.run("sysctl", "-qw", "net.netfilter.nf_conntrack_udp_timeout=2", "net.netfilter.nf_conntrack_udp_timeout_stream=2")
    inner, outer = FourOnly(a, 1, ours()), FourOnly(b, 2, ours())
    introduce(inner, outer)
    inner.set("listen-port", "10000")
    inner.set("peer", outer.public_key, "endpoint", "192.0.2.100:%d" % outer.listen_port(), "persistent-keepalive", "1")
    assert inner.reaches(outer) and outer.reaches(inner)
    assert outer.show("endpoints") == {inner.public_key: "192.0.2.1:10000"}
    time.sleep(4)
    assert outer.reaches(inner)


class FourOnly(Engine):
    """On a host without IPv6."""

    def create(self):
        super(Engine, self).create()


@test
def engine_sends_keepalives_that_it_is_told_to_send(lab):
    a, b = on_a_cable(lab)
    a.set_endpoint(b, b.host.ipv4_address)
    a.set("peer", b.public_key, "persistent-keepalive", "1")
    wait_until("a handshake without anything to send", lambda: a.handshake(b))
    count = a.transfer(b)[1]
    wait_until("two keepalives", lambda: a.transfer(b)[1] >= count + 2 * HEADER)
    # In the midst of a session, the first one goes out at once.
    a.set("peer", b.public_key, "persistent-keepalive", "0")
    count = a.transfer(b)[1]
    a.set("peer", b.public_key, "persistent-keepalive", "1000")
    wait_until("a keepalive at once", lambda: a.transfer(b)[1] == count + HEADER, timeout=10)


@test
def engine_keeps_what_waits_for_a_handshake(lab):
    a, b = on_a_cable(lab)
    sink, source = b.host.udp_socket(b.address, 1111), a.host.udp_socket(a.address)
    # Nobody answers while the cable is out.
    b.host.ip("link set eth0 down")
    a.set_endpoint(b, b.host.ipv4_address)
    for number in range(100):
        source.sendto(b"%d" % number, (b.address, 1111))
    b.host.ip("link set eth0 up")
    assert [int(sink.recv(10)) for _ in range(100)] == list(range(100))


@test
def engine_is_silent_while_its_interface_is_down_and_begins_anew_when_it_is_up(lab):
    a, b = connected(lab)
    a.set("peer", b.public_key, "persistent-keepalive", "1")
    port = "sport = %d" % a.listen_port()
    a.host.ip("link set %s down" % a.name)
    wait_until("its sockets are closed", lambda: not a.host.run("ss", "-Hlun", port).stdout, timeout=20)
    before = a.transfer(b)
    assert not b.reaches(a, deadline=2)
    assert a.transfer(b) == before
    a.host.ip("link set %s up" % a.name)
    wait_until("another handshake", lambda: a.transfer(b)[1] >= before[1] + INITIATION)
    assert b.reaches(a)


@test
def engine_marks_its_packets(lab):
    a, b = connected(lab)
    a.host.run("nft", "-f", "-", stdin="table ip t { chain out { type filter hook output priority filter; "
               "meta mark 0x1234 counter; }; }")  # fmt: skip
    a.set("fwmark", "0x1234")
    assert_reaches(a, b)
    assert "packets 0 " not in a.host.run("nft", "list", "ruleset").stdout
    a.set("fwmark", "off")
    assert_reaches(a, b)


@test
def engine_carries_a_tunnel_in_a_tunnel(lab):
    a, b = connected(lab)
    inner = [Engine(end.host, number, ours(), name=end.host.name + "i") for number, end in ((3, a), (4, b))]
    introduce(*inner)
    for end, other in (inner, inner[::-1]):
        end.set_mtu(1340)
        end.host.ip("route replace %s dev %s" % (other.address, end.name))
        end.host.ip("-6 route replace %s dev %s" % (other.address6, end.name))
    inner[0].set_endpoint(inner[1], b.address)
    assert_reaches(*inner)
    send_stream(a.host, b.host, inner[1].address, STREAM // 4)
    inner[0].set_endpoint(inner[1], b.address6)
    send_stream(a.host, b.host, inner[1].address6, STREAM // 4)


def setconf(lab, sections):
    """An engine that is set to a file, and what it shows of allowed IPs."""
    engine = Engine(Host(lab, "a", ipv6=True), 1, ours())
    engine.wg("setconf", engine.name, lab.write("wg.conf", "\n".join(sections)))
    assert engine.wg("showconf", engine.name).stdout
    return [line.split() for line in engine.wg("show", engine.name, "allowed-ips").stdout.splitlines()]


def sections(*peers):
    lines = ["[Interface]", "PrivateKey = " + new_key()]
    for allowed in peers:
        lines += ["[Peer]", "PublicKey = " + public_key(new_key())] + ["AllowedIPs = " + network for network in allowed]
    return lines


@test
def engine_takes_a_hundred_thousand_allowed_ips(lab):
    some = ["%d.%d.0.0/16, %x::%x/128" % (i, j, i, j) for i in range(1, 256) for j in range(256)]
    [words] = setconf(lab, sections(some))
    assert len(words) == 1 + 2 * 255 * 256


@test
def engine_takes_many_peers_with_many_allowed_ips(lab):
    shown = setconf(lab, sections(*(["%d.%d.0.0/16" % (i, j) for j in range(1, 53)] for i in range(1, 41))))
    assert [len(words) for words in shown] == [53] * 40


@test
def engine_takes_peers_without_allowed_ips(lab):
    shown = setconf(lab, sections(*[[]] * 29, ["255.2.3.4/32, abcd::255/128"]))
    assert sorted(len(words) for words in shown) == [2] * 29 + [3]


@test
def engine_goes_with_its_interface(lab):
    a, _b = connected(lab)
    a.host.ip("link del " + a.name)
    a.process.exit_status()
    assert not os.path.exists(socket_path(a.name))


@test
def engine_takes_its_interface_with_it(lab):
    a, _b = connected(lab)
    a.process.signal(signal.SIGTERM)
    a.process.exit_status()
    wait_until("the interface is gone", lambda: not a.exists())
    assert not os.path.exists(socket_path(a.name))


@test
def engine_works_in_the_background_once_it_is_ready(lab):
    host = Host(lab, "a")
    name = interface_name("a")
    lab.sockets.add(name)
    host.run(ours(), name)
    assert host.run("wg", "show", name, "listen-port").stdout
    host.ip("link del " + name)
    wait_until("its socket is gone", lambda: not os.path.exists(socket_path(name)))


def open_tun(host, name):
    """A TUN device, as a program opens it that then starts an engine for it."""
    with host.entered():
        file = open("/dev/net/tun", "r+b", buffering=0)
        fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI | IFF_VNET_HDR))
    return file


@test
def engine_takes_an_interface_and_a_socket_that_are_given_to_it(lab):
    host, other = cabled(lab)
    name = interface_name("given")
    lab.sockets.add(name)
    with open_tun(host, name) as tun, socket.socket(socket.AF_UNIX) as uapi:
        uapi.bind(socket_path(name))
        uapi.listen()
        env = {**os.environ, "WG_TUN_FD": str(tun.fileno()), "WG_UAPI_FD": str(uapi.fileno()), "WG_PROCESS_FOREGROUND": "1"}
        process = host.spawn("given", ours(), name, env=env, pass_fds=(tun.fileno(), uapi.fileno()))
    host.wg = Given(host, name)
    b = Engine(other, 2, ours())
    introduce(host.wg, b)
    host.wg.set_endpoint(b, other.ipv4_address)
    assert_reaches(host.wg, b)
    assert process.is_running()


class Given(Engine):
    """An interface that is carried by a process that was started otherwise."""

    def __init__(self, host, name):
        self.given = name
        super().__init__(host, 1, ours(), name="given")

    def spawn(self):
        wait_until("the engine answers", lambda: self.wg("show", self.given, check=False).returncode == 0)
