/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Relayed packets between real sockets on real devices: one that plays WireGuard, the TURN client's
 * and, in the other namespace, one that plays the relay.
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "bpf_world.h"
#include "stun/relayed.h"
#include "tun_wire.h"

#define LOOPBACK 1
#define CHANNEL 0x4000
#define PACKET_MAX 65536

typedef struct {
	BpfWorld *world;
	int wg, client, server;
	WiceEndpoint wg_at, client_at, server_at;
	WiceBpfRelayed *relayed;
} Relay;

/* A peer's way. */
typedef struct {
	Relay *relay;
	WiceBpfChannel channel;
	WiceEndpoint endpoint; /* WireGuard's */
} Peer;

static const char *const near_addresses[] = { BPF_NEAR4, BPF_NEAR6 };
static const char *const far_addresses[] = { BPF_FAR4, BPF_FAR6 };
static const char *const wildcards[] = { "0.0.0.0", "::" };

static void open_relay(BpfWorld *world, int family, Relay *ret)
{
	*ret = (Relay){ .world = world, .relayed = wice__bpf_mux_relayed(world->mux) };
	ret->wg = bpf_socket(wildcards[family], &ret->wg_at);
	ret->client = bpf_socket(wildcards[family], &ret->client_at);
	ret->server = bpf_far_socket(world, far_addresses[family], &ret->server_at);
	ck_assert_int_eq(
		wice__bpf_mux_add_asker(world->mux, ret->wg_at.port, &ret->client_at, ret->client),
		0);
	ck_assert_int_eq(wice__bpf_mux_add_relay(world->mux, ret->wg_at.port, &ret->server_at,
						 ret->client_at.port),
			 0);
	ck_assert(wice_address_parse(near_addresses[family], &ret->wg_at.address));
}

static void close_relay(Relay *relay)
{
	WiceBpfMux *mux = relay->world->mux;
	WiceEndpoint bound = relay->client_at;
	wice__bpf_mux_remove_relay(mux, relay->wg_at.port, &relay->server_at);
	wice__bpf_mux_remove(mux, relay->wg_at.port, &bound, NULL);
	close(relay->wg);
	close(relay->client);
	close(relay->server);
}

static Peer add_peer(Relay *relay, unsigned number, bool in_place)
{
	Peer peer = { .relay = relay, .endpoint = relay->server_at };
	peer.channel = (WiceBpfChannel){
		.server = relay->server_at,
		.wg_port = relay->wg_at.port,
		.synthetic_port = (uint16_t)(16384 + number),
		.channel = (uint16_t)(CHANNEL + number),
		.in_place = in_place,
	};
	if (peer.channel.synthetic_port == relay->server_at.port)
		peer.channel.synthetic_port += 1000;
	peer.endpoint.port = peer.channel.synthetic_port;
	ck_assert_int_eq(wice__bpf_relayed_add(relay->relayed, &peer.channel), 0);
	return peer;
}

static void remove_peer(const Peer *peer)
{
	wice__bpf_relayed_remove(peer->relay->relayed, &peer->channel);
}

static WiceBpfRelayedCounters counters_of(const Peer *peer)
{
	WiceBpfRelayedCounters counters;
	ck_assert_int_eq(
		wice__bpf_relayed_counters(peer->relay->relayed, &peer->channel, &counters), 0);
	return counters;
}

static void make_message(uint8_t *message, uint8_t type, size_t len, unsigned number)
{
	for (size_t i = 0; i < len; i++)
		message[i] = (uint8_t)(i * 3 + number + (i >> 8));
	memset(message, 0, 4);
	message[0] = type;
}

/* As it travels: in buffer, which has room for four bytes before the message. */
static const uint8_t *wrap(const Peer *peer, const uint8_t *message, size_t len, uint8_t *buffer,
			   size_t *ret_len)
{
	memcpy(buffer + WICE_RELAYED_HEADER_LEN, message, len);
	return wice__relayed_wrap(buffer + WICE_RELAYED_HEADER_LEN, len, peer->channel.channel,
				  peer->channel.in_place, ret_len);
}

static void expect_sent(const Peer *peer, const uint8_t *message, size_t len)
{
	uint8_t buffer[4096];
	size_t data_len;
	const uint8_t *data = wrap(peer, message, len, buffer, &data_len);
	bpf_expect(peer->relay->server, data, data_len, &peer->relay->wg_at);
}

