# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""What routers do to packets, as nftables rules.

A NAT is described by two things (RFC 4787): its mapping says which outside port an inside port gets, its filtering
says which outside hosts may answer.

    kind                   mapping               filtering
    endpoint-independent   one port for all      everybody           ("full cone")
    port-restricted        one port for all      same address, port
    symmetric              a port for each       same address, port
    hairpin                as endpoint-independent, and inside hosts may use the outside address
    firewall               none                  same address, port

Linux keeps the port when it masquerades, which makes the mapping endpoint-independent as long as nothing is in the
way. One thing can be: a packet from a stranger that ends up at the router itself makes a conntrack entry for the very
address and port that the inside host is about to use, and the inside host then gets another port. Hence UNSOLICITED:
such packets are dropped before their entry is confirmed, and without an ICMP error, as home routers do.
"""

KINDS = ("endpoint-independent", "port-restricted", "symmetric", "hairpin", "firewall")

UNSOLICITED = """
table inet guard {
    chain unsolicited {
        type filter hook prerouting priority filter
        iifname "wan" ct state new ct status & dnat != dnat counter drop
    }
    chain input {
        type filter hook input priority filter; policy drop
        meta l4proto { icmp, icmpv6 } accept
        ct state established,related accept
        counter comment "to the router itself"
    }
    chain between_lans {
        type filter hook forward priority filter
        iifname "lan*" oifname "lan*" ct status & dnat != dnat counter drop
    }
}
"""

PORT_PRESERVING = """
table ip nat {
    chain outward {
        type nat hook postrouting priority srcnat
        oifname "wan" masquerade
    }
}
"""

SYMMETRIC = """
table ip nat {
    chain outward {
        type nat hook postrouting priority srcnat
        oifname "wan" masquerade fully-random
    }
}
"""

# The router remembers who used a port last and sends there whatever comes in for it.
ENDPOINT_INDEPENDENT = """
table ip nat {
    map inside {
        type inet_service : ipv4_addr
        flags dynamic,timeout
        timeout 5m
        size 65535
    }
    chain learn {
        type filter hook postrouting priority srcnat - 1
        iifname "lan*" meta l4proto udp update @inside { udp sport : ip saddr }
    }
    chain outward {
        type nat hook postrouting priority srcnat
        oifname "wan" masquerade
        %(hairpin_out)s
    }
    chain inward {
        type nat hook prerouting priority dstnat
        ip daddr %(wan)s iifname %(inward_from)s meta l4proto udp dnat to udp dport map @inside
    }
}
"""


def rules(kind, wan_address):
    """The ruleset of a router. Its interfaces are called wan, lan0, lan1..."""
    if kind == "firewall":
        return UNSOLICITED
    if kind == "port-restricted":
        return UNSOLICITED + PORT_PRESERVING
    if kind == "symmetric":
        return UNSOLICITED + SYMMETRIC
    if kind == "endpoint-independent":
        return UNSOLICITED + ENDPOINT_INDEPENDENT % {
            "wan": wan_address,
            "inward_from": '"wan"',
            "hairpin_out": "",
        }
    if kind == "hairpin":
        return UNSOLICITED + ENDPOINT_INDEPENDENT % {
            "wan": wan_address,
            "inward_from": '{ "wan", "lan*" }',
            "hairpin_out": 'iifname "lan*" oifname "lan*" ct status dnat snat to %s' % wan_address,
        }
    raise ValueError("unknown kind of router: %s" % kind)
