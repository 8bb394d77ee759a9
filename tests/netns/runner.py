#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Runs the tests in network namespaces.

    runner.py [--build FOLDER] [--jobs N] [--list] [WORDS...]

Runs the tests whose file or name contains one of WORDS (all without any), each in a process of its own, up to N at a time.
Prints a line per test, the output of those that fail, and at last "N passed, N failed, N skipped".
"""

import argparse
import concurrent.futures
import glob
import importlib
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from lab.testing import SKIPPED, run_here, tests  # noqa: E402

GRACE = 90  # seconds that a test may take to report and tidy up after its own timeout

running = set()


def load():
    """Imports all test files. Returns [(file, test)]."""
    found = []
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        before = set(tests)
        module = os.path.basename(path)[: -len(".py")]
        importlib.import_module(module)
        found += [(module, test) for name, test in tests.items() if name not in before]
    return found


def run_test(test):
    """Runs a test in a process of its own. Returns (exit status, output, seconds)."""
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, os.path.abspath(__file__), "--one", test.name],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    running.add(process)
    try:
        output, _none = process.communicate(timeout=test.timeout + GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        output = process.communicate()[0] + "\nkilled: it did not even end after its timeout\n"
    finally:
        running.discard(process)
    return process.returncode, output, time.monotonic() - started


def print_result(module, test, result, counts):
    status, output, seconds = result
    verdict = {0: "passed", SKIPPED: "skipped"}.get(status, "FAILED")
    counts[verdict.lower()] += 1
    print("%-7s %6.1f s  %s: %s" % (verdict, seconds, module[len("test_") :], test.name), flush=True)
    if verdict == "passed":
        notes = [line for line in output.splitlines() if line.startswith("note: ")]
        print("".join("                  %s\n" % line[len("note: ") :] for line in notes), end="", flush=True)
    elif verdict == "skipped":
        print("                  %s" % output.strip().splitlines()[-1], flush=True)
    else:
        print("\n".join("    | " + line for line in output.splitlines()), flush=True)


def run_all(chosen, jobs):
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for alone, workers in ((False, jobs), (True, 1)):
        some = [(module, test) for module, test in chosen if test.alone is alone]
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            futures = {pool.submit(run_test, test): (module, test) for module, test in some}
            for future in concurrent.futures.as_completed(futures):
                print_result(*futures[future], future.result(), counts)
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % counts, flush=True)
    return counts["failed"] == 0


def stop(number, _frame):
    """Lets the running tests tidy up, then ends."""
    processes = list(running)
    for process in processes:
        process.send_signal(signal.SIGTERM)
    for process in processes:
        process.wait()
    os._exit(128 + number)


def main():
    parser = argparse.ArgumentParser(description="Runs the tests in network namespaces.")
    parser.add_argument("--build", help="the Meson build folder (default: build)")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    if options.build:
        os.environ["WICE_BUILD"] = os.path.abspath(options.build)
    found = load()
    if options.one:
        run_here(tests[options.one])
    words = options.words or [""]
    chosen = [(module, test) for module, test in found
              if any(word in module or word in test.name for word in words)]  # fmt: skip
    if options.list:
        for module, test in chosen:
            print("%s: %s" % (module[len("test_") :], test.name))
        return 0
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return 0 if run_all(chosen, options.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
