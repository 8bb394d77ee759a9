/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How requests reach the kernel. libnl makes the sockets and the messages; the receive loop is our
 * own, because libnl's knows no deadline, folds errnos together and leaves private keys in freed
 * memory.
 *
 * Each exchange has a socket of its own: what an abandoned one would still have received vanishes
 * with it, and a caller that has entered another network namespace sees that one's devices.
 */
#include "event/source.h"
#include "wg/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netlink/errno.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>

/*
 * The kernel makes the parts of a dump as large as the largest buffer that it was ever offered, up
 * to 32 KiB.
 */
#define BUFFER_SIZE ((size_t)64 * 1024)

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

ssize_t wice__netlink_receive(int fd, void *buffer, size_t size)
{
	struct sockaddr_nl sender = { 0 };
	struct iovec part = { .iov_base = buffer, .iov_len = size };
	struct msghdr message = {
		.msg_name = &sender, .msg_namelen = sizeof sender, .msg_iov = &part, .msg_iovlen = 1
	};
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
	if (n < 0)
		return -errno;
	if (sender.nl_pid != 0)
		return 0;
	return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}

/* Most answers are there at once, so waiting comes second. */
static int receive_reply(int fd, void *buffer, WiceNetlinkReply *reply, int64_t deadline_ms)
{
	int r = 0;
	while (r == 0) {
		ssize_t n = wice__netlink_receive(fd, buffer, BUFFER_SIZE);
		if (n > 0)
			r = wice__netlink_reply_feed(reply, buffer, (size_t)n);
		else if (n == -EAGAIN)
			r = wait_readable(fd, deadline_ms);
		else if (n != -EINTR)
			r = (int)n;
	}
	return r < 0 ? r : 0;
}

static int send_request(struct nl_sock *socket, struct nl_msg *request)
{
	int r;
	do
		r = nl_send(socket, request);
	while (r == -NLE_INTR);
	return r < 0 ? wice__netlink_errno(r) : 0;
}

/*
 * What older kernels do not know they also do well without: an error without the request that it is
 * about (which may hold secrets, and be large), and dumps of one link's addresses alone.
 */
static void set_options(int fd, int protocol)
{
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &(int){ 1 }, sizeof(int));
	if (protocol == NETLINK_ROUTE)
		(void)setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &(int){ 1 }, sizeof(int));
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
	set_options(nl_socket_get_fd(socket), protocol);
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

const WiceNetlinkTransport wice__netlink_kernel = { .exchange = kernel_exchange };

int wice__netlink_exchange(const WiceNetlinkTransport *transport, int protocol,
			   struct nl_msg *request, WiceNetlinkReply *reply, int64_t deadline_ms)
{
	if (!request)
		return -ENOMEM;
	int r = transport->exchange(transport->user_data, protocol, request, reply, deadline_ms);
	wice__netlink_request_free(request);
	return r;
}
