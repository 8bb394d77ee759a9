# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Signaling backends other than a plain signaling server."""

import os

from lab.network import Network
from lab.system import run, wait_until
from lab.testing import test
from lab.wice import Pair
from lab.wireguard import assert_ping


@test
def hosts_of_one_lan_find_each_other_by_multicast_without_any_server(lab):
    network = Network(lab)
    router = network.router("home", "port-restricted")
    pair = Pair(lab, network=network, hosts=(router.host("a"), router.host("b")))
    pair.start(backends=["multicast://"], stun=False)
    pair.wait_path("direct")
    assert_ping(pair.a.wg, pair.b.wg)


@test
def hosts_of_one_lan_find_each_other_by_multicast_over_ipv6_only(lab):
    network = Network(lab, ipv4=False, ipv6=True)
    router = network.router("home", "firewall")
    pair = Pair(lab, network=network, hosts=(router.host("a"), router.host("b")))
    pair.start(backends=["multicast://"], stun=False)
    pair.wait_path("direct")
    assert_ping(pair.a.wg, pair.b.wg)


def make_certificate(lab, name, address):
    """A self-signed certificate for an IP address; returns the paths of certificate and key."""
    certificate, key = lab.file(name + ".crt"), lab.file(name + ".key.pem")
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=signal.test",
        "-addext", "subjectAltName=IP:" + address)  # fmt: skip
    return certificate, key


def serve_tls(lab, pair, query=""):
    certificate, key = make_certificate(lab, "server", pair.network.public.address)
    pair.serve("--tls-cert", certificate, "--tls-key", key, scheme="grpcs", query=query)
    return certificate


@test
def a_signaling_server_with_a_self_signed_certificate_is_trusted_when_told_so(lab):
    pair = Pair(lab, "endpoint-independent", "port-restricted")
    query = "?ca=" + lab.file("server.crt")
    assert os.path.basename(serve_tls(lab, pair, query)) == "server.crt"
    pair.start()
    pair.wait_connected()
    assert_ping(pair.a.wg, pair.b.wg)


@test
def a_signaling_server_with_an_unknown_certificate_is_refused_and_the_reason_told(lab):
    pair = Pair(lab)
    serve_tls(lab, pair)
    pair.start()

    def reason():
        [backend] = pair.a.wiced.status()["backends"]
        assert not backend["ready"]
        return backend["reason"] if "certificate" in backend["reason"].lower() else None

    wait_until("the reason is the certificate", reason)


@test
def two_backends_at_once_are_as_good_as_one(lab):
    network = Network(lab)
    router = network.router("home", "port-restricted")
    pair = Pair(lab, network=network, hosts=(router.host("a"), router.host("b"))).serve()
    pair.start(backends=[pair.signaling.url, "multicast://", "grpc://203.0.113.77:8080"])
    pair.wait_path("direct")
    assert_ping(pair.a.wg, pair.b.wg)
