# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Devices and files for benches of the control API, the same ones each time (seeded).

All of it lives in a mount and network namespace of this process, where /var/run/wireguard is its own.
"""

import base64
import ctypes
import os
import random
import socket
import struct
import subprocess
import tempfile
import threading
import time

from lab.system import WIREGUARD_SOCKETS, LabError, run, wait_until

_CLONE_NEWNS, _CLONE_NEWNET, _MS_REC, _MS_PRIVATE = 0x00020000, 0x40000000, 0x4000, 1 << 18
_BUFFER = 1 << 20
_CPUCLOCK_SCHED = 2  # of the clock of a process, see clock_getcpuclockid(3)
_libc = ctypes.CDLL(None, use_errno=True)


def enter_private_place():
    """From now on this process has mounts and a network of its own."""
    if _libc.unshare(_CLONE_NEWNS | _CLONE_NEWNET) or _libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None):
        raise LabError("namespaces cannot be made: " + os.strerror(ctypes.get_errno()))
    os.makedirs(WIREGUARD_SOCKETS, exist_ok=True)
    run("mount", "-t", "tmpfs", "none", WIREGUARD_SOCKETS)


def _peer_cpu_ms(connection):
    """The CPU time that the process at the other end has used."""
    pid, _, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    return time.clock_gettime(~pid << 3 | _CPUCLOCK_SCHED) * 1000


def socket_path(name):
    return "%s/%s.sock" % (WIREGUARD_SOCKETS, name)


def uapi_answer(name, request):
    """What a userspace device answers, all of it."""
    parts = []
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(socket_path(name))
        connection.sendall(request)
        while not parts or not parts[-1].endswith(b"\n\n"):
            parts.append(connection.recv(_BUFFER))
            if not parts[-1]:
                raise LabError(name + " ended its answer early")
    return b"".join(parts)


def _key(rng):
    return base64.b64encode(rng.randbytes(32)).decode()


def conf(n_peers, endpoints=False, keepalive_of_first=0, seed=1):
    """The text of a configuration file. Each peer has an IPv4 and an IPv6 address of its own."""
    rng = random.Random(seed)
    lines = ["[Interface]", "PrivateKey = " + _key(rng), "ListenPort = 51820"]
    for i in range(n_peers):
        lines += ["", "[Peer]", "PublicKey = " + _key(rng)]
        lines += ["AllowedIPs = 10.%d.%d.%d/32, fd00::%x/128" % (i >> 16, i >> 8 & 255, i & 255, i + 1)]
        if endpoints:
            lines += ["Endpoint = 192.0.2.%d:%d" % (rng.randint(1, 254), rng.randint(1024, 65535))]
        if i == 0 and keepalive_of_first:
            lines += ["PersistentKeepalive = %d" % keepalive_of_first]
    return "\n".join(lines) + "\n"


def uapi_request(text):
    """What sets a device without peers to what a file says."""
    names = {"PrivateKey": "private_key", "PublicKey": "public_key", "ListenPort": "listen_port", "AllowedIPs": "allowed_ip"}
    lines = ["set=1"]
    for line in text.splitlines():
        name, _, value = line.partition(" = ")
        if name.endswith("Key"):
            value = base64.b64decode(value).hex()
        if name in names:
            lines += ["%s=%s" % (names[name], word) for word in value.split(", ")]
    return "\n".join(lines + ["", ""]).encode()


def first_key(text):
    """The public key of the first peer of a file."""
    return text.split("PublicKey = ")[1].split("\n")[0]


class Files:
    """Configuration files that go when the block is left."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="wice-bench-")
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def add(self, name, text):
        path = os.path.join(self.folder.name, name + ".conf")
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        return path


class WireGuardGo:
    """A userspace device; its interface stays down, so it sends nothing."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.process = subprocess.Popen(["wireguard-go", "-f", self.name], env={**os.environ, "LOG_LEVEL": "silent"},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until("wireguard-go listens", lambda: os.path.exists(socket_path(self.name)))
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def state(self):
        """Its answer to "get"."""
        return self.answer(b"get=1\n\n")

    def answer(self, request):
        return uapi_answer(self.name, request)

    def answer_ms(self):
        """How long it takes to answer a reader that does nothing with the answer."""
        start = time.monotonic()
        self.state()
        return (time.monotonic() - start) * 1000

    def take_ms(self, request):
        """How long it takes to do what is asked, while it has no peers."""
        run("wg", "setconf", self.name, "/dev/null")
        start = time.monotonic()
        self.answer(request)
        return (time.monotonic() - start) * 1000


class FakeDevice:
    """Takes everything at once, has its answer ready, and remembers how much CPU time its first client had used when it connected.

    What is left is the client.
    """

    def __init__(self, name, state=b"errno=0\n\n"):
        self.name = name
        self.state = state
        self.client_cpu_ms = None
        self.heard = None  # what clients say, if somebody wants to know

    def __enter__(self):
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(socket_path(self.name))
        self.server.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.server.close()
        os.unlink(socket_path(self.name))

    def serve(self):
        buffer = bytearray(_BUFFER)
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            with connection:
                if self.client_cpu_ms is None:
                    self.client_cpu_ms = _peer_cpu_ms(connection)
                self.answer(connection, buffer)

    def answer(self, connection, buffer):
        end = b""
        n = connection.recv_into(buffer)
        reply = self.state if buffer.startswith(b"get=1") else b"errno=0\n\n"
        while n:
            if self.heard is not None:
                self.heard += buffer[:n]
            end = (end + buffer[max(0, n - 2) : n])[-2:]
            if end == b"\n\n":
                connection.sendall(reply)
            n = connection.recv_into(buffer)

    def request(self, path):
        """What `wg setconf` says."""
        self.heard = bytearray()
        run("wg", "setconf", self.name, path)
        heard, self.heard = bytes(self.heard), None
        return heard

    def cpu_ms_until_connected(self, path):
        """CPU time of `wg setconf` from its start until it connects, which is when it has read the file."""
        self.client_cpu_ms = None
        run("wg", "setconf", self.name, path)
        if self.client_cpu_ms is None:
            raise LabError("wg has not connected")
        return self.client_cpu_ms
