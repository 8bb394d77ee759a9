# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""`wice check`: servers that are well, and for everything that can be wrong with one a sentence that says it."""

import contextlib
import json
import socket
import threading
import time

from lab.network import Network, program
from lab.relay import PASSWORD, PORT, USER, Coturn, WiceRelay, make_certificate
from lab.system import run, wait_until
from lab.testing import test

TLS_PORT = 5349
NAME = "relay.test"


class Bed:
    """A relay and a host that checks it, with names of its own."""

    def __init__(self, lab, *options, make_relay=Coturn, behind=None, ipv6=False):
        self.lab = lab
        self.network = Network(lab, ipv6=ipv6)
        self.server = self.network.host("relay")
        self.client = self.network.host("client", behind=behind) if behind else self.network.host("client")
        self.network.start()
        self.relay = make_relay(self.server, *options)
        self.hosts = lab.write("hosts", "%s %s\n" % (self.server.address, NAME), mode=0o644)
        self.resolver = lab.write("resolv.conf", "nameserver %s\noptions timeout:1 attempts:1\n" % self.server.address, mode=0o644)

    def check(self, *servers, options=(), status=0):
        """The results, of wice that sees our names."""
        mounted = "mount --bind %s /etc/hosts; mount --bind %s /etc/resolv.conf; exec \"$@\"" % (self.hosts, self.resolver)
        result = self.client.run("unshare", "-m", "sh", "-ec", mounted, "sh", program("tools", "wice"), "check", "--json",
                                 *options, *servers, check=False)  # fmt: skip
        assert result.returncode == status, (result.returncode, result.stdout, result.stderr)
        return json.loads(result.stdout)["servers"] if result.stdout else result.stderr

    def check_one(self, *servers, **options):
        results = self.check(*servers, **options)
        assert len(results) == 1, results
        return results[0]

    def assert_fails(self, server, step, sentence, code=None, **options):
        result = self.check_one(server, status=1, **options)
        assert not result["ok"] and result["step"] == step and sentence in result["reason"], result
        assert result["code"] == code, result

    def url(self, kind="turn", query="", host=None, port=PORT):
        return "%s:%s:%d%s" % (kind, host or self.server.address, port, query)

    def stop_relay(self):
        self.relay.stop()


def assert_well(result):
    assert result["ok"] and result["step"] == "done" and result["reason"] == "", result
    assert result["rtt_us"] and result["allocate_ms"] and result["relay_us"], result
    assert result["relayed_ipv4"] or result["relayed_ipv6"], result


@contextlib.contextmanager
def answering(host, port, answer):
    """A UDP service that answers each packet with answer(packet)."""
    sock = host.udp_socket(host.address, port)
    ended = threading.Event()

    def serve():
        sock.settimeout(0.1)
        while not ended.is_set():
            with contextlib.suppress(socket.timeout):
                packet, source = sock.recvfrom(2048)
                sock.sendto(answer(packet), source)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        sock.close()


for RELAY in (Coturn, WiceRelay):

    @test(name="%s is found well over UDP and TCP, by address and by name" % RELAY.__name__)
    def _(lab, make_relay=RELAY):
        bed = Bed(lab, make_relay=make_relay, ipv6=True)
        option, plain = bed.relay.option(), bed.url("stun")
        results = bed.check(option, bed.relay.option("?transport=tcp"), plain, bed.relay.option(address=NAME),
                            bed.relay.option(address=bed.server.ipv6_address))  # fmt: skip
        assert len(results) == 5, results
        for result in results:
            assert result["ok"], result
        for result in results[:2] + results[3:]:
            assert_well(result)
        assert results[1]["connect_ms"] and not results[0]["connect_ms"], results
        assert results[2]["relayed_ipv4"] is None and results[2]["outside"].startswith(bed.client.ipv4_address), results
        assert results[3]["resolve_ms"] and results[3]["server"] == results[0]["server"], results
        assert results[4]["outside"].startswith("[" + bed.client.ipv6_address), results
        assert all(result["nat"] == "none" for result in results), results


