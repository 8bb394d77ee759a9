/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What the rules do to packets. */
#include "nft_world.h"

START_TEST(wireguard_and_stun_share_a_port)
{
	if (!make_hosts(_i))
		return;
	select_both();
	carry_both_ways(_i);
	carry_stun(0);
	carry_stun(1);
	free_hosts();
}
END_TEST

/* ChannelData, DTLS, and what is too short or too long to be one of WireGuard's four words. */
START_TEST(what_is_not_wireguard_is_the_agents)
{
	static const uint8_t packets[][8] = { { 0x40, 0, 0, 4 }, { 0x16, 0xfe, 0xfd, 0 },
					      { 4, 0, 0, 1 },    { 5, 0, 0, 0 },
					      { 0, 0, 0, 0 },    { 4, 0, 0 } };
	if (!make_hosts(_i))
		return;
	select_both();
	for (size_t i = 0; i < G_N_ELEMENTS(packets); i++) {
		size_t len = i == G_N_ELEMENTS(packets) - 1 ? 3 : sizeof packets[i];
		world_send(hosts[0].ice, &hosts[1].ice_endpoint, packets[i], len);
		world_expect(&world, hosts[1].ice, packets[i], len, &hosts[0].ice_endpoint);
	}
	free_hosts();
}
END_TEST

/* The receiver verifies what the sender's card has not been trusted with. */
START_TEST(checksums_are_right_with_and_without_offload)
{
	if (!make_hosts(_i))
		return;
	select_both();
	for (int offload = 0; offload < 2; offload++) {
		set_tx_checksum(offload);
		carry_both_ways(_i);
	}
	free_hosts();
}
END_TEST

START_TEST(packets_without_a_checksum_arrive)
{
	int one = 1;
	if (!make_hosts(0))
		return;
	set_tx_checksum(false);
	setsockopt(hosts[0].ice, SOL_SOCKET, SO_NO_CHECK, &one, sizeof one);
	for (uint32_t i = 0; i < 20; i++) {
		uint8_t packet[200];
		world_send(hosts[0].ice, &hosts[1].ice_endpoint, packet,
			   world_data(packet, sizeof packet, i));
		world_expect(&world, hosts[1].wg[0], packet, sizeof packet, &hosts[0].ice_endpoint);
	}
	free_hosts();
}
END_TEST

START_TEST(packets_larger_than_the_mtu_arrive)
{
	if (!make_hosts(_i))
		return;
	select_both();
	for (int offload = 0; offload < 2; offload++) {
		set_tx_checksum(offload);
		carry(_i, 0, 1, 4000);
		carry(_i, 1, 1, 4000);
	}
	free_hosts();
}
END_TEST

static void add_firewalls(void)
{
	for (int i = 0; i < 2; i++) {
		enter(i);
		add_rules("table inet fw { chain in { type filter hook input priority 0; "
			  "policy drop; ct state established accept; "
			  "meta l4proto icmpv6 accept; }; }");
	}
}

static bool receives_soon(int fd)
{
	for (int i = 0; i < 200; i++) {
		if (world_try_receive(&world, fd))
			return true;
		g_usleep(1000);
	}
	return false;
}

/* The first check is dropped, as in life, and opens the sender's side. */
START_TEST(a_stateful_firewall_passes_what_ice_has_opened)
{
	uint8_t packet[100];
	if (!have_nft() || !make_hosts(_i))
		return;
	add_firewalls();
	select_both();
	world_send(hosts[0].wg[_i], &hosts[1].ice_endpoint, packet,
		   world_data(packet, sizeof packet, 0));
	ck_assert(!receives_soon(hosts[1].wg[_i]));
	carry_stun(1);
	carry_stun(0);
	carry_both_ways(_i);
	carry_stun(0);
	free_hosts();
}
END_TEST

START_TEST(masquerading_neighbours_do_no_harm)
{
	if (!have_nft() || !make_hosts(_i))
		return;
	add_firewalls();
	for (int i = 0; i < 2; i++) {
		enter(i);
		add_rules("table inet docker { "
			  "chain out { type nat hook output priority -100; "
			  "fib daddr type local udp dport 1 redirect to 2; }; "
			  "chain in { type nat hook input priority 100; }; "
			  "chain pre { type nat hook prerouting priority -100; "
			  "fib daddr type local udp dport 1 redirect to 2; }; "
			  "chain post { type nat hook postrouting priority 100; "
			  "oifname wire masquerade; }; }");
	}
	select_both();
	send_stun(0);
	carry_stun(1);
	carry_stun(0);
	carry_both_ways(_i);
	free_hosts();
}
END_TEST

