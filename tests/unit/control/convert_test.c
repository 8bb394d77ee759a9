/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include "control/control.pb-c.h"
#include "control/convert.h"
#include "control/request.h"
#include "fake_target.h"

#include <string.h>
#include <wice/error.h>

/* Comparing. */

static void assert_texts_equal(const char *a, const char *b)
{
	ck_assert_str_eq(a, b);
	ck_assert_ptr_ne(a, b);
}

static void assert_candidates_equal(const WiceCandidate *a, const WiceCandidate *b)
{
	ck_assert_int_eq(a->type, b->type);
	ck_assert_uint_eq(a->priority, b->priority);
	ck_assert_int_eq(wice_endpoint_compare(&a->endpoint, &b->endpoint), 0);
	ck_assert_int_eq(wice_endpoint_compare(&a->related, &b->related), 0);
	ck_assert_str_eq(a->foundation, b->foundation);
}

static void assert_peers_equal(const WicePeerStatus *a, const WicePeerStatus *b)
{
	ck_assert_mem_eq(&a->public_key, &b->public_key, sizeof a->public_key);
	ck_assert_uint_eq(a->n_allowed_ips, b->n_allowed_ips);
	for (size_t i = 0; i < a->n_allowed_ips; i++)
		ck_assert_int_eq(wice_prefix_compare(&a->allowed_ips[i], &b->allowed_ips[i]), 0);
	ck_assert_int_eq(a->state, b->state);
	ck_assert_int_eq(a->state_since_ms, b->state_since_ms);
	ck_assert_int_eq(a->path, b->path);
	ck_assert_int_eq(a->mechanism, b->mechanism);
	assert_candidates_equal(&a->local, &b->local);
	assert_candidates_equal(&a->remote, &b->remote);
	ck_assert_int_eq(wice_endpoint_compare(&a->endpoint, &b->endpoint), 0);
	ck_assert_int_eq(a->handshake_ns, b->handshake_ns);
	ck_assert_uint_eq(a->rx_bytes, b->rx_bytes);
	ck_assert_uint_eq(a->tx_bytes, b->tx_bytes);
	ck_assert_uint_eq(a->restarts, b->restarts);
	ck_assert_uint_eq(a->connect_ms, b->connect_ms);
	assert_texts_equal(a->reason, b->reason);
}

static void assert_interfaces_equal(const WiceInterfaceStatus *a, const WiceInterfaceStatus *b)
{
	assert_texts_equal(a->name, b->name);
	ck_assert_int_eq(a->kind, b->kind);
	ck_assert_uint_eq(a->ifindex, b->ifindex);
	ck_assert_mem_eq(&a->public_key, &b->public_key, sizeof a->public_key);
	ck_assert_uint_eq(a->listen_port, b->listen_port);
	ck_assert_uint_eq(a->fwmark, b->fwmark);
	ck_assert_int_eq(a->mechanism, b->mechanism);
	assert_texts_equal(a->mechanism_reason, b->mechanism_reason);
	ck_assert_int_eq(a->nat, b->nat);
	ck_assert_uint_eq(a->n_outside, b->n_outside);
	for (size_t i = 0; i < a->n_outside; i++) {
		ck_assert_int_eq(
			wice_endpoint_compare(&a->outside[i].endpoint, &b->outside[i].endpoint), 0);
		assert_texts_equal(a->outside[i].source, b->outside[i].source);
	}
	ck_assert_uint_eq(a->n_relays, b->n_relays);
	for (size_t i = 0; i < a->n_relays; i++) {
		const WiceRelayStatus *x = &a->relays[i], *y = &b->relays[i];
		assert_texts_equal(x->url, y->url);
		assert_texts_equal(x->reason, y->reason);
		ck_assert_int_eq(x->ready, y->ready);
		ck_assert_int_eq(wice_endpoint_compare(&x->server, &y->server), 0);
		ck_assert_int_eq(wice_endpoint_compare(&x->relayed_ipv4, &y->relayed_ipv4), 0);
		ck_assert_int_eq(wice_endpoint_compare(&x->relayed_ipv6, &y->relayed_ipv6), 0);
		ck_assert_uint_eq(x->rtt_us, y->rtt_us);
		ck_assert_uint_eq(x->loss_permille, y->loss_permille);
		ck_assert_uint_eq(x->n_peers, y->n_peers);
	}
	ck_assert_mem_eq(&a->signaling, &b->signaling, sizeof a->signaling);
	ck_assert_uint_eq(a->n_peers, b->n_peers);
	for (size_t i = 0; i < a->n_peers; i++)
		assert_peers_equal(&a->peers[i], &b->peers[i]);
}