@test
def what_is_checked_is_shown_as_a_table(lab):
    bed = Bed(lab)
    shown = bed.client.run(program("tools", "wice"), "check", *bed.relay.option().split()).stdout
    lines = shown.splitlines()
    assert lines[0].split() == ["SERVER", "ADDRESS", "RESULT", "ANSWER", "ALLOCATION", "RELAYED"], shown
    assert lines[1].split()[:3] == [bed.url(), "%s:%d" % (bed.server.address, PORT), "ok"], shown
    assert lines[-1] == "IPv4: seen from outside as %s, NAT: none" % bed.client.address, shown


@test
def what_the_configuration_of_wiced_names_is_checked(lab):
    bed = Bed(lab)
    text = "[daemon]\nstun = %s\nrelay = %s username=%s password=%s\n" % (bed.url("stun"), bed.url(), USER, PASSWORD)
    results = bed.check(options=["--config", lab.write("wiced.conf", text)])
    assert [result["url"] for result in results] == [bed.url("stun"), bed.url()], results
    assert_well(results[1])


@test
def a_command_line_that_makes_no_sense_is_refused(lab):
    bed = Bed(lab)
    for words in ([], ["example.org"], ["turn:"], [bed.url() + " password=" + PASSWORD], [bed.url(), "--config", "x"]):
        assert "wice: " in bed.check(*words, status=2)


for KIND, EXPECTED in (("symmetric", "endpoint-dependent"), ("port-restricted", "endpoint-independent")):

    @test(name="a %s NAT is told from what two servers see" % KIND)
    def _(lab, kind=KIND, expected=EXPECTED):
        bed = Bed(lab, behind=kind)
        results = bed.check(bed.relay.option(), bed.network.stun_url())
        assert_well(results[0])
        assert [result["nat"] for result in results] == [expected] * 2, results
        assert results[0]["outside"].split(":")[0] == results[1]["outside"].split(":")[0], results


@test
def a_wrong_password_is_told(lab):
    bed = Bed(lab)
    wrong = lab.write("wrong", "looking-glass")
    bed.assert_fails("%s username=%s password-file=%s" % (bed.url(), USER, wrong), "allocate",
                     'The server refuses the user name "alice" or the password (401)', 401)  # fmt: skip
    bed.assert_fails(bed.url(), "allocate", "The server wants a user name and a password (401)", 401)
    bed.assert_fails("%s username=%s password-file=/nowhere" % (bed.url(), USER), "allocate", "/nowhere")


@test
def time_limited_names_are_made_and_an_expired_one_is_told(lab):
    secret, wrong, password = lab.write("secret", "s3cret"), lab.write("wrong", "other"), lab.write("password", "x")
    bed = Bed(lab, "--use-auth-secret", "--static-auth-secret", "s3cret")
    assert_well(bed.check_one("%s secret-file=%s" % (bed.url(), secret)))
    bed.assert_fails("%s secret-file=%s" % (bed.url(), wrong), "allocate", "the clock of this host or the server is wrong", 401)
    bed.assert_fails("%s username=1500000000:alice password-file=%s" % (bed.url(), password), "allocate", "which expired", 401)


@test
def a_quota_is_told(lab):
    bed = Bed(lab, "--user-quota=1")
    bed.assert_fails(bed.relay.option(), "allocate",
                     "This user has as many allocations as the server allows (486); two are needed, one for each end.",
                     486)  # fmt: skip


@test
def a_server_without_room_is_told(lab):
    bed = Bed(lab, "--min-port=50000", "--max-port=50000")
    bed.assert_fails(bed.relay.option(), "allocate", "The server has no room for more allocations (508)", 508)


@test
def a_family_that_is_not_relayed_is_told(lab):
    bed = Bed(lab)
    result = bed.check_one(bed.relay.option())
    assert_well(result)
    assert result["relayed_ipv4"] and result["relayed_ipv6"] is None, result


@test
def peers_that_the_server_denies_are_told(lab):
    bed = Bed(lab, "--denied-peer-ip=0.0.0.0-255.255.255.255")
    bed.assert_fails(bed.relay.option(), "relay", "The server forbids to relay to its own addresses", 403)


