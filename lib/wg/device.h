/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_DEVICE_H
#define WICE_WG_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/device.h>

/*
 * What one snapshot may hold: the kernel's limit of peers, and four of its largest routing tables.
 */
#define WICE_DEVICE_PEERS_MAX ((size_t)1 << 20)
#define WICE_DEVICE_ALLOWED_IPS_MAX ((size_t)1 << 22)

/*
 * Collects what a backend reads and makes the snapshot of it. Backends only write values; which of
 * them are present (the `fields` bits) is worked out once, in _finish(), so that all backends and
 * the fake say the same about the same state.
 */
typedef struct WiceDeviceBuilder WiceDeviceBuilder;

WiceDeviceBuilder *wice__device_builder_new(const char *name, WiceDeviceKind kind);
/* Wipes and frees. NULL is fine. */
void wice__device_builder_free(WiceDeviceBuilder *builder);

/* The interface's own values, to be written; name, fields and peers in it are not. */
WiceDeviceInfo *wice__device_builder_info(WiceDeviceBuilder *builder);

/* Makes room for so many peers and allowed IPs in all. Nobody needs to, it only saves time. */
void wice__device_builder_reserve(WiceDeviceBuilder *builder, size_t n_peers, size_t n_allowed_ips);

/*
 * Opens the peer with this key and points ret at it: a new one, or the one that is open already.
 * Equal keys further apart become one peer in _finish(), where a later value that is not empty
 * wins; a dump may cut a peer in two. Write all but the key, fields and allowed IPs. ret is valid
 * until the next call of this function. -E2BIG.
 */
int wice__device_builder_peer(WiceDeviceBuilder *builder, const WiceKey *public_key,
			      WiceDevicePeer **ret);

/*
 * Adds an allowed IP to the open peer; host bits are cleared, repetitions vanish.
 * -EINVAL: no peer is open, or the prefix is none; -E2BIG.
 */
int wice__device_builder_allowed_ip(WiceDeviceBuilder *builder, const WicePrefix *prefix);

/* Makes the snapshot and frees the builder. The caller owns the one reference. */
WiceDevice *wice__device_builder_finish(WiceDeviceBuilder *builder);

/* A builder that holds what device holds, to make a changed snapshot of it. */
WiceDeviceBuilder *wice__device_builder_copy(const WiceDevice *device);

/* Takes the peer with this key out again; nothing happens if there is none. */
void wice__device_builder_remove(WiceDeviceBuilder *builder, const WiceKey *public_key);

/* Nanoseconds since 1970 of a timespec that a stranger sent; false if it is no time or too late. */
bool wice__handshake_time(int64_t seconds, int64_t nanoseconds, int64_t *ret_ns);

/*
 * True if the kernel could have an interface of that name and it can be shown: 1 to 15 bytes of
 * UTF-8.
 */
bool wice__interface_name_valid(const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceDeviceBuilder, wice__device_builder_free)

#endif