static void assert_statuses_equal(const WiceStatusInfo *a, const WiceStatusInfo *b)
{
	assert_texts_equal(a->version, b->version);
	ck_assert_int_eq(a->pid, b->pid);
	ck_assert_int_eq(a->started_ms, b->started_ms);
	ck_assert_int_eq(a->now_ms, b->now_ms);
	ck_assert_mem_eq(&a->signaling, &b->signaling, sizeof a->signaling);
	ck_assert_uint_eq(a->n_backends, b->n_backends);
	for (size_t i = 0; i < a->n_backends; i++) {
		assert_texts_equal(a->backends[i].url, b->backends[i].url);
		ck_assert_int_eq(a->backends[i].ready, b->backends[i].ready);
		assert_texts_equal(a->backends[i].reason, b->backends[i].reason);
	}
	ck_assert_uint_eq(a->n_interfaces, b->n_interfaces);
	for (size_t i = 0; i < a->n_interfaces; i++)
		assert_interfaces_equal(&a->interfaces[i], &b->interfaces[i]);
}

/* Random statuses; everything they point to lives in the arena. */

static uint64_t random_number(GRand *rand)
{
	/* Small, large and in between: all lengths of a varint. */
	uint64_t value = (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
	return value >> g_rand_int_range(rand, 0, 64);
}

static const char *random_text(GRand *rand, WiceArena *arena)
{
	static const char *const parts[] = { "a", "ü", "…", " ", "\n", "\"", "wg0", "\033" };
	char *text = wice__arena_alloc(arena, 256);
	for (int n = g_rand_int_range(rand, 0, 40); n > 0; n--)
		g_strlcat(text, parts[g_rand_int_range(rand, 0, G_N_ELEMENTS(parts))], 256);
	return text;
}

static void random_bytes(GRand *rand, uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)g_rand_int(rand);
}

static WiceEndpoint random_endpoint(GRand *rand)
{
	WiceEndpoint endpoint = { 0 };
	int kind = g_rand_int_range(rand, 0, 3);
	if (kind == 0)
		return endpoint;
	endpoint.address.family = kind == 1 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6;
	random_bytes(rand, endpoint.address.bytes, kind == 1 ? 4 : 16);
	endpoint.port = (uint16_t)g_rand_int(rand);
	if (kind == 2 && g_rand_boolean(rand))
		endpoint.scope = g_rand_int(rand);
	return endpoint;
}

static WiceCandidate random_candidate(GRand *rand)
{
	WiceCandidate candidate = { 0 };
	if (g_rand_boolean(rand))
		return candidate;
	candidate.type = (WiceCandidateType)g_rand_int_range(rand, 1, 5);
	candidate.priority = g_rand_int(rand);
	candidate.endpoint = random_endpoint(rand);
	candidate.related = random_endpoint(rand);
	g_snprintf(candidate.foundation, sizeof candidate.foundation, "%u", g_rand_int(rand));
	return candidate;
}

static const WicePrefix *random_prefixes(GRand *rand, WiceArena *arena, size_t n)
{
	WicePrefix *prefixes = wice__arena_alloc(arena, n * sizeof *prefixes);
	for (size_t i = 0; i < n; i++) {
		char text[32];
		if (g_rand_boolean(rand))
			g_snprintf(text, sizeof text, "%d.%d.0.1/%d",
				   g_rand_int_range(rand, 0, 256), g_rand_int_range(rand, 0, 256),
				   g_rand_int_range(rand, 0, 33));
		else
			g_snprintf(text, sizeof text, "%x::1/%d", g_rand_int_range(rand, 1, 65536),
				   g_rand_int_range(rand, 0, 129));
		ck_assert(wice_prefix_parse(text, &prefixes[i]));
	}
	return prefixes;
}

static void random_peer(GRand *rand, WiceArena *arena, WicePeerStatus *ret)
{
	random_bytes(rand, ret->public_key.bytes, WICE_KEY_LEN);
	ret->n_allowed_ips = (size_t)g_rand_int_range(rand, 0, 5);
	ret->allowed_ips = random_prefixes(rand, arena, ret->n_allowed_ips);
	ret->state = (WicePeerState)g_rand_int_range(rand, 0, WICE_STATE_FAILED + 1);
	ret->state_since_ms = (int64_t)random_number(rand);
	ret->path = (WicePathKind)g_rand_int_range(rand, 0, WICE_PATH_RELAY + 1);
	ret->mechanism = (WiceMechanism)g_rand_int_range(rand, 0, WICE_MECHANISM_NFT + 1);
	ret->local = random_candidate(rand);
	ret->remote = random_candidate(rand);
	ret->endpoint = random_endpoint(rand);
	ret->handshake_ns = (int64_t)random_number(rand);
	ret->rx_bytes = random_number(rand);
	ret->tx_bytes = random_number(rand);
	ret->restarts = (uint32_t)random_number(rand);
	ret->connect_ms = (uint32_t)random_number(rand);
	ret->reason = random_text(rand, arena);
}

static void random_counters(GRand *rand, WiceSignalingCounters *ret)
{
	uint64_t *counters = (uint64_t *)ret;
	for (size_t i = 0; i < sizeof *ret / sizeof *counters; i++)
		counters[i] = random_number(rand);
}

