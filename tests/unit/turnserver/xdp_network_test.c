/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fast path on devices: a namespace with clients, the relay's, and one with peers, in a row. In
 * place of the relay's server there are its sockets, which show what goes up to them.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "event/xdp_features.h"
#include "turnserver/xdp.h"
#include "turnserver/xdp_maps.h"
#include "unit/proxy/bpf_world.h"

#define CLIENT "10.1.0.2", "fd01::2"
#define SERVER "10.1.0.1", "fd01::1"
#define RELAYED "10.2.0.1", "fd02::1"
#define PEER "10.2.0.2", "fd02::2"
#define CHANNEL 0x4001
#define TIMES 20

typedef enum { IPV4, IPV6, N_FAMILIES } Family;
typedef const char *const Pair[N_FAMILIES];

/* context: where BPF_UNTIL() looks for it. */
typedef struct {
	GMainContext *context;
	WiceXdp *xdp;
	int clients, relay, peers; /* namespaces */
} World;

/* Who takes part in a channel. */
typedef struct {
	WiceXdpChannel channel;
	int client, server, relayed, peer; /* sockets */
} Channel;

static void set_offload(const char *device, uint32_t value)
{
	struct ethtool_value request = { ETHTOOL_STXCSUM, value };
	struct ifreq name = { .ifr_data = (void *)&request };
	g_strlcpy(name.ifr_name, device, sizeof name.ifr_name);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(ioctl(fd, SIOCETHTOOL, &name), 0);
	close(fd);
}

/* Lets everything pass. With it on its other end, a veth takes frames in native mode. */
static int load_passing(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "passing", "Dual MIT/GPL", code,
			       G_N_ELEMENTS(code), NULL);
	ck_assert_int_ge(fd, 0);
	return fd;
}

static void set_program(const char *device, int program, uint32_t flags)
{
	ck_assert_int_eq(bpf_xdp_attach((int)if_nametoindex(device), program, flags, NULL), 0);
}

static uint32_t program_of(const char *device)
{
	uint32_t id = 0;
	ck_assert_uint_ne(if_nametoindex(device), 0);
	ck_assert_int_eq(bpf_xdp_query_id((int)if_nametoindex(device), 0, &id), 0);
	return id;
}

static void add_wire(const World *world, const char *device, int far, const char *net)
{
	bpf_enter(world->relay);
	ck_assert(bpf_run("ip link add %s type veth peer name %s netns /proc/%d/fd/%d && "
			  "ip addr add 10.%s.0.1/24 dev %s && "
			  "ip addr add fd0%s::1/64 dev %s nodad && ip link set %s up",
			  device, device, (int)getpid(), far, net, device, net, device, device));
	bpf_enter(far);
	ck_assert(bpf_run("ip addr add 10.%s.0.2/24 dev %s && "
			  "ip addr add fd0%s::2/64 dev %s nodad && ip link set %s up",
			  net, device, net, device, device));
	set_offload(device, 0);
	bpf_enter(world->relay);
	ck_assert(namespace_wait_link(device));
}

/* native: the other ends let the relay's devices take frames. */
static bool open_wires(World *world, bool native)
{
	memset(world, 0, sizeof *world);
	if (!bpf_new_namespace(&world->clients) || !bpf_new_namespace(&world->peers) ||
	    !bpf_new_namespace(&world->relay))
		return false;
	world->context = g_main_context_new();
	add_wire(world, "left", world->clients, "1");
	add_wire(world, "right", world->peers, "2");
	if (native) {
		int passing = load_passing();
		bpf_enter(world->clients);
		set_program("left", passing, XDP_FLAGS_DRV_MODE);
		bpf_enter(world->peers);
		set_program("right", passing, XDP_FLAGS_DRV_MODE);
		close(passing);
	}
	bpf_enter(world->relay);
	return true;
}

static bool open_xdp(World *world, WiceXdpMode mode, const char *const *devices)
{
	const WiceXdpOptions options = { .size = sizeof options, .mode = mode, .devices = devices };
	GError *error = NULL;
	world->xdp = wice__xdp_new(world->context, &options, &error);
	if (world->xdp)
		return true;
	ck_assert_msg(g_error_matches(error, WICE_ERROR, WICE_ERROR_PERMISSION) ||
			      g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED),
		      "%s", error->message);
	printf("skipped: %s\n", error->message);
	g_error_free(error);
	return false;
}

