# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""What changes while wiced runs: addresses, keys, ports, peers, interfaces, and wiced itself."""

from lab.network import Network
from lab.system import run, wait_until
from lab.testing import test
from lab.wice import Pair
from lab.wireguard import WireGuard, assert_ping, new_key, ping


def connected_pair(lab, a="none", b="none", **options):
    pair = Pair(lab, a, b, **options).start()
    pair.wait_connected()
    assert_ping(pair.a.wg, pair.b.wg)
    return pair


def comes_back(pair):
    """The tunnel carries packets again, and both ends know."""
    wait_until("a ping from a to b", lambda: ping(pair.a, pair.b.wg.address, deadline=1))
    pair.wait_connected()
    assert_ping(pair.a.wg, pair.b.wg)


def replace_address(network, host):
    """A public host gets another address, as after a new DHCP lease."""
    old = host.ipv4_address
    host.ip("addr del %s/24 dev eth0" % old)
    network.give_address(host, "eth0", 100)
    assert host.ipv4_address != old


# --- roaming ---


@test
def a_public_host_that_gets_another_address_is_connected_again(lab):
    pair = connected_pair(lab, "none", "port-restricted")
    pinging = pair.start_ping()
    replace_address(pair.network, pair.a)
    pair.b.wiced.wait_peer(
        pair.b.wg,
        pair.a.wg.public_key,
        "connected to the new address",
        lambda peer: peer["state"] == "connected" and pair.a.ipv4_address in peer["remote"]["endpoint"],
    )
    comes_back(pair)
    pinging.wait_for_answer()
    print("note: longest gap between two answers: %.0f ms" % pinging.longest_gap_ms())


@test
def a_host_that_moves_behind_another_nat_is_connected_again(lab):
    network = Network(lab)
    first, second = network.router("first", "port-restricted"), network.router("second", "port-restricted")
    a, b = first.host("a"), network.host("b", "endpoint-independent")
    lan = second.add_lan()
    pair = Pair(lab, network=network, hosts=(a, b)).start()
    pair.wait_connected()
    assert_ping(a.wg, b.wg)
    pinging = pair.start_ping()
    a.ip("link del eth0")
    lan.attach(a, "eth0")
    b.wiced.wait_peer(
        b.wg,
        a.wg.public_key,
        "connected by the other router",
        lambda peer: peer["state"] == "connected" and second.ipv4_address in peer["remote"]["endpoint"],
    )
    comes_back(pair)
    pinging.wait_for_answer()
    print("note: longest gap between two answers: %.0f ms" % pinging.longest_gap_ms())


@test
def both_hosts_that_move_at_the_same_time_are_connected_again(lab):
    pair = connected_pair(lab)
    pair.a.ip("addr del %s/24 dev eth0" % pair.a.ipv4_address)
    pair.b.ip("addr del %s/24 dev eth0" % pair.b.ipv4_address)
    pair.network.give_address(pair.a, "eth0", 100)
    pair.network.give_address(pair.b, "eth0", 101)
    comes_back(pair)


# --- the daemon ---


@test
def a_killed_wiced_that_is_started_again_connects_again(lab):
    pair = connected_pair(lab, "endpoint-independent", "port-restricted")
    pair.a.wiced.kill()
    pair.a.wiced.start()
    comes_back(pair)


@test
def a_direct_path_outlives_a_killed_wiced_and_is_taken_over_without_a_handshake(lab):
    """On a path without NAT WireGuard's own socket talks to the peer: nobody misses the daemon."""
    pair = connected_pair(lab)
    assert pair.a.wiced.peer(pair.a.wg, pair.b.wg.public_key)["mechanism"] in ("kernel", "bpf")
    handshake = pair.a.wg.show("latest-handshakes")
    pair.a.wiced.kill()
    assert_ping(pair.a.wg, pair.b.wg)
    pair.a.wiced.start()
    pair.wait_connected()
    assert_ping(pair.a.wg, pair.b.wg)
    assert pair.a.wg.show("latest-handshakes") == handshake


@test
def where_the_port_of_wireguard_does_not_get_through_that_of_ice_is_used(lab):
    pair = connected_pair(lab, proxy="user")
    pair.wait_mechanism("kernel")
    rules = "add table inet t\nadd chain inet t i { type filter hook input priority 0; }\nadd rule inet t i iifname != \"lo\" udp dport %d drop\n"
    pair.b.run("nft", "-f", "-", stdin=rules % pair.b.wg.listen_port())
    pair.a.wiced.wice("restart", pair.a.wg.name, pair.b.wg.public_key)
    assert ping(pair.a, pair.b.wg.address, deadline=60), "no way was found"
    pair.wait_mechanism("user")
    assert_ping(pair.a.wg, pair.b.wg)


