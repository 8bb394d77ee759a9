/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "event/sockaddr.h"
#include "suite.h"
#include "unit/event/namespace.h"

#define DEADLINE_MS 60000
#define BATCH 7 /* odd, so that batches end everywhere */

const BedKind bed_kinds[BED_KINDS] = {
	{ "udp4", WICE_FAMILY_IPV4, true, false, false, 0, 65507 },
	{ "udp6", WICE_FAMILY_IPV6, true, false, false, 0, 65507 },
	{ "plain", WICE_FAMILY_IPV4, true, true, false, 0, 65507 },
	{ "channel", WICE_FAMILY_IPV4, true, false, true, 32, 65507 },
	{ "pair", WICE_FAMILY_IPV4, false, false, false, 0, 65507 },
	{ "relayed", WICE_FAMILY_IPV6, true, false, true, 32, 65507, true, false },
	{ "in place", WICE_FAMILY_IPV4, true, false, true, 32, 65507, true, true },
};

BedEnd bed_end_new(const WiceBindUdpOptions *options)
{
	return (BedEnd){ .bind = wice_bind_udp_new(options), .fd = -1 };
}

static const char *loopback(const BedKind *kind)
{
	return kind->family == WICE_FAMILY_IPV4 ? "127.0.0.1" : "::1";
}

int bed_open(const BedKind *kind, BedEnd *end, uint16_t port)
{
	int r = end->bind->ops->open(end->bind, port, 0, 1, &end->port, &end->n_queues);
	if (r == 0 && !kind->has_channel) {
		end->address = (WiceEndpoint){ .port = end->port };
		ck_assert(wice_address_parse(loopback(kind), &end->address.address));
	}
	return r;
}

static void add_channel(const BedKind *kind, BedEnd *end)
{
	end->fd = bed_socket(loopback(kind), &end->address);
	ck_assert_int_eq(wice_bind_udp_add_channel(end->bind, end->fd, &end->channel), 0);
	ck_assert_uint_ne(end->channel, 0);
}

/* The other end is what a relay would be: it sends and receives ChannelData of this channel. */
static void add_relayed(const BedKind *kind, BedEnd *end, const BedEnd *other)
{
	end->carrier = end->channel;
	WiceBindRelayed relayed = { .size = sizeof relayed,
				    .carrier = end->carrier,
				    .server = other->address,
				    .number = 0x4abc,
				    .in_place = kind->in_place,
				    .remote = other->address };
	ck_assert_int_eq(wice_bind_udp_add_relayed(end->bind, &relayed, &end->channel), 0);
	ck_assert_uint_ne(end->channel, end->carrier);
}

static void introduce(BedEnd *end, const BedEnd *other)
{
	if (end->channel)
		wice_bind_udp_set_route(end->bind, &other->address, end->channel);
}

bool bed_init(Bed *bed, const BedKind *kind)
{
	WiceBindUdpOptions options = { .size = sizeof options,
				       .no_segmentation = kind->no_segmentation };
	*bed = (Bed){ .kind = kind };
	if (!namespace_enter())
		return false;
	bed->a = bed_end_new(&options);
	bed->b = bed_end_new(&options);
	if (!kind->is_udp) {
		wice_bind_free(bed->a.bind);
		wice_bind_free(bed->b.bind);
		wice_bind_pair_new(&bed->a.bind, &bed->b.bind);
	}
	if (kind->has_channel) {
		add_channel(kind, &bed->a);
		add_channel(kind, &bed->b);
	}
	if (kind->relayed) {
		add_relayed(kind, &bed->a, &bed->b);
		add_relayed(kind, &bed->b, &bed->a);
	}
	ck_assert_int_eq(bed_open(kind, &bed->a, 0), 0);
	ck_assert_int_eq(bed_open(kind, &bed->b, 0), 0);
	introduce(&bed->a, &bed->b);
	introduce(&bed->b, &bed->a);
	return true;
}

void bed_end_done(BedEnd *end)
{
	wice_bind_free(end->bind);
	if (end->fd >= 0)
		close(end->fd);
	*end = (BedEnd){ .fd = -1 };
}

void bed_done(Bed *bed)
{
	bed_end_done(&bed->a);
	bed_end_done(&bed->b);
}

WiceBindPath bed_route(const BedEnd *from, const BedEnd *to)
{
	WiceBindPath path;
	memset(&path, 0xff, sizeof path);
	from->bind->ops->route(from->bind, &to->address, &path);
	ck_assert_int_eq(wice_endpoint_compare(&path.remote, &to->address), 0);
	ck_assert_int_eq(path.local.family, WICE_FAMILY_NONE);
	ck_assert_uint_eq(path.ifindex, 0);
	ck_assert_uint_eq(path.channel, from->channel);
	return path;
}

/* Has the headroom that a bind may ask for, before it. */
#define HEADROOM 32

static void fill(uint8_t *data, uint32_t number, uint32_t length)
{
	const uint8_t header[8] = { 4,
				    0,
				    0,
				    0,
				    (uint8_t)(number >> 24),
				    (uint8_t)(number >> 16),
				    (uint8_t)(number >> 8),
				    (uint8_t)number };
	for (uint32_t i = 0; i < length; i++)
		data[i] = i < sizeof header ? header[i] : (uint8_t)(number + i * 7);
}

BedPackets bed_packets(uint32_t first, size_t n, const uint32_t *lengths)
{
	BedPackets result = { g_new0(WiceBindPacket, n), n };
	for (size_t i = 0; i < n; i++) {
		uint8_t *memory = g_malloc0(HEADROOM + lengths[i]);
		result.packets[i] = (WiceBindPacket){ memory + HEADROOM, lengths[i] };
		fill(result.packets[i].data, first + (uint32_t)i, lengths[i]);
	}
	return result;
}

