# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""wice wg and the programs in examples/ with wireguard-go, and wg(8) as the witness."""

import json
import os

from lab.network import Network, program
from lab.system import wait_until
from lab.testing import test
from lab.wireguard import WireGuard, new_key, ping, public_key

FAILURE, USAGE, TROUBLE = 1, 2, 2  # exit status
FIELDS = ["public-key", "private-key", "listen-port", "fwmark", "peers", "preshared-keys", "endpoints", "allowed-ips",
          "latest-handshakes", "transfer", "persistent-keepalive", "dump"]  # fmt: skip


def one_interface(lab):
    network = Network(lab)
    host = network.host("a")
    network.start()
    return WireGuard(host, 1)


def two_interfaces(lab):
    network = Network(lab)
    a, b = network.host("a"), network.host("b")
    network.start()
    return WireGuard(a, 1), WireGuard(b, 2)


def wice_wg(host, *words, **options):
    return host.run(program("tools", "wice"), "wg", *words, **options)


def add_strangers(wg, n=3):
    """Peers that nobody is. None sends anything: what has an endpoint has no keepalive."""
    keys = [public_key(new_key()) for _ in range(n)]
    preshared = wg.lab.write("psk", new_key())
    for i, key in enumerate(keys):
        more = ["persistent-keepalive", "9"] if i == 1 else ["endpoint", "203.0.113.9:%d" % (i + 1)]
        wg.set("peer", key, "allowed-ips", "10.%d.0.0/16,fd00:%d::/32" % (i, i), "preshared-key", preshared, *more)
    return keys


def dump(wg):
    """What WireGuard is set to: `wg show dump` without what it counts."""
    lines = [line.split("\t") for line in wg.wg("show", wg.name, "dump").stdout.splitlines()]
    return [lines[0]] + sorted(line[:4] + line[7:] for line in lines[1:])


def peer_section(key, **values):
    return "".join(["[Peer]\nPublicKey = %s\n" % key] + ["%s = %s\n" % item for item in values.items()])


def conf_of(wg, *sections):
    head = "[Interface]\nPrivateKey = %s\nListenPort = %d\n" % (wg.private_key, wg.listen_port())
    return wg.lab.write(wg.name + ".conf", "\n".join([head, *sections]))


def refuses(result, status, *words):
    """It ended with this status after one sentence on its standard error that has the words."""
    assert result.returncode == status, "exit status %d: %s" % (result.returncode, result.stderr)
    assert result.stdout == "", result.stdout
    for word in words:
        assert word in result.stderr, "«%s» does not say «%s»" % (result.stderr, word)


@test
def wice_wg_show_prints_what_wg_show_prints(lab):
    wg = one_interface(lab)
    add_strangers(wg)
    for words in [[], ["all"], *([wg.name, field] for field in ["", *FIELDS])]:
        words = ["show", *filter(None, words)]
        # Sorted, for wireguard-go lists its peers in another order each time.
        ours, theirs = (sorted(text.splitlines()) for text in (wice_wg(wg.host, *words).stdout, wg.wg(*words).stdout))
        if words[1:] in ([], ["all"]):  # theirs also shows sockets of other namespaces
            assert set(ours) <= set(theirs) and "interface: " + wg.name in ours, (words, ours, theirs)
        else:
            assert ours == theirs, (words, ours, theirs)
    assert wice_wg(wg.host, "show", "interfaces").stdout == wg.name + "\n"


@test
def wice_wg_show_json_has_no_secrets_unless_they_are_asked_for(lab):
    wg = one_interface(lab)
    keys = add_strangers(wg)
    shown = wice_wg(wg.host, "show", wg.name, "--json").stdout
    assert sorted(peer["public_key"] for peer in json.loads(shown)["peers"]) == sorted(keys)
    assert wg.private_key not in shown
    shown = wice_wg(wg.host, "show", wg.name, "--json", env={**os.environ, "WG_HIDE_KEYS": "never"}).stdout
    assert json.loads(shown)["private_key"] == wg.private_key


