#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Every file says under which licence it is; none names a folder of somebody's machine."""

import fnmatch
import os
import re
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
WITHOUT_LICENCE = ("LICENSE", "LICENSES/*", "tests/fuzz/*/seeds/*", "tests/data/*")
MACHINE = re.compile(r"(?<![\w.])/(work|home|root|Users)/\w|/tmp/[w]t\b|(?<![\w-])[s]hared/(facts|prototypes|design)")


def files():
    """What is under version control, or, in a release without it, everything but build folders."""
    git = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=False)
    if git.returncode == 0:
        return [path for path in git.stdout.split("\0") if path and os.path.exists(os.path.join(ROOT, path))]
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith(("build", "__pycache__", ".git"))]
        found += [os.path.relpath(os.path.join(folder, name), ROOT) for name in names]
    return found


def main():
    breaches = []
    for path in files():
        if any(fnmatch.fnmatch(path, pattern) for pattern in WITHOUT_LICENCE):
            continue
        with open(os.path.join(ROOT, path), "rb") as file:
            text = file.read().decode("utf-8", "replace")
        head = "\n".join(text.splitlines()[:8])
        if "SPDX-License-Identifier:" not in head or "SPDX-FileCopyrightText:" not in head:
            breaches.append("%s: no SPDX lines at its top" % path)
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE.search(line) and path != "tests/package/tree.py":
                breaches.append("%s:%d: names a folder of some machine: %s" % (path, number, line.strip()))
    print("\n".join(breaches))
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
