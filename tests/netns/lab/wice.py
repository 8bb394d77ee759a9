# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""The programs under test."""

import json
import os
import signal
import socket
import time

from .network import Network, program
from .system import DEADLINE, LabError, run, wait_until
from .wireguard import WireGuard

SIGNALING_PORT = 8080


def url_host(address):
    return "[%s]" % address if ":" in address else address


class SignalingServer:
    """`wice signal` on a host."""

    def __init__(self, host, *options, scheme="grpc", query=""):
        self.host = host
        self.options = options
        self.url = "%s://%s:%d%s" % (scheme, url_host(host.address), SIGNALING_PORT, query)
        self.process = None
        self.start()
        host.lab.reporters.append(self.report)

    def start(self):
        listen = "%s:%d" % (url_host(self.host.address), SIGNALING_PORT)
        command = [program("tools", "wice"), "signal", "--listen", listen, *self.options]
        self.process = self.host.spawn("signal", *command)

        def listens():
            if not self.process.is_running():
                raise LabError("wice signal ended: " + self.process.log())
            family = socket.AF_INET6 if ":" in self.host.address else socket.AF_INET
            with self.host.entered(), socket.socket(family, socket.SOCK_STREAM) as sock:
                return sock.connect_ex((self.host.address, SIGNALING_PORT)) == 0

        wait_until("the signaling server listens", listens)

    def stop(self):
        self.process.stop()

    def report(self):
        print("--- the signaling server's log\n" + self.process.log()[-2000:].rstrip())


class Wiced:
    """wiced on a host, and wice to talk to it."""

    def __init__(self, host, interfaces, backends, stun=(), name="wiced", options=()):
        self.host = host
        self.lab = host.lab
        self.name = name
        self.socket = self.lab.file("%s-%s.sock" % (host.name, name))
        self.state_dir = self.lab.file("%s-%s-state" % (host.name, name))
        self.arguments = ["--socket", self.socket, "--state-dir", self.state_dir]
        self.arguments += ["--log-level", "debug", *options]
        for flag, values in (("-i", interfaces), ("-b", backends), ("-a", stun)):
            for value in values:
                self.arguments += [flag, value]
        self.process = None
        self.lab.reporters.append(self.report)

    def command(self):
        return [program("tools", "wiced"), *self.arguments]

    def launch(self):
        """Starts the daemon and does not wait for anything."""
        self.process = self.host.spawn(self.name, *self.command())
        return self.process

    def start(self):
        self.launch()

        def answers():
            if not self.process.is_running():
                raise LabError("wiced ended: " + self.process.log())
            return self.wice("show", check=False).returncode == 0

        wait_until("wiced of host %s answers" % self.host.name, answers)
        return self

    def wice(self, *words, **options):
        return self.host.run(program("tools", "wice"), "--socket", self.socket, *words, **options)

    def status(self):
        return json.loads(wait_until("wiced answers in time", self._show).stdout)

    def _show(self):
        """None: on a busy machine an answer may take longer than `wice` waits for it."""
        shown = self.wice("--json", "show", check=False)
        if shown.returncode != 0 and "did not answer within" in shown.stderr:
            return None
        if shown.returncode != 0:
            raise LabError("wice show: " + shown.stderr)
        return shown

    def interface(self, name):
        for interface in self.status()["interfaces"]:
            if interface["name"] == name:
                return interface
        return None

    def peer(self, wg, public):
        """What is known of a peer, or None."""
        interface = self.interface(wg.name) or {"peers": []}
        for peer in interface["peers"]:
            if peer["public_key"] == public:
                return peer
        return None

    def wait_peer(self, wg, public, what, condition, timeout=DEADLINE):
        """Waits until the peer exists and condition(peer) holds; returns the peer."""

        def check():
            peer = self.peer(wg, public)
            return peer if peer and condition(peer) else None

        return wait_until("%s (seen from host %s)" % (what, self.host.name), check, timeout, 0.1)

    def wait_connected(self, wg, public, timeout=DEADLINE):
        return self.wait_peer(wg, public, "the peer is connected", lambda peer: peer["state"] == "connected", timeout)

    def stop(self):
        status = self.process.stop(timeout=20)
        if status != 0:
            raise AssertionError("wiced was told to end and exited with %d" % status)

    def kill(self):
        """As a crash does: without a chance to tidy up."""
        pids = run("ip", "netns", "pids", self.host.netns).stdout.split()
        assert str(self.process.pid) in pids
        self.process.signal(signal.SIGKILL)
        self.process.popen.wait()

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid, encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self):
        with open("/proc/%d/status" % self.process.pid, encoding="ascii") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        raise LabError("no VmRSS")

    def report(self):
        if not self.process:
            return
        print("--- wice show of host %s" % self.host.name)
        if self.process.is_running():
            shown = self.wice("show", check=False, timeout=10)
            print((shown.stdout + shown.stderr).rstrip())
        else:
            print("(wiced is not running, it exited with %d)" % self.process.popen.returncode)
        print("--- log of %s on host %s" % (self.name, self.host.name))
        lines = [line for line in self.process.log().splitlines() if "A client of the gRPC server" not in line]
        print("\n".join(lines[:60] + ["..."] * (len(lines) > 160) + lines[60:][-100:]))