static void send_initiation(int from, int family)
{
	uint8_t packet[148] = { 1 };
	world_send(hosts[from].wg[family], &hosts[!from].ice_endpoint, packet, sizeof packet);
	world_expect(&world, hosts[!from].wg[family], packet, sizeof packet,
		     &hosts[from].ice_endpoint);
}

START_TEST(a_handshake_is_answered_before_the_path_is_selected)
{
	uint8_t response[92] = { 2 };
	if (!make_hosts(_i))
		return;
	select_path(hosts[0].path, &hosts[1].ice_endpoint);
	send_initiation(0, _i);
	world_send(hosts[1].wg[_i], &hosts[0].ice_endpoint, response, sizeof response);
	world_expect(&world, hosts[0].wg[_i], response, sizeof response, &hosts[1].ice_endpoint);
	select_path(hosts[1].path, &hosts[0].ice_endpoint);
	carry_both_ways(_i);
	free_hosts();
}
END_TEST

/* What was selected counts more than where a handshake came to. */
START_TEST(selection_goes_before_what_was_heard)
{
	uint8_t packet[100];
	WiceEndpoint other_endpoint;
	if (!make_hosts(_i))
		return;
	enter(1);
	int other = bind_socket(addresses[_i][1], 0, &other_endpoint);
	WiceProxyPath *path = new_path(hosts[1].peer, other, &other_endpoint);
	select_path(hosts[0].path, &hosts[1].ice_endpoint);
	send_initiation(0, _i);
	select_path(path, &hosts[0].ice_endpoint);
	world_send(hosts[1].wg[_i], &hosts[0].ice_endpoint, packet,
		   world_data(packet, sizeof packet, 0));
	world_expect(&world, hosts[0].wg[_i], packet, sizeof packet, &other_endpoint);
	close(other);
	free_hosts();
}
END_TEST

START_TEST(the_listen_port_may_change)
{
	WiceEndpoint any;
	if (!make_hosts(_i))
		return;
	select_both();
	carry_both_ways(_i);
	for (int i = 0; i < 2; i++) {
		enter(i);
		close(hosts[i].wg[_i]);
		hosts[i].wg[_i] = bind_socket(_i ? "::" : "0.0.0.0", 4711 + i, &any);
		ck_assert_int_eq(hosts[i].proxy->ops->set_wg_port(hosts[i].proxy, 4711 + i), 0);
	}
	carry_both_ways(_i);
	free_hosts();
}
END_TEST

/* And their agents have one port number, on two addresses. */
START_TEST(two_interfaces_share_a_host)
{
	static const WiceProxyEvents events;
	WiceEndpoint ice_endpoint, any, remote_endpoint;
	WiceProxyPeer *peer;
	uint8_t packet[100];
	int remote;
	if (!make_hosts(0))
		return;
	select_both();
	enter(0);
	ck_assert(run("ip addr add 10.89.0.3/24 dev wire"));
	int wg = bind_socket("0.0.0.0", 51821, &any);
	int ice = bind_socket("10.89.0.3", hosts[0].ice_endpoint.port, &ice_endpoint);
	WiceProxy *proxy = new_proxy("wg1", 51821);
	ck_assert_int_eq(proxy->ops->peer_new(proxy, &events, NULL, &peer), 0);
	WiceProxyPath *path = new_path(peer, ice, &ice_endpoint);
	enter(1);
	remote = bind_socket(addresses[0][1], 0, &remote_endpoint);
	select_path(path, &remote_endpoint);
	carry_both_ways(0);
	world_send(remote, &ice_endpoint, packet, world_data(packet, sizeof packet, 1));
	world_expect(&world, wg, packet, sizeof packet, &remote_endpoint);
	/* WireGuard sends from the address that its peer's packets came to; here: bind. */
	world_send(wg, &remote_endpoint, packet, world_data(packet, sizeof packet, 2));
	world_receive(&world, remote);
	ck_assert_uint_eq(world.source.port, ice_endpoint.port);
	proxy->ops->peer_free(peer);
	carry_both_ways(0);
	proxy->ops->free(proxy);
	carry_both_ways(0);
	close(wg);
	close(ice);
	close(remote);
	free_hosts();
}
END_TEST

/* Sends as WireGuard does, to where its endpoint is, and never more than is taken away. */
typedef struct {
	GMutex lock;
	WiceEndpoint endpoint;
	int fd;
	gint sent, received, stop; /* atomic */
} Sender;

