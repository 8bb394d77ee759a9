/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of the userspace proxy. Packets are in user_io.c.
 *
 * WireGuard knows a peer by the address that it sends to, so each peer needs its own. All of
 * 127.0.0.0/8 is this host's; the upper half of it (127.128.0.0/9) gives a few million addresses
 * behind one socket, which is bound to all addresses of the loopback interface and told by the
 * kernel (IP_PKTINFO) which one a packet was sent to. Proxies of several interfaces use equal
 * addresses and differ by their ports.
 *
 * WireGuard may still have packets under way to the address of an entry that has been freed. So
 * addresses are taken in turn out of a table at least twice as large as needed, and one comes back
 * only after many others.
 */
#include "proxy/user.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "event/sockaddr.h"
#include "proxy/port_share.h"
#include "proxy/user_hooks.h"
#include "proxy/user_io.h"

#define MIN_CAPACITY 1024
/* Number 0 and the last one are 127.128.0.0 and 127.255.255.255, which is a broadcast address. */
#define MAX_CAPACITY (((size_t)1 << WICE_USER_ADDRESS_BITS) - 1)

int wice__user_epoll_add(WiceUserProxy *proxy, int fd, WiceUserReader *reader)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = reader };
	return epoll_ctl(proxy->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

/* Returns the descriptor. */
static int open_wg_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/*
	 * Before Linux 5.7 this takes CAP_NET_RAW. Without it others can reach the port, but still
	 * not with a source address in 127.0.0.0/8: the kernel takes such packets from the loopback
	 * interface only.
	 */
	setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof "lo");
	struct sockaddr_in any = { .sin_family = AF_INET };
	int r = wice__udp_tell_local(fd, WICE_FAMILY_IPV4);
	if (r == 0 && bind(fd, (const struct sockaddr *)&any, sizeof any) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	wice__udp_set_buffers(fd);
	wice__udp_set_gro(fd, true);
	return fd;
}

static int open_wg_side(WiceUserProxy *proxy)
{
	int fd = open_wg_socket();
	if (fd < 0)
		return fd;
	wice__udp_sender_init(&proxy->wg, fd, true, true);
	struct sockaddr_in address;
	socklen_t len = sizeof address;
	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return -errno;
	proxy->port = ntohs(address.sin_port);
	proxy->wg_reader = (WiceUserReader){ wice__user_io_receive_from_wireguard, proxy };
	return wice__user_epoll_add(proxy, fd, &proxy->wg_reader);
}

static int open_all(WiceUserProxy *proxy)
{
	proxy->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (proxy->epoll_fd < 0)
		return -errno;
	int r = wice__udp_receiver_new(WICE_UDP_BATCH, &proxy->receiver);
	return r < 0 ? r : open_wg_side(proxy);
}

int wice__user_proxy_new(GMainContext *context, uint16_t wg_port, WiceUserProxy **ret_proxy)
{
	WiceUserProxy *proxy = g_new0(WiceUserProxy, 1);
	proxy->base.ops = &wice__user_hooks;
	proxy->context = context ? g_main_context_ref(context) : NULL;
	proxy->epoll_fd = -1;
	proxy->wg.fd = -1;
	proxy->wg_address.sin_family = AF_INET;
	proxy->wg_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	wice__user_proxy_set_wg_port(proxy, wg_port);
	int r = open_all(proxy);
	if (r < 0) {
		wice__user_proxy_free(proxy);
		return r;
	}
	proxy->capacity = MIN_CAPACITY;
	proxy->cursor = 1;
	proxy->entries = g_new0(WiceUserEntry *, proxy->capacity);
	proxy->watch = wice__fd_watch_new(context, proxy->epoll_fd, G_IO_IN, wice__user_io_dispatch,
					  proxy);
	*ret_proxy = proxy;
	return 0;
}

void wice__user_proxy_free(WiceUserProxy *proxy)
{
	if (!proxy)
		return;
	g_assert(proxy->n_entries == 0);
	wice__fd_watch_free(proxy->watch);
	proxy->watch = NULL;
	if (proxy->dispatching) {
		proxy->freed = true;
		return;
	}
	if (proxy->wg.fd >= 0)
		close(proxy->wg.fd);
	if (proxy->epoll_fd >= 0)
		close(proxy->epoll_fd);
	wice__udp_receiver_free(proxy->receiver);
	if (proxy->context)
		g_main_context_unref(proxy->context);
	g_free(proxy->entries);
	g_free(proxy);
}

void wice__user_proxy_set_wg_port(WiceUserProxy *proxy, uint16_t wg_port)
{
	proxy->wg_address.sin_port = htons(wg_port);
}

void wice__user_proxy_counters(const WiceUserProxy *proxy, WiceUserProxyCounters *ret)
{
	*ret = proxy->counters;
}

bool wice__user_is_ours(const WiceEndpoint *endpoint)
{
	return endpoint->address.family == WICE_FAMILY_IPV4 && endpoint->address.bytes[0] == 127 &&
	       endpoint->address.bytes[1] >= 128;
}

static int grow(WiceUserProxy *proxy)
{
	if (proxy->n_entries < proxy->capacity / 2)
		return 0;
	if (proxy->n_entries + 1 >= MAX_CAPACITY)
		return -ENOSPC;
	size_t capacity = MIN(proxy->capacity * 2, MAX_CAPACITY);
	proxy->entries = g_renew(WiceUserEntry *, proxy->entries, capacity);
	memset(proxy->entries + proxy->capacity, 0,
	       (capacity - proxy->capacity) * sizeof proxy->entries[0]);
	proxy->capacity = capacity;
	return 0;
}

