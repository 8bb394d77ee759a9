#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Compares what the headers declare with WICE_API, what lib/libwice.sym lists and what the library exports.

symbols.py [--library FILE]  compares; prints each difference
symbols.py --write           puts what the headers declare into the newest node of lib/libwice.sym
"""

import argparse
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SYMBOL_FILE = os.path.join(ROOT, "lib", "libwice.sym")
DECLARATION = re.compile(r"\bWICE_API\b([^;{]*?)\b(wice_\w+)\s*\(", re.S)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
NODE = re.compile(r"^(LIBWICE_[\d.]+) \{\nglobal:\n(.*?)(local:\n\t\*;\n)?\}", re.S | re.M)


def declared():
    names = set()
    for path in glob.glob(os.path.join(ROOT, "include", "wice", "*.h*")):
        with open(path, encoding="utf-8") as file:
            names |= {match[2] for match in DECLARATION.finditer(COMMENT.sub("", file.read()))}
    return names


def listed(text):
    """[(node, its symbols)], oldest first."""
    return [(match[1], set(re.findall(r"(\S+);", match[2]))) for match in NODE.finditer(text)]


def exported(library):
    lines = subprocess.run(
        ["nm", "--dynamic", "--defined-only", library], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    symbols = [line.split()[1:] for line in lines]
    return {name.split("@")[0] for kind, name in symbols if kind != "A"}


def read_symbol_file():
    with open(SYMBOL_FILE, encoding="utf-8") as file:
        return file.read()


def write():
    text = read_symbol_file()
    nodes = listed(text)
    sealed = set().union(*(symbols for _node, symbols in nodes[:-1]))
    newest = list(NODE.finditer(text))[-1]
    lines = "".join("\t%s;\n" % name for name in sorted(declared() - sealed))
    with open(SYMBOL_FILE, "w", encoding="utf-8") as file:
        file.write(text[: newest.start(2)] + lines + text[newest.end(2) :])


def compare(name_a, a, name_b, b):
    for symbol in sorted(a - b):
        yield "%s is in %s but not in %s" % (symbol, name_a, name_b)
    for symbol in sorted(b - a):
        yield "%s is in %s but not in %s" % (symbol, name_b, name_a)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--library")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if options.write:
        write()
    headers = declared()
    differences = []
    if not headers:
        differences.append("no function is declared with WICE_API")
    in_file = set().union(*(symbols for _node, symbols in listed(read_symbol_file())))
    differences += compare("the headers", headers, "lib/libwice.sym", in_file)
    if options.library:
        differences += compare("the headers", headers, "the library", exported(options.library))
    for difference in differences:
        print(difference)
    if differences:
        print("tests/package/symbols.py --write takes the headers' list over into lib/libwice.sym")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
