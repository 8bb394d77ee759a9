# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""wice up and wice down, and wiced that is told to do so."""

import os
import signal
import stat

from lab.network import Network, program
from lab.system import WIREGUARD_SOCKETS, wait_until
from lab.testing import test
from lab.wice import Wiced
from lab.wireguard import interface_name, new_key, ping, public_key

NOBODY = "/nonexistent/wiced.sock"


class File:
    """A file of wg-quick for an interface on a host."""

    def __init__(self, host, interface="", peer="", key=None):
        self.host, self.lab = host, host.lab
        self.name = interface_name(host.name)
        self.key = key or new_key()
        self.lab.sockets.add(self.name)
        self.write(interface, peer)

    def write(self, interface="", peer="", mode=0o600):
        text = "[Interface]\nPrivateKey = %s\n%s\n" % (self.key, interface)
        text += "[Peer]\n%s\n" % peer if peer else ""
        self.path = self.lab.write(self.name + ".conf", text, mode)

    def wice(self, *words, check=True, socket=NOBODY):
        return self.host.run(program("tools", "wice"), "--socket", socket, *words, check=check)

    def up(self, *options, **more):
        return self.wice("up", *options, self.path, **more)

    def down(self, **more):
        return self.wice("down", self.path, **more)

    def exists(self):
        return self.host.ip("link show " + self.name, check=False).returncode == 0

    def assert_gone(self):
        assert not self.exists()
        wait_until("the socket is gone", lambda: not os.path.exists(os.path.join(WIREGUARD_SOCKETS, self.name + ".sock")))


def one_host(lab):
    network = Network(lab)
    host = network.host("a")
    network.start()
    return host


def a_peer(allowed="10.91.0.2/32", endpoint="203.0.113.9:1"):
    return "PublicKey = %s\nAllowedIPs = %s\nEndpoint = %s\n" % (public_key(new_key()), allowed, endpoint)


@test
def up_makes_what_the_file_says_and_down_removes_it(lab):
    network = Network(lab, ipv6=True)
    a, b = network.host("a"), network.host("b")
    network.start()
    keys = new_key(), new_key()
    files = []
    for number, (host, other) in enumerate(((a, b), (b, a))):
        interface = "Address = 10.91.0.%d/24, fd91::%d/64\nListenPort = 51820\nMTU = 1390\n" % (number + 1, number + 1)
        peer = "PublicKey = %s\nEndpoint = %s:51820\n" % (public_key(keys[1 - number]), other.ipv4_address)
        peer += "AllowedIPs = 10.91.0.0/24, fd91::/64, 10.92.0.0/16, fd92::/48\n"
        files.append(File(host, interface, peer, keys[number]))
        files[-1].up()
    assert ping(a, "10.91.0.2") and ping(a, "fd91::2")
    link = a.ip("link show " + files[0].name).stdout
    assert "mtu 1390" in link and ",UP" in link, link
    routes = a.ip("route show dev " + files[0].name).stdout
    assert "10.92.0.0/16" in routes and routes.count("10.91.0.0/24") == 1, routes
    assert files[0].up(check=False).returncode == 1, "it was made twice"
    assert ping(a, "10.91.0.2"), "what was there was disturbed"
    for file in files:
        file.down()
        file.assert_gone()
    assert "10.92" not in a.ip("route show").stdout
    assert files[0].down(check=False).returncode == 1


@test
def routes_go_to_the_table_of_the_file(lab):
    host = one_host(lab)
    file = File(host)
    for table in ("off", "1234", "auto"):
        file.write("Address = 10.91.0.1/32\nTable = %s\n" % table, a_peer("10.93.0.0/16"))
        file.up()
        assert ("10.93" in host.ip("route show table 1234", check=False).stdout) == (table == "1234"), table
        assert ("10.93" in host.ip("route show").stdout) == (table == "auto"), table
        file.down()
    for table, allowed, word in (("auto", "0.0.0.0/0", "wg-quick"), ("auto", "10.0.0.0/8, ::/0", "wg-quick"), ("main", "10.0.0.0/8", "main")):
        file.write("Table = %s\n" % table, a_peer(allowed))
        result = file.up(check=False)
        assert result.returncode == 1 and word in result.stderr and not file.exists(), result
    file.write("Table = 1234\n", a_peer("0.0.0.0/0"))
    file.up()
    assert "default" in host.ip("route show table 1234").stdout
    file.down()