static void random_relays(GRand *rand, WiceArena *arena, WiceInterfaceStatus *ret)
{
	WiceRelayStatus *relays = wice__arena_alloc(arena, 4 * sizeof *relays);
	ret->n_relays = (size_t)g_rand_int_range(rand, 0, 4);
	ret->relays = relays;
	for (size_t i = 0; i < ret->n_relays; i++) {
		relays[i].url = random_text(rand, arena);
		relays[i].reason = random_text(rand, arena);
		relays[i].ready = g_rand_boolean(rand);
		relays[i].server = random_endpoint(rand);
		relays[i].relayed_ipv4 = random_endpoint(rand);
		relays[i].relayed_ipv6 = random_endpoint(rand);
		relays[i].rtt_us = g_rand_int(rand);
		relays[i].loss_permille = g_rand_int(rand);
		relays[i].n_peers = g_rand_int(rand);
	}
}

static void random_outside(GRand *rand, WiceArena *arena, WiceInterfaceStatus *ret)
{
	WiceOutsideAddress *outside = wice__arena_alloc(arena, 4 * sizeof *outside);
	ret->n_outside = (size_t)g_rand_int_range(rand, 0, 4);
	ret->outside = outside;
	for (size_t i = 0; i < ret->n_outside; i++) {
		outside[i].endpoint = random_endpoint(rand);
		outside[i].source = random_text(rand, arena);
	}
}

static void random_interface(GRand *rand, WiceArena *arena, WiceInterfaceStatus *ret)
{
	char *name = wice__arena_alloc(arena, 16);
	g_snprintf(name, 16, "wg%u", g_rand_int(rand));
	WicePeerStatus *peers = wice__arena_alloc(arena, 8 * sizeof *peers);
	ret->name = name;
	ret->kind = (WiceDeviceKind)g_rand_int_range(rand, 1, WICE_DEVICE_ENGINE + 1);
	ret->ifindex = g_rand_int(rand);
	if (g_rand_boolean(rand))
		random_bytes(rand, ret->public_key.bytes, WICE_KEY_LEN);
	ret->listen_port = (uint16_t)g_rand_int(rand);
	ret->fwmark = g_rand_int(rand);
	ret->mechanism = (WiceMechanism)g_rand_int_range(rand, 0, WICE_MECHANISM_NFT + 1);
	ret->mechanism_reason = random_text(rand, arena);
	ret->nat = (WiceNatMapping)g_rand_int_range(rand, 0, WICE_NAT_ENDPOINT_DEPENDENT + 1);
	random_outside(rand, arena, ret);
	random_relays(rand, arena, ret);
	random_counters(rand, &ret->signaling);
	ret->n_peers = (size_t)g_rand_int_range(rand, 0, 8);
	for (size_t i = 0; i < ret->n_peers; i++)
		random_peer(rand, arena, &peers[i]);
	ret->peers = peers;
}

static void random_status(GRand *rand, WiceArena *arena, WiceStatusInfo *ret)
{
	WiceBackendStatus *backends = wice__arena_alloc(arena, 4 * sizeof *backends);
	WiceInterfaceStatus *interfaces = wice__arena_alloc(arena, 4 * sizeof *interfaces);
	*ret = (WiceStatusInfo){
		.version = random_text(rand, arena),
		.pid = (int64_t)random_number(rand),
		.started_ms = (int64_t)random_number(rand),
		.now_ms = (int64_t)random_number(rand),
		.n_backends = (size_t)g_rand_int_range(rand, 0, 4),
		.backends = backends,
		.n_interfaces = (size_t)g_rand_int_range(rand, 0, 4),
		.interfaces = interfaces,
	};
	random_counters(rand, &ret->signaling);
	for (size_t i = 0; i < ret->n_backends; i++) {
		backends[i].url = random_text(rand, arena);
		backends[i].ready = g_rand_boolean(rand);
		backends[i].reason = random_text(rand, arena);
	}
	for (size_t i = 0; i < ret->n_interfaces; i++)
		random_interface(rand, arena, &interfaces[i]);
}

static WiceStatus *decode_status(GBytes *bytes)
{
	g_autoptr(GError) error = NULL;
	gsize len;
	const uint8_t *data = g_bytes_get_data(bytes, &len);
	WiceStatus *status = wice__control_status_decode(data, len, &error);
	ck_assert_msg(status != NULL, "%s", error ? error->message : "");
	return status;
}

START_TEST(random_statuses_are_copied_and_survive_the_wire)
{
	for (guint32 seed = 0; seed < 300; seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		WiceArena arena;
		WiceStatusInfo info;
		wice__arena_init(&arena, SIZE_MAX);
		random_status(rand, &arena, &info);

		g_autoptr(WiceStatus) copy = wice_status_new(&info);
		assert_statuses_equal(&info, wice_status_info(copy));

		g_autoptr(GBytes) bytes = wice__control_status_encode(&info, NULL, NULL);
		g_autoptr(WiceStatus) decoded = decode_status(bytes);
		/* The copy outlives what it was made from. */
		wice__arena_done(&arena);
		assert_statuses_equal(wice_status_info(copy), wice_status_info(decoded));
		g_rand_free(rand);
	}
}
END_TEST

