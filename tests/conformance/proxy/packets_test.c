/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What a mechanism does to packets: lib/proxy/proxy.h. */
#include <string.h>

#include "bed.h"
#include "stun/probe.h"

#define IN_FLIGHT 20

static Bed bed;

typedef struct {
	unsigned n;
	WiceProxyPath *path;
	WiceEndpoint source;
	uint8_t packet[BED_STUN_MAX];
	size_t len;
} Answers;

static void note_answer(WiceProxyPath *path, const WiceEndpoint *source, const uint8_t *packet,
			size_t len, void *user_data)
{
	Answers *answers = user_data;
	ck_assert_uint_ge(len, BED_STUN_HEAD);
	answers->n++;
	answers->path = path;
	answers->source = *source;
	answers->len = MIN(len, sizeof answers->packet);
	memcpy(answers->packet, packet, answers->len);
}

static const WiceProxyEvents events = { .on_stun = note_answer };

static size_t probe(uint8_t packet[BED_STUN_MAX], uint16_t type)
{
	uint8_t id[12] = { WICE_STUN_PROBE_TAG >> 24, WICE_STUN_PROBE_TAG >> 16 & 0xff,
			   WICE_STUN_PROBE_TAG >> 8 & 0xff, WICE_STUN_PROBE_TAG & 0xff, 1 };
	return bed_stun(packet, type, (const char *)id, NULL);
}

/* One interface and one peer with one path; NULL where the mechanism cannot be had. */
static WiceProxyPeer *open_with_path(int i, void *user_data, BedPath *ret_path)
{
	if (!bed_open(&bed, i))
		return NULL;
	WiceProxyPeer *peer = bed_peer(&bed.interfaces[0], &events, user_data);
	bed_path(&bed.interfaces[0], peer, ret_path);
	return peer;
}

static void close_with_path(WiceProxyPeer *peer, BedPath *path)
{
	bed_remove(path);
	peer->proxy->ops->peer_free(peer);
	bed_close(&bed);
}

START_TEST(packets_arrive_as_they_were_sent)
{
	static const struct {
		uint8_t type;
		size_t len;
	} handshakes[] = { { 1, 148 }, { 2, 92 }, { 3, 64 } };
	uint8_t packet[256];
	BedPath path;
	WiceProxyPeer *peer = open_with_path(_i, NULL, &path);
	if (!peer)
		return;
	WiceEndpoint endpoint = bed_select(&path);
	for (size_t i = 0; i < G_N_ELEMENTS(handshakes); i++) {
		bed_data(packet, handshakes[i].len, 7);
		packet[0] = handshakes[i].type;
		bed_wg_send(path.interface, &endpoint, packet, handshakes[i].len);
		bed_expect(&bed, path.remote, packet, handshakes[i].len, &path.wire);
		bed_send(path.remote, &path.wire, packet, handshakes[i].len);
		bed_wg_expect(path.interface, packet, handshakes[i].len, &endpoint);
	}
	for (size_t len = 32; len < 1420; len += 4)
		bed_carry(&path, &endpoint, (uint32_t)len, len);
	bed_carry(&path, &endpoint, 1420, 1420);
	/* Fills an Ethernet frame with IPv4, and with IPv6 does not fit into one. */
	bed_carry(&path, &endpoint, 1472, 1472);
	close_with_path(peer, &path);
}
END_TEST

START_TEST(checks_of_ice_are_the_agents)
{
	BedPath path;
	WiceProxyPeer *peer = open_with_path(_i, NULL, &path);
	if (!peer)
		return;
	bed_check(&path);
	WiceEndpoint endpoint = bed_select(&path);
	for (uint32_t i = 0; i < 10; i++) {
		bed_check(&path);
		bed_carry(&path, &endpoint, i, 100); /* is the first that WireGuard gets */
	}
	close_with_path(peer, &path);
}
END_TEST

