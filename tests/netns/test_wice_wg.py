# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""The program wice-wg, in the place of wireguard-go."""

import fcntl
import os
import signal
import socket
import struct
import subprocess

from lab.network import Network, program
from lab.system import WIREGUARD_SOCKETS, run, wait_until
from lab.testing import test
from lab.wireguard import interface_name, new_key, ping, public_key

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def wice_wg():
    return program("tools", "wice-wg")


def socket_path(name):
    return os.path.join(WIREGUARD_SOCKETS, name + ".sock")


def new_name(lab, host):
    name = interface_name(host.name)
    lab.sockets.add(name)
    return name


def hosts(lab, *names):
    network = Network(lab)
    made = [network.host(name) for name in names]
    network.start()
    return made


def has_link(host, name):
    return host.ip("link show " + name, check=False).returncode == 0


def processes(host):
    """The instances of wice-wg on a host."""
    found = []
    for pid in host.run("ip", "netns", "pids", host.netns).stdout.split():
        try:
            with open("/proc/%s/comm" % pid, encoding="ascii") as file:
                found += [int(pid)] if file.read().strip() == "wice-wg" else []
        except OSError:
            pass
    return found


def wait_until_gone(host, name):
    wait_until("wice-wg has ended", lambda: not processes(host) and not has_link(host, name))
    assert not os.path.exists(socket_path(name))


def config(key, address, peer, endpoint):
    return (
        "[Interface]\nPrivateKey = %s\nListenPort = 51820\nAddress = %s/24\nMTU = 1380\n"
        "[Peer]\nPublicKey = %s\nAllowedIPs = 10.88.0.0/24, 10.89.0.0/16\nEndpoint = %s:51820\n"
        % (key, address, peer, endpoint)
    )


@test
def wg_quick_takes_wice_wg_for_wireguard_go(lab):
    a, b = hosts(lab, "a", "b")
    keys = [new_key(), new_key()]
    environment = {**os.environ, "WG_QUICK_USERSPACE_IMPLEMENTATION": wice_wg()}
    names, files = [], []
    for number, (host, other) in enumerate(((a, b), (b, a))):
        name = new_name(lab, host)
        text = config(keys[number], "10.88.0.%d" % (number + 1), public_key(keys[1 - number]), other.ipv4_address)
        names.append(name)
        files.append(lab.write(name + ".conf", text))
        host.run("wg-quick", "up", files[number], env=environment)
    assert ping(a, "10.88.0.2"), "no answer through the tunnel"
    assert "mtu 1380" in a.ip("link show " + names[0]).stdout
    assert names[0] in a.ip("route show 10.89.0.0/16").stdout
    assert a.run("wg", "show", names[0], "latest-handshakes").stdout.split()[1] != "0"
    for host, name, file in zip((a, b), names, files):
        host.run("wg-quick", "down", file, env=environment)
        wait_until_gone(host, name)


@test
def wice_wg_returns_when_it_is_ready_and_ends_with_its_socket_or_a_signal(lab):
    [host] = hosts(lab, "a")
    name = new_name(lab, host)
    for end in ("socket", "interface", signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        # Its output is a pipe that is read to its end: nobody in the background may hold it.
        # Nor does it mind what others mean by LOG_LEVEL.
        assert host.run(wice_wg(), name, timeout=30, env={**os.environ, "LOG_LEVEL": "info"}).stdout == ""
        assert has_link(host, name) and host.run("wg", "show", name).returncode == 0
        [pid] = processes(host)
        if end == "socket":
            os.unlink(socket_path(name))
        elif end == "interface":
            host.ip("link delete " + name)
        else:
            os.kill(pid, end)
        wait_until_gone(host, name)


@test
def wice_wg_takes_the_place_of_one_that_was_killed(lab):
    [host] = hosts(lab, "a")
    name = new_name(lab, host)
    host.run(wice_wg(), name)
    os.kill(processes(host)[0], signal.SIGKILL)
    wait_until("it is dead", lambda: not processes(host) and not has_link(host, name))
    assert os.path.exists(socket_path(name))
    host.run(wice_wg(), name)
    assert host.run("wg", "show", name).returncode == 0
    os.kill(processes(host)[0], signal.SIGTERM)
    wait_until_gone(host, name)


@test
def wice_wg_says_why_it_cannot_start(lab):
    [host] = hosts(lab, "a")
    name = new_name(lab, host)
    host.ip("link add %s type bridge" % name)
    for words in ([name], ["-f", name], ["a-name-that-is-too-long"]):
        result = host.run(wice_wg(), *words, check=False)
        assert result.returncode == 1 and result.stderr.count("\n") == 1, (words, result)
        assert result.stderr.startswith("wice-wg: "), result.stderr
    for words in ([], [name, name], ["--queues", "0", name], ["--frobnicate", name]):
        assert host.run(wice_wg(), *words, check=False).returncode == 2, words
    assert not processes(host) and not os.path.exists(socket_path(name))


@test
def wice_wg_stays_in_the_foreground_if_it_is_told_to(lab):
    [host] = hosts(lab, "a")
    name = new_name(lab, host)
    quiet = {**os.environ, "WG_PROCESS_FOREGROUND": "1"}
    for words, environment in ((["-f"], None), (["--foreground", "--no-offload", "--queues", "2"], None), ([], quiet)):
        process = host.spawn("wice-wg", wice_wg(), *words, name, env=environment)
        wait_until("it answers", lambda: os.path.exists(socket_path(name)) and host.run("wg", "show", name))
        assert process.is_running() and processes(host) == [process.pid]
        assert process.stop() == 0, process.log()
        wait_until_gone(host, name)


@test
def wice_wg_takes_descriptors_that_are_open(lab):
    """As wireguard-go's parent hands them to its child."""
    [host] = hosts(lab, "a")
    name = new_name(lab, host)
    os.makedirs(WIREGUARD_SOCKETS, exist_ok=True)
    with host.entered():
        tun = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(socket_path(name))
    listener.listen()
    for fd in (tun, listener.fileno()):
        os.set_inheritable(fd, True)
    environment = {**os.environ, "WG_TUN_FD": str(tun), "WG_UAPI_FD": str(listener.fileno())}
    subprocess.run(host.command(wice_wg(), name), env=environment, close_fds=False, check=True, timeout=60)
    os.close(tun)
    listener.close()
    host.run("wg", "set", name, "listen-port", "4711")
    assert host.run("wg", "show", name, "listen-port").stdout.strip() == "4711"
    assert has_link(host, name)
    host.ip("link delete " + name)
    wait_until_gone(host, name)


@test
def wice_wg_logs_as_it_is_told(lab):
    [host] = hosts(lab, "a")
    name = new_name(lab, host)
    process = host.spawn("wice-wg", wice_wg(), "-f", name, env={**os.environ, "LOG_LEVEL": "silent"})
    wait_until("it answers", lambda: os.path.exists(socket_path(name)))
    process.stop()
    assert process.log() == "", process.log()
    assert run(wice_wg(), "--version").stdout.startswith("wice-wg ")
    assert "LOG_LEVEL" in run(wice_wg(), "--help").stdout