START_TEST(a_status_lives_until_its_last_reference)
{
	WiceStatus *status = fake_status();
	WiceStatus *second = wice_status_ref(status);
	ck_assert_ptr_eq(status, second);
	wice_status_unref(status);
	ck_assert_str_eq(wice_status_info(second)->version, "9.8.7");
	wice_status_unref(second);
	wice_status_unref(NULL);
}
END_TEST

START_TEST(a_status_without_texts_has_empty_ones)
{
	const WicePeerStatus peer = { .state = WICE_STATE_IDLE };
	const WiceOutsideAddress outside = { .source = NULL };
	const WiceInterfaceStatus interface = {
		.n_outside = 1, .outside = &outside, .n_peers = 1, .peers = &peer
	};
	const WiceStatusInfo info = { .n_interfaces = 1, .interfaces = &interface };
	g_autoptr(WiceStatus) status = wice_status_new(&info);
	ck_assert_str_eq(wice_status_info(status)->version, "");
	ck_assert_str_eq(wice_status_info(status)->interfaces[0].name, "");
	ck_assert_str_eq(wice_status_info(status)->interfaces[0].mechanism_reason, "");
	ck_assert_str_eq(wice_status_info(status)->interfaces[0].outside[0].source, "");
	ck_assert_str_eq(wice_status_info(status)->interfaces[0].peers[0].reason, "");
}
END_TEST

START_TEST(a_status_can_be_of_one_interface_or_one_peer)
{
	g_autoptr(WiceStatus) status = fake_status();
	const WiceStatusInfo *info = wice_status_info(status);
	const WiceKey *key = &info->interfaces[0].peers[1].public_key;

	g_autoptr(GBytes) one_interface = wice__control_status_encode(info, "wg1", NULL);
	g_autoptr(WiceStatus) interface = decode_status(one_interface);
	ck_assert_uint_eq(wice_status_info(interface)->n_interfaces, 1);
	assert_interfaces_equal(&info->interfaces[1], &wice_status_info(interface)->interfaces[0]);

	g_autoptr(GBytes) one_peer = wice__control_status_encode(info, "wg0", key);
	g_autoptr(WiceStatus) peer = decode_status(one_peer);
	ck_assert_uint_eq(wice_status_info(peer)->interfaces[0].n_peers, 1);
	assert_peers_equal(&info->interfaces[0].peers[1],
			   &wice_status_info(peer)->interfaces[0].peers[0]);

	ck_assert_ptr_null(wice__control_status_encode(info, "wg9", NULL));
	ck_assert_ptr_null(wice__control_status_encode(info, "wg1", key));
}
END_TEST

START_TEST(texts_that_protobuf_forbids_are_mended_when_encoding)
{
	g_autofree char *huge = g_strnfill(4 * WICE_CONTROL_TEXT_MAX, 'x');
	g_autoptr(GString) cut = g_string_new("x");
	while (cut->len <= WICE_CONTROL_TEXT_MAX)
		g_string_append(cut, "ü");
	const char *const texts[] = { "\xff\xfe bad \xc3", huge, cut->str };
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		const WiceStatusInfo info = { .version = texts[i] };
		g_autoptr(GBytes) bytes = wice__control_status_encode(&info, NULL, NULL);
		g_autoptr(WiceStatus) status = decode_status(bytes);
		const char *version = wice_status_info(status)->version;
		ck_assert(g_utf8_validate(version, -1, NULL));
		ck_assert_uint_gt(strlen(version), 5);
		ck_assert_uint_le(strlen(version), WICE_CONTROL_TEXT_MAX);
	}
}
END_TEST

/* Each case spoils one field of a good message. */

typedef struct {
	Wice__Control__V1__GetStatusResponse status;
	Wice__Control__V1__InterfaceStatus interface, *interfaces[1];
	Wice__Control__V1__OutsideAddress outside, *outsides[1];
	Wice__Control__V1__PeerStatus peer, *peers[1];
	Wice__Control__V1__Prefix prefix, *prefixes[1];
	Wice__Control__V1__Candidate candidate;
	Wice__Control__V1__Endpoint endpoint;
} Message;

static uint8_t some_bytes[64];

