#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Compares what the headers declare with WICE_API, what lib/*.sym list and what the libraries export.

symbols.py [FOLDER]  compares, with the libraries in FOLDER; prints each difference
symbols.py --write   puts what the headers declare into the newest public nodes of lib/*.sym
"""

import argparse
import glob
import os
import re
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
# Which headers' functions are in the smaller libraries; the others' are in the large one.
HEADERS = {
    "libwice-wg": {"addr", "cancel", "conf", "device", "error", "key", "log", "plan", "show", "version", "watch", "wg"},
    "libwice-engine": {"bind", "engine"},
}
LIBRARIES = ("libwice", "libwice-engine", "libwice-wg")
DECLARATION = re.compile(r"\bWICE_API\b([^;{]*?)\b(wice_\w+)\s*\(", re.S)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
NODE = re.compile(r"^(LIBWICE(?:_WG|_ENGINE)?_[\d.]+) \{\nglobal:\n(.*?)(local:\n\t\*;\n)?\}", re.S | re.M)


def symbol_file(library):
    return os.path.join(ROOT, "lib", library + ".sym")


def library_of(header):
    for library, headers in HEADERS.items():
        if header in headers:
            return library
    return "libwice"


def declared(library):
    names = set()
    for path in glob.glob(os.path.join(ROOT, "include", "wice", "*.h*")):
        if library_of(os.path.basename(path).split(".")[0]) == library:
            with open(path, encoding="utf-8") as file:
                names |= {match[2] for match in DECLARATION.finditer(COMMENT.sub("", file.read()))}
    return names


def listed(text):
    """[(node, its symbols)], oldest first."""
    return [(match[1], set(re.findall(r"(\S+);", match[2]))) for match in NODE.finditer(text)]


def exported(library):
    """All but what only the project's own libraries may use."""
    lines = subprocess.run(
        ["nm", "--dynamic", "--defined-only", library], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    symbols = [line.split()[1:] for line in lines]
    return {name.split("@")[0] for kind, name in symbols if kind != "A" and "_PRIVATE_" not in name}


def read_symbol_file(library):
    with open(symbol_file(library), encoding="utf-8") as file:
        return file.read()


def write(library):
    text = read_symbol_file(library)
    nodes = listed(text)
    sealed = set().union(*(symbols for _node, symbols in nodes[:-1]))
    newest = list(NODE.finditer(text))[-1]
    lines = "".join("\t%s;\n" % name for name in sorted(declared(library) - sealed))
    with open(symbol_file(library), "w", encoding="utf-8") as file:
        file.write(text[: newest.start(2)] + lines + text[newest.end(2) :])


def compare(name_a, a, name_b, b):
    for symbol in sorted(a - b):
        yield "%s is in %s but not in %s" % (symbol, name_a, name_b)
    for symbol in sorted(b - a):
        yield "%s is in %s but not in %s" % (symbol, name_b, name_a)


def check(library, folder):
    headers = declared(library)
    if not headers:
        yield "no function of %s is declared with WICE_API" % library
    in_file = set().union(*(symbols for _node, symbols in listed(read_symbol_file(library))))
    yield from compare("the headers", headers, "lib/%s.sym" % library, in_file)
    if folder:
        built = os.path.join(folder, library + ".so")
        yield from compare("the headers", headers, built, exported(built))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    differences = []
    for library in LIBRARIES:
        if options.write:
            write(library)
        differences += check(library, options.folder)
    for difference in differences:
        print(difference)
    if differences:
        print("tests/package/symbols.py --write takes the headers' lists over into lib/*.sym")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
