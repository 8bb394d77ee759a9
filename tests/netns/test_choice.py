# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""How the mechanism of an interface is chosen: by options, at run time, and by what wiced may do."""

import configparser
import json
import os
import pathlib
import re

from lab.system import wait_until
from lab.testing import test
from lab.wice import Pair, Wiced
from lab.wireguard import assert_ping

UNIT = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "systemd", "wiced.service.in")


class Confined(Wiced):
    """wiced with no other capabilities than these."""

    def __init__(self, *arguments, capabilities, **options):
        super().__init__(*arguments, **options)
        self.capabilities = capabilities

    def command(self):
        names = ["+" + name for name in self.capabilities]
        bounding = "--bounding-set=-all," + ",".join(names + ["+dac_override"])  # who built it owns the folders
        return ["setpriv", "--no-new-privs", bounding, "--inh-caps=-all", *super().command()]


def unit_capabilities():
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(UNIT)
    words = unit["Service"]["CapabilityBoundingSet"].split()
    return [word.lower().removeprefix("cap_") for word in words]


def natted(lab, **options):
    """Two hosts behind NATs, where the path's mechanism is that of the interface, with daemons yet to be started."""
    return Pair(lab, "port-restricted", "endpoint-independent", **options).make_daemons()


def mechanism(host):
    return host.wiced.interface(host.wg.name)["mechanism"]


def lost(pinging):
    """How many answers are missing before the newest."""
    numbers = [int(n) for n in re.findall(r"bytes from.* icmp_seq=(\d+)", pinging.process.log())]
    return max(numbers) - len(set(numbers))


def uses(peer, wanted):
    """Not only in words: with `user`, and only then, WireGuard's endpoint is the proxy's."""
    proxied = (peer["endpoint"] or "").startswith("127.128.")
    return peer["state"] == "connected" and peer["mechanism"] == wanted and proxied == (wanted == "user")


def wait_mechanism(pair, wanted):
    for host, other in pair.ends:
        host.wiced.wait_peer(
            host.wg, other.wg.public_key, "connected, mechanism " + wanted[host.name],
            lambda peer, host=host: uses(peer, wanted[host.name]),
        )  # fmt: skip


@test
def the_mechanism_can_be_changed_at_run_time(lab):
    pair = natted(lab)
    for host, _other in pair.ends:
        host.wiced.start()
    pair.wait_connected()
    best = {host.name: mechanism(host) for host, _other in pair.ends}
    wait_mechanism(pair, best)
    pinging = pair.start_ping(interval=0.01)
    for choice in ("user", "nft", "bpf", "auto"):
        for host, _other in pair.ends:
            host.wiced.wice("restart", "--proxy", choice, host.wg.name)
        now = {host.name: mechanism(host) for host, _other in pair.ends}
        if choice == "user":
            assert set(now.values()) == {"user"}, now
        elif choice == "auto":
            assert now == best, now
        for host, _other in pair.ends:
            if now[host.name] != choice and choice != "auto":
                reason = host.wiced.interface(host.wg.name)["mechanism_reason"]
                assert "Not %s: " % choice in reason, reason
                print("note: host %s has %s instead of %s: %s" % (host.name, now[host.name], choice, reason))
        wait_mechanism(pair, now)
        pinging.wait_for_answer()
    print("note: %d answers of the ping missing, longest pause %.0f ms" % (lost(pinging), pinging.longest_gap_ms()))


@test
def the_ends_of_a_path_may_have_different_mechanisms(lab):
    pair = natted(lab)
    pair.a.wiced.arguments += ["--proxy", "user"]
    for host, _other in pair.ends:
        host.wiced.start()
    pair.wait_connected()
    assert mechanism(pair.a) == "user"
    wait_mechanism(pair, {"a": "user", "b": mechanism(pair.b)})
    assert_ping(pair.a.wg, pair.b.wg)
    assert "asked for" in pair.a.wiced.interface(pair.a.wg.name)["mechanism_reason"]


