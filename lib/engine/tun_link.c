/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink only tells that something has changed; what the interface is like is asked for then. That
 * takes no parser, and a message that was lost (ENOBUFS) does no harm.
 *
 * An interface may move to another network namespace while its packets' sockets stay, and with them
 * this process. Then we look from sockets in that namespace, if we may open any, else from afar.
 */
#include "engine/tun_link.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/source.h"

struct WiceTunLink {
	unsigned ifindex;
	int tun_fd;
	int netlink_fd;
	int ioctl_fd;
	GMainContext *context; /* NULL: the default one */
	WiceFdWatch *watch;
	WiceFdWatch *device; /* while it is down elsewhere: tells that it comes up */
	WiceTimer *timer;    /* the first look, and those from a distance */
	WiceTunLinkFunc func;
	void *user_data;
	bool told, up;
	uint32_t mtu;
};

#define DISTANT_LOOK_MS 1000

typedef enum {
	LINK_GONE,
	LINK_MOVED, /* out of sight: it must be looked for */
	LINK_SEEN,
} Sight;

/* A TUN device can be written to while its interface is up (Linux 5.2); a lost one is an error. */
static Sight look_from_afar(const WiceTunLink *link, bool *ret_up)
{
	struct pollfd fd = { .fd = link->tun_fd, .events = POLLOUT };
	poll(&fd, 1, 0);
	if (fd.revents & POLLERR)
		return LINK_GONE;
	*ret_up = fd.revents & POLLOUT;
	return LINK_MOVED;
}

static int open_ioctl(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static Sight look_with(int ioctl_fd, struct ifreq *request, bool *ret_up, uint32_t *ret_mtu)
{
	if (ioctl(ioctl_fd, SIOCGIFFLAGS, request) < 0)
		return LINK_GONE;
	*ret_up = request->ifr_flags & IFF_UP;
	if (ioctl(ioctl_fd, SIOCGIFMTU, request) < 0)
		return LINK_GONE;
	*ret_mtu = (uint32_t)request->ifr_mtu;
	return LINK_SEEN;
}

typedef struct {
	int namespace;
	struct ifreq request;
	Sight sight;
	bool up;
	uint32_t mtu;
} Visit;

static gpointer visit(gpointer user_data)
{
	Visit *visit = user_data;
	int fd = setns(visit->namespace, CLONE_NEWNET) < 0 ? -1 : open_ioctl();
	if (fd < 0)
		return NULL;
	visit->sight = look_with(fd, &visit->request, &visit->up, &visit->mtu);
	close(fd);
	return NULL;
}

/*
 * Goes to where the interface is now; on a thread, so that nobody else changes place. Nothing is left
 * open there: a socket would keep the namespace, and with it the interface, after its last process.
 */
static Sight look_there(const WiceTunLink *link, bool *ret_up, uint32_t *ret_mtu)
{
	Visit there = { .namespace = ioctl(link->tun_fd, TUNGETDEVNETNS), .sight = LINK_GONE };
	if (there.namespace >= 0 && ioctl(link->tun_fd, TUNGETIFF, &there.request) == 0) {
		GThread *thread = g_thread_try_new("wice-visit", visit, &there, NULL);
		if (thread)
			g_thread_join(thread);
	}
	if (there.namespace >= 0)
		close(there.namespace);
	if (there.sight != LINK_SEEN)
		return look_from_afar(link, ret_up);
	*ret_up = there.up;
	*ret_mtu = there.mtu;
	return LINK_MOVED;
}

static Sight look(const WiceTunLink *link, bool *ret_up, uint32_t *ret_mtu)
{
	struct ifreq request = { .ifr_ifindex = (int)link->ifindex };
	if (ioctl(link->ioctl_fd, SIOCGIFNAME, &request) == 0 &&
	    look_with(link->ioctl_fd, &request, ret_up, ret_mtu) == LINK_SEEN)
		return LINK_SEEN;
	return look_there(link, ret_up, ret_mtu);
}

static void on_device(int fd, GIOCondition condition, void *user_data);

static void await_up(WiceTunLink *link, bool awaits)
{
	if (!awaits)
		g_clear_pointer(&link->device, wice__fd_watch_free);
	else if (!link->device)
		link->device =
			wice__fd_watch_new(link->context, link->tun_fd, G_IO_OUT, on_device, link);
}

/* Tells what is new. */
static void update(void *user_data)
{
	WiceTunLink *link = user_data;
	bool up = link->up;
	uint32_t mtu = link->mtu;
	Sight sight = look(link, &up, &mtu);
	bool news = !link->told || up != link->up || mtu != link->mtu;
	wice__timer_set(link->timer,
			sight == LINK_MOVED ? wice__now_ms() + DISTANT_LOOK_MS : INT64_MAX);
	await_up(link, sight == LINK_MOVED && !up);
	if (sight == LINK_GONE) {
		wice__fd_watch_set_condition(link->watch, 0);
		link->func(false, link->mtu, true, link->user_data);
		return;
	}
	link->told = true;
	link->up = up;
	link->mtu = mtu;
	if (news)
		link->func(up, mtu, false, link->user_data);
}

static void on_device(int fd, GIOCondition condition, void *user_data)
{
	update(user_data);
}

static void on_netlink(int fd, GIOCondition condition, void *user_data)
{
	char buffer[8192];
	while (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0 || errno == ENOBUFS)
		;
	update(user_data);
}

static int open_netlink(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -EADDRNOTAVAIL;
}

int wice__tun_link_new(GMainContext *context, const char *name, int tun_fd, WiceTunLinkFunc func,
		       void *user_data, WiceTunLink **ret_link)
{
	unsigned ifindex = if_nametoindex(name);
	if (!ifindex)
		return -ENODEV;
	int netlink_fd = open_netlink();
	if (netlink_fd < 0)
		return netlink_fd;
	int ioctl_fd = open_ioctl();
	if (ioctl_fd < 0) {
		close(netlink_fd);
		return -EMFILE;
	}
	WiceTunLink *link = g_new0(WiceTunLink, 1);
	link->ifindex = ifindex;
	link->tun_fd = tun_fd;
	link->netlink_fd = netlink_fd;
	link->ioctl_fd = ioctl_fd;
	link->func = func;
	link->user_data = user_data;
	link->context = context ? g_main_context_ref(context) : NULL;
	link->watch = wice__fd_watch_new(context, netlink_fd, G_IO_IN, on_netlink, link);
	link->timer = wice__timer_new(context, update, link);
	wice__timer_set(link->timer, wice__now_ms());
	*ret_link = link;
	return 0;
}

void wice__tun_link_free(WiceTunLink *link)
{
	if (!link)
		return;
	await_up(link, false);
	wice__fd_watch_free(link->watch);
	wice__timer_free(link->timer);
	close(link->netlink_fd);
	close(link->ioctl_fd);
	if (link->context)
		g_main_context_unref(link->context);
	g_free(link);
}
