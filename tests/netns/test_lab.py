# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""The laboratory itself: is each NAT what its name says? Told with plain UDP sockets."""

import os
import signal
import socket
import subprocess
import sys

from lab import stun_server
from lab.network import Network
from lab.system import LabError, remove_leftovers, run, wait_until
from lab.testing import test
from lab.wireguard import WireGuard, assert_ping, ping

PORT = 40000


def behind(lab, kind):
    """A host behind a router of this kind, two sockets on one public address and one on another."""
    network = Network(lab)
    host = network.host("a", kind)
    network.start()
    first, second = network.public.ipv4_address, network.public.second_ipv4
    servers = [network.public.udp_socket(address, port) for address, port in ((first, 1000), (first, 2000), (second, 1000))]
    return network, host, servers


def mappings(host, servers):
    """The outside addresses that one inside port gets towards each of the servers."""
    sock = host.udp_socket("0.0.0.0", PORT)
    seen = []
    for server in servers:
        sock.sendto(b"hello", server.getsockname())
        seen.append(server.recvfrom(100)[1])
    return sock, seen


def arrivals(sock, expected_last):
    """What came in until expected_last did. Packets do not overtake, so what is not there was filtered."""
    packets = []
    while not packets or packets[-1] != expected_last:
        packets.append(sock.recvfrom(100)[0])
    return packets


def check_mapping(lab, kind, one_for_all):
    network, host, servers = behind(lab, kind)
    _sock, seen = mappings(host, servers)
    assert all(address[0] == host.router.ipv4_address for address in seen), seen
    assert len(set(seen)) == (1 if one_for_all else 3), seen
    return network, host, servers


def check_filtering(lab, kind, others_pass):
    """The host talks to servers[0] only; then the others send, and servers[0] last."""
    network, host, servers = behind(lab, kind)
    sock, [outside] = mappings(host, servers[:1])
    servers[1].sendto(b"other port", outside)
    servers[2].sendto(b"other address", outside)
    servers[0].sendto(b"answer", outside)
    packets = arrivals(sock, b"answer")
    expected = [b"other port", b"other address", b"answer"] if others_pass else [b"answer"]
    assert packets == expected, packets
    return network


@test
def an_endpoint_independent_nat_uses_one_port_for_all_destinations(lab):
    check_mapping(lab, "endpoint-independent", True)


@test
def an_endpoint_independent_nat_lets_everybody_in_after_the_first_packet(lab):
    check_filtering(lab, "endpoint-independent", True)


@test
def a_port_restricted_nat_uses_one_port_for_all_destinations(lab):
    check_mapping(lab, "port-restricted", True)


@test
def a_port_restricted_nat_lets_only_answers_in(lab):
    check_filtering(lab, "port-restricted", False)


@test
def a_symmetric_nat_uses_a_port_for_each_destination(lab):
    check_mapping(lab, "symmetric", False)


@test
def a_symmetric_nat_lets_only_answers_in(lab):
    check_filtering(lab, "symmetric", False)


@test
def a_carrier_grade_nat_is_two_nats_in_a_row(lab):
    network, host, servers = behind(lab, "carrier-grade")
    sock, seen = mappings(host, servers)
    assert len(set(seen)) == 1, seen
    assert host.router.ipv4_address.startswith("100.64."), host.router.ipv4_address
    assert seen[0][0].startswith(network.IPV4), seen
    servers[0].sendto(b"answer", seen[0])
    assert arrivals(sock, b"answer") == [b"answer"]


def check_stranger(lab, kind):
    network, host, servers = behind(lab, kind)
    outside = (host.router.ipv4_address, PORT)
    servers[0].connect(outside)  # a connected socket learns of ICMP errors
    for _twice in range(2):
        servers[0].send(b"too early")
        assert ping(host, network.public.address)  # after a round trip the packet has been there
    assert servers[0].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
    sock, [seen] = mappings(host, servers[:1])
    assert seen == outside, "mapped to %s, not to %s" % (seen, outside)
    servers[0].send(b"now")
    assert arrivals(sock, b"now") == [b"now"]


@test
def an_endpoint_independent_nat_is_not_changed_by_a_stranger_and_does_not_answer_him(lab):
    check_stranger(lab, "endpoint-independent")