@test
def a_restart_on_request_finds_a_path_anew_and_loses_no_packet_meanwhile(lab):
    pair = connected_pair(lab, "endpoint-independent", "port-restricted")
    peer = lambda: pair.a.wiced.peer(pair.a.wg, pair.b.wg.public_key)  # noqa: E731
    before = peer()
    answers = pair.a.spawn("ping", "ping", "-n", "-c", "60", "-i", "0.05", "-W", "30", pair.b.wg.address)
    pair.a.wiced.wice("restart", pair.a.wg.name, pair.b.wg.public_key[:6])
    wait_until("a new path", lambda: peer()["state"] == "connected" and peer()["restarts"] > before["restarts"])
    assert answers.exit_status() == 0
    assert " 60 received" in answers.log(), answers.log()


@test
def a_wiced_that_is_restarted_connects_again(lab):
    pair = connected_pair(lab, "port-restricted", "port-restricted")
    pair.b.wiced.stop()
    pair.b.wiced.start()
    comes_back(pair)


FOUND = "192.0.2.9:999"


def pair_with_settings(lab):
    """Host a has an endpoint and a keepalive for b that were set by hand.

    A packet of b that is still on its way when a has its endpoint back would set it once more: that is how WireGuard
    roams, and nothing to be undone. So b is the first to be stopped.
    """
    pair = Pair(lab, "port-restricted", "port-restricted")
    pair.a.wg.set("peer", pair.b.wg.public_key, "endpoint", FOUND, "persistent-keepalive", "21")
    pair.start()
    pair.wait_connected()
    assert_ping(pair.a.wg, pair.b.wg)
    return pair


def check_restored(pair):
    key = pair.b.wg.public_key
    wait_until("the endpoint is what it was", lambda: pair.a.wg.show("endpoints")[key] == FOUND, timeout=5)
    assert pair.a.wg.show("persistent-keepalive")[key] == "21"
    # b had no endpoint, and WireGuard cannot forget one; but its keepalive was off.
    assert pair.b.wg.show("persistent-keepalive")[pair.a.wg.public_key] == "off"


@test
def a_stopped_wiced_puts_endpoints_and_keepalives_back(lab):
    pair = pair_with_settings(lab)
    assert pair.a.wg.show("endpoints")[pair.b.wg.public_key] != FOUND
    for host in (pair.b, pair.a):
        host.wiced.stop()
    check_restored(pair)


@test
def wice_stop_ends_the_daemon_and_puts_endpoints_back(lab):
    pair = pair_with_settings(lab)
    for host in (pair.b, pair.a):
        host.wiced.wice("stop")
        assert host.wiced.process.exit_status() == 0
    check_restored(pair)


@test
def endpoints_are_put_back_even_after_a_crash_of_wiced(lab):
    pair = pair_with_settings(lab)
    for host in (pair.a, pair.b):
        host.wiced.kill()
        host.wiced.start()
    pair.wait_connected()
    for host in (pair.b, pair.a):
        host.wiced.stop()
    check_restored(pair)


@test
def an_interface_that_wiced_lets_go_of_gets_its_endpoint_back(lab):
    pair = pair_with_settings(lab)
    for host in (pair.b, pair.a):
        host.wiced.wice("delete", host.wg.name)
    check_restored(pair)
    for host in (pair.a, pair.b):
        host.wiced.wice("add", host.wg.name)
    pair.wait_connected()


@test
def a_restart_of_the_signaling_server_interrupts_no_tunnel(lab):
    pair = connected_pair(lab, "endpoint-independent", "port-restricted")
    pinging = pair.start_ping()
    pair.signaling.stop()
    assert_ping(pair.a.wg, pair.b.wg)
    pair.signaling.start()
    for host, other in pair.ends:
        peer = host.wiced.peer(host.wg, other.wg.public_key)
        assert peer["state"] == "connected", peer
    pinging.wait_for_answer()
    print("note: longest gap between two answers at one per 50 ms: %.0f ms" % pinging.longest_gap_ms())
    # And signaling works again: a new session needs it.
    pair.a.wiced.wice("restart", pair.a.wg.name, pair.b.wg.public_key)
    comes_back(pair)


# --- the interface ---


@test
def another_listen_port_is_noticed(lab):
    pair = connected_pair(lab, "none", "port-restricted")
    before = pair.a.wg.listen_port()
    pair.a.wg.set("listen-port", str(before + 1 if before < 65535 else 2000))
    assert pair.a.wg.listen_port() != before
    comes_back(pair)


@test
def another_private_key_is_noticed(lab):
    pair = connected_pair(lab, "endpoint-independent", "port-restricted")
    old = pair.a.wg.public_key
    pair.a.wg.set_private_key(new_key())
    pair.b.wg.remove_peer(old)
    pair.b.wg.add_peer(pair.a.wg)
    comes_back(pair)
    assert pair.b.wiced.peer(pair.b.wg, old) is None


@test
def an_interface_that_is_made_again_under_its_name_is_connected_again(lab):
    pair = connected_pair(lab, "endpoint-independent", "port-restricted")
    pair.a.wg.destroy()
    wait_until("wiced sees that it is gone", lambda: pair.a.wiced.peer(pair.a.wg, pair.b.wg.public_key) is None)
    pair.a.wg.create()
    pair.a.wg.add_peer(pair.b.wg)
    comes_back(pair)