static size_t take_number(WiceUserProxy *proxy)
{
	while (proxy->cursor == 0 || proxy->entries[proxy->cursor])
		proxy->cursor = (proxy->cursor + 1) % proxy->capacity;
	size_t number = proxy->cursor;
	proxy->cursor = (proxy->cursor + 1) % proxy->capacity;
	return number;
}

int wice__user_entry_new(WiceUserProxy *proxy, const WiceProxyEvents *events, void *user_data,
			 WiceUserEntry **ret_entry)
{
	int r = grow(proxy);
	if (r < 0)
		return r;
	WiceUserEntry *entry = g_new0(WiceUserEntry, 1);
	entry->proxy = proxy;
	entry->base.proxy = &proxy->base;
	entry->events = events;
	entry->user_data = user_data;
	entry->first = -1;
	entry->number = take_number(proxy);
	entry->address.s_addr = htonl(WICE_USER_ADDRESS_BASE + (uint32_t)entry->number);
	entry->endpoint.address.family = WICE_FAMILY_IPV4;
	entry->endpoint.port = proxy->port;
	memcpy(entry->endpoint.address.bytes, &entry->address, sizeof entry->address);
	proxy->entries[entry->number] = entry;
	proxy->n_entries++;
	*ret_entry = entry;
	return 0;
}

void wice__user_entry_free(WiceUserEntry *entry)
{
	if (!entry)
		return;
	while (entry->paths)
		wice__user_path_free(entry->paths->data);
	entry->proxy->entries[entry->number] = NULL;
	entry->proxy->n_entries--;
	g_free(entry);
}

const WiceEndpoint *wice__user_entry_endpoint(const WiceUserEntry *entry)
{
	return &entry->endpoint;
}

void wice__user_entry_counters(const WiceUserEntry *entry, WiceUserCounters *ret)
{
	*ret = entry->counters;
}

/* Opens the path's socket. Without a shared port it is the agent's own one, and only sent from. */
static int open_path(WiceUserPath *path, int ice_fd, uint32_t fwmark)
{
	int r = wice__port_share_open(ice_fd, fwmark, &path->out.fd);
	path->shared = r == 0;
	if (r == -ENOTSUP) {
		path->out.fd = fcntl(ice_fd, F_DUPFD_CLOEXEC, 0);
		r = path->out.fd < 0 ? -errno : 0;
	}
	if (r < 0)
		return r;
	wice__user_io_prepare_path(path);
	path->reader = (WiceUserReader){ wice__user_io_receive_from_network, path };
	if (path->shared)
		r = wice__user_epoll_add(path->entry->proxy, path->out.fd, &path->reader);
	if (r < 0)
		close(path->out.fd);
	return r;
}

int wice__user_path_new(WiceUserEntry *entry, int ice_fd, const WiceEndpoint *local,
			uint32_t fwmark, WiceUserPath **ret_path)
{
	WiceUserPath *path = g_new0(WiceUserPath, 1);
	char text[WICE_ENDPOINT_SIZE];
	path->base.peer = &entry->base;
	path->entry = entry;
	path->local = *local;
	int r = open_path(path, ice_fd, fwmark);
	if (r < 0) {
		g_free(path);
		return r;
	}
	if (!path->shared)
		wice__log(WICE_LOG_WARNING, wice_endpoint_format(local, text),
			  "The kernel does not let the proxy share this port, so packets take a "
			  "slower way through the ICE agent");
	entry->paths = g_slist_prepend(entry->paths, path);
	*ret_path = path;
	return 0;
}

bool wice__user_path_shares_port(const WiceUserPath *path)
{
	return path->shared;
}

void wice__user_retire(WiceUserProxy *proxy, void *object)
{
	if (proxy->dispatching)
		proxy->retired = g_slist_prepend(proxy->retired, object);
	else
		g_free(object);
}

static void close_path(const WiceUserPath *path)
{
	if (path->shared)
		epoll_ctl(path->entry->proxy->epoll_fd, EPOLL_CTL_DEL, path->out.fd, NULL);
	close(path->out.fd);
}

void wice__user_path_free(WiceUserPath *path)
{
	if (!path)
		return;
	WiceUserEntry *entry = path->entry;
	if (wice__user_path_is_relayed(path))
		wice__user_relayed_leave(path);
	else
		close_path(path);
	entry->paths = g_slist_remove(entry->paths, path);
	if (entry->selected == path)
		entry->selected = NULL;
	path->entry = NULL;
	wice__user_retire(entry->proxy, path);
}

const WiceEndpoint *wice__user_path_local(const WiceUserPath *path)
{
	return &path->local;
}

void wice__user_entry_select(WiceUserEntry *entry, WiceUserPath *path, const WiceEndpoint *remote)
{
	entry->selected = path;
	entry->provisional = false;
	if (path && !wice__user_path_is_relayed(path))
		entry->remote_len = wice__endpoint_to_sockaddr(remote, &entry->remote);
}

int wice__user_path_send(WiceUserPath *path, const WiceEndpoint *remote, const uint8_t *packet,
			 size_t len)
{
	return wice__udp_send_to(path->out.fd, remote, packet, len);
}

void wice__user_path_input(WiceUserPath *path, const uint8_t *packet, size_t len)
{
	if (wice__user_path_is_relayed(path))
		wice__user_relayed_input(path, (uint8_t *)packet, len);
	else
		wice__user_io_input(path, packet, len);
}
