/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_target.h"

#include <string.h>

#define NOW_MS 1767225600000 /* 2026-01-01 00:00:00 UTC */

static WiceEndpoint endpoint(const char *text)
{
	WiceEndpoint result = { 0 };
	if (!wice_endpoint_parse(text, &result))
		g_error("bad endpoint %s", text);
	return result;
}

static WicePrefix prefix(const char *text)
{
	WicePrefix result = { 0 };
	if (!wice_prefix_parse(text, &result))
		g_error("bad prefix %s", text);
	return result;
}

/* A key that begins with the given bytes. */
static WiceKey key(uint8_t first, uint8_t second, uint8_t rest)
{
	WiceKey result;
	memset(result.bytes, rest, sizeof result.bytes);
	result.bytes[0] = first;
	result.bytes[1] = second;
	return result;
}

WiceStatus *fake_status(void)
{
	const WicePrefix nearby[] = { prefix("10.0.0.2/32"), prefix("fd00::2/128") };
	const WicePrefix gateway[] = { prefix("0.0.0.0/0"), prefix("10.0.0.0/24") };
	const WicePrefix failing[] = { prefix("10.0.0.4/32") };
	const WicePeerStatus peers[] = {
		{
			.public_key = key(0x10, 0x20, 0x30),
			.n_allowed_ips = G_N_ELEMENTS(nearby),
			.allowed_ips = nearby,
			.state = WICE_STATE_CONNECTED,
			.state_since_ms = NOW_MS - 125000,
			.path = WICE_PATH_NAT,
			.mechanism = WICE_MECHANISM_NFT,
			.local = { .type = WICE_CANDIDATE_SERVER_REFLEXIVE,
				   .priority = 1694498815,
				   .endpoint = endpoint("203.0.113.5:4711"),
				   .related = endpoint("192.168.1.10:51820"),
				   .foundation = "2" },
			.remote = { .type = WICE_CANDIDATE_HOST,
				    .priority = 2130706431,
				    .endpoint = endpoint("198.51.100.7:51820"),
				    .foundation = "1" },
			.endpoint = endpoint("198.51.100.7:51820"),
			.handshake_ns = (NOW_MS - 12000) * INT64_C(1000000),
			.rx_bytes = 1268776,
			.tx_bytes = 304,
			.restarts = 1,
			.connect_ms = 342,
			.reason = "The pair with the highest priority answered, and WireGuard has "
				  "shaken hands over it.",
		},
		{
			.public_key = key(0x10, 0x21, 0x31),
			.n_allowed_ips = G_N_ELEMENTS(gateway),
			.allowed_ips = gateway,
			.state = WICE_STATE_DEGRADED,
			.state_since_ms = NOW_MS - 200,
			.path = WICE_PATH_DIRECT,
			.mechanism = WICE_MECHANISM_USER,
			.local = { .type = WICE_CANDIDATE_HOST,
				   .priority = 2130706431,
				   .endpoint = endpoint("[2001:db8::1]:51820"),
				   .foundation = "1" },
			.remote = { .type = WICE_CANDIDATE_PEER_REFLEXIVE,
				    .priority = 1862270975,
				    .endpoint = endpoint("[fe80::2%3]:40000"),
				    .foundation = "9" },
			.endpoint = endpoint("127.128.0.1:40001"),
			.handshake_ns = (NOW_MS - 90061000) * INT64_C(1000000),
			.rx_bytes = UINT64_C(5368709120),
			.tx_bytes = UINT64_C(1099511627776),
			.connect_ms = 1500,
			.reason = "Nothing was heard for 20 s.",
		},
		{
			.public_key = key(0x99, 0x22, 0x32),
			.n_allowed_ips = G_N_ELEMENTS(failing),
			.allowed_ips = failing,
			.state = WICE_STATE_FAILED,
			.state_since_ms = NOW_MS - 3600000,
			.restarts = 4,
			/*
			 * As if a foreign server had sent it: a colour, a line end, a quote, a
			 * direction override.
			 */
			.reason = "No pair answered: \"\033[31mred\033[0m\"\nnew line \xe2\x80\xae "
				  "and back\\slash.",
		},
	};
	const WicePeerStatus idle[] = {
		{ .public_key = key(0xff, 0x01, 0x02),
		  .state = WICE_STATE_IDLE,
		  .state_since_ms = NOW_MS,
		  .reason = "The interface is down." },
	};
	const WiceOutsideAddress outside[] = {
		{ .endpoint = endpoint("203.0.113.5:51820"), .source = "stun" },
		{ .endpoint = endpoint("[2001:db8::1]:51820"), .source = "pcp" },
	};
	const WiceInterfaceStatus interfaces[] = {
		{
			.name = "wg0",
			.kind = WICE_DEVICE_KERNEL,
			.ifindex = 7,
			.public_key = key(0x42, 0x43, 0x44),
			.listen_port = 51820,
			.fwmark = 0xca6c,
			.mechanism = WICE_MECHANISM_NFT,
			.mechanism_reason = "Rules of nftables do it. Not bpf: CAP_BPF is needed.",
			.nat = WICE_NAT_ENDPOINT_INDEPENDENT,
			.n_outside = G_N_ELEMENTS(outside),
			.outside = outside,
			.signaling = { .accepted = 42, .replayed = 2, .unknown_peer = 1 },
			.n_peers = G_N_ELEMENTS(peers),
			.peers = peers,
		},
		{
			.name = "wg1",
			.kind = WICE_DEVICE_USERSPACE,
			.ifindex = 8,
			.n_peers = G_N_ELEMENTS(idle),
			.peers = idle,
		},
	};
	const WiceBackendStatus backends[] = {
		{ .url = "multicast://", .ready = true, .reason = "" },
		{ .url = "grpc://signal.example.org",
		  .ready = false,
		  .reason = "The connection was refused." },
	};
	const WiceStatusInfo info = {
		.version = "9.8.7",
		.pid = 99999999, /* more than any system has */
		.started_ms = NOW_MS - 2 * 86400000,
		.now_ms = NOW_MS,
		.signaling = { .misaddressed = 5, .malformed = 1 },
		.n_backends = G_N_ELEMENTS(backends),
		.backends = backends,
		.n_interfaces = G_N_ELEMENTS(interfaces),
		.interfaces = interfaces,
	};
	return wice_status_new(&info);
}
