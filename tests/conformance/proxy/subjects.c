/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The mechanisms that the suite runs over. */
#include <stdio.h>
#include <wice/error.h>

#include "bed.h"
#include "proxy/inprocess.h"
#include "proxy/nft/nft.h"
#include "proxy/user.h"

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

const BedSubject bed_subjects[] = {
	{ .name = "user", .make = make_user },
	{ .name = "inprocess", .make = make_inprocess, .has_bind = true },
	{ .name = "nft", .make = make_nft },
	{ .name = "nft-ownerless", .make = make_nft_ownerless },
};
const size_t bed_n_subjects = G_N_ELEMENTS(bed_subjects);
