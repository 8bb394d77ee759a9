/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets that were added to a bind. Their descriptors are duplicates: the socket lives on when
 * ours is closed, and with it its place in an epoll descriptor, so it has to be taken out there
 * first. Numbers are not given again soon, as paths may still have them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/endpoint_key.h"
#include "engine/bind_udp.h"

void wice__bind_udp_channels_init(WiceBindUdp *bind)
{
	bind->channels = g_hash_table_new(NULL, NULL);
	bind->routes =
		g_hash_table_new_full(wice__endpoint_hash, wice__endpoint_equal, g_free, NULL);
}

void wice__bind_udp_channels_done(WiceBindUdp *bind)
{
	GHashTableIter iter;
	gpointer channel;
	g_hash_table_iter_init(&iter, bind->channels);
	while (g_hash_table_iter_next(&iter, NULL, &channel))
		wice__bind_udp_channel_unref(channel);
	g_hash_table_unref(bind->channels);
	g_hash_table_unref(bind->routes);
}

static WiceBindUdpChannel *find(const WiceBindUdp *bind, uint32_t number)
{
	return g_hash_table_lookup(bind->channels, GUINT_TO_POINTER(number));
}

WiceBindUdpChannel *wice__bind_udp_channel_get(WiceBindUdp *bind, uint32_t number)
{
	g_mutex_lock(&bind->lock);
	WiceBindUdpChannel *channel = find(bind, number);
	if (channel)
		g_atomic_ref_count_inc(&channel->refs);
	g_mutex_unlock(&bind->lock);
	return channel;
}

void wice__bind_udp_channel_unref(WiceBindUdpChannel *channel)
{
	if (!g_atomic_ref_count_dec(&channel->refs))
		return;
	if (channel->carrier)
		wice__bind_udp_channel_unref(channel->carrier);
	else
		close(channel->sender.fd);
	if (channel->relayed)
		g_hash_table_unref(channel->relayed);
	g_free(channel);
}

/* The queue that receives from it. */
static int epoll_of(const WiceBindUdp *bind, const WiceBindUdpChannel *channel)
{
	return bind->queues[channel->number % bind->n_queues].epoll_fd;
}

static int listen_to(const WiceBindUdp *bind, const WiceBindUdpChannel *channel)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = channel->number };
	if (channel->carrier)
		return 0;
	int r = epoll_ctl(epoll_of(bind, channel), EPOLL_CTL_ADD, channel->sender.fd, &event);
	return r < 0 ? -errno : 0;
}

static void ignore(const WiceBindUdp *bind, const WiceBindUdpChannel *channel)
{
	if (!channel->carrier)
		epoll_ctl(epoll_of(bind, channel), EPOLL_CTL_DEL, channel->sender.fd, NULL);
}

void wice__bind_udp_channel_ignore(WiceBindUdp *bind, const WiceBindUdpChannel *channel)
{
	g_mutex_lock(&bind->lock);
	if (bind->is_open)
		ignore(bind, channel);
	g_mutex_unlock(&bind->lock);
}

void wice__bind_udp_channels_start(WiceBindUdp *bind)
{
	GHashTableIter iter;
	gpointer channel;
	g_mutex_lock(&bind->lock);
	g_hash_table_iter_init(&iter, bind->channels);
	while (g_hash_table_iter_next(&iter, NULL, &channel))
		listen_to(bind, channel);
	bind->is_open = true;
	g_mutex_unlock(&bind->lock);
}

void wice__bind_udp_channels_stop(WiceBindUdp *bind)
{
	GHashTableIter iter;
	gpointer channel;
	g_mutex_lock(&bind->lock);
	g_hash_table_iter_init(&iter, bind->channels);
	while (g_hash_table_iter_next(&iter, NULL, &channel))
		ignore(bind, channel);
	bind->is_open = false;
	g_mutex_unlock(&bind->lock);
}

int wice__bind_udp_channels_set_mark(WiceBindUdp *bind, uint32_t fwmark)
{
	GHashTableIter iter;
	gpointer pointer;
	int r = 0;
	g_mutex_lock(&bind->lock);
	/* A mark that we have not set is somebody else's. */
	bool is_ours = fwmark != bind->fwmark;
	g_hash_table_iter_init(&iter, bind->channels);
	while (is_ours && r == 0 && g_hash_table_iter_next(&iter, NULL, &pointer)) {
		const WiceBindUdpChannel *channel = pointer;
		if (!channel->carrier)
			r = wice__bind_udp_set_mark(channel->sender.fd, fwmark);
	}
	if (r == 0)
		bind->fwmark = fwmark;
	g_mutex_unlock(&bind->lock);
	return r;
}

/* 0 if it is a UDP socket, or -errno. */
static int check_socket(int fd, int *ret_domain)
{
	int type;
	socklen_t len = sizeof type;
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, ret_domain, &len) < 0)
		return errno == EBADF ? -EBADF : -EINVAL;
	bool is_udp = type == SOCK_DGRAM && (*ret_domain == AF_INET || *ret_domain == AF_INET6);
	return is_udp ? 0 : -EINVAL;
}

/* Takes fd over. */
static WiceBindUdpChannel *channel_new(const WiceBindUdp *bind, int fd, int domain)
{
	WiceBindUdpChannel *channel = g_new0(WiceBindUdpChannel, 1);
	g_atomic_ref_count_init(&channel->refs);
	channel->is_ipv6 = domain == AF_INET6;
	wice__udp_sender_init(&channel->sender, fd, !bind->options.no_segmentation, false);
	wice__udp_set_buffers(fd);
	if (!bind->options.no_segmentation)
		wice__udp_set_gro(fd, true);
	return channel;
}

