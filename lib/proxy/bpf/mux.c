/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads the programs and fills their maps. What they read for each packet is in their global
 * variables (ports.h). The map entry comes before the bit when a socket is added and goes after it
 * when it is removed. Several sockets may have equal ports, on different addresses.
 */
#include "proxy/bpf/mux.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <wice/error.h>

#include "proxy/bpf/attachments.h"
#include "proxy/bpf/heartbeat.h"
#include "proxy/bpf/load.h"
#include "proxy/bpf/mapped.h"
#include "proxy/bpf/mux_maps.h"
#include "proxy/bpf/ports.h"
#include "proxy/bpf/relayed.h"
#include "proxy/bpf/relayed_maps.h"
#include "proxy/bpf/skeleton.h"

struct WiceBpfMux {
	struct mux_bpf *programs;
	WiceBpfAttacher attacher;
	bool has_attacher;
	WiceBpfAttachments *attachments;
	WiceBpfHeartbeat *heartbeat;
	WiceBpfPorts agent_ports, wg_ports;
	WiceBpfRelayed *relayed;
};

static void set_error(GError **error, int r, const char *what)
{
	if (r == -EPERM)
		g_set_error(error, WICE_ERROR, WICE_ERROR_PERMISSION,
			    "BPF programs cannot be %s without the capabilities CAP_BPF and "
			    "CAP_NET_ADMIN. Give them to this process, or use another proxy.",
			    what);
	else if (r == -EINVAL || r == -EACCES || r == -ENOSYS || r == -EOPNOTSUPP)
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			    "This kernel does not let BPF programs be %s (%s). Linux 5.8 or newer "
			    "is needed; else use another proxy.",
			    what, g_strerror(-r));
	else if (r == -EUSERS)
		g_set_error(error, WICE_ERROR, WICE_ERROR_BUSY,
			    "BPF programs cannot be %s because too many processes of this network "
			    "namespace have done so already. Use another proxy.",
			    what);
	else
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO, "BPF programs cannot be %s: %s.",
			    what, g_strerror(-r));
}

typedef struct {
	WiceBpfMux *mux;
	const WiceBpfMuxOptions *options;
} Loading;

static int load(void *user_data)
{
	const Loading *loading = user_data;
	const WiceBpfMuxOptions *options = loading->options;
	struct mux_bpf *programs = mux_bpf__open();
	if (!programs)
		return -errno;
	loading->mux->programs = programs;
	int r = 0;
	if (options->max_agents)
		r = bpf_map__set_max_entries(programs->maps.agents, options->max_agents);
	if (r == 0 && options->max_agents)
		r = bpf_map__set_max_entries(programs->maps.requests, options->max_agents);
	if (r == 0 && options->max_transactions)
		r = bpf_map__set_max_entries(programs->maps.transactions,
					     options->max_transactions);
	return r == 0 ? mux_bpf__load(programs) : r;
}

static int init_attacher(WiceBpfMux *mux, WiceBpfAttach way)
{
	WiceBpfPrograms programs = {
		.ethernet = {
			[WICE_BPF_INGRESS] = bpf_program__fd(mux->programs->progs.wice_ingress),
			[WICE_BPF_EGRESS] = bpf_program__fd(mux->programs->progs.wice_egress),
		},
		.l3 = {
			[WICE_BPF_INGRESS] = bpf_program__fd(mux->programs->progs.wice_ingress_l3),
			[WICE_BPF_EGRESS] = bpf_program__fd(mux->programs->progs.wice_egress_l3),
		},
	};
	int r = wice__bpf_attacher_init(&mux->attacher, way, &programs);
	mux->has_attacher = r == 0;
	return r;
}

WiceBpfMux *wice__bpf_mux_new(GMainContext *context, const WiceBpfMuxOptions *options,
			      GError **error)
{
	static const WiceBpfMuxOptions defaults = { .size = sizeof(WiceBpfMuxOptions) };
	options = options ? options : &defaults;
	WiceBpfMux *mux = g_new0(WiceBpfMux, 1);
	const char *what = "loaded";
	Loading loading = { mux, options };
	int r = wice__bpf_load(load, &loading);
	if (r == 0) {
		mux->heartbeat =
			wice__bpf_heartbeat_new(context, &mux->programs->bss->alive_until_ns);
		what = "attached";
		r = init_attacher(mux, options->attach);
	}
	if (r == 0)
		r = wice__bpf_attachments_new(context, &mux->attacher, &mux->attachments);
	if (r < 0) {
		set_error(error, r, what);
		wice__bpf_mux_free(mux);
		return NULL;
	}
	WiceBpfRelayedOptions relayed = {
		.attach = mux->attacher.way,
		.received = bpf_map__fd(mux->programs->maps.received),
		.relays = bpf_map__fd(mux->programs->maps.relays),
	};
	mux->relayed = wice__bpf_relayed_new(context, &relayed);
	return mux;
}

