# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Files and command lines: by hand, generated, and mutated. The same ones on every run.

A file is bytes. A command line is a list of words behind "set NAME"; "@NAME" is the path of the file in KEY_FILES.
"""

import base64
import hashlib
import random

SEED = 20261122


def make_key(name):
    """A private key (clamped) that is always the same one."""
    raw = bytearray(hashlib.sha256(b"wg_conf " + name.encode()).digest())
    raw[0] &= 248
    raw[31] = raw[31] & 127 | 64
    return base64.b64encode(bytes(raw)).decode()


PRIVATE = make_key("private")
OTHER_PRIVATE = make_key("other private")
PRESHARED = make_key("preshared")
KEYS = [make_key("peer %d" % i) for i in range(8)]  # of peers; any 32 bytes will do
ZERO = base64.b64encode(bytes(32)).decode()
K, L, M = KEYS[:3]

INTERFACE = "[Interface]\nPrivateKey = %s\n" % PRIVATE
PEER = "[Peer]\nPublicKey = %s\n" % K

# Lines within [Interface], and within [Peer] behind a public key, each tried in a file of its own.
INTERFACE_LINES = [
    "ListenPort = 51820", "ListenPort=0", "ListenPort = 65535", "ListenPort = 65536", "ListenPort = 65537",
    "ListenPort = 99999999999", "ListenPort = 4294967295", "ListenPort = 4294967296", "ListenPort = 2147483648",
    "ListenPort = 18446744073709551616", "ListenPort = -1", "ListenPort = +5", "ListenPort = 0x10",
    "ListenPort = 010", "ListenPort = domain", "ListenPort = ntp", "ListenPort = DOMAIN", "ListenPort = nosuchservice",
    "ListenPort =", "ListenPort", "Listen Port = 5 1 8 2 0", "LISTENPORT = 1", "listenport=1", "ListenPort = 1 # two",
    "ListenPort = #1", "ListenPort == 1", "ListenPort = 1.0", "ListenPort = 1e3", "ListenPort : 1", "Port = 1",
    "ListenPort = 1\nListenPort = 2", "ListenPort = 1;", "; a comment", "# a comment", "#", "ListenPort = 1\r",
    "FwMark = 0", "FwMark = off", "FwMark = OFF", "FwMark = 1234", "FwMark = 010", "FwMark = 0x10", "FwMark = 0xfF",
    "FwMark = 0XFF", "FwMark = 0x", "FwMark = 0xffffffff", "FwMark = 0x100000000", "FwMark = 4294967295",
    "FwMark = 4294967296", "FwMark = -1", "FwMark = +1", "FwMark =", "FwMark = on", "FwMark = 0x1g", "FwMark = 0 x 1 0",
    "FwMark = 0xdeadbeef\nFwMark = 7", "FwMark = 99999999999999999999", "fwmark = 0x00000000000000000000001",
    "FwMark = 0x0x1", "FwMark = 0x-1", "FwMark = 0x+1",
    "PrivateKey = " + OTHER_PRIVATE, "PrivateKey = " + ZERO, "PrivateKey =", "PrivateKey = x", "PrivateKey = " + PRIVATE[:-1],
    "PrivateKey = " + PRIVATE + "=", "PrivateKey = " + PRIVATE[:-2] + "B=", "PrivateKey = " + PRIVATE[:20] + " " + PRIVATE[20:],
    "PrivateKey = " + PRIVATE.replace("=", ""), "PrivateKey = !" + PRIVATE[1:], "privatekey=" + PRIVATE,
    "PrivateKey = " + PRIVATE[:42] + "==", "PrivateKey = -" + PRIVATE[1:], "PrivateKey = _" + PRIVATE[1:],
    "PublicKey = " + K, "AllowedIPs = 10.0.0.0/8", "Address = 10.0.0.1/24", "DNS = 1.1.1.1", "MTU = 1420", "Table = off",
    "PreUp = true", "PostUp = true", "PreDown = true", "PostDown = true", "SaveConfig = true", "Foo = bar", "=", "x", "=1",
    "[Interface", "Interface]", "[]", "[Foo]", "[ Inter face ]", "[INTERFACE]", "[interface] # one", "[Interface] x",
    "[Interface]\n[Interface]\nListenPort = 9", "[[Interface]]", "\f\v\t", "ListenPort = 1\0 garbage", "\0",
    "ListenPort = 1\0\nFwMark = 3", "ListenPort =\t\v\f1", "ListenPort\u00a0= 1", "ListenPort = １", "ListenPort = 1\\",
    "ListenPort = \"1\"", "ListenPort = 1,2",
]  # fmt: skip
PEER_LINES = [
    "AllowedIPs = 10.0.0.0/8", "AllowedIPs = 10.0.0.0/8, fd00::/8", "AllowedIPs = 10.0.0.0/8,10.0.0.0/8", "AllowedIPs =",
    "AllowedIPs = ,", "AllowedIPs = 10.0.0.0/8,", "AllowedIPs = ,10.0.0.0/8", "AllowedIPs = 10.0.0.0/8,,10.0.0.0/9",
    "AllowedIPs = 10.0.0.1", "AllowedIPs = fd00::1", "AllowedIPs = 10.0.0.1/24", "AllowedIPs = fd00::1/64",
    "AllowedIPs = 10.0.0.0/0", "AllowedIPs = 0.0.0.0/0, ::/0", "AllowedIPs = 10.0.0.0/024", "AllowedIPs = 10.0.0.0/32",
    "AllowedIPs = 10.0.0.0/33", "AllowedIPs = ::/128", "AllowedIPs = ::/129", "AllowedIPs = 10.0.0.0/-1",
    "AllowedIPs = 10.0.0.0/+8", "AllowedIPs = 10.0.0.0/", "AllowedIPs = 10.0.0.0/8/8", "AllowedIPs = 10.0.0/8",
    "AllowedIPs = 10.0.0.0.0/8", "AllowedIPs = 010.0.0.0/8", "AllowedIPs = 10.0.0.256/8", "AllowedIPs = 0x0a.0.0.0/8",
    "AllowedIPs = ::ffff:10.0.0.1/128", "AllowedIPs = ::ffff:10.0.0.0/104", "AllowedIPs = ::10.0.0.1",
    "AllowedIPs = 2001:DB8::/32", "AllowedIPs = fe80::1%lo/64", "AllowedIPs = [fd00::]/8", "AllowedIPs = fd00:::/8",
    "AllowedIPs = 10.0. 0.0 / 24", "Allowed IPs = 10.0.0.0/24", "AllowedIPs = 10.0.0.0/8 10.1.0.0/16",
    "AllowedIPs = 10.0.0.0/8; 10.1.0.0/16", "AllowedIPs = 10.0.0.0/8\nAllowedIPs = 10.1.0.0/16, 10.2.0.0/16",
    "AllowedIPs = 10.0.0.0/255.0.0.0", "AllowedIPs = example.com", "AllowedIPs = /8", "AllowedIPs = 10.0.0.0/8x",
    "AllowedIPs = 10.0.0.0/4294967304", "AllowedIPs = 10.0.0.0/18446744073709551624", "ALLOWEDIPS = 1.2.3.4",
    "allowedips=1.2.3.4", "AllowedIPs = 10.0.0.0/8 # , 10.1.0.0/16", "AllowedIPs = 1:2:3:4:5:6:7:8/0x10",
    "AllowedIPs = 192.168.7.0/24", "AllowedIPs = 10.9.0.0/16, 192.168.7.0/24", "AllowedIPs = 255.255.255.255/31",
    "AllowedIPs = " + ", ".join("10.%d.0.0/16" % i for i in range(256)),
    "Endpoint = 192.0.2.1:51820", "Endpoint = [2001:db8::1]:51820", "Endpoint = 2001:db8::1:51820", "Endpoint = ::1:51820",
    "Endpoint = [127.0.0.1]:1", "Endpoint = 127.1:1", "Endpoint = 127.0.1:1", "Endpoint = 0x7f.1:1", "Endpoint = 0177.0.0.1:1",
    "Endpoint = 2130706433:1", "Endpoint = [fe80::1%lo]:1", "Endpoint = [fe80::1%1]:1", "Endpoint = [fe80::1%nosuchif]:1",
    "Endpoint = fe80::1%lo:1", "Endpoint = [::ffff:192.0.2.1]:1", "Endpoint = localhost:1", "Endpoint = 192.0.2.1:65536",
    "Endpoint = 192.0.2.1:65537", "Endpoint = 192.0.2.1:0", "Endpoint = 192.0.2.1:99999999999", "Endpoint = 192.0.2.1:domain",
    "Endpoint = 192.0.2.1:nosuchservice", "Endpoint = 192.0.2.1:-1", "Endpoint = 192.0.2.1:+1", "Endpoint = 192.0.2.1:0x10",
    "Endpoint = 192.0.2.1:", "Endpoint = 192.0.2.1", "Endpoint = :51820", "Endpoint = []:51820", "Endpoint = [::1]",
    "Endpoint = [::1]51820", "Endpoint = [::1]:", "Endpoint = [::1:51820", "Endpoint = ::1]:51820", "Endpoint = [[::1]]:1",
    "Endpoint =", "Endpoint = 192.0.2.1:1:2", "Endpoint = 192.0.2.256:1", "Endpoint = 192 . 0 . 2 . 1 : 5 1", "endpoint=1.2.3.4:5",
    "Endpoint = 192.0.2.1:1\nEndpoint = 192.0.2.2:2", "Endpoint = 192.0.2.1:0080", "Endpoint = 192.0.2.1:4294967297",
    "Endpoint = [192.0.2.1:1", "Endpoint = [::1]:1]", "Endpoint = ::1", "Endpoint = (none)", "Endpoint = 0.0.0.0:0",
    "Endpoint = [::]:0", "Endpoint = 255.255.255.255:9", "Endpoint = 192.0.2.1:51820 # home", "Endpoint = #192.0.2.1:1",
    "Endpoint = .:1", "Endpoint = *:1", "Endpoint = 1:1", "Endpoint = [1]:1", "Endpoint = :", "Endpoint = [:]:1",
    "PersistentKeepalive = 25", "PersistentKeepalive = 0", "PersistentKeepalive = off", "PersistentKeepalive = OFF",
    "PersistentKeepalive = 65535", "PersistentKeepalive = 65536", "PersistentKeepalive = -1", "PersistentKeepalive = +1",
    "PersistentKeepalive = 010", "PersistentKeepalive = 0x10", "PersistentKeepalive =", "PersistentKeepalive = 25s",
    "PersistentKeepalive = on", "PersistentKeepalive = 1\nPersistentKeepalive = 2", "Persistent Keepalive = 2 5",
    "PersistentKeepalive = 99999999999999999999", "PersistentKeepalive = 2.5", "persistentkeepalive=5",
    "PresharedKey = " + PRESHARED, "PresharedKey = " + ZERO, "PresharedKey =", "PresharedKey = x",
    "PresharedKey = " + PRESHARED + "\nPresharedKey = " + OTHER_PRIVATE, "PreSharedKey=" + PRESHARED,
    "PublicKey = " + L, "PublicKey = x", "PublicKey =", "PublicKey = " + ZERO, "PublicKey = " + K,
    "PrivateKey = " + PRIVATE, "ListenPort = 1", "FwMark = 1", "Name = x", "[Peer]", "[ P e e r ]", "[PEER]\npublickey=" + M,
    "[Peer]\nPublicKey = " + M, "[Peer]\nPublicKey = " + K + "\nAllowedIPs = 10.4.0.0/16", "[Interface]\nListenPort = 5",
    "[Peer", "\r", "\r\n\r\n", "\t # nothing", "[Peer]#x", "AllowedIPs = 10.0.0.0/8\0, 10.1.0.0/16",
]  # fmt: skip

WHOLE_FILES = [
    "", "\n", "# nothing\n", "\n\n\n", " ", "[Interface]", "[Interface]\n", "[Peer]", "[Peer]\n", "\ufeff[Interface]\n",
    "ListenPort = 1\n", "PublicKey = %s\n" % K, "[Interface]\n[Peer]\n", PEER, PEER + INTERFACE, INTERFACE, INTERFACE + PEER,
    INTERFACE + PEER + PEER, INTERFACE + PEER + "[Interface]\nListenPort = 7\nFwMark = 3\n" + PEER.replace(K, L),
    (INTERFACE + PEER).replace("\n", "\r\n"), (INTERFACE + PEER).replace("\n", "\r"), (INTERFACE + PEER)[:-1],
    INTERFACE + PEER + "AllowedIPs = 10.7.0.0/16\n" + PEER + "Endpoint = 192.0.2.9:9\nAllowedIPs = 10.8.0.0/16\n",
    INTERFACE + PEER + "AllowedIPs = 10.7.0.0/16\n" + PEER.replace(K, L) + "AllowedIPs = 10.7.0.0/16\n",
    INTERFACE + PEER.replace(K, "OWN"), "[Peer]\nAllowedIPs = 10.0.0.0/8\nPublicKey = %s\n" % K,
    INTERFACE + "".join(PEER.replace(K, key) + "AllowedIPs = 10.%d.0.0/16\n" % i for i, key in enumerate(KEYS)),
    "[Interface]\nListenPort = 51820\n\n# a\n[Peer] # b\nPublicKey = %s # c\nEndpoint = 192.0.2.5:1234\n"
    "AllowedIPs = 10.192.122.3/32, 10.192.124.1/24\n\n[Peer]\nPublicKey = %s\nEndpoint = [2001:db8:60::c05f:543]:2468\n"
    "AllowedIPs = 10.192.122.4/32, 192.168.0.0/16\n\n[Peer]\nPublicKey = %s\nEndpoint = localhost:18981\n"
    "AllowedIPs = 10.10.10.230/32\n" % (K, L, M),
    INTERFACE + "#" * 100000 + "\n" + PEER, INTERFACE + " " * 100000 + "\n" + PEER, "[Interface]\n" + "x" * 100000 + "\n",
    INTERFACE + PEER + "AllowedIPs = " + "\t10.0.0.0/8" + " " * 5000 + ", fd00::/8\n",
]  # fmt: skip

KEY_FILES = {
    "private": PRIVATE + "\n", "other": OTHER_PRIVATE + "\n", "preshared": PRESHARED + "\n", "empty": "", "bare": PRIVATE,
    "spaces": PRIVATE + " \t\r\n\v\f\n\n", "leading": " " + PRIVATE, "newline": "\n", "short": PRIVATE[:-1] + "\n",
    "long": PRIVATE + "=\n", "twice": PRIVATE + "\n" + PRIVATE + "\n", "garbage": "x" * 44 + "\n", "trailing": PRIVATE + " x",
    "zero": ZERO + "\n", "nul": PRIVATE + "\0", "noncanonical": PRIVATE[:-2] + "B=\n", "many": PRIVATE + "\n" * 20000,
}  # fmt: skip

SET_LINES = [
    ["private-key", "@" + name] for name in KEY_FILES
] + [
    ["peer", K, "preshared-key", "@" + name] for name in KEY_FILES
] + [
    ["private-key", "/dev/null"], ["private-key", "/nonexistent"], ["private-key", "/"], ["private-key", ""],
    ["peer", K, "preshared-key", "/dev/null"], ["peer", K, "preshared-key", "/nonexistent"], ["private-key"], ["peer"],
    ["listen-port", "51820", "private-key", "@private", "peer", K, "allowed-ips", "10.0.0.0/8"],
    ["peer", K, "allowed-ips", "10.0.0.0/8", "endpoint", "192.0.2.1:8172"], ["peer", K, "remove"], ["peer", L, "remove"],
    ["peer", KEYS[7], "remove"], ["peer", K, "remove", "peer", L, "endpoint", "192.0.2.7:7"], ["peer", K, "peer", L],
    ["peer", K, "remove", "endpoint", "192.0.2.7:7"], ["peer", K, "endpoint", "192.0.2.7:7", "remove"], ["remove"],
    ["peer", K, "remove", "peer", K, "allowed-ips", "10.5.0.0/16"], ["peer", KEYS[6]], ["peer", K],
    ["peer", "x"], ["peer", ""], ["peer", K[:-1]], ["peer", " " + K], ["peer", K + "#"], ["peer", ZERO], ["peer", "OWN"],
    ["fwmark", "0x10", "fwmark", "7"], ["listen-port", "1", "listen-port", "2"], ["listen-port", ""], ["fwmark", ""],
    ["peer", K, "listen-port", "1"], ["peer", K, "fwmark", "1"], ["peer", K, "private-key", "@private"], ["foo"], ["foo", "bar"],
    ["endpoint", "192.0.2.1:1"], ["allowed-ips", "10.0.0.0/8"], ["persistent-keepalive", "1"], ["preshared-key", "@preshared"],
    ["peer", K, "allowed-ips", ""], ["peer", K, "allowed-ips", " "], ["peer", K, "allowed-ips", " 10.0.0.0/8 , fd00::/8 "],
    ["peer", K, "allowed-ips", "10.0.0.0/8", "allowed-ips", "10.1.0.0/16"], ["peer", K, "allowed-ips", "10.0.0.0/8", "allowed-ips", ""],
    ["peer", K, "allowed-ips", "", "allowed-ips", "10.0.0.0/8"], ["peer", K, "allowed-ips", "10.0.0.0/8#"], ["peer", K, "allowed-ips"],
    ["peer", K, "allowed-ips", "192.168.7.0/24", "peer", L, "allowed-ips", "192.168.7.0/24"], ["peer", K, "allowed-ips", ","],
    ["peer", K, "allowed-ips", "10.0.\v0.0/8"], ["peer", L, "allowed-ips", "10.9.0.0/16"], ["peer", K, "endpoint", ""],
    ["peer", K, "endpoint", "192.0.2.1"], ["peer", K, "endpoint", "192.0.2.1:1 "], ["peer", K, "endpoint", "192.0.2.1:1#"],
    ["peer", K, "endpoint", "192.0.2.1:1", "endpoint", "192.0.2.2:2"], ["peer", K, "endpoint"], ["peer", K, "persistent-keepalive"],
    ["peer", K, "persistent-keepalive", ""], ["peer", K, "persistent-keepalive", " 5"], ["peer", K, "persistent-keepalive", "5 "],
    ["fwmark", " 5"], ["fwmark", "5 "], ["fwmark", "5#"], ["listen-port", "5#"], ["listen-port", "5 "], ["PEER", K], ["peer", K, "REMOVE"],
    ["private-key", "@other", "peer", "OWN", "allowed-ips", "10.3.0.0/16"], ["peer", K, "remove", "remove"], ["peer=" + K],
    ["private-key", "@private", "private-key", "@other"], ["peer", K, "preshared-key", "@preshared", "preshared-key", "/dev/null"],
    ["listen-port", "1", "peer", K, "endpoint", "[fe80::1%lo]:1", "persistent-keepalive", "off", "allowed-ips", "0.0.0.0/0,::/0"],
]  # fmt: skip


def file_words(line):
    """What a line of a file is on a command line; None: there is no such thing."""
    names = {"ListenPort": "listen-port", "FwMark": "fwmark", "AllowedIPs": "allowed-ips", "Endpoint": "endpoint",
             "PersistentKeepalive": "persistent-keepalive"}  # fmt: skip
    name, separator, value = line.partition(" = ")
    return [names[name], value] if separator and name in names and "\0" not in value and "\n" not in value else None


def hand_made_files():
    files = list(WHOLE_FILES)
    files += [INTERFACE + line + "\n" for line in INTERFACE_LINES]
    files += [INTERFACE + PEER + line + "\n" for line in PEER_LINES]
    return [text.encode() for text in files]


def hand_made_lines():
    lines = list(SET_LINES)
    lines += [words for words in map(file_words, INTERFACE_LINES) if words]
    lines += [["peer", K, *words] for words in map(file_words, PEER_LINES) if words]
    return lines


def random_network(rng):
    if rng.random() < 0.3:
        return "fd%02x:%x::%x/%d" % (rng.randrange(4), rng.randrange(4), rng.randrange(9), rng.randrange(129))
    return "10.%d.%d.%d/%d" % (rng.randrange(4), rng.randrange(4), rng.randrange(9), rng.randrange(33))


def random_endpoint(rng):
    host = rng.choice(["192.0.2.%d" % rng.randrange(256), "[2001:db8::%x]" % rng.randrange(65536), "localhost", "127.1"])
    return "%s:%d" % (host, rng.randrange(65536))


def random_peer_words(rng):
    """(name in a file, value) of a peer."""
    words = []
    if rng.random() < 0.8:
        words.append(("AllowedIPs", ", ".join(random_network(rng) for _ in range(rng.randint(1, 5)))))
    if rng.random() < 0.6:
        words.append(("Endpoint", random_endpoint(rng)))
    if rng.random() < 0.4:
        words.append(("PersistentKeepalive", rng.choice(["off", "0", "25", str(rng.randrange(65536))])))
    if rng.random() < 0.3:
        words.append(("PresharedKey", rng.choice([PRESHARED, OTHER_PRIVATE, ZERO])))
    rng.shuffle(words)
    return words


def random_file(rng):
    lines = ["[Interface]"]
    interface = [("PrivateKey", rng.choice([PRIVATE, OTHER_PRIVATE, ZERO])), ("ListenPort", str(rng.randrange(70000))),
                 ("FwMark", rng.choice(["off", "0x%x" % rng.getrandbits(32), str(rng.randrange(1000))]))]  # fmt: skip
    lines += ["%s = %s" % word for word in interface if rng.random() < 0.7]
    for _ in range(rng.randrange(5)):
        lines += ["", "[Peer]", "PublicKey = " + rng.choice([*KEYS, "OWN"])]
        lines += ["%s = %s" % word for word in random_peer_words(rng)]
    return "\n".join(lines) + "\n"


def mutate(rng, text):
    """A few small changes, such as people and broken editors make."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        kind = rng.randrange(8)
        lines = text.split("\n")
        line = rng.randrange(len(lines))
        if kind == 0:
            text = text[:at] + text[at + 1 :]
        elif kind == 1:
            text = text[:at] + rng.choice(" \t\r\v\f#=,/:.0193[]-+xXfF%\0\"';") + text[at:]
        elif kind == 2:
            text = text[:at] + rng.choice("0123456789abcdefABCDEF/+=[]:. \t") + text[at + 1 :]
        elif kind == 3:
            text = "\n".join(lines[:line] + lines[line + 1 :])
        elif kind == 4:
            text = "\n".join(lines[:line] + [lines[line]] + lines[line:])
        elif kind == 5:
            text = "\n".join(lines[:line] + [lines[line].swapcase() if "=" not in lines[line][-2:] else lines[line]] + lines[line + 1 :])
        elif kind == 6:
            other = rng.randrange(len(lines))
            lines[line], lines[other] = lines[other], lines[line]
            text = "\n".join(lines)
        else:
            text = text[:at]
    return text


def made_files(n):
    """n generated files, every second one mutated."""
    rng = random.Random(SEED)
    for i in range(n):
        text = random_file(rng)
        yield (mutate(rng, text) if i % 2 else text).encode()


def made_lines(n):
    """n generated command lines, every third one with a word that is lost, doubled or moved."""
    rng = random.Random(SEED + 1)
    for i in range(n):
        words = []
        if rng.random() < 0.3:
            words += ["listen-port", str(rng.randrange(70000))]
        if rng.random() < 0.3:
            words += ["fwmark", rng.choice(["off", "0x%x" % rng.getrandbits(32)])]
        if rng.random() < 0.3:
            words += ["private-key", rng.choice(["@private", "@other", "/dev/null"])]
        for _ in range(rng.randrange(4)):
            words += ["peer", rng.choice([*KEYS, "OWN"])]
            if rng.random() < 0.2:
                words.append("remove")
            for name, value in random_peer_words(rng):
                words += ["preshared-key", "@preshared"] if name == "PresharedKey" else file_words("%s = %s" % (name, value))
        if i % 3 == 0 and words:
            at = rng.randrange(len(words))
            words[at : at + 1] = rng.choice([[], [words[at]] * 2, [rng.choice(words)]])
        yield words