static bool open_world(World *world, int mode)
{
	return open_wires(world, mode == WICE_XDP_NATIVE) &&
	       open_xdp(world, (WiceXdpMode)mode, NULL);
}

/* Devices go with the namespaces that they lead to. */
static void close_xdp(World *world)
{
	wice__xdp_free(world->xdp);
	world->xdp = NULL;
}

static void close_world(World *world)
{
	close_xdp(world);
	g_main_context_unref(world->context);
	close(world->clients);
	close(world->relay);
	close(world->peers);
}

/*
 * Of a port that is the same in each run. By chance, a packet's checksum may be that of its pseudo
 * header: one of 65,536 goes up for that, and would do so here again and again.
 */
static int socket_in(const World *world, int namespace, const char *address, WiceEndpoint *ret)
{
	static uint16_t port = 40000;
	WiceEndpoint endpoint = { .port = port++ };
	ck_assert(wice_address_parse(address, &endpoint.address));
	bpf_enter(namespace);
	int fd = bpf_bound_socket(&endpoint, ret);
	bpf_enter(world->relay);
	return fd;
}

static Channel open_channel(const World *world, Family client, Family relayed)
{
	static Pair clients = { CLIENT }, servers = { SERVER }, ours = { RELAYED },
		    peers = { PEER };
	Channel channel = { .channel.channel = CHANNEL };
	WiceXdpChannel *of = &channel.channel;
	channel.client = socket_in(world, world->clients, clients[client], &of->client);
	channel.server = socket_in(world, world->relay, servers[client], &of->server);
	channel.relayed = socket_in(world, world->relay, ours[relayed], &of->relayed);
	channel.peer = socket_in(world, world->peers, peers[relayed], &of->peer);
	ck_assert_int_eq(wice__xdp_add(world->xdp, of), 0);
	return channel;
}

static void close_channel(const World *world, const Channel *channel)
{
	wice__xdp_remove(world->xdp, &channel->channel);
	close(channel->client);
	close(channel->server);
	close(channel->relayed);
	close(channel->peer);
}

static size_t wrap(uint8_t *packet, uint16_t channel, const uint8_t *data, size_t len)
{
	packet[0] = (uint8_t)(channel >> 8);
	packet[1] = (uint8_t)channel;
	packet[2] = (uint8_t)(len >> 8);
	packet[3] = (uint8_t)len;
	memcpy(packet + 4, data, len);
	return len + 4;
}

static bool has_packet(int fd)
{
	uint8_t byte;
	return recv(fd, &byte, sizeof byte, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC) >= 0;
}

/* One way of a channel: from a socket to an end, on to another, seen to come from there. */
typedef struct {
	int from, to, up; /* up: the relay's that gets it otherwise */
	WiceEndpoint first, source;
	const uint8_t *sent, *received;
	size_t sent_len, received_len;
	int sender; /* the relay's socket that sends it on in userspace */
	WiceEndpoint last;
} Journey;

/*
 * Until one takes the fast path: before, neighbours are found out, as the relay's server would make
 * the kernel do.
 */
static void warm_up(const Journey *journey)
{
	gint64 deadline = g_get_monotonic_time() + BPF_DEADLINE_US;
	uint8_t buffer[2048];
	bool fast = false;
	while (!fast) {
		ck_assert(g_get_monotonic_time() < deadline);
		bpf_send(journey->from, &journey->first, journey->sent, journey->sent_len);
		struct pollfd polled[] = { { journey->to, POLLIN, 0 }, { journey->up, POLLIN, 0 } };
		poll(polled, 2, BPF_DEADLINE_US / 1000);
		if (polled[1].revents) {
			ck_assert_int_eq(recv(journey->up, buffer, sizeof buffer, 0),
					 (ssize_t)journey->sent_len);
			ck_assert_mem_eq(buffer, journey->sent, journey->sent_len);
			bpf_send(journey->sender, &journey->last, journey->received,
				 journey->received_len);
		}
		fast = !polled[1].revents;
		bpf_expect(journey->to, journey->received, journey->received_len, &journey->source);
	}
}

