/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of userspace WireGuard. What was read must obey the rules of every snapshot. */
#include "wg/uapi_parse.h"

#include <glib.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned scope_of(const char *name)
{
	return (unsigned char)name[0];
}

static void check_peer(const WiceDevice *device, const WiceDevicePeer *peer)
{
	g_assert(wice_device_find_peer(device, &peer->public_key) == peer);
	g_assert(peer->handshake_ns >= 0);
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		const WicePrefix *prefix = &peer->allowed_ips[i];
		g_assert(wice_prefix_contains(prefix, &prefix->address));
		g_assert(i == 0 || wice_prefix_compare(prefix - 1, prefix) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const WiceUapiWorld world = { .now_ns = 1700000000000000000, .scope = scope_of };
	const char *reply = (const char *)data;
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_USERSPACE);
	int set = wice__uapi_parse_set(reply, size);
	int get = wice__uapi_parse_get(reply, size, &world, builder);
	(void)wice__uapi_reply_complete(reply, size, size / 2);
	if (get < 0) {
		g_assert(get >= -4095);
		wice__device_builder_free(builder);
		return 0;
	}
	g_assert(set == 0);
	WiceDevice *device = wice__device_builder_finish(builder);
	WiceDevice *copy = wice__device_builder_finish(wice__device_builder_copy(device));
	const WiceDeviceInfo *info = wice_device_info(device);
	for (size_t i = 0; i < info->n_peers; i++)
		check_peer(device, &info->peers[i]);
	g_assert(wice_device_diff(device, copy, NULL, NULL) == 0);
	wice_device_unref(copy);
	wice_device_unref(device);
	return 0;
}