void wice__bpf_mux_free(WiceBpfMux *mux)
{
	if (!mux)
		return;
	wice__bpf_relayed_free(mux->relayed);
	wice__bpf_attachments_free(mux->attachments);
	if (mux->has_attacher)
		wice__bpf_attacher_done(&mux->attacher);
	wice__bpf_heartbeat_free(mux->heartbeat);
	mux_bpf__destroy(mux->programs);
	g_free(mux);
}

const char *wice__bpf_mux_attached_by(const WiceBpfMux *mux)
{
	return mux->attacher.way == WICE_BPF_ATTACH_TCX ? "tcx" : "clsact";
}

WiceBpfRelayed *wice__bpf_mux_relayed(const WiceBpfMux *mux)
{
	return mux->relayed;
}

size_t wice__bpf_mux_n_uplinks(const WiceBpfMux *mux)
{
	return wice__bpf_attachments_count(mux->attachments);
}

void wice__bpf_mux_counters(const WiceBpfMux *mux, WiceBpfMuxCounters *ret)
{
	const struct mux_bpf__bss *bss = mux->programs->bss;
	ret->moved = __atomic_load_n(&bss->n_moved, __ATOMIC_RELAXED);
	ret->responses = __atomic_load_n(&bss->n_responses, __ATOMIC_RELAXED);
	ret->requests = __atomic_load_n(&bss->n_requests, __ATOMIC_RELAXED);
	ret->unattributed = __atomic_load_n(&bss->n_unattributed, __ATOMIC_RELAXED);
}

static WiceMuxSocket socket_key(const WiceEndpoint *local)
{
	return (WiceMuxSocket){
		.address = wice__bpf_map_address(&local->address),
		.port = GUINT16_TO_BE(local->port),
	};
}

static WiceMuxRequestKey request_key(uint16_t wg_port, const WiceEndpoint *local, const char *ufrag)
{
	WiceMuxRequestKey key = {
		.address = wice__bpf_map_address(&local->address),
		.wg_port = GUINT16_TO_BE(wg_port),
	};
	memcpy(key.ufrag, ufrag, sizeof key.ufrag);
	return key;
}

static int insert(const struct bpf_map *map, const void *key, const void *value)
{
	int r = bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_NOEXIST);
	return r == -E2BIG ? -ENOSPC : r;
}

int wice__bpf_mux_add_ufrag(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
			    const char *ufrag)
{
	if (strlen(ufrag) != WICE_MUX_UFRAG_LEN)
		return -EINVAL;
	WiceMuxRequestKey key = request_key(wg_port, local, ufrag);
	WiceMuxRequest to = { .port = GUINT16_TO_BE(local->port) };
	return insert(mux->programs->maps.requests, &key, &to);
}

void wice__bpf_mux_remove_ufrag(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
				const char *ufrag)
{
	WiceMuxRequestKey key = request_key(wg_port, local, ufrag);
	bpf_map_delete_elem(bpf_map__fd(mux->programs->maps.requests), &key);
}

static int add(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local, const char *ufrag,
	       uint64_t cookie)
{
	const struct mux_bpf *programs = mux->programs;
	WiceMuxSocket key = socket_key(local);
	WiceMuxAgent agent = { .wg_port = GUINT16_TO_BE(wg_port), .cookie = cookie };
	if (local->address.family == WICE_FAMILY_NONE || local->port == 0 || wg_port == 0 ||
	    (ufrag && strlen(ufrag) != WICE_MUX_UFRAG_LEN))
		return -EINVAL;
	int r = insert(programs->maps.agents, &key, &agent);
	if (r < 0)
		return r;
	if (ufrag)
		r = wice__bpf_mux_add_ufrag(mux, wg_port, local, ufrag);
	if (r < 0) {
		bpf_map_delete_elem(bpf_map__fd(programs->maps.agents), &key);
		return r;
	}
	wice__bpf_ports_use(&mux->wg_ports, programs->bss->wg_ports, wg_port);
	wice__bpf_ports_use(&mux->agent_ports, programs->bss->agent_ports, local->port);
	return 0;
}