/* WireGuard drops what it does not know, so where all have its port it may get that too. */
START_TEST(stun_that_nobody_has_asked_for_does_no_harm)
{
	uint8_t packet[BED_STUN_MAX];
	BedPath path;
	WiceProxyPeer *peer = open_with_path(_i, NULL, &path);
	if (!peer)
		return;
	bool one_port = path.wire.port == path.interface->port && !path.interface->bind;
	const struct {
		uint16_t type;
		const char *username;
	} unknown[] = { { BED_STUN_RESPONSE, NULL },
			{ BED_STUN_REQUEST, NULL },
			{ BED_STUN_REQUEST, "stranger:theirs" },
			{ 0x0011, NULL },
			{ 0x3fff, NULL } };
	WiceEndpoint endpoint = bed_select(&path);
	for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++) {
		size_t len = bed_stun(packet, unknown[i].type, "nobody's own", unknown[i].username);
		bed_send(path.remote, &path.wire, packet, len);
		if (one_port)
			bed_wg_expect(path.interface, packet, len, &path.far);
		else
			bed_expect(&bed, path.ice, packet, len, &path.far);
		bed_carry(&path, &endpoint, 1, 100);
		bed_check(&path);
	}
	close_with_path(peer, &path);
}
END_TEST

START_TEST(probes_leave_from_the_wire_endpoint)
{
	uint8_t packet[BED_STUN_MAX];
	Answers answers = { 0 };
	BedPath path;
	WiceEndpoint nowhere = { 0 };
	WiceProxyPeer *peer = open_with_path(_i, &answers, &path);
	if (!peer)
		return;
	const WiceProxyOps *ops = peer->proxy->ops;
	for (unsigned i = 1; ops->path_send && i < 4; i++) {
		size_t len = probe(packet, BED_STUN_REQUEST);
		ck_assert_int_eq(ops->path_send(path.path, &path.far, packet, len), 0);
		bed_expect(&bed, path.remote, packet, len, &path.wire);
		len = probe(packet, BED_STUN_RESPONSE);
		bed_send(path.remote, &path.wire, packet, len);
		BED_UNTIL(&bed, answers.n == i);
		ck_assert_ptr_eq(answers.path, path.path);
		ck_assert_int_eq(wice_endpoint_compare(&answers.source, &path.far), 0);
		ck_assert_uint_eq(answers.len, len);
		ck_assert_mem_eq(answers.packet, packet, len);
		ck_assert_int_lt(ops->path_send(path.path, &nowhere, packet, len), 0);
	}
	/* Neither the agent nor WireGuard has seen them. */
	bed_check(&path);
	WiceEndpoint endpoint = bed_select(&path);
	bed_carry(&path, &endpoint, 1, 100);
	close_with_path(peer, &path);
}
END_TEST

START_TEST(sources_that_are_not_selected_reach_wireguard)
{
	uint8_t packet[100];
	BedPath path, other;
	WiceProxyPeer *peer = open_with_path(_i, NULL, &path);
	if (!peer)
		return;
	bed_sockets(path.interface, &other);
	for (uint32_t i = 0; i < 10; i++) {
		if (i == 5)
			bed_select(&path);
		bed_data(packet, sizeof packet, i);
		bed_send(other.remote, &path.wire, packet, sizeof packet);
		BED_UNTIL(&bed, bed_wg_take(path.interface));
		ck_assert_uint_eq(bed.got.len, sizeof packet);
		ck_assert_mem_eq(bed.got.bytes, packet, sizeof packet);
	}
	bed_remove(&other);
	close_with_path(peer, &path);
}
END_TEST

typedef struct {
	unsigned n_out, n_in;
	bool out[3 * 100], in[2 * 100]; /* by number */
} Ledger;

static void note(bool *seen, size_t n, unsigned *ret_count)
{
	uint32_t number = bed_number(&bed);
	ck_assert_uint_lt(number, n);
	ck_assert(!seen[number]);
	seen[number] = true;
	(*ret_count)++;
}

static bool has_all(Ledger *ledger, const BedPath *paths)
{
	for (size_t i = 0; i < 2; i++)
		while (bed_take(&bed, paths[i].remote))
			note(ledger->out, G_N_ELEMENTS(ledger->out), &ledger->n_out);
	while (bed_wg_take(paths[0].interface))
		note(ledger->in, G_N_ELEMENTS(ledger->in), &ledger->n_in);
	return ledger->n_out == G_N_ELEMENTS(ledger->out) &&
	       ledger->n_in == G_N_ELEMENTS(ledger->in);
}

/* All but the last few: buffers are small, and shared with whatever else runs on this machine. */
static bool has_most(Ledger *ledger, const BedPath *paths, uint32_t n_sent)
{
	return has_all(ledger, paths) || ledger->n_out + ledger->n_in + IN_FLIGHT >= n_sent;
}