static void expect_fast(const Journey *journey)
{
	warm_up(journey);
	for (int i = 0; i < TIMES; i++) {
		bpf_send(journey->from, &journey->first, journey->sent, journey->sent_len);
		bpf_expect(journey->to, journey->received, journey->received_len, &journey->source);
		ck_assert(!has_packet(journey->up));
	}
}

static void fill(uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 5 + 1);
}

static void talk(const World *world, const Channel *channel, size_t len)
{
	const WiceXdpChannel *of = &channel->channel;
	uint8_t data[1500], wrapped[1504];
	WiceXdpCount before[2], after[2];
	fill(data, len);
	size_t wrapped_len = wrap(wrapped, of->channel, data, len);
	const Journey to_peer = { .from = channel->client,
				  .first = of->server,
				  .up = channel->server,
				  .sender = channel->relayed,
				  .last = of->peer,
				  .to = channel->peer,
				  .source = of->relayed,
				  .sent = wrapped,
				  .sent_len = wrapped_len,
				  .received = data,
				  .received_len = len };
	const Journey to_client = { .from = channel->peer,
				    .first = of->relayed,
				    .up = channel->relayed,
				    .sender = channel->server,
				    .last = of->client,
				    .to = channel->client,
				    .source = of->server,
				    .sent = data,
				    .sent_len = len,
				    .received = wrapped,
				    .received_len = wrapped_len };
	ck_assert_int_eq(wice__xdp_counters(world->xdp, of, &before[0], &before[1]), 0);
	expect_fast(&to_peer);
	expect_fast(&to_client);
	ck_assert_int_eq(wice__xdp_counters(world->xdp, of, &after[0], &after[1]), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(after[i].packets - before[i].packets, TIMES + 1);
		ck_assert_uint_eq(after[i].bytes - before[i].bytes, (TIMES + 1) * len);
	}
}

START_TEST(data_goes_both_ways_in_all_families)
{
	static const size_t lens[] = { 32, 77, 1420 };
	World world;
	if (!open_world(&world, _i))
		return;
	for (int i = 0; i < 4; i++) {
		Channel channel = open_channel(&world, i / 2, i % 2);
		for (size_t j = 0; j < G_N_ELEMENTS(lens); j++)
			talk(&world, &channel, lens[j]);
		close_channel(&world, &channel);
	}
	close_world(&world);
}
END_TEST

/* What is too large for a frame goes up, where it is cut; what has come in pieces, too. */
START_TEST(what_is_too_large_goes_up)
{
	enum { LEN = 1500 - 28 };
	uint8_t data[LEN + 500], wrapped[LEN + 504];
	World world;
	if (!open_world(&world, _i))
		return;
	Channel channel = open_channel(&world, IPV4, IPV4);
	const WiceXdpChannel *of = &channel.channel;
	talk(&world, &channel, 1000);
	fill(data, sizeof data);
	bpf_send(channel.peer, &of->relayed, data, LEN);
	bpf_expect(channel.relayed, data, LEN, &of->peer);
	size_t len = wrap(wrapped, CHANNEL, data, sizeof data);
	bpf_send(channel.client, &of->server, wrapped, len);
	bpf_expect(channel.server, wrapped, len, &of->client);
	close_channel(&world, &channel);
	close_world(&world);
}
END_TEST

