/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels as entries of a map: each is two of them, one per direction. The one towards the client
 * is there first, so that no answer is early. All that is constant about a flow's checksums is
 * summed up here, once.
 */
#include "turnserver/xdp.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <wice/error.h>

#include "event/source.h"
#include "proxy/bpf/heartbeat.h"
#include "proxy/bpf/load.h"
#include "proxy/bpf/mapped.h"
#include "proxy/bpf/ports.h"
#include "proxy/bpf/print.h"
#include "turnserver/xdp_devices.h"
#include "turnserver/xdp_forwarding.h"
#include "turnserver/xdp_maps.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"
#include "turnserver/xdp.skel.h"
#pragma GCC diagnostic pop

#define MAX_CHANNELS 65536
/* RFC 5766 section 11; RFC 8656 has made fewer of them. */
#define CHANNEL_MIN 0x4000
#define CHANNEL_MAX 0x7fff
/* Well below what a kernel takes to forget a neighbour that nobody asks for (60 s). */
#define EPOCH_MS 15000

struct WiceXdp {
	struct xdp_bpf *programs;
	WiceXdpDevices *devices;
	WiceXdpForwarding forwarding;
	WiceBpfHeartbeat *heartbeat;
	WiceTimer *timer;
	WiceBpfPorts ports;
	GString *description;
};

/* One direction of a channel. */
typedef struct {
	WiceXdpKey key;
	WiceXdpFlow flow;
} Flow;

static void set_error(GError **error, int r, const char *what)
{
	if (r == -EPERM)
		g_set_error(error, WICE_ERROR, WICE_ERROR_PERMISSION,
			    "The relay's BPF programs cannot be %s without the capabilities "
			    "CAP_BPF and CAP_NET_ADMIN. Give them to this process, or relay in "
			    "userspace.",
			    what);
	else if (r == -EINVAL || r == -EACCES || r == -ENOSYS || r == -EOPNOTSUPP)
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			    "This kernel, or the devices' drivers, do not let the relay's BPF "
			    "programs be %s (%s). Linux 5.18 or newer is needed; else relay in "
			    "userspace.",
			    what, g_strerror(-r));
	else if (r == -EBUSY || r == -EEXIST)
		g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			    "The relay's BPF programs cannot be %s where others have XDP programs. "
			    "Let TC be used, or relay in userspace.",
			    what);
	else
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO,
			    "The relay's BPF programs cannot be %s: %s.", what, g_strerror(-r));
}

typedef struct {
	WiceXdp *xdp;
	uint32_t max_channels;
} Loading;

static int load(void *user_data)
{
	const Loading *loading = user_data;
	struct xdp_bpf *programs = xdp_bpf__open();
	if (!programs)
		return -errno;
	loading->xdp->programs = programs;
	int r = bpf_map__set_max_entries(programs->maps.flows, loading->max_channels * 2);
	return r == 0 ? xdp_bpf__load(programs) : r;
}

static int attach(WiceXdp *xdp, GMainContext *context, const WiceXdpOptions *options)
{
	const struct xdp_bpf *programs = xdp->programs;
	const WiceXdpDevicesOptions devices = {
		.programs = {
			[WICE_XDP_NATIVE] = bpf_program__fd(programs->progs.wice_native),
			[WICE_XDP_GENERIC] = bpf_program__fd(programs->progs.wice_generic),
			[WICE_XDP_TC] = bpf_program__fd(programs->progs.wice_tc),
		},
		.map = bpf_map__fd(programs->maps.devices),
		.mode = options->mode,
		.names = options->devices,
	};
	libbpf_print_fn_t print = wice__bpf_print_to_log();
	int r = wice__xdp_devices_new(context, &devices, &xdp->devices);
	libbpf_set_print(print);
	return r;
}

static void on_epoch(void *user_data)
{
	WiceXdp *xdp = user_data;
	__atomic_add_fetch(&xdp->programs->bss->epoch, 1, __ATOMIC_RELAXED);
	wice__xdp_forwarding_enable(&xdp->forwarding);
	wice__xdp_devices_check(xdp->devices);
	wice__timer_set(xdp->timer, wice__now_ms() + EPOCH_MS);
}

