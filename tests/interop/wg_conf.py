#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""The installed wg as the oracle for ours: the same files and command lines through both, in front of a fake device.

    wg_conf.py WG MANUAL [--show N]

WG is our program, MANUAL is wice-wg.8. Both must take and refuse the same, and what they tell the device must make the same
of it. Exit code 77: skipped.
"""

import argparse
import base64
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from wg import cases, differences, fake, model  # noqa: E402

SKIPPED = 77
N_FILES, N_LINES = 300, 200  # generated ones


class Result:
    def __init__(self, process, requests):
        self.ok = process.returncode == 0
        self.status = process.returncode
        self.requests = requests
        self.error = process.stderr.decode("utf-8", "replace").strip()
        self.out = process.stdout


class Bench:
    """Both programs, the fake device, and what it is before each run."""

    def __init__(self, ours, folder):
        self.wg, self.ours = shutil.which("wg"), ours
        self.folder = folder
        self.device = fake.FakeDevice("wgconf%d" % (os.getpid() % 100000))
        self.own = base64.b64encode(bytes.fromhex(model.public_key(self.hex(cases.PRIVATE)))).decode()
        self.state = self.first_state()
        for name, text in cases.KEY_FILES.items():
            with open(os.path.join(folder, name), "w", newline="", encoding="ascii") as file:
                file.write(text)

    @staticmethod
    def hex(key):
        return base64.b64decode(key).hex()

    def first_state(self):
        """A device with all there is to be changed or lost."""
        lines = ["set=1", "private_key=" + self.hex(cases.OTHER_PRIVATE), "listen_port=4321", "fwmark=77"]
        lines += ["public_key=" + self.hex(cases.K), "preshared_key=" + self.hex(cases.PRESHARED), "endpoint=198.51.100.1:9",
                  "persistent_keepalive_interval=21", "allowed_ip=10.9.0.0/16", "allowed_ip=192.168.7.0/24"]  # fmt: skip
        lines += ["public_key=" + self.hex(cases.L), "endpoint=[2001:db8:7::1]:99", "allowed_ip=fd00:7::/64"]
        lines += ["public_key=" + self.hex(cases.KEYS[4])]
        return model.Device().after(["\n".join(lines) + "\n\n"])

    def other_device(self, name):
        return fake.FakeDevice(name)

    def word(self, word):
        if word == "OWN":
            return self.own
        return os.path.join(self.folder, word[1:]) if word.startswith("@") else word

    def run(self, program, command, content):
        """content: the bytes of a file or the words of "set"."""
        words = [self.device.name]
        if isinstance(content, bytes):
            path = os.path.join(self.folder, "file.conf")
            with open(path, "wb") as file:
                file.write(content.replace(b"OWN", self.own.encode()))
            words.append(path)
        else:
            words += [self.word(word) for word in content]
        return Result(*self.device.run(self.state.get(), program, command, *words))


def newer_sync(state, requests):
    """What newer versions of wg send for the same file: preshared keys and keepalives that it lacks are removed."""
    blocks = "".join(requests).partition("\n\n")[0].split("\npublic_key=")
    said = {}
    for block in blocks[1:]:
        said[block[:64]] = said.get(block[:64], "") + block
    extra = ""
    for name, text in said.items():
        peer = state.peers.get(name)
        if not peer or "remove=true" in text:
            continue
        missing = ""
        if peer.preshared_key != model.NO_KEY and "preshared_key=" not in text:
            missing += "preshared_key=%s\n" % model.NO_KEY
        if peer.keepalive and "persistent_keepalive_interval=" not in text:
            missing += "persistent_keepalive_interval=0\n"
        extra += "public_key=%s\n%s" % (name, missing) if missing else ""
    return [requests[0][:-1] + extra + "\n"] if requests and extra else requests


def compare(bench, command, content):
    """None, or what is not equal."""
    wg, ours = (bench.run(program, command, content) for program in (bench.wg, bench.ours))
    if wg.ok != ours.ok:
        if differences.explains(command, content, wg.ok, ours.ok):
            return None
        return "wg %s (%s), ours %s (%s)" % (wg.status, wg.error, ours.status, ours.error)
    if not wg.ok:
        if ours.status != 1 or ours.requests or not ours.error or ours.out:
            return "ours refuses it badly: %s %r %s" % (ours.status, ours.error, ours.requests)
        return None
    try:
        expected = bench.state.after(newer_sync(bench.state, wg.requests) if command == "syncconf" else wg.requests)
        found = bench.state.after(ours.requests)
    except model.BadRequest as error:
        return "a request that no device takes: %s\n  wg: %s\n  ours: %s" % (error, wg.requests, ours.requests)
    if command == "syncconf" and expected.listen_port == model.ANY_PORT:
        found.listen_port = model.ANY_PORT
    if expected != found:
        return "other result:\n  wg:   %s\n  ours: %s\n  wg sent %s\n  ours sent %s" % (expected, found, wg.requests, ours.requests)
    return None


def compare_all(bench, command, contents, n_shown):
    """Number of cases and of failures."""
    n = failed = 0
    for content in contents:
        n += 1
        trouble = compare(bench, command, content)
        if trouble:
            failed += 1
            if failed <= n_shown:
                print("--- %s %r\n  %s" % (command, content[:400], trouble))
    print("%s: %d cases, %d not equal" % (command, n, failed))
    return n, failed


def compare_showconf(bench):
    """The files that both write of many devices, byte for byte."""
    failed = 0
    states = [model.Device(), bench.state]
    for command, content in [("setconf", file) for file in cases.made_files(60)] + [("setconf", f) for f in cases.hand_made_files()]:
        result = bench.run(bench.wg, command, content)
        if result.ok:
            states.append(bench.state.after(result.requests))
    for state in states:
        results = [bench.device.run(state.get(), program, "showconf", bench.device.name)[0] for program in (bench.wg, bench.ours)]
        if results[0].stdout != results[1].stdout or results[1].returncode != 0:
            failed += 1
            print("--- showconf\n%s\n--- but\n%s%s" % (results[0].stdout.decode(), results[1].stdout.decode(), results[1].stderr.decode()))
    print("showconf: %d cases, %d not equal" % (len(states), failed))
    return failed


def check_differences(bench, manual):
    """Each one that is listed still is one, and the manual lists the same ones."""
    failed = 0
    for title, check in differences.DIFFERENCES.items():
        if not check(bench):
            failed += 1
            print("--- this is no difference any more: " + title)
    with open(manual, encoding="utf-8") as file:
        section = file.read().partition(".Sh DIFFERENCES TO WG\n")[2].partition("\n.Sh ")[0]
    titles = [re.sub(r"\\-|\\&", lambda m: "-" if m[0] == "\\-" else "", line[4:]) for line in section.splitlines() if line.startswith(".It ")]
    if titles != list(differences.DIFFERENCES):
        failed += 1
        print("--- the manual lists other differences than the test: %s" % titles)
    print("differences: %d, %d wrong" % (len(differences.DIFFERENCES), failed))
    return failed


def run_all(bench, manual, n_shown):
    files = cases.hand_made_files() + list(cases.made_files(N_FILES))
    lines = cases.hand_made_lines() + list(cases.made_lines(N_LINES))
    assert len(set(files)) >= 400, len(set(files))
    failed = 0
    for command in ("setconf", "addconf", "syncconf"):
        failed += compare_all(bench, command, files, n_shown)[1]
    failed += compare_all(bench, "set", lines, n_shown)[1]
    failed += compare_showconf(bench)
    failed += check_differences(bench, manual)
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("wg")
    parser.add_argument("manual")
    parser.add_argument("--show", type=int, default=20, help="so many failures per command are shown")
    options = parser.parse_args()
    if not shutil.which("wg"):
        print("skipped: wg is not installed (wireguard-tools)")
        sys.exit(SKIPPED)
    try:
        fake.enter_private_place()
    except (OSError, subprocess.CalledProcessError) as error:
        print("skipped: mounts of its own need root: %s" % error)
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory(prefix="wice-wg-conf-") as folder:
        failed = run_all(Bench(os.path.abspath(options.wg), folder), options.manual, options.show)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