BedPackets bed_equal_packets(uint32_t first, size_t n, uint32_t length)
{
	uint32_t *lengths = g_new(uint32_t, n);
	for (size_t i = 0; i < n; i++)
		lengths[i] = length;
	BedPackets result = bed_packets(first, n, lengths);
	g_free(lengths);
	return result;
}

void bed_packets_free(BedPackets *packets)
{
	for (size_t i = 0; i < packets->n; i++)
		g_free(packets->packets[i].data - HEADROOM);
	g_free(packets->packets);
	*packets = (BedPackets){ 0 };
}

void bed_send(const BedEnd *from, WiceBindPath *path, const BedPackets *packets)
{
	ck_assert_int_eq(from->bind->ops->send(from->bind, path, packets->packets, packets->n),
			 (int)packets->n);
}

void bed_received_init(BedReceived *received)
{
	*received = (BedReceived){ .packets = g_ptr_array_new_with_free_func(
					   (GDestroyNotify)g_bytes_unref) };
}

void bed_received_done(BedReceived *received)
{
	g_ptr_array_unref(received->packets);
}

static void take(BedReceived *received, const WiceBindDatagram *datagram)
{
	uint32_t segment = datagram->segment ? datagram->segment : datagram->length, at = 0;
	ck_assert(datagram->segment == 0 || datagram->segment < datagram->length);
	received->path = datagram->path;
	received->n_datagrams++;
	do {
		uint32_t length = MIN(segment, datagram->length - at);
		g_ptr_array_add(received->packets, g_bytes_new(datagram->data + at, length));
		at += length;
	} while (at < datagram->length);
	/* It is ours to write to. */
	memset(datagram->data, 0xee, datagram->length);
}

static int receive_once(const BedEnd *end, unsigned queue, BedReceived *received)
{
	WiceBindDatagram datagrams[BATCH];
	memset(datagrams, 0xff, sizeof datagrams);
	int n = end->bind->ops->receive(end->bind, queue, datagrams, BATCH);
	ck_assert_int_le(n, BATCH);
	ck_assert_int_ne(n, 0);
	for (int i = 0; i < n; i++)
		take(received, &datagrams[i]);
	return n;
}

bool bed_wait(int fd, int timeout_ms)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };
	int r;
	do {
		r = poll(&polled, 1, timeout_ms);
	} while (r < 0 && errno == EINTR);
	return r == 1 && (polled.revents & POLLIN);
}

bool bed_receive(const BedEnd *end, unsigned queue, BedReceived *received, size_t n)
{
	while (received->packets->len < n) {
		int r = receive_once(end, queue, received);
		if (r == -EAGAIN &&
		    !bed_wait(end->bind->ops->poll_fd(end->bind, queue), DEADLINE_MS))
			return false;
		if (r < 0 && r != -EAGAIN)
			ck_abort_msg("receive: %s", g_strerror(-r));
	}
	return true;
}

void bed_receive_rest(const BedEnd *end, unsigned queue, BedReceived *received)
{
	while (bed_wait(end->bind->ops->poll_fd(end->bind, queue), 0))
		receive_once(end, queue, received);
}

void bed_expect(const BedEnd *end, const BedPackets *packets, WiceBindPath *ret_path)
{
	BedReceived received;
	bed_received_init(&received);
	ck_assert(bed_receive(end, 0, &received, packets->n));
	bed_receive_rest(end, 0, &received);
	ck_assert_uint_eq(received.packets->len, packets->n);
	for (size_t i = 0; i < packets->n; i++) {
		size_t length;
		const void *data = g_bytes_get_data(received.packets->pdata[i], &length);
		ck_assert_msg(length == packets->packets[i].length,
			      "packet %zu of %zu has %zu bytes instead of %u", i, packets->n,
			      length, packets->packets[i].length);
		if (length > 0)
			ck_assert_mem_eq(data, packets->packets[i].data, length);
	}
	if (ret_path)
		*ret_path = received.path;
	bed_received_done(&received);
}

void bed_ping(const BedEnd *from, const BedEnd *to, uint32_t length)
{
	WiceBindPath path = bed_route(from, to);
	BedPackets packets = bed_equal_packets(77, 1, length);
	bed_send(from, &path, &packets);
	bed_expect(to, &packets, NULL);
	bed_packets_free(&packets);
}

WiceBindCounters bed_counters(const BedEnd *end)
{
	WiceBindCounters counters;
	memset(&counters, 0xff, sizeof counters);
	end->bind->ops->counters(end->bind, &counters);
	return counters;
}

int bed_socket(const char *address, WiceEndpoint *ret_endpoint)
{
	WiceEndpoint endpoint = { 0 };
	struct sockaddr_storage name;
	ck_assert(wice_address_parse(address, &endpoint.address));
	socklen_t len = wice__endpoint_to_sockaddr(&endpoint, &name);
	int fd = socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&name, len, ret_endpoint));
	return fd;
}

void bed_send_to(int fd, const WiceEndpoint *to, const void *data, size_t len)
{
	struct sockaddr_storage name;
	socklen_t name_len = wice__endpoint_to_sockaddr(to, &name);
	ck_assert_int_eq(sendto(fd, data, len, 0, (struct sockaddr *)&name, name_len),
			 (ssize_t)len);
}

bool bed_ip(const char *arguments)
{
	return namespace_ip("%s", arguments);
}

int bed_run(const char *name, const TTest *const *tests, size_t n_tests, int n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	for (size_t i = 0; i < n_tests; i++)
		tcase_add_loop_test(tcase, tests[i], 0, n);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
