# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""A router is asked to forward WireGuard's port: PCP, NAT-PMP and UPnP, each with a router that knows it."""

from lab.network import Network, program
from lab.port_mapping import EXTERNAL, Client, Miniupnpd, NatPmp
from lab.system import wait_until
from lab.testing import test

PORT = 40000


class Bed:
    """A host behind a router with a server for one of the protocols."""

    def __init__(self, lab, server, ipv6=False, **options):
        self.network = Network(lab, ipv6=ipv6)
        self.host = self.network.host("a", "port-restricted")
        self.router = self.host.router
        self.network.start()
        self.server = server(self.router, **options).start()
        lab.reporters.append(lambda: print(self.server.rules(), self.server.log()[-4000:]))
        self.client = Client(self.host, program("tests", "netns", "netns-portmap"), PORT)
        lab.reporters.append(lambda: print(self.client.process.log()))
        self.sock = self.host.udp_socket("0.0.0.0", PORT)
        self.inside = "%s:%d" % (self.host.ipv4_address, PORT)
        self.outside = "%s:%d" % (EXTERNAL, PORT)

    def is_mapped(self):
        return self.server.is_mapped(PORT, self.host.ipv4_address)

    def assert_reached(self, text):
        """By somebody whom the host has never sent anything to."""
        self.network.public.udp_socket("0.0.0.0").sendto(text, (EXTERNAL, PORT))
        assert self.sock.recv(100) == text

    def wait_mapped(self, protocol):
        self.client.wait((protocol, self.inside, self.outside))
        wait_until("the router forwards the port", self.is_mapped)
        self.assert_reached(protocol.encode())

    def wait_renewed(self):
        wait_until("the mapping is renewed", lambda: self.server.times_mapped() >= 2)

    def restart_router(self):
        """It has forgotten everything, and comes back after a while."""
        self.server.crash()
        assert not self.is_mapped()
        self.server.start()

    def end(self):
        assert self.client.process.stop() == 0
        wait_until("the mapping is removed", lambda: not self.is_mapped())


@test
def a_port_is_mapped_by_pcp_renewed_made_again_and_removed(lab):
    bed = Bed(lab, Miniupnpd)
    bed.wait_mapped("pcp")
    bed.wait_renewed()
    bed.restart_router()
    wait_until("the router forwards the port again", bed.is_mapped)
    bed.assert_reached(b"again")
    bed.end()


@test
def a_port_is_mapped_by_nat_pmp_renewed_made_again_and_removed(lab):
    bed = Bed(lab, NatPmp)
    bed.wait_mapped("nat-pmp")
    bed.wait_renewed()
    bed.restart_router()
    wait_until("the router forwards the port again", bed.is_mapped)
    bed.assert_reached(b"again")
    bed.end()


@test
def a_port_is_mapped_by_upnp_made_again_and_removed(lab):
    """It is renewed after half an hour: that is left to the tests in virtual time."""
    bed = Bed(lab, Miniupnpd, upnp=True)
    bed.wait_mapped("upnp")
    bed.restart_router()
    bed.client.network_changed()
    wait_until("the router forwards the port again", bed.is_mapped)
    bed.assert_reached(b"again")
    bed.end()


@test
def a_firewall_is_opened_by_pcp_in_ipv6_too(lab):
    bed = Bed(lab, Miniupnpd, ipv6=True)
    inside6 = "[%s]:%d" % (bed.host.ipv6_address, PORT)
    bed.client.wait(("pcp", bed.inside, bed.outside), ("pcp", inside6, inside6))
    receiver, sender = bed.host.udp_socket("::", PORT), bed.network.public.udp_socket("::")
    sender.sendto(b"in", (bed.host.ipv6_address, PORT))
    assert receiver.recv(100) == b"in"
    bed.end()
    accepted = lambda: "dport %d" % PORT in bed.server.rules()  # noqa: E731
    wait_until("the firewall is closed again", lambda: not accepted())


@test
def what_a_killed_process_has_left_is_taken_over_and_removed(lab):
    bed = Bed(lab, Miniupnpd)
    bed.wait_mapped("pcp")
    bed.client.process.kill()
    assert bed.is_mapped()
    bed.client.start()
    bed.wait_mapped("pcp")
    bed.end()


@test
def a_mapping_ends_with_the_router_and_comes_back_with_it(lab):
    bed = Bed(lab, NatPmp)
    bed.wait_mapped("nat-pmp")
    bed.server.crash()
    bed.client.wait()
    bed.server.start()
    bed.wait_mapped("nat-pmp")
    bed.end()