static void send_from_relay(const Peer *peer, const uint8_t *message, size_t len)
{
	uint8_t buffer[4096];
	size_t data_len;
	const uint8_t *data = wrap(peer, message, len, buffer, &data_len);
	bpf_send(peer->relay->server, &peer->relay->wg_at, data, data_len);
}

/* One message each way. */
static void carry(const Peer *peer, uint8_t type, size_t len)
{
	uint8_t message[2048];
	make_message(message, type, len, 1);
	bpf_send(peer->relay->wg, &peer->endpoint, message, len);
	expect_sent(peer, message, len);
	make_message(message, type, len, 2);
	send_from_relay(peer, message, len);
	bpf_expect(peer->relay->wg, message, len, &peer->endpoint);
}

static void carry_all_sizes(const Peer *peer)
{
	carry(peer, 1, 148);
	carry(peer, 2, 92);
	carry(peer, 3, 64);
	for (size_t len = 32; len <= 1440; len += len < 64 ? 1 : 97)
		carry(peer, 4, len);
}

/* Several peers behind one relay, of both kinds. */
static void talk(BpfWorld *world)
{
	for (int family = 0; family < 2; family++) {
		Relay relay;
		Peer peers[4];
		open_relay(world, family, &relay);
		for (unsigned i = 0; i < G_N_ELEMENTS(peers); i++)
			peers[i] = add_peer(&relay, i, i % 2);
		for (unsigned i = 0; i < G_N_ELEMENTS(peers); i++)
			carry_all_sizes(&peers[i]);
		for (unsigned i = 0; i < G_N_ELEMENTS(peers); i++) {
			WiceBpfRelayedCounters counters = counters_of(&peers[i]);
			ck_assert_uint_eq(counters.tx_packets, counters.rx_packets);
			ck_assert_uint_eq(counters.tx_bytes, counters.rx_bytes);
			ck_assert_uint_gt(counters.tx_bytes, 148 + 92 + 64);
			ck_assert_uint_eq(counters.rx_slow, 0);
			remove_peer(&peers[i]);
		}
		close_relay(&relay);
	}
}

static bool open_wired(BpfWorld *world, int attach)
{
	if (!bpf_world_open(world, attach) || !bpf_world_add_wire(world))
		return false;
	bpf_set_addresses(world, "wire");
	BPF_UNTIL(world, wice__bpf_mux_n_uplinks(world->mux) == LOOPBACK + 1);
	return true;
}

