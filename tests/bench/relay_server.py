# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Two parts of the bench of relays: `wice relay` in userspace against coturn, each on a core of its own, clients (relay_load.c) on another, over the loopback device.
server_user_vs_coturn: packets/s that are relayed under a flood, by coturn's. 16 clients with a channel each; UDP packets of 1,000
bytes, bursts of 8; from clients to a peer and from the peer to clients; whoever they go to drops them in the kernel.
server_user_cpu_vs_coturn: processor time of the server per packet, by coturn's. In turns in one run; medians of the rounds' ratios.
server_user_*_up, _down, _burst1, _burst64: of one direction, of single packets and of bursts of 64, for information.
allocation_bytes: resident memory per allocation of 10,000 that are held, each with a channel; allocations_s: the time to make them.
"""

import os
import re
import shutil
import socket
import struct
import subprocess
import tempfile
import time

from engine import figure
from lab.network import program

QUICK = "WICE_BENCH_QUICK" in os.environ
ADDRESS, PORT = "127.0.0.1", 43478
USER, PASSWORD = "bench", "bench"
ROUNDS, SECONDS = (3, 0.5) if QUICK else (9, 1)
CLIENTS, SIZE, BURST = 16, 1000, 8
ALLOCATIONS = 2000 if QUICK else 10000
SERVER_CORE, LOAD_CORE = "1", "0"


class Server:
    """A server, on its core if it is to be measured, while the `with` block lasts."""

    def __init__(self, folder, command, cores=SERVER_CORE):
        self.folder, self.command, self.cores = folder, command, cores

    def __enter__(self):
        with open(os.path.join(self.folder, "server.log"), "wb") as log:
            self.process = subprocess.Popen(["taskset", "-c", self.cores, *self.command(self.folder)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # fmt: skip
        self.wait_listening()
        return self

    def __exit__(self, *_error):
        self.process.terminate()
        self.process.wait()

    def wait_listening(self):
        request = struct.pack("!HHI12s", 1, 0, 0x2112A442, os.urandom(12))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.1)
            sock.connect((ADDRESS, PORT))
            for _ in range(200):
                try:
                    sock.send(request)
                    sock.recv(1000)
                    return
                except OSError:
                    time.sleep(0.02)
        raise SystemExit("the server does not answer; see %s" % self.folder)

    def cpu_ns(self):
        tasks = "/proc/%d/task" % self.process.pid
        total = 0
        for task in os.listdir(tasks):
            with open(os.path.join(tasks, task, "schedstat"), encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def rss(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as file:
            return int(re.search(r"VmRSS:\s*(\d+) kB", file.read()).group(1)) * 1024


def ours(folder):
    users = os.path.join(folder, "users")
    with open(users, "w", encoding="ascii", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        file.write("%s:%s\n" % (USER, PASSWORD))
    return [program("tools", "wice"), "relay", "--users-file", users, "--listen", "udp:%s:%d" % (ADDRESS, PORT),
            "--relay-address", ADDRESS, "--permit-loopback", "--fast-path", "off", "--user-allocations", "100000",
            "--address-allocations", "100000"]  # fmt: skip


def coturn(folder):
    return ["turnserver", "-n", "-L", ADDRESS, "-E", ADDRESS, "-p", str(PORT), "--no-tls", "--no-dtls", "--no-cli", "--no-tcp",
            "-a", "-u", "%s:%s" % (USER, PASSWORD), "-r", "bench", "--allow-loopback-peers", "--relay-threads", "1",
            "-l", "/dev/null", "--pidfile", os.path.join(folder, "pid"), "--userdb", os.path.join(folder, "db")]  # fmt: skip


def load_command(*words):
    return [str(word) for word in ("taskset", "-c", LOAD_CORE, program("tests", "bench", "bench-relay-load"), words[0],
                                   "%s:%d" % (ADDRESS, PORT), USER, PASSWORD, *words[1:])]  # fmt: skip


def measure(folder, command, direction, burst):
    """Packets/s, and nanoseconds of the server's time per packet."""
    with Server(folder, command) as server:
        before = server.cpu_ns()
        words = load_command(direction, CLIENTS, SECONDS, SIZE, burst)
        output = subprocess.run(words, check=False, capture_output=True, text=True)
        if output.returncode != 0:  # coturn on one core loses requests now and then
            return None
        packets, seconds = map(float, output.stdout.split("\n")[1].split())
        return packets / seconds, (server.cpu_ns() - before) / packets


def compare(folder, cases):
    rates, costs = [], []
    for number in range(ROUNDS):
        direction, burst = cases[number % len(cases)]
        pair = (ours, coturn) if number % 2 else (coturn, ours)
        result = {command: measure(folder, command, direction, burst) for command in pair}
        if None in result.values():
            continue
        rates.append(result[ours][0] / result[coturn][0])
        costs.append(result[ours][1] / result[coturn][1])
    return rates, costs


def packets(folder):
    both = [("up", BURST), ("down", BURST)]
    for name, cases in (("", both), ("_up", both[:1]), ("_down", both[1:]), ("_burst1", [("up", 1), ("down", 1)]),
                        ("_burst64", [("up", 64), ("down", 64)])):  # fmt: skip
        rates, costs = compare(folder, cases)
        figure("server_user_vs_coturn" + name, rates)
        figure("server_user_cpu_vs_coturn" + name, costs)


def allocations(folder):
    for name, command in (("", ours), ("_coturn", coturn)):
        with Server(folder, command, cores="0-%d" % (os.cpu_count() - 1)) as server:
            before = server.rss()
            n = ALLOCATIONS if command is ours else min(ALLOCATIONS, 4000)  # it takes two and more descriptors for each
            load = subprocess.Popen(load_command("hold", n)[3:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            ready = re.match(r"ready (\d+) ms", load.stdout.readline())
            if not ready:
                raise SystemExit("the allocations could not be made")
            size = (server.rss() - before) / n
            load.kill()
            load.wait()
        print("allocation_bytes%s: %.0f" % (name, size))
        print("allocations_s%s: %.2f" % (name, int(ready.group(1)) / 1000 * ALLOCATIONS / n), flush=True)


def bench(part):
    """part: one of the two above."""
    if not shutil.which("turnserver"):
        print("# without the server's figures: coturn is not installed", flush=True)
        return
    with tempfile.TemporaryDirectory(prefix="wice-bench-") as folder:
        part(folder)
