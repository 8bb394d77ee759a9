/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_OBSERVE_H
#define WICE_WG_OBSERVE_H

#include <wice/watch.h>

/*
 * Appends what happened to the interface `name` between two snapshots (NULL: it was not there) to
 * events, an array of WiceWatchEvent, in this order:
 *
 *	the device added or changed; its peers, by key; the device removed
 *
 * and for each peer: added, or removed, or changed, endpoint, handshake, transfer (if asked for).
 * A device that was deleted and made again is first removed and then added, with all its peers. The
 * events point to the snapshots and to name.
 */
void wice__observe(const char *name, WiceDevice *before, WiceDevice *after, bool transfer,
		   GArray *events);

#endif