static void good_message(Message *m)
{
	wice__control__v1__get_status_response__init(&m->status);
	wice__control__v1__interface_status__init(&m->interface);
	wice__control__v1__outside_address__init(&m->outside);
	wice__control__v1__peer_status__init(&m->peer);
	wice__control__v1__prefix__init(&m->prefix);
	wice__control__v1__candidate__init(&m->candidate);
	wice__control__v1__endpoint__init(&m->endpoint);
	m->interfaces[0] = &m->interface;
	m->peers[0] = &m->peer;
	m->prefixes[0] = &m->prefix;
	m->status.interfaces = m->interfaces;
	m->status.n_interfaces = 1;
	m->interface.name = (char *)"wg0";
	m->interface.kind = WICE__CONTROL__V1__DEVICE_KIND__DEVICE_KIND_KERNEL;
	m->interface.peers = m->peers;
	m->interface.n_peers = 1;
	m->outsides[0] = &m->outside;
	m->interface.outside = m->outsides;
	m->interface.n_outside = 1;
	m->outside.endpoint = &m->endpoint;
	m->peer.public_key = (ProtobufCBinaryData){ 32, some_bytes };
	m->peer.state = WICE__CONTROL__V1__PEER_STATE__PEER_STATE_IDLE;
	m->peer.allowed_ips = m->prefixes;
	m->peer.n_allowed_ips = 1;
	m->peer.local = &m->candidate;
	m->prefix.address = (ProtobufCBinaryData){ 4, some_bytes };
	m->prefix.length = 8;
	m->candidate.type = WICE__CONTROL__V1__CANDIDATE_TYPE__CANDIDATE_TYPE_HOST;
	m->candidate.endpoint = &m->endpoint;
	m->endpoint.address = (ProtobufCBinaryData){ 16, some_bytes };
}

static bool is_accepted(const Message *m, GError **error)
{
	uint8_t bytes[8192];
	ck_assert_uint_le(protobuf_c_message_get_packed_size(&m->status.base), sizeof bytes);
	size_t len = protobuf_c_message_pack(&m->status.base, bytes);
	g_autoptr(WiceStatus) status = wice__control_status_decode(bytes, len, error);
	return status != NULL;
}

#define SPOIL(name, ...)                     \
	static void spoil_##name(Message *m) \
	{                                    \
		__VA_ARGS__;                 \
	}
SPOIL(no_name, m->interface.name = (char *)"")
SPOIL(long_name, m->interface.name = (char *)"a234567890123456")
SPOIL(slash_name, m->interface.name = (char *)"../wg0")
SPOIL(no_kind, m->interface.kind = 0)
SPOIL(unknown_kind, m->interface.kind = 99)
SPOIL(huge_port, m->interface.listen_port = 65536)
SPOIL(short_interface_key, m->interface.public_key = (ProtobufCBinaryData){ 31, some_bytes })
SPOIL(no_key, m->peer.public_key.len = 0)
SPOIL(long_key, m->peer.public_key.len = 33)
SPOIL(no_state, m->peer.state = 0)
SPOIL(unknown_state, m->peer.state = 9)
SPOIL(negative_state, m->peer.state = (Wice__Control__V1__PeerState)-1)
SPOIL(unknown_path, m->peer.path = 4)
SPOIL(unknown_mechanism, m->peer.mechanism = 4)
SPOIL(unknown_nat, m->interface.nat = 5)
SPOIL(negative_nat, m->interface.nat = (Wice__Control__V1__NatMapping)-1)
SPOIL(bad_mechanism_reason, m->interface.mechanism_reason = (char *)"\xff")
SPOIL(bad_outside_source, m->outside.source = (char *)"\xff")
SPOIL(bad_text, m->peer.reason = (char *)"\xff")
SPOIL(prefix_without_address, m->prefix.address.len = 0)
SPOIL(prefix_of_5_bytes, m->prefix.address.len = 5)
SPOIL(long_prefix, m->prefix.length = 33)
SPOIL(wrapped_prefix, m->prefix.length = 256 + 8)
SPOIL(prefix_with_host_bits, m->prefix.address.data = some_bytes + 32)
SPOIL(no_candidate_type, m->candidate.type = 0)
SPOIL(unknown_candidate_type, m->candidate.type = 5)
SPOIL(long_foundation, m->candidate.foundation = (char *)"123456789012345678901234567890123")
SPOIL(foreign_foundation, m->candidate.foundation = (char *)"ü")
SPOIL(endpoint_of_17_bytes, m->endpoint.address.len = 17)
SPOIL(endpoint_port, m->endpoint.port = 65536)
SPOIL(ipv4_scope, m->endpoint.address.len = 4; m->endpoint.scope = 1)