WiceXdp *wice__xdp_new(GMainContext *context, const WiceXdpOptions *options, GError **error)
{
	static const WiceXdpOptions defaults = { .size = sizeof(WiceXdpOptions) };
	options = options ? options : &defaults;
	WiceXdp *xdp = g_new0(WiceXdp, 1);
	Loading loading = { xdp, options->max_channels ? options->max_channels : MAX_CHANNELS };
	const char *what = "loaded";
	xdp->description = g_string_new(NULL);
	int r = wice__bpf_load(load, &loading);
	if (r == 0) {
		what = "attached";
		xdp->heartbeat =
			wice__bpf_heartbeat_new(context, &xdp->programs->bss->alive_until_ns);
		r = attach(xdp, context, options);
	}
	if (r < 0) {
		set_error(error, r, what);
		wice__xdp_free(xdp);
		return NULL;
	}
	wice__xdp_forwarding_enable(&xdp->forwarding);
	xdp->timer = wice__timer_new(context, on_epoch, xdp);
	wice__timer_set(xdp->timer, wice__now_ms() + EPOCH_MS);
	return xdp;
}

void wice__xdp_free(WiceXdp *xdp)
{
	if (!xdp)
		return;
	if (xdp->timer)
		wice__timer_free(xdp->timer);
	wice__xdp_devices_free(xdp->devices);
	wice__xdp_forwarding_restore(&xdp->forwarding);
	wice__bpf_heartbeat_free(xdp->heartbeat);
	xdp_bpf__destroy(xdp->programs);
	g_string_free(xdp->description, TRUE);
	g_free(xdp);
}

const char *wice__xdp_mode(const WiceXdp *xdp, unsigned ifindex)
{
	return wice__xdp_devices_mode(xdp->devices, ifindex);
}

const char *wice__xdp_describe(WiceXdp *xdp)
{
	static const char *const families[] = { "ipv4", "ipv6" };
	g_string_truncate(xdp->description, 0);
	wice__xdp_devices_describe(xdp->devices, xdp->description);
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
		if (!xdp->forwarding.on[i])
			g_string_append_printf(
				xdp->description,
				"; not towards %s, as net.%s.conf.lo.forwarding is 0",
				i == 0 ? "IPv4" : "IPv6", families[i]);
	return xdp->description->str;
}

static uint32_t add_words(uint32_t sum, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i += 2) {
		uint16_t word;
		memcpy(&word, (const uint8_t *)data + i, sizeof word);
		sum += word;
	}
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* RFC 1071. The prefix of an IPv4 address that is mapped has a word of ones, which is nothing. */
static uint16_t sum_of(const WiceMuxAddress *a, const WiceMuxAddress *b, uint16_t first,
		       uint16_t second, uint16_t third)
{
	uint32_t sum = (uint32_t)first + second + third;
	return fold(add_words(add_words(sum, a, sizeof *a), b, sizeof *b));
}

/* From remote to local, in the channel if there is one, and then from "from" to "to". */
static Flow make_flow(const WiceEndpoint *remote, const WiceEndpoint *local, uint16_t channel,
		      const WiceEndpoint *from, const WiceEndpoint *to, uint16_t to_channel)
{
	uint16_t number = GUINT16_TO_BE(channel);
	uint16_t ports[] = { GUINT16_TO_BE(remote->port), GUINT16_TO_BE(local->port) };
	Flow flow = {
		.key.remote = wice__bpf_map_address(&remote->address),
		.key.local = wice__bpf_map_address(&local->address),
		.key.numbers = WICE_XDP_NUMBERS(ports[0], ports[1], number),
		.flow.local = wice__bpf_map_address(&from->address),
		.flow.remote = wice__bpf_map_address(&to->address),
		.flow.local_port = GUINT16_TO_BE(from->port),
		.flow.remote_port = GUINT16_TO_BE(to->port),
		.flow.channel = GUINT16_TO_BE(to_channel),
	};
	uint16_t before = sum_of(&flow.key.remote, &flow.key.local, ports[0], ports[1], number);
	uint16_t after = sum_of(&flow.flow.local, &flow.flow.remote, flow.flow.local_port,
				flow.flow.remote_port, flow.flow.channel);
	flow.flow.growth = fold((uint32_t)after + (uint16_t)~before);
	flow.flow.pseudo =
		sum_of(&flow.key.remote, &flow.key.local, GUINT16_TO_BE(IPPROTO_UDP), 0, 0);
	return flow;
}

