# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Resident memory of wiced with 1 and with 100 connected peers on one interface (shared pages of libraries included), and the
size of libwice, wiced and wice without symbols. For comparison, wireguard-go with 1 peer on the same host. Taken when
wiced has run for 8 s: after 5 s it gives back what only starting needed.
"""

import os
import shutil
import time

from lab.fakewg import Star
from lab.network import build_folder
from lab.system import Lab, run, wait_until
from lab.wice import Pair

MANY = 100
SETTLED_S = 8
INSTALLED = ("lib/libwice.so", "tools/wiced", "tools/wice")


def rss_mib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS:")).split()[1]) / 1024


def with_one_peer():
    with Lab() as lab:
        pair = Pair(lab, "endpoint-independent", "endpoint-independent").start()
        pair.wait_connected()
        time.sleep(SETTLED_S)
        print("rss_1_peer_mib: %.1f" % pair.a.wiced.rss_mib())
        print("wireguard_go_rss_1_peer_mib: %.1f" % rss_mib(pair.a.wg.process.pid), flush=True)


def with_many_peers():
    with Lab() as lab:
        star = Star(lab, MANY)
        star.start()
        wait_until("all peers are connected", star.is_connected, timeout=120, interval=0.5)
        time.sleep(SETTLED_S)
        print("rss_%d_peers_mib: %.1f" % (MANY, star.hub.wiced.rss_mib()), flush=True)


def sizes():
    total = 0
    with Lab() as lab:
        for path in INSTALLED:
            copy = lab.file(os.path.basename(path))
            shutil.copy(os.path.join(build_folder(), path), copy)
            run("strip", copy)
            total += os.path.getsize(copy)
    print("size_mib: %.2f" % (total / 2**20))


def main():
    with_one_peer()
    with_many_peers()
    sizes()