@test
def wice_wg_set_does_what_wg_set_does(lab):
    a, b = two_interfaces(lab)
    keys = [public_key(new_key()) for _ in range(2)]
    preshared = lab.write("psk", new_key())
    for words in (
        ["listen-port", "4321", "fwmark", "0x10"],
        ["peer", keys[0], "allowed-ips", "10.1.0.0/16, fd00::/16", "endpoint", "203.0.113.9:9", "persistent-keepalive", "7"],
        ["peer", keys[1], "preshared-key", preshared, "allowed-ips", "10.1.0.0/16", "peer", keys[0], "endpoint", "[2001:db8::1]:1"],
        ["peer", keys[0], "allowed-ips", "10.3.0.0/16", "persistent-keepalive", "off"],
        ["peer", keys[1], "preshared-key", "/dev/null", "allowed-ips", ""],
        ["peer", keys[0], "remove"],
        ["fwmark", "off"],
    ):
        wice_wg(a.host, "set", a.name, *words)
        b.wg("set", b.name, *words)
        assert dump(a)[1:] == dump(b)[1:], words
        assert dump(a)[0][2:] == dump(b)[0][2:], words
    wice_wg(a.host, "set", a.name, "private-key", "/dev/stdin", stdin=b.private_key)
    assert a.wg("show", a.name, "public-key").stdout.strip() == b.public_key


@test
def single_allowed_ips_are_added_and_taken_away(lab):
    # Debian's wireguard-go cannot take them away by itself.
    wg = one_interface(lab)
    [key] = add_strangers(wg, 1)
    wice_wg(wg.host, "set", wg.name, "peer", key, "allowed-ips", "+10.9.0.0/16,-10.0.0.0/16")
    assert sorted(wg.show("allowed-ips")[key].split()) == ["10.9.0.0/16", "fd00::/32"]


@test
def a_dry_run_prints_exactly_what_is_then_done_and_a_second_sync_does_nothing(lab):
    wg = one_interface(lab)
    kept, changed, removed = add_strangers(wg)
    new = public_key(new_key())
    with open(lab.file("psk"), encoding="ascii") as file:
        preshared = file.read()
    networks = ", ".join(wg.show("allowed-ips")[kept].split())
    keep = peer_section(kept, AllowedIPs=networks, Endpoint="203.0.113.9:1", PresharedKey=preshared)
    change = peer_section(changed, AllowedIPs="10.1.0.0/16, 10.7.0.0/16", Endpoint="203.0.113.9:77")
    path = conf_of(wg, "# kept as it is", keep, change, peer_section(new, AllowedIPs="10.8.0.0/16"), "# PostUp is wg-quick's")
    before = dump(wg)
    planned = wice_wg(wg.host, "sync", wg.name, path, "--dry-run").stdout
    planned_json = wice_wg(wg.host, "sync", "--dry-run", wg.name, path, "--json").stdout
    assert dump(wg) == before, "a dry run has changed something"
    assert kept not in planned and "- peer " + removed in planned and "+ peer " + new in planned, planned
    assert "203.0.113.9:77" in planned and wg.private_key not in planned + planned_json
    json.loads(planned_json)
    assert wice_wg(wg.host, "sync", wg.name, path).stdout == planned
    assert sorted(wg.show("endpoints")) == sorted([kept, changed, new])
    assert sorted(wg.show("allowed-ips")[changed].split()) == ["10.1.0.0/16", "10.7.0.0/16"]
    assert "nothing to do" in wice_wg(wg.host, "sync", wg.name, path).stdout
    assert wice_wg(wg.host, "diff", wg.name, path).stdout == ""