static gpointer send_on(gpointer user_data)
{
	Sender *sender = user_data;
	struct sockaddr_storage name;
	uint8_t packet[64];
	while (!g_atomic_int_get(&sender->stop)) {
		if (g_atomic_int_get(&sender->sent) - g_atomic_int_get(&sender->received) > 500) {
			g_usleep(50);
			continue;
		}
		uint32_t number = (uint32_t)g_atomic_int_add(&sender->sent, 1);
		world_data(packet, sizeof packet, number);
		g_mutex_lock(&sender->lock);
		WiceEndpoint endpoint = sender->endpoint;
		g_mutex_unlock(&sender->lock);
		socklen_t name_len = wice__endpoint_to_sockaddr(&endpoint, &name);
		while (sendto(sender->fd, packet, sizeof packet, 0, (struct sockaddr *)&name,
			      name_len) < 0)
			ck_assert_int_eq(errno, EAGAIN);
	}
	return NULL;
}

static void drain(Sender *sender, const int remotes[2], const WiceEndpoint ices[2])
{
	for (int i = 0; i < 2; i++)
		while (world_try_receive(&world, remotes[i])) {
			ck_assert(wice_endpoint_compare(&world.source, &ices[0]) == 0 ||
				  wice_endpoint_compare(&world.source, &ices[1]) == 0);
			g_atomic_int_inc(&sender->received);
		}
}

/* Every combination of two paths and two remote endpoints, in turn and over again. */
START_TEST(switching_under_packets_loses_none)
{
	int remotes[2];
	WiceEndpoint remote_endpoints[2], ices[2];
	Sender sender = { 0 };
	if (!make_hosts(_i))
		return;
	enter(1);
	for (int i = 0; i < 2; i++)
		remotes[i] = bind_socket(addresses[_i][1], 0, &remote_endpoints[i]);
	enter(0);
	ices[0] = hosts[0].ice_endpoint;
	int other = bind_socket(addresses[_i][0], 0, &ices[1]);
	WiceProxyPath *paths[2] = { hosts[0].path, new_path(hosts[0].peer, other, &ices[1]) };
	select_path(paths[0], &remote_endpoints[0]);
	sender.endpoint = remote_endpoints[0];
	sender.fd = hosts[0].wg[_i];
	GThread *thread = g_thread_new("sender", send_on, &sender);
	for (unsigned i = 0; i < 1000; i++) {
		const WiceEndpoint *remote = &remote_endpoints[i >> 1 & 1];
		select_path(paths[(i ^ i >> 1) & 1], remote);
		g_mutex_lock(&sender.lock);
		sender.endpoint = *remote;
		g_mutex_unlock(&sender.lock);
		gint sent = g_atomic_int_get(&sender.sent);
		WORLD_UNTIL(&world,
			    (drain(&sender, remotes, ices), g_atomic_int_get(&sender.sent) > sent));
	}
	g_atomic_int_set(&sender.stop, 1);
	g_thread_join(thread);
	WORLD_UNTIL(&world, (drain(&sender, remotes, ices), sender.received == sender.sent));
	close(other);
	close(remotes[0]);
	close(remotes[1]);
	free_hosts();
}
END_TEST

/* A second peer of the proxy leads to where the first one did, which is then freed. */
START_TEST(freeing_a_path_leaves_its_successors_route)
{
	static const WiceProxyEvents events;
	WiceEndpoint other_endpoint;
	WiceProxyPeer *peer;
	if (!make_hosts(_i))
		return;
	NftHost *host = &hosts[0];
	select_both();
	enter(0);
	int other = bind_socket(addresses[_i][0], 0, &other_endpoint);
	ck_assert_int_eq(host->proxy->ops->peer_new(host->proxy, &events, NULL, &peer), 0);
	WiceProxyPath *path = new_path(peer, other, &other_endpoint);
	select_path(path, &hosts[1].ice_endpoint);
	host->proxy->ops->peer_free(host->peer);
	close(host->ice);
	host->ice = other;
	host->ice_endpoint = other_endpoint;
	host->path = path;
	host->peer = peer;
	select_path(hosts[1].path, &other_endpoint);
	carry_both_ways(_i);
	free_hosts();
}
END_TEST

static void note_stun(WiceProxyPath *path, const WiceEndpoint *source, const uint8_t *packet,
		      size_t len, void *user_data)
{
	ck_assert_uint_eq(len, 20);
	*(WiceEndpoint *)user_data = *source;
	path->peer->proxy->ops->peer_free(path->peer); /* anything may be freed */
}

