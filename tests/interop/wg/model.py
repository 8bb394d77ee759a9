# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""A WireGuard device as its userspace API describes it: what a "set" makes of it, and what a "get" says.

Written from the protocol, not from either of the programs that are compared.
"""

import base64
import copy
import functools
import ipaddress
import socket
import subprocess

NO_KEY = "0" * 64
ANY_PORT = "any"  # the system chooses


class BadRequest(Exception):
    """A device would refuse this."""


@functools.lru_cache(maxsize=None)
def public_key(private):
    """Both in hexadecimal; by wg, so that it is nobody's who is compared but the oracle's."""
    text = base64.b64encode(bytes.fromhex(private)).decode()
    result = subprocess.run(["wg", "pubkey"], input=text, capture_output=True, text=True, check=True)
    return base64.b64decode(result.stdout).hex()


def clamped(private):
    """As devices keep a private key (RFC 7748 section 5); no key stays none."""
    if private == NO_KEY:
        return private
    octets = bytearray.fromhex(private)
    octets[0] &= 248
    octets[31] = octets[31] & 127 | 64
    return octets.hex()


def endpoint(text):
    """(address, scope, port) of "10.0.0.1:5" or "[fe80::1%lo]:5"."""
    host, _, port = text.rpartition(":")
    if host.startswith("["):
        if not host.endswith("]"):
            raise BadRequest("endpoint=" + text)
        host = host[1:-1]
    elif ":" in host:
        raise BadRequest("endpoint=" + text)
    host, _, scope = host.partition("%")
    if scope and not scope.isdigit():
        scope = socket.if_nametoindex(scope)
    number = int(port)
    if not 0 <= number <= 65535:
        raise BadRequest("endpoint=" + text)
    address = ipaddress.ip_address(host)
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped  # a listed difference; both mean the same
    return str(address), int(scope or 0), number


def number(value, limit):
    if not value.isascii() or not value.isdigit() or int(value) > limit:
        raise BadRequest("number " + value)
    return int(value)


def key(value):
    if len(value) != 64 or len(bytes.fromhex(value)) != 32:
        raise BadRequest("key " + value)
    return value.lower()


class Peer:
    def __init__(self):
        self.preshared_key = NO_KEY
        self.endpoint = None
        self.keepalive = 0

    def __repr__(self):
        return "psk=%s endpoint=%s keepalive=%s" % (self.preshared_key[:8], self.endpoint, self.keepalive)

    def __eq__(self, other):
        return vars(self) == vars(other)


class Device:
    """Cryptokey routing: owners says for each network which peer has it."""

    def __init__(self):
        self.private_key = NO_KEY
        self.listen_port = ANY_PORT
        self.fwmark = 0
        self.peers = {}
        self.owners = {}

    def __eq__(self, other):
        return vars(self) == vars(other)

    def __repr__(self):
        return "private=%s port=%s fwmark=%s\n    peers=%s\n    owners=%s" % (
            self.private_key[:8], self.listen_port, self.fwmark,
            {k[:8]: v for k, v in sorted(self.peers.items())},
            {str(k): v[:8] for k, v in sorted(self.owners.items(), key=str)})  # fmt: skip

    def after(self, requests):
        """The device after these requests (texts beginning with "set=1")."""
        device = copy.deepcopy(self)
        for request in requests:
            device.apply(request)
        return device

    def apply(self, request):
        lines = request.split("\n")
        if lines[0] != "set=1" or lines[-2:] != ["", ""]:
            raise BadRequest(repr(request[:40]))
        self.current = self.made = None
        for line in lines[1:-2]:
            name, separator, value = line.partition("=")
            handler = getattr(self, "set_" + name, None)
            if not separator or not handler:
                raise BadRequest(line)
            handler(value)
        del self.current, self.made

    def device_line(self):
        if self.current:
            raise BadRequest("a line of the device behind a peer")

    def peer(self):
        if not self.current:
            raise BadRequest("a line of a peer before the first")
        return self.peers.get(self.current) or Peer()  # one that was removed: changes are lost

    def own_key(self):
        return None if self.private_key == NO_KEY else public_key(self.private_key)

    def drop(self, peer):
        self.peers.pop(peer, None)
        self.owners = {network: owner for network, owner in self.owners.items() if owner != peer}

    def set_private_key(self, value):
        self.device_line()
        self.private_key = clamped(key(value))
        self.drop(self.own_key())

    def set_listen_port(self, value):
        self.device_line()
        self.listen_port = number(value, 65535) or ANY_PORT

    def set_fwmark(self, value):
        self.device_line()
        self.fwmark = number(value, 0xFFFFFFFF)

    def set_replace_peers(self, value):
        self.device_line()
        if value != "true":
            raise BadRequest("replace_peers=" + value)
        self.peers.clear()
        self.owners.clear()

    def set_public_key(self, value):
        self.current = key(value)
        if self.current != self.own_key() and self.current not in self.peers:
            self.peers[self.current] = Peer()
            self.made = self.current
        else:
            self.made = None

    def set_update_only(self, value):
        self.peer()
        if value == "true" and self.made:
            self.drop(self.made)

    def set_remove(self, value):
        self.peer()
        if value != "true":
            raise BadRequest("remove=" + value)
        self.drop(self.current)

    def set_preshared_key(self, value):
        self.peer().preshared_key = key(value)

    def set_endpoint(self, value):
        self.peer().endpoint = endpoint(value)

    def set_persistent_keepalive_interval(self, value):
        self.peer().keepalive = number(value, 65535)

    def set_protocol_version(self, value):
        self.peer()
        if value != "1":
            raise BadRequest("protocol_version=" + value)

    def set_replace_allowed_ips(self, value):
        self.peer()
        if value != "true":
            raise BadRequest("replace_allowed_ips=" + value)
        self.owners = {network: owner for network, owner in self.owners.items() if owner != self.current}

    def set_allowed_ip(self, value):
        self.peer()
        removes = value.startswith("-")
        network = ipaddress.ip_network(value.lstrip("-"), strict=False)
        if removes and self.owners.get(network) == self.current:
            del self.owners[network]
        elif not removes and self.current in self.peers:
            self.owners[network] = self.current

    def get(self):
        """What it says of itself."""
        lines = []
        if self.private_key != NO_KEY:
            lines.append("private_key=" + self.private_key)
        if self.listen_port != ANY_PORT:
            lines.append("listen_port=%d" % self.listen_port)
        if self.fwmark:
            lines.append("fwmark=%d" % self.fwmark)
        for name, peer in self.peers.items():
            lines += ["public_key=" + name, "preshared_key=" + peer.preshared_key, "protocol_version=1"]
            if peer.endpoint:
                address, scope, port = peer.endpoint
                host = "[%s%s]" % (address, "%%%d" % scope if scope else "") if ":" in address else address
                lines.append("endpoint=%s:%d" % (host, port))
            lines += ["last_handshake_time_sec=0", "last_handshake_time_nsec=0", "tx_bytes=0", "rx_bytes=0"]
            lines.append("persistent_keepalive_interval=%d" % peer.keepalive)
            lines += ["allowed_ip=%s" % network for network, owner in self.owners.items() if owner == name]
        return "".join(line + "\n" for line in lines)
