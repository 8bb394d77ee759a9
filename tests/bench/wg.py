# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""The WireGuard control API against wg(8), with 10,000 peers behind a UAPI socket. Ours and theirs take turns; a ratio is the
median of the ratios of the rounds, ours by theirs; the middle half of these is their spread. Times are from fork() to the end
of the process. *_floor_ms is how long the device itself takes, with a client that does nothing, and *_floor_ratio is that by
wg's time: no client can have a smaller ratio.
*_small_*: by the program that is `wice wg` alone and loads no more than it needs; start_* is what it takes to print a help.
*_client_*: a socket that takes everything at once and has its answer ready, so what is left is the client.
dump_*: `wice wg show IF dump` and `wg show IF dump`. set_*: setconf into an empty wireguard-go device. *_kernel*: both, and
syncconf, with a device of the kernel in an emulated machine (tests/kernel/lab.py), by the program that is `wice wg` alone.
sync_*: one peer of the file is not yet as the device has it. sync_one_* is a program that holds a snapshot of the device and
the state that it wants, and applies the difference, against `wg syncconf`; sync_file_* reads the file each time;
sync_cli_* is `wice wg syncconf`, which also reads the device: its floor.
parse_*: CPU time of wice_conf_parse() of a file without endpoints (wg would resolve them while it parses), in turns with wg.
parse_ms is in strict mode, the default; *_compat_* is without the checks that wg has not; parse_first_ms is the first time
in a process, when all memory is new, as it is for wg. wg's share is the CPU time that it has used when it connects to the
device, which is when it has read the file, less the same with an empty file. parse_linearity is the time for 20,000 peers
by that for 10,000.
watch_*: how late a peer that `wg set` adds comes as an event, from the start of wg, while something is connecting, among few
peers and among 1,000; watch_idle_cpu_percent is the CPU time of watching 1,000 peers for 20 s.
"""

import os
import shutil
import statistics
import subprocess
import sys

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


def race(name, arguments, before=None, ours="wice wg", ratio=None):
    """The same arguments for ours and for wg, in turns. Returns what wg took."""
    words = [bench_program("bench-race"), str(ROUNDS)] + (["--before", before] if before else [])
    command, *first = ours.split()
    lines = run(*words, program("tools", command), *first, *arguments, "--", "wg", *arguments, timeout=TIMEOUT).stdout
    values = dict(line.split(": ") for line in lines.splitlines())
    print("%s_ms: %s" % (name, values["ours_ms"]))
    print("%s_wg_ms: %s" % (name, values["theirs_ms"]))
    print("%s: %s" % (ratio or name + "_ratio", values["ratio"]))
    print("%s_spread: %s" % (name, values["spread"]), flush=True)
    return float(values["theirs_ms"])


def race_both(name, arguments):
    """With both of our programs."""
    race(name + "_small", arguments, ours="wg")
    race(name, arguments)


def race_and_floor(name, measure_floor, *arguments, floor=None, **options):
    """The floor is measured before and after, for machines change their mind."""
    floors = [measure_floor() for _ in range(ROUNDS // 2 + 1)]
    theirs = race(name, *arguments, **options)
    floors += [measure_floor() for _ in range(ROUNDS // 2 + 1)]
    print("%s_floor_ms: %.3f" % (floor or name, statistics.median(floors)))
    print("%s_floor_ratio: %.4f" % (floor or name, statistics.median(floors) / theirs), flush=True)


def bench_dump(files):
    with WireGuardGo("wg0") as device:
        run("wg", "setconf", device.name, files.add("dump", conf(PEERS, endpoints=True)))
        race("dump_user_small", ["show", device.name, "dump"], ours="wg")
        race_and_floor("dump_user", device.answer_ms, ["show", device.name, "dump"], floor="dump", ratio="dump_ratio_user")
        state = device.state()
    with FakeDevice("fake0", state) as device:
        race_both("dump_client", ["show", device.name, "dump"])


def bench_set(path):
    with FakeDevice("fake0") as device:
        request = device.request(path)
        race_both("set_client", ["setconf", device.name, path])
    with WireGuardGo("wg0") as device:
        empty = "wg setconf %s /dev/null" % device.name
        race_and_floor("set", lambda: device.take_ms(request), ["setconf", device.name, path], before=empty)


def bench_sync(files, path):
    text = conf(PEERS, keepalive_of_first=25)
    changed = files.add("changed", text)
    with WireGuardGo("wg0") as device:
        run("wg", "setconf", device.name, path)
        result = run(bench_program("bench-wg"), "sync", device.name, changed, path, timeout=TIMEOUT)
        print(result.stdout, end="")
        back = "wg set %s peer %s persistent-keepalive 0" % (device.name, first_key(text))
        race_and_floor("sync_cli", device.answer_ms, ["syncconf", device.name, changed], before=back, floor="sync")


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


def bench_kernel(build):
    """In the emulated machine; needs no privileges, but the archives of Debian the first time."""
    if not shutil.which("qemu-system-x86_64"):
        print("# dump_ratio_kernel: qemu-system-x86_64 is not installed", flush=True)
        return
    lab = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kernel", "lab.py")
    command = [sys.executable, lab, "--build", build, "--cache", os.path.join(build, "kernel"), "figures"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    figures = [line.split()[1:] for line in result.stdout.splitlines() if line.strip().startswith("figure: ")]
    for name, value in figures:
        print("%s: %s" % (name, value))
    if not figures:
        print("# dump_ratio_kernel: " + (result.stdout or result.stderr).strip().replace("\n", "\n# "))


def main():
    for tool in ("wg", "wireguard-go"):
        if not shutil.which(tool):
            raise LabError("%s is missing" % tool)
    bench_kernel(os.path.dirname(program("tests")))
    enter_private_place()
    with Files() as files:
        path = files.add("plain", conf(PEERS))
        race_both("start", ["--help"])
        bench_dump(files)
        bench_set(path)
        bench_sync(files, path)
        bench_parse(files, path)
        bench_watch(files)