static bool set_offload(const char *device, uint32_t command, uint32_t value)
{
	struct ethtool_value request = { command, value };
	struct ifreq name = { .ifr_data = (void *)&request };
	g_strlcpy(name.ifr_name, device, sizeof name.ifr_name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool ok = ioctl(fd, SIOCETHTOOL, &name) == 0;
	close(fd);
	return ok;
}

START_TEST(over_a_wire_with_and_without_checksum_offload)
{
	BpfWorld world;
	if (!open_wired(&world, _i))
		return;
	talk(&world);
	for (int i = 0; i < 2; i++) {
		bpf_enter(i == 0 ? world.far : world.near);
		ck_assert(set_offload("wire", ETHTOOL_STXCSUM, 0));
		bpf_enter(world.near);
		talk(&world);
	}
	bpf_world_close(&world);
}
END_TEST

START_TEST(over_a_device_without_ethernet_header)
{
	BpfWorld world;
	int fds[2];
	if (!bpf_world_open(&world, _i) || !bpf_new_namespace(&world.far))
		return;
	fds[1] = tun_open();
	bpf_enter(world.near);
	fds[0] = tun_open();
	if (fds[0] < 0 || fds[1] < 0) {
		puts("skipped: this kernel has no tun");
		return;
	}
	bpf_set_addresses(&world, "tun");
	pid_t carrier = tun_carry(fds);
	BPF_UNTIL(&world, wice__bpf_mux_n_uplinks(world.mux) == LOOPBACK + 1);
	talk(&world);
	tun_cut(carrier);
	bpf_world_close(&world);
}
END_TEST

START_TEST(two_capabilities_are_all_that_it_takes)
{
	static const int capabilities[] = { CAP_BPF, CAP_NET_ADMIN };
	BpfWorld world;
	if (!open_wired(&world, _i))
		return;
	Relay relay;
	open_relay(&world, 0, &relay);
	wice__bpf_mux_free(world.mux);
	bpf_keep_capabilities(capabilities, G_N_ELEMENTS(capabilities));
	world.mux = bpf_open_mux(world.context, (WiceBpfAttach)_i);
	ck_assert_ptr_nonnull(world.mux);
	relay.relayed = wice__bpf_mux_relayed(world.mux);
	Peer peer = add_peer(&relay, 0, true);
	carry(&peer, 1, 148);
	carry(&peer, 4, 1000);
	close_relay(&relay);
	bpf_world_close(&world);
}
END_TEST

/* The first channel is not to wait for them. */
START_TEST(programs_are_there_before_a_channel_if_there_is_a_relay)
{
	BpfWorld world;
	Relay relay;
	if (!open_wired(&world, _i))
		return;
	open_relay(&world, 0, &relay);
	BPF_UNTIL(&world, wice__bpf_relayed_n_uplinks(relay.relayed) == LOOPBACK + 1);
	for (int round = 0; round < 2; round++) {
		Peer peer = add_peer(&relay, 0, true);
		carry(&peer, 4, 1000);
		remove_peer(&peer);
		ck_assert_uint_eq(wice__bpf_relayed_n_uplinks(relay.relayed), LOOPBACK + 1);
	}
	close_relay(&relay);
	ck_assert_uint_eq(wice__bpf_relayed_n_uplinks(relay.relayed), 0);
	bpf_world_close(&world);
}
END_TEST

START_TEST(programs_are_there_as_long_as_there_are_channels)
{
	BpfWorld world;
	Relay relay;
	if (!open_wired(&world, _i))
		return;
	open_relay(&world, 0, &relay);
	wice__bpf_mux_remove_relay(world.mux, relay.wg_at.port, &relay.server_at);
	for (int round = 0; round < 3; round++) {
		ck_assert_uint_eq(wice__bpf_relayed_n_uplinks(relay.relayed), 0);
		Peer first = add_peer(&relay, 0, false);
		ck_assert_uint_eq(wice__bpf_relayed_n_uplinks(relay.relayed), LOOPBACK + 1);
		Peer second = add_peer(&relay, 1, false);
		remove_peer(&first);
		remove_peer(&first);
		carry(&second, 4, 1000);
		remove_peer(&second);
	}
	ck_assert_uint_eq(wice__bpf_relayed_n_uplinks(relay.relayed), 0);
	ck_assert(!bpf_run("tc filter show dev wire egress | grep -q ' handle 0x77696302'"));
	close_relay(&relay);
	bpf_world_close(&world);
}
END_TEST

START_TEST(a_device_that_comes_later_is_served)
{
	BpfWorld world;
	Relay relay;
	if (!bpf_world_open(&world, _i) || !bpf_world_add_wire(&world))
		return;
	bpf_enter(world.far);
	ck_assert(bpf_run("ip addr add " BPF_FAR4 "/24 dev wire && ip link set wire up"));
	bpf_enter(world.near);
	open_relay(&world, 0, &relay);
	Peer peer = add_peer(&relay, 0, true);
	ck_assert_uint_eq(wice__bpf_relayed_n_uplinks(relay.relayed), LOOPBACK);
	ck_assert(bpf_run("ip addr add " BPF_NEAR4 "/24 dev wire"));
	BPF_UNTIL(&world, wice__bpf_relayed_n_uplinks(relay.relayed) == LOOPBACK + 1);
	carry(&peer, 4, 1000);
	close_relay(&relay); /* with its channel */
	bpf_world_close(&world);
}
END_TEST

START_TEST(a_channel_is_replaced)
{
	BpfWorld world;
	Relay relay;
	if (!open_wired(&world, _i))
		return;
	open_relay(&world, 1, &relay);
	Peer first = add_peer(&relay, 0, false), second = add_peer(&relay, 1, true);
	Peer wrong = second;
	wrong.channel.wg_port++;
	ck_assert_int_eq(wice__bpf_relayed_add(relay.relayed, &wrong.channel), -EEXIST);
	wrong.channel.channel = 0x3fff;
	ck_assert_int_eq(wice__bpf_relayed_add(relay.relayed, &wrong.channel), -EINVAL);
	carry(&first, 4, 100);
	carry(&second, 4, 100);
	first.channel.channel = CHANNEL + 7;
	first.channel.in_place = true;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(wice__bpf_relayed_add(relay.relayed, &first.channel), 0);
		carry(&first, 4, 100);
	}
	ck_assert_uint_eq(counters_of(&first).tx_packets, 3);
	ck_assert_uint_eq(counters_of(&first).rx_bytes, 300);
	/* The number is free again. */
	second.channel.channel = CHANNEL;
	ck_assert_int_eq(wice__bpf_relayed_add(relay.relayed, &second.channel), 0);
	carry(&second, 4, 100);
	carry(&first, 4, 100);
	remove_peer(&first);
	carry(&second, 4, 100);
	remove_peer(&second);
	close_relay(&relay);
	bpf_world_close(&world);
}
END_TEST

