#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Our relay client against coturn (Debian: coturn).

    relay_coturn.py PAIR

PAIR is interop-relay-pair: two allocations that exchange packets over channels. Exit code 77: skipped.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

COTURN = shutil.which("turnserver") or "/usr/bin/turnserver"
TIMEOUT = 100
PASSWORD = "a secret"
WITH_PASSWORD = "username=alice password-file={folder}/password"
OPTIONS = ["--lt-cred-mech", f"--user=alice:{PASSWORD}"]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Coturn:
    """A server on loopback addresses, whose log is kept."""

    def __init__(self, folder, *options):
        self.folder, self.port, self.tls_port = folder, free_port(), free_port()
        self.log = os.path.join(folder, "coturn.log")
        arguments = [COTURN, "-n", f"--listening-port={self.port}", f"--tls-listening-port={self.tls_port}",
                     "--listening-ip=127.0.0.1", "--listening-ip=::1", "--relay-ip=127.0.0.1", "--relay-ip=::1",
                     "--realm=wice", "--allow-loopback-peers", "--no-cli", "--log-file=stdout", "--simple-log",
                     f"--pidfile={folder}/pid", f"--userdb={folder}/users", f"--cert={folder}/certificate.pem",
                     f"--pkey={folder}/key.pem", "-v", *options]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        for _try in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None, self.said()
                time.sleep(0.05)
        raise AssertionError(self.said())

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(TIMEOUT)

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def wait(self, pattern, count):
        """Until it has logged that so many times."""
        for _try in range(400):
            if len(re.findall(pattern, self.said())) >= count:
                return
            time.sleep(0.05)
        raise AssertionError(f"not {count} times: {pattern}\n{self.said()}")

    def pair(self, first, second=None, family=4, count=50, seconds=0, status=0):
        """Runs two allocations. Returns what they have said."""
        names = {"folder": self.folder, "port": self.port, "tls_port": self.tls_port}
        specs = [spec.format(**names) for spec in (first, second or first)]
        result = subprocess.run([PAIR, *specs, str(family), str(count), str(seconds)], stdout=subprocess.PIPE,
                                text=True, timeout=TIMEOUT + seconds, check=False)
        assert result.returncode == status, (specs, result.returncode, result.stdout, self.said())
        return result.stdout


def make_files(folder):
    with open(os.path.join(folder, "password"), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(PASSWORD + "\n")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", f"{folder}/key.pem", "-out", f"{folder}/certificate.pem"],
                   check=True, stderr=subprocess.DEVNULL)


def test_every_way_carries_packets_and_gives_back(folder):
    ways = [
        "turn:127.0.0.1:{port}",
        "turn:[::1]:{port}",
        "turn:127.0.0.1:{port}?transport=tcp",
        "turn:[::1]:{port}?transport=tcp",
        "turns:localhost:{tls_port} ca-file={folder}/certificate.pem",
    ]
    with Coturn(folder, *OPTIONS) as coturn:
        for way in ways:
            said = coturn.pair(f"{way} {WITH_PASSWORD}", f"{ways[0]} {WITH_PASSWORD}")
            assert "exchanged 50" in said and "ready 1 and 1 times" in said, said
        # Those over a stream end with it.
        coturn.wait(r"refreshed, .*lifetime=0\b", 7)
        coturn.wait(r"session \d+: usage: ", 10)


def test_wrong_passwords_are_told(folder):
    with Coturn(folder, *OPTIONS) as coturn:
        for way in "turn:127.0.0.1:{port}", "turn:127.0.0.1:{port}?transport=tcp":
            said = coturn.pair(f"{way} username=alice password=wrong", status=3)
            assert ": The server refuses the user name or the password" in said, said
            said = coturn.pair(way, status=3)
            assert "wants a user name" in said, said


def test_nonces_that_become_stale(folder):
    with Coturn(folder, *OPTIONS, "--stale-nonce=1", "--max-allocate-lifetime=60", "--channel-lifetime=60") as coturn:
        said = coturn.pair(f"turn:127.0.0.1:{{port}} {WITH_PASSWORD}", seconds=45)
        assert "ready 1 and 1 times" in said, said
        coturn.wait("Stale nonce", 2)
        coturn.wait(r"refreshed, .*lifetime=[1-9]", 2)


def test_time_limited_credentials(folder):
    secret = os.path.join(folder, "secret")
    with open(secret, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write("north\n")
    with Coturn(folder, "--use-auth-secret", "--static-auth-secret=north") as coturn:
        said = coturn.pair("turn:127.0.0.1:{port} username=alice secret-file={folder}/secret",
                           "turn:127.0.0.1:{port} secret-file={folder}/secret")
        assert "exchanged 50" in said, said
        coturn.wait(r"username=<\d+:alice>", 1)
    with Coturn(folder, "--use-auth-secret", "--static-auth-secret=south") as coturn:
        said = coturn.pair("turn:127.0.0.1:{port} username=alice secret-file={folder}/secret", status=3)
        assert "refuses" in said, said


def test_quota_is_told(folder):
    with Coturn(folder, *OPTIONS, "--user-quota=1") as coturn:
        said = coturn.pair(f"turn:127.0.0.1:{{port}} {WITH_PASSWORD}", status=3)
        assert "as many allocations" in said, said


def main():
    if not os.path.exists(COTURN):
        print("skipped: there is no coturn here")
        return 77
    if not shutil.which("openssl"):
        print("skipped: there is no openssl(1) to make a certificate with")
        return 77
    for name, test in sorted(globals().items()):
        if name.startswith("test_") and (len(sys.argv) < 3 or sys.argv[2] in name):
            with tempfile.TemporaryDirectory(prefix="wice-coturn-") as folder:
                make_files(folder)
                test(folder)
            print("ok", name[5:].replace("_", " "), flush=True)
    return 0


if __name__ == "__main__":
    PAIR = sys.argv[1]
    sys.exit(main())