START_TEST(a_status_with_one_wrong_field_is_refused)
{
	static void (*const spoils[])(Message * m) = {
		spoil_no_name,
		spoil_long_name,
		spoil_slash_name,
		spoil_no_kind,
		spoil_unknown_kind,
		spoil_huge_port,
		spoil_short_interface_key,
		spoil_no_key,
		spoil_long_key,
		spoil_no_state,
		spoil_unknown_state,
		spoil_negative_state,
		spoil_unknown_path,
		spoil_unknown_mechanism,
		spoil_unknown_nat,
		spoil_negative_nat,
		spoil_bad_mechanism_reason,
		spoil_bad_outside_source,
		spoil_bad_text,
		spoil_prefix_without_address,
		spoil_prefix_of_5_bytes,
		spoil_long_prefix,
		spoil_wrapped_prefix,
		spoil_prefix_with_host_bits,
		spoil_no_candidate_type,
		spoil_unknown_candidate_type,
		spoil_long_foundation,
		spoil_foreign_foundation,
		spoil_endpoint_of_17_bytes,
		spoil_endpoint_port,
		spoil_ipv4_scope,
	};
	Message message;
	g_autoptr(GError) good_error = NULL;
	memset(some_bytes + 32, 0xff, 32);
	good_message(&message);
	ck_assert_msg(is_accepted(&message, &good_error), "%s",
		      good_error ? good_error->message : "");
	for (gsize i = 0; i < G_N_ELEMENTS(spoils); i++) {
		g_autoptr(GError) error = NULL;
		good_message(&message);
		spoils[i](&message);
		ck_assert_msg(!is_accepted(&message, &error), "case %zu", i);
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_PROTOCOL));
	}
}
END_TEST

/* Each empty peer takes two bytes on the wire and hundreds in memory. */
START_TEST(a_status_that_would_fill_the_memory_is_refused)
{
	size_t n = 4 * 1024 * 1024;
	g_autoptr(GByteArray) peers = g_byte_array_new();
	g_byte_array_set_size(peers, (guint)(2 * n + 6));
	/*
	 * Field 6 (interfaces), its length as a varint of 5 bytes, then n times field 8 (peers)
	 * of length 0.
	 */
	peers->data[0] = 6 << 3 | 2;
	for (int i = 0; i < 5; i++)
		peers->data[1 + i] = (uint8_t)((2 * n >> (7 * i) & 0x7f) | (i < 4 ? 0x80 : 0));
	for (size_t i = 0; i < n; i++) {
		peers->data[6 + 2 * i] = 8 << 3 | 2;
		peers->data[7 + 2 * i] = 0;
	}
	g_autoptr(GError) error = NULL;
	ck_assert_ptr_null(wice__control_status_decode(peers->data, peers->len, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_PROTOCOL));
}
END_TEST

START_TEST(events_of_every_type_survive_the_wire)
{
	const WiceKey key = { { 1, 2, 3 } };
	const WiceEvent events[] = {
		{ .type = WICE_EVENT_INTERFACE_ADDED, .time_ms = 1, .interface = "wg0" },
		{ .type = WICE_EVENT_INTERFACE_REMOVED, .time_ms = 2, .interface = "wg0" },
		{ .type = WICE_EVENT_PEER_ADDED, .interface = "wg0", .peer = key },
		{ .type = WICE_EVENT_PEER_REMOVED, .interface = "wg0", .peer = key },
		{ .type = WICE_EVENT_PEER_STATE,
		  .interface = "wg0",
		  .peer = key,
		  .state = WICE_STATE_CONNECTED,
		  .previous_state = WICE_STATE_IDLE,
		  .path = WICE_PATH_RELAY,
		  .mechanism = WICE_MECHANISM_USER,
		  .reason = "Because." },
		{ .type = WICE_EVENT_PEER_STATE,
		  .interface = "wg0",
		  .peer = key,
		  .path = WICE_PATH_NAT,
		  .mechanism = WICE_MECHANISM_NFT,
		  .reason = "" },
		{ .type = WICE_EVENT_BACKEND_STATE, .backend = "grpc://x", .ready = true },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(events); i++) {
		const WiceEvent *event = &events[i];
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) bytes = wice__control_event_encode(event);
		gsize len;
		const uint8_t *data = g_bytes_get_data(bytes, &len);
		WiceArena arena;
		WiceEvent decoded;
		wice__arena_init(&arena, 65536);
		ck_assert(wice__control_event_decode(data, len, &arena, &decoded, &error));
		ck_assert_int_eq(decoded.type, event->type);
		ck_assert_int_eq(decoded.time_ms, event->time_ms);
		ck_assert_str_eq(decoded.interface, event->interface ? event->interface : "");
		ck_assert_mem_eq(&decoded.peer, &event->peer, sizeof event->peer);
		ck_assert_int_eq(decoded.state, event->state);
		ck_assert_int_eq(decoded.previous_state, event->previous_state);
		ck_assert_int_eq(decoded.path, event->path);
		ck_assert_int_eq(decoded.mechanism, event->mechanism);
		ck_assert_str_eq(decoded.reason, event->reason ? event->reason : "");
		ck_assert_str_eq(decoded.backend, event->backend ? event->backend : "");
		ck_assert_int_eq(decoded.ready, event->ready);
		wice__arena_done(&arena);
	}
}
END_TEST

