#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Every form of `wg show` and `wg showconf` against ours, byte for byte, over the same devices.

    wg_show.py WG_FORMS [SEED]

WG_FORMS is interop-wg-forms. The devices are random UAPI replies, served from sockets in namespaces of our own, where
nothing else sees them. A failure prints the seed. Exit code 77: skipped.
"""
import difflib
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


def wg(*arguments, **environment):
    result = subprocess.run(["wg", *arguments], env={**os.environ, "WG_COLOR_MODE": "never", **environment},
                            capture_output=True, timeout=60, check=False)
    assert result.returncode == 0 and not result.stderr, (arguments, result)
    return result.stdout


def second():
    """As time(2) tells it, which may be a few milliseconds behind other clocks."""
    return int(time.clock_gettime(CLOCK_REALTIME_COARSE))


def ask_wg(name):
    """The second that the ages are counted from, and all forms."""
    while True:
        now = second()
        forms = {"pretty": wg("show", name), "pretty, colours, secrets": wg("show", name, **COLOURFUL)}
        if second() == now:
            break
    forms["showconf"] = wg("showconf", name)
    for field in ("dump", *FIELDS):
        forms[field] = wg("show", name, field)
        forms["all " + field] = wg("show", "all", field)
    # wg before 2023 named the interface only once there.
    forms["all endpoints"] = b"".join(name.encode() + b"\t" + line for line in forms["endpoints"].splitlines(True))
    return now, forms


def ask_ours(program, name, now, text):
    result = subprocess.run([program, name, str(now)], input=text.encode(), stdout=subprocess.PIPE, timeout=60, check=True)
    words = result.stdout.split(b"\0")
    return {form.decode(): value for form, value in zip(words[0:-1:2], words[1::2])}


def check(program, seed):
    rng = random.Random(seed)
    name = rng.choice(NAMES)
    text = reply(rng, second())
    with Device(name, text):
        now, theirs = ask_wg(name)
    ours = ask_ours(program, name, now, text)
    assert sorted(ours) == sorted(theirs), (sorted(ours), sorted(theirs))
    wrong = [form for form in theirs if theirs[form] != ours[form]]
    for form in wrong:
        print("seed %d: %s differs from wg's:" % (seed, form))
        print("\n".join(difflib.unified_diff(theirs[form].decode().split("\n"), ours[form].decode().split("\n"),
                                             "wg", "ours", n=1, lineterm="")))
    return len(theirs), len(wrong)


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
    seeds = [int(sys.argv[2])] if len(sys.argv) > 2 else range(DEVICES)
    results = [check(sys.argv[1], seed) for seed in seeds]
    n_forms, n_wrong = (sum(column) for column in zip(*results))
    print("%d devices, %d texts, %d of them differ" % (len(results), n_forms, n_wrong))
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
