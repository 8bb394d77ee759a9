# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""What wiced and wice say when something is wrong: one sentence, and an exit status other than 0."""

import json
import os
import socket

from lab.network import Network, program
from lab.system import LabError, wait_until
from lab.testing import test
from lab.wice import Pair, Wiced
from lab.wireguard import WireGuard, assert_ping

FAILURE, USAGE = 1, 2  # exit status


def one_host(lab):
    network = Network(lab)
    host = network.host("a")
    network.start()
    return host


def says(result, status, *words):
    """The program ended with this status after one sentence that contains the words; indented details may follow."""
    text = result.stderr.strip()
    lines = [line for line in text.splitlines() if not line.startswith(("Try `", "  "))]
    assert result.returncode == status, "exit status %d: %s" % (result.returncode, text)
    assert len(lines) == 1, "not one sentence but %d lines: %s" % (len(lines), text)
    assert result.stdout == "", result.stdout
    for word in words:
        assert word.lower() in text.lower(), "«%s» does not say «%s»" % (text, word)


def run_wiced(host, *arguments):
    lab = host.lab
    return host.run(
        program("tools", "wiced"), "--socket", lab.file("other.sock"), "--state-dir", lab.file("other"),
        "--log-level", "error", *arguments, check=False, timeout=30,
    )  # fmt: skip


def run_wice(host, *arguments):
    return host.run(program("tools", "wice"), *arguments, check=False, timeout=30)


@test
def a_second_daemon_on_the_same_socket_is_refused_and_the_first_goes_on(lab):
    pair = Pair(lab).start()
    pair.wait_connected()
    first = pair.a.wiced
    result = pair.a.run(*first.command()[:-2], "--log-level", "error", "--socket", first.socket,
                        "--state-dir", first.state_dir, check=False, timeout=30)  # fmt: skip
    pid = first.status()["pid"]
    says(result, FAILURE, first.socket, str(pid))
    assert pid == first.process.pid or first.process.is_running()
    assert_ping(pair.a.wg, pair.b.wg)


@test
def a_second_daemon_for_the_same_interface_is_refused(lab):
    pair = Pair(lab).start()
    pair.wait_connected()
    result = run_wiced(pair.a, "-i", pair.a.wg.name, "-b", pair.signaling.url)
    says(result, FAILURE, pair.a.wg.name)
    assert_ping(pair.a.wg, pair.b.wg)


@test
def a_stale_socket_is_replaced(lab):
    host = one_host(lab)
    wiced = Wiced(host, ["none0"], ["multicast://"])
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.bind(wiced.socket)
    assert os.path.exists(wiced.socket)
    wiced.start()
    assert wiced.status()["interfaces"] == []


@test
def a_file_that_is_no_socket_is_not_replaced(lab):
    host = one_host(lab)
    lab.write("other.sock", "precious")
    says(run_wiced(host, "-b", "multicast://"), FAILURE, lab.file("other.sock"))
    with open(lab.file("other.sock"), encoding="ascii") as file:
        assert file.read() == "precious"


@test
def wiced_refuses_an_interface_name_that_cannot_be(lab):
    host = one_host(lab)
    says(run_wiced(host, "-i", "much-too-long-for-a-name"), USAGE, "much-too-long-for-a-name", "15")
    says(run_wiced(host, "-i", "a/b"), USAGE, "a/b")


@test
def wiced_refuses_urls_that_it_does_not_understand(lab):
    host = one_host(lab)
    says(run_wiced(host, "-b", "carrier-pigeon://loft"), USAGE, "carrier-pigeon", "grpc")
    says(run_wiced(host, "-a", "https://stun.example"), USAGE, "https://stun.example", "stun:")


@test
def wiced_without_privileges_says_what_it_needs(lab):
    # Not another user: the folder that it was built in may be in a home that only its owner can enter.
    host = one_host(lab)
    result = host.run(
        "setpriv", "--bounding-set=-all,+dac_override", "--inh-caps=-all",
        program("tools", "wiced"), "--socket", "/tmp/none.sock", check=False, timeout=30,
    )  # fmt: skip
    says(result, FAILURE, "CAP_NET_ADMIN", "root")


@test
def wice_without_a_daemon_asks_whether_one_is_running(lab):
    host = one_host(lab)
    missing = lab.file("missing.sock")
    for command in (["show"], ["wait", "--timeout", "1"], ["stop"], ["monitor"]):
        says(run_wice(host, "--socket", missing, *command), FAILURE, missing, "wiced")


