# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""A place of its own for what listens under /var/run/wireguard, and a fake device there that remembers what it is told."""

import ctypes
import os
import socket
import subprocess
import threading

SOCKETS = "/var/run/wireguard"
CLONE_NEWNS, CLONE_NEWNET, MS_REC, MS_PRIVATE = 0x00020000, 0x40000000, 0x4000, 1 << 18
TIMEOUT = 60

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))


def enter_private_place():
    """From now on this process has mounts and a network of its own. OSError if it may not."""
    _check(_libc.unshare(CLONE_NEWNS | CLONE_NEWNET), "unshare")
    _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mount --make-rprivate /")
    os.makedirs(SOCKETS, exist_ok=True)
    _check(_libc.mount(b"tmpfs", SOCKETS.encode(), b"tmpfs", 0, None), "mount tmpfs on " + SOCKETS)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class FakeDevice:
    """Answers "get" with what it was given and keeps the texts of "set"."""

    def __init__(self, name):
        self.name = name
        self.state = ""  # for "get"
        self.requests = []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(os.path.join(SOCKETS, name + ".sock"))
        self.server.listen(16)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            connection, _ = self.server.accept()
            connection.settimeout(TIMEOUT)
            with connection:
                try:
                    self.answer(connection)
                except OSError:
                    pass  # it has gone: so what was asked has been answered, or nothing was asked

    def answer(self, connection):
        pending = b""
        while True:
            while b"\n\n" not in pending:
                data = connection.recv(1 << 20)
                if not data:
                    return
                pending += data
            request, _, pending = pending.partition(b"\n\n")
            text = request.decode("ascii") + "\n\n"
            reply = "errno=0\n\n"
            if text.startswith("get=1\n"):
                reply = self.state + reply
            else:
                self.requests.append(text)
            connection.sendall(reply.encode())

    def run(self, state, program, *words, stdin=None):
        """Runs wg with these words. Returns its result and what it has set, in order."""
        self.state = state
        self.requests = []
        result = subprocess.run(
            [program, *words],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            timeout=TIMEOUT,
            env={**os.environ, "LC_ALL": "C", "WG_ENDPOINT_RESOLUTION_RETRIES": "0"},
            check=False,
        )
        return result, self.requests