/* From the port of the agent, which goes on to get what is its. */
START_TEST(probes_leave_from_the_path_and_answers_come_back)
{
	static const WiceProxyEvents events = { .on_stun = note_stun };
	WiceEndpoint source = { 0 }, server_endpoint;
	uint8_t probe[20], stun[20];
	if (!make_hosts(_i))
		return;
	WiceProxy *proxy = hosts[0].proxy;
	proxy->ops->peer_free(hosts[0].peer);
	ck_assert_int_eq(proxy->ops->peer_new(proxy, &events, &source, &hosts[0].peer), 0);
	hosts[0].path = new_path(hosts[0].peer, hosts[0].ice, &hosts[0].ice_endpoint);
	select_both();
	enter(1);
	int server = bind_socket(addresses[_i][1], 0, &server_endpoint);
	enter(0);
	world_stun(probe, "wiCexxxxxxxx");
	ck_assert_int_eq(proxy->ops->path_send(hosts[0].path, &server_endpoint, probe, 20), 0);
	world_expect(&world, server, probe, 20, &hosts[0].ice_endpoint);
	carry_stun(1);
	carry_both_ways(_i);
	world_stun(stun, "abcdefghijkl");
	world_send(server, &hosts[0].ice_endpoint, stun, 20);
	world_expect(&world, hosts[0].ice, stun, 20, &server_endpoint);
	world_send(server, &hosts[0].ice_endpoint, probe, 20);
	WORLD_UNTIL(&world, source.port != 0);
	ck_assert_int_eq(wice_endpoint_compare(&source, &server_endpoint), 0);
	ck_assert_int_eq(proxy->ops->peer_new(proxy, &events, &source, &hosts[0].peer), 0);
	close(server);
	free_hosts();
}
END_TEST

/* Keys of no worth, and what `wg pubkey` makes of them. */
static const char *const keys[2][2] = {
	{ "oEPiGH/wI7TKynm2uN9X/3ZhJ3cXJT/owobafGNDwV4=",
	  "LqWlBZ8EgjeKJK6PcGrFTOiWHLM2ybQkGjLuW39cd3U=" },
	{ "oNYPH225xNXknEgC/TOO/wEyWBsg23gPBtMlM9gVDmw=",
	  "PPqae3Kvd0vVbCZpHNeeTz1n5nHSdBWhxD/XItjEwxw=" },
};

static bool make_wireguard(void)
{
	for (int i = 0; i < 2; i++) {
		enter(i);
		close(hosts[i].wg[0]);
		close(hosts[i].wg[1]);
		if (!run("ip link add wg0 type wireguard 2>/dev/null")) {
			puts("skipped: this kernel has no WireGuard");
			return false;
		}
		char endpoint[WICE_ENDPOINT_SIZE];
		wice_endpoint_format(&hosts[!i].ice_endpoint, endpoint);
		ck_assert(run("echo %s | wg set wg0 listen-port %d private-key /proc/self/fd/0 "
			      "peer %s allowed-ips 10.90.0.0/24 endpoint %s",
			      keys[i][0], WG_PORT, keys[!i][1], endpoint));
		ck_assert(run("ip addr add 10.90.0.%d/24 dev wg0", 1 + i));
		ck_assert(run("ip link set wg0 mtu 3000 up"));
	}
	return true;
}

/* It fills in checksums late, or not at all, and its larger packets are fragmented behind us. */
START_TEST(the_kernels_wireguard_shares_a_port)
{
	if (!have_nft() || !make_hosts(_i))
		return;
	select_both();
	if (!make_wireguard())
		return;
	add_firewalls();
	send_stun(0);
	carry_stun(1);
	carry_stun(0);
	for (int i = 0; i < 2; i++) {
		enter(i);
		add_rules("add rule inet fw in iifname wg0 accept");
	}
	for (int i = 0; i < 2; i++) {
		char endpoint[WICE_ENDPOINT_SIZE];
		enter(i);
		wice_endpoint_format(&hosts[!i].ice_endpoint, endpoint);
		ck_assert(run("ping -q -i 0.2 -c 3 -W 20 10.90.0.%d >/dev/null", 2 - i));
		ck_assert(run("ping -q -i 0.2 -c 3 -W 20 -s 2900 10.90.0.%d >/dev/null", 2 - i));
		ck_assert_msg(run("wg show wg0 endpoints | grep -Fq '%s'", endpoint), "%s",
			      endpoint);
	}
	carry_stun(0);
	carry_stun(1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		wireguard_and_stun_share_a_port,
		what_is_not_wireguard_is_the_agents,
		checksums_are_right_with_and_without_offload,
		packets_larger_than_the_mtu_arrive,
		a_stateful_firewall_passes_what_ice_has_opened,
		masquerading_neighbours_do_no_harm,
		a_handshake_is_answered_before_the_path_is_selected,
		selection_goes_before_what_was_heard,
		the_listen_port_may_change,
		switching_under_packets_loses_none,
		freeing_a_path_leaves_its_successors_route,
		probes_leave_from_the_path_and_answers_come_back,
		the_kernels_wireguard_shares_a_port,
	};
	const TTest *const once[] = { packets_without_a_checksum_arrive,
				      two_interfaces_share_a_host };
	return run_suite("proxy nft", tests, G_N_ELEMENTS(tests), once, G_N_ELEMENTS(once));
}
