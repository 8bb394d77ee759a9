# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""WireGuard inside wiced: interfaces that it hosts, and packets that go straight to the ports of ICE."""

import os

from lab.hosted import EnginePair, Hosted
from lab.system import wait_until
from lab.testing import test
from lab.wireguard import WireGuard, assert_ping, ping


@test
def packets_go_straight_from_the_engine_to_the_ports_of_ice(lab):
    pair = EnginePair(lab, "port-restricted", "port-restricted")
    for peer in pair.wait_mechanism("inprocess"):
        assert peer["path"] == "nat", peer
    assert_ping(pair.a.wg, pair.b.wg)
    for host, other in pair.ends:
        assert host.wiced.interface(host.wg.name)["kind"] == "engine"
        endpoint = host.wg.show("endpoints")[other.wg.public_key]
        assert endpoint.split(":")[0] == other.router.ipv4_address, endpoint
        # No hop over the loopback interface.
        assert "127.128." not in host.run("ss", "-uan").stdout


@test
def an_engine_reaches_a_peer_behind_the_userspace_proxy(lab):
    pair = EnginePair(lab, "endpoint-independent", "symmetric", make_b=WireGuard)
    pair.wait_mechanism("inprocess", [pair.a])
    pair.wait_mechanism("user", [pair.b])
    assert_ping(pair.a.wg, pair.b.wg)


@test
def on_a_direct_path_the_engine_uses_the_ports_of_ice_too(lab):
    pair = EnginePair(lab)
    for peer in pair.wait_mechanism("inprocess"):
        assert peer["path"] == "direct", peer
    assert_ping(pair.a.wg, pair.b.wg)


@test
def a_new_path_replaces_the_old_one_and_no_packet_is_lost(lab):
    pair = EnginePair(lab, "port-restricted", "endpoint-independent")
    pair.wait_mechanism("inprocess")
    answers = pair.a.spawn("ping", "ping", "-n", "-c", "100", "-i", "0.05", "-W", "30", pair.b.wg.address)
    for restarted, other in pair.ends:
        before = [host.wg.show("endpoints") for host in (pair.a, pair.b)]
        restarted.wiced.wice("restart", restarted.wg.name, other.wg.public_key)
        wait_until(
            "both ends have another path",
            lambda: all(host.wg.show("endpoints") != old for host, old in zip((pair.a, pair.b), before)),
        )
        pair.wait_mechanism("inprocess")
    assert answers.exit_status() == 0
    assert " 100 received" in answers.log(), answers.log()
    for host in (pair.a, pair.b):
        assert "another hand" not in host.wiced.process.log(), "a path of ours was taken for the user's"


@test
def what_was_hosted_is_gone_after_a_crash_and_works_again_when_made_anew(lab):
    pair = EnginePair(lab, "port-restricted", "port-restricted")
    pair.wait_mechanism("inprocess")
    pair.a.wiced.kill()
    wait_until("the interface is gone", lambda: not pair.a.wg.exists())
    pair.a.wiced.start()
    pair.a.wg.up()
    pair.a.wg.add_peer(pair.b.wg)
    pair.wait_mechanism("inprocess")
    assert_ping(pair.a.wg, pair.b.wg)


@test
def wiced_lets_go_of_an_interface_that_is_deleted(lab):
    pair = EnginePair(lab)
    pair.a.wg.destroy()
    assert not pair.a.wg.exists() and pair.a.wiced.interface(pair.a.wg.name) is None
    pair.b.ip("link delete " + pair.b.wg.name)
    wait_until("wiced has noticed", lambda: pair.b.wiced.interface(pair.b.wg.name) is None)
    assert not os.path.exists("/var/run/wireguard/%s.sock" % pair.b.wg.name)
    pair.b.wg.up()
    wait_until("it is back", lambda: pair.b.wiced.interface(pair.b.wg.name))
    pair.b.wiced.stop()
    assert not pair.b.wg.exists() and not os.path.exists("/var/run/wireguard/%s.sock" % pair.b.wg.name)


@test
def paths_in_process_outlive_what_is_done_to_the_interface(lab):
    pair = EnginePair(lab, "port-restricted", "endpoint-independent")
    pair.wait_mechanism("inprocess")
    a, b = pair.a.wg, pair.b.wg
    for what, change in (
        ("down and up", lambda: (a.host.ip("link set %s down" % a.name), a.host.ip("link set %s up" % a.name))),
        ("another port", lambda: a.set("listen-port", "47110")),
        ("another mtu", lambda: a.host.ip("link set %s mtu 1300" % a.name)),
        ("another mark", lambda: a.set("fwmark", "0x77")),
        ("no mark", lambda: a.set("fwmark", "0")),
    ):
        change()
        assert ping(a.host, b.address, deadline=60), what
        assert ping(b.host, a.address, deadline=60), what
        pair.wait_mechanism("inprocess")


def connects(lab, a, b, **options):
    pair = EnginePair(lab, a, b, **options)
    pair.wait_mechanism("inprocess")
    assert_ping(pair.a.wg, pair.b.wg)


@test
def engines_connect_through_carrier_grade_nats(lab):
    connects(lab, "carrier-grade", "carrier-grade")


@test
def engines_connect_through_a_symmetric_nat(lab):
    connects(lab, "symmetric", "endpoint-independent")


@test
def engines_connect_through_nats_over_an_internet_that_loses_and_reorders(lab):
    connects(lab, "port-restricted", "port-restricted", loss=5, reorder=10)