static void send_numbered(const BedPath *path, const WiceEndpoint *endpoint, uint32_t number)
{
	uint8_t packet[200];
	bed_data(packet, sizeof packet, number);
	if (endpoint)
		bed_wg_send(path->interface, endpoint, packet, sizeof packet);
	else
		bed_send(path->remote, &path->wire, packet, sizeof packet);
}

/* WireGuard learns of its new endpoint a little later than the proxy of the path. */
START_TEST(nothing_is_lost_while_the_selected_path_is_switched)
{
	static Ledger ledger;
	BedPath paths[2];
	WiceProxyPeer *peer = open_with_path(_i, NULL, &paths[0]);
	if (!peer)
		return;
	bed_path(paths[0].interface, peer, &paths[1]);
	WiceEndpoint endpoint = bed_select(&paths[0]);
	for (uint32_t i = 0; i < 100; i++) {
		const BedPath *next = &paths[(i + 1) % 2];
		send_numbered(next, &endpoint, 3 * i);
		WiceEndpoint selected = bed_select(next);
		send_numbered(next, &endpoint, 3 * i + 1);
		endpoint = selected;
		send_numbered(next, &endpoint, 3 * i + 2);
		send_numbered(&paths[0], NULL, 2 * i);
		send_numbered(&paths[1], NULL, 2 * i + 1);
		BED_UNTIL(&bed, has_most(&ledger, paths, 5 * (i + 1)));
	}
	BED_UNTIL(&bed, has_all(&ledger, paths));
	bed_carry(&paths[0], &endpoint, 1, 100);
	bed_remove(&paths[1]);
	close_with_path(peer, &paths[0]);
}
END_TEST

static void send_crossed(const BedPath *paths, const WiceEndpoint *endpoints)
{
	uint8_t packets[2][100];
	for (size_t i = 0; i < 2; i++) {
		bed_data(packets[i], sizeof packets[i], (uint32_t)i);
		bed_wg_send(paths[i].interface, &endpoints[i], packets[i], sizeof packets[i]);
	}
	for (size_t i = 0; i < 2; i++)
		bed_expect(&bed, paths[i].remote, packets[i], sizeof packets[i], &paths[i].wire);
	for (size_t i = 0; i < 2; i++) {
		bed_send(paths[i].remote, &paths[i].wire, packets[i], sizeof packets[i]);
		bed_wg_expect(paths[i].interface, packets[i], sizeof packets[i], &endpoints[i]);
		/* As WireGuard does: to where the peer was heard from. */
		bed_wg_reply(paths[i].interface, packets[!i], sizeof packets[!i]);
		bed_expect(&bed, paths[i].remote, packets[!i], sizeof packets[!i], &paths[i].wire);
	}
}

static void two_peers(BedInterface *a, BedInterface *b)
{
	BedInterface *interfaces[2] = { a, b };
	WiceProxyPeer *peers[2];
	BedPath paths[2];
	WiceEndpoint endpoints[2];
	for (size_t i = 0; i < 2; i++) {
		peers[i] = bed_peer(interfaces[i], NULL, NULL);
		bed_path(interfaces[i], peers[i], &paths[i]);
		endpoints[i] = bed_select(&paths[i]);
	}
	for (unsigned i = 0; i < 10; i++) {
		send_crossed(paths, endpoints);
		bed_check(&paths[i % 2]);
	}
	for (size_t i = 0; i < 2; i++) {
		peers[i]->proxy->ops->peer_free(peers[i]);
		paths[i].path = NULL;
		bed_remove(&paths[i]);
		if (i == 0)
			bed_carry(&paths[1], &endpoints[1], 1, 100);
	}
}

START_TEST(two_peers_of_an_interface_do_not_mix)
{
	if (!bed_open(&bed, _i))
		return;
	two_peers(&bed.interfaces[0], &bed.interfaces[0]);
	bed_close(&bed);
}
END_TEST

START_TEST(two_interfaces_do_not_mix)
{
	if (!bed_open(&bed, _i))
		return;
	ck_assert_ptr_nonnull(bed_add_interface(&bed));
	two_peers(&bed.interfaces[0], &bed.interfaces[1]);
	bed_close(&bed);
}
END_TEST

