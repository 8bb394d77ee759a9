/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads the programs and fills their maps. What they read for each packet is in their global
 * variables, which this process has mapped: a bit is set without a system call.
 *
 * The map entry comes before the bit when a socket is added and goes after it when it is removed.
 * Several sockets may have equal ports (on different addresses) and share the bit, so users are
 * counted.
 */
#include "proxy/bpf/mux.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <wice/error.h>

#include "base/log.h"
#include "event/source.h"
#include "proxy/bpf/attachments.h"
#include "proxy/bpf/mux_maps.h"
#include "proxy/bpf/print.h"
#include "proxy/bpf/skeleton.h"

#define ALIVE_MS 30000
#define HEARTBEAT_MS 10000
#define N_PORTS 65536

struct WiceBpfMux {
	struct mux_bpf *programs;
	WiceBpfAttacher attacher;
	bool has_attacher;
	WiceBpfAttachments *attachments;
	WiceTimer *heartbeat;
	/* By port in network order. */
	uint16_t agent_port_users[N_PORTS];
	uint16_t wg_port_users[N_PORTS];
};

static void beat(void *user_data)
{
	WiceBpfMux *mux = user_data;
	int64_t now_ms = wice__now_ms();
	uint64_t until_ns = (uint64_t)(now_ms + ALIVE_MS) * 1000000;
	__atomic_store_n(&mux->programs->bss->alive_until_ns, until_ns, __ATOMIC_RELAXED);
	wice__timer_set(mux->heartbeat, now_ms + HEARTBEAT_MS);
}

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