/* As when both ends have agreed on something else: the new one is there before the old goes. */
START_TEST(a_channel_is_taken_over)
{
	uint8_t message[100];
	BpfWorld world;
	Relay relay;
	if (!open_wired(&world, _i))
		return;
	open_relay(&world, 0, &relay);
	Peer former = add_peer(&relay, 0, false);
	for (unsigned i = 1; i < 7; i++) {
		carry(&former, 4, 100);
		Peer next = former;
		next.channel.in_place = !former.channel.in_place;
		next.channel.synthetic_port++;
		next.endpoint.port++;
		ck_assert_int_eq(wice__bpf_relayed_add(relay.relayed, &next.channel), 0);
		carry(&next, 4, 100);
		/* WireGuard still sends to the former. */
		make_message(message, 4, sizeof message, i);
		bpf_send(relay.wg, &former.endpoint, message, sizeof message);
		expect_sent(&former, message, sizeof message);
		ck_assert_uint_eq(counters_of(&former).rx_packets, i == 1 ? 1 : 3);
		if (i % 2) {
			remove_peer(&former);
			carry(&next, 4, 100);
			former = next;
		} else {
			/* The other way round. */
			remove_peer(&next);
			carry(&former, 4, 100);
			ck_assert_uint_eq(counters_of(&former).rx_packets, 4);
			remove_peer(&former);
			former = add_peer(&relay, 0, false);
			carry(&former, 4, 100);
			carry(&former, 4, 100);
		}
	}
	remove_peer(&former);
	close_relay(&relay);
	ck_assert_uint_eq(wice__bpf_relayed_n_uplinks(relay.relayed), 0);
	bpf_world_close(&world);
}
END_TEST

static void send_segments(int fd, const WiceEndpoint *to, const uint8_t *packets, size_t len,
			  int size)
{
	setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
	bpf_send(fd, to, packets, len);
	size = 0;
	setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
}

/* Older kernels (6.1) do not send them by devices that leave checksums to the host. */
static bool may_send_segments(int fd, const WiceEndpoint *server)
{
	static const uint8_t packets[16];
	int size = sizeof packets / 2;
	WiceEndpoint nobody = *server;
	struct sockaddr_storage name;
	nobody.port = 9;
	socklen_t name_len = wice__endpoint_to_sockaddr(&nobody, &name);
	setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
	bool may = sendto(fd, packets, sizeof packets, 0, (struct sockaddr *)&name, name_len) > 0 ||
		   errno != EIO;
	size = 0;
	setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof size);
	return may;
}

/* Returns the whole length of n messages of len bytes, the last one of last. */
static size_t make_messages(uint8_t *messages, size_t len, unsigned n, size_t last)
{
	for (unsigned i = 0; i < n; i++)
		make_message(messages + i * len, 4, i + 1 < n ? len : last, i);
	return len * (n - 1) + last;
}

/* A userspace WireGuard that sends several at once, and to which GRO brings several. */
static void stop_checksum_offload(BpfWorld *world)
{
	bpf_enter(world->far);
	ck_assert(set_offload("wire", ETHTOOL_STXCSUM, 0));
	bpf_enter(world->near);
	ck_assert(set_offload("wire", ETHTOOL_STXCSUM, 0));
}

