# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""The WireGuard control API against wg(8), with 10,000 peers behind a UAPI socket. Ours and theirs take turns; a ratio is the
median of the ratios of the rounds, ours by theirs, and times are from fork() to the end of the process.
*_small_*: by the program that is `wice wg` alone and loads no more than it needs; start_* is what it takes to print a help.
*_client_*: a socket that takes everything at once and has its answer ready, so what is left is the client.
dump_*: `wice wg show IF dump` and `wg show IF dump`; dump_floor_ms is how long wireguard-go takes to answer a reader that
does nothing. set_*: setconf into an empty wireguard-go device.
sync_*: one peer of the file is not yet as the device has it. sync_one_* is a program that holds a snapshot of the device and
the state that it wants, and applies the difference, against `wg syncconf`; sync_file_* reads the file each time;
sync_cli_* is `wice wg syncconf`, which also reads the device; sync_floor_ms is how long wireguard-go takes to be read.
parse_*: CPU time of wice_conf_parse() of a file without endpoints (wg would resolve them while it parses), in turns with wg.
parse_ms is in strict mode, the default; *_compat_* is without the checks that wg has not; parse_first_ms is the first time
in a process, when all memory is new, as it is for wg. wg's share is the CPU time that it has used when it connects to the
device, which is when it has read the file, less the same with an empty file. parse_linearity is the time for 20,000 peers
by that for 10,000.
watch_*: how late a peer that `wg set` adds comes as an event, from the start of wg, while something is connecting, among few
peers and among 1,000; watch_idle_cpu_percent is the CPU time of watching 1,000 peers for 20 s.
"""

import shutil
import statistics

from lab.network import program
from lab.system import LabError, run
from wg_devices import FakeDevice, Files, WireGuardGo, conf, enter_private_place, first_key

PEERS = 10000
FEW, WATCHED = 10, 1000
ROUNDS = 15
IDLE_S = 20
ADDITIONS = 200
TIMEOUT = 600


def bench_program(name):
    return program("tests", "bench", name)


def race(name, arguments, before=None, ours="wice wg"):
    """The same arguments for ours and for wg, in turns."""
    words = [bench_program("bench-race"), str(ROUNDS)] + (["--before", before] if before else [])
    command, *first = ours.split()
    lines = run(*words, program("tools", command), *first, *arguments, "--", "wg", *arguments, timeout=TIMEOUT).stdout
    values = dict(line.split(": ") for line in lines.splitlines())
    print("%s_ms: %s" % (name, values["ours_ms"]))
    print("%s_wg_ms: %s" % (name, values["theirs_ms"]))
    return values["ratio"]


def race_both(name, arguments):
    """With both of our programs."""
    print("%s_small_ratio: %s" % (name, race(name + "_small", arguments, ours="wg")))
    print("%s_ratio: %s" % (name, race(name, arguments)), flush=True)


def print_floor(name, device):
    print("%s_floor_ms: %.3f" % (name, statistics.median(device.answer_ms() for _ in range(ROUNDS))), flush=True)


def bench_dump(files):
    with WireGuardGo("wg0") as device:
        run("wg", "setconf", device.name, files.add("dump", conf(PEERS, endpoints=True)))
        print("dump_ratio_user: %s" % race("dump_user", ["show", device.name, "dump"]))
        print_floor("dump", device)
        state = device.state()
    with FakeDevice("fake0", state) as device:
        race_both("dump_client", ["show", device.name, "dump"])


def bench_set(path):
    with WireGuardGo("wg0") as device:
        empty = "wg setconf %s /dev/null" % device.name
        print("set_ratio: %s" % race("set", ["setconf", device.name, path], empty), flush=True)
    with FakeDevice("fake0") as device:
        race_both("set_client", ["setconf", device.name, path])


def bench_sync(files, path):
    text = conf(PEERS, keepalive_of_first=25)
    changed = files.add("changed", text)
    with WireGuardGo("wg0") as device:
        run("wg", "setconf", device.name, path)
        result = run(bench_program("bench-wg"), "sync", device.name, changed, path, timeout=TIMEOUT)
        print(result.stdout, end="")
        back = "wg set %s peer %s persistent-keepalive 0" % (device.name, first_key(text))
        print("sync_cli_ratio: %s" % race("sync_cli", ["syncconf", device.name, changed], back))
        print_floor("sync", device)


def parse_round(device, path, double, empty):
    """Figures of one round: ours, then wg's."""
    theirs = device.cpu_ms_until_connected(path) - device.cpu_ms_until_connected(empty)
    lines = run(bench_program("bench-wg"), "parse", path, double).stdout.splitlines()
    (strict, compat, first), (strict_double, _, _) = ([float(word) for word in line.split()] for line in lines)
    return {
        "parse_ms": strict,
        "parse_compat_ms": compat,
        "parse_first_ms": first,
        "parse_wg_ms": theirs,
        "parse_speedup": theirs / strict,
        "parse_compat_speedup": theirs / compat,
        "parse_first_speedup": theirs / first,
        "parse_linearity": strict_double / strict,
    }


def bench_parse(files, path):
    double = files.add("double", conf(2 * PEERS))
    empty = files.add("empty", conf(0))
    with FakeDevice("fake0") as device:
        rounds = [parse_round(device, path, double, empty) for _ in range(ROUNDS)]
    for name in rounds[0]:
        print("%s: %.2f" % (name, statistics.median(figures[name] for figures in rounds)), flush=True)


def watch(what, name, argument):
    result = run(bench_program("bench-watch"), what, name, argument, timeout=TIMEOUT)
    return [float(word) for word in result.stdout.split()]


def bench_watch(files):
    for n_peers, suffix in ((FEW, ""), (WATCHED, "_%d_peers" % WATCHED)):
        with WireGuardGo("wg0") as device:
            run("wg", "setconf", device.name, files.add("watched", conf(n_peers)))
            if n_peers == WATCHED:
                print("watch_idle_cpu_percent: %.4f" % watch("idle", device.name, IDLE_S)[0], flush=True)
            middle, late = watch("adds", device.name, ADDITIONS)
            print("watch_median_ms%s: %.1f" % (suffix, middle))
            print("watch_p99_ms%s: %.1f" % (suffix, late), flush=True)


def main():
    for tool in ("wg", "wireguard-go"):
        if not shutil.which(tool):
            raise LabError("%s is missing" % tool)
    enter_private_place()
    with Files() as files:
        path = files.add("plain", conf(PEERS))
        race_both("start", ["--help"])
        bench_dump(files)
        bench_set(path)
        bench_sync(files, path)
        bench_parse(files, path)
        bench_watch(files)