@test
def a_port_restricted_nat_is_not_changed_by_a_stranger_and_does_not_answer_him(lab):
    check_stranger(lab, "port-restricted")


@test
def a_hairpin_nat_connects_its_lans_by_its_outside_address_only(lab):
    network = Network(lab)
    router = network.router("nat", "hairpin")
    a, b = (router.host(name, router.add_lan()) for name in "ab")
    network.start()
    server = network.public.udp_socket(network.public.ipv4_address, 1000)
    socks, outside = [], []
    for number, host in enumerate((a, b)):
        sock = host.udp_socket("0.0.0.0", PORT + number)
        sock.sendto(b"hello", server.getsockname())
        socks.append(sock)
        outside.append(server.recvfrom(100)[1])
    socks[0].sendto(b"by the inside", (b.ipv4_address, PORT + 1))
    socks[0].sendto(b"by the outside", outside[1])
    assert socks[1].recvfrom(100) == (b"by the outside", outside[0])
    socks[1].sendto(b"answer", outside[0])
    assert socks[0].recvfrom(100) == (b"answer", outside[1])


@test
def a_firewall_translates_nothing_and_lets_only_answers_in(lab):
    network = Network(lab, ipv6=True)
    host = network.host("a", "firewall")
    network.start()
    for any_address, inside, first, second in (
        ("0.0.0.0", host.ipv4_address, network.public.ipv4_address, network.public.second_ipv4),
        ("::", host.ipv6_address, network.public.ipv6_address, network.public.second_ipv6),
    ):
        sock = host.udp_socket(any_address, PORT)
        server, stranger = (network.public.udp_socket(address, 1000) for address in (first, second))
        stranger.sendto(b"too early", (inside, PORT))
        sock.sendto(b"hello", (first, 1000))
        seen = server.recvfrom(100)[1]
        assert seen[:2] == (inside, PORT), seen
        stranger.sendto(b"other address", seen)
        server.sendto(b"answer", seen)
        assert arrivals(sock, b"answer") == [b"answer"]


@test
def hosts_in_one_lan_reach_each_other_also_by_multicast(lab):
    network = Network(lab)
    router = network.router("home", "hairpin")
    a, b = router.host("a"), router.host("b")
    network.start()
    group = "239.1.2.3"
    receiver = b.udp_socket("0.0.0.0", PORT)
    membership = socket.inet_aton(group) + socket.inet_aton(b.ipv4_address)
    receiver.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    for destination in (b.ipv4_address, group):
        a.udp_socket("0.0.0.0").sendto(destination.encode(), (destination, PORT))
        assert receiver.recv(100) == destination.encode()


@test
def a_round_trip_takes_what_the_four_lines_on_it_take(lab):
    network = Network(lab, delay_ms=10)
    host = network.host("a", "port-restricted")
    network.start()
    output = host.run("ping", "-n", "-c", "5", "-i", "0.2", network.public.address).stdout
    fastest = float(output.split("rtt min/avg/max/mdev = ")[1].split("/")[0])
    assert fastest >= 40, output


@test
def the_internet_loses_and_reorders_as_much_as_it_is_told(lab):
    network = Network(lab, loss=20, reorder=20)
    host = network.host("a")
    network.start()
    server = network.public.udp_socket(network.public.ipv4_address, 1000)
    sock = host.udp_socket("0.0.0.0", PORT)
    for number in range(500):
        sock.sendto(b"%d" % number, server.getsockname())
    server.settimeout(1)
    numbers = []
    try:
        while True:
            numbers.append(int(server.recv(100)))
    except socket.timeout:
        pass
    assert 325 < len(numbers) < 475, len(numbers)
    assert numbers != sorted(numbers)


@test
def large_packets_with_unfinished_checksums_cross_the_internet(lab):
    """TCP between veth devices hands over segments of up to 64 KiB without checksums."""
    network = Network(lab)
    host = network.host("a", "port-restricted")
    network.start()
    with network.public.entered():
        listener = socket.create_server((network.public.ipv4_address, 1000))
    with host.entered():
        sock = socket.create_connection(listener.getsockname(), timeout=10)
    peer, _address = listener.accept()
    peer.settimeout(10)
    data = os.urandom(1 << 20)
    child = os.fork()
    if child == 0:
        sock.sendall(data)
        os._exit(0)
    received = b""
    while len(received) < len(data):
        received += peer.recv(1 << 20)
    os.waitpid(child, 0)
    assert received == data