START_TEST(hostile_packets_do_no_harm)
{
	static const uint8_t starts[][4] = {
		{ 4 }, { 1 }, { 0 }, { 0xff, 0xff }, { 0, 1, 0xff, 0xff }
	};
	static const size_t sizes[] = {
		0, 1, 2, 3, 4, 8, 11, 12, 16, 19, 20, 31, 1472, 9000, 65487
	};
	static uint8_t packet[65487];
	Answers answers = { 0 };
	BedPath path;
	WiceProxyPeer *peer = open_with_path(_i, &answers, &path);
	if (!peer)
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(starts); i++) {
		memset(packet, 0x5a, sizeof packet);
		memcpy(packet, starts[i], sizeof starts[i]);
		for (size_t j = 0; j < G_N_ELEMENTS(sizes); j++)
			bed_send(path.remote, &path.wire, packet, sizes[j]);
	}
	/* Tagged as answers to probes, but cut short. */
	size_t len = probe(packet, BED_STUN_RESPONSE);
	for (size_t i = 8; i < len; i++)
		bed_send(path.remote, &path.wire, packet, i);
	WiceEndpoint endpoint = bed_select(&path);
	uint8_t last[100];
	bed_data(last, sizeof last, 1);
	bed_send(path.remote, &path.wire, last, sizeof last);
	BED_UNTIL(&bed, bed_wg_take(path.interface) && bed.got.len == sizeof last &&
				memcmp(bed.got.bytes, last, sizeof last) == 0);
	while (bed_take(&bed, path.ice))
		;
	bed_carry(&path, &endpoint, 2, 100);
	bed_check(&path);
	ck_assert_uint_eq(answers.n, 0);
	close_with_path(peer, &path);
}
END_TEST

/* Hooks that not every mechanism has. */

/* Where all have WireGuard's port, it is for relayed paths only. */
START_TEST(what_the_agent_got_instead_is_handed_to_wireguard)
{
	uint8_t packet[100];
	BedPath path;
	WiceProxyPeer *peer = open_with_path(_i, NULL, &path);
	if (!peer)
		return;
	const WiceProxyOps *ops = peer->proxy->ops;
	WiceEndpoint endpoint = bed_select(&path);
	if (ops->path_input && path.wire.port != path.interface->port) {
		bed_data(packet, sizeof packet, 1);
		ops->path_input(path.path, packet, 0);
		ops->path_input(path.path, packet, 3);
		ops->path_input(path.path, packet, sizeof packet);
		bed_wg_expect(path.interface, packet, sizeof packet, &endpoint);
	}
	close_with_path(peer, &path);
}
END_TEST

START_TEST(the_source_of_the_newest_request_is_known)
{
	uint8_t packet[BED_STUN_MAX];
	BedPath path, other;
	WiceEndpoint heard = { .port = 77 };
	WiceProxyPeer *peer = open_with_path(_i, NULL, &path);
	if (!peer)
		return;
	const WiceProxyOps *ops = peer->proxy->ops;
	bed_sockets(path.interface, &other);
	if (ops->path_heard) {
		g_autofree char *username = g_strdup_printf("%s:theirs", path.ufrag);
		ck_assert_int_eq(ops->path_heard(path.path, &heard), -ENOENT);
		ck_assert_uint_eq(heard.port, 77);
		bed_check(&path);
		ck_assert_int_eq(ops->path_heard(path.path, &heard), 0);
		ck_assert_int_eq(wice_endpoint_compare(&heard, &path.far), 0);
		size_t len = bed_stun(packet, BED_STUN_REQUEST, "from another", username);
		bed_send(other.remote, &path.wire, packet, len);
		bed_expect(&bed, path.ice, packet, len, &other.far);
		ck_assert_int_eq(ops->path_heard(path.path, &heard), 0);
		ck_assert_int_eq(wice_endpoint_compare(&heard, &other.far), 0);
	}
	bed_remove(&other);
	close_with_path(peer, &path);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		packets_arrive_as_they_were_sent,
		checks_of_ice_are_the_agents,
		stun_that_nobody_has_asked_for_does_no_harm,
		probes_leave_from_the_wire_endpoint,
		sources_that_are_not_selected_reach_wireguard,
		nothing_is_lost_while_the_selected_path_is_switched,
		two_peers_of_an_interface_do_not_mix,
		two_interfaces_do_not_mix,
		hostile_packets_do_no_harm,
		what_the_agent_got_instead_is_handed_to_wireguard,
		the_source_of_the_newest_request_is_known,
	};
	return bed_run_suite("proxy packets", tests, G_N_ELEMENTS(tests));
}
