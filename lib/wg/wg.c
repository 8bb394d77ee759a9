/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public face of the backends: checks what comes in, asks one after the other, explains
 * errors.
 */
#include "event/source.h"
#include "wg/backend.h"
#include "wg/device.h"
#include "wg/netlink.h"
#include "wg/uapi.h"

#include <errno.h>
#include <string.h>
#include <wice/error.h>

/* Listing takes no deadline; it is there for a system that is stuck. */
#define LIST_TIMEOUT_MS 5000

struct WiceWg {
	WiceWgBackend **backends;
	size_t n_backends;
};

WiceWg *wice__wg_new_with(WiceWgBackend *const *backends, size_t n_backends)
{
	WiceWg *wg = g_new0(WiceWg, 1);
	wg->backends = g_memdup2(backends, n_backends * sizeof *backends);
	wg->n_backends = n_backends;
	return wg;
}

/* As wg(8) does it, a socket wins over a kernel device of the same name. */
WiceWg *wice_wg_new(void)
{
	WiceWgBackend *const backends[] = {
		wice__wg_uapi_new(WICE_UAPI_FOLDER),
		wice__wg_netlink_new(),
	};
	return wice__wg_new_with(backends, G_N_ELEMENTS(backends));
}

void wice_wg_free(WiceWg *wg)
{
	if (!wg)
		return;
	for (size_t i = 0; i < wg->n_backends; i++)
		wg->backends[i]->ops->free(wg->backends[i]);
	g_free(wg->backends);
	g_free(wg);
}

typedef struct {
	int error; /* -errno */
	WiceErrorCode code;
	const char *reason;
} Explanation;

static const Explanation explanations[] = {
	{ -ENODEV, WICE_ERROR_NOT_FOUND,
	  "there is no such WireGuard interface in this network namespace; create it, or see "
	  "\"wg show interfaces\" for those that exist" },
	{ -EPERM, WICE_ERROR_PERMISSION,
	  "the privilege CAP_NET_ADMIN is missing; run as root or grant it" },
	{ -EACCES, WICE_ERROR_PERMISSION,
	  "the sockets of userspace WireGuard in " WICE_UAPI_FOLDER
	  " may not be used; run as root (or with CAP_NET_ADMIN and CAP_DAC_OVERRIDE)" },
	{ -ETIMEDOUT, WICE_ERROR_TIMEOUT,
	  "it did not answer in time; if it is a userspace process it may be overloaded or hung" },
	{ -EPROTO, WICE_ERROR_PROTOCOL,
	  "its answer is malformed; update the WireGuard implementation that runs it" },
	{ -E2BIG, WICE_ERROR_PROTOCOL, "its answer holds more peers or allowed IPs than possible" },
	{ -EOPNOTSUPP, WICE_ERROR_UNSUPPORTED,
	  "the WireGuard implementation that runs it cannot change existing peers; use another "
	  "one, for instance the kernel's or wireguard-go" },
	{ -EBUSY, WICE_ERROR_IO, "it changed again and again while it was read; try again" },
};

static gboolean fail(GError **error, int r, const char *attempt, const char *name)
{
	const char *space = *name ? " " : "";
	for (size_t i = 0; i < G_N_ELEMENTS(explanations); i++) {
		if (explanations[i].error != r)
			continue;
		g_set_error(error, WICE_ERROR, (gint)explanations[i].code,
			    "Cannot %s%s%s: %s (%s).", attempt, space, name, explanations[i].reason,
			    g_strerror(-r));
		return FALSE;
	}
	g_set_error(error, WICE_ERROR, WICE_ERROR_IO, "Cannot %s%s%s: the system refused it (%s).",
		    attempt, space, name, g_strerror(-r));
	return FALSE;
}