START_TEST(several_packets_at_once)
{
	enum { LEN = 1400, N = 40, LAST = 100 };
	static uint8_t messages[LEN * N], data[LEN * N];
	BpfWorld world;
	if (!open_wired(&world, _i))
		return;
	for (int round = 0; round < 4; round++) {
		Relay relay;
		if (round == 2)
			stop_checksum_offload(&world);
		open_relay(&world, round % 2, &relay);
		if (!may_send_segments(relay.wg, &relay.server_at)) {
			close_relay(&relay);
			break;
		}
		Peer peer = add_peer(&relay, 0, true), standard = add_peer(&relay, 1, false);
		size_t total = make_messages(messages, LEN, N, LAST);
		send_segments(relay.wg, &peer.endpoint, messages, total, LEN);
		for (unsigned i = 0; i < N; i++)
			expect_sent(&peer, messages + i * LEN, i + 1 < N ? LEN : LAST);
		for (unsigned i = 0; i < N; i++) {
			uint8_t buffer[LEN + 4];
			size_t len;
			memcpy(data + i * LEN,
			       wrap(&peer, messages + i * LEN, i + 1 < N ? LEN : LAST, buffer,
				    &len),
			       i + 1 < N ? LEN : LAST);
		}
		send_segments(relay.server, &relay.wg_at, data, total, LEN);
		for (unsigned i = 0; i < N; i++)
			bpf_expect(relay.wg, messages + i * LEN, i + 1 < N ? LEN : LAST,
				   &peer.endpoint);
		ck_assert_uint_eq(counters_of(&peer).tx_packets, N);
		ck_assert_uint_eq(counters_of(&peer).rx_packets, N);
		ck_assert_uint_eq(counters_of(&peer).tx_bytes, total);

		/*
		 * Another message among them: that is sorted out by the TURN client. Without
		 * offload they come one by one.
		 */
		memset(data + 2 * LEN, 0, 4);
		if (round < 2) {
			send_segments(relay.server, &relay.wg_at, data, total, LEN);
			for (unsigned i = 0; i < N; i++)
				bpf_expect(relay.client, data + i * LEN, i + 1 < N ? LEN : LAST,
					   &relay.server_at);
			ck_assert_uint_eq(counters_of(&peer).rx_slow, 1);
		}

		/* With headers there is no room for this; nothing else is sent instead. */
		send_segments(relay.wg, &standard.endpoint, messages, total, LEN);
		carry(&standard, 4, LEN);
		ck_assert_uint_eq(counters_of(&standard).dropped_gso, 1);
		remove_peer(&peer);
		remove_peer(&standard);
		close_relay(&relay);
	}
	bpf_world_close(&world);
}
END_TEST

START_TEST(what_is_too_large_is_dropped_and_counted)
{
	static uint8_t message[4000];
	BpfWorld world;
	if (!open_wired(&world, _i))
		return;
	for (int family = 0; family < 2; family++) {
		Relay relay;
		size_t fits = family == 0 ? 1472 : 1452;
		open_relay(&world, family, &relay);
		for (int in_place = 0; in_place < 2; in_place++) {
			Peer peer = add_peer(&relay, 0, in_place);
			for (size_t len = fits - 8; len <= fits; len++) {
				make_message(message, 4, len, 1);
				bpf_send(relay.wg, &peer.endpoint, message, len);
				if (in_place || len + 4 <= fits)
					expect_sent(&peer, message, len);
			}
			make_message(message, 4, sizeof message, 1);
			bpf_send(relay.wg, &peer.endpoint, message, sizeof message);
			carry(&peer, 4, 100);
			WiceBpfRelayedCounters counters = counters_of(&peer);
			ck_assert_uint_eq(counters.dropped_mtu, in_place ? 0 : 4);
			ck_assert_uint_eq(counters.dropped_fragments, 1);
			remove_peer(&peer);
		}
		close_relay(&relay);
	}
	bpf_world_close(&world);
}
END_TEST