/* Both on the left: what comes in by a device leaves by it again. */
START_TEST(clients_meet)
{
	static Pair clients = { CLIENT }, servers = { SERVER }, ours = { RELAYED };
	uint8_t data[500], sent[504], received[504];
	World world;
	if (!open_world(&world, _i))
		return;
	fill(data, sizeof data);
	for (int i = 0; i < 8; i++) {
		const Family families[] = { i / 4, i / 2 % 2 }, relayed = i % 2;
		WiceXdpChannel of[2] = { { .channel = CHANNEL }, { .channel = CHANNEL + 1 } };
		int client[2], server[2], relay[2];
		for (int j = 0; j < 2; j++) {
			client[j] = socket_in(&world, world.clients, clients[families[j]],
					      &of[j].client);
			server[j] =
				socket_in(&world, world.relay, servers[families[j]], &of[j].server);
			relay[j] = socket_in(&world, world.relay, ours[relayed], &of[j].relayed);
		}
		for (int j = 0; j < 2; j++) {
			of[j].peer = of[!j].relayed;
			ck_assert_int_eq(wice__xdp_add(world.xdp, &of[j]), 0);
		}
		for (int j = 0; j < 2; j++) {
			const size_t len = wrap(sent, of[j].channel, data, sizeof data);
			wrap(received, of[!j].channel, data, sizeof data);
			const Journey journey = { .from = client[j],
						  .first = of[j].server,
						  .up = server[j],
						  .sender = server[!j],
						  .last = of[!j].client,
						  .to = client[!j],
						  .source = of[!j].server,
						  .sent = sent,
						  .sent_len = len,
						  .received = received,
						  .received_len = len };
			WiceXdpCount count;
			expect_fast(&journey);
			ck_assert_int_eq(wice__xdp_counters(world.xdp, &of[j], &count, NULL), 0);
			ck_assert_uint_eq(count.packets, TIMES + 1);
			ck_assert_int_eq(wice__xdp_counters(world.xdp, &of[!j], NULL, &count), 0);
			ck_assert_uint_eq(count.packets, TIMES + 1);
			ck_assert(!has_packet(relay[0]) && !has_packet(relay[1]));
		}
		for (int j = 0; j < 2; j++) {
			wice__xdp_remove(world.xdp, &of[j]);
			close(client[j]);
			close(server[j]);
			close(relay[j]);
		}
	}
	close_world(&world);
}
END_TEST

/* As containers and virtual machines on the same host send: checksums are left to a device. */
START_TEST(partial_checksums_go_up)
{
	uint8_t data[300], wrapped[304];
	World world;
	if (!open_world(&world, _i))
		return;
	fill(data, sizeof data);
	for (int i = 0; i < 4; i++) {
		Channel channel = open_channel(&world, i / 2, i % 2);
		const WiceXdpChannel *of = &channel.channel;
		size_t len = wrap(wrapped, CHANNEL, data, sizeof data);
		talk(&world, &channel, sizeof data);
		bpf_enter(world.clients);
		set_offload("left", 1);
		bpf_enter(world.peers);
		set_offload("right", 1);
		for (int j = 0; j < TIMES; j++) {
			bpf_send(channel.client, &of->server, wrapped, len);
			bpf_expect(channel.server, wrapped, len, &of->client);
			bpf_send(channel.peer, &of->relayed, data, sizeof data);
			bpf_expect(channel.relayed, data, sizeof data, &of->peer);
		}
		bpf_enter(world.clients);
		set_offload("left", 0);
		bpf_enter(world.peers);
		set_offload("right", 0);
		bpf_enter(world.relay);
		close_channel(&world, &channel);
	}
	close_world(&world);
}
END_TEST

static const char *mode_of(const World *world, const char *device)
{
	const char *mode = wice__xdp_mode(world->xdp, if_nametoindex(device));
	return mode ? mode : "none";
}

START_TEST(a_device_is_used_in_the_mode_that_is_asked_for)
{
	static const char *const names[] = { NULL, "native", "generic", "tc" };
	World world;
	if (!open_world(&world, _i))
		return;
	g_autofree char *description =
		g_strdup_printf("left (%s), right (%s)", names[_i], names[_i]);
	ck_assert_str_eq(mode_of(&world, "left"), names[_i]);
	ck_assert_str_eq(mode_of(&world, "right"), names[_i]);
	ck_assert_str_eq(mode_of(&world, "lo"), "none");
	ck_assert_str_eq(wice__xdp_describe(world.xdp), description);
	ck_assert_int_eq(program_of("left") != 0, _i != WICE_XDP_TC);
	close_xdp(&world);
	ck_assert_uint_eq(program_of("left"), 0);
	ck_assert_uint_eq(program_of("right"), 0);
	close_world(&world);
}
END_TEST

/* Frames would be lost: a veth takes some only while its other end has a program. */
/* Before Linux 6.3 the kernel does not say what a veth takes, so none is used natively. */
static bool has_native(void)
{
	uint64_t features;
	return wice__xdp_features(if_nametoindex("left"), &features) == 0;
}