@test
def hooks_run_in_their_turn(lab):
    host = one_host(lab)
    trace = lab.file("trace")
    hooks = "".join(
        "%s = echo %s %%i $(ip -o link show %%i 2>/dev/null | wc -l) >> %s # a comment of the shell\n" % (key, key, trace)
        for key in ("PreUp", "PostUp", "PreDown", "PostDown")
    )
    file = File(host, "Address = 10.91.0.1/24\n" + hooks, a_peer())
    file.up()
    file.down()
    with open(trace, encoding="ascii") as text:
        lines = text.read().splitlines()
    assert lines == [key + " %s %d" % (file.name, there) for key, there in
                     (("PreUp", 0), ("PostUp", 1), ("PreDown", 1), ("PostDown", 0))], lines  # fmt: skip


@test
def what_fails_is_undone(lab):
    host = one_host(lab)
    trace = lab.file("trace")
    host.ip("route add 10.94.0.0/16 dev eth0")
    for interface, peer, word in (
        ("PostUp = exit 7", a_peer(), "exit 7"),
        ("PreUp = exit 7", a_peer(), "exit 7"),
        ("", a_peer("10.93.0.0/16, 10.94.0.0/16"), "route"),
        ("Address = 10.91.0.1/33", "", "10.91.0.1/33"),
    ):
        file = File(host, interface, peer)
        result = file.up(check=False)
        assert result.returncode == 1 and word in result.stderr, (interface, result)
        file.assert_gone()
    file = File(host)
    file.write("PostUp = touch %s" % trace, a_peer(), mode=0o622)
    result = file.up(check=False)
    assert result.returncode == 1 and "others than root" in result.stderr and not os.path.exists(trace), result
    file.assert_gone()


@test
def who_interrupts_up_has_nothing_left_of_it(lab):
    host = one_host(lab)
    trace = lab.file("trace")
    file = File(host, "PostUp = touch %s; sleep 1\n" % trace, a_peer())
    for number in (signal.SIGINT, signal.SIGTERM):
        process = host.spawn("up", program("tools", "wice"), "--socket", NOBODY, "up", file.path)
        wait_until("the hook runs", lambda: os.path.exists(trace))
        assert file.exists()
        process.signal(number)  # to wice alone, which waits for the hook
        assert process.exit_status() == 1 and "Interrupted" in process.log(), process.log()
        file.assert_gone()
        os.unlink(trace)


@test
def down_saves_what_the_interface_has_become(lab):
    host = one_host(lab)
    file = File(host, "Address = 10.91.0.1/24\nSaveConfig = true\n# kept\n", a_peer("10.93.0.0/16"))
    file.up()
    added = public_key(new_key())
    host.run("wg", "set", file.name, "listen-port", "4711", "peer", added, "allowed-ips", "10.95.0.0/16")
    file.down()
    with open(file.path, encoding="utf-8") as text:
        saved = text.read()
    assert added in saved and "ListenPort = 4711" in saved and "# kept" in saved, saved
    assert stat.S_IMODE(os.stat(file.path).st_mode) == 0o600


@test
def wiced_hosts_the_interface_if_it_runs_here(lab):
    network = Network(lab)
    a, b = network.host("a"), network.host("b")
    network.start()
    wiced = Wiced(a, ["none*"], ["multicast://"]).start()
    here, elsewhere = File(a, "Address = 10.91.0.1/24\n"), File(b, "Address = 10.91.0.2/24\n")
    here.up(socket=wiced.socket)
    assert wiced.interface(here.name)["kind"] == "engine"
    # A wiced of another network namespace could not.
    elsewhere.up(socket=wiced.socket)
    assert elsewhere.exists() and wiced.interface(elsewhere.name) is None
    here.down(socket=wiced.socket)
    assert wiced.interface(here.name) is None
    elsewhere.down(socket=wiced.socket)


@test
def wiced_makes_what_it_is_told_to_and_removes_it(lab):
    host = one_host(lab)
    trace = lab.file("trace")
    hooks = "PostUp = echo up >> %s\nPreDown = echo down >> %s\n" % (trace, trace)
    file = File(host, "Address = 10.91.0.1/24\n" + hooks, a_peer())
    broken = File(host, "PostUp = false\n")
    broken.name += "x"
    lab.sockets.add(broken.name)
    broken.path = lab.write(broken.name + ".conf", "[Interface]\nPostUp = false\n")
    file.write("Address = 10.91.0.1/24\n" + hooks, a_peer())
    for end in ("signal", "wice stop"):
        wiced = Wiced(host, [], ["multicast://"], name="wiced-" + end.replace(" ", ""), options=["--up", file.path, "--up", broken.path])
        wiced.start()
        wait_until("the interface is there", lambda: wiced.interface(file.name))
        wait_until("PostUp has run", lambda: os.path.exists(trace))
        assert wiced.interface(file.name)["kind"] == "engine"
        if end == "signal":
            wiced.stop()
        else:
            wiced.wice("stop")
            assert wiced.process.exit_status() == 0
        assert not file.exists() and not broken.exists()
        with open(trace, encoding="ascii") as text:
            assert text.read() == "up\ndown\n"
        os.unlink(trace)