/* What they called a mechanism that they did not know makes them refuse the whole message. */
START_TEST(older_clients_take_new_mechanisms_for_the_kernel)
{
	static const WiceMechanism mechanisms[] = { WICE_MECHANISM_BPF, WICE_MECHANISM_NFT };
	for (gsize i = 0; i < G_N_ELEMENTS(mechanisms); i++) {
		const WicePeerStatus peer = { .mechanism = mechanisms[i] };
		const WiceInterfaceStatus interface = {
			.name = "wg0", .kind = WICE_DEVICE_KERNEL, .n_peers = 1, .peers = &peer
		};
		const WiceStatusInfo info = { .n_interfaces = 1, .interfaces = &interface };
		const WiceEvent event = { .type = WICE_EVENT_PEER_STATE,
					  .interface = "wg0",
					  .mechanism = mechanisms[i] };
		g_autoptr(GBytes) bytes = wice__control_status_encode(&info, NULL, NULL);
		Wice__Control__V1__GetStatusResponse *status =
			wice__control__v1__get_status_response__unpack(
				NULL, g_bytes_get_size(bytes), g_bytes_get_data(bytes, NULL));
		ck_assert_int_eq(status->interfaces[0]->peers[0]->mechanism,
				 WICE__CONTROL__V1__MECHANISM__MECHANISM_KERNEL);
		wice__control__v1__get_status_response__free_unpacked(status, NULL);

		g_autoptr(GBytes) event_bytes = wice__control_event_encode(&event);
		Wice__Control__V1__Event *decoded = wice__control__v1__event__unpack(
			NULL, g_bytes_get_size(event_bytes), g_bytes_get_data(event_bytes, NULL));
		ck_assert_int_eq(decoded->mechanism,
				 WICE__CONTROL__V1__MECHANISM__MECHANISM_KERNEL);
		wice__control__v1__event__free_unpacked(decoded, NULL);
	}
}
END_TEST

START_TEST(mechanisms_of_older_and_newer_daemons_are_understood)
{
	static const struct {
		int first, exact;
		WiceMechanism mechanism;
	} cases[] = {
		{ 1, 0, WICE_MECHANISM_KERNEL }, { 2, 0, WICE_MECHANISM_USER },
		{ 1, 4, WICE_MECHANISM_BPF },    { 1, 5, WICE_MECHANISM_NFT },
		{ 1, 6, WICE_MECHANISM_KERNEL }, { 2, -1, WICE_MECHANISM_USER },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		Message m;
		uint8_t bytes[8192];
		good_message(&m);
		m.peer.mechanism = (Wice__Control__V1__Mechanism)cases[i].first;
		m.peer.exact_mechanism = (Wice__Control__V1__Mechanism)cases[i].exact;
		m.interface.mechanism = (Wice__Control__V1__Mechanism)cases[i].exact;
		size_t len = protobuf_c_message_pack(&m.status.base, bytes);
		g_autoptr(WiceStatus) status = wice__control_status_decode(bytes, len, NULL);
		ck_assert_ptr_nonnull(status);
		const WiceInterfaceStatus *interface = &wice_status_info(status)->interfaces[0];
		ck_assert_int_eq(interface->peers[0].mechanism, cases[i].mechanism);
		bool known = cases[i].exact == 4 || cases[i].exact == 5;
		ck_assert_int_eq(interface->mechanism, known ? cases[i].exact : 0);
	}
}
END_TEST

START_TEST(requests_survive_the_wire)
{
	const WiceKey key = { { 7 } };
	const WiceControlRequest full = { .interface = "wg*",
					  .peer = &key,
					  .state = WICE_STATE_FAILED,
					  .timeout_ms = 12345,
					  .mechanism = WICE_MECHANISM_NFT };
	for (int method = 0; method < WICE_CONTROL_N_METHODS; method++) {
		g_autoptr(GError) error = NULL;
		g_autoptr(GBytes) bytes =
			wice__control_request_encode((WiceControlMethod)method, &full);
		gsize len;
		const uint8_t *data = g_bytes_get_data(bytes, &len);
		WiceArena arena;
		WiceControlRequest decoded;
		wice__arena_init(&arena, WICE_CONTROL_REQUEST_MEMORY);
		ck_assert(wice__control_request_decode((WiceControlMethod)method, data, len, &arena,
						       &decoded, &error));
		if (method != WICE_CONTROL_STREAM_EVENTS && method != WICE_CONTROL_STOP)
			ck_assert_str_eq(decoded.interface, "wg*");
		if (method == WICE_CONTROL_WAIT || method == WICE_CONTROL_RESTART_PEER)
			ck_assert_mem_eq(decoded.peer, &key, sizeof key);
		if (method == WICE_CONTROL_SET_MECHANISM)
			ck_assert_int_eq(decoded.mechanism, WICE_MECHANISM_NFT);
		if (method == WICE_CONTROL_WAIT) {
			ck_assert_int_eq(decoded.state, WICE_STATE_FAILED);
			ck_assert_uint_eq(decoded.timeout_ms, 12345);
		}
		wice__arena_done(&arena);
	}
}
END_TEST

