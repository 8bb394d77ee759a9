/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* How the errors of backends read at the public boundary. */
#include "wg/device.h"
#include "wg/uapi.h"
#include "wg/wg_private.h"

#include <errno.h>
#include <string.h>
#include <wice/error.h>

static const char *const attempts[] = {
	[WICE_WG_LIST] = "list WireGuard interfaces",
	[WICE_WG_GET] = "read WireGuard interface",
	[WICE_WG_SET] = "change WireGuard interface",
	[WICE_WG_CREATE] = "create WireGuard interface",
	[WICE_WG_DELETE] = "delete WireGuard interface",
	[WICE_WG_GET_LINK] = "read the network interface of WireGuard interface",
	[WICE_WG_SET_LINK] = "change the network interface of WireGuard interface",
};

#define ON(action) (1u << (action))
#define ON_ALL UINT_MAX

typedef struct {
	int error;        /* -errno */
	unsigned actions; /* ON() those that it is the explanation for */
	WiceErrorCode code;
	const char *reason;
} Explanation;

/* The first one that fits counts. */
static const Explanation explanations[] = {
	{ -ENODEV, ON_ALL, WICE_ERROR_NOT_FOUND,
	  "there is no such WireGuard interface in this network namespace; create it, or see "
	  "\"wg show interfaces\" for those that exist" },
	{ -EPERM, ON_ALL, WICE_ERROR_PERMISSION,
	  "the privilege CAP_NET_ADMIN is missing; run as root or grant it" },
	{ -EACCES, ON_ALL, WICE_ERROR_PERMISSION,
	  "the sockets of userspace WireGuard in " WICE_UAPI_FOLDER
	  " may not be used; run as root (or with CAP_NET_ADMIN and CAP_DAC_OVERRIDE)" },
	{ -ETIMEDOUT, ON_ALL, WICE_ERROR_TIMEOUT,
	  "it did not answer in time; if it is a userspace process it may be overloaded or hung" },
	{ -EPROTO, ON_ALL, WICE_ERROR_PROTOCOL,
	  "its answer is malformed; update the WireGuard implementation that runs it" },
	{ -E2BIG, ON_ALL, WICE_ERROR_PROTOCOL,
	  "its answer holds more peers or allowed IPs than possible" },
	{ -EINVAL, ON(WICE_WG_SET), WICE_ERROR_INVALID,
	  "the WireGuard implementation that runs it refuses a value" },
	{ -EINVAL, ON(WICE_WG_CREATE), WICE_ERROR_INVALID, "the system refuses the name" },
	{ -EINVAL, ON(WICE_WG_SET_LINK), WICE_ERROR_INVALID,
	  "the system refuses the name, the MTU or an address" },
	{ -EOPNOTSUPP, ON(WICE_WG_CREATE), WICE_ERROR_UNSUPPORTED,
	  "this kernel has no WireGuard; load its module, or start a userspace implementation, for "
	  "instance wireguard-go" },
	{ -EOPNOTSUPP, ON(WICE_WG_SET), WICE_ERROR_UNSUPPORTED,
	  "the WireGuard implementation that runs it cannot change existing peers; use another "
	  "one, for instance the kernel's or wireguard-go" },
	{ -EOPNOTSUPP, ON(WICE_WG_SET_LINK), WICE_ERROR_UNSUPPORTED,
	  "a userspace device cannot be renamed, because its socket would keep the old name; start "
	  "it anew under the other name" },
	{ -EOPNOTSUPP, ON_ALL, WICE_ERROR_UNSUPPORTED,
	  "the WireGuard implementation that runs it cannot do this" },
	{ -ENOPROTOOPT, ON_ALL, WICE_ERROR_UNSUPPORTED,
	  "the WireGuard implementation that runs it cannot take single allowed IPs away" },
	{ -EEXIST, ON(WICE_WG_CREATE), WICE_ERROR_EXISTS,
	  "there is a network interface of that name already" },
	{ -EEXIST, ON_ALL, WICE_ERROR_EXISTS,
	  "there is a network interface of the new name already" },
	{ -ENOTUNIQ, ON(WICE_WG_SET_LINK), WICE_ERROR_EXISTS,
	  "it has one of the addresses already, with another prefix length; remove that one too" },
	{ -EALREADY, ON(WICE_WG_SET_LINK), WICE_ERROR_EXISTS,
	  "there is a route to one of the networks already, perhaps by way of another interface; "
	  "remove it first" },
	{ -EAFNOSUPPORT, ON(WICE_WG_SET_LINK), WICE_ERROR_UNSUPPORTED,
	  "IPv6 is switched off; see the sysctl net.ipv6.conf.*.disable_ipv6" },
	{ -EADDRINUSE, ON(WICE_WG_SET) | ON(WICE_WG_SET_LINK), WICE_ERROR_BUSY,
	  "another program uses the listen port; choose another one" },
	{ -EBUSY, ON(WICE_WG_SET), WICE_ERROR_BUSY,
	  "the system holds it; the listen port may be in use by another program" },
	{ -EBUSY, ON(WICE_WG_SET_LINK), WICE_ERROR_BUSY,
	  "the system holds it; some kernels rename interfaces only while they are down" },
	{ -EBUSY, ON_ALL, WICE_ERROR_BUSY,
	  "it changed again and again while it was read; try again" },
};

static const Explanation *explain(int r, WiceWgAction action)
{
	static const Explanation otherwise = { .code = WICE_ERROR_IO,
					       .reason = "the system refused it" };
	for (size_t i = 0; i < G_N_ELEMENTS(explanations); i++) {
		if (explanations[i].error == r && explanations[i].actions & ON(action))
			return &explanations[i];
	}
	return &otherwise;
}

/* Changes are made one after the other; these errors come before the first. */
static bool may_be_half_done(int r, WiceWgAction action)
{
	return (action == WICE_WG_SET || action == WICE_WG_SET_LINK) && r != -ENODEV &&
	       r != -EPERM && r != -EACCES;
}

gboolean wice__wg_fail(GError **error, int r, WiceWgAction action, const char *name)
{
	const Explanation *explanation = explain(r, action);
	g_set_error(error, WICE_ERROR, (gint)explanation->code, "Cannot %s%s%s: %s (%s).%s",
		    attempts[action], *name ? " " : "", name, explanation->reason, g_strerror(-r),
		    may_be_half_done(r, action) ? " Some of the changes may have been made." : "");
	return FALSE;
}

gboolean wice__wg_check_name(const char *name, GError **error)
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

/* Linux puts a number in the place of "%d", so that the interface would get another name. */
gboolean wice__wg_check_new_name(const char *name, GError **error)
{
	if (!wice__wg_check_name(name, error))
		return FALSE;
	if (!strchr(name, '%'))
		return TRUE;
	g_set_error(
		error, WICE_ERROR, WICE_ERROR_INVALID,
		"\"%s\" cannot become the name of a network interface: it must not have a '%%'.",
		name);
	return FALSE;
}
