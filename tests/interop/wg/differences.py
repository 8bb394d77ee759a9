# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""What our wg does otherwise than the installed one on purpose. The manual page wice-wg(8) has the same list.

DIFFERENCES maps the title there to a function that returns true if it is still one: it is given the Bench and runs both.
"""

import re
import subprocess

from . import cases, model

K = cases.K


def _set(bench, *words):
    return [bench.run(program, "set", list(words)) for program in (bench.wg, bench.ours)]


def incremental_allowed_ips(bench):
    wg, ours = _set(bench, "peer", K, "allowed-ips", "+10.5.0.0/16,-192.168.7.0/24")
    before, after = bench.state.owners, bench.state.after(ours.requests).owners
    return not wg.ok and ours.ok and len(after) == len(before)


def sync_removes_what_the_file_lacks(bench):
    file = "[Interface]\n[Peer]\nPublicKey = %s\n" % K
    wg, ours = (bench.run(program, "syncconf", file.encode()) for program in (bench.wg, bench.ours))
    name = bench.hex(K)
    kept, removed = (bench.state.after(result.requests).peers[name] for result in (wg, ours))
    both_kept = kept.keepalive and kept.preshared_key != model.NO_KEY
    return both_kept and not removed.keepalive and removed.preshared_key == model.NO_KEY


def sync_keeps_the_port(bench):
    wg, ours = (bench.run(program, "syncconf", b"[Interface]\n") for program in (bench.wg, bench.ours))
    return "listen_port=0" in wg.requests[0] and not any("listen_port" in request for request in ours.requests)


def long_names(bench):
    name = bench.device.name.ljust(15, "x")
    other = bench.other_device(name)
    results = [other.run("", program, "set", name + "y", "listen-port", "1") for program in (bench.wg, bench.ours)]
    return [result.returncode for result, _ in results] == [0, 1] and results[0][1] and not results[1][1]


def blank_words(bench):
    wg, ours = _set(bench, "listen-port", " 80")
    return wg.ok and not ours.ok


def folders(bench):
    results = [bench.device.run("", program, "setconf", bench.device.name, "/") for program in (bench.wg, bench.ours)]
    wiped = "private_key=" + model.NO_KEY in "".join(results[0][1])
    return [result.returncode for result, _ in results] == [0, 1] and wiped and not results[1][1]


def lost_output(bench):
    with open("/dev/full", "wb") as full:
        statuses = [subprocess.run([program, "genkey"], stdout=full, stderr=subprocess.DEVNULL, check=False).returncode
                    for program in (bench.wg, bench.ours)]  # fmt: skip
    return statuses == [0, 1]


def help_is_no_error(bench):
    for word in ("--help", "-h"):
        results = [bench.device.run("", program, "set", word)[0] for program in (bench.wg, bench.ours)]
        if [result.returncode for result in results] != [1, 0] or b"Usage" not in results[1].stdout:
            return False
    return True


def foreign_sockets(bench):
    lists = [bench.device.run("", program, "show", "interfaces")[0].stdout for program in (bench.wg, bench.ours)]
    name = bench.device.name.encode()
    return name in lists[0].split() and name not in lists[1].split()


def ipv4_within_ipv6(bench):
    wg, ours = _set(bench, "peer", K, "endpoint", "[::ffff:192.0.2.1]:5")
    return "endpoint=[::ffff:192.0.2.1]:5\n" in wg.requests[0] and "endpoint=192.0.2.1:5\n" in "".join(ours.requests)


def replaced_endpoints(bench):
    file = b"[Peer]\nPublicKey = %s\nEndpoint = no.such.name.invalid:1\nEndpoint = 192.0.2.1:1\n" % K.encode()
    wg, ours = (bench.run(program, "addconf", file) for program in (bench.wg, bench.ours))
    return not wg.ok and ours.ok


def asterisks(bench):
    wg, ours = _set(bench, "peer", K, "endpoint", "*:5")
    return wg.ok and not ours.ok


DIFFERENCES = {
    "Allowed IPs with + or - in front": incremental_allowed_ips,
    "syncconf removes preshared keys and keepalives": sync_removes_what_the_file_lacks,
    "syncconf leaves the port alone": sync_keeps_the_port,
    "Names of more than 15 characters": long_names,
    "White space within a word": blank_words,
    "IPv4 within IPv6": ipv4_within_ipv6,
    "Endpoints that a later one replaces": replaced_endpoints,
    "The host *": asterisks,
    "A folder in place of a file": folders,
    "Output that cannot be written": lost_output,
    "--help": help_is_no_error,
    "Sockets without an interface": foreign_sockets,
}


def explains(content, ours_ok):
    """True if an unequal verdict about this case is one of those above."""
    in_file = isinstance(content, bytes)
    words = [line.partition("=")[2].strip() for line in content.decode("latin-1").splitlines()] if in_file else content
    if ours_ok:
        has_sign = any(network.strip()[:1] in ("+", "-") for word in words for network in word.split(","))
        names = [word for word in words if re.match(r"[a-z].*:\d+$", word, re.I)]
        return has_sign or len(names) > 1
    return any(word.startswith("*:") or (not in_file and word != word.strip()) for word in words)
