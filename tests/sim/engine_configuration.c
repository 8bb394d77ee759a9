/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/engine_world.h"

/* What ends are told. */

int world_apply(World *world, int number, const WiceDeviceChange *change)
{
	WorldEnd *end = &world->ends[number];

	return wice__core_apply(end->core, change);
}

static int apply_peer(World *world, int number, const WicePeerChange *peer)
{
	WiceDeviceChange change = { .size = sizeof(change), .n_peers = 1, .peers = peer };

	return world_apply(world, number, &change);
}

void world_set_peer(World *world, int number, int peer, WicePeerChange change)
{
	WiceAllowedIpChange ip = { { { WICE_FAMILY_IPV4, { 10, 0, 0, (uint8_t)(peer + 1) } }, 32 },
				   false };

	change.public_key = world->ends[peer].public_key;
	if (!change.n_allowed_ips) {
		change.n_allowed_ips = 1;
		change.allowed_ips = &ip;
	}
	apply_peer(world, number, &change);
}

void world_join(World *world, int a, int b)
{
	world_set_peer(world, a, b,
		       (WicePeerChange){ .fields = WICE_PEER_HAS_ENDPOINT,
					 .endpoint = world->ends[b].address });
	world_set_peer(world, b, a,
		       (WicePeerChange){ .fields = WICE_PEER_HAS_ENDPOINT,
					 .endpoint = world->ends[a].address });
}

void world_remove_peer(World *world, int number, int peer)
{
	WicePeerChange change = { .flags = WICE_PEER_CHANGE_REMOVE,
				  .public_key = world->ends[peer].public_key };

	apply_peer(world, number, &change);
	world->initiated_ms[number][peer] = 0;
}

void world_set_key(World *world, int number, const WiceKey *private_key)
{
	WorldEnd *end = &world->ends[number];
	WiceDeviceChange change = { .size = sizeof(change),
				    .fields = WICE_DEVICE_HAS_PRIVATE_KEY,
				    .private_key = *private_key };

	world_excuse(world, number);
	end->private_key = *private_key;
	if (!wice_key_is_zero(private_key))
		wice_key_public(private_key, &end->public_key);
	world_apply(world, number, &change);
}

WiceDevicePeer world_read_peer(World *world, int number, int peer)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg", WICE_DEVICE_ENGINE);
	WiceDevicePeer found = { 0 };
	g_autoptr(WiceDevice) device = NULL;

	wice__core_read(world->ends[number].core, builder);
	device = wice__device_builder_finish(builder);
	for (size_t i = 0; i < wice_device_info(device)->n_peers; i++) {
		const WiceDevicePeer *read = &wice_device_info(device)->peers[i];

		if (wice_key_compare(&read->public_key, &world->ends[peer].public_key) == 0)
			found = *read;
	}
	found.allowed_ips = NULL;
	return found;
}

WiceEngineCounters world_counters(World *world, int number)
{
	WiceEngineCounters counters;

	wice__core_counters(world->ends[number].core, &counters);
	return counters;
}
