# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""`wice relay` and the clients of others: coturn's tools and libnice. What it refuses, how it ends, and what it survives."""

import ctypes
import fcntl
import re
import shutil
import signal
import socket
import struct
import ssl
import subprocess
import threading
import time

from lab.network import Network, program
from lab.relay import PASSWORD, PORT, REALM, USER, WiceRelay
from lab.system import Skip, run, wait_until
from lab.testing import test

TLS_PORT = 5349
PEER_PORT = 3480


class Bed:
    """A relay, a host of clients and a host of peers."""

    def __init__(self, lab, *options, tls=False):
        self.lab = lab
        self.network = Network(lab, ipv6=True, delay_ms=1)
        self.server, self.client, self.peer = (self.network.host(name) for name in ("relay", "client", "peer"))
        self.network.start()
        options = ["--user-allocations=1000", "--address-allocations=1000", *options]
        if tls:
            certificate, key = lab.file("relay.crt"), lab.file("relay.key")
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                "-days", "2", "-subj", "/CN=relay.test")  # fmt: skip
            options += ["--listen", "tls:*:%d" % TLS_PORT, "--cert", certificate, "--key", key]
        self.relay = WiceRelay(self.server, *options)
        self.n = 0

    def address(self, host, family=4):
        return host.ipv4_address if family == 4 else host.ipv6_address

    def tool(self, name, *words):
        if not shutil.which(name):
            raise Skip("%s is not installed" % name)
        self.n += 1
        return self.client.spawn("%s-%d" % (name, self.n), name, *words)

    def serve_peers(self):
        words = [word for family in (4, 6) for word in ("-L", self.address(self.peer, family))]
        self.peer.spawn("peer", "turnutils_peer", "-p", PEER_PORT, *words)

    def uclient(self, *words, family=4, to_peer=True, peer=None, user=USER, password=PASSWORD, port=PORT):
        """coturn's client against the relay."""
        words = ["-u", user, "-w", password, "-p", port, "-L", self.address(self.client, family), "-n", 20, "-m", 2,
                 "-l", 200, *words]  # fmt: skip
        if to_peer:
            words += ["-e", peer or self.address(self.peer, family), "-r", PEER_PORT]
        if family == 6:
            words += ["-x"]
        return self.tool("turnutils_uclient", *words, self.address(self.server, family))

    def load(self, *words, family=4):
        """Our client, from the benches."""
        address = "%s:%d" % (self.server.ipv4_address, PORT) if family == 4 else "[%s]:%d" % (self.server.ipv6_address, PORT)
        return subprocess.Popen(
            [str(word) for word in self.client.command(program("tests", "bench", "bench-relay-load"), words[0], address,
                                                       USER, PASSWORD, *words[1:])],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip

    def hold(self, n, family=4):
        """So many allocations, for as long as its input is open."""
        load = self.load("hold", n, family=family)
        line = load.stdout.readline()
        assert line.startswith("ready"), line + load.stderr.read()
        return load

    def status(self):
        """What SIGUSR1 makes it print, as numbers in their order."""
        before = self.relay.process.log().count("fast path:")
        self.relay.process.signal(signal.SIGUSR1)
        wait_until("the relay prints what it does", lambda: self.relay.process.log().count("fast path:") > before)
        text = self.relay.process.log()
        text = text[text.rindex("allocations:"):]
        return [int(number) for number in re.findall(r"\d+", text)][:7]

    def n_allocations(self):
        return self.status()[0]


def assert_served(client, max_lost=0):
    status = client.exit_status()
    log = client.log()
    lost = re.findall(r"Total lost packets (\d+)", log)
    assert status == 0 and lost and int(lost[-1]) <= max_lost, "%s: %s" % (" ".join(client.command), log[-3000:])


def assert_nothing_lost(client):
    assert_served(client)


@test(timeout=240)
def coturns_client_relays_to_peers_over_udp_and_tcp_ipv4_and_ipv6_by_channels_and_indications(lab):
    bed = Bed(lab)
    bed.serve_peers()
    clients = [bed.uclient(*transport, *method, family=family)
               for family in (4, 6) for transport in ([], ["-t"]) for method in ([], ["-s"], ["-D"])]  # fmt: skip
    for client in clients:
        assert_nothing_lost(client)
    assert bed.status()[3] >= len(clients) * 2 * 2 * 20, "not all packets were counted"


@test(timeout=240)
def coturns_client_relays_to_another_client_of_the_same_relay(lab):
    bed = Bed(lab)
    clients = [bed.uclient("-y", *transport, *method, family=family, to_peer=False)
               for family in (4, 6) for transport in ([], ["-t"]) for method in ([], ["-s"])]  # fmt: skip
    for client in clients:
        assert_nothing_lost(client)


def complete_checksums(host):
    """Its packets have whole checksums, as from a machine of its own; the fast path takes no others. As `ethtool -K eth0 tx off`."""
    ethtool_set_checksums, ioctl_ethtool = 0x17, 0x8946
    value = ctypes.create_string_buffer(struct.pack("II", ethtool_set_checksums, 0))
    with host.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, ioctl_ethtool, struct.pack("16sP16x", b"eth0", ctypes.addressof(value)))