class Pair:
    """Two hosts, each behind something, each with a WireGuard interface that knows the other's public key."""

    def __init__(self, lab, a="none", b="none", network=None, hosts=None, proxy=None, **options):
        self.lab = lab
        self.wiced_options = ["--proxy", proxy] if proxy else []
        self.network = network or Network(lab, **options)
        self.a, self.b = hosts or (self.network.host("a", a), self.network.host("b", b))
        self.network.start()
        self.signaling = None
        self.a.wg, self.b.wg = WireGuard(self.a, 1), WireGuard(self.b, 2)
        self.a.wg.add_peer(self.b.wg)
        self.b.wg.add_peer(self.a.wg)
        self.ends = ((self.a, self.b), (self.b, self.a))

    def serve(self, *options, **more):
        self.signaling = SignalingServer(self.network.public, *options, **more)
        return self

    def make_daemons(self, backends=None, stun=True):
        if backends is None:
            if not self.signaling:
                self.serve()
            backends = [self.signaling.url]
        for host in (self.a, self.b):
            servers = [self.network.stun_url()] if stun else []
            host.wiced = Wiced(host, [host.wg.name], backends, servers, options=self.wiced_options)
        return self

    def start(self, backends=None, stun=True):
        """The signaling server and both daemons."""
        self.make_daemons(backends, stun)
        for host in (self.a, self.b):
            host.wiced.start()
        return self

    def wait_connected(self):
        """Both ends say that they are connected. Returns what they say of each other."""
        return [host.wiced.wait_connected(host.wg, other.wg.public_key) for host, other in self.ends]

    def wait_path(self, path):
        """Both ends are connected by this kind of path."""
        return [
            host.wiced.wait_peer(
                host.wg,
                other.wg.public_key,
                "connected, path " + path,
                lambda peer: peer["state"] == "connected" and peer["path"] == path,
            )
            for host, other in self.ends
        ]

    def wait_mechanism(self, mechanism):
        """Both ends are connected by this mechanism."""
        return [
            host.wiced.wait_peer(
                host.wg,
                other.wg.public_key,
                "connected, mechanism " + mechanism,
                lambda peer: peer["state"] == "connected" and peer["mechanism"] == mechanism,
            )
            for host, other in self.ends
        ]

    def start_ping(self, interval=0.05):
        """A ping from a to b that goes on until the end; returns once it is answered."""
        return Pinging(self.a, self.b.wg.address, interval)


class Pinging:
    """A ping in the background."""

    def __init__(self, host, target, interval):
        command = ["ping", "-n", "-D", "-i", str(interval), target]
        self.process = host.spawn("ping-%d" % time.monotonic_ns(), *command)
        self.wait_for_answer()

    def times(self):
        """When answers came, in seconds since 1970."""
        lines = [line for line in self.process.log().splitlines() if "bytes from" in line]
        return [float(line[1 : line.index("]")]) for line in lines]

    def wait_for_answer(self):
        """Waits for an answer that is newer than this call."""
        now = time.time()
        wait_until("another answer to the ping", lambda: self.times()[-1:] > [now])

    def wait_for_flow(self):
        """Waits for answers that go on for some seconds: those that a handshake was waited for with come all at once."""
        since = time.time()

        def flows():
            times = [at for at in self.times() if at > since]
            return len(times) > 20 and times[-1] - times[0] > 3

        wait_until("answers go on", flows)

    def longest_gap_ms(self):
        times = self.times()
        return max(b - a for a, b in zip(times, times[1:])) * 1000