@test
def the_service_unit_leaves_wiced_what_the_best_mechanism_needs(lab):
    pair = natted(lab)
    a = pair.a
    a.wiced = Confined(a, [a.wg.name], [pair.signaling.url], [pair.network.stun_url()], capabilities=unit_capabilities())
    for host, _other in pair.ends:
        host.wiced.start()
    pair.wait_connected()
    assert mechanism(pair.a) == mechanism(pair.b), a.wiced.interface(a.wg.name)["mechanism_reason"]
    assert_ping(pair.a.wg, pair.b.wg)


@test
def without_cap_bpf_another_mechanism_is_used_and_wice_says_why(lab):
    pair = natted(lab)
    a = pair.a
    a.wiced = Confined(a, [a.wg.name], [pair.signaling.url], [pair.network.stun_url()], capabilities=["net_admin"])
    for host, _other in pair.ends:
        host.wiced.start()
    pair.wait_connected()
    interface = a.wiced.interface(a.wg.name)
    assert interface["mechanism"] in ("nft", "user"), interface
    assert "Not bpf: " in interface["mechanism_reason"], interface
    assert interface["mechanism_reason"] in a.wiced.wice("show", a.wg.name).stdout
    assert_ping(pair.a.wg, pair.b.wg)


@test
def what_the_nat_does_is_shown(lab):
    pair = Pair(lab, "endpoint-independent", "symmetric").make_daemons()
    for host, _other in pair.ends:
        # How it maps shows if two servers are asked.
        host.wiced.arguments += ["-a", "stun:%s:3478" % pair.network.public.second_ipv4]
        host.wiced.start()
    pair.wait_connected()
    a, b = (host.wiced.interface(host.wg.name) for host, _other in pair.ends)
    if a["mechanism"] == "bpf":
        assert a["nat"] == "endpoint-independent", a
        assert b["nat"] == "endpoint-dependent", b
        # One port for everything: the outside address is that of WireGuard's port.
        sources = {outside["source"] for outside in a["outside"]}
        assert "stun" in sources, a
        shown = pair.a.wiced.wice("show", pair.a.wg.name).stdout
        assert "NAT endpoint-independent" in shown and a["outside"][0]["endpoint"] in shown, shown
    else:
        assert a["outside"] == [] and a["nat"] in ("unknown", "endpoint-independent"), a


@test
def wice_refuses_a_mechanism_that_cannot_be_chosen(lab):
    pair = Pair(lab).start()
    wice = pair.a.wiced.wice
    result = wice("restart", "--proxy", "kernel", check=False)
    assert result.returncode == 2 and "auto, bpf, nft, inprocess and user" in result.stderr, result.stderr
    result = wice("restart", "--proxy", "nft", "none0", check=False)
    assert result.returncode == 1 and "none0" in result.stderr, result.stderr


@test
def who_asks_for_a_mechanism_that_is_not_there_is_told_why(lab):
    a = Pair(lab).start().a
    a.wiced.wice("restart", "--proxy", "inprocess", a.wg.name)
    reason = a.wiced.interface(a.wg.name)["mechanism_reason"]
    assert "Not inprocess: WireGuard is not in this process." in reason, reason


def read_state(wiced):
    """All that wiced has written down."""
    return "".join(path.read_text(encoding="utf-8") for path in pathlib.Path(wiced.state_dir).glob("found-*"))


@test
def an_mtu_that_is_too_large_for_the_path_is_told_or_fitted_and_put_back(lab):
    pair = Pair(lab)
    for host in (pair.a, pair.b):
        host.ip("link set eth0 mtu 1400")
    pair.serve().make_daemons()
    pair.a.wiced.arguments += ["--mtu", "fit"]
    for host in (pair.a, pair.b):
        host.wiced.start()
    pair.wait_connected()

    def mtu(host):
        return int(json.loads(host.run("ip", "-j", "link", "show", host.wg.name).stdout)[0]["mtu"])

    found = mtu(pair.b)
    wait_until("the MTU fits", lambda: mtu(pair.a) == 1400 - 60)
    pair.b.wiced.process.wait_for_line("MTU of %d is too large" % found)
    # What was found is not forgotten by a crash, either.
    wait_until("it is written down", lambda: "found=%d" % found in read_state(pair.a.wiced))
    pair.a.wiced.kill()
    pair.a.wiced.start()
    pair.wait_connected()
    assert mtu(pair.a) == 1400 - 60
    pair.a.wiced.stop()
    assert mtu(pair.a) == found == mtu(pair.b)
