/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The facade's part that is about the network interface. Backends need not have these hooks. */
#include "base/options.h"
#include "event/source.h"
#include "wg/wg_private.h"

#include <errno.h>
#include <string.h>
#include <wice/error.h>

#define MTU_MAX 65535

gboolean wice_wg_create(WiceWg *wg, const char *name, unsigned timeout_ms, GError **error)
{
	if (!wice__wg_check_new_name(name, error))
		return FALSE;
	int64_t deadline = wice__now_ms() + timeout_ms;
	int r = -EOPNOTSUPP;
	for (size_t i = wice__wg_first(wg); i < wg->n_backends && r == -EOPNOTSUPP; i++) {
		WiceWgBackend *backend = wg->backends[i];
		if (backend->ops->create)
			r = backend->ops->create(backend, name, deadline);
	}
	return r < 0 ? wice__wg_fail(error, r, WICE_WG_CREATE, name) : TRUE;
}

gboolean wice_wg_delete(WiceWg *wg, const char *name, unsigned timeout_ms, GError **error)
{
	if (!wice__wg_check_name(name, error))
		return FALSE;
	int64_t deadline = wice__now_ms() + timeout_ms;
	int r = -ENODEV;
	for (size_t i = wice__wg_first(wg); i < wg->n_backends && r == -ENODEV; i++) {
		WiceWgBackend *backend = wg->backends[i];
		if (backend->ops->remove)
			r = backend->ops->remove(backend, name, deadline);
	}
	return r < 0 ? wice__wg_fail(error, r, WICE_WG_DELETE, name) : TRUE;
}

WiceLink *wice_wg_get_link(WiceWg *wg, const char *name, unsigned timeout_ms, GError **error)
{
	if (!wice__wg_check_name(name, error))
		return NULL;
	int64_t deadline = wice__now_ms() + timeout_ms;
	WiceLink *link = NULL;
	int r = -ENODEV;
	for (size_t i = wice__wg_first(wg); i < wg->n_backends && r == -ENODEV; i++) {
		WiceWgBackend *backend = wg->backends[i];
		if (backend->ops->get_link)
			r = backend->ops->get_link(backend, name, deadline, &link);
	}
	if (r < 0)
		wice__wg_fail(error, r, WICE_WG_GET_LINK, name);
	return link;
}

void wice_link_free(WiceLink *link)
{
	if (!link)
		return;
	g_free(link->addresses);
	g_free(link);
}

static bool length_valid(uint8_t family, uint8_t length)
{
	return (family == WICE_FAMILY_IPV4 && length <= 32) ||
	       (family == WICE_FAMILY_IPV6 && length <= 128);
}

static bool addresses_valid(const WiceInterfaceAddress *addresses, size_t n)
{
	if (n > 0 && !addresses)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!length_valid(addresses[i].address.family, addresses[i].length))
			return false;
	}
	return true;
}

static bool routes_valid(const WiceLinkChange *change)
{
	if (change->n_routes > 0 && !change->routes)
		return false;
	for (size_t i = 0; i < change->n_routes; i++) {
		const WicePrefix *network = &change->routes[i];
		if (!length_valid(network->address.family, network->length))
			return false;
	}
	return true;
}

gboolean wice__wg_check_link_change(const WiceLinkChange *given, WiceLinkChange *ret_whole,
				    GError **error)
{
	WiceLinkChange whole = { 0 };
	const WiceLinkChange *change = &whole;
	if (!wice__options_understood(given, given->size, sizeof *given)) {
		g_set_error(
			error, WICE_ERROR, WICE_ERROR_INVALID,
			"The size of the link change is wrong, or it asks for what this version "
			"of libwice does not know; set it to sizeof(WiceLinkChange).");
		return FALSE;
	}
	memcpy(&whole, given, MIN(given->size, sizeof whole));
	if (change->new_name && !wice__wg_check_new_name(change->new_name, error))
		return FALSE;
	if (change->mtu > MTU_MAX) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "%u bytes cannot be the MTU of an interface: at most %u can.",
			    change->mtu, MTU_MAX);
		return FALSE;
	}
	if (!addresses_valid(change->add, change->n_add) ||
	    !addresses_valid(change->remove, change->n_remove)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "An address of the link change is none: it needs a family, and a "
			    "prefix length of at most 32 (IPv4) or 128 (IPv6).");
		return FALSE;
	}
	if (!routes_valid(change)) {
		g_set_error(
			error, WICE_ERROR, WICE_ERROR_INVALID,
			"A route of the link change leads to no network: it needs a family, and "
			"a prefix length of at most 32 (IPv4) or 128 (IPv6).");
		return FALSE;
	}
	*ret_whole = whole;
	return TRUE;
}

static bool changes_nothing(const WiceLinkChange *change)
{
	return !change->new_name && !change->set_up && change->mtu == 0 && change->n_add == 0 &&
	       change->n_remove == 0 && change->n_routes == 0;
}

gboolean wice_wg_set_link(WiceWg *wg, const char *name, const WiceLinkChange *change,
			  unsigned timeout_ms, GError **error)
{
	WiceLinkChange whole;
	if (!wice__wg_check_name(name, error) || !wice__wg_check_link_change(change, &whole, error))
		return FALSE;
	if (changes_nothing(&whole))
		return TRUE;
	int64_t deadline = wice__now_ms() + timeout_ms;
	int r = -ENODEV;
	for (size_t i = wice__wg_first(wg); i < wg->n_backends && r == -ENODEV; i++) {
		WiceWgBackend *backend = wg->backends[i];
		if (backend->ops->set_link)
			r = backend->ops->set_link(backend, name, &whole, deadline);
	}
	return r < 0 ? wice__wg_fail(error, r, WICE_WG_SET_LINK, name) : TRUE;
}
