#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Our signaling server and client against gRPC's own Python implementation (Debian: python3-grpcio).

    grpc_signaling.py WICE CLIENT

WICE is the wice program, CLIENT is interop-grpc-client. Messages are bytes made by hand. Exit code 77: skipped.
"""
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from concurrent import futures

try:
    import grpc
except ImportError:
    print("skipped: python3-grpcio is not installed for", sys.executable)
    sys.exit(77)

SERVICE = "cunicu.signaling.Signaling"
TIMEOUT = 60


def same(message):
    return message


def field(number, data):
    assert len(data) < 128
    return bytes([number << 3 | 2, len(data)]) + data


def envelope(recipient, body):
    contents = field(1, body) + field(2, b"n" * 24)
    return field(1, b"s" * 32) + field(2, recipient) + field(3, contents)


class Signal:
    """`wice signal` as a child process."""

    def __init__(self, wice, *options):
        self.process = subprocess.Popen([wice, "signal", "--listen", "127.0.0.1:0", *options],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert "listening on" in line, line
        self.port = int(line.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(TIMEOUT) == 0


class Client:
    """The service through a stock channel."""

    def __init__(self, channel):
        self.publish = channel.unary_unary(f"/{SERVICE}/Publish", same, same)
        self.build_info = channel.unary_unary(f"/{SERVICE}/GetBuildInfo", same, same)
        self.nothing = channel.unary_unary(f"/{SERVICE}/Nothing", same, same)
        self.subscribe = channel.unary_stream(f"/{SERVICE}/Subscribe", same, same)


def expect(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, (error.code(), error.details())
        return error.details()
    raise AssertionError(f"no error where {code} was expected")


def exercise(channel):
    client = Client(channel)
    key = bytes(range(32))
    assert b"wice-" in client.build_info(b"", timeout=TIMEOUT)
    stream = client.subscribe(field(1, key), timeout=TIMEOUT)
    assert next(stream) == b"", "the first message is the empty envelope"
    sent = [envelope(key, b"%d" % i) for i in range(200)]
    for message in sent:
        assert client.publish(message, timeout=TIMEOUT) == b""
    assert [next(stream) for _ in sent] == sent
    stream.cancel()
    # Pipelined, and to nobody.
    calls = [client.publish.future(envelope(b"x" * 32, b"y"), timeout=TIMEOUT) for _ in range(200)]
    assert all(call.result() == b"" for call in calls)

    code = grpc.StatusCode
    expect(code.INVALID_ARGUMENT, lambda: client.publish(b"", timeout=TIMEOUT))
    expect(code.INVALID_ARGUMENT, lambda: next(client.subscribe(b"\x0a\x01x", timeout=TIMEOUT)))
    expect(code.UNIMPLEMENTED, lambda: client.nothing(b"", timeout=TIMEOUT))
    expect(code.RESOURCE_EXHAUSTED, lambda: client.publish(b"x" * 20000, timeout=TIMEOUT))
    expect(code.UNIMPLEMENTED, lambda: client.publish(b"x" * 2000, timeout=TIMEOUT,
                                                      compression=grpc.Compression.Gzip))

    def wait_in_vain():
        quiet = client.subscribe(field(1, key), timeout=0.3)
        assert next(quiet) == b""
        next(quiet)
    expect(code.DEADLINE_EXCEEDED, wait_in_vain)
    assert b"wice-" in client.build_info(b"", timeout=TIMEOUT)


def test_python_client(wice):
    with Signal(wice, "--allow-unproven") as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            exercise(channel)


def test_python_client_must_prove(wice):
    with Signal(wice) as server:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            details = expect(grpc.StatusCode.UNAUTHENTICATED, lambda: next(
                Client(channel).subscribe(field(1, bytes(32)), timeout=TIMEOUT)))
            assert "proof" in details, details


def test_python_client_over_tls(wice):
    if not shutil.which("openssl"):
        print("skipped: over TLS: there is no openssl(1) to make a certificate with")
        return
    with tempfile.TemporaryDirectory() as folder:
        certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=t",
                        "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out",
                        certificate], check=True, stderr=subprocess.DEVNULL)
        with open(certificate, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
        with Signal(wice, "--allow-unproven", "--tls-cert", certificate, "--tls-key", key) as server:
            options = [("grpc.ssl_target_name_override", "localhost")]
            with grpc.secure_channel(f"127.0.0.1:{server.port}", credentials, options) as channel:
                exercise(channel)


class Foreign:
    """A signaling server such as cunicu's: no proof, the empty envelope first."""

    def __init__(self, port=0):
        self.lock = threading.Lock()
        self.topics = {}
        self.server = grpc.server(futures.ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        self.server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, {
            "Subscribe": grpc.unary_stream_rpc_method_handler(self.subscribe, same, same),
            "Publish": grpc.unary_unary_rpc_method_handler(self.publish, same, same),
        })])
        self.port = self.server.add_insecure_port(f"127.0.0.1:{port}")
        self.server.start()

    def subscribe(self, request, context):
        assert request[:2] == b"\x0a\x20"
        key, waiting = request[2:34], queue.Queue()
        with self.lock:
            self.topics.setdefault(key, []).append(waiting)
        context.add_callback(lambda: waiting.put(None))
        yield b""
        while (message := waiting.get()) is not None:
            yield message

    def publish(self, request, context):
        assert request[34:36] == b"\x12\x20"
        with self.lock:
            for waiting in self.topics.get(request[36:68], []):
                waiting.put(request)
        return b""


def test_python_server(client):
    foreign = Foreign()
    with subprocess.Popen([client, f"grpc://127.0.0.1:{foreign.port}", "2"], stdout=subprocess.PIPE,
                          text=True) as process:
        guard = threading.Timer(2 * TIMEOUT, process.kill)
        guard.start()
        restarted = False
        for line in process.stdout:
            print("  client:", line, end="")
            if line.startswith("round") and not restarted:
                restarted = True
                foreign.server.stop(0).wait()
                foreign = Foreign(foreign.port)
        assert process.wait() == 0, process.returncode
        guard.cancel()
    assert restarted
    foreign.server.stop(0).wait()


def main():
    wice, client = sys.argv[1:]
    for test, argument in ((test_python_client, wice), (test_python_client_must_prove, wice),
                           (test_python_client_over_tls, wice), (test_python_server, client)):
        test(argument)
        print("passed:", test.__name__, flush=True)


main()
