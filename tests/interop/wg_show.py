#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Every form of `wg show` and `wg showconf` against ours, byte for byte, over the same devices.

    wg_show.py WG_FORMS WG [SEED]

WG_FORMS is interop-wg-forms, WG is our program. The devices are random UAPI replies, served from sockets in namespaces of our
own, where nothing else sees them. WG does not show a socket without an interface as one of all, so WG_FORMS does.
A failure prints the seed. Exit code 77: skipped.
"""
import difflib
import functools
import ipaddress
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time

DEVICES = 120
CLOCK_REALTIME_COARSE = 5  # linux/time.h; Python does not name it
INSIDE = "WICE_TEST_INSIDE"
NAMES = ("wg0", "a", "fifteen-chars-0")
FIELDS = ("public-key", "private-key", "listen-port", "fwmark", "peers", "preshared-keys", "endpoints", "allowed-ips",
          "latest-handshakes", "transfer", "persistent-keepalive")
COLOURFUL = {"WG_COLOR_MODE": "always", "WG_HIDE_KEYS": "never"}
MAPPED = (b"[::ffff:192.0.2.1]:", b"192.0.2.1:")
PORTS = (0, 1, 51820, 65535)
ADDRESSES = ("192.0.2.1", "0.0.0.0", "255.255.255.255", "[2001:db8::1]", "[::]", "[::ffff:192.0.2.1]", "[::192.0.2.1]",
             "[::1:0]", "[2001:db8:0:1:1:1:1:1]", "[2001:0:0:1:0:0:0:1]", "[2001:0:0:1:0:0:1:1]", "[1:2:3:4:5:6:7:8]",
             "[fe80::1%1]", "[fe80::1%lo]", "[fe80::1%4242]", "[fe80::1]", "[ff02::1%1]", "[ff05::1%1]", "[2001:db8::1%1]")
COUNTERS = [base + delta for power in range(0, 70, 10) for base in [2 ** min(power, 64)] for delta in (-1, 0, 1)
            if base + delta < 2 ** 64] + [2 ** 64 - 1, 1152, 1408, 1664, 1920, 1300234, 999 * 2 ** 40]
AGES = (0, 1, 2, 59, 60, 61, 3599, 3600, 3661, 86400, 90061, 31536000, 31536001, 100000000, 1000000000, -1, -60, -10 ** 9)
KEEPALIVES = (1, 25, 59, 60, 61, 3600, 3661, 65535)


def secret(rng):
    return rng.randbytes(32).hex()


def network(rng):
    """A network without host bits, with many zeroes."""
    if rng.random() < 0.5:
        bits, length = rng.getrandbits(32), rng.randint(0, 32)
        return str(ipaddress.ip_network((bits, length), strict=False))
    words = [rng.choice((0, 0, 1, 0xffff, rng.getrandbits(16))) for _ in range(8)]
    bits = sum(word << 16 * i for i, word in enumerate(words))
    return str(ipaddress.ip_network((bits, rng.randint(0, 128)), strict=False))


def endpoint(rng):
    if rng.random() < 0.6:
        return "%s:%d" % (rng.choice(ADDRESSES), rng.choice(PORTS))
    if rng.random() < 0.5:
        return "%s:%d" % (ipaddress.ip_address(rng.getrandbits(32)), rng.getrandbits(16))
    return "[%s]:%d" % (ipaddress.IPv6Address(rng.getrandbits(128)), rng.getrandbits(16))


def counter(rng):
    return rng.choice(COUNTERS) if rng.random() < 0.7 else rng.getrandbits(rng.randint(1, 64))


def peer(rng, now):
    lines = ["public_key=" + secret(rng)]
    if rng.random() < 0.8:
        lines.append("preshared_key=" + (secret(rng) if rng.random() < 0.4 else "0" * 64))
    if rng.random() < 0.8:
        lines.append("endpoint=" + endpoint(rng))
    if rng.random() < 0.9:
        shaken = rng.random() < 0.7
        lines.append("last_handshake_time_sec=%d" % (now - rng.choice(AGES) if shaken else 0))
        lines.append("last_handshake_time_nsec=%d" % rng.choice((0, 0, 1, 999999999)))
        lines.append("tx_bytes=%d" % counter(rng))
        lines.append("rx_bytes=%d" % counter(rng))
        lines.append("persistent_keepalive_interval=%d" % (rng.choice(KEEPALIVES) if rng.random() < 0.5 else 0))
    networks = [network(rng) for _ in range(rng.choice((0, 1, 1, 2, 5, 300)))]
    return lines + ["allowed_ip=" + one for one in dict.fromkeys(networks)]


def reply(rng, now):
    lines = []
    if rng.random() < 0.8:
        lines.append("private_key=" + secret(rng))
    if rng.random() < 0.8:
        lines.append("listen_port=%d" % rng.choice(PORTS))
    if rng.random() < 0.5:
        lines.append("fwmark=%d" % rng.choice((0, 1, 51820, 2 ** 32 - 1)))
    for _ in range(rng.choice((0, 1, 2, 5, 30))):
        lines += peer(rng, now)
    return "\n".join(lines + ["errno=0", "", ""])


class Device:
    """A fake UAPI socket that answers whatever it is asked with one reply."""

    def __init__(self, name, text):
        self.path = "/var/run/wireguard/%s.sock" % name
        self.text = text.encode()
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            with connection:
                if connection.recv(4096):
                    connection.sendall(self.text)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
        os.unlink(self.path)


def run(program, *arguments, **environment):
    result = subprocess.run([program, *arguments], env={**os.environ, "WG_COLOR_MODE": "never", **environment},
                            capture_output=True, timeout=60, check=False)
    assert result.returncode == 0 and not result.stderr, (arguments, result)
    return result.stdout


def wg(*arguments, **environment):
    """wg shows endpoints of IPv4 within IPv6 as they are told; the library knows them as IPv4."""
    return run("wg", *arguments, **environment).replace(*MAPPED)


def seconds():
    """As time(2) tells it, which may be a few milliseconds behind, and as other clocks do."""
    return int(time.clock_gettime(CLOCK_REALTIME_COARSE)), int(time.time())


def ask(program, name):
    """What is printed for all forms of one interface."""
    forms = {"pretty": program("show", name),
             "pretty, colours, secrets": program("show", name, **COLOURFUL),
             "showconf": program("showconf", name)}
    for field in ("dump", *FIELDS):
        forms[field] = program("show", name, field)
    return forms


def ask_both(ours, name):
    """Both of them in one second, which is returned, too: ages are counted from it."""
    while True:
        before = seconds()
        theirs, printed = ask(wg, name), ask(functools.partial(run, ours), name)
        if before == seconds() and before[0] == before[1]:
            return before[0], theirs, printed


def ask_wg_for_all(name):
    forms = {"all " + field: wg("show", "all", field) for field in ("dump", *FIELDS)}
    # wg before 2023 named the interface only once there.
    lines = wg("show", name, "endpoints").splitlines(True)
    forms["all endpoints"] = b"".join(name.encode() + b"\t" + line for line in lines)
    return forms


def ask_library(program, name, now, text):
    result = subprocess.run([program, name, str(now)], input=text.encode(), stdout=subprocess.PIPE, timeout=60, check=True)
    words = result.stdout.split(b"\0")
    return {form.decode(): value for form, value in zip(words[0:-1:2], words[1::2])}


def compare(what, theirs, ours):
    """How many texts differ; prints where."""
    assert sorted(ours) == sorted(theirs), (sorted(ours), sorted(theirs))
    wrong = [form for form in theirs if theirs[form] != ours[form]]
    for form in wrong:
        print("%s: %s differs from wg's:" % (what, form))
        print("\n".join(difflib.unified_diff(theirs[form].decode().split("\n"), ours[form].decode().split("\n"),
                                             "wg", "ours", n=1, lineterm="")))
    return len(wrong)


def check(forms_program, wg_program, seed):
    rng = random.Random(seed)
    name = rng.choice(NAMES)
    text = reply(rng, seconds()[0])
    with Device(name, text):
        now, theirs, printed = ask_both(wg_program, name)
        for_all = ask_wg_for_all(name)
    n_wrong = compare("seed %d, the program" % seed, theirs, printed)
    theirs.update(for_all)
    n_wrong += compare("seed %d, the library" % seed, theirs, ask_library(forms_program, name, now, text))
    return len(theirs) + len(printed), n_wrong


def enter_namespaces():
    """Starts this program again where /run and the network are its own."""
    run = os.path.realpath("/var/run")
    unshare = ["unshare", "--mount", "--net"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    if not shutil.which("wg"):
        print("skipped: there is no wg")
        sys.exit(77)
    if subprocess.run([*unshare, "true"], check=False).returncode != 0:
        print("skipped: namespaces cannot be made here")
        sys.exit(77)
    os.environ[INSIDE] = "1"
    script = 'mount -t tmpfs none "$0" && mkdir "$0/wireguard" && exec "$@"'
    os.execvp(unshare[0], [*unshare, "sh", "-c", script, run, sys.executable, *sys.argv])


def main():
    if INSIDE not in os.environ:
        enter_namespaces()
    seeds = [int(sys.argv[3])] if len(sys.argv) > 3 else range(DEVICES)
    results = [check(sys.argv[1], sys.argv[2], seed) for seed in seeds]
    n_forms, n_wrong = (sum(column) for column in zip(*results))
    print("%d devices, %d texts, %d of them differ" % (len(results), n_forms, n_wrong))
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