START_TEST(the_best_mode_is_one_in_which_frames_arrive)
{
	World world;
	if (!open_wires(&world, false))
		return;
	int passing = load_passing();
	bpf_enter(world.peers);
	set_program("right", passing, XDP_FLAGS_DRV_MODE);
	bpf_enter(world.relay);
	if (!open_xdp(&world, WICE_XDP_BEST, NULL))
		return;
	ck_assert_str_eq(mode_of(&world, "left"), "generic");
	ck_assert_str_eq(mode_of(&world, "right"), has_native() ? "native" : "generic");
	Channel channel = open_channel(&world, IPV4, IPV6);
	const WiceXdpChannel *of = &channel.channel;
	const uint8_t data[100] = { 1 };
	uint8_t wrapped[104];
	size_t len = wrap(wrapped, CHANNEL, data, sizeof data);
	const Journey journey = { .from = channel.client,
				  .first = of->server,
				  .up = channel.server,
				  .sender = channel.relayed,
				  .last = of->peer,
				  .to = channel.peer,
				  .source = of->relayed,
				  .sent = wrapped,
				  .sent_len = len,
				  .received = data,
				  .received_len = sizeof data };
	expect_fast(&journey);
	/* But not natively to the device that does not take them. */
	for (int i = 0; i < TIMES && has_native(); i++) {
		bpf_send(channel.peer, &of->relayed, data, sizeof data);
		bpf_expect(channel.relayed, data, sizeof data, &of->peer);
	}
	close_channel(&world, &channel);
	close(passing);
	close_world(&world);
}
END_TEST

START_TEST(programs_of_others_stay)
{
	static const uint32_t flags[] = { XDP_FLAGS_DRV_MODE, XDP_FLAGS_SKB_MODE };
	for (size_t i = 0; i < G_N_ELEMENTS(flags); i++) {
		World world;
		GError *error = NULL;
		if (!open_wires(&world, true))
			return;
		int passing = load_passing();
		set_program("left", passing, flags[i]);
		set_program("right", passing, flags[i]);
		uint32_t theirs = program_of("left");
		for (WiceXdpMode mode = WICE_XDP_NATIVE; mode <= WICE_XDP_GENERIC; mode++) {
			const WiceXdpOptions options = { .size = sizeof options, .mode = mode };
			ck_assert_ptr_null(wice__xdp_new(world.context, &options, &error));
			ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED));
			g_clear_error(&error);
		}
		set_program("right", -1, flags[i]);
		if (!open_xdp(&world, WICE_XDP_BEST, NULL))
			return;
		ck_assert_str_eq(wice__xdp_describe(world.xdp),
				 has_native()
					 ? "left (tc, another program has XDP), right (native)"
					 : "left (tc, another program has XDP), right (generic)");
		ck_assert_uint_eq(program_of("left"), theirs);
		Channel channel = open_channel(&world, IPV6, IPV4);
		talk(&world, &channel, 200);
		close_channel(&world, &channel);
		close_xdp(&world);
		ck_assert_uint_eq(program_of("left"), theirs);
		close_world(&world);
		close(passing);
	}
}
END_TEST

