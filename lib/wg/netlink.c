/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's WireGuard through netlink. libnl makes the sockets and the messages; the receive
 * loop is our own, because libnl's knows no deadline, folds errnos together and leaves private
 * keys in freed memory.
 *
 * Each exchange has a socket of its own: what an abandoned one would still have received vanishes
 * with it, and a caller that has entered another network namespace sees that one's devices.
 */
#include "wg/netlink.h"

#include "event/source.h"

#include <errno.h>
#include <linux/wireguard.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>

/*
 * The kernel makes the parts of a dump as large as the largest buffer that it was ever offered, up
 * to 32 KiB.
 */
#define BUFFER_SIZE ((size_t)64 * 1024)
/* How often a dump is taken again that was torn by changes. */
#define DUMP_TRIES 8

typedef struct {
	WiceWgBackend base;
	WiceNetlinkTransport transport;
} NetlinkBackend;

int wice__netlink_errno(int error)
{
	switch (-error) {
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_NOADDR: /* no free port number */
		return -EADDRINUSE;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EAFNOSUPPORT;
	default:
		return -EIO;
	}
}

static int wait_readable(int fd, int64_t deadline_ms)
{
	for (;;) {
		int64_t left = deadline_ms - wice__now_ms();
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };
		int n = poll(&pollfd, 1, (int)CLAMP(left, 0, G_MAXINT));
		if (n > 0)
			return 0;
		if (n == 0 && left <= G_MAXINT)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

static int receive_reply(int fd, void *buffer, WiceNetlinkReply *reply, int64_t deadline_ms)
{
	for (;;) {
		int r = wait_readable(fd, deadline_ms);
		if (r < 0)
			return r;
		struct sockaddr_nl sender = { 0 };
		struct iovec part = { .iov_base = buffer, .iov_len = BUFFER_SIZE };
		struct msghdr message = { .msg_name = &sender,
					  .msg_namelen = sizeof sender,
					  .msg_iov = &part,
					  .msg_iovlen = 1 };
		ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return -errno;
		if (message.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		if (sender.nl_pid != 0) /* not from the kernel */
			continue;
		r = wice__netlink_reply_feed(reply, buffer, (size_t)n);
		if (r != 0)
			return r < 0 ? r : 0;
	}
}

static int send_request(struct nl_sock *socket, struct nl_msg *request)
{
	int r;
	do
		r = nl_send(socket, request);
	while (r == -NLE_INTR);
	return r < 0 ? wice__netlink_errno(r) : 0;
}

static int kernel_exchange(void *user_data, int protocol, struct nl_msg *request,
			   WiceNetlinkReply *reply, int64_t deadline_ms)
{
	struct nl_sock *socket = nl_socket_alloc();
	if (!socket)
		return -ENOMEM;
	int r = nl_connect(socket, protocol);
	if (r < 0) {
		nl_socket_free(socket);
		return wice__netlink_errno(r);
	}
	nl_complete_msg(socket, request);
	reply->port = nlmsg_hdr(request)->nlmsg_pid;
	reply->sequence = nlmsg_hdr(request)->nlmsg_seq;

	void *buffer = g_malloc(BUFFER_SIZE);
	r = send_request(socket, request);
	if (r == 0)
		r = receive_reply(nl_socket_get_fd(socket), buffer, reply, deadline_ms);
	sodium_memzero(buffer, BUFFER_SIZE);
	g_free(buffer);
	nl_socket_free(socket);
	return r;
}

/* Frees the request, which may be NULL for want of memory. */
static int exchange(NetlinkBackend *backend, int protocol, struct nl_msg *request,
		    WiceNetlinkReply *reply, int64_t deadline_ms)
{
	if (!request)
		return -ENOMEM;
	int r = backend->transport.exchange(backend->transport.user_data, protocol, request, reply,
					    deadline_ms);
	nlmsg_free(request);
	return r;
}

static int link_message(struct nlmsghdr *header, void *user_data)
{
	return wice__netlink_read_link(header, user_data);
}

static int family_message(struct nlmsghdr *header, void *user_data)
{
	return wice__netlink_read_family(header, user_data);
}

/*
 * The number of the WireGuard family, for a device that is one. Asking for the family makes the
 * kernel look for a module of that name, so the link is looked at first. -ENODEV.
 */
static int find_family(NetlinkBackend *backend, const char *name, int64_t deadline_ms,
		       uint16_t *ret)
{
	WiceNetlinkLink link = { 0 };
	WiceNetlinkReply link_reply = { .message = link_message, .user_data = &link };
	int r = exchange(backend, NETLINK_ROUTE, wice__netlink_write_get_link(name), &link_reply,
			 deadline_ms);
	if (r < 0)
		return r;
	if (strcmp(link.kind, WG_GENL_NAME) != 0)
		return -ENODEV;

	uint16_t family = 0;
	WiceNetlinkReply family_reply = { .message = family_message, .user_data = &family };
	r = exchange(backend, NETLINK_GENERIC, wice__netlink_write_get_family(WG_GENL_NAME),
		     &family_reply, deadline_ms);
	if (r < 0)
		return r == -ENOENT ? -ENODEV : r;
	if (family == 0)
		return -EPROTO;
	*ret = family;
	return 0;
}

static int list_message(struct nlmsghdr *header, void *user_data)
{
	GPtrArray *names = user_data;
	WiceNetlinkLink link;
	int r = wice__netlink_read_link(header, &link);
	if (r == 0 && strcmp(link.kind, WG_GENL_NAME) == 0 && wice__interface_name_valid(link.name))
		g_ptr_array_add(names, g_strdup(link.name));
	return r;
}

/* True if a dump is to be taken again: it was torn, or the socket could not hold it. */
static bool is_torn(int r, const WiceNetlinkReply *reply)
{
	return r == -ENOBUFS || (r == 0 && reply->interrupted);
}

static int netlink_list(WiceWgBackend *base, GPtrArray *names, GPtrArray *problems,
			int64_t deadline_ms)
{
	NetlinkBackend *backend = (NetlinkBackend *)base;
	guint before = names->len;
	for (int i = 0; i < DUMP_TRIES; i++) {
		g_ptr_array_set_size(names, (gint)before);
		WiceNetlinkReply reply = { .message = list_message, .user_data = names };
		int r = exchange(backend, NETLINK_ROUTE,
				 wice__netlink_write_list_links(WG_GENL_NAME), &reply, deadline_ms);
		if (!is_torn(r, &reply))
			return r;
	}
	return -EBUSY;
}

static int device_message(struct nlmsghdr *header, void *user_data)
{
	return wice__netlink_read_device(header, user_data);
}

/* -EOPNOTSUPP: an interface of another kind has taken the name since the link was looked at. */
static int device_error(int r)
{
	return r == -EOPNOTSUPP ? -ENODEV : r;
}

static int netlink_get(WiceWgBackend *base, const char *name, int64_t deadline_ms, WiceDevice **ret)
{
	NetlinkBackend *backend = (NetlinkBackend *)base;
	uint16_t family;
	int r = find_family(backend, name, deadline_ms, &family);
	if (r < 0)
		return r;
	for (int i = 0; i < DUMP_TRIES; i++) {
		WiceDeviceBuilder *builder = wice__device_builder_new(name, WICE_DEVICE_KERNEL);
		WiceNetlinkReply reply = { .message = device_message, .user_data = builder };
		r = exchange(backend, NETLINK_GENERIC, wice__netlink_write_get_device(family, name),
			     &reply, deadline_ms);
		if (r == 0 && !reply.interrupted) {
			*ret = wice__device_builder_finish(builder);
			return 0;
		}
		wice__device_builder_free(builder);
		if (!is_torn(r, &reply))
			return device_error(r);
	}
	return -EBUSY;
}

static int netlink_update_peer(WiceWgBackend *base, const char *name, const WicePeerUpdate *update,
			       int64_t deadline_ms)
{
	NetlinkBackend *backend = (NetlinkBackend *)base;
	WiceNetlinkReply reply = { 0 };
	uint16_t family;
	int r = find_family(backend, name, deadline_ms, &family);
	if (r < 0)
		return r;
	r = exchange(backend, NETLINK_GENERIC, wice__netlink_write_update(family, name, update),
		     &reply, deadline_ms);
	return device_error(r);
}

/* For now: one change of an existing peer. */
static bool as_update(const WiceDeviceChange *change, WicePeerUpdate *ret)
{
	const WicePeerChange *peer = change->peers;
	if (change->n_peers != 1 || change->fields || peer->flags != WICE_PEER_CHANGE_UPDATE_ONLY)
		return false;
	*ret = (WicePeerUpdate){ .size = sizeof *ret,
				 .public_key = peer->public_key,
				 .set_endpoint = peer->fields & WICE_PEER_HAS_ENDPOINT,
				 .endpoint = peer->endpoint,
				 .set_keepalive = peer->fields & WICE_PEER_HAS_KEEPALIVE,
				 .keepalive_s = peer->keepalive_s };
	return true;
}

static int netlink_set(WiceWgBackend *base, const char *name, const WiceDeviceChange *change,
		       int64_t deadline_ms)
{
	WicePeerUpdate update;
	return as_update(change, &update) ? netlink_update_peer(base, name, &update, deadline_ms)
					  : -EOPNOTSUPP;
}

static void netlink_free(WiceWgBackend *base)
{
	g_free(base);
}

WiceWgBackend *wice__wg_netlink_new_with(const WiceNetlinkTransport *transport)
{
	static const WiceWgBackendOps ops = {
		.name = "netlink",
		.kind = WICE_DEVICE_KERNEL,
		.list = netlink_list,
		.get = netlink_get,
		.set = netlink_set,
		.free = netlink_free,
	};
	NetlinkBackend *backend = g_new0(NetlinkBackend, 1);
	backend->base.ops = &ops;
	backend->transport = *transport;
	return &backend->base;
}

WiceWgBackend *wice__wg_netlink_new(void)
{
	static const WiceNetlinkTransport kernel = { .exchange = kernel_exchange };
	return wice__wg_netlink_new_with(&kernel);
}
