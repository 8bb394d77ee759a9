/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The fast path of a libwice that was built without BPF: there never is one. */
#include <errno.h>
#include <wice/error.h>

#include "turnserver/xdp.h"

WiceXdp *wice__xdp_new(GMainContext *context, const WiceXdpOptions *options, GError **error)
{
	g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
		    "This libwice was built without BPF programs. Install one that has them (Meson "
		    "option ebpf), or relay in userspace.");
	return NULL;
}

void wice__xdp_free(WiceXdp *xdp)
{
}

const char *wice__xdp_mode(const WiceXdp *xdp, unsigned ifindex)
{
	return NULL;
}

const char *wice__xdp_describe(WiceXdp *xdp)
{
	return "";
}

int wice__xdp_add(WiceXdp *xdp, const WiceXdpChannel *channel)
{
	return -ENOTSUP;
}

void wice__xdp_remove(WiceXdp *xdp, const WiceXdpChannel *channel)
{
}

int wice__xdp_counters(const WiceXdp *xdp, const WiceXdpChannel *channel, WiceXdpCount *to_peer,
		       WiceXdpCount *to_client)
{
	return -ENOENT;
}