@test
def wice_names_what_is_wrong_with_its_arguments(lab):
    pair = Pair(lab).start()
    wice = pair.a.wiced.wice
    says(wice("show", "nosuch0", check=False), FAILURE, "nosuch0")
    says(wice("restart", pair.a.wg.name, "notakey", check=False), FAILURE, "notakey")
    key = pair.a.wg.public_key  # its own, not a peer's
    says(wice("restart", pair.a.wg.name, key, check=False), FAILURE, key)
    says(wice("delete", "nosuch0", check=False), FAILURE, "nosuch0")
    says(wice("frobnicate", check=False), USAGE, "frobnicate")


@test
def wice_wait_ends_with_a_sentence_when_the_time_is_over(lab):
    pair = Pair(lab).make_daemons()
    pair.a.wiced.start()
    result = pair.a.wiced.wice("wait", "--timeout", "1", check=False)
    says(result, FAILURE, "1")


@test
def an_unreachable_signaling_server_is_named_and_retried(lab):
    pair = Pair(lab).make_daemons(backends=["grpc://203.0.113.77:8080"])
    pair.a.wiced.start()

    def reason():
        [backend] = pair.a.wiced.status()["backends"]
        return not backend["ready"] and "203.0.113.77" in backend["reason"]

    wait_until("the reason for not being ready names the server", reason)
    shown = pair.a.wiced.wice("show").stdout
    assert "203.0.113.77" in shown, shown


@test
def a_signaling_server_that_comes_late_is_found(lab):
    pair = Pair(lab)
    pair.serve()
    pair.signaling.stop()
    pair.make_daemons(backends=[pair.signaling.url])
    for host in (pair.a, pair.b):
        host.wiced.start()
    pair.signaling.start()
    pair.wait_connected()
    assert_ping(pair.a.wg, pair.b.wg)


@test
def no_private_key_is_ever_shown_or_logged(lab):
    pair = Pair(lab).start()
    pair.wait_connected()
    for host in (pair.a, pair.b):
        key = host.wg.private_key
        hexadecimal = __import__("base64").b64decode(key).hex()
        for text in (host.wiced.process.log(), host.wiced.wice("show").stdout, host.wiced.wice("--json", "show").stdout):
            assert key not in text and hexadecimal not in text


@test
def wice_monitor_tells_of_a_session_from_its_start(lab):
    pair = Pair(lab).make_daemons()
    pair.a.wiced.start()
    wice = [program("tools", "wice"), "--socket", pair.a.wiced.socket, "--json", "monitor"]
    monitor = pair.a.spawn("monitor", *wice)
    pair.b.wiced.start()
    pair.wait_connected()
    monitor.wait_for_line('"connected"')
    for line in monitor.log().splitlines():
        json.loads(line)


@test
def the_socket_is_gone_after_wiced_has_ended(lab):
    host = one_host(lab)
    wiced = Wiced(host, ["none0"], ["multicast://"]).start()
    wiced.stop()
    assert not os.path.exists(wiced.socket)


@test
def only_interfaces_that_were_asked_for_are_touched(lab):
    network = Network(lab)
    host = network.host("a")
    network.start()
    mine, others = WireGuard(host, 1), WireGuard(host, 2, name="other")
    mine.add_peer(others, "endpoint", "203.0.113.9:9")
    others.add_peer(mine, "endpoint", "203.0.113.9:9")
    wiced = Wiced(host, [mine.name], ["multicast://"]).start()
    wiced.wait_peer(mine, others.public_key, "the peer is being connected", lambda peer: peer["state"] != "idle")
    assert wiced.interface(others.name) is None
    assert others.show("endpoints")[mine.public_key] == "203.0.113.9:9"
    try:
        others_patterns = Wiced(host, ["w*"], ["multicast://"], name="all")
        others_patterns.start()
    except LabError:
        return  # refused because of the interface that is taken: also right
    assert others_patterns.interface(mine.name) is None, "two daemons take care of one interface"


@test
def a_program_that_links_the_library_connects_without_a_daemon(lab):
    pair = Pair(lab, "endpoint-independent", "port-restricted")
    pair.make_daemons()
    pair.a.wiced.start()
    result = pair.b.run(program("examples", "connect"), pair.b.wg.name, pair.signaling.url,
                        pair.network.stun_url(), check=False, timeout=60)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert pair.a.wg.public_key + ": connected" in result.stdout, result.stdout
    result = pair.b.run(program("examples", "connect"), check=False, timeout=60)
    assert result.returncode == 2 and "usage" in result.stderr, result.stderr
