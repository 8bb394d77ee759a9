/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/wg/state.h"
#include "suite.h"

#include <wice/error.h>
#include <wice/plan.h>

static WiceAllowedIpChange allowed(const char *text, bool remove)
{
	WiceAllowedIpChange entry = { .remove = remove };
	ck_assert_msg(wice_prefix_parse(text, &entry.prefix), "%s", text);
	return entry;
}

static WicePlan *plan_of(const WicePeerChange *peers, size_t n)
{
	WiceDeviceChange change = { .size = sizeof change, .n_peers = n, .peers = peers };
	WicePlan *plan = wice_plan_new(&change, NULL);
	ck_assert_ptr_nonnull(plan);
	return plan;
}

static void assert_refused(const WiceDeviceChange *change, const char *part)
{
	g_autoptr(GError) error = NULL;
	ck_assert_msg(wice_plan_new(change, &error) == NULL, "taken: %s", part);
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	ck_assert_msg(strstr(error->message, part) != NULL, "\"%s\" lacks \"%s\"", error->message,
		      part);
}

START_TEST(impossible_devices_are_refused)
{
	const struct {
		WiceDeviceChange change;
		const char *part;
	} cases[] = {
		{ { .size = 0 }, "size" },
		{ { .size = sizeof(WiceDeviceChange) - 1 }, "size" },
		{ { .size = sizeof(WiceDeviceChange), .flags = 2 }, "flags or fields" },
		{ { .size = sizeof(WiceDeviceChange), .fields = WICE_DEVICE_HAS_PUBLIC_KEY },
		  "flags or fields" },
		{ { .size = sizeof(WiceDeviceChange), .n_peers = WICE_DEVICE_PEERS_MAX + 1 },
		  "1048577 peers" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_refused(&cases[i].change, cases[i].part);
}
END_TEST

START_TEST(impossible_peers_are_refused)
{
	WiceAllowedIpChange longer = { .prefix = { .address = { WICE_FAMILY_IPV4, { 10 } },
						   .length = 33 } };
	WiceAllowedIpChange none = { .prefix = { .length = 0 } };
	WiceAllowedIpChange strange = { .prefix = { .address = { 5, { 10 } }, .length = 8 } };
	const struct {
		WicePeerChange peer;
		const char *part;
	} cases[] = {
		{ { .flags = 8 }, "flags or fields" },
		{ { .fields = WICE_PEER_HAS_HANDSHAKE }, "flags or fields" },
		{ { .fields = WICE_PEER_HAS_ENDPOINT }, "endpoint" },
		{ { .n_allowed_ips = 1, .allowed_ips = &longer }, "allowed IPs" },
		{ { .n_allowed_ips = 1, .allowed_ips = &none }, "allowed IPs" },
		{ { .n_allowed_ips = 1, .allowed_ips = &strange }, "allowed IPs" },
		{ { .n_allowed_ips = WICE_DEVICE_ALLOWED_IPS_MAX + 1 }, "4194304 allowed IPs" },
		{ { .n_allowed_ips = SIZE_MAX }, "4194304 allowed IPs" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceDeviceChange change = { .size = sizeof change,
					    .n_peers = 1,
					    .peers = &cases[i].peer };
		assert_refused(&change, cases[i].part);
	}
}
END_TEST

/* A program that is newer than the library: what it asks for is not silently left undone. */
START_TEST(only_zeros_may_follow_what_is_known)
{
	struct {
		WiceDeviceChange known;
		uint64_t unknown;
	} newer = { .known = { .size = sizeof newer } };
	WicePlan *plan = wice_plan_new(&newer.known, NULL);
	ck_assert_ptr_nonnull(plan);
	ck_assert_uint_eq(wice_plan_change(plan)->size, sizeof(WiceDeviceChange));
	wice_plan_unref(plan);
	newer.unknown = 1;
	assert_refused(&newer.known, "size");
}
END_TEST

START_TEST(a_plan_is_a_copy)
{
	WiceAllowedIpChange ips[2] = { allowed("10.0.0.0/8", false), allowed("fd00::/8", true) };
	ips[0].prefix.address.bytes[3] = 1; /* a host bit */
	WicePeerChange peers[2] = {
		{ .public_key = state_key(1),
		  .fields = WICE_PEER_HAS_KEEPALIVE,
		  .preshared_key = state_key(9), /* without its bit: does not count */
		  .keepalive_s = 25,
		  .n_allowed_ips = 2,
		  .allowed_ips = ips },
		{ .flags = WICE_PEER_CHANGE_REMOVE | WICE_PEER_CHANGE_UPDATE_ONLY,
		  .public_key = state_key(2),
		  .fields = WICE_PEER_HAS_KEEPALIVE,
		  .n_allowed_ips = 1,
		  .allowed_ips = &ips[1] },
	};
	WicePlan *plan = plan_of(peers, 2);
	memset(ips, 0xff, sizeof ips);
	memset(peers, 0xff, sizeof peers);

	const WiceDeviceChange *change = wice_plan_change(plan);
	const WicePeerChange *first = &change->peers[0], *second = &change->peers[1];
	WiceKey keys[2] = { state_key(1), state_key(2) };
	char text[WICE_PREFIX_SIZE];
	ck_assert_uint_eq(change->n_peers, 2);
	ck_assert_mem_eq(&first->public_key, &keys[0], sizeof keys[0]);
	ck_assert_uint_eq(first->keepalive_s, 25);
	ck_assert(wice_key_is_zero(&first->preshared_key));
	ck_assert_uint_eq(first->n_allowed_ips, 2);
	ck_assert_str_eq(wice_prefix_format(&first->allowed_ips[0].prefix, text), "10.0.0.0/8");
	ck_assert_uint_eq(first->allowed_ips[0].prefix.address.bytes[3], 0);
	ck_assert(!first->allowed_ips[0].remove && first->allowed_ips[1].remove);
	ck_assert_mem_eq(&second->public_key, &keys[1], sizeof keys[1]);
	ck_assert_uint_eq(second->flags, WICE_PEER_CHANGE_REMOVE);
	ck_assert_uint_eq(second->fields, 0);
	ck_assert_uint_eq(second->n_allowed_ips, 0);

	ck_assert_ptr_eq(wice_plan_ref(plan), plan);
	wice_plan_unref(plan);
	ck_assert_uint_eq(wice_plan_change(plan)->n_peers, 2);
	wice_plan_unref(plan);
	wice_plan_unref(NULL);
}
END_TEST

START_TEST(ipv4_within_ipv6_is_ipv4)
{
	WicePeerChange peer = { .fields = WICE_PEER_HAS_ENDPOINT };
	WiceEndpoint expected;
	ck_assert(wice_endpoint_parse("[::ffff:192.0.2.1]:5", &peer.endpoint));
	ck_assert(wice_endpoint_parse("192.0.2.1:5", &expected));
	g_autoptr(WicePlan) plan = plan_of(&peer, 1);
	const WiceEndpoint *endpoint = &wice_plan_change(plan)->peers[0].endpoint;
	ck_assert_int_eq(wice_endpoint_compare(endpoint, &expected), 0);
}
END_TEST

START_TEST(a_plan_that_does_nothing_is_empty)
{
	WiceAllowedIpChange ip = allowed("10.0.0.0/8", true);
	const struct {
		WicePeerChange peer;
		bool empty;
	} cases[] = {
		{ { .flags = WICE_PEER_CHANGE_UPDATE_ONLY }, true },
		{ { .flags = 0 }, false }, /* makes the peer */
		{ { .flags = WICE_PEER_CHANGE_REMOVE }, false },
		{ { .flags = WICE_PEER_CHANGE_UPDATE_ONLY | WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS },
		  false },
		{ { .flags = WICE_PEER_CHANGE_UPDATE_ONLY, .fields = WICE_PEER_HAS_KEEPALIVE },
		  false },
		{ { .flags = WICE_PEER_CHANGE_UPDATE_ONLY, .n_allowed_ips = 1, .allowed_ips = &ip },
		  false },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(WicePlan) plan = plan_of(&cases[i].peer, 1);
		ck_assert_msg(wice_plan_is_empty(plan) == cases[i].empty, "case %zu", i);
	}
	const WiceDeviceChange devices[] = {
		{ .size = sizeof(WiceDeviceChange) },
		{ .size = sizeof(WiceDeviceChange), .flags = WICE_DEVICE_CHANGE_REPLACE_PEERS },
		{ .size = sizeof(WiceDeviceChange), .fields = WICE_DEVICE_HAS_FWMARK },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(devices); i++) {
		g_autoptr(WicePlan) plan = wice_plan_new(&devices[i], NULL);
		ck_assert_msg(wice_plan_is_empty(plan) == (i == 0), "device %zu", i);
	}
}
END_TEST

/* A key of one letter: its base64 is easily read. */
static WiceKey letter(unsigned char byte)
{
	WiceKey key = { { byte } };
	return key;
}

#define KEY_1 "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_2 "AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define KEY_3 "AwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

/* Has peer 1, which has an endpoint and a keepalive, and peer 2. */
static WiceDevice *present_device(void)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	WiceDevicePeer *peer;
	WiceKey keys[2] = { letter(1), letter(2) };
	wice__device_builder_info(builder)->listen_port = 51820;
	ck_assert_int_eq(wice__device_builder_peer(builder, &keys[0], &peer), 0);
	peer->endpoint = state_endpoint("192.0.2.1:1");
	peer->keepalive_s = 25;
	ck_assert_int_eq(wice__device_builder_peer(builder, &keys[1], &peer), 0);
	return wice__device_builder_finish(builder);
}

/* One of everything. */
static WicePlan *sample(unsigned flags)
{
	WiceAllowedIpChange ips[3] = { allowed("10.0.0.0/8", false), allowed("fd00::/8", false),
				       allowed("10.1.0.0/16", true) };
	WicePeerChange peers[4] = {
		{ .flags = WICE_PEER_CHANGE_REMOVE, .public_key = letter(2) },
		{ .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
		  .fields = WICE_PEER_HAS_ENDPOINT | WICE_PEER_HAS_KEEPALIVE |
			    WICE_PEER_HAS_PRESHARED_KEY,
		  .public_key = letter(1),
		  .endpoint = state_endpoint("[fe80::2%3]:2"),
		  .n_allowed_ips = 3,
		  .allowed_ips = ips },
		{ .flags = WICE_PEER_CHANGE_UPDATE_ONLY | WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS,
		  .public_key = letter(1) },
		{ .flags = WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS,
		  .fields = WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_KEEPALIVE,
		  .public_key = letter(3),
		  .preshared_key = letter(0x77),
		  .keepalive_s = 5,
		  .n_allowed_ips = 2,
		  .allowed_ips = ips },
	};
	WiceDeviceChange change = { .size = sizeof change,
				    .flags = flags,
				    .fields = WICE_DEVICE_HAS_PRIVATE_KEY |
					      WICE_DEVICE_HAS_LISTEN_PORT | WICE_DEVICE_HAS_FWMARK,
				    .private_key = letter(0x77),
				    .fwmark = 0xca6c,
				    .n_peers = G_N_ELEMENTS(peers),
				    .peers = peers };
	return wice_plan_new(&change, NULL);
}

START_TEST(people_can_read_it)
{
	g_autoptr(WiceDevice) present = present_device();
	g_autoptr(WicePlan) plan = sample(0);
	g_autofree char *text = wice_plan_format(plan, present);
	ck_assert_str_eq(text, "~ interface wg0: listen port 51820 -> any, fwmark off -> 0xca6c, "
			       "private key set\n"
			       "- peer " KEY_2 "\n"
			       "~ peer " KEY_1 ": endpoint 192.0.2.1:1 -> [fe80::2%3]:2, "
			       "preshared key removed, persistent keepalive 25 s -> off, "
			       "allowed ips +10.0.0.0/8 +fd00::/8 -10.1.0.0/16\n"
			       "~ peer " KEY_1 ": allowed ips (none)\n"
			       "+ peer " KEY_3 ": preshared key set, persistent keepalive 5 s, "
			       "allowed ips 10.0.0.0/8 fd00::/8\n");
}
END_TEST

START_TEST(people_can_read_it_without_a_device)
{
	WicePeerChange peers[2] = { { .public_key = letter(1) },
				    { .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
				      .fields = WICE_PEER_HAS_ENDPOINT,
				      .public_key = letter(2),
				      .endpoint = state_endpoint("192.0.2.1:1") } };
	WiceDeviceChange change = { .size = sizeof change,
				    .flags = WICE_DEVICE_CHANGE_REPLACE_PEERS,
				    .fields = WICE_DEVICE_HAS_LISTEN_PORT,
				    .listen_port = 7,
				    .n_peers = 2,
				    .peers = peers };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	g_autofree char *text = wice_plan_format(plan, NULL);
	ck_assert_str_eq(text, "~ interface: listen port 7\n- all peers\n+ peer " KEY_1 "\n"
			       "~ peer " KEY_2 ": endpoint 192.0.2.1:1\n");

	/* A peer that is taken away with all the others comes back as a new one. */
	g_autoptr(WiceDevice) present = present_device();
	g_autofree char *other = wice_plan_format(plan, present);
	ck_assert_ptr_nonnull(strstr(other, "+ peer " KEY_1 "\n"));
}
END_TEST

START_TEST(programs_can_read_it)
{
	g_autoptr(WiceDevice) present = present_device();
	g_autoptr(WicePlan) plan = sample(WICE_DEVICE_CHANGE_REPLACE_PEERS);
	g_autofree char *json = wice_plan_format_json(plan, present);
	ck_assert_str_eq(
		json, "{\"interface\":{\"listen_port\":0,\"fwmark\":51820,\"private_key\":\"set\"},"
		      "\"replace_peers\":true,\"peers\":["
		      "{\"public_key\":\"" KEY_2 "\",\"action\":\"remove\",\"endpoint\":null,"
		      "\"preshared_key\":null,\"persistent_keepalive\":null,"
		      "\"replace_allowed_ips\":false,\"allowed_ips_added\":[],"
		      "\"allowed_ips_removed\":[]},"
		      "{\"public_key\":\"" KEY_1 "\",\"action\":\"change\","
		      "\"endpoint\":\"[fe80::2%3]:2\",\"preshared_key\":\"removed\","
		      "\"persistent_keepalive\":0,\"replace_allowed_ips\":false,"
		      "\"allowed_ips_added\":[\"10.0.0.0/8\",\"fd00::/8\"],"
		      "\"allowed_ips_removed\":[\"10.1.0.0/16\"]},"
		      "{\"public_key\":\"" KEY_1 "\",\"action\":\"change\",\"endpoint\":null,"
		      "\"preshared_key\":null,\"persistent_keepalive\":null,"
		      "\"replace_allowed_ips\":true,\"allowed_ips_added\":[],"
		      "\"allowed_ips_removed\":[]},"
		      "{\"public_key\":\"" KEY_3 "\",\"action\":\"add\",\"endpoint\":null,"
		      "\"preshared_key\":\"set\",\"persistent_keepalive\":5,"
		      "\"replace_allowed_ips\":true,"
		      "\"allowed_ips_added\":[\"10.0.0.0/8\",\"fd00::/8\"],"
		      "\"allowed_ips_removed\":[]}]}");
}
END_TEST

START_TEST(an_empty_plan_says_so)
{
	g_autoptr(WicePlan) plan = plan_of(NULL, 0);
	g_autofree char *text = wice_plan_format(plan, NULL);
	g_autofree char *json = wice_plan_format_json(plan, NULL);
	ck_assert_str_eq(text, "");
	ck_assert_str_eq(json, "{\"interface\":{\"listen_port\":null,\"fwmark\":null,"
			       "\"private_key\":null},\"replace_peers\":false,\"peers\":[]}");
}
END_TEST

START_TEST(secrets_are_not_shown)
{
	char secret[WICE_KEY_BASE64_SIZE];
	WiceKey key = letter(0x77);
	wice_key_to_base64(&key, secret);
	g_autoptr(WicePlan) plan = sample(0);
	g_autofree char *text = wice_plan_format(plan, NULL);
	g_autofree char *json = wice_plan_format_json(plan, NULL);
	ck_assert_ptr_null(strstr(text, secret));
	ck_assert_ptr_null(strstr(json, secret));
}
END_TEST

/* "openssl rand -base64 32" makes private keys, too: WireGuard shows them clamped. */
START_TEST(private_keys_are_as_wireguard_shows_them)
{
	WiceDeviceChange change = { .size = sizeof change, .fields = WICE_DEVICE_HAS_PRIVATE_KEY };
	memset(&change.private_key, 0xff, sizeof change.private_key);
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	const WiceKey *key = &wice_plan_change(plan)->private_key;
	ck_assert_uint_eq(key->bytes[0], 0xf8);
	ck_assert_uint_eq(key->bytes[1], 0xff);
	ck_assert_uint_eq(key->bytes[31], 0x7f);
	memset(&change.private_key, 0, sizeof change.private_key);
	g_autoptr(WicePlan) removal = wice_plan_new(&change, NULL);
	ck_assert(wice_key_is_zero(&wice_plan_change(removal)->private_key));
}
END_TEST

SUITE_MAIN("wg plan", private_keys_are_as_wireguard_shows_them, impossible_devices_are_refused,
	   impossible_peers_are_refused, only_zeros_may_follow_what_is_known, a_plan_is_a_copy,
	   ipv4_within_ipv6_is_ipv4, a_plan_that_does_nothing_is_empty, people_can_read_it,
	   people_can_read_it_without_a_device, programs_can_read_it, an_empty_plan_says_so,
	   secrets_are_not_shown)