static gboolean check_name(const char *name, GError **error)
{
	if (wice__interface_name_valid(name))
		return TRUE;
	g_autofree char *shown = g_strescape(name, NULL);
	g_set_error(
		error, WICE_ERROR, WICE_ERROR_INVALID,
		"\"%.64s\" cannot be the name of a network interface: it must have 1 to 15 bytes "
		"of UTF-8 without spaces, '/' and ':'.",
		shown);
	return FALSE;
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, drops repetitions and turns the array into a NULL-terminated vector. */
static char **take_names(GPtrArray *names)
{
	g_ptr_array_sort(names, compare_names);
	for (guint i = 1; i < names->len;) {
		if (strcmp(names->pdata[i - 1], names->pdata[i]) == 0)
			g_ptr_array_remove_index(names, i);
		else
			i++;
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

char **wice_wg_list(WiceWg *wg, char ***ret_problems, GError **error)
{
	int64_t deadline = wice__now_ms() + LIST_TIMEOUT_MS;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	for (size_t i = 0; i < wg->n_backends; i++) {
		int r = wg->backends[i]->ops->list(wg->backends[i], names, problems, deadline);
		if (r < 0) {
			g_ptr_array_unref(names);
			fail(error, r, "list WireGuard interfaces", "");
			return NULL;
		}
	}
	return take_names(names);
}

WiceDevice *wice_wg_get(WiceWg *wg, const char *name, unsigned timeout_ms, GError **error)
{
	if (!check_name(name, error))
		return NULL;
	int64_t deadline = wice__now_ms() + timeout_ms;
	WiceDevice *device = NULL;
	int r = -ENODEV;
	for (size_t i = 0; i < wg->n_backends && r == -ENODEV; i++)
		r = wg->backends[i]->ops->get(wg->backends[i], name, deadline, &device);
	if (r < 0)
		fail(error, r, "read WireGuard interface", name);
	return device;
}

/* Bytes behind what this version knows must be zero: nothing may be asked for and not be done. */
static bool understood(const WicePeerUpdate *update)
{
	const unsigned char *bytes = (const unsigned char *)update;
	if (update->size < sizeof *update)
		return false;
	for (size_t i = sizeof *update; i < update->size; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static bool is_address(const WiceEndpoint *endpoint)
{
	uint8_t family = endpoint->address.family;
	return (family == WICE_FAMILY_IPV4 || family == WICE_FAMILY_IPV6) && endpoint->port != 0;
}

static gboolean check_update(const WicePeerUpdate *update, GError **error)
{
	char text[WICE_ENDPOINT_SIZE];
	if (!understood(update)) {
		g_set_error(
			error, WICE_ERROR, WICE_ERROR_INVALID,
			"The size of the peer update is wrong, or it asks for what this version "
			"of libwice does not know; set it to sizeof(WicePeerUpdate).");
		return FALSE;
	}
	if (update->set_endpoint && !is_address(&update->endpoint)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "%s cannot be the endpoint of a peer: it needs an address and a port, "
			    "and WireGuard cannot unset an endpoint.",
			    wice_endpoint_format(&update->endpoint, text));
		return FALSE;
	}
	return TRUE;
}

gboolean wice_wg_update_peer(WiceWg *wg, const char *name, const WicePeerUpdate *update,
			     unsigned timeout_ms, GError **error)
{
	if (!check_name(name, error) || !check_update(update, error))
		return FALSE;
	if (!update->set_endpoint && !update->set_keepalive)
		return TRUE;
	WicePeerChange peer = {
		.flags = WICE_PEER_CHANGE_UPDATE_ONLY,
		.fields = (update->set_endpoint ? WICE_PEER_HAS_ENDPOINT : 0u) |
			  (update->set_keepalive ? WICE_PEER_HAS_KEEPALIVE : 0u),
		.public_key = update->public_key,
		.endpoint = update->endpoint,
		.keepalive_s = update->keepalive_s,
	};
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
	int64_t deadline = wice__now_ms() + timeout_ms;
	int r = -ENODEV;
	for (size_t i = 0; i < wg->n_backends && r == -ENODEV; i++)
		r = wg->backends[i]->ops->set(wg->backends[i], name, &change, deadline);
	return r < 0 ? fail(error, r, "change a peer of WireGuard interface", name) : TRUE;
}