/* What the programs cannot do: the TURN client gets it, and gives it to WireGuard. */
START_TEST(what_goes_the_slow_way_arrives_the_same)
{
	static uint8_t message[3000], buffer[3004];
	BpfWorld world;
	if (!open_wired(&world, _i))
		return;
	for (int i = 0; i < 4; i++) {
		Relay relay;
		size_t len;
		open_relay(&world, i / 2, &relay);
		Peer peer = add_peer(&relay, 0, i % 2);
		make_message(message, 4, sizeof message, 1);
		const uint8_t *data = wrap(&peer, message, sizeof message, buffer, &len);
		bpf_send(relay.server, &relay.wg_at, data, len);
		struct pollfd polled = { .fd = relay.client, .events = POLLIN };
		ck_assert_int_eq(poll(&polled, 1, BPF_DEADLINE_US / 1000), 1);
		ck_assert_int_eq(recv(relay.client, buffer, sizeof buffer, MSG_TRUNC),
				 (ssize_t)len);
		ck_assert_uint_eq(counters_of(&peer).rx_slow, 1);
		for (size_t n = 32; n < 1472; n += 131) {
			make_message(message, 4, n, 2);
			int r = wice__bpf_relayed_inject(relay.relayed, &peer.channel, 77, message,
							 n);
			ck_assert_int_eq(r, 0);
			bpf_expect(relay.wg, message, n, &peer.endpoint);
		}
		/* Its own answers go as before. */
		carry(&peer, 4, 1000);
		remove_peer(&peer);
		ck_assert_int_eq(
			wice__bpf_relayed_inject(relay.relayed, &peer.channel, 0, message, 100),
			-ENOENT);
		close_relay(&relay);
	}
	bpf_world_close(&world);
}
END_TEST

/* ChannelData of channels that are not known, indications, and STUN that the mux knows. */
START_TEST(all_else_goes_to_the_turn_client)
{
	uint8_t stun[64], data[100] = { 0x40, 7, 0, 96 };
	BpfWorld world;
	if (!open_wired(&world, _i))
		return;
	for (int family = 0; family < 2; family++) {
		Relay relay;
		open_relay(&world, family, &relay);
		Peer peer = add_peer(&relay, 0, false);
		bpf_send(relay.server, &relay.wg_at, data, sizeof data);
		bpf_expect(relay.client, data, sizeof data, &relay.server_at);
		size_t len = bpf_stun(stun, 0x0017, 9, NULL);
		bpf_send(relay.server, &relay.wg_at, stun, len);
		bpf_expect(relay.client, stun, len, &relay.server_at);
		len = bpf_stun(stun, 0x0003, 9, NULL);
		bpf_send(relay.client, &relay.server_at, stun, len);
		bpf_expect(relay.server, stun, len, &relay.wg_at);
		len = bpf_stun(stun, 0x0103, 9, NULL);
		bpf_send(relay.server, &relay.wg_at, stun, len);
		bpf_expect(relay.client, stun, len, &relay.server_at);
		/* The relay may be a peer, too. */
		data[0] = 4;
		data[1] = data[3] = 0;
		bpf_send(relay.server, &relay.wg_at, data, sizeof data);
		bpf_expect(relay.wg, data, sizeof data, &relay.server_at);
		bpf_send(relay.wg, &relay.server_at, data, sizeof data);
		bpf_expect(relay.server, data, sizeof data, &relay.wg_at);
		memcpy(data, "\x40\7\0\x60", 4);
		carry(&peer, 4, 100);
		remove_peer(&peer);
		close_relay(&relay);
	}
	bpf_world_close(&world);
}
END_TEST

/* Another namespace behind the near one, which forwards for it without NAT. */
static int add_third(const BpfWorld *world)
{
	int third;
	ck_assert(bpf_new_namespace(&third));
	bpf_enter(world->near);
	ck_assert(bpf_run("ip link add third type veth peer name wire netns /proc/%d/fd/%d",
			  (int)getpid(), third));
	ck_assert(bpf_run("ip addr add 10.90.0.1/24 dev third && "
			  "ip addr add fd90::1/64 dev third nodad && ip link set third up && "
			  "echo 1 > /proc/sys/net/ipv4/ip_forward && "
			  "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"));
	bpf_enter(third);
	ck_assert(
		bpf_run("ip addr add 10.90.0.2/24 dev wire && "
			"ip addr add fd90::2/64 dev wire nodad && ip link set wire up && "
			"ip route add default via 10.90.0.1 && ip route add default via fd90::1"));
	bpf_enter(world->far);
	ck_assert(bpf_run("ip route add default via " BPF_NEAR4
			  " && ip route add default via " BPF_NEAR6));
	bpf_enter(world->near);
	return third;
}