int wice__bpf_mux_add(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
		      const char *ufrag)
{
	return add(mux, wg_port, local, ufrag, 0);
}

int wice__bpf_mux_add_asker(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local, int fd)
{
	uint64_t cookie;
	socklen_t len = sizeof cookie;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) < 0)
		return -errno;
	return add(mux, wg_port, local, NULL, cookie);
}

static WiceRelayedKey relay_key(uint16_t wg_port, const WiceEndpoint *server)
{
	return (WiceRelayedKey){
		.server = wice__bpf_map_address(&server->address),
		.numbers = WICE_RELAYED_NUMBERS(GUINT16_TO_BE(server->port), GUINT16_TO_BE(wg_port),
						0),
	};
}

int wice__bpf_mux_add_relay(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *server,
			    uint16_t socket_port)
{
	WiceRelayedKey key = relay_key(wg_port, server);
	WiceRelayedClient client = { GUINT16_TO_BE(socket_port) };
	int r = insert(mux->programs->maps.relays, &key, &client);
	if (r == 0)
		wice__bpf_relayed_expect(mux->relayed, true);
	return r;
}

void wice__bpf_mux_remove_relay(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *server)
{
	WiceRelayedKey key = relay_key(wg_port, server);
	if (bpf_map_delete_elem(bpf_map__fd(mux->programs->maps.relays), &key) == 0)
		wice__bpf_relayed_expect(mux->relayed, false);
}

static uint64_t server_key(uint16_t wg_port, const WiceEndpoint *local)
{
	return WICE_MUX_SERVER_KEY(GUINT16_TO_BE(wg_port),
				   local->address.family == WICE_FAMILY_IPV4);
}

int wice__bpf_mux_add_server(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local, int fd)
{
	uint64_t key = server_key(wg_port, local), port = GUINT16_TO_BE(local->port);
	int r = wice__bpf_mux_add_asker(mux, wg_port, local, fd);
	if (r < 0)
		return r;
	r = insert(mux->programs->maps.servers, &key, &port);
	if (r < 0)
		wice__bpf_mux_remove(mux, wg_port, local, NULL);
	return r;
}

/* Whether that socket is on that port. */
static bool is_added(const WiceBpfMux *mux, const WiceMuxSocket *key, uint16_t wg_port)
{
	WiceMuxAgent agent;
	return bpf_map_lookup_elem(bpf_map__fd(mux->programs->maps.agents), key, &agent) == 0 &&
	       agent.wg_port == GUINT16_TO_BE(wg_port);
}

void wice__bpf_mux_remove(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
			  const char *ufrag)
{
	const struct mux_bpf *programs = mux->programs;
	WiceMuxSocket key = socket_key(local);
	if (!is_added(mux, &key, wg_port))
		return;
	wice__bpf_ports_unuse(&mux->agent_ports, programs->bss->agent_ports, local->port);
	wice__bpf_ports_unuse(&mux->wg_ports, programs->bss->wg_ports, wg_port);
	if (ufrag)
		wice__bpf_mux_remove_ufrag(mux, wg_port, local, ufrag);
	bpf_map_delete_elem(bpf_map__fd(programs->maps.agents), &key);
}

void wice__bpf_mux_remove_server(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local)
{
	uint64_t key = server_key(wg_port, local), port;
	int servers = bpf_map__fd(mux->programs->maps.servers);
	if (bpf_map_lookup_elem(servers, &key, &port) < 0 || port != GUINT16_TO_BE(local->port))
		return;
	bpf_map_delete_elem(servers, &key);
	wice__bpf_mux_remove(mux, wg_port, local, NULL);
}

int wice__bpf_mux_heard(const WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *local,
			const char *ufrag, WiceEndpoint *ret_source)
{
	WiceMuxRequestKey key = request_key(wg_port, local, ufrag);
	WiceMuxRequest request;
	/* With the lock, because address and port belong together. */
	int r = bpf_map_lookup_elem_flags(bpf_map__fd(mux->programs->maps.requests), &key, &request,
					  BPF_F_LOCK);
	if (r < 0)
		return r;
	if (request.source_port == 0)
		return -ENOENT;
	WiceEndpoint source = { .port = GUINT16_FROM_BE(request.source_port) };
	wice__bpf_unmap_address(&request.source, &source.address);
	*ret_source = source;
	return 0;
}
