#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Compiles every public header alone, as C11 or C++17, with warnings as errors.

headers.py c|c++ COMPILER INCLUDE-FOLDER...
"""

import os
import shlex
import shutil
import subprocess
import sys

SKIPPED = 77
STANDARD = {"c": "-std=c11", "c++": "-std=c++17"}


def glib_flags():
    command = ["pkg-config", "--cflags", "glib-2.0"]
    flags = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    # Warnings of GLib's own headers are not what is looked for.
    return [word.replace("-I", "-isystem", 1) if word.startswith("-I") else word for word in shlex.split(flags)]


def main():
    language, compiler, *folders = sys.argv[1:]
    if not shutil.which(compiler):
        print("skipped: there is no %s" % compiler)
        return SKIPPED
    flags = ["-x", language, STANDARD[language], "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-"]
    flags += ["-I" + folder for folder in folders] + glib_flags()
    headers = {name for folder in folders for name in os.listdir(os.path.join(folder, "wice")) if name.endswith(".h")}
    failed = False
    for header in sorted(headers):
        # Twice: the include guard works.
        text = "#include <wice/%s>\n#include <wice/%s>\nextern int nothing;\n" % (header, header)
        result = subprocess.run([compiler, *flags], input=text, capture_output=True, text=True, check=False)
        print("%s <wice/%s>" % ("ok    " if result.returncode == 0 else "FAILED", header))
        if result.returncode != 0:
            failed = True
            print(result.stderr)
    return 1 if failed or not headers else 0


if __name__ == "__main__":
    sys.exit(main())
