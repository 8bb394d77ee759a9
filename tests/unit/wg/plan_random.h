/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_PLAN_RANDOM_H
#define WICE_TESTS_PLAN_RANDOM_H

/*
 * Random devices and plans over few keys and few prefixes, so that they meet often. The first keys
 * are public keys of private keys that devices have, the rest belong to nobody.
 */
#include "conformance/wg/state.h"
#include "crypto/key.h"

#include <wice/plan.h>

enum { OWN_KEYS = 2, KEYS = 9, PREFIXES = 14 };

typedef struct {
	GRand *rand;
	WiceKey private_keys[OWN_KEYS];
	WiceKey keys[KEYS];
	WicePrefix prefixes[PREFIXES];
} Chance;

static inline void chance_init(Chance *chance, unsigned seed)
{
	chance->rand = g_rand_new_with_seed(seed);
	for (unsigned i = 0; i < KEYS; i++)
		chance->keys[i] = state_key(i);
	for (unsigned i = 0; i < OWN_KEYS; i++) {
		chance->private_keys[i] = state_key(100 + i);
		wice__key_clamp(&chance->private_keys[i]);
		wice_key_public(&chance->private_keys[i], &chance->keys[i]);
	}
	for (unsigned i = 0; i < PREFIXES; i++) {
		char text[WICE_PREFIX_SIZE];
		g_snprintf(text, sizeof text, i % 2 ? "fd00:%x::/%u" : "10.%u.0.0/%u", i / 4,
			   (i % 2 ? 32u : 16u) + i % 4 / 2 * 8);
		ck_assert(wice_prefix_parse(text, &chance->prefixes[i]));
	}
}

static inline void chance_done(Chance *chance)
{
	g_rand_free(chance->rand);
}

/* 0 to n - 1. */
static inline unsigned draw(Chance *chance, unsigned n)
{
	return (unsigned)g_rand_int_range(chance->rand, 0, (gint32)n);
}

static inline WiceEndpoint draw_endpoint(Chance *chance)
{
	static const char *const texts[] = { "192.0.2.1:1", "192.0.2.1:2", "[2001:db8::1]:1" };
	return state_endpoint(texts[draw(chance, G_N_ELEMENTS(texts))]);
}

static inline WiceKey draw_preshared_key(Chance *chance)
{
	return draw(chance, 2) ? state_key(200 + draw(chance, 2)) : (WiceKey){ 0 };
}

static inline void draw_peer(Chance *chance, WiceDevicePeer *peer)
{
	peer->preshared_key = draw_preshared_key(chance);
	if (draw(chance, 2))
		peer->endpoint = draw_endpoint(chance);
	peer->keepalive_s = (uint16_t)(draw(chance, 2) * 25);
	peer->rx_bytes = draw(chance, 1000);
}

/* A state that WireGuard can be in: one owner per prefix, no peer with the device's own key. */
static inline WiceDevice *draw_device(Chance *chance)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_FAKE);
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	unsigned own = draw(chance, OWN_KEYS + 1), owners[PREFIXES];
	if (own < OWN_KEYS) {
		info->private_key = chance->private_keys[own];
		info->public_key = chance->keys[own];
	}
	info->listen_port = (uint16_t)(draw(chance, 3) * 51820);
	info->fwmark = draw(chance, 2);
	for (unsigned i = 0; i < PREFIXES; i++)
		owners[i] = draw(chance, KEYS + 2);
	for (unsigned i = 0; i < KEYS; i++) {
		WiceDevicePeer *peer;
		if (i == own || draw(chance, 3) == 0)
			continue;
		ck_assert_int_eq(wice__device_builder_peer(builder, &chance->keys[i], &peer), 0);
		draw_peer(chance, peer);
		for (unsigned j = 0; j < PREFIXES; j++) {
			if (owners[j] == i)
				(void)wice__device_builder_allowed_ip(builder,
								      &chance->prefixes[j]);
		}
	}
	return wice__device_builder_finish(builder);
}

enum { PLAN_PEERS = 8, PLAN_IPS = 5 };

/* Anything that a program or a file can say; keys come more than once. */
static inline WicePlan *draw_plan(Chance *chance)
{
	WiceAllowedIpChange ips[PLAN_PEERS][PLAN_IPS];
	WicePeerChange peers[PLAN_PEERS];
	WiceDeviceChange change = { .size = sizeof change,
				    .flags = draw(chance, 4) == 0,
				    .fields = draw(chance, 16) & ~2u,
				    .listen_port = (uint16_t)(draw(chance, 2) * 51821),
				    .fwmark = draw(chance, 3),
				    .n_peers = draw(chance, PLAN_PEERS + 1),
				    .peers = peers };
	if (draw(chance, 3))
		change.private_key = chance->private_keys[draw(chance, OWN_KEYS)];
	for (unsigned i = 0; i < change.n_peers; i++) {
		peers[i] = (WicePeerChange){ .flags = draw(chance, 8) & (draw(chance, 3) ? 6u : 7u),
					     .fields = draw(chance, 8),
					     .public_key = chance->keys[draw(chance, KEYS)],
					     .preshared_key = draw_preshared_key(chance),
					     .endpoint = draw_endpoint(chance),
					     .keepalive_s = (uint16_t)(draw(chance, 2) * 10),
					     .n_allowed_ips = draw(chance, PLAN_IPS + 1),
					     .allowed_ips = ips[i] };
		for (unsigned j = 0; j < PLAN_IPS; j++) {
			ips[i][j].prefix = chance->prefixes[draw(chance, PREFIXES)];
			ips[i][j].remove = draw(chance, 4) == 0;
		}
	}
	WicePlan *plan = wice_plan_new(&change, NULL);
	ck_assert_ptr_nonnull(plan);
	return plan;
}

#endif