static Flow flow_to_peer(const WiceXdpChannel *channel)
{
	return make_flow(&channel->client, &channel->server, channel->channel, &channel->relayed,
			 &channel->peer, 0);
}

static Flow flow_to_client(const WiceXdpChannel *channel)
{
	return make_flow(&channel->peer, &channel->relayed, 0, &channel->server, &channel->client,
			 channel->channel);
}

/* Link-local ones need a device as well, which flows do not have. */
static bool are_ends(const WiceEndpoint *a, const WiceEndpoint *b)
{
	return a->address.family != WICE_FAMILY_NONE && a->address.family == b->address.family &&
	       a->port != 0 && b->port != 0 && !wice_address_is_link_local(&a->address) &&
	       !wice_address_is_link_local(&b->address);
}

static bool is_valid(const WiceXdpChannel *channel)
{
	return are_ends(&channel->client, &channel->server) &&
	       are_ends(&channel->relayed, &channel->peer) && channel->channel >= CHANNEL_MIN &&
	       channel->channel <= CHANNEL_MAX;
}

/* What is there by that key, if it goes the same way. */
static bool find(const WiceXdp *xdp, const Flow *flow, WiceXdpFlow *ret)
{
	return bpf_map_lookup_elem(bpf_map__fd(xdp->programs->maps.flows), &flow->key, ret) == 0 &&
	       memcmp(ret, &flow->flow, offsetof(WiceXdpFlow, epoch)) == 0;
}

/*
 * Returns 1 if it was there already. What goes another way by now has been forgotten to be removed.
 */
static int insert(WiceXdp *xdp, Flow *flow)
{
	int flows = bpf_map__fd(xdp->programs->maps.flows);
	WiceXdpFlow known;
	if (find(xdp, flow, &known))
		return 1;
	flow->flow.epoch = xdp->programs->bss->epoch;
	int r = bpf_map_update_elem(flows, &flow->key, &flow->flow, BPF_NOEXIST);
	if (r == -EEXIST)
		return bpf_map_update_elem(flows, &flow->key, &flow->flow, BPF_EXIST);
	if (r < 0)
		return r == -E2BIG ? -ENOSPC : r;
	wice__bpf_ports_use(&xdp->ports, xdp->programs->bss->ports,
			    GUINT16_FROM_BE((uint16_t)(flow->key.numbers >> 16)));
	return 0;
}

static void remove_flow(WiceXdp *xdp, const Flow *flow)
{
	WiceXdpFlow known;
	if (!find(xdp, flow, &known))
		return;
	wice__bpf_ports_unuse(&xdp->ports, xdp->programs->bss->ports,
			      GUINT16_FROM_BE((uint16_t)(flow->key.numbers >> 16)));
	bpf_map_delete_elem(bpf_map__fd(xdp->programs->maps.flows), &flow->key);
}

int wice__xdp_add(WiceXdp *xdp, const WiceXdpChannel *channel)
{
	if (!is_valid(channel))
		return -EINVAL;
	Flow to_client = flow_to_client(channel), to_peer = flow_to_peer(channel);
	int before = insert(xdp, &to_client);
	if (before < 0)
		return before;
	int r = insert(xdp, &to_peer);
	if (r < 0 && before == 0)
		remove_flow(xdp, &to_client);
	return MIN(r, 0);
}

void wice__xdp_remove(WiceXdp *xdp, const WiceXdpChannel *channel)
{
	if (!is_valid(channel))
		return;
	Flow to_client = flow_to_client(channel), to_peer = flow_to_peer(channel);
	remove_flow(xdp, &to_peer);
	remove_flow(xdp, &to_client);
}

int wice__xdp_counters(const WiceXdp *xdp, const WiceXdpChannel *channel, WiceXdpCount *to_peer,
		       WiceXdpCount *to_client)
{
	WiceXdpFlow flows[2];
	if (!is_valid(channel))
		return -ENOENT;
	Flow ways[2] = { flow_to_peer(channel), flow_to_client(channel) };
	if (!find(xdp, &ways[0], &flows[0]) || !find(xdp, &ways[1], &flows[1]))
		return -ENOENT;
	if (to_peer)
		*to_peer = (WiceXdpCount){ flows[0].packets, flows[0].bytes };
	if (to_client)
		*to_client = (WiceXdpCount){ flows[1].packets, flows[1].bytes };
	return 0;
}
