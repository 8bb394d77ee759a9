/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "portmap/client.h"

#include "event/sockaddr.h"
#include "event/source.h"
#include "portmap/mapper.h"
#include "portmap/upnp.h"
#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_DATAGRAMS 16 /* read at a time; the rest waits for the next turn of the loop */

struct WicePortmapClient {
	WiceGateway gateway;
	WicePortmapMapper mapper;
	WiceUpnp *upnp; /* NULL: not available */
	int fd;         /* connected to the router */
	int announcements_fd;
	WiceFdWatch *readable;
	WiceFdWatch *announced; /* NULL: the port of announcements could not be had */
	WiceTimer *timer;
	void (*changed)(void *user_data);
	void *user_data;
};

static int open_socket(const WiceEndpoint *address)
{
	struct sockaddr_storage storage;
	socklen_t len = wice__endpoint_to_sockaddr(address, &storage);
	int fd = socket(storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	int shared = address->port != 0; /* with all who listen to announcements */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &shared, sizeof shared);
	if (bind(fd, (struct sockaddr *)&storage, len) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

/* What another host sends does not reach it, and it learns when nobody listens at the router. */
static int open_connected(const WiceAddress *local, const WiceEndpoint *router, uint32_t fwmark)
{
	const WiceEndpoint any_port = { *local, 0, 0 };
	struct sockaddr_storage storage;
	int fd = open_socket(&any_port);
	if (fd < 0)
		return fd;
	socklen_t len = wice__endpoint_to_sockaddr(router, &storage);
	if ((!fwmark || setsockopt(fd, SOL_SOCKET, SO_MARK, &fwmark, sizeof fwmark) == 0) &&
	    connect(fd, (struct sockaddr *)&storage, len) == 0)
		return fd;
	int error = -errno;
	close(fd);
	return error;
}

static int join(int fd, WiceFamily family, uint32_t ifindex)
{
	struct group_req request = { .gr_interface = ifindex };
	socklen_t len = sizeof request.gr_group;
	if (getsockname(fd, (struct sockaddr *)&request.gr_group, &len) < 0)
		return -1;
	return setsockopt(fd, family == WICE_FAMILY_IPV4 ? IPPROTO_IP : IPPROTO_IPV6,
			  MCAST_JOIN_GROUP, &request, sizeof request);
}

/* All hosts, or all nodes: RFC 6886 section 3.2.1, RFC 6887 section 14.1.1. */
static int open_announcements(WiceFamily family, uint32_t ifindex)
{
	WiceEndpoint group = { { .family = WICE_FAMILY_IPV4, .bytes = { 224, 0, 0, 1 } },
			       WICE_PORTMAP_CLIENT_PORT,
			       0 };
	if (family == WICE_FAMILY_IPV6)
		group = (WiceEndpoint){ { .family = WICE_FAMILY_IPV6,
					  .bytes = { 0xff, 0x02, [15] = 1 } },
					WICE_PORTMAP_CLIENT_PORT,
					ifindex };
	int fd = open_socket(&group);
	if (fd >= 0 && join(fd, family, ifindex) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Mappings live on while this machine sleeps. */
static int64_t now_ms(void)
{
	return wice__now_ms() + wice__slept_ms();
}

static void set_timer(WicePortmapClient *client)
{
	wice__timer_set(client->timer,
			wice__portmap_mapper_deadline(&client->mapper) - wice__slept_ms());
}

/*
 * What ICMP has said about an earlier packet is reported instead of sending this one, once. That a
 * packet is lost is planned for.
 */
static void send_request(const WicePortmapClient *client, const uint8_t *request, size_t len)
{
	for (unsigned tries = 0; tries < 2; tries++)
		if (send(client->fd, request, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
		    errno != ECONNREFUSED)
			return;
}

static void send_requests(WicePortmapClient *client)
{
	uint8_t request[WICE_PORTMAP_REQUEST_MAX];
	size_t len;
	while ((len = wice__portmap_mapper_output(&client->mapper, now_ms(), request)) > 0)
		send_request(client, request, len);
}

/* Does what is due. To be called after all that happens; it may free the client. */
static void go_on(WicePortmapClient *client, bool changed)
{
	changed |= wice__portmap_mapper_advance(&client->mapper, now_ms());
	send_requests(client);
	if (wice__portmap_mapper_start_upnp(&client->mapper, now_ms()))
		wice__upnp_map(client->upnp, client->mapper.suggested.port,
			       WICE_PORTMAP_UPNP_LEASE_S);
	set_timer(client);
	if (changed)
		client->changed(client->user_data);
}

static void timed_out(void *user_data)
{
	go_on(user_data, false);
}

/* One more than the longest answer, so that a longer one is seen to be too long. */
typedef struct {
	uint8_t bytes[WICE_PORTMAP_ANSWER_MAX + 1];
	WiceEndpoint source;
} Packet;

/* Its length, or -errno. */
static ssize_t receive(int fd, Packet *packet)
{
	struct sockaddr_storage source;
	socklen_t len = sizeof source;
	ssize_t n = recvfrom(fd, packet->bytes, sizeof packet->bytes, MSG_DONTWAIT,
			     (struct sockaddr *)&source, &len);
	if (n < 0)
		return -errno;
	packet->source = (WiceEndpoint){ 0 };
	wice__endpoint_from_sockaddr((struct sockaddr *)&source, len, &packet->source);
	return n;
}

static void answer_readable(int fd, GIOCondition condition, void *user_data)
{
	WicePortmapClient *client = user_data;
	bool changed = false;
	for (unsigned i = 0; i < MAX_DATAGRAMS; i++) {
		Packet packet;
		ssize_t len = receive(fd, &packet);
		if (len == -EAGAIN)
			break;
		if (len >= 0)
			changed |=
				wice__portmap_mapper_input(&client->mapper, packet.bytes,
							   (size_t)len, &packet.source, now_ms());
		else if (len == -ECONNREFUSED)
			wice__portmap_mapper_refused(&client->mapper, now_ms());
	}
	go_on(client, changed);
}

static void announcement_readable(int fd, GIOCondition condition, void *user_data)
{
	WicePortmapClient *client = user_data;
	for (unsigned i = 0; i < MAX_DATAGRAMS; i++) {
		Packet packet;
		ssize_t len = receive(fd, &packet);
		if (len < 0)
			break;
		wice__portmap_mapper_announced(&client->mapper, packet.bytes, (size_t)len,
					       &packet.source, now_ms());
	}
	go_on(client, false);
}

static void upnp_done(const WiceEndpoint *external, uint32_t lease_s, void *user_data)
{
	WicePortmapClient *client = user_data;
	go_on(client, wice__portmap_mapper_upnp_done(&client->mapper, external, lease_s, now_ms()));
}

static void init_mapper(WicePortmapClient *client, GMainContext *context, uint16_t port,
			const uint8_t nonce[WICE_PCP_NONCE_LEN])
{
	const WiceGateway *gateway = &client->gateway;
	WicePortmapMapperOptions options = {
		.router = gateway->address,
		.internal = { gateway->local, port, 0 },
		.fill_random = randombytes_buf,
	};
	if (wice_address_is_link_local(&gateway->address) &&
	    gateway->address.family == WICE_FAMILY_IPV6)
		options.scope = gateway->ifindex;
	if (gateway->address.family == WICE_FAMILY_IPV4)
		client->upnp = wice__upnp_new(context, &gateway->address, &options.internal,
					      upnp_done, client);
	options.upnp = client->upnp != NULL;
	memcpy(options.nonce, nonce, sizeof options.nonce);
	wice__portmap_mapper_init(&client->mapper, &options, now_ms());
}

int wice__portmap_client_new(GMainContext *context, const WiceGateway *gateway, uint16_t port,
			     const uint8_t nonce[WICE_PCP_NONCE_LEN], uint32_t fwmark,
			     void (*changed)(void *user_data), void *user_data,
			     WicePortmapClient **ret_client)
{
	WicePortmapClient *client = g_new0(WicePortmapClient, 1);
	client->gateway = *gateway;
	client->changed = changed;
	client->user_data = user_data;
	init_mapper(client, context, port, nonce);
	client->fd = open_connected(&gateway->local, &client->mapper.router, fwmark);
	if (client->fd < 0) {
		int error = client->fd;
		wice__upnp_free(client->upnp);
		g_free(client);
		return error;
	}
	client->readable =
		wice__fd_watch_new(context, client->fd, G_IO_IN, answer_readable, client);
	client->announcements_fd = open_announcements(gateway->address.family, gateway->ifindex);
	if (client->announcements_fd >= 0)
		client->announced = wice__fd_watch_new(context, client->announcements_fd, G_IO_IN,
						       announcement_readable, client);
	client->timer = wice__timer_new(context, timed_out, client);
	set_timer(client);
	*ret_client = client;
	return 0;
}

static void say_farewell(WicePortmapClient *client)
{
	uint8_t request[WICE_PORTMAP_REQUEST_MAX];
	for (int i = WICE_PORTMAP_PCP; i <= WICE_PORTMAP_NAT_PMP; i++) {
		size_t len = wice__portmap_mapper_farewell(&client->mapper, i, request);
		if (len)
			send_request(client, request, len);
	}
}

void wice__portmap_client_free(WicePortmapClient *client)
{
	if (!client)
		return;
	say_farewell(client);
	wice__upnp_free(client->upnp);
	wice__fd_watch_free(client->readable);
	close(client->fd);
	if (client->announced) {
		wice__fd_watch_free(client->announced);
		close(client->announcements_fd);
	}
	wice__timer_free(client->timer);
	g_free(client);
}

const WiceGateway *wice__portmap_client_gateway(const WicePortmapClient *client)
{
	return &client->gateway;
}

void wice__portmap_client_refresh(WicePortmapClient *client)
{
	wice__portmap_mapper_refresh(&client->mapper, now_ms());
	set_timer(client);
}

const WicePortMapping *wice__portmap_client_mapping(const WicePortmapClient *client)
{
	return client->mapper.mapped ? &client->mapper.mapping : NULL;
}