static int third_socket(const BpfWorld *world, int third, int family, uint16_t port,
			WiceEndpoint *ret)
{
	static const char *const addresses[] = { "10.90.0.2", "fd90::2" };
	WiceEndpoint bound = { .port = port };
	ck_assert(wice_address_parse(addresses[family], &bound.address));
	bpf_enter(third);
	int fd = bpf_bound_socket(&bound, ret);
	bpf_enter(world->near);
	return fd;
}

/*
 * A host that this one forwards for, with the same port, the same relay and the same channel. And,
 * as WireGuard in the kernel sends: a packet without a socket, of which the checksum is only begun
 * and then left to software behind the programs.
 */
START_TEST(forwarded_packets)
{
	static const uint8_t unknown[] = { 0x40, 9, 0, 4, 1, 2, 3, 4 };
	uint8_t message[1000], buffer[1004];
	size_t len;
	BpfWorld world;
	if (!open_wired(&world, _i))
		return;
	int third = add_third(&world);
	BPF_UNTIL(&world, wice__bpf_mux_n_uplinks(world.mux) == LOOPBACK + 2);
	ck_assert(set_offload("wire", ETHTOOL_STXCSUM, 0));
	for (int i = 0; i < 4; i++) {
		Relay relay;
		WiceEndpoint third_at;
		open_relay(&world, i / 2, &relay);
		Peer peer = add_peer(&relay, 0, i % 2);
		int fd = third_socket(&world, third, i / 2, relay.wg_at.port, &third_at);
		make_message(message, 4, sizeof message, 1);
		const uint8_t *data = wrap(&peer, message, sizeof message, buffer, &len);
		bpf_send(relay.server, &third_at, data, len);
		bpf_expect(fd, data, len, &relay.server_at);
		carry(&peer, 4, 500);
		bpf_send(relay.server, &third_at, data, len);
		bpf_expect(fd, data, len, &relay.server_at);
		bpf_send(relay.server, &third_at, unknown, sizeof unknown);
		bpf_expect(fd, unknown, sizeof unknown, &relay.server_at);
		bpf_send(fd, &peer.endpoint, message, sizeof message);
		bpf_expect(relay.server, data, len, &third_at);
		close(fd);
		remove_peer(&peer);
		close_relay(&relay);
	}
	close(third);
	bpf_world_close(&world);
}
END_TEST

/* A child with a channel. */
static pid_t start_child(WiceBpfAttach attach)
{
	int ready[2];
	char byte;
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		BpfWorld world = { .near = -1, .far = -1 };
		Relay relay;
		world.mux = bpf_open_mux(NULL, attach);
		open_relay(&world, 0, &relay);
		add_peer(&relay, 0, false);
		if (write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return child;
}

START_TEST(what_the_dead_leave_is_removed_at_the_next_start)
{
	/* Of the mux and of the channel; tcx leaves nothing. */
	unsigned n = _i == WICE_BPF_ATTACH_CLSACT;
	BpfWorld world;
	if (!bpf_world_open(&world, _i))
		return;
	ck_assert(bpf_run("ip addr add " BPF_FAR4 "/32 dev lo"));
	pid_t child = start_child((WiceBpfAttach)_i);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(bpf_run("test $(tc filter show dev lo egress | grep -c wice_) = %u", 3 * n));
	wice__bpf_mux_free(world.mux);
	world.mux = bpf_open_mux(world.context, (WiceBpfAttach)_i);
	ck_assert_ptr_nonnull(world.mux);
	ck_assert(bpf_run("test $(tc filter show dev lo egress | grep -c wice_) = %u", n));
	bpf_world_close(&world);
}
END_TEST

BPF_SUITE_MAIN("bpf relayed network", over_a_wire_with_and_without_checksum_offload,
	       over_a_device_without_ethernet_header, two_capabilities_are_all_that_it_takes,
	       programs_are_there_as_long_as_there_are_channels,
	       programs_are_there_before_a_channel_if_there_is_a_relay,
	       a_device_that_comes_later_is_served, a_channel_is_replaced, a_channel_is_taken_over,
	       several_packets_at_once, what_is_too_large_is_dropped_and_counted,
	       what_goes_the_slow_way_arrives_the_same, all_else_goes_to_the_turn_client,
	       forwarded_packets, what_the_dead_leave_is_removed_at_the_next_start)