@test
def a_sync_keeps_sessions_of_peers_that_stay(lab):
    a, b = two_interfaces(lab)
    a.add_peer(b, "endpoint", "%s:%d" % (b.host.ipv4_address, b.listen_port()))
    b.add_peer(a)
    wait_until("the tunnel works", lambda: ping(a.host, b.address))
    handshake = a.show("latest-handshakes")[b.public_key]
    assert handshake != "0"
    stranger = public_key(new_key())
    peer = peer_section(b.public_key, AllowedIPs=b.address + "/32", Endpoint="%s:%d" % (b.host.ipv4_address, b.listen_port()))
    path = conf_of(a, peer, peer_section(stranger, AllowedIPs="10.8.0.0/16"))
    assert b.public_key not in wice_wg(a.host, "sync", a.name, path).stdout
    assert a.show("latest-handshakes") == {b.public_key: handshake, stranger: "0"}
    conf_of(a, peer.replace("Endpoint = ", "Endpoint = 203.0.113.1:1 # was "))
    wice_wg(a.host, "sync", "--keep-endpoints", a.name, path)
    assert a.show("endpoints") == {b.public_key: "%s:%d" % (b.host.ipv4_address, b.listen_port())}
    wice_wg(a.host, "setconf", a.name, path)
    assert a.show("endpoints") == {b.public_key: "203.0.113.1:1"}
    assert a.show("latest-handshakes") == {b.public_key: "0"}


@test
def a_watch_tells_what_plain_wg_does(lab):
    wg = one_interface(lab)
    key = public_key(new_key())
    text = wg.host.spawn("watch", program("tools", "wice"), "wg", "watch", wg.name)
    watch = wg.host.spawn("watch-json", program("tools", "wice"), "wg", "watch", "--json")
    for process in (text, watch):
        process.wait_for_line(wg.name)
    preshared = new_key()
    wg.set("peer", key, "allowed-ips", "10.1.0.0/16")
    watch.wait_for_line('"peer-added"')
    wg.set("peer", key, "endpoint", "203.0.113.9:9")
    watch.wait_for_line('"203.0.113.9:9"')
    wg.set("peer", key, "preshared-key", lab.write("psk", preshared))
    watch.wait_for_line('"preshared-key"')
    wg.set("fwmark", "7")
    watch.wait_for_line('"fwmark"')
    wg.remove_peer(key)
    watch.wait_for_line('"peer-removed"')
    wg.destroy()
    watch.wait_for_line('"interface-removed"')
    text.wait_for_line("removed")
    events = [json.loads(line) for line in watch.log().splitlines()]
    mine = [event["event"] for event in events if event["interface"] == wg.name and event.get("peer", key) == key]
    assert mine == ["interface-added", "peer-added", "endpoint", "peer-changed", "interface-changed", "peer-removed",
                    "interface-removed"], mine  # fmt: skip
    assert preshared not in watch.log() + text.log() and wg.private_key not in watch.log() + text.log()


@test
def a_watch_tells_of_handshakes_and_of_bytes_if_asked(lab):
    a, b = two_interfaces(lab)
    watch = a.host.spawn("watch", program("tools", "wice"), "wg", "watch", "--json", "--transfer", a.name)
    watch.wait_for_line("interface-added")
    b.add_peer(a)
    a.add_peer(b, "endpoint", "%s:%d" % (b.host.ipv4_address, b.listen_port()))
    watch.wait_for_line('"peer-added"')  # before it, so that the handshake is news
    wait_until("the tunnel works", lambda: ping(a.host, b.address))
    watch.wait_for_line('"handshake"')
    watch.wait_for_line('"transfer"')


@test
def differences_are_told_by_the_exit_status(lab):
    a, b = two_interfaces(lab)
    keys = add_strangers(a, 1)
    path = lab.write("same.conf", a.wg("showconf", a.name).stdout)
    equal = wice_wg(a.host, "diff", a.name, path)
    assert (equal.returncode, equal.stdout) == (0, "")
    assert wice_wg(a.host, "diff", path, a.name, check=False).returncode == 0
    other = wice_wg(b.host, "diff", b.name, path, check=False)
    assert other.returncode == FAILURE and "+ peer " + keys[0] in other.stdout, other.stdout
    assert a.private_key not in other.stdout
    refuses(wice_wg(a.host, "diff", a.name, lab.file("none.conf"), check=False), TROUBLE, "none.conf")
    refuses(wice_wg(a.host, "diff", "nosuch0", path, check=False), TROUBLE, "nosuch0")
    refuses(wice_wg(a.host, "diff", a.name, check=False), TROUBLE, "Usage")