@test
def the_stun_server_answers_old_and_new_requests_on_ipv4_and_ipv6(lab):
    network = Network(lab, ipv6=True)
    host = network.host("a")
    network.start()
    for any_address, server, own in (
        ("0.0.0.0", network.public.ipv4_address, host.ipv4_address),
        ("0.0.0.0", network.public.second_ipv4, host.ipv4_address),
        ("::", network.public.ipv6_address, host.ipv6_address),
        ("::", network.public.second_ipv6, host.ipv6_address),
    ):
        sock = host.udp_socket(any_address)
        port = sock.getsockname()[1]
        for cookie in (stun_server.MAGIC_COOKIE, 0x01020304):
            request = stun_server.HEADER.pack(stun_server.BINDING_REQUEST, 0, cookie, bytes(range(12)))
            sock.sendto(request, (server, 3478))
            response = sock.recv(1000)
            assert response == stun_server.answer(request, (own, port)), response.hex()
            assert response[4:20] == request[4:20]


@test
def the_stun_server_encodes_the_address_of_rfc_5769(lab):
    """Section 2.2: 192.0.2.1 port 32853 for this transaction id."""
    transaction = bytes.fromhex("b7e7a701bc34d686fa87dfae")
    request = stun_server.HEADER.pack(stun_server.BINDING_REQUEST, 0, stun_server.MAGIC_COOKIE, transaction)
    response = stun_server.answer(request, ("192.0.2.1", 32853))
    assert response[20:] == bytes.fromhex("002000080001a147e112a643"), response.hex()
    assert stun_server.answer(request[:19], ("192.0.2.1", 1)) is None
    assert stun_server.answer(request + b"\0", ("192.0.2.1", 1)) is None


@test
def wireguard_interfaces_with_endpoints_reach_each_other(lab):
    network = Network(lab)
    a, b = network.host("a", "port-restricted"), network.host("b")
    network.start()
    a.wg, b.wg = WireGuard(a, 1), WireGuard(b, 2)
    a.wg.add_peer(b.wg, "endpoint", "%s:%d" % (b.address, b.wg.listen_port()))
    b.wg.add_peer(a.wg)
    assert_ping(a.wg, b.wg)


LEAVER = """
import os, sys
sys.path.insert(0, sys.argv[1])
from lab.system import Lab
from lab.network import Network
from lab.wireguard import WireGuard
lab = Lab()
network = Network(lab)
host = network.host("a")
WireGuard(host, 1)
print(os.getpid(), flush=True)
sys.stdin.read()
"""


def leave(lab, how):
    """Starts a laboratory in a process of its own and ends it by a signal. Returns its pid."""
    script = lab.write("leaver.py", LEAVER)
    here = os.path.dirname(os.path.abspath(__file__))
    process = subprocess.Popen([sys.executable, script, here], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pid = process.stdout.readline().strip()
    if not pid:
        raise LabError("the other laboratory did not start")
    process.send_signal(how)
    process.wait()
    return pid


def traces(pid):
    names = os.listdir("/run/netns") + os.listdir("/tmp") + os.listdir("/var/run/wireguard")
    return [name for name in names if name.startswith(("wice-%s-" % pid, "w%sa" % pid))]


@test
def a_laboratory_that_is_told_to_end_leaves_nothing_behind(lab):
    for how in (signal.SIGTERM, signal.SIGINT):
        pid = leave(lab, how)
        assert traces(pid) == [], traces(pid)


@test
def what_a_killed_laboratory_leaves_behind_is_removed_by_the_next(lab):
    pid = leave(lab, signal.SIGKILL)
    wait_until("its processes are gone", lambda: not run("pgrep", "-f", "w%sa$" % pid, check=False).stdout)
    remove_leftovers()
    assert traces(pid) == [], traces(pid)