for MODE in ("auto", "generic", "tc", "off"):

    @test(name="packets are relayed and counted with the fast path %s" % MODE, timeout=180)
    def _(lab, mode=MODE):
        bed = Bed(lab, "--fast-path", mode)
        for host in (bed.client, bed.peer):
            complete_checksums(host)
        bed.serve_peers()
        clients = [bed.uclient("-c", "-n", 100, family=family) for family in (4, 6)]
        clients += [bed.uclient("-c", "-y", "-n", 100, family=family, to_peer=False) for family in (4, 6)]
        for client in clients:
            assert_nothing_lost(client)
        _now, _total, _refused, relayed, _bytes, fast = bed.status()[:6]
        assert (fast > 0) == (mode != "off"), bed.relay.process.log()
        # To peers: each packet there and back. To each other: from one to the other, by both.
        assert relayed >= 2 * 2 * 2 * 100, bed.status()


@test(timeout=240)
def coturns_client_relays_with_tls_mobility_and_requests_that_are_not_needed(lab):
    bed = Bed(lab, tls=True)
    bed.serve_peers()
    # It tries old versions of TLS, too, which its own library refuses; it then begins again.
    tls = [bed.uclient("-t", "-S", *method, family=family, port=TLS_PORT) for family in (4, 6) for method in ([], ["-s"])]
    # Not -Z, two families at once: it says so with an attribute that RFC 8656 has numbered otherwise.
    others = [bed.uclient(*words) for words in (["-M"], ["-M", "-t"], ["-G"])]
    for client in tls + others:
        assert_nothing_lost(client)


@test
def coturns_tools_learn_their_address_and_whether_it_is_translated(lab):
    bed = Bed(lab)
    for family in (4, 6):
        address = bed.address(bed.server, family)
        stun = bed.tool("turnutils_stunclient", "-p", PORT, address)
        assert stun.exit_status() == 0 and bed.address(bed.client, family) in stun.log(), stun.log()
    discovery = bed.tool("turnutils_natdiscovery", "-m", "-p", PORT, bed.server.ipv4_address)
    discovery.exit_status()
    assert bed.client.ipv4_address in discovery.log(), discovery.log()


@test(timeout=180)
def libnices_agents_meet_by_relayed_candidates_only(lab):
    bed = Bed(lab)
    for transport in ("udp", "tcp"):
        for family in (4, 6):
            agents = bed.client.spawn("nice-%s-%d" % (transport, family), program("tests", "netns", "netns-nice-relay"),
                                      bed.address(bed.server, family), PORT, USER, PASSWORD, transport)  # fmt: skip
            assert agents.exit_status(90) == 0, agents.log()
    assert bed.status()[3] > 0


@test
def a_wrong_password_an_unknown_user_and_denied_peers_are_refused(lab):
    bed = Bed(lab)
    bed.server.ip("addr add 198.51.100.77/32 dev lo")
    clients = [bed.uclient("-c", password="wrong"), bed.uclient("-c", user="mallory"),
               bed.uclient("-c", peer="127.0.0.1"), bed.uclient("-c", peer="10.1.2.3"),
               bed.uclient("-c", peer=bed.server.ipv4_address), bed.uclient("-c", peer="198.51.100.77")]  # fmt: skip
    for client in clients:
        wait_until("the client is told", lambda client=client: re.search(r"error (401|403)|error 4\d\d", client.log())
                   or not client.is_running())  # fmt: skip
        assert "Total transmit" not in client.log(), client.log()
        client.stop()
    assert bed.status()[3] == 0, "something was relayed"


for QUOTA, REFUSAL in (("user-allocations", "This user has as many"), ("address-allocations", ""), ("allocations", "")):

    @test(name="the quota %s is kept, and what is given back may be taken again" % QUOTA)
    def _(lab, option=QUOTA, refusal=REFUSAL):
        bed = Bed(lab, "--%s=3" % option)
        holder = bed.hold(3)
        other = bed.load("hold", 1)
        _out, error = other.communicate(timeout=60)
        assert other.returncode != 0 and refusal in error, error
        allocations, total, refused = bed.status()[:3]
        assert (allocations, total, refused) == (3, 3, 1), bed.status()
        holder.communicate(timeout=60)
        wait_until("they are given back", lambda: bed.n_allocations() == 0)
        bed.hold(3).communicate(timeout=60)