static void run_until_killed(World *world, WiceXdpMode mode)
{
	int ready[2];
	char byte;
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		if (open_xdp(world, mode, NULL) && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	ck_assert_int_eq(program_of("left") != 0, mode != WICE_XDP_TC);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}

START_TEST(the_killed_leave_nothing)
{
	World world;
	if (!open_world(&world, _i))
		return;
	close_xdp(&world);
	run_until_killed(&world, (WiceXdpMode)_i);
	BPF_UNTIL(&world, program_of("left") == 0 && program_of("right") == 0);
	/* Nothing is in the way of the next one, which takes with it what TC had without tcx. */
	ck_assert(open_xdp(&world, (WiceXdpMode)_i, NULL));
	Channel channel = open_channel(&world, IPV4, IPV4);
	talk(&world, &channel, 100);
	close_channel(&world, &channel);
	close_xdp(&world);
	ck_assert(bpf_run("tc filter show dev left ingress >/dev/null && "
			  "! tc filter show dev left ingress | grep -q wice"));
	close_world(&world);
}
END_TEST

START_TEST(devices_come_and_go)
{
	static const char *const devices[] = { "left", "later", NULL };
	World world;
	if (!open_wires(&world, false) || !open_xdp(&world, WICE_XDP_GENERIC, devices))
		return;
	ck_assert_str_eq(wice__xdp_describe(world.xdp), "left (generic)");
	ck_assert_str_eq(mode_of(&world, "right"), "none");
	add_wire(&world, "later", world.peers, "3");
	BPF_UNTIL(&world, strcmp(mode_of(&world, "later"), "generic") == 0);
	ck_assert(bpf_run("ip link del later"));
	BPF_UNTIL(&world, strcmp(wice__xdp_describe(world.xdp), "left (generic)") == 0);
	/* It may leave by a device that no programs are on. */
	Channel channel = open_channel(&world, IPV4, IPV4);
	const WiceXdpChannel *of = &channel.channel;
	const uint8_t data[100] = { 1 };
	uint8_t wrapped[104];
	size_t len = wrap(wrapped, CHANNEL, data, sizeof data);
	const Journey journey = { .from = channel.client,
				  .first = of->server,
				  .up = channel.server,
				  .sender = channel.relayed,
				  .last = of->peer,
				  .to = channel.peer,
				  .source = of->relayed,
				  .sent = wrapped,
				  .sent_len = len,
				  .received = data,
				  .received_len = sizeof data };
	expect_fast(&journey);
	close_channel(&world, &channel);
	close_world(&world);
}
END_TEST

/* By name, of those that this process has. */
static int find_map(const char *name)
{
	for (int fd = 3; fd < 256; fd++) {
		char path[32], target[64] = "";
		struct bpf_map_info info = { 0 };
		uint32_t len = sizeof info;
		g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof target - 1) > 0 &&
		    strcmp(target, "anon_inode:bpf-map") == 0 &&
		    bpf_obj_get_info_by_fd(fd, &info, &len) == 0 && strcmp(info.name, name) == 0)
			return fd;
	}
	ck_abort_msg("no %s", name);
	return -1;
}

/* One's other end takes nothing any more, and what comes in by the other has no room before it. */
START_TEST(drivers_that_turn_out_not_to_do_are_used_otherwise)
{
	World world;
	if (!open_wires(&world, true) || !has_native() || !open_xdp(&world, WICE_XDP_BEST, NULL))
		return;
	ck_assert_str_eq(wice__xdp_describe(world.xdp), "left (native), right (native)");
	Channel channel = open_channel(&world, IPV6, IPV4);
	talk(&world, &channel, 200);
	uint32_t right = if_nametoindex("right");
	WiceXdpDevice device;
	ck_assert_int_eq(bpf_map_lookup_elem(find_map("devices"), &right, &device), 0);
	ck_assert_uint_eq(device.ways, WICE_XDP_WAY_NATIVE | WICE_XDP_WAY_FRAMES);
	ck_assert_uint_eq(device.without_headroom, 0);
	device.without_headroom = 1;
	ck_assert_int_eq(bpf_map_update_elem(find_map("devices"), &right, &device, BPF_EXIST), 0);
	bpf_enter(world.clients);
	set_program("left", -1, XDP_FLAGS_DRV_MODE);
	bpf_enter(world.relay);
	/* It is noticed when anything happens. */
	ck_assert(bpf_run("ip addr add 10.9.0.1/24 dev right"));
	BPF_UNTIL(&world,
		  strcmp(wice__xdp_describe(world.xdp), "left (generic), right (generic)") == 0);
	talk(&world, &channel, 200);
	close_channel(&world, &channel);
	close_world(&world);
}
END_TEST

/* Only ours, in this namespace: of all others the device has another number or program. */
static void detach_link_of(const char *device)
{
	unsigned ifindex = if_nametoindex(device);
	uint32_t id = 0, program = program_of(device);
	while (bpf_link_get_next_id(id, &id) == 0) {
		struct bpf_link_info info = { 0 };
		uint32_t len = sizeof info;
		int fd = bpf_link_get_fd_by_id(id);
		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &len) == 0 &&
		    info.type == BPF_LINK_TYPE_XDP && info.prog_id == program &&
		    info.xdp.ifindex == ifindex)
			ck_assert_int_eq(bpf_link_detach(fd), 0);
		close(fd);
	}
}