static void assert_request_refused(WiceControlMethod method, const void *bytes, size_t len)
{
	g_autoptr(GError) error = NULL;
	WiceControlRequest untouched = { .timeout_ms = 77 };
	WiceArena arena;
	wice__arena_init(&arena, WICE_CONTROL_REQUEST_MEMORY);
	ck_assert(!wice__control_request_decode(method, bytes, len, &arena, &untouched, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	ck_assert_uint_eq(untouched.timeout_ms, 77);
	wice__arena_done(&arena);
}

START_TEST(malformed_requests_are_refused)
{
	assert_request_refused(WICE_CONTROL_GET_STATUS, "\xff", 1);
	assert_request_refused(WICE_CONTROL_GET_STATUS,
			       "\x0a\x10"
			       "a234567890123456",
			       18);
	assert_request_refused(WICE_CONTROL_GET_STATUS,
			       "\x0a\x03"
			       "a/b",
			       5);
	assert_request_refused(WICE_CONTROL_GET_STATUS,
			       "\x0a\x03"
			       "a b",
			       5);
	assert_request_refused(WICE_CONTROL_GET_STATUS,
			       "\x0a\x03"
			       "a\nb",
			       5);
	assert_request_refused(WICE_CONTROL_GET_STATUS, "\x0a\x02\xc3(", 4);
	/* A peer of 2 bytes; a peer without its interface. */
	assert_request_refused(WICE_CONTROL_GET_STATUS,
			       "\x0a\x01"
			       "a\x12\x02xy",
			       7);
	assert_request_refused(WICE_CONTROL_GET_STATUS,
			       "\x12\x20"
			       "01234567890123456789012345678901",
			       34);
	assert_request_refused(WICE_CONTROL_RESTART_PEER, "", 0);
	assert_request_refused(WICE_CONTROL_RESTART_PEER,
			       "\x0a\x01"
			       "a",
			       3);
	assert_request_refused(WICE_CONTROL_ADD_INTERFACE, "", 0);
	assert_request_refused(WICE_CONTROL_REMOVE_INTERFACE, "", 0);
	assert_request_refused(WICE_CONTROL_CREATE_INTERFACE, "", 0);
	assert_request_refused(WICE_CONTROL_DELETE_INTERFACE, "", 0);
	assert_request_refused(WICE_CONTROL_WAIT, "\x18\x09", 2);
	assert_request_refused(WICE_CONTROL_SET_MECHANISM, "\x10\x06", 2);
	assert_request_refused(WICE_CONTROL_SET_MECHANISM,
			       "\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
	g_autofree char *large = g_strnfill(WICE_CONTROL_REQUEST_MAX + 1, 'x');
	assert_request_refused(WICE_CONTROL_STOP, large, WICE_CONTROL_REQUEST_MAX + 1);
}
END_TEST

START_TEST(a_wait_without_a_state_means_connected)
{
	WiceArena arena;
	WiceControlRequest request;
	wice__arena_init(&arena, WICE_CONTROL_REQUEST_MEMORY);
	ck_assert(wice__control_request_decode(WICE_CONTROL_WAIT, NULL, 0, &arena, &request, NULL));
	ck_assert_int_eq(request.state, WICE_STATE_CONNECTED);
	ck_assert_ptr_null(request.interface);
	ck_assert_ptr_null(request.peer);
	wice__arena_done(&arena);
}
END_TEST

START_TEST(an_arena_keeps_its_limit)
{
	WiceArena arena;
	wice__arena_init(&arena, 1000);
	char *first = wice__arena_alloc(&arena, 600);
	ck_assert_ptr_nonnull(first);
	for (int i = 0; i < 600; i++)
		ck_assert_int_eq(first[i], 0);
	ck_assert_ptr_null(wice__arena_alloc(&arena, 600));
	ck_assert_ptr_nonnull(wice__arena_alloc(&arena, 300));
	ck_assert_ptr_null(wice__arena_alloc(&arena, SIZE_MAX));
	wice__arena_done(&arena);

	/* Pieces of no size are not free of charge. */
	wice__arena_init(&arena, 1000);
	int n = 0;
	while (n < 1000 && wice__arena_alloc(&arena, 0))
		n++;
	ck_assert_int_lt(n, 100);
	wice__arena_done(&arena);
}
END_TEST

SUITE_MAIN("control messages", random_statuses_are_copied_and_survive_the_wire,
	   a_status_lives_until_its_last_reference, a_status_without_texts_has_empty_ones,
	   a_status_can_be_of_one_interface_or_one_peer,
	   texts_that_protobuf_forbids_are_mended_when_encoding,
	   a_status_with_one_wrong_field_is_refused, a_status_that_would_fill_the_memory_is_refused,
	   events_of_every_type_survive_the_wire, older_clients_take_new_mechanisms_for_the_kernel,
	   mechanisms_of_older_and_newer_daemons_are_understood, requests_survive_the_wire,
	   malformed_requests_are_refused, a_wait_without_a_state_means_connected,
	   an_arena_keeps_its_limit)
