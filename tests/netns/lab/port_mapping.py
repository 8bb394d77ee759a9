# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Routers that map ports when they are asked to.

    Miniupnpd(router).start()                 PCP and NAT-PMP
    Miniupnpd(router, upnp=True).start()      UPnP-IGD
    NatPmp(router).start()                    NAT-PMP only, by nat_pmp_server.py

Their outside address is not one for documentation: miniupnpd does not believe that those are public. What nobody has
asked for, the router's firewall drops, in IPv6 too.
"""

import os
import shutil
import signal
import sys

from .system import LabError, Skip, wait_until

_HERE = os.path.dirname(os.path.abspath(__file__))
EXTERNAL = "198.41.0.9"
LIFETIME = 20  # seconds, so that renewals can be waited for

_RULES = """
flush chain inet guard unsolicited
insert rule inet guard input iifname lan0 accept
table inet mapped {
    chain forward {
        type filter hook forward priority filter; policy drop
        ct state established,related accept
        iifname lan0 accept
        jump accepted
    }
    chain inward {
        type nat hook prerouting priority dstnat
        jump translated
    }
    chain outward {
        type nat hook postrouting priority srcnat
        jump sent
    }
    chain accepted { }
    chain translated { }
    chain sent { }
}
"""

_FLUSH = "".join("flush chain inet mapped %s\n" % chain for chain in ("accepted", "translated", "sent"))

_CONFIGURATION = """
ext_ifname=wan
ext_ip=%(external)s
listening_ip=lan0
enable_natpmp=%(natpmp)s
enable_upnp=%(upnp)s
min_lifetime=10
max_lifetime=%(lifetime)d
secure_mode=yes
system_uptime=no
upnp_table_name=mapped
upnp_nat_table_name=mapped
upnp_forward_chain=accepted
upnp_nat_chain=translated
upnp_nat_postrouting_chain=sent
allow 1024-65535 0.0.0.0/0 1024-65535
"""


class _Server:
    def __init__(self, router):
        self.router, self.lab = router, router.lab
        self.process = None
        router.ip("addr add %s/32 dev wan" % EXTERNAL)
        public = router.network.public
        public.ip("route add %s/32 via %s dev eth0" % (EXTERNAL, router.ipv4_address))
        router.run("nft", "-f", "-", stdin=_RULES)

    def rules(self):
        """What it has made of requests."""
        return self.router.run("nft", "list", "table", "inet", "mapped").stdout

    def is_mapped(self, port, to):
        return "dport %d dnat ip to %s:%d" % (port, to, port) in self.rules()

    def times_mapped(self):
        """How often it has been asked to map a port by PCP or NAT-PMP, and has done so."""
        return self.log().count("added mapping") + self.log().count("renewed mapping")

    def crash(self):
        """The router loses its power: the server and what was mapped are gone."""
        self.process.kill()
        self.router.run("nft", "-f", "-", stdin=_FLUSH)

    def log(self):
        return self.process.log()


class Miniupnpd(_Server):
    def __init__(self, router, upnp=False):
        super().__init__(router)
        if not shutil.which("miniupnpd", path="/usr/sbin:/sbin:" + os.environ.get("PATH", "")):
            raise Skip("miniupnpd is not installed (Debian: miniupnpd-nftables)")
        text = _CONFIGURATION % {
            "external": EXTERNAL,
            "natpmp": "no" if upnp else "yes",
            "upnp": "yes" if upnp else "no",
            "lifetime": LIFETIME,
        }
        self.file = self.lab.write("miniupnpd.conf", text)

    def start(self):
        pid = self.lab.file("miniupnpd.pid")
        if os.path.exists(pid):
            os.unlink(pid)
        self.process = self.router.spawn("miniupnpd", "/usr/sbin/miniupnpd", "-d", "-f", self.file, "-P", pid)

        def is_up():
            if not self.process.is_running():
                raise LabError("miniupnpd ended: %s" % self.log())
            return os.path.exists(pid)

        wait_until("miniupnpd has started", is_up)
        return self


class NatPmp(_Server):
    def start(self):
        script = os.path.join(_HERE, "nat_pmp_server.py")
        inside = self.router.lans[0].prefix4 + ".1"
        self.process = self.router.spawn("nat-pmp", sys.executable, script, inside, EXTERNAL, str(LIFETIME))
        self.process.wait_for_line("ready")
        return self


class Client:
    """Has a port mapped, by libwice."""

    def __init__(self, host, program, port):
        self.host, self.program, self.port = host, program, port
        self.starts = 0
        self.start()

    def start(self):
        self.starts += 1
        self.process = self.host.spawn("portmap%d" % self.starts, self.program, str(self.port))
        self.process.wait_for_line("ready")

    def mapped(self):
        """The last list: [(protocol, internal, external)]."""
        lines = [line for line in self.process.log().splitlines() if line.startswith("mapped:")]
        words = lines[-1].split()[1:] if lines else []
        return list(zip(words[0::3], words[1::3], words[2::3]))

    def wait(self, *expected):
        wait_until("%s is mapped" % (expected,), lambda: self.mapped() == list(expected))

    def network_changed(self):
        self.process.signal(signal.SIGHUP)
