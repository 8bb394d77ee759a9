# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Relays that have trouble while they are used."""

import time

from lab.hosted import EnginePair
from lab.network import Network
from lab.relay import Coturn
from lab.system import wait_until
from lab.testing import test
from test_relays import assert_relayed, relayed_pair


def engine_pair(lab):
    network = Network(lab)
    relay = Coturn(network.host("relay"))
    pair = EnginePair(lab, "symmetric", "symmetric", network=network, wiced=["--relay", relay.option()])
    pair.relay = relay
    return pair


for MECHANISM in ("bpf", "user", "inprocess"):

    @test(name="a relay that starts anew carries packets again, proxy %s" % MECHANISM, timeout=240)
    def _(lab, mechanism=MECHANISM):
        pair = engine_pair(lab) if mechanism == "inprocess" else relayed_pair(lab, proxy=mechanism).start()
        assert_relayed(pair, mechanism)
        ping = pair.start_ping(0.1)
        for _again in range(3):
            count = len(ping.times())
            wait_until("traffic for a while", lambda: len(ping.times()) > count + 30)
            pair.relay.stop()
            pair.relay.start()
            started = time.time()
            ping.wait_for_answer()
            assert time.time() - started < 12, "the relay was missed for %.1f s" % (time.time() - started)
