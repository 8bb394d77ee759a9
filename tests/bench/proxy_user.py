# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""The userspace proxy against no proxy: see the top of tests/bench/proxy_bench.c."""

import subprocess

from lab.network import program


def main():
    return subprocess.run([program("tests", "bench", "bench-proxy")], check=False).returncode
