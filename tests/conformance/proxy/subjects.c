/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The mechanisms that the suite runs over. */
#include <stdio.h>
#include <wice/error.h>

#include "bed.h"
#include "proxy/bpf/mux.h"
#include "proxy/inprocess.h"
#include "proxy/nft/nft.h"
#include "proxy/user.h"

#define BPF_SMALL 4

static WiceProxy *make_user(BedInterface *interface)
{
	WiceProxy *proxy = NULL;
	ck_assert_int_eq(wice__proxy_user_new(interface->bed->context, interface->port, &proxy), 0);
	return proxy;
}

static WiceProxy *make_inprocess(BedInterface *interface)
{
	return wice__proxy_inprocess_new(interface->bed->context, interface->bind);
}

/* Any other error than these two is a failure. */
static void skip(GError *error)
{
	ck_assert_msg(g_error_matches(error, WICE_ERROR, WICE_ERROR_PERMISSION) ||
			      g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED),
		      "%s", error->message);
	printf("Skipped: %s\n", error->message);
	g_error_free(error);
}

static WiceProxy *make_nft(BedInterface *interface)
{
	GError *error = NULL;
	WiceProxy *proxy = wice__proxy_nft_new(interface->bed->context, interface->name,
					       interface->port, &error);
	if (!proxy)
		skip(error);
	return proxy;
}

static WiceProxy *make_nft_ownerless(BedInterface *interface)
{
	GError *error = NULL;
	WiceProxy *proxy = wice__proxy_nft_new_ownerless(interface->bed->context, interface->name,
							 interface->port, &error);
	if (!proxy)
		skip(error);
	return proxy;
}

/* One mux for all interfaces. */
static WiceProxy *make_bpf(BedInterface *interface, WiceBpfAttach attach)
{
	Bed *bed = interface->bed;
	const WiceBpfMuxOptions options = { .size = sizeof options,
					    .attach = attach,
					    .max_agents = bed->small ? BPF_SMALL : 0 };
	GError *error = NULL;
	if (!bed->of_subject)
		bed->of_subject = wice__bpf_mux_new(bed->context, &options, &error);
	if (!bed->of_subject) {
		skip(error);
		return NULL;
	}
	return wice__proxy_bpf_new(bed->of_subject, interface->port);
}

static WiceProxy *make_bpf_tcx(BedInterface *interface)
{
	return make_bpf(interface, WICE_BPF_ATTACH_TCX);
}

static WiceProxy *make_bpf_clsact(BedInterface *interface)
{
	return make_bpf(interface, WICE_BPF_ATTACH_CLSACT);
}

static void share_port_by_mux(BedInterface *interface, int fd, const WiceEndpoint *bound,
			      const WiceEndpoint *server, bool share)
{
	WiceBpfMux *mux = interface->bed->of_subject;
	if (!share) {
		wice__bpf_mux_remove_relay(mux, interface->port, server);
		wice__bpf_mux_remove(mux, interface->port, bound, NULL);
		return;
	}
	ck_assert_int_eq(wice__bpf_mux_add_asker(mux, interface->port, bound, fd), 0);
	ck_assert_int_eq(wice__bpf_mux_add_relay(mux, interface->port, server, bound->port), 0);
}

static void free_mux(Bed *bed)
{
	wice__bpf_mux_free(bed->of_subject);
}

const BedSubject bed_subjects[] = {
	{ .name = "user", .make = make_user, .reads_relayed = true },
	{ .name = "inprocess", .make = make_inprocess, .has_bind = true, .reads_relayed = true },
	{ .name = "nft", .make = make_nft, .room_of_peers = 8192 },
	{ .name = "nft-ownerless", .make = make_nft_ownerless, .room_of_peers = 8192 },
	{ .name = "bpf-tcx",
	  .make = make_bpf_tcx,
	  .done = free_mux,
	  .share_port = share_port_by_mux,
	  .room_of_paths = BPF_SMALL },
	{ .name = "bpf-clsact",
	  .make = make_bpf_clsact,
	  .done = free_mux,
	  .share_port = share_port_by_mux,
	  .room_of_paths = BPF_SMALL },
};
const size_t bed_n_subjects = G_N_ELEMENTS(bed_subjects);
