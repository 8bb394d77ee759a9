/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_FAKE_H
#define WICE_WG_FAKE_H

#include "wg/backend.h"
#include "wg/presence.h"

#include <stddef.h>

/*
 * WireGuard devices in memory, for tests: the test makes them, changes them behind the back of the
 * library as a kernel would, and sees what the library changes.
 *
 *	WiceWgFake *fake = wice__wg_fake_new();
 *	WiceWgBackend *backend = wice__wg_fake_backend(fake);
 *	WiceWg *wg = wice__wg_new_with(&backend, 1);
 *	wice__wg_fake_set_device(fake, &(WiceDeviceInfo){ .name = "wg0", .private_key = key });
 *	wice__wg_fake_set_peer(fake, "wg0", &(WiceDevicePeer){ .public_key = peer });
 *
 * May be used by several threads at once.
 */
typedef struct WiceWgFake WiceWgFake;

WiceWgFake *wice__wg_fake_new(void);
/* Backends on it may live on. */
void wice__wg_fake_free(WiceWgFake *fake);

/*
 * A new backend on these devices, owned by the caller (wice__wg_new_with() takes it). Any number
 * may exist.
 */
WiceWgBackend *wice__wg_fake_backend(WiceWgFake *fake);

/*
 * Makes the device or replaces it with its peers. Only values are read, not `fields`; kind 0 is
 * WICE_DEVICE_FAKE, a missing public key is worked out.
 */
void wice__wg_fake_set_device(WiceWgFake *fake, const WiceDeviceInfo *info);
void wice__wg_fake_remove_device(WiceWgFake *fake, const char *name);

/* Adds the peer or replaces it; a device that does not exist is a mistake of the test (aborts). */
void wice__wg_fake_set_peer(WiceWgFake *fake, const char *name, const WiceDevicePeer *peer);
void wice__wg_fake_remove_peer(WiceWgFake *fake, const char *name, const WiceKey *public_key);

/* The present state, or NULL; the caller owns the reference. */
WiceDevice *wice__wg_fake_get_device(WiceWgFake *fake, const char *name);

/* Makes every call of the backends fail with this -errno from now on; 0 ends it. */
void wice__wg_fake_fail(WiceWgFake *fake, int error);

/* Every list comes with this problem from now on; NULL ends it. */
void wice__wg_fake_set_problem(WiceWgFake *fake, const char *problem);

/*
 * Plays an implementation that cannot take single allowed IPs away, and that finds that out in the
 * middle of a change.
 */
void wice__wg_fake_keep_allowed_ips(WiceWgFake *fake);

/* What was done by wice_wg_update_peer(), oldest first, also to peers that do not exist. */
typedef struct {
	char name[16];
	WicePeerUpdate update;
} WiceWgFakeUpdate;

size_t wice__wg_fake_n_updates(WiceWgFake *fake);
/* Valid until the next one. */
const WiceWgFakeUpdate *wice__wg_fake_update(WiceWgFake *fake, size_t index);

/* How often a device was read: what polling costs; and changed. */
size_t wice__wg_fake_n_reads(WiceWgFake *fake);
size_t wice__wg_fake_n_sets(WiceWgFake *fake);

/* Called, if set, after each such update through the library, on its thread: where a test plays the remote peer. */
typedef void (*WiceWgFakeUpdated)(const char *name, const WicePeerUpdate *update, void *user_data);
void wice__wg_fake_on_update(WiceWgFake *fake, WiceWgFakeUpdated updated, void *user_data);

/* Called, if set, when a device appears, is replaced or vanishes: stands in for a WicePresence. */
void wice__wg_fake_on_change(WiceWgFake *fake, WicePresenceChanged changed, void *user_data);

#endif