@test
def an_interface_that_appears_after_wiced_is_taken_care_of(lab):
    pair = Pair(lab)
    pair.a.wg.destroy()
    pair.start()
    pair.a.wg.create()
    pair.a.wg.add_peer(pair.b.wg)
    comes_back(pair)


@test
def a_peer_that_is_added_while_wiced_runs_is_connected(lab):
    pair = Pair(lab)
    pair.a.wg.remove_peer(pair.b.wg.public_key)
    pair.start()
    pair.a.wg.add_peer(pair.b.wg)
    comes_back(pair)


@test
def a_peer_that_is_removed_while_wiced_runs_is_not_made_again(lab):
    pair = connected_pair(lab)
    pair.a.wg.remove_peer(pair.b.wg.public_key)
    wait_until("wiced forgets it", lambda: pair.a.wiced.peer(pair.a.wg, pair.b.wg.public_key) is None)
    pair.a.wiced.wice("sync")
    assert pair.a.wg.show("allowed-ips") == {}
    pair.a.wiced.stop()
    assert pair.a.wg.show("allowed-ips") == {}


@test
def peers_of_others_on_the_interface_are_left_alone(lab):
    """A peer that never runs wice keeps its endpoint and keepalive."""
    pair = Pair(lab)
    stranger = run("wg", "pubkey", stdin=new_key()).stdout.strip()
    pair.a.wg.set("peer", stranger, "endpoint", "203.0.113.77:5", "allowed-ips", "10.77.0.77/32")
    pair.start()
    pair.wait_connected()
    assert_ping(pair.a.wg, pair.b.wg)
    assert pair.a.wg.show("endpoints")[stranger] == "203.0.113.77:5"
    assert pair.a.wg.show("persistent-keepalive")[stranger] == "off"


# --- wg-quick ---


@test
def a_full_tunnel_with_the_rules_of_wg_quick_connects(lab):
    """AllowedIPs 0.0.0.0/0: all but packets with the interface's mark goes into the tunnel that is to be built."""
    pair = Pair(lab, "port-restricted", "none")
    a, b, mark = pair.a, pair.b, "51820"
    a.wg.set("peer", b.wg.public_key, "allowed-ips", "0.0.0.0/0")
    a.wg.set("fwmark", mark)
    a.run("sysctl", "-qw", "net.ipv4.conf.all.src_valid_mark=1")
    a.ip("route add default dev %s table %s" % (a.wg.name, mark))
    a.ip("rule add not fwmark %s table %s" % (mark, mark))
    a.ip("rule add table main suppress_prefixlength 0")
    b.add_address("lo", "198.18.0.1", 32)
    pair.start()
    pair.wait_path("nat")
    assert ping(a, "198.18.0.1"), "what is not in the local network does not reach b through the tunnel"
    assert_ping(a.wg, b.wg)


@test
def an_interface_made_by_wg_quick_connects(lab):
    pair = Pair(lab, "port-restricted", "none")
    a, b = pair.a, pair.b
    a.wg.destroy()
    config = lab.write(
        a.wg.name + ".conf",
        "[Interface]\nPrivateKey = %s\nAddress = %s/24\n[Peer]\nPublicKey = %s\nAllowedIPs = 0.0.0.0/0\n"
        % (a.wg.private_key, a.wg.address, b.wg.public_key),
    )
    b.add_address("lo", "198.18.0.1", 32)
    assert a.spawn("wg-quick", "wg-quick", "up", config).exit_status() == 0
    pair.start()
    pair.wait_path("nat")
    assert ping(a, "198.18.0.1"), "what is not in the local network does not reach b through the tunnel"
    assert_ping(a.wg, b.wg)
    a.wiced.stop()
    a.run("wg-quick", "down", config)


@test
def a_second_interface_of_the_same_host_has_sessions_of_its_own(lab):
    network = Network(lab)
    a, b, c = network.host("a", "port-restricted"), network.host("b"), network.host("c", "endpoint-independent")
    pair = Pair(lab, network=network, hosts=(a, b))
    second, third = WireGuard(a, 3, name="aa"), WireGuard(c, 4)
    second.add_peer(third)
    third.add_peer(second)
    # Two interfaces cannot both have the route to the tunnel's network.
    for wg, other in ((second, third), (a.wg, b.wg)):
        a.ip("route replace %s/32 dev %s" % (other.address, wg.name))
    pair.make_daemons()
    a.wiced.arguments += ["-i", second.name]
    c.wiced = type(a.wiced)(c, [third.name], [pair.signaling.url], [network.stun_url()])
    for host in (a, b, c):
        host.wiced.start()
    pair.wait_connected()
    a.wiced.wait_connected(second, third.public_key)
    c.wiced.wait_connected(third, second.public_key)
    assert_ping(a.wg, b.wg)
    assert ping(c, second.address)