@test
def a_relay_that_drains_refuses_new_clients_and_ends_with_the_last_one(lab):
    bed = Bed(lab)
    holder = bed.hold(2)
    bed.relay.process.signal(signal.SIGUSR2)
    bed.relay.process.wait_for_line("no new clients; waiting for 2 allocations to end")
    other = bed.load("hold", 1)
    other.communicate(timeout=60)
    assert other.returncode != 0
    assert bed.relay.process.is_running()
    holder.communicate(timeout=60)
    assert bed.relay.process.exit_status() == 0
    assert "the last client has gone" in bed.relay.process.log()


@test
def a_relay_that_drains_sends_clients_elsewhere(lab):
    bed = Bed(lab, "--drain-to", "198.51.100.7:3478")
    holder = bed.hold(1)
    bed.relay.process.signal(signal.SIGUSR2)
    bed.relay.process.wait_for_line("no new clients")
    _out, error = bed.load("hold", 1).communicate(timeout=60)
    assert "another one" in error, error
    holder.communicate(timeout=60)
    assert bed.relay.process.exit_status() == 0


@test(timeout=180)
def a_relay_that_was_killed_can_be_started_again_at_once(lab):
    bed = Bed(lab)
    bed.serve_peers()
    bed.hold(20)
    stream = bed.uclient("-t", "-n", 2000)
    wait_until("a client is relayed for over TCP", lambda: bed.status()[3] > 10)
    bed.relay.process.kill()
    bed.relay.start()
    stream.kill()
    clients = [bed.uclient(), bed.uclient("-t")]
    for client in clients:
        assert_nothing_lost(client)


def connect_all(host, address, n):
    socks = []
    with host.entered():
        for _ in range(n):
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            sock.setblocking(False)
            sock.connect_ex(address)
            socks.append(sock)
    return socks


def is_over(sock):
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


@test(timeout=180)
def thousands_of_connections_that_say_nothing_keep_nobody_out_and_are_hung_up_on(lab):
    bed = Bed(lab, tls=True)
    bed.serve_peers()
    silent = connect_all(bed.client, (bed.server.ipv4_address, PORT), 1000)
    silent += connect_all(bed.client, (bed.server.ipv4_address, TLS_PORT), 1000)
    started = time.monotonic()
    # The first have had to make room for the others.
    wait_until("some of those are over", lambda: sum(map(is_over, silent)) > 900)
    for client in (bed.uclient(), bed.uclient("-t"), bed.uclient("-t", "-S", port=TLS_PORT)):
        assert_served(client, max_lost=20)  # of 40: the machine has much else to do
    wait_until("all of those are over", lambda: all(map(is_over, silent)), timeout=100)
    assert time.monotonic() - started > 5, "they were given no time at all"
    assert bed.n_allocations() >= 0


