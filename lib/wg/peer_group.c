/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wg/peer_group.h"

#include "event/source.h"
#include "wg/device.h"
#include "wg/netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#define BUFFER_SIZE ((size_t)32 * 1024)

struct WicePeerGroup {
	int fd;
	WiceFdWatch *watch;
	WicePeerGroupChanged changed;
	void *user_data;
};

typedef struct {
	const char *group;
	uint32_t number; /* 0: there is none */
} Search;

static int family_message(struct nlmsghdr *header, void *user_data)
{
	Search *search = user_data;
	return wice__netlink_read_group(header, search->group, &search->number);
}

static int find_group(const char *family, const char *group, int64_t deadline_ms, uint32_t *ret)
{
	Search search = { .group = group };
	WiceNetlinkReply reply = { .message = family_message, .user_data = &search };
	int r = wice__netlink_exchange(&wice__netlink_kernel, NETLINK_GENERIC,
				       wice__netlink_write_get_family(family), &reply, deadline_ms);
	if (r < 0)
		return r;
	if (search.number == 0)
		return -ENOENT;
	*ret = search.number;
	return 0;
}

int wice__peer_group_open(const char *family, const char *group, int64_t deadline_ms)
{
	uint32_t number;
	int r = find_group(family, group, deadline_ms, &number);
	if (r < 0)
		return r;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_GENERIC);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &number, sizeof number) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	return fd;
}

static void handle(const WicePeerGroup *group, void *datagram, size_t len)
{
	int rest = (int)len;
	struct nlmsghdr *header = datagram;
	for (; nlmsg_ok(header, rest); header = nlmsg_next(header, &rest)) {
		char name[16];
		unsigned ifindex;
		if (wice__netlink_read_notification(header, name, &ifindex) == 0 &&
		    wice__interface_name_valid(name))
			group->changed(name, group->user_data);
	}
}

/* One at a time: a storm must not starve the rest of the program. */
static void ready(int fd, GIOCondition condition, void *user_data)
{
	const WicePeerGroup *group = user_data;
	g_autofree void *buffer = g_malloc(BUFFER_SIZE);
	ssize_t n = wice__netlink_receive(fd, buffer, BUFFER_SIZE);
	if (n == -ENOBUFS || n == -EMSGSIZE)
		group->changed(NULL, group->user_data);
	else if (n > 0)
		handle(group, buffer, (size_t)n);
}

WicePeerGroup *wice__peer_group_new(int fd, GMainContext *context, WicePeerGroupChanged changed,
				    void *user_data)
{
	WicePeerGroup *group = g_new0(WicePeerGroup, 1);
	group->fd = fd;
	group->changed = changed;
	group->user_data = user_data;
	group->watch = wice__fd_watch_new(context, fd, G_IO_IN, ready, group);
	return group;
}

void wice__peer_group_free(WicePeerGroup *group)
{
	if (!group)
		return;
	wice__fd_watch_free(group->watch);
	close(group->fd);
	g_free(group);
}
