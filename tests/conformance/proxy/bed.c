/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "event/sockaddr.h"
#include "unit/event/namespace.h"

static const char *const addresses[2][2] = { { "10.90.0.1", "10.90.0.2" },
					     { "fd90::1", "fd90::2" } };

static void enter(int namespace)
{
	ck_assert_int_eq(setns(namespace, CLONE_NEWNET), 0);
}

static int open_namespace(void)
{
	return open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

static bool configure(int host)
{
	return namespace_ip("link set lo up") &&
	       namespace_ip("addr add %s/24 dev wire", addresses[0][host]) &&
	       namespace_ip("addr add %s/64 dev wire nodad", addresses[1][host]) &&
	       namespace_ip("link set wire up");
}

static bool make_hosts(Bed *bed)
{
	if (!namespace_enter())
		return false;
	bed->near = open_namespace();
	if (unshare(CLONE_NEWNET) < 0) {
		printf("Skipped: cannot make a second network namespace: %s\n", strerror(errno));
		return false;
	}
	bed->far = open_namespace();
	if (!namespace_ip("link add wire type veth peer name near") ||
	    !namespace_ip("link set near netns /proc/%d/fd/%d name wire", (int)getpid(),
			  bed->near) ||
	    !configure(1)) {
		puts("Skipped: no veth devices here");
		return false;
	}
	enter(bed->near);
	ck_assert(configure(0));
	enter(bed->far);
	ck_assert(namespace_wait_link("wire"));
	enter(bed->near);
	return true;
}

static int open_socket(const char *address, uint16_t port, WiceEndpoint *ret_endpoint)
{
	WiceEndpoint endpoint = { .port = port };
	struct sockaddr_storage name;
	int one = 1, size = 8 << 20;
	ck_assert(wice_address_parse(address, &endpoint.address));
	socklen_t len = wice__endpoint_to_sockaddr(&endpoint, &name);
	int fd = socket(name.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	if (name.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&name, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	ck_assert(wice__endpoint_from_sockaddr((const struct sockaddr *)&name, len, ret_endpoint));
	return fd;
}

int bed_socket(Bed *bed, BedHost host, bool wildcard, WiceEndpoint *ret_endpoint)
{
	static const char *const wildcards[2] = { "0.0.0.0", "::" };
	enter(host == BED_FAR ? bed->far : bed->near);
	int fd = open_socket(wildcard ? wildcards[bed->family] : addresses[bed->family][host], 0,
			     ret_endpoint);
	enter(bed->near);
	ck_assert(wice_address_parse(addresses[bed->family][host], &ret_endpoint->address));
	return fd;
}

static void open_wireguard(BedInterface *interface)
{
	WiceEndpoint bound;
	unsigned n_queues;
	if (interface->bind) {
		ck_assert_int_eq(interface->bind->ops->open(interface->bind, 0, 0, 1,
							    &interface->port, &n_queues),
				 0);
		return;
	}
	interface->sockets[0] = open_socket("0.0.0.0", 0, &bound);
	interface->port = bound.port;
	interface->sockets[1] = open_socket("::", bound.port, &bound);
}

static void close_wireguard(BedInterface *interface)
{
	if (interface->bind) {
		interface->bind->ops->close(interface->bind);
		return;
	}
	close(interface->sockets[0]);
	close(interface->sockets[1]);
}

void bed_move_port(BedInterface *interface)
{
	BedInterface former = *interface;
	if (interface->bind)
		close_wireguard(interface);
	open_wireguard(interface);
	if (!interface->bind)
		close_wireguard(&former);
}

BedInterface *bed_add_interface(Bed *bed)
{
	ck_assert_uint_lt(bed->n_interfaces, G_N_ELEMENTS(bed->interfaces));
	BedInterface *interface = &bed->interfaces[bed->n_interfaces];
	*interface = (BedInterface){ .bed = bed, .sockets = { -1, -1 } };
	g_snprintf(interface->name, sizeof interface->name, "wg%zu", bed->n_interfaces);
	g_queue_init(&interface->received);
	if (bed->subject->has_bind)
		interface->bind = wice_bind_udp_new(NULL);
	open_wireguard(interface);
	bed->n_interfaces++;
	interface->proxy = bed->subject->make(interface);
	return interface->proxy ? interface : NULL;
}

static void free_packet(void *data)
{
	BedPacket *packet = data;
	g_free(packet->bytes);
	g_free(packet);
}

static void remove_interface(BedInterface *interface)
{
	if (interface->proxy)
		interface->proxy->ops->free(interface->proxy);
	close_wireguard(interface);
	wice_bind_free(interface->bind);
	g_queue_clear_full(&interface->received, free_packet);
}

bool bed_open(Bed *bed, int i)
{
	bool small = bed->small;
	memset(bed, 0, sizeof *bed);
	bed->small = small;
	bed->subject = &bed_subjects[i / 2];
	bed->family = i % 2;
	bed->near = bed->far = -1;
	bed->got.bytes = bed->buffer;
	bed->context = g_main_context_new();
	if (make_hosts(bed) && bed_add_interface(bed))
		return true;
	bed_close(bed);
	return false;
}

void bed_close(Bed *bed)
{
	while (bed->n_interfaces > 0)
		remove_interface(&bed->interfaces[--bed->n_interfaces]);
	if (bed->subject->done)
		bed->subject->done(bed);
	g_main_context_unref(bed->context);
	if (bed->near >= 0)
		close(bed->near);
	if (bed->far >= 0)
		close(bed->far);
}

WiceProxyPeer *bed_peer(BedInterface *interface, const WiceProxyEvents *events, void *user_data)
{
	static const WiceProxyEvents none;
	WiceProxy *proxy = interface->proxy;
	WiceProxyPeer *peer = NULL;
	ck_assert_int_eq(proxy->ops->peer_new(proxy, events ? events : &none, user_data, &peer), 0);
	ck_assert_ptr_eq(peer->proxy, proxy);
	return peer;
}

void bed_sockets(BedInterface *interface, BedPath *ret_path)
{
	Bed *bed = interface->bed;
	*ret_path = (BedPath){ .bed = bed, .interface = interface };
	ret_path->ice = bed_socket(bed, BED_NEAR, false, &ret_path->local);
	ret_path->remote = bed_socket(bed, BED_FAR, false, &ret_path->far);
	g_snprintf(ret_path->ufrag, sizeof ret_path->ufrag, "%08" G_GUINT32_FORMAT,
		   bed->n_paths++ % 100000000);
}

int bed_try_path(WiceProxyPeer *peer, BedPath *path)
{
	/* Only valid during the call, so it is overwritten after it. */
	WiceProxySocket socket = { .fd = path->ice, .local = path->local };
	char ufrag[BED_UFRAG_LEN + 1];
	memcpy(ufrag, path->ufrag, sizeof ufrag);
	socket.ufrag = ufrag;
	int r = peer->proxy->ops->path_new(peer, &socket, &path->path);
	memset(ufrag, '?', BED_UFRAG_LEN);
	memset(&socket, 0xff, sizeof socket);
	if (r < 0)
		return r;
	ck_assert_ptr_eq(path->path->peer, peer);
	peer->proxy->ops->path_wire(path->path, &path->wire);
	ck_assert_int_eq(wice_address_compare(&path->wire.address, &path->local.address), 0);
	return 0;
}

void bed_path(BedInterface *interface, WiceProxyPeer *peer, BedPath *ret_path)
{
	bed_sockets(interface, ret_path);
	ck_assert_int_eq(bed_try_path(peer, ret_path), 0);
}

void bed_remove(BedPath *path)
{
	if (path->path)
		path->interface->proxy->ops->path_free(path->path);
	path->path = NULL;
	close(path->ice);
	close(path->remote);
}

WiceEndpoint bed_select(const BedPath *path)
{
	WiceProxyPeer *peer = path->path->peer;
	WiceEndpoint endpoint = { 0 };
	ck_assert_int_eq(peer->proxy->ops->select(peer, path->path, &path->far, &endpoint), 0);
	ck_assert_uint_ne(endpoint.port, 0);
	return endpoint;
}

void bed_data(uint8_t *packet, size_t len, uint32_t number)
{
	static const uint8_t type[4] = { 4 };
	memcpy(packet, type, sizeof type);
	memcpy(packet + 4, &number, sizeof number);
	for (size_t i = 8; i < len; i++)
		packet[i] = (uint8_t)(number * 31 + i * 7);
}

uint32_t bed_number(const Bed *bed)
{
	uint32_t number;
	ck_assert_uint_ge(bed->got.len, 8);
	memcpy(&number, bed->got.bytes + 4, sizeof number);
	return number;
}

/* RFC 8489 section 5 and 14.3. */
size_t bed_stun(uint8_t packet[BED_STUN_MAX], uint16_t type, const char *id, const char *username)
{
	uint8_t head[8] = { (uint8_t)(type >> 8), (uint8_t)type, 0, 0, 0x21, 0x12, 0xa4, 0x42 };
	size_t len = username ? strlen(username) : 0;
	size_t padded = username ? 4 + ((len + 3) & ~(size_t)3) : 0;
	ck_assert_uint_le(BED_STUN_HEAD + padded, BED_STUN_MAX);
	memset(packet, 0, BED_STUN_MAX);
	head[3] = (uint8_t)padded;
	memcpy(packet, head, sizeof head);
	memcpy(packet + 8, id, 12);
	if (username) {
		packet[BED_STUN_HEAD + 1] = 0x06;
		packet[BED_STUN_HEAD + 3] = (uint8_t)len;
		memcpy(packet + BED_STUN_HEAD + 4, username, len);
	}
	return BED_STUN_HEAD + padded;
}

void bed_carry(const BedPath *path, const WiceEndpoint *endpoint, uint32_t number, size_t len)
{
	uint8_t packet[BED_PACKET_MAX];
	bed_data(packet, len, number);
	bed_wg_send(path->interface, endpoint, packet, len);
	bed_expect(path->bed, path->remote, packet, len, &path->wire);
	bed_data(packet, len, ~number);
	bed_send(path->remote, &path->wire, packet, len);
	bed_wg_expect(path->interface, packet, len, endpoint);
}

void bed_check(const BedPath *path)
{
	uint8_t packet[BED_STUN_MAX];
	g_autofree char *to_us = g_strdup_printf("%s:theirs", path->ufrag);
	g_autofree char *to_them = g_strdup_printf("theirs:%s", path->ufrag);
	size_t len = bed_stun(packet, BED_STUN_REQUEST, "from near to", to_them);
	bed_send(path->ice, &path->far, packet, len);
	bed_expect(path->bed, path->remote, packet, len, &path->wire);
	len = bed_stun(packet, BED_STUN_RESPONSE, "from near to", NULL);
	bed_send(path->remote, &path->wire, packet, len);
	bed_expect(path->bed, path->ice, packet, len, &path->far);

	len = bed_stun(packet, BED_STUN_REQUEST, "from far too", to_us);
	bed_send(path->remote, &path->wire, packet, len);
	bed_expect(path->bed, path->ice, packet, len, &path->far);
	len = bed_stun(packet, BED_STUN_RESPONSE, "from far too", NULL);
	bed_send(path->ice, &path->far, packet, len);
	bed_expect(path->bed, path->remote, packet, len, &path->wire);
}

int bed_run_suite(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	for (size_t i = 0; i < bed_n_subjects; i++) {
		TCase *tcase = tcase_create(bed_subjects[i].name);
		tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
		for (size_t j = 0; j < n; j++)
			tcase_add_loop_test(tcase, tests[j], (int)(2 * i), (int)(2 * i + 2));
		suite_add_tcase(suite, tcase);
	}
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