START_TEST(what_somebody_removes_is_attached_again)
{
	World world;
	if (!open_wires(&world, false) || !open_xdp(&world, WICE_XDP_GENERIC, NULL))
		return;
	detach_link_of("left");
	ck_assert_uint_eq(program_of("left"), 0);
	/* It is noticed when anything happens. */
	ck_assert(bpf_run("ip addr add 10.9.0.1/24 dev right"));
	BPF_UNTIL(&world, program_of("left") != 0);
	ck_assert_str_eq(mode_of(&world, "left"), "generic");
	close_world(&world);
}
END_TEST

static bool is_forwarding(void)
{
	return bpf_run("grep -q 1 /proc/sys/net/ipv4/conf/lo/forwarding && "
		       "grep -q 1 /proc/sys/net/ipv6/conf/lo/forwarding");
}

START_TEST(two_capabilities_are_enough)
{
	static const int capabilities[] = { CAP_BPF, CAP_NET_ADMIN };
	World world;
	if (!open_wires(&world, _i == WICE_XDP_NATIVE))
		return;
	ck_assert(bpf_run("echo 0 >/proc/sys/net/ipv4/conf/lo/forwarding && "
			  "echo 0 >/proc/sys/net/ipv6/conf/lo/forwarding"));
	/* Namespaces are entered no more. */
	WiceXdpChannel channel = { .channel = CHANNEL };
	int client = socket_in(&world, world.clients, "10.1.0.2", &channel.client);
	int peer = socket_in(&world, world.peers, "10.2.0.2", &channel.peer);
	int server = socket_in(&world, world.relay, "10.1.0.1", &channel.server);
	int relayed = socket_in(&world, world.relay, "10.2.0.1", &channel.relayed);
	bpf_keep_capabilities(capabilities, G_N_ELEMENTS(capabilities));
	if (!open_xdp(&world, (WiceXdpMode)_i, NULL)) {
		ck_assert(_i == WICE_XDP_NATIVE && !has_native());
		return;
	}
	ck_assert(is_forwarding());
	ck_assert_int_eq(wice__xdp_add(world.xdp, &channel), 0);
	const Channel of = { channel, client, server, relayed, peer };
	talk(&world, &of, 500);
	close_channel(&world, &of);
	close_xdp(&world);
	ck_assert(!is_forwarding());
	close_world(&world);
}
END_TEST

START_TEST(without_privileges_the_error_says_so)
{
	GError *error = NULL;
	World world;
	if (!open_wires(&world, false))
		return;
	bpf_keep_capabilities(NULL, 0);
	ck_assert_ptr_null(wice__xdp_new(world.context, NULL, &error));
	ck_assert_msg(g_error_matches(error, WICE_ERROR, WICE_ERROR_PERMISSION), "%s",
		      error->message);
	g_error_free(error);
	close_world(&world);
}
END_TEST

/* Those of _i for all modes. */
int main(void)
{
	const TTest *const of_modes[] = { data_goes_both_ways_in_all_families,
					  what_is_too_large_goes_up,
					  clients_meet,
					  partial_checksums_go_up,
					  a_device_is_used_in_the_mode_that_is_asked_for,
					  the_killed_leave_nothing,
					  two_capabilities_are_enough };
	const TTest *const others[] = { the_best_mode_is_one_in_which_frames_arrive,
					programs_of_others_stay,
					devices_come_and_go,
					what_somebody_removes_is_attached_again,
					drivers_that_turn_out_not_to_do_are_used_otherwise,
					without_privileges_the_error_says_so };
	Suite *suite = suite_create("turnserver xdp network");
	TCase *tcase = tcase_create("turnserver xdp network");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	for (size_t i = 0; i < G_N_ELEMENTS(of_modes); i++)
		tcase_add_loop_test(tcase, of_modes[i], WICE_XDP_NATIVE, WICE_XDP_TC + 1);
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
		tcase_add_test(tcase, others[i]);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
