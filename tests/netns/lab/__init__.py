# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""A laboratory of network namespaces: hosts, NATs, an Internet with latency, WireGuard and wice.

    system.py     processes, waiting, and the Lab that takes everything down again
    network.py    namespaces, links, addresses, routers, the public host
    nat.py        what each kind of router does to packets, as nftables rules
    wireguard.py  WireGuard interfaces by wireguard-go
    engines.py    the same by other programs, ours among them
    traffic.py    what goes through tunnels, compared with what comes out
    wice.py       wiced, wice and the signaling server
    hosted.py     WireGuard inside of wiced
    stun_server.py  a STUN server (RFC 8489 and RFC 3489)

Only Python's standard library is used. Everything needs root.
"""
