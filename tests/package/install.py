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

# All that libwice-wg and libwice-engine may load; pcre2 is GLib's.
SMALL_LIBRARIES = {"libwice-wg", "libwice-engine", "libglib-2.0", "libpcre2-8", "libsodium", "libnl-3", "libnl-genl-3", "libc", "libm", "libpthread"}
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


def check_soname(root, name):
    library = only(root + "/**/%s.so.0" % name)
    only(root + "/**/%s.so" % name)
    soname = re.search(r"SONAME.*\[(.*)\]", run("readelf", "-d", library))[1]
    if soname != name + ".so.0":
        sys.exit("the soname of %s is %s" % (library, soname))
    return library


def move_package(root, prefix, name):
    """The file names the final place; here everything is one root further down."""
    path = only(root + "/**/pkgconfig/%s.pc" % name)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("prefix=" + prefix, "prefix=" + root + prefix, 1))
    return os.path.dirname(path)


def build(root, package, source, compiler, environment):
    """Builds a program as somebody outside would. Returns its path."""
    flags = run("pkg-config", "--cflags", "--libs", package, **environment).split()
    if root not in " ".join(flags):
        sys.exit("pkg-config found another %s: %s" % (package, flags))
    program = os.path.join(root, os.path.basename(source)[:-2])
    run(compiler, "-Wall", "-Werror", "-o", program, source, *flags, **environment)
    return program


def main():
    meson, build_folder, prefix, compiler = sys.argv[1:]
    with tempfile.TemporaryDirectory() as root:
        run(*meson.split(), "install", "-C", build_folder, "--destdir", root, "--no-rebuild", "--quiet")
        libraries = {name: check_soname(root, name) for name in ("libwice", "libwice-engine", "libwice-wg")}
        folders = {move_package(root, prefix, name) for name in ("wice", "wice-engine", "wice-wg")}
        environment = {
            "PKG_CONFIG_PATH": ":".join(folders),
            "LD_LIBRARY_PATH": os.path.dirname(libraries["libwice"]),
        }
        program = build(root, "wice", os.path.join(HERE, "external.c"), compiler, environment)
        output = run(program, **environment)
        if output != "[2001:db8::1]:51820\n":
            sys.exit("the program printed %r" % output)

        # Who only controls or runs WireGuard gets libnl, libsodium and GLib, and nothing of the rest.
        for package, example in (("wice-wg", "wg-json.c"), ("wice-engine", "engine-pair.c")):
            program = build(root, package, os.path.join(HERE, "..", "..", "examples", example), compiler, environment)
            loaded = set(re.findall(r"^\s*(lib[\w.+-]+?)\.so", run("ldd", program, **environment), re.M))
            surplus = loaded - SMALL_LIBRARIES
            if surplus or (package == "wice-wg" and "libwice-engine" in loaded):
                sys.exit("a program with lib%s alone loads %s" % (package, ", ".join(sorted(loaded))))
            run(program, **environment)
        for installed in sorted(glob.glob(root + "/**", recursive=True)):
            if os.path.isfile(installed):
                print(installed[len(root) :])


if __name__ == "__main__":
    main()