@test
def certificates_are_checked(lab):
    certificate, key = make_certificate(lab, NAME)
    bed = Bed(lab, "--tls-listening-port", TLS_PORT, "--cert", certificate, "--pkey", key)
    good = bed.relay.option(scheme="turns", address=NAME, port=TLS_PORT)
    assert_well(bed.check_one("%s ca-file=%s" % (good, certificate)))
    bed.assert_fails(good, "connect", "certificate is not signed by an authority that is trusted here")
    by_address = bed.relay.option(scheme="turns", port=TLS_PORT)
    bed.assert_fails("%s ca-file=%s" % (by_address, certificate), "connect", "certificate is for another name")


@test
def an_expired_certificate_is_told(lab):
    authority, authority_key = make_certificate(lab, "authority.test")
    request, key, certificate = lab.file("request"), lab.file("key"), lab.file("certificate")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", request,
        "-subj", "/CN=" + NAME, "-addext", "subjectAltName=DNS:" + NAME)  # fmt: skip
    run("openssl", "x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-set_serial", "2",
        "-copy_extensions", "copy", "-days", "0", "-out", certificate)  # fmt: skip
    # It was valid for a second, which has to be over.
    made = time.time()
    wait_until("the certificate expires", lambda: time.time() > made + 2)
    bed = Bed(lab, "--tls-listening-port", TLS_PORT, "--cert", certificate, "--pkey", key)
    option = bed.relay.option(scheme="turns", address=NAME, port=TLS_PORT)
    bed.assert_fails("%s ca-file=%s" % (option, authority), "connect", "certificate has expired")


@test
def a_server_without_tls_is_told(lab):
    bed = Bed(lab, make_relay=WiceRelay)
    bed.assert_fails(bed.relay.option(scheme="turns", address=NAME), "connect", "does the server speak TLS at port 3479?", options=["--timeout", "5"])


@test
def a_firewall_that_drops_is_told(lab):
    bed = Bed(lab)
    rules = "table inet f { chain f { type filter hook input priority 0; %s dport %d drop; }; }"
    bed.server.run("nft", "-f", "-", stdin=rules % ("udp", PORT))
    quick = ["--timeout", "2"]
    bed.assert_fails(bed.relay.option(), "binding", "a firewall drops UDP to port %d; ?transport=tcp would tell" % PORT, options=quick)
    assert_well(bed.check_one(bed.relay.option("?transport=tcp")))
    bed.server.run("nft", "-f", "-", stdin=rules % ("tcp", PORT))
    bed.assert_fails(bed.relay.option("?transport=tcp"), "connect", "a firewall drops TCP to port %d" % PORT, options=quick)


@test
def a_port_where_nothing_listens_is_told(lab):
    bed = Bed(lab)
    bed.assert_fails(bed.url(port=PORT + 5), "binding", "Nothing listens at")
    bed.assert_fails(bed.url("stun", port=PORT + 5), "binding", "is %d its port?" % (PORT + 5))
    bed.assert_fails(bed.url(port=PORT + 5, query="?transport=tcp"), "connect", "refused; is the server running")


@test
def names_that_do_not_resolve_are_told(lab):
    bed = Bed(lab)
    # The question with the flags of an answer: there is no such name.
    with answering(bed.server, 53, lambda packet: packet[:2] + b"\x81\x83" + packet[4:]):
        bed.assert_fails("turn:nosuch.test", "resolve", "There is no such name as nosuch.test")
    bed.assert_fails("turn:nosuch.test", "resolve", "No name server tells the address of nosuch.test")


@test
def what_is_no_stun_server_is_told(lab):
    bed = Bed(lab)
    with answering(bed.server, 7, lambda packet: packet):
        bed.assert_fails(bed.url("stun", port=7), "binding", "What answers there is no STUN server; is 7 its port?")
    with answering(bed.server, 9, lambda packet: b"go away"):
        bed.assert_fails(bed.url(port=9), "binding", "What answers there is no STUN server; is 9 its port?")


@test
def a_stun_server_is_no_turn_server(lab):
    bed = Bed(lab)
    turn = bed.network.stun_url().replace("stun:", "turn:")
    bed.assert_fails(turn, "allocate", "is it a STUN server only?", options=["--timeout", "2"])


@test
def one_that_fails_does_not_hide_those_that_are_well(lab):
    bed = Bed(lab)
    results = bed.check(bed.url("stun", port=PORT + 5), bed.relay.option(), status=1)
    assert [result["ok"] for result in results] == [False, True], results
