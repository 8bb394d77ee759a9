#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Runs tests on Debian's stock kernel with its own wireguard.ko, in an emulated machine.

lab.py --build FOLDER --cache FOLDER [--shell] [WORD...]   runs the jobs of which the name has one of WORDs,
                                                           without any all but those that take long

The kernel's package is downloaded by apt into the cache and unpacked there, never installed. Its modules, busybox, the
programs of the build tree and the libraries that they need become an initial file system in memory (cpio, made here), which
qemu boots by emulation (TCG: needs no privileges and no /dev/kvm). init.sh is what runs inside. Results come over the second
serial port, the kernel's messages over the first. --shell gives a shell inside instead.
"""

import argparse
import glob
import gzip
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
META_PACKAGE = "linux-image-cloud-amd64"
NETFILTER = ("nf_tables", "nft_ct", "nft_chain_nat", "nft_masq", "nft_redir", "nft_fib_inet")
TRAFFIC_CONTROL = ("8021q", "sch_ingress", "cls_bpf")
MODULES = ("veth", "dummy", "tun") + NETFILTER + TRAFFIC_CONTROL  # and, later, wireguard: first without it
LATE_MODULES = ("wireguard",)
TOOLS = ("wg", "setpriv", "ip", "tc", "nft")
LOADED = ("libnice.so.10",)  # libraries that ldd does not see
BOOT_SECONDS = 60

# name, seconds, command; those before the line None run while the kernel has no WireGuard yet.
JOBS = (
    ("module absent", 60, "CK_RUN_CASE=absent {tests}/kernel/kernel-wg"),
    None,
    ("conformance", 240, "WICE_WG_SUBJECTS=kernel {tests}/conformance/conformance-wg"),
    ("large", 120, "CK_RUN_CASE=large {tests}/kernel/kernel-wg"),
    ("writers", 120, "CK_RUN_CASE=writers {tests}/kernel/kernel-wg"),
    ("watch", 120, "CK_RUN_CASE=watch {tests}/kernel/kernel-wg"),
    ("links", 60, "CK_RUN_CASE=links {tests}/kernel/kernel-wg"),
    ("unprivileged", 60, "CK_RUN_CASE=unprivileged {tests}/kernel/kernel-wg"),
    ("oracle", 120, "{here}/oracle.sh {build}/tools/wg"),
    ("engine", 120, "{here}/engine.sh {build}/tools/wice-wg 0"),
    ("bpf", 600, "{tests}/unit/unit-proxy_bpf_program && {tests}/unit/unit-proxy_bpf_network && {tests}/unit/unit-proxy_bpf_uplinks && {tests}/unit/unit-proxy_bpf_hooks"),
    ("bpf relayed", 600, "{tests}/unit/unit-proxy_bpf_relayed_program && {tests}/unit/unit-proxy_bpf_relayed_network"),
    ("xdp", 600, "{tests}/unit/unit-turnserver_xdp_program && {tests}/unit/unit-turnserver_xdp_network"),
    ("nft", 600, "{tests}/unit/unit-proxy_nft && {tests}/unit/unit-proxy_nft_table"),
    ("mechanisms", 600, "{here}/mechanisms.sh {build}/tools/wiced {build}/tools/wice bpf nft"),
    ("figures", 120, "{here}/figures.sh {build}/tools/wg {tests}/bench/bench-race"),
    ("rekeys by the clock", 600, "{here}/engine.sh {build}/tools/wice-wg 7"),
)
ONLY_IF_NAMED = {"rekeys by the clock"}


class Unavailable(Exception):
    """The laboratory cannot be had here; the text says why."""


def output_of(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def find_tool(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Unavailable("%s is not installed" % name)
    return path


def find_library(name):
    found = re.search(r"%s \(.*\) => (/\S+)" % re.escape(name), output_of(find_tool("ldconfig"), "-p"))
    if not found:
        raise Unavailable("%s is not installed" % name)
    return found[1]


def unpack_kernel(cache):
    """The folder with the unpacked kernel package and its version."""
    try:
        depends = output_of("apt-cache", "depends", META_PACKAGE)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Unavailable("apt does not know %s" % META_PACKAGE) from error
    package = re.search(r"Depends: linux-image-(\S+)", depends)
    if not package:
        raise Unavailable("apt does not know which kernel %s is" % META_PACKAGE)
    version = package[1]
    folder = os.path.join(cache, version)
    if os.path.exists(os.path.join(folder, "boot", "vmlinuz-" + version)):
        return folder, version
    os.makedirs(cache, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        fetched = subprocess.run(
            ["apt-get", "-q", "download", "linux-image-" + version],
            cwd=temporary, capture_output=True, text=True, timeout=600, check=False,
        )
        archives = glob.glob(temporary + "/*.deb")
        if fetched.returncode != 0 or not archives:
            raise Unavailable("apt could not download linux-image-%s: %s" % (version, fetched.stderr.strip()[-300:]))
        unpacked = os.path.join(temporary, "kernel")
        subprocess.run(["dpkg-deb", "-x", archives[0], unpacked], check=True)
        os.rename(unpacked, folder)
    return folder, version


def module_paths(folder, names):
    """The files of modules, each behind what it depends on (which is written inside of them)."""
    files = {}
    for path in glob.glob(folder + "/lib/modules/*/kernel/**/*.ko", recursive=True):
        files[os.path.basename(path)[:-3].replace("-", "_")] = path
    ordered = []

    def add(name):
        path = files.get(name.replace("-", "_"))
        if not path:
            raise Unavailable("this kernel has no module %s" % name)
        if path in ordered:
            return
        with open(path, "rb") as file:
            depends = re.search(rb"\0depends=([^\0]*)\0", b"\0" + file.read())
        for other in (depends[1].decode().split(",") if depends and depends[1] else []):
            add(other)
        ordered.append(path)

    for name in names:
        add(name)
    return ordered


class Archive:
    """A cpio archive of the "newc" format (Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self, file):
        self.file = file
        self.known = set()

    def entry(self, path, mode, data=b""):
        path = path.lstrip("/")
        if path in self.known:
            return
        self.known.add(path)
        parent = os.path.dirname(path)
        if parent:
            self.entry(parent, stat.S_IFDIR | 0o755)
        name = path.encode() + b"\0"
        numbers = (len(self.known), mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        self.put(b"070701" + b"".join(b"%08x" % number for number in numbers) + name)
        self.put(data)

    def put(self, data):
        self.file.write(data + b"\0" * (-len(data) % 4))

    def add(self, path, target=None):
        with open(path, "rb") as file:
            self.entry(target or path, stat.S_IFREG | 0o755, file.read())

    def add_program(self, path, target=None):
        """With all libraries that it needs, at their places."""
        self.add(path, target)
        for library in re.findall(r"(/\S+) \(0x", output_of("ldd", path)):
            self.add(library)

    def end(self):
        self.entry("TRAILER!!!", 0)


def job_programs(jobs):
    return {word for job in jobs if job for word in job[2].split() if word.startswith("/")}


def make_initramfs(path, kernel, jobs, shell):
    busybox = find_tool("busybox")
    with gzip.open(path, "wb", compresslevel=1) as file:
        archive = Archive(file)
        for folder in ("proc", "sys", "dev", "tmp", "run", "root", "var"):
            archive.entry(folder, stat.S_IFDIR | 0o755)
        archive.entry("var/run", stat.S_IFLNK | 0o777, b"/run")
        archive.add(busybox, "/bin/busybox")  # static
        archive.add_program(find_tool("dash"), "/bin/sh")  # busybox's own prefers its own ip(8) to the one below
        for tool in TOOLS:
            archive.add_program(find_tool(tool), "/bin/" + tool)
        for library in LOADED:
            archive.add_program(find_library(library))
        for late, names in ((False, MODULES), (True, LATE_MODULES)):
            paths = [p for p in module_paths(kernel, names) if not late or p not in module_paths(kernel, MODULES)]
            for number, module in enumerate(paths):
                archive.add(module, "/modules/%s/%02d-%s" % ("late" if late else "early", number, os.path.basename(module)))
        for program in sorted(job_programs(jobs)):
            if program.endswith(".sh"):
                archive.add(program)
            else:
                archive.add_program(program)
        archive.add(os.path.join(HERE, "init.sh"), "/init")
        archive.entry("etc/passwd", stat.S_IFREG | 0o644, b"root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
        archive.entry("jobs", stat.S_IFREG | 0o755, job_script(jobs).encode())
        if shell:
            archive.entry("shell", stat.S_IFREG | 0o644)
        archive.end()


def job_script(jobs):
    lines = []
    for job in jobs:
        if job is None:
            lines.append("load_modules late")
        else:
            name, seconds, command = job
            lines.append("job '%s' %d '%s'" % (name, seconds, command))
    return "\n".join(lines) + "\n"


def boot(kernel, version, initramfs, results, console, seconds, shell):
    command = [
        find_tool("qemu-system-x86_64"), "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536",
        "-kernel", os.path.join(kernel, "boot", "vmlinuz-" + version), "-initrd", initramfs,
        "-append", "console=ttyS0 quiet panic=1 rdinit=/init mitigations=off rcupdate.rcu_expedited=1", "-no-reboot", "-net", "none",
        "-display", "none", "-serial", "stdio" if shell else "file:" + console, "-serial", "file:" + results,
    ]
    try:
        subprocess.run(command, timeout=None if shell else seconds, check=False, stdin=None if shell else subprocess.DEVNULL)
        return True
    except subprocess.TimeoutExpired:
        return False


def read_results(path):
    """{name: (exit status or None if it did not end, output)}"""
    results, name = {}, None
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file.read().replace("\r", "").splitlines():
            begin, end = re.fullmatch(r"=== BEGIN (.*)", line), re.fullmatch(r"=== END (\d+) (\d+)", line)
            if begin:
                name = begin[1]
                results[name] = [None, [], 0]
            elif end and name:
                results[name][0], results[name][2], name = int(end[1]), int(end[2]), None
            elif name:
                results[name][1].append(line)
    return results


def report(jobs, results, console):
    passed = failed = 0
    for name, seconds, _command in (job for job in jobs if job):
        status, lines, took = results.get(name, [None, ["it was not begun"], 0])
        if status == 0:
            passed += 1
            print("passed   %s (%d s in the machine)" % (name, took))
            for line in lines:
                if line.startswith("figure: "):
                    print("    " + line)
            continue
        failed += 1
        print("FAILED   %s (%s)" % (name, "it did not end in %d s" % seconds if status is None else "exit status %d" % status))
        for line in lines[-60:]:
            print("    | " + line)
    if failed:
        with open(console, encoding="utf-8", errors="replace") as file:
            for line in file.read().splitlines()[-60:]:
                print("    kernel | " + line)
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed else 0


def is_chosen(name, words):
    return any(word in name for word in words) if words else name not in ONLY_IF_NAMED


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--shell", action="store_true")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    names = {"build": build, "tests": os.path.join(build, "tests"), "here": HERE}
    jobs = [
        job and (job[0], job[1], job[2].format(**names))
        for job in JOBS
        if job is None or is_chosen(job[0], options.words)
    ]
    try:
        kernel, version = unpack_kernel(os.path.abspath(options.cache))
        with tempfile.TemporaryDirectory() as folder:
            initramfs, results, console = (os.path.join(folder, name) for name in ("initramfs", "results", "console"))
            make_initramfs(initramfs, kernel, jobs, options.shell)
            print("booting Linux %s" % version, flush=True)
            seconds = BOOT_SECONDS + sum(job[1] for job in jobs if job)
            boot(kernel, version, initramfs, results, console, seconds, options.shell)
            return report(jobs, read_results(results), console)
    except Unavailable as reason:
        print("skipped  the kernel laboratory: %s" % reason)
        print("0 passed, 0 failed, 1 skipped")
        return 0


if __name__ == "__main__":
    sys.exit(main())
