/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The mux of a libwice that was built without BPF: there never is one. */
#include <errno.h>
#include <wice/error.h>

#include "proxy/bpf/mux.h"

WiceBpfMux *wice__bpf_mux_new(GMainContext *context, const WiceBpfMuxOptions *options,
			      GError **error)
{
	g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
		    "This libwice was built without BPF programs. Install one that has them (Meson "
		    "option ebpf), or use another proxy.");
	return NULL;
}

void wice__bpf_mux_free(WiceBpfMux *mux)
{
}

const char *wice__bpf_mux_attached_by(const WiceBpfMux *mux)
{
	return "none";
}

WiceBpfRelayed *wice__bpf_mux_relayed(const WiceBpfMux *mux)
{
	return NULL;
}

size_t wice__bpf_mux_n_uplinks(const WiceBpfMux *mux)
{
	return 0;
}

void wice__bpf_mux_counters(const WiceBpfMux *mux, WiceBpfMuxCounters *ret)
{
	*ret = (WiceBpfMuxCounters){ 0 };
}

int wice__bpf_mux_add(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
		      const char *ufrag)
{
	return -ENOTSUP;
}

int wice__bpf_mux_add_asker(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local, int fd)
{
	return -ENOTSUP;
}

int wice__bpf_mux_add_ufrag(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
			    const char *ufrag)
{
	return -ENOTSUP;
}

void wice__bpf_mux_remove_ufrag(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
				const char *ufrag)
{
}

int wice__bpf_mux_add_relay(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *server,
			    uint16_t socket_port)
{
	return -ENOTSUP;
}

void wice__bpf_mux_remove_relay(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *server)
{
}

int wice__bpf_mux_add_server(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local, int fd)
{
	return -ENOTSUP;
}

void wice__bpf_mux_remove_server(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local)
{
}

void wice__bpf_mux_remove(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
			  const char *ufrag)
{
}

int wice__bpf_mux_heard(const WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
			const char *ufrag, WiceEndpoint *ret_source)
{
	return -ENOENT;
}

WiceProxy *wice__proxy_bpf_new(WiceBpfMux *mux, uint16_t wg_port)
{
	return NULL;
}

int wice__proxy_bpf_counters(const WiceProxyPath *path, WiceBpfRelayedCounters *ret_counters)
{
	return -ENOENT;
}
