#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Installs into an empty folder, and builds and runs a program against what is there, as a distribution does.

install.py MESON BUILD-FOLDER PREFIX COMPILER
"""

import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def run(*command, **environment):
    result = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    if result.returncode != 0:
        sys.exit("`%s` exited with %d:\n%s" % (" ".join(command), result.returncode, result.stdout + result.stderr))
    return result.stdout


def only(pattern):
    found = glob.glob(pattern, recursive=True)
    if len(found) != 1:
        sys.exit("expected one %s, found %s" % (pattern, found))
    return found[0]


def main():
    meson, build, prefix, compiler = sys.argv[1:]
    with tempfile.TemporaryDirectory() as root:
        run(*meson.split(), "install", "-C", build, "--destdir", root, "--no-rebuild", "--quiet")
        library = only(root + "/**/libwice.so.0")
        only(root + "/**/libwice.so")
        name = re.search(r"SONAME.*\[(.*)\]", run("readelf", "-d", library))[1]
        if name != "libwice.so.0":
            sys.exit("the soname is %s" % name)

        # The file names the final place; here everything is one root further down.
        package = only(root + "/**/pkgconfig/wice.pc")
        with open(package, encoding="utf-8") as file:
            text = file.read()
        with open(package, "w", encoding="utf-8") as file:
            file.write(text.replace("prefix=" + prefix, "prefix=" + root + prefix, 1))
        environment = {
            "PKG_CONFIG_PATH": os.path.dirname(package),
            "LD_LIBRARY_PATH": os.path.dirname(library),
        }
        flags = run("pkg-config", "--cflags", "--libs", "wice", **environment).split()
        if root not in " ".join(flags):
            sys.exit("pkg-config found another wice: %s" % flags)
        program = os.path.join(root, "external")
        run(compiler, "-Wall", "-Werror", "-o", program, os.path.join(HERE, "external.c"), *flags, **environment)
        output = run(program, **environment)
        if output != "[2001:db8::1]:51820\n":
            sys.exit("the program printed %r" % output)
        for installed in sorted(glob.glob(root + "/**", recursive=True)):
            if os.path.isfile(installed):
                print(installed[len(root) :])


if __name__ == "__main__":
    main()