static int load_programs(WiceBpfMux *mux, const WiceBpfMuxOptions *options)
{
	struct mux_bpf *programs = mux_bpf__open();
	if (!programs)
		return -errno;
	mux->programs = programs;
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

/*
 * Before Linux 5.11 maps count as locked memory, for which libbpf raises the process's limit. What
 * would forbid it that, libbpf_set_memlock_rlim(), is not exported by libbpf 1.1. So put it back.
 */
static int load(WiceBpfMux *mux, const WiceBpfMuxOptions *options)
{
	struct rlimit before, after;
	libbpf_print_fn_t print = wice__bpf_print_to_log();
	bool known = getrlimit(RLIMIT_MEMLOCK, &before) == 0;
	int r = load_programs(mux, options);
	if (known && getrlimit(RLIMIT_MEMLOCK, &after) == 0 &&
	    (after.rlim_cur != before.rlim_cur || after.rlim_max != before.rlim_max))
		setrlimit(RLIMIT_MEMLOCK, &before);
	libbpf_set_print(print);
	return r;
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
	int r = load(mux, options);
	if (r == 0) {
		mux->heartbeat = wice__timer_new(context, beat, mux);
		beat(mux);
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
	return mux;
}

void wice__bpf_mux_free(WiceBpfMux *mux)
{
	if (!mux)
		return;
	wice__bpf_attachments_free(mux->attachments);
	if (mux->has_attacher)
		wice__bpf_attacher_done(&mux->attacher);
	if (mux->heartbeat)
		wice__timer_free(mux->heartbeat);
	mux_bpf__destroy(mux->programs);
	g_free(mux);
}

const char *wice__bpf_mux_attached_by(const WiceBpfMux *mux)
{
	return mux->attacher.way == WICE_BPF_ATTACH_TCX ? "tcx" : "clsact";
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

static WiceMuxAddress map_address(const WiceAddress *address)
{
	WiceMuxAddress mapped = { { 0, GUINT64_TO_BE(WICE_MUX_IPV4_PREFIX) } };
	uint8_t *bytes = (uint8_t *)mapped.words;
	if (address->family == WICE_FAMILY_IPV4)
		memcpy(bytes + 12, address->bytes, 4);
	else
		memcpy(bytes, address->bytes, 16);
	return mapped;
}

static void unmap_address(const WiceMuxAddress *mapped, WiceAddress *ret)
{
	const uint8_t *bytes = (const uint8_t *)mapped->words;
	bool ipv4 = mapped->words[0] == 0 &&
		    GUINT64_FROM_BE(mapped->words[1]) >> 32 == WICE_MUX_IPV4_PREFIX >> 32;
	*ret = (WiceAddress){ .family = ipv4 ? WICE_FAMILY_IPV4 : WICE_FAMILY_IPV6 };
	memcpy(ret->bytes, ipv4 ? bytes + 12 : bytes, ipv4 ? 4 : 16);
}

static WiceMuxSocket socket_key(const WiceEndpoint *local)
{
	return (WiceMuxSocket){
		.address = map_address(&local->address),
		.port = GUINT16_TO_BE(local->port),
	};
}

static WiceMuxRequestKey request_key(uint16_t wg_port, const WiceEndpoint *local, const char *ufrag)
{
	WiceMuxRequestKey key = {
		.address = map_address(&local->address),
		.wg_port = GUINT16_TO_BE(wg_port),
	};
	memcpy(key.ufrag, ufrag, sizeof key.ufrag);
	return key;
}

static void use_port(uint16_t *users, uint8_t *bits, uint16_t port)
{
	port = GUINT16_TO_BE(port);
	users[port]++;
	__atomic_fetch_or(&bits[port / 8], 1u << (port % 8), __ATOMIC_RELEASE);
}

static void unuse_port(uint16_t *users, uint8_t *bits, uint16_t port)
{
	port = GUINT16_TO_BE(port);
	if (--users[port] == 0)
		__atomic_fetch_and(&bits[port / 8], ~(1u << (port % 8)), __ATOMIC_RELEASE);
}

static int insert(const struct bpf_map *map, const void *key, const void *value)
{
	int r = bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_NOEXIST);
	return r == -E2BIG ? -ENOSPC : r;
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
	if (ufrag) {
		WiceMuxRequestKey request = request_key(wg_port, local, ufrag);
		WiceMuxRequest to = { .port = (__be16)key.port };
		r = insert(programs->maps.requests, &request, &to);
	}
	if (r < 0) {
		bpf_map_delete_elem(bpf_map__fd(programs->maps.agents), &key);
		return r;
	}
	use_port(mux->wg_port_users, programs->bss->wg_ports, wg_port);
	use_port(mux->agent_port_users, programs->bss->agent_ports, local->port);
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

static WiceMuxRelayKey relay_key(uint16_t wg_port, const WiceEndpoint *server)
{
	return (WiceMuxRelayKey){
		.address = map_address(&server->address),
		.ports = (uint64_t)GUINT16_TO_BE(server->port) | (uint64_t)GUINT16_TO_BE(wg_port)
									 << 16,
	};
}

int wice__bpf_mux_add_relay(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *server,
			    uint16_t socket_port)
{
	WiceMuxRelayKey key = relay_key(wg_port, server);
	uint64_t port = GUINT16_TO_BE(socket_port);
	return insert(mux->programs->maps.relays, &key, &port);
}

void wice__bpf_mux_remove_relay(WiceBpfMux *mux, uint16_t wg_port, const WiceEndpoint *server)
{
	WiceMuxRelayKey key = relay_key(wg_port, server);
	bpf_map_delete_elem(bpf_map__fd(mux->programs->maps.relays), &key);
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
	unuse_port(mux->agent_port_users, programs->bss->agent_ports, local->port);
	unuse_port(mux->wg_port_users, programs->bss->wg_ports, wg_port);
	if (ufrag) {
		WiceMuxRequestKey request = request_key(wg_port, local, ufrag);
		bpf_map_delete_elem(bpf_map__fd(programs->maps.requests), &request);
	}
	bpf_map_delete_elem(bpf_map__fd(programs->maps.agents), &key);
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
	unmap_address(&request.source, &source.address);
	*ret_source = source;
	return 0;
}
