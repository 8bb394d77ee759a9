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

IPv6 is routed and not translated, unless the network is made with nat6.
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
table %(family)s nat {
    chain outward {
        type nat hook postrouting priority srcnat
        oifname "wan" masquerade
    }
}
"""

SYMMETRIC = """
table %(family)s nat {
    chain outward {
        type nat hook postrouting priority srcnat
        oifname "wan" masquerade fully-random
    }
}
"""

# The router remembers who used a port last and sends there whatever comes in for it.
ENDPOINT_INDEPENDENT = """
table %(family)s nat {
    map inside {
        type inet_service : %(type)s
        flags dynamic,timeout
        timeout 5m
        size 65535
    }
    chain learn {
        type filter hook postrouting priority srcnat - 1
        iifname "lan*" meta l4proto udp update @inside { udp sport : %(family)s saddr }
    }
    chain outward {
        type nat hook postrouting priority srcnat
        oifname "wan" masquerade
        %(hairpin_out)s
    }
    chain inward {
        type nat hook prerouting priority dstnat
        %(family)s daddr %(wan)s iifname %(inward_from)s meta l4proto udp dnat to udp dport map @inside
    }
}
"""


TRANSLATIONS = {
    "firewall": "",
    "port-restricted": PORT_PRESERVING,
    "symmetric": SYMMETRIC,
    "endpoint-independent": ENDPOINT_INDEPENDENT,
    "hairpin": ENDPOINT_INDEPENDENT,
}


def rules(kind, wan_addresses):
    """The ruleset of a router that translates to these addresses (IPv4 or IPv6). Its interfaces are called wan, lan0, lan1..."""
    if kind not in TRANSLATIONS:
        raise ValueError("unknown kind of router: %s" % kind)
    return UNSOLICITED + "".join(_translation(kind, address) for address in wan_addresses)


def _translation(kind, wan):
    hairpin = kind == "hairpin"
    return TRANSLATIONS[kind] % {
        "family": "ip6" if ":" in wan else "ip",
        "type": "ipv6_addr" if ":" in wan else "ipv4_addr",
        "wan": wan,
        "inward_from": '{ "wan", "lan*" }' if hairpin else '"wan"',
        "hairpin_out": 'iifname "lan*" oifname "lan*" ct status dnat snat to %s' % wan if hairpin else "",
    }