@test
def a_link_named_wg_behaves_as_wg(lab):
    wg = one_interface(lab)
    link = lab.file("wg")
    os.symlink(program("tools", "wice"), link)
    path = lab.write("trap.conf", "[Interface]\nListenPort = 65537\nFwMark = 5\n")
    refuses(wice_wg(wg.host, "setconf", wg.name, path, check=False), FAILURE, "trap.conf:2:", "65535")
    assert wg.wg("show", wg.name, "fwmark").stdout == "off\n"
    for name in (link, program("tools", "wg")):
        wg.set("fwmark", "off")
        wg.host.run(name, "setconf", wg.name, path)
        assert wg.wg("show", wg.name, "fwmark").stdout == "0x5\n"
        refuses(wg.host.run(name, "set", wg.name, "fwmark", "x", check=False), FAILURE, "wg: ", "fwmark 'x'")
    wice_wg(wg.host, "setconf", "--compat", wg.name, path)


@test
def a_file_that_would_wipe_the_interface_is_refused(lab):
    wg = one_interface(lab)
    before = dump(wg)
    path = lab.write("empty.conf", "")
    for command in ("setconf", "syncconf", "sync"):
        refuses(wice_wg(wg.host, command, wg.name, path, check=False), FAILURE, "empty.conf", "[Interface]")
    assert dump(wg) == before
    wice_wg(wg.host, "addconf", wg.name, path)
    assert dump(wg) == before


@test
def errors_name_what_is_wrong_and_what_to_do(lab):
    wg = one_interface(lab)
    key = public_key(new_key())
    refuses(wice_wg(wg.host, "show", "nosuch0", check=False), FAILURE, "nosuch0")
    refuses(wice_wg(wg.host, "set", "nosuch0", "fwmark", "1", check=False), FAILURE, "nosuch0")
    refuses(wice_wg(wg.host, "set", wg.name, "peer", key, "allowed-ips", "10.0.0.0/33", check=False), FAILURE,
            "allowed-ips '10.0.0.0/33'")  # fmt: skip
    refuses(wice_wg(wg.host, "set", wg.name, "endpoint", "203.0.113.9:9", check=False), FAILURE, "endpoint", "peer KEY")
    refuses(wice_wg(wg.host, "setconf", wg.name, lab.file("none"), check=False), FAILURE, "none")


@test
def the_examples_do_what_they_say(lab):
    wg = one_interface(lab)
    watch = wg.host.spawn("watch", program("examples", "wg-watch"))
    watch.wait_for_line(wg.name + " is there")
    key = public_key(new_key())
    head = "[Interface]\nPrivateKey = %s\nAddress = 10.44.0.1/24, fd44::1/64\nMTU = 1280\n" % wg.private_key
    path = lab.write(wg.name + ".conf", head + peer_section(key, AllowedIPs="10.45.0.0/16", Endpoint="203.0.113.9:9"))
    first = wg.host.run(program("examples", "wg-quick-up"), path).stdout
    assert "+ peer " + key in first, first
    assert wg.show("endpoints") == {key: "203.0.113.9:9"}
    link = wg.host.ip("addr show " + wg.name).stdout
    assert "10.44.0.1/24" in link and "mtu 1280" in link, link
    assert wg.host.run(program("examples", "wg-quick-up"), path).stdout == "", "the second time it does nothing"
    watch.wait_for_line("%s %s was added" % (wg.name, key))
    [shown] = wg.host.run(program("examples", "wg-json")).stdout.splitlines()
    assert json.loads(shown)["peers"][0]["public_key"] == key
    missing = wg.host.run(program("examples", "wg-quick-up"), lab.file("none.conf"), check=False)
    assert missing.returncode == 1 and "none.conf" in missing.stderr, missing.stderr