static uint32_t next_number(WiceBindUdp *bind)
{
	do {
		bind->last_channel++;
	} while (bind->last_channel == WICE_BIND_UDP_IPV4 ||
		 bind->last_channel == WICE_BIND_UDP_IPV6 ||
		 bind->last_channel == WICE_BIND_UDP_REST || find(bind, bind->last_channel));
	return bind->last_channel;
}

int wice__bind_udp_channel_enter(WiceBindUdp *bind, WiceBindUdpChannel *channel)
{
	int r = 0;
	if (g_hash_table_size(bind->channels) >= WICE_BIND_UDP_MAX_CHANNELS)
		return -ENFILE;
	channel->number = next_number(bind);
	if (bind->fwmark && !channel->carrier)
		r = wice__bind_udp_set_mark(channel->sender.fd, bind->fwmark);
	if (r == 0 && bind->is_open)
		r = listen_to(bind, channel);
	if (r == 0)
		g_hash_table_insert(bind->channels, GUINT_TO_POINTER(channel->number), channel);
	return r;
}

int wice_bind_udp_add_channel(WiceBind *base, int fd, uint32_t *ret_channel)
{
	WiceBindUdp *bind = wice__bind_udp(base);
	int domain;
	if (!bind)
		return -EOPNOTSUPP;
	int r = check_socket(fd, &domain);
	if (r < 0)
		return r;
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	WiceBindUdpChannel *channel = channel_new(bind, copy, domain);
	g_mutex_lock(&bind->lock);
	r = wice__bind_udp_channel_enter(bind, channel);
	uint32_t number = channel->number;
	g_mutex_unlock(&bind->lock);
	if (r < 0)
		wice__bind_udp_channel_unref(channel);
	else
		*ret_channel = number;
	return r;
}

static gboolean leads_to(gpointer key, gpointer value, gpointer number)
{
	return value == number;
}

/*
 * Its place in the table is the caller's to remove, the reference that this had to be given back.
 */
static void leave(WiceBindUdp *bind, const WiceBindUdpChannel *channel)
{
	g_hash_table_foreach_remove(bind->routes, leads_to, GUINT_TO_POINTER(channel->number));
	if (bind->is_open)
		ignore(bind, channel);
	if (channel->carrier)
		wice__bind_udp_relayed_leave(channel);
}

/* Takes those that it carries out of the table. Returns them. */
static GSList *unload(WiceBindUdp *bind, const WiceBindUdpChannel *carrier)
{
	GSList *carried = NULL;
	GHashTableIter iter;
	gpointer pointer;
	if (!carrier->relayed)
		return NULL;
	g_hash_table_iter_init(&iter, bind->channels);
	while (g_hash_table_iter_next(&iter, NULL, &pointer)) {
		WiceBindUdpChannel *channel = pointer;
		if (channel->carrier != carrier)
			continue;
		leave(bind, channel);
		g_hash_table_iter_remove(&iter);
		carried = g_slist_prepend(carried, channel);
	}
	return carried;
}

static void unref_channel(gpointer channel)
{
	wice__bind_udp_channel_unref(channel);
}

void wice_bind_udp_remove_channel(WiceBind *base, uint32_t number)
{
	WiceBindUdp *bind = wice__bind_udp(base);
	GSList *removed = NULL;
	if (!bind)
		return;
	g_mutex_lock(&bind->lock);
	WiceBindUdpChannel *channel = find(bind, number);
	if (channel) {
		removed = g_slist_prepend(unload(bind, channel), channel);
		leave(bind, channel);
		g_hash_table_remove(bind->channels, GUINT_TO_POINTER(number));
	}
	g_mutex_unlock(&bind->lock);
	g_slist_free_full(removed, unref_channel);
}

void wice_bind_udp_set_route(WiceBind *base, const WiceEndpoint *remote, uint32_t channel)
{
	WiceBindUdp *bind = wice__bind_udp(base);
	if (!bind)
		return;
	g_mutex_lock(&bind->lock);
	if (find(bind, channel))
		g_hash_table_replace(bind->routes, g_memdup2(remote, sizeof *remote),
				     GUINT_TO_POINTER(channel));
	else
		g_hash_table_remove(bind->routes, remote);
	g_mutex_unlock(&bind->lock);
}

void wice__bind_udp_route(WiceBind *base, const WiceEndpoint *remote, WiceBindPath *ret_path)
{
	WiceBindUdp *bind = (WiceBindUdp *)base;
	g_mutex_lock(&bind->lock);
	uint32_t channel = GPOINTER_TO_UINT(g_hash_table_lookup(bind->routes, remote));
	g_mutex_unlock(&bind->lock);
	*ret_path = (WiceBindPath){ .remote = *remote, .channel = channel };
}

void wice_bind_udp_set_foreign(WiceBind *base, WiceBindForeignFunc func, void *user_data)
{
	WiceBindUdp *bind = wice__bind_udp(base);
	if (!bind)
		return;
	g_mutex_lock(&bind->foreign_lock);
	bind->foreign = func;
	bind->foreign_data = user_data;
	g_mutex_unlock(&bind->foreign_lock);
}
