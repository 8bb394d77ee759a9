/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turnserver/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wice/error.h>

#include "base/parse.h"

#define BACKLOG 1024 /* all clients come back at once after a restart */

static const char *const kinds[] = { "udp", "tcp", "tls" };

static gboolean refuse(GError **error, const char *text)
{
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
		    "'%s' is not where a relay can listen: it must be udp:ADDRESS:PORT, "
		    "tcp:ADDRESS:PORT or tls:ADDRESS:PORT; an IPv6 address in brackets, '*' for "
		    "all addresses.",
		    text);
	return FALSE;
}

static bool parse_kind(const char **text, WiceListenerKind *ret_kind)
{
	for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
		if (strncmp(*text, kinds[i], 3) == 0 && (*text)[3] == ':') {
			*text += 4;
			*ret_kind = (WiceListenerKind)i;
			return true;
		}
	}
	return false;
}

static void set_system_error(GError **error, const char *text, int err)
{
	WiceErrorCode code = WICE_ERROR_IO;
	const char *hint = "";
	if (err == -EADDRINUSE) {
		code = WICE_ERROR_BUSY;
		hint = "; another program has this port";
	} else if (err == -EACCES || err == -EPERM) {
		code = WICE_ERROR_PERMISSION;
		hint = "; CAP_NET_BIND_SERVICE is needed for ports below 1024";
	} else if (err == -EADDRNOTAVAIL) {
		code = WICE_ERROR_NOT_FOUND;
		hint = "; this host does not have the address";
	}
	g_set_error(error, WICE_ERROR, code, "The relay cannot listen at %s: %s%s.", text,
		    g_strerror(-err), hint);
}

static bool is_unspecified(const WiceAddress *address)
{
	static const uint8_t zeros[16];
	return memcmp(address->bytes, zeros, sizeof zeros) == 0;
}

static int prepare(int fd, WiceListenerKind kind, const WiceEndpoint *local)
{
	int on = 1;
	if (local->address.family == WICE_FAMILY_IPV6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) < 0)
		return -errno;
	if (kind != WICE_LISTENER_UDP)
		return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ? -errno : 0;
	wice__udp_set_buffers(fd);
	wice__udp_permit_fragments(fd, local->address.family);
	wice__udp_set_gro(fd, true);
	/* With one address there is nothing to tell, nor to say when sending. */
	return is_unspecified(&local->address) ? wice__udp_tell_local(fd, local->address.family)
					       : 0;
}

static int open_socket(WiceListenerKind kind, const WiceEndpoint *local)
{
	WiceUdpName name;
	socklen_t len = wice__udp_name(&name, local);
	int type = kind == WICE_LISTENER_UDP ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(name.any.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int err = prepare(fd, kind, local);
	if (!err && bind(fd, &name.any, len) < 0)
		err = -errno;
	if (!err && type == SOCK_STREAM && listen(fd, BACKLOG) < 0)
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static uint16_t bound_port(int fd)
{
	WiceUdpName name = { 0 };
	socklen_t len = sizeof name;
	getsockname(fd, &name.any, &len);
	return g_ntohs(name.any.sa_family == AF_INET6 ? name.in6.sin6_port : name.in4.sin_port);
}

static int open_one(WiceListenerKind kind, const WiceEndpoint *local, GPtrArray *listeners)
{
	char text[WICE_ENDPOINT_SIZE];
	int fd = open_socket(kind, local);
	if (fd < 0)
		return fd;
	WiceListener *listener = g_new0(WiceListener, 1);
	listener->udp.polled.fd = fd;
	listener->kind = kind;
	listener->local = *local;
	listener->local.port = bound_port(fd);
	listener->is_wildcard = is_unspecified(&local->address);
	wice__udp_sender_init(&listener->udp.sender, fd, kind == WICE_LISTENER_UDP, false);
	listener->text =
		g_strdup_printf("%s:%s", kinds[kind], wice_endpoint_format(&listener->local, text));
	g_ptr_array_add(listeners, listener);
	return 0;
}

int wice__listener_share(WiceFamily family, uint16_t port, GPtrArray *listeners)
{
	const WiceEndpoint any = { .address.family = (uint8_t)family };
	char text[WICE_ENDPOINT_SIZE];
	int err = open_one(WICE_LISTENER_UDP, &any, listeners);
	if (err)
		return err;
	WiceListener *listener = g_ptr_array_index(listeners, listeners->len - 1);
	listener->local.port = port;
	g_free(listener->text);
	listener->text = g_strdup_printf("udp:%s", wice_endpoint_format(&listener->local, text));
	return 0;
}

static gboolean open_all(const char *text, WiceListenerKind kind, uint16_t port,
			 GPtrArray *listeners, GError **error)
{
	const WiceFamily families[] = { WICE_FAMILY_IPV4, WICE_FAMILY_IPV6 };
	int err = 0, opened = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(families); i++) {
		WiceEndpoint local = { .address.family = families[i], .port = port };
		int r = open_one(kind, &local, listeners);
		/* A system may be without one of them. */
		if (r == 0)
			opened++;
		else if (!err || (r != -EAFNOSUPPORT && r != -EADDRNOTAVAIL))
			err = r;
	}
	if (opened > 0 && (!err || err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL))
		return TRUE;
	set_system_error(error, text, err);
	return FALSE;
}

gboolean wice__listener_open(const char *text, GPtrArray *listeners, GError **error)
{
	const char *where = text;
	WiceListenerKind kind;
	WiceEndpoint local;
	uint64_t port;
	if (!parse_kind(&where, &kind))
		return refuse(error, text);
	if (strncmp(where, "*:", 2) == 0) {
		if (!wice__parse_number(where + 2, strlen(where + 2), UINT16_MAX, &port))
			return refuse(error, text);
		return open_all(text, kind, (uint16_t)port, listeners, error);
	}
	if (!wice_endpoint_parse(where, &local))
		return refuse(error, text);
	int err = open_one(kind, &local, listeners);
	if (err)
		set_system_error(error, text, err);
	return err == 0;
}

void wice__listener_free(void *data)
{
	WiceListener *listener = data;
	close(listener->udp.sender.fd);
	g_free(listener->text);
	g_free(listener);
}

WiceListener *wice__listener_find(const GPtrArray *listeners, const WiceEndpoint *local)
{
	for (guint i = 0; i < listeners->len; i++) {
		WiceListener *listener = g_ptr_array_index(listeners, i);
		if (listener->kind != WICE_LISTENER_UDP || listener->local.port != local->port ||
		    listener->local.address.family != local->address.family)
			continue;
		if (listener->is_wildcard ||
		    wice_address_compare(&listener->local.address, &local->address) == 0)
			return listener;
	}
	return NULL;
}
