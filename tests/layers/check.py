#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that every file includes only what its layer may; the rules are in layers.txt.

check.py [FOLDER]     checks the tree in FOLDER (default: this one); prints each breach
check.py --self-test  plants breaches of every kind and sees whether they are found
"""

import configparser
import fnmatch
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
RULES = os.path.join(HERE, "layers.txt")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(<[^>]+>|"[^"]+")', re.M)
SOURCES = ("include", "lib", "tools", "examples", "tests")

# What a pure file must not see: sockets, files, clocks, main loops. (Byte order and inet_pton() are harmless.)
IMPURE_HEADERS = """
    sys/socket.h sys/un.h sys/ioctl.h sys/epoll.h sys/time.h sys/uio.h sys/stat.h net/*
    netdb.h ifaddrs.h poll.h time.h fcntl.h unistd.h linux/* gio/* glib-unix.h netlink/* nice/* bpf/* nghttp2/*
""".split()
IMPURE_WORDS = re.compile(
    r"\b(GMainContext|GMainLoop|GSource|g_source_\w+|g_timeout_\w+|g_idle_\w+|g_get_monotonic_time|g_get_real_time"
    r"|g_date_time_new_now\w*|clock_gettime|gettimeofday|wice__now_ms)\b"
)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


class Rules:
    def __init__(self, path=RULES):
        parser = configparser.ConfigParser(allow_no_value=True, delimiters=(":",), comment_prefixes=("#",))
        parser.optionxform = str
        parser.read(path)
        self.modules = {name: set(allowed.split()) for name, allowed in parser["modules"].items()}
        self.pure = list(parser["pure"])
        self.libraries = {header: files.split() for header, files in parser["libraries"].items()}
        self.public = list(parser["public"])
        self.conformance = {files: (more or "").split() for files, more in parser["conformance"].items()}

    def seen_by_conformance(self, path):
        """The modules whose headers this test of a vtable may include; none if it is no such test."""
        matching = [more for files, more in self.conformance.items() if fnmatch.fnmatch(path, files)]
        return matching and [path.split("/")[2], "base", "event"] + sum(matching, [])


def matches(path, patterns):
    return any(fnmatch.fnmatch(path, pattern) for pattern in patterns)


def sources(root):
    for top in SOURCES:
        for folder, _folders, names in os.walk(os.path.join(root, top)):
            for name in names:
                if name.endswith((".c", ".h", ".h.in")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def check_library(rules, path, header):
    """lib/MODULE/*: the module itself and those below it."""
    module = path.split("/")[1]
    if module not in rules.modules:
        yield "is in module %s, which layers.txt does not know" % module
    target = header.split("/")[0]
    if "/" not in header:
        if header != "config.h" and not header.endswith(".pb-c.h"):
            yield 'includes "%s" without its module' % header
    elif target == "wice":
        yield 'includes "%s" with quotes; public headers go in <>' % header
    elif target != module and target not in rules.modules.get(module, ()):
        yield 'includes "%s", but %s may not include %s' % (header, module, target)


def check_outside(rules, path, header):
    """Programs and tests."""
    target = header.split("/")[0] if "/" in header else None
    if target not in rules.modules:
        return
    if matches(path, rules.public):
        yield 'includes "%s": only <wice/...> may be used here' % header
        return
    seen = rules.seen_by_conformance(path)
    if seen and target not in seen:
        yield 'includes "%s": a conformance test sees the module that it tests, base and event' % header


def is_own(root, path, header):
    """A header below the folder of the file that includes it."""
    return os.path.exists(os.path.join(root, os.path.dirname(path), header))


def check_file(rules, root, path, text):
    code = COMMENT.sub("", text)
    pure = matches(path, rules.pure)
    for quoted in INCLUDE.findall(code):
        header = quoted[1:-1]
        if path.startswith("include/"):
            if quoted[0] == '"' or not re.match(r"wice/|glib\.h$|std\w+\.h$|sys/types\.h$|string\.h$", header):
                yield "includes %s: public headers see glib.h, libc types and <wice/...> only" % quoted
        elif quoted[0] == '"' and not (matches(path, rules.public) and is_own(root, path, header)):
            yield from (check_library if path.startswith("lib/") else check_outside)(rules, path, header)
        for pattern, files in rules.libraries.items():
            if quoted[0] == "<" and fnmatch.fnmatch(header, pattern) and not matches(path, files):
                yield "includes <%s>, which only %s may" % (header, ", ".join(files))
        if pure and (matches(header, IMPURE_HEADERS)):
            yield "is pure and includes %s" % quoted
    if pure:
        for word in sorted(set(IMPURE_WORDS.findall(code))):
            yield "is pure and uses %s" % word


def check_tree(root, rules):
    paths = sorted(sources(root))
    for path in paths:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            for breach in check_file(rules, root, path, file.read()):
                yield "%s %s" % (path, breach)
    for pattern in rules.pure:
        if not any(fnmatch.fnmatch(path, pattern) for path in paths):
            yield "layers.txt: %s matches no file" % pattern


PLANTED = {
    "lib/wg/a.c": ('#include "stun/message.h"\n', "may not include stun"),
    "lib/base/b.c": ('#include "event/source.h"\n', "may not include event"),
    "lib/agent/c.c": ('#include "control/request.h"\n', "may not include control"),
    "lib/odd/d.c": ("", None),
    "lib/odd/e.c": ('#include "base/log.h"\n', "does not know"),
    "lib/wg/f.c": ('#include "diff.h"\n', "without its module"),
    "lib/ice/g.c": ("#include <nice/agent.h>\n", "only lib/ice/nice_library.h may"),
    "lib/rpc/h.c": ("  #  include <netlink/msg.h>\n", "which only lib/wg/*"),
    "lib/base/i.c": ("#include <sys/socket.h>\n", "is pure and includes <sys/socket.h>"),
    "lib/crypto/j.c": ("int64_t t = g_get_monotonic_time();\n", "is pure and uses g_get_monotonic_time"),
    "tools/k.c": ('#include "wg/diff.h"\n', "only <wice/...>"),
    "tests/conformance/wg/l.c": ('#include "rpc/rpc.h"\n', "sees the module that it tests"),
    "include/wice/m.h": ("#include <gio/gio.h>\n", "public headers see"),
    # and what is allowed:
    "lib/proxy/n.c": ('#include "stun/message.h"\n#include "proxy/user.h"\n#include <wice/key.h>\n', None),
    "lib/event/o.c": ("#include <netlink/msg.h>\n#include <sys/socket.h>\n", None),
    "lib/crypto/p.c": ("/* #include <sys/socket.h>, g_get_monotonic_time() */\n#include <sodium.h>\n", None),
    "tools/q.c": ('#include "cmd.h"\n#include "wg/own.h"\n#include <wice/wice.h>\n', None),
    "tools/wg/own.h": ("", None),
    "tests/unit/wg/r.c": ('#include "wg/diff.h"\n#include "suite.h"\n', None),
    "tests/conformance/wg/engine_t.c": ('#include "engine/tun.h"\n#include "wg/uapi.h"\n', None),
    "tests/conformance/wg/u.c": ('#include "engine/tun.h"\n', "sees the module that it tests"),
    "tests/conformance/wg/s.c": ('#include "wg/fake.h"\n#include "suite.h"\n', None),
}


def self_test():
    rules = Rules()
    rules.pure = ["lib/base/*", "lib/crypto/*", "lib/none/*"]
    rules.conformance = {"tests/conformance/*": [], "tests/conformance/wg/engine*": ["engine"]}
    with tempfile.TemporaryDirectory() as root:
        for path, (text, _expected) in PLANTED.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        found = list(check_tree(root, rules))
    wrong = []
    for path, (_text, expected) in PLANTED.items():
        of_path = [breach for breach in found if breach.startswith(path + " ")]
        if expected is None and of_path:
            wrong.append("wrongly reported: %s" % of_path)
        if expected is not None and not any(expected in breach for breach in of_path):
            wrong.append("%s: planted «%s», found %s" % (path, expected, of_path))
    if not any("lib/none/* matches no file" in breach for breach in found):
        wrong.append("a pattern without files was not reported")
    return wrong


def main():
    if sys.argv[1:] == ["--self-test"]:
        breaches = self_test()
    else:
        root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", "..")
        breaches = list(check_tree(root, Rules()))
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
