# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""What goes through a tunnel, and whether it comes out as it went in."""

import hashlib
import random
import socket
import threading
import time

from .system import DEADLINE, LabError

_CHUNK = 1 << 20
_BURST = 32  # datagrams that are under way at a time
_PATIENCE = 0.2  # seconds after which a datagram counts as lost, and is sent again


def _listen(host, address):
    with host.entered():
        return socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)


def _dial(host, address):
    with host.entered():
        return socket.create_connection(address[:2], timeout=DEADLINE)


def send_stream(source, sink, address, size, during=lambda: None):
    """Sends random bytes by TCP to an address of the sink and compares their digest. during() is called meanwhile."""
    digest = hashlib.sha256()
    chunk = random.randbytes(_CHUNK)

    def send():
        with _dial(source, server.getsockname()) as client:
            for offset in range(0, size, _CHUNK):
                part = chunk[: size - offset]
                digest.update(part)
                client.sendall(part)

    with _listen(sink, address) as server:
        server.settimeout(DEADLINE)
        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        connection, _from = server.accept()
        received, length = hashlib.sha256(), 0
        with connection:
            connection.settimeout(DEADLINE)
            part = connection.recv(_CHUNK)
            during()
            while part:
                received.update(part)
                length += len(part)
                part = connection.recv(_CHUNK)
        sender.join(DEADLINE)
    assert length == size and received.digest() == digest.digest(), "%d bytes of %d, other ones" % (length, size)


def send_datagrams(source, sink, address, sizes):
    """
    Sends a UDP datagram of each size to an address of the sink until one has come, and compares the bytes. What is sent
    again has other bytes: wireguard-go leaves a checksum of zero as it is, which over IPv6 nobody accepts (RFC 8200
    section 8.1), so one packet in 65,536 never comes.
    """
    missing = {size: [] for size in sizes}
    deadline = time.monotonic() + DEADLINE
    with sink.udp_socket(address) as receiver, source.udp_socket("::" if ":" in address else "0.0.0.0") as sender:
        receiver.settimeout(_PATIENCE)
        while missing:
            if time.monotonic() > deadline:
                raise LabError("no datagrams of these sizes came: %s" % sorted(missing))
            burst = list(missing)[:_BURST]
            for size in burst:
                missing[size].append(random.randbytes(size))
                sender.sendto(missing[size][-1], receiver.getsockname())
            _take(receiver, burst, missing)


def _take(receiver, burst, missing):
    waiting = set(burst)
    while waiting:
        try:
            data = receiver.recv(65536)
        except TimeoutError:
            return
        # It may be a late one that was sent again.
        sent = missing.pop(len(data), [data])
        assert data in sent, "a datagram of %d bytes came with other bytes" % len(data)
        waiting.discard(len(data))


class Load:
    """Numbered datagrams through the tunnel between two WireGuard interfaces, one way, until stop()."""

    def __init__(self, source, sink, per_second):
        self.receiver = sink.host.udp_socket(sink.address)
        self.sender = source.host.udp_socket(source.address)
        self.pause = 1 / per_second
        self.sent, self.received = 0, set()
        self.stopping = False
        self.threads = [threading.Thread(target=loop, daemon=True) for loop in (self._send, self._receive)]
        for thread in self.threads:
            thread.start()

    def _send(self):
        while not self.stopping:
            self.sender.sendto(self.sent.to_bytes(4, "big"), self.receiver.getsockname())
            self.sent += 1
            time.sleep(self.pause)

    def _receive(self):
        self.receiver.settimeout(_PATIENCE)
        while not self.stopping or len(self.received) < self.sent:
            try:
                self.received.add(int.from_bytes(self.receiver.recv(64), "big"))
            except TimeoutError:
                if self.stopping:
                    return

    def stop(self):
        """Returns how many were lost."""
        self.stopping = True
        for thread in self.threads:
            thread.join(10)
        self.receiver.close()
        self.sender.close()
        return self.sent - len(self.received)