@test(timeout=180)
def who_asks_over_tcp_and_does_not_read_costs_little_memory(lab):
    bed = Bed(lab)
    requests = struct.pack(">HHI12s", 0x0001, 0, 0x2112A442, b"not to be re") * 30000

    def rss_kib():
        with open("/proc/%d/status" % bed.relay.process.pid, encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s*(\d+)", file.read()).group(1))

    before = rss_kib()
    socks = connect_all(bed.client, (bed.server.ipv4_address, PORT), 100)
    for sock in socks:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(60)
        sock.sendall(requests)
    assert rss_kib() - before < 8192, "%d KiB, and before %d" % (rss_kib(), before)


def start_tls(host, address):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with host.entered():
        sock = socket.create_connection(address, timeout=20)
    return context.wrap_socket(sock)


@test(timeout=180)
def handshakes_that_are_begun_and_left_keep_nobody_else_from_theirs(lab):
    bed = Bed(lab, tls=True)
    address = (bed.server.ipv4_address, TLS_PORT)
    begun = connect_all(bed.client, address, 100) + connect_all(bed.server, address, 100)
    for sock in begun:
        sock.setblocking(True)
        sock.sendall(b"\x16")  # the first byte of a record
    # They would last for 30 s each, 8 at a time.
    start_tls(bed.peer, address).close()


@test(timeout=180)
def who_sends_over_tls_without_a_pause_does_not_keep_the_relay_from_others(lab):
    bed = Bed(lab, tls=True)
    request = struct.pack(">HHI12s", 0x0001, 0, 0x2112A442, b"no end of it")
    socks = [start_tls(bed.client, (bed.server.ipv4_address, TLS_PORT)) for _ in range(4)]
    over = threading.Event()

    def send(sock):
        sock.settimeout(None)
        while not over.is_set():
            sock.sendall(request * 800)

    senders = [threading.Thread(target=send, args=[sock], daemon=True) for sock in socks]
    for sender in senders:
        sender.start()
    asker = bed.peer.udp_socket("0.0.0.0")
    asker.settimeout(5)
    try:
        for _ in range(10):
            asker.sendto(request, (bed.server.ipv4_address, PORT))
            assert asker.recv(100)[8:20] == request[8:]
    finally:
        over.set()
        for sender in senders:
            sender.join(timeout=10)


@test
def garbage_over_every_transport_changes_nothing(lab):
    bed = Bed(lab, tls=True)
    address = (bed.server.ipv4_address, PORT)
    packets = [b"", b"\0", b"\0" * 20, b"\x40\0\xff\xff", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 5, b"\xff" * 1400]
    udp = bed.client.udp_socket("0.0.0.0")
    for packet in packets:
        udp.sendto(packet, address)
    for packet, port in ((packet, port) for packet in packets for port in (PORT, TLS_PORT)):
        with bed.client.entered(), socket.create_connection((address[0], port)) as sock:
            try:
                sock.sendall(packet)
                sock.shutdown(socket.SHUT_WR)
                sock.settimeout(10)
                while sock.recv(1000):
                    pass
            except OSError:
                pass
    bed.hold(1).communicate(timeout=60)
    assert bed.status()[1] == 1


@test
def what_the_relay_cannot_do_is_said_and_its_secrets_are_on_no_command_line(lab):
    wice = program("tools", "wice")
    users = lab.write("users", "%s:%s\n" % (USER, PASSWORD))
    config = lab.write("relay.conf", "# the relay\nlisten = udp:127.0.0.1:0\nrelay-address 127.0.0.1\npermit-loopback\n"
                       "user = bob:builder\nrealm=%s\n" % REALM)  # fmt: skip
    for words, text in (
        ([], "no users"),
        (["--users-file", lab.file("none")], "No such file"),
        (["--users-file", lab.write("bad", "nobody\n")], "line 1"),
        (["--users-file", users, "--listen", "sctp:*:1"], "sctp:*:1"),
        (["--users-file", users, "--listen", "udp:192.0.2.99:3478"], "192.0.2.99"),
        (["--users-file", users, "--listen", "tls:*:0"], "certificate"),
        (["--users-file", users, "--listen", "tls:*:0", "--cert", lab.file("none.pem")], "none.pem"),
        (["--users-file", users, "--relay-address", "here"], "here"),
        (["--users-file", users, "--relay-address", "192.0.2.99"], "does not have the address"),
        (["--users-file", users, "--relay-address", "0.0.0.0"], "0.0.0.0"),
        (["--users-file", users, "--relay-address", "::"], "'::'"),
        (["--users-file", users, "--relay-address", "224.0.0.1/127.0.0.1"], "224.0.0.1"),
        (["--users-file", users, "--drain-to", "elsewhere"], "ADDRESS:PORT"),
        (["--users-file", users, "--drain-to", "192.0.2.1:0"], "ADDRESS:PORT"),
        (["--users-file", lab.write("binary", "%s:%s\n\0\nbob:builder\n" % (USER, PASSWORD))], "no text file"),
        (["--users-file", users, "--port-range", "9-1"], "9-1"),
        (["--users-file", users, "--realm", "x" * 100], "realm"),
        (["--users-file", users, "--fast-path", "magic"], "magic"),
        (["--user", "bob:builder"], "--user"),
        (["--config", lab.write("bad.conf", "nonsense = 1\n")], "nonsense"),
    ):
        result = run(wice, "relay", *words, check=False)
        assert result.returncode in (1, 2) and text in result.stderr, (words, result.stderr)
        assert PASSWORD not in result.stderr
    bed = Bed(lab)
    process = bed.server.spawn("configured", wice, "relay", "--config", config)
    process.wait_for_line("listening at udp:127.0.0.1:")
    assert process.stop() == 0
    silent = subprocess.Popen(bed.server.command(wice, "relay", "--config", config), stdout=subprocess.PIPE)
    assert b"listening" in silent.stdout.readline()
    while b"fast path" not in silent.stdout.readline():
        pass
    silent.stdout.close()
    silent.send_signal(signal.SIGUSR1)
    silent.send_signal(signal.SIGUSR2)  # it ends, as it has no clients
    assert silent.wait(timeout=60) != -signal.SIGPIPE
    stun = bed.server.spawn("stun-only", wice, "relay", "--stun-only", "--listen", "udp:127.0.0.1:0")
    stun.wait_for_line("fast path: off")
    stun.stop()
    busy = bed.server.run(wice, "relay", "--users-file", users, "--listen", "udp:*:%d" % PORT, check=False)
    assert busy.returncode == 1 and "another program" in busy.stderr, busy.stderr
