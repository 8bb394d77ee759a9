/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of userspace WireGuard. What was read must obey the rules of every snapshot. */
#include "wg/uapi_parse.h"

#include <errno.h>
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

/* Pieces of one size; each is a heap block of its own, so that AddressSanitizer sees its end. */
static int feed(WiceUapiReply *reply, const char *text, size_t len, size_t piece)
{
	size_t shown = 0, read = 0, n_read;
	int r = 0;
	while (r == 0 && shown < len) {
		shown += MIN(piece, len - shown);
		g_autofree char *copy = g_memdup2(text + read, shown - read);
		r = wice__uapi_reply_feed(reply, copy, shown - read, &n_read);
		g_assert(n_read <= shown - read);
		read += n_read;
	}
	if (r < 0)
		return r;
	return r == 0 && read < len ? -EPROTO : wice__uapi_reply_result(reply);
}

static int parse(const char *text, size_t len, size_t piece, WiceDevice **ret)
{
	static const WiceUapiWorld world = { .now_ns = 1700000000000000000, .scope = scope_of };
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_USERSPACE);
	WiceUapiReply reply = { .world = &world, .builder = builder };
	int r = feed(&reply, text, len, piece);
	g_assert(r <= 0 && r >= -4095);
	if (r < 0)
		wice__device_builder_free(builder);
	else
		*ret = wice__device_builder_finish(builder);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	WiceUapiReply reply = { 0 };
	WiceDevice *device = NULL, *pieces = NULL;
	int set = feed(&reply, text, size, size);
	int get = parse(text, size, size, &device);
	g_assert(parse(text, size, 1 + size % 97, &pieces) == get);
	if (get < 0)
		return 0;
	g_assert(set == 0);
	WiceDevice *copy = wice__device_builder_finish(wice__device_builder_copy(device));
	const WiceDeviceInfo *info = wice_device_info(device);
	for (size_t i = 0; i < info->n_peers; i++)
		check_peer(device, &info->peers[i]);
	g_assert(wice_device_diff(device, copy, NULL, NULL) == 0);
	g_assert(wice_device_diff(device, pieces, NULL, NULL) == 0);
	wice_device_unref(copy);
	wice_device_unref(pieces);
	wice_device_unref(device);
	return 0;
}
