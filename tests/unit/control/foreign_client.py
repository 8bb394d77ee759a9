#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 The libwice authors
# SPDX-License-Identifier: Apache-2.0
"""Speaks the control API as a program that knows nothing but the .proto file: gRPC's own client.

foreign_client.py SOCKET; the .proto file is named by the environment: WICE_PROTO.
"""

import importlib
import os
import subprocess
import sys
import tempfile

SKIPPED = 77
try:
    import google.protobuf  # noqa: F401
    import grpc
except ImportError as error:
    print("skipped: %s" % error)
    sys.exit(SKIPPED)


def load_messages(proto):
    folder = tempfile.TemporaryDirectory()
    try:
        subprocess.run(["protoc", "-I", os.path.dirname(proto), "--python_out", folder.name, proto], check=True)
    except FileNotFoundError:
        print("skipped: there is no protoc")
        sys.exit(SKIPPED)
    sys.path.insert(0, folder.name)
    messages = importlib.import_module("control_pb2")
    folder.cleanup()
    return messages


def main():
    (socket,) = sys.argv[1:]
    pb = load_messages(os.environ["WICE_PROTO"])
    channel = grpc.insecure_channel("unix:" + socket)

    def call(name, request, response):
        method = channel.unary_unary(
            "/wice.control.v1.Control/" + name,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString,
        )
        return method(request, timeout=30)

    def code_of(name, request, response):
        try:
            call(name, request, response)
        except grpc.RpcError as refusal:
            assert refusal.details(), name
            return refusal.code()
        return grpc.StatusCode.OK

    status = call("GetStatus", pb.GetStatusRequest(), pb.GetStatusResponse)
    assert status.version == "9.8.7", status
    assert [interface.name for interface in status.interfaces] == ["wg0", "wg1"]
    peer = status.interfaces[0].peers[0]
    assert peer.state == pb.PEER_STATE_CONNECTED and peer.local.endpoint.port == 4711
    assert peer.mechanism == pb.MECHANISM_KERNEL and peer.exact_mechanism == pb.MECHANISM_NFT
    assert status.interfaces[0].outside[0].source == "stun"

    one = call("GetStatus", pb.GetStatusRequest(interface="wg0", peer=peer.public_key), pb.GetStatusResponse)
    assert len(one.interfaces) == 1 and len(one.interfaces[0].peers) == 1

    call("Sync", pb.SyncRequest(interface="wg0"), pb.SyncResponse)
    call("RestartPeer", pb.RestartPeerRequest(interface="wg0", peer=peer.public_key), pb.RestartPeerResponse)
    request = pb.SetMechanismRequest(interface="wg0", mechanism=pb.MECHANISM_BPF)
    call("SetMechanism", request, pb.SetMechanismResponse)
    code = grpc.StatusCode
    for name, request, response, expected in [
        ("GetStatus", pb.GetStatusRequest(interface="wg9"), pb.GetStatusResponse, code.NOT_FOUND),
        ("GetStatus", pb.GetStatusRequest(peer=b"short"), pb.GetStatusResponse, code.INVALID_ARGUMENT),
        ("RestartPeer", pb.RestartPeerRequest(interface="wg0"), pb.RestartPeerResponse, code.INVALID_ARGUMENT),
        ("AddInterface", pb.AddInterfaceRequest(pattern="busy"), pb.AddInterfaceResponse, code.FAILED_PRECONDITION),
        ("Wait", pb.WaitRequest(timeout_ms=20), pb.WaitResponse, code.DEADLINE_EXCEEDED),
        ("NoSuchCall", pb.StopRequest(), pb.StopResponse, code.UNIMPLEMENTED),
    ]:
        assert code_of(name, request, response) == expected, (name, code_of(name, request, response))

    stream = channel.unary_stream(
        "/wice.control.v1.Control/StreamEvents",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=pb.Event.FromString,
    )
    events = stream(pb.StreamEventsRequest(), timeout=60)
    event = next(events)
    assert event.type == pb.EVENT_TYPE_PEER_STATE and event.interface == "wg0", event
    events.cancel()
    call("Stop", pb.StopRequest(), pb.StopResponse)


if __name__ == "__main__":
    main()
