/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_LINK_H
#define WICE_WG_LINK_H

#include "wg/netlink.h"

#include <wice/wg.h>

/*
 * Network interfaces through rtnetlink, whoever implements their WireGuard: what the netlink and
 * the UAPI backend share. 0 or -errno as the hooks of a backend; -ENODEV: no such interface.
 */
int wice__link_get(const WiceNetlinkTransport *transport, const char *name, int64_t deadline_ms,
		   WiceLink **ret);
int wice__link_set(const WiceNetlinkTransport *transport, const char *name,
		   const WiceLinkChange *change, int64_t deadline_ms);
/* Makes a link of this kind ("wireguard"). -EEXIST, -EOPNOTSUPP. */
int wice__link_create(const WiceNetlinkTransport *transport, const char *name, const char *kind,
		      int64_t deadline_ms);
int wice__link_delete(const WiceNetlinkTransport *transport, const char *name, int64_t deadline_ms);

/*
 * The same in two steps, for those who look at the link before they touch it: whatever is done to
 * its index is not done to another one that has taken the name.
 */
int wice__link_find(const WiceNetlinkTransport *transport, const char *name, int64_t deadline_ms,
		    WiceNetlinkLink *ret);
int wice__link_read(const WiceNetlinkTransport *transport, const WiceNetlinkLink *found,
		    int64_t deadline_ms, WiceLink **ret);
int wice__link_change(const WiceNetlinkTransport *transport, unsigned ifindex,
		      const WiceLinkChange *change, int64_t deadline_ms);
int wice__link_remove(const WiceNetlinkTransport *transport, unsigned ifindex, int64_t deadline_ms);

#endif
