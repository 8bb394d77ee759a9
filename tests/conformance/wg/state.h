/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_STATE_H
#define WICE_TESTS_WG_STATE_H

/* Devices to test with: the same arguments make the same device. */
#include "wg/backend.h"
#include "wg/device.h"

#include <check.h>
#include <glib.h>
#include <string.h>

static inline WiceKey state_key(unsigned number)
{
	WiceKey key;
	GRand *rand = g_rand_new_with_seed(number);
	for (size_t i = 0; i < sizeof key.bytes; i++)
		key.bytes[i] = (uint8_t)g_rand_int(rand);
	g_rand_free(rand);
	return key;
}

static inline WiceEndpoint state_endpoint(const char *text)
{
	WiceEndpoint endpoint;
	ck_assert_msg(wice_endpoint_parse(text, &endpoint), "%s", text);
	return endpoint;
}

static inline void state_allow(WiceDeviceBuilder *builder, const char *text)
{
	WicePrefix prefix;
	ck_assert_msg(wice_prefix_parse(text, &prefix), "%s", text);
	ck_assert_int_eq(wice__device_builder_allowed_ip(builder, &prefix), 0);
}

/* Every third peer lacks an endpoint, every fourth has a preshared key, every fifth a keepalive. */
static inline void state_add_peer(WiceDeviceBuilder *builder, unsigned number, unsigned n_ips)
{
	char text[64];
	WiceKey key = state_key(1000 + number);
	WiceDevicePeer *peer;
	ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
	if (number % 4 == 0)
		peer->preshared_key = state_key(2000000 + number);
	if (number % 3 == 1)
		peer->endpoint = state_endpoint("192.0.2.7:51820");
	else if (number % 3 == 2)
		peer->endpoint = state_endpoint("[2001:db8::7]:65535");
	peer->endpoint.port =
		peer->endpoint.port ? (uint16_t)(peer->endpoint.port - number % 1000) : 0;
	if (number % 5 == 0)
		peer->keepalive_s = (uint16_t)(number % 60 + 1);
	for (unsigned i = 0; i < n_ips; i++) {
		unsigned at = number * n_ips + i;
		if (i % 2)
			g_snprintf(text, sizeof text, "fd00:%x:%x::/64", at >> 16, at & 0xffff);
		else
			g_snprintf(text, sizeof text, "10.%u.%u.%u/32", at >> 16 & 255,
				   at >> 8 & 255, at & 255);
		state_allow(builder, text);
	}
}

static inline WiceDevice *state_new(const char *name, unsigned n_peers, unsigned n_ips)
{
	WiceDeviceBuilder *builder = wice__device_builder_new(name, WICE_DEVICE_FAKE);
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	wice_key_generate_private(&info->private_key);
	wice_key_public(&info->private_key, &info->public_key);
	info->listen_port = 51821;
	info->fwmark = 0xca6c;
	for (unsigned i = 0; i < n_peers; i++)
		state_add_peer(builder, i, n_ips);
	return wice__device_builder_finish(builder);
}

#define STATE_PLAN_PEERS 8
#define STATE_PLAN_IPS 5

static inline void state_plan_peer(GRand *rand, WicePeerChange *peer, WiceAllowedIpChange *ips)
{
	peer->flags = (g_rand_int_range(rand, 0, 6) ? 0 : WICE_PEER_CHANGE_REMOVE) |
		      (g_rand_boolean(rand) ? WICE_PEER_CHANGE_UPDATE_ONLY : 0) |
		      (g_rand_int_range(rand, 0, 4) ? 0 : WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS);
	peer->fields = g_rand_boolean(rand) ? WICE_PEER_HAS_PRESHARED_KEY : 0;
	peer->public_key = state_key((unsigned)g_rand_int_range(rand, 0, 5));
	peer->preshared_key = state_key((unsigned)g_rand_int_range(rand, 0, 5));
	peer->n_allowed_ips = (size_t)g_rand_int_range(rand, 0, STATE_PLAN_IPS + 1);
	peer->allowed_ips = ips;
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		char text[] = "10.0.0.0/32";
		text[7] = (char)('0' + g_rand_int_range(rand, 0, 6));
		ck_assert(wice_prefix_parse(text, &ips[i].prefix));
		ips[i].remove = g_rand_boolean(rand);
	}
}

/* Any plan, of few keys and prefixes, so that everything meets everything. */
static inline WicePlan *state_plan(GRand *rand)
{
	WiceAllowedIpChange ips[STATE_PLAN_PEERS][STATE_PLAN_IPS];
	WicePeerChange peers[STATE_PLAN_PEERS] = { 0 };
	WiceDeviceChange change = { .size = sizeof change, .peers = peers };
	change.n_peers = (size_t)g_rand_int_range(rand, 1, STATE_PLAN_PEERS + 1);
	for (size_t i = 0; i < change.n_peers; i++)
		state_plan_peer(rand, &peers[i], ips[i]);
	WicePlan *plan = wice_plan_new(&change, NULL);
	ck_assert_ptr_nonnull(plan);
	return plan;
}

/* Changes one existing peer through a backend. */
static inline int state_update_peer(WiceWgBackend *backend, const char *name,
				    const WicePeerUpdate *update, int64_t deadline_ms)
{
	WicePeerChange peer = {
		.flags = WICE_PEER_CHANGE_UPDATE_ONLY,
		.fields = (update->set_endpoint ? WICE_PEER_HAS_ENDPOINT : 0u) |
			  (update->set_keepalive ? WICE_PEER_HAS_KEEPALIVE : 0u),
		.public_key = update->public_key,
		.endpoint = update->endpoint,
		.keepalive_s = update->keepalive_s,
	};
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
	return backend->ops->set(backend, name, &change, deadline_ms);
}

/* The names that a backend lists. */
static inline int state_list(WiceWgBackend *backend, GPtrArray *names, int64_t deadline_ms)
{
	GPtrArray *problems = g_ptr_array_new_with_free_func(g_free);
	int r = backend->ops->list(backend, names, problems, deadline_ms);
	g_ptr_array_unref(problems);
	return r;
}

#define STATE_IGNORED (WICE_CHANGE_KIND | WICE_CHANGE_IFINDEX)

static inline void state_assert_same(const WiceDevice *expected, const WiceDevice *got)
{
	ck_assert_ptr_nonnull(got);
	unsigned changes = wice_device_diff(expected, got, NULL, NULL) & ~(unsigned)STATE_IGNORED;
	ck_assert_msg(changes == 0, "the devices differ: %#x", changes);
}

#endif
