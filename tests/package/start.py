#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""What every start of a program costs: the libraries that come with libwice, of which libnice must not be one.

start.py LIBRARY
"""

import subprocess
import sys


def main():
    lines = subprocess.run(["ldd", sys.argv[1]], check=True, capture_output=True, text=True).stdout.splitlines()
    names = [line.split()[0] for line in lines]
    print("%d libraries: %s" % (len(names), " ".join(names)))
    if not any(name.startswith("libglib-2.0.so") for name in names):
        sys.exit("this is not what libwice is linked with")
    if any(name.startswith("libnice.so") for name in names):
        sys.exit("libnice is loaded at every start, and with it all that it needs")


if __name__ == "__main__":
    main()
