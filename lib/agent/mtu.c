/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/mtu.h"

#include "base/log.h"
#include "event/route.h"

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define UDP_HEADER 8
#define WIREGUARD_OVERHEAD 32 /* whitepaper section 5.4.6 */
#define SMALLEST 1280         /* RFC 8200 section 5: IPv6 needs as much */
#define TIMEOUT_MS 250

unsigned wice__mtu_fitting(unsigned path_mtu, WiceFamily family, unsigned growth)
{
	unsigned overhead = (family == WICE_FAMILY_IPV6 ? IPV6_HEADER : IPV4_HEADER) + UDP_HEADER +
			    WIREGUARD_OVERHEAD + growth;
	return path_mtu > overhead + SMALLEST ? path_mtu - overhead : SMALLEST;
}

static unsigned current(const WiceMtu *mtu)
{
	WiceLink *link = wice_wg_get_link(mtu->wg, mtu->name, TIMEOUT_MS, NULL);
	unsigned value = link ? link->mtu : 0;
	wice_link_free(link);
	return value;
}

static bool set(const WiceMtu *mtu, unsigned value)
{
	g_autoptr(GError) error = NULL;
	WiceLinkChange change = { .size = sizeof change, .mtu = value };
	if (wice_wg_set_link(mtu->wg, mtu->name, &change, TIMEOUT_MS, &error))
		return true;
	wice__log(WICE_LOG_WARNING, mtu->name, "the MTU cannot be set to %u: %s", value,
		  error->message);
	return false;
}

static void fix(WiceMtu *mtu, unsigned now, unsigned fitting)
{
	if (!set(mtu, fitting))
		return;
	if (now != mtu->ours)
		mtu->found = now;
	mtu->ours = fitting;
	wice__log(WICE_LOG_INFO, mtu->name,
		  "MTU lowered from %u to %u: larger packets do not fit into the path", now,
		  fitting);
}

void wice__mtu_check(WiceMtu *mtu, const WiceEndpoint *remote, uint32_t fwmark, unsigned growth)
{
	unsigned path = wice__route_mtu(remote, fwmark);
	unsigned now = path ? current(mtu) : 0;
	unsigned fitting = wice__mtu_fitting(path, remote->address.family, growth);
	if (!now || now <= fitting)
		return;
	if (mtu->may_fix) {
		fix(mtu, now, fitting);
		return;
	}
	if (mtu->warned == fitting)
		return;
	mtu->warned = fitting;
	wice__log(WICE_LOG_WARNING, mtu->name,
		  "The MTU of %u is too large for a path in use, whose packets have at most %u "
		  "bytes: large packets are fragmented or lost. Set it to %u (ip link set %s mtu "
		  "%u), or let wiced do it (mtu = fit).",
		  now, path, fitting, mtu->name, fitting);
}

void wice__mtu_release(WiceMtu *mtu)
{
	if (mtu->found && current(mtu) == mtu->ours)
		set(mtu, mtu->found);
	mtu->found = mtu->ours = mtu->warned = 0;
}
