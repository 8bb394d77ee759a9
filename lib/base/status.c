/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A status is one block of memory: the reference counter, then everything that its info points
 * to. The same walk over the source runs twice, first to measure (base is NULL), then to copy, so
 * the two cannot disagree.
 */
#include <wice/status.h>

#include <stddef.h>
#include <string.h>

struct WiceStatus {
	gint refs;
	WiceStatusInfo info;
};

typedef struct {
	char *base; /* NULL while measuring */
	size_t used;
} Block;

/* Where the copy is, or NULL while measuring. */
static void *put(Block *block, const void *data, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	block->used = (block->used + align - 1) / align * align;
	char *at = block->base ? block->base + block->used : NULL;
	if (at && size)
		memcpy(at, data, size);
	block->used += size;
	return at;
}

static const char *put_text(Block *block, const char *text)
{
	if (!text)
		text = "";
	size_t size = strlen(text) + 1;
	char *at = block->base ? block->base + block->used : NULL;
	if (at)
		memcpy(at, text, size);
	block->used += size;
	return at;
}

static void *put_backends(Block *block, const WiceBackendStatus *from, size_t n)
{
	WiceBackendStatus *to = put(block, from, n * sizeof *from);
	for (size_t i = 0; i < n; i++) {
		const char *url = put_text(block, from[i].url);
		const char *reason = put_text(block, from[i].reason);
		if (to) {
			to[i].url = url;
			to[i].reason = reason;
		}
	}
	return to;
}

static void *put_peers(Block *block, const WicePeerStatus *from, size_t n)
{
	WicePeerStatus *to = put(block, from, n * sizeof *from);
	for (size_t i = 0; i < n; i++) {
		const char *reason = put_text(block, from[i].reason);
		const WicePrefix *allowed_ips =
			put(block, from[i].allowed_ips, from[i].n_allowed_ips * sizeof(WicePrefix));
		if (to) {
			to[i].reason = reason;
			to[i].allowed_ips = allowed_ips;
		}
	}
	return to;
}

static void *put_outside(Block *block, const WiceOutsideAddress *from, size_t n)
{
	WiceOutsideAddress *to = put(block, from, n * sizeof *from);
	for (size_t i = 0; i < n; i++) {
		const char *source = put_text(block, from[i].source);
		if (to)
			to[i].source = source;
	}
	return to;
}

static void *put_relays(Block *block, const WiceRelayStatus *from, size_t n)
{
	WiceRelayStatus *to = put(block, from, n * sizeof *from);
	for (size_t i = 0; i < n; i++) {
		const char *url = put_text(block, from[i].url);
		const char *reason = put_text(block, from[i].reason);
		if (to) {
			to[i].url = url;
			to[i].reason = reason;
		}
	}
	return to;
}

static void *put_interfaces(Block *block, const WiceInterfaceStatus *from, size_t n)
{
	WiceInterfaceStatus *to = put(block, from, n * sizeof *from);
	for (size_t i = 0; i < n; i++) {
		const char *name = put_text(block, from[i].name);
		const char *mechanism_reason = put_text(block, from[i].mechanism_reason);
		const WiceOutsideAddress *outside =
			put_outside(block, from[i].outside, from[i].n_outside);
		const WiceRelayStatus *relays = put_relays(block, from[i].relays, from[i].n_relays);
		const WicePeerStatus *peers = put_peers(block, from[i].peers, from[i].n_peers);
		if (to) {
			to[i].name = name;
			to[i].mechanism_reason = mechanism_reason;
			to[i].outside = outside;
			to[i].relays = relays;
			to[i].peers = peers;
		}
	}
	return to;
}

static WiceStatus *put_status(Block *block, const WiceStatusInfo *info)
{
	const WiceStatus head = { .refs = 1, .info = *info };
	WiceStatus *status = put(block, &head, sizeof head);
	const char *version = put_text(block, info->version);
	const WiceBackendStatus *backends = put_backends(block, info->backends, info->n_backends);
	const WiceInterfaceStatus *interfaces =
		put_interfaces(block, info->interfaces, info->n_interfaces);
	if (status) {
		status->info.version = version;
		status->info.backends = backends;
		status->info.interfaces = interfaces;
	}
	return status;
}

WiceStatus *wice_status_new(const WiceStatusInfo *info)
{
	Block measured = { 0 };
	put_status(&measured, info);
	Block block = { .base = g_malloc(measured.used) };
	return put_status(&block, info);
}

WiceStatus *wice_status_ref(WiceStatus *status)
{
	g_atomic_int_inc(&status->refs);
	return status;
}

void wice_status_unref(WiceStatus *status)
{
	if (status && g_atomic_int_dec_and_test(&status->refs))
		g_free(status);
}

const WiceStatusInfo *wice_status_info(const WiceStatus *status)
{
	return &status->info;
}
