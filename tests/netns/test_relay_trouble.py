# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Relays that have trouble while they are used."""

import time

from lab.relay import Coturn
from lab.system import wait_until
from lab.testing import test
from test_relays import assert_relayed, relayed_pair

for MECHANISM in ("bpf", "user"):

    @test(name="a relay that starts anew carries packets again, proxy %s" % MECHANISM, timeout=180)
    def _(lab, mechanism=MECHANISM):
        pair = relayed_pair(lab, proxy=mechanism).start()
        assert_relayed(pair, mechanism)
        ping = pair.start_ping(0.1)
        for _again in range(3):
            pair.relay.stop()
            pair.relay.start()
            started = time.time()
            ping.wait_for_answer()
            print("answered after %.1f s" % (time.time() - started))
            wait_until("traffic for a while", lambda: time.time() - started > 15)
            ping.wait_for_answer()
