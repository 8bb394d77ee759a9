/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/rtnetlink.h"

#include "event/source.h"
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/socket.h>

#define MAX_DATAGRAMS 64 /* read at a time; the rest waits for the next turn of the loop */
#define RECEIVE_BUFFER (256 * 1024)

int wice__rtnetlink_errno(int nl_error)
{
	switch (nl_error < 0 ? -nl_error : nl_error) {
	case 0:
		return 0;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EAFNOSUPPORT;
	case NLE_NODEV:
		return -ENODEV;
	case NLE_BUSY:
		return -EBUSY;
	case NLE_DUMP_INTR:
		return -EAGAIN;
	default:
		return -EIO;
	}
}

int wice__rtnetlink_open(struct nl_sock **ret_socket)
{
	struct nl_sock *socket = nl_socket_alloc();
	if (!socket)
		return -ENOMEM;
	int error = nl_connect(socket, NETLINK_ROUTE);
	if (error) {
		nl_socket_free(socket);
		return wice__rtnetlink_errno(error);
	}
	*ret_socket = socket;
	return 0;
}

bool wice__rtnetlink_is_wireless_event(struct nlmsghdr *link)
{
	return nlmsg_valid_hdr(link, sizeof(struct ifinfomsg)) &&
	       nlmsg_find_attr(link, sizeof(struct ifinfomsg), IFLA_WIRELESS) != NULL;
}

struct WiceRtnetlinkWatch {
	WiceRtnetlinkWatchOptions options;
	void *user_data;
	struct nl_sock *socket;
	WiceFdWatch *readable;
	WiceTimer *timer;
	bool pending; /* the timer runs */
};

static void note_change(WiceRtnetlinkWatch *watch)
{
	if (watch->pending)
		return;
	watch->pending = true;
	wice__timer_set(watch->timer, wice__now_ms() + watch->options.delay_ms);
}

static void report(void *user_data)
{
	WiceRtnetlinkWatch *watch = user_data;
	watch->pending = false;
	watch->options.changed(watch->user_data);
}

static int message_received(struct nl_msg *message, void *user_data)
{
	WiceRtnetlinkWatch *watch = user_data;
	if (!watch->pending && watch->options.matters(nlmsg_hdr(message)))
		note_change(watch);
	return NL_OK;
}

static void readable(int fd, GIOCondition condition, void *user_data)
{
	WiceRtnetlinkWatch *watch = user_data;
	for (unsigned i = 0; i < MAX_DATAGRAMS; i++) {
		int error = nl_recvmsgs_default(watch->socket);
		if (error == -NLE_AGAIN)
			return;
		if (error < 0) { /* ENOBUFS, mostly: something was lost, so something has changed */
			note_change(watch);
			return;
		}
	}
}

static int subscribe(WiceRtnetlinkWatch *watch)
{
	nl_socket_disable_seq_check(watch->socket);
	nl_socket_modify_cb(watch->socket, NL_CB_VALID, NL_CB_CUSTOM, message_received, watch);
	nl_socket_set_buffer_size(watch->socket, RECEIVE_BUFFER, 0);
	int error = nl_socket_set_nonblocking(watch->socket);
	for (size_t i = 0; i < watch->options.n_groups && !error; i++)
		error = nl_socket_add_membership(watch->socket, watch->options.groups[i]);
	watch->options.groups = NULL;
	return wice__rtnetlink_errno(error);
}

int wice__rtnetlink_watch_new(GMainContext *context, const WiceRtnetlinkWatchOptions *options,
			      void *user_data, WiceRtnetlinkWatch **ret_watch)
{
	struct nl_sock *socket;
	int error = wice__rtnetlink_open(&socket);
	if (error)
		return error;
	WiceRtnetlinkWatch *watch = g_new0(WiceRtnetlinkWatch, 1);
	watch->options = *options;
	watch->user_data = user_data;
	watch->socket = socket;
	error = subscribe(watch);
	if (error) {
		nl_socket_free(socket);
		g_free(watch);
		return error;
	}
	watch->timer = wice__timer_new(context, report, watch);
	watch->readable =
		wice__fd_watch_new(context, nl_socket_get_fd(socket), G_IO_IN, readable, watch);
	*ret_watch = watch;
	return 0;
}

void wice__rtnetlink_watch_free(WiceRtnetlinkWatch *watch)
{
	if (!watch)
		return;
	wice__fd_watch_free(watch->readable);
	wice__timer_free(watch->timer);
	nl_socket_free(watch->socket);
	g_free(watch);
}
