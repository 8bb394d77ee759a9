/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Through a real mux and over a cable, at whose other end are STUN servers that may lie. */
#include "agent/reflexive.h"
#include "event/source.h"
#include "stun/attributes.h"
#include "stun/integrity.h"
#include "stun/message.h"
#include "stun/responder.h"
#include "unit/proxy/bpf_world.h"

#define WG_PORT 51820
#define MARK 4711
#define MAX_SERVERS 4
#define SEEN "198.51.100.7:60000"
#define SEEN_TOO "198.51.100.7:60001"

typedef struct {
	int fd;
	WiceEndpoint endpoint;
	WiceFdWatch *watch;
	const char *says; /* NULL: the truth */
	bool refuses;     /* with an error */
	unsigned n_asked;
	uint16_t asked_from; /* the port */
} Server;

typedef struct {
	BpfWorld bpf;
	int wireguard; /* a socket that plays it */
	WiceReflexive *reflexive;
	Server servers[MAX_SERVERS];
	size_t n_servers;
	unsigned n_changes;
	bool empties_list; /* changed does */
} World;

static size_t respond(const Server *server, const uint8_t *packet, size_t len,
		      const WiceEndpoint *source, uint8_t answer[WICE_STUN_RESPONSE_MAX])
{
	WiceEndpoint seen = *source;
	WiceStunMessage request;
	WiceStunWriter writer;
	if (server->says)
		ck_assert(wice_endpoint_parse(server->says, &seen));
	if (!server->refuses)
		return wice__stun_respond(packet, len, &seen, answer);
	ck_assert_int_eq(wice__stun_message_read(&request, packet, len), 0);
	wice__stun_writer_init_reply(&writer, answer, WICE_STUN_RESPONSE_MAX, WICE_STUN_ERROR,
				     &request);
	wice__stun_write_error(&writer, 500, NULL);
	ck_assert_int_eq(wice__stun_writer_finish(&writer, &len), 0);
	return len;
}

static void serve(int fd, GIOCondition condition, void *user_data)
{
	Server *server = user_data;
	uint8_t packet[256], answer[WICE_STUN_RESPONSE_MAX];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof from;
	WiceEndpoint source;
	ssize_t n = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &from_len);
	if (n < 0)
		return;
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&from, from_len, &source));
	server->n_asked++;
	server->asked_from = source.port;
	size_t len = respond(server, packet, (size_t)n, &source, answer);
	sendto(fd, answer, len, 0, (struct sockaddr *)&from, from_len);
}

/* At the far end. */
static Server *add_server(World *world, const char *address, const char *says)
{
	Server *server = &world->servers[world->n_servers++];
	bpf_enter(world->bpf.far);
	server->says = says;
	server->fd = bpf_socket(address, &server->endpoint);
	bpf_enter(world->bpf.near);
	server->watch = wice__fd_watch_new(world->bpf.context, server->fd, G_IO_IN, serve, server);
	return server;
}

static void ask_servers(World *world)
{
	WiceEndpoint servers[MAX_SERVERS];
	for (size_t i = 0; i < world->n_servers; i++)
		servers[i] = world->servers[i].endpoint;
	wice__reflexive_set_servers(world->reflexive, servers, world->n_servers);
}

static void on_changed(void *user_data)
{
	World *world = user_data;
	world->n_changes++;
	if (!world->empties_list)
		return;
	world->empties_list = false;
	wice__reflexive_set_servers(world->reflexive, NULL, 0);
}

static bool make_cable(World *world)
{
	int near = world->bpf.near;
	if (!bpf_new_namespace(&world->bpf.far))
		return false;
	ck_assert(bpf_run("ip link add far type veth peer name near netns /proc/%d/fd/%d",
			  (int)getpid(), near));
	for (int i = 2; i <= 4; i++) {
		ck_assert(bpf_run("ip addr add 10.77.0.%d/24 dev far", i));
		ck_assert(bpf_run("ip addr add fd77::%d/64 dev far nodad", i));
	}
	ck_assert(bpf_run("ip link set far up"));
	bpf_enter(near);
	ck_assert(bpf_run("ip addr add fd77::1/64 dev near nodad"));
	ck_assert(bpf_run("ip addr add 10.77.0.1/24 dev near"));
	ck_assert(bpf_run("ip link set near up"));
	return true;
}

static void start(World *world)
{
	ck_assert_int_eq(wice__reflexive_new(world->bpf.context, world->bpf.mux, WG_PORT, MARK,
					     on_changed, world, &world->reflexive),
			 0);
}

/* The uplinks are there before the mux is. */
static bool world_open(World *world, int attach)
{
	*world = (World){ .bpf.context = g_main_context_new() };
	if (!bpf_new_namespace(&world->bpf.near) || !make_cable(world))
		return false;
	world->bpf.mux = bpf_open_mux(world->bpf.context, (WiceBpfAttach)attach);
	if (!world->bpf.mux)
		return false;
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(WG_PORT) };
	world->wireguard = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(world->wireguard, (struct sockaddr *)&any, sizeof any), 0);
	start(world);
	return true;
}

/* WireGuard has not seen anything of it all. */
static void world_close(World *world)
{
	uint8_t packet[64];
	ck_assert_int_lt(recv(world->wireguard, packet, sizeof packet, MSG_DONTWAIT), 0);
	wice__reflexive_free(world->reflexive);
	for (size_t i = 0; i < world->n_servers; i++) {
		wice__fd_watch_free(world->servers[i].watch);
		close(world->servers[i].fd);
	}
	close(world->wireguard);
	bpf_world_close(&world->bpf);
}

static gboolean tick(gpointer user_data)
{
	return G_SOURCE_CONTINUE;
}

/* Settled, and mapped of each family ("" if none is known), in order. */
static bool is_known(World *world, const char *mapped)
{
	size_t n;
	const WiceReflexiveAddress *list = wice__reflexive_list(world->reflexive, &n);
	GString *text = g_string_new(NULL);
	for (size_t i = 0; i < n; i++) {
		char one[WICE_ENDPOINT_SIZE];
		g_string_append_printf(text, "%s%s", i ? " " : "",
				       wice_endpoint_format(&list[i].mapped, one));
	}
	bool same = strcmp(text->str, mapped) == 0;
	g_string_free(text, TRUE);
	return same && wice__reflexive_is_settled(world->reflexive);
}

static void expect(World *world, const char *mapped, WiceNatMapping nat)
{
	gint64 deadline = g_get_monotonic_time() + BPF_DEADLINE_US;
	GSource *wake = g_timeout_source_new(5);
	g_source_set_callback(wake, tick, NULL, NULL);
	g_source_attach(wake, world->bpf.context);
	while (!(is_known(world, mapped) && world->n_changes) && g_get_monotonic_time() < deadline)
		g_main_context_iteration(world->bpf.context, TRUE);
	g_source_destroy(wake);
	g_source_unref(wake);
	ck_assert_msg(is_known(world, mapped), "\"%s\" did not become known", mapped);
	ck_assert_uint_ge(world->n_changes, 1);
	ck_assert_str_eq(wice_nat_mapping_name(wice__reflexive_nat(world->reflexive)),
			 wice_nat_mapping_name(nat));
	world->n_changes = 0;
}

START_TEST(servers_see_the_port_of_wireguard)
{
	World world;
	if (!world_open(&world, _i))
		return;
	ck_assert(wice__reflexive_is_settled(world.reflexive));
	Server *first = add_server(&world, "10.77.0.2", NULL);
	Server *second = add_server(&world, "10.77.0.3", NULL);
	Server *third = add_server(&world, "fd77::2", NULL);
	ask_servers(&world);
	ck_assert(!wice__reflexive_is_settled(world.reflexive));
	ck_assert_uint_eq(world.n_changes, 0);
	expect(&world, "10.77.0.1:51820 [fd77::1]:51820", WICE_NAT_NONE);
	ck_assert(!wice__reflexive_failed(world.reflexive));
	ck_assert_uint_eq(first->asked_from, WG_PORT);
	ck_assert_uint_eq(second->asked_from, WG_PORT);
	ck_assert_uint_eq(third->asked_from, WG_PORT);
	size_t n;
	const WiceReflexiveAddress *list = wice__reflexive_list(world.reflexive, &n);
	ck_assert_uint_eq(n, 2);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(wice_endpoint_compare(&list[i].base, &list[i].mapped), 0);
	world_close(&world);
}
END_TEST

START_TEST(the_worst_nat_of_both_families_is_told)
{
	World world;
	if (!world_open(&world, _i))
		return;
	add_server(&world, "10.77.0.2", SEEN);
	add_server(&world, "10.77.0.3", SEEN);
	add_server(&world, "fd77::2", NULL);
	ask_servers(&world);
	expect(&world, SEEN " [fd77::1]:51820", WICE_NAT_ENDPOINT_INDEPENDENT);
	world.servers[1].says = SEEN_TOO;
	wice__reflexive_network_changed(world.reflexive);
	while (wice__reflexive_nat(world.reflexive) != WICE_NAT_ENDPOINT_DEPENDENT)
		g_main_context_iteration(world.bpf.context, TRUE);
	world_close(&world);
}
END_TEST

START_TEST(another_network_is_asked_about_at_once)
{
	World world;
	if (!world_open(&world, _i))
		return;
	Server *server = add_server(&world, "10.77.0.2", SEEN);
	ask_servers(&world);
	expect(&world, SEEN, WICE_NAT_PRESENT);
	server->says = SEEN_TOO;
	wice__reflexive_network_changed(world.reflexive);
	ck_assert(is_known(&world, SEEN));
	expect(&world, SEEN_TOO, WICE_NAT_PRESENT);
	world_close(&world);
}
END_TEST

START_TEST(servers_come_and_go)
{
	World world;
	if (!world_open(&world, _i))
		return;
	Server *server = add_server(&world, "10.77.0.2", SEEN);
	server->refuses = true;
	ask_servers(&world);
	expect(&world, "", WICE_NAT_UNKNOWN);
	ck_assert(wice__reflexive_failed(world.reflexive));
	add_server(&world, "10.77.0.3", SEEN);
	ask_servers(&world);
	expect(&world, SEEN, WICE_NAT_PRESENT);
	ck_assert(!wice__reflexive_failed(world.reflexive));
	wice__reflexive_set_servers(world.reflexive, NULL, 0);
	ck_assert_uint_eq(world.n_changes, 0);
	expect(&world, "", WICE_NAT_UNKNOWN);
	ck_assert(!wice__reflexive_failed(world.reflexive));
	world_close(&world);
}
END_TEST

START_TEST(a_family_without_a_way_out_is_not_waited_for)
{
	World world;
	if (!world_open(&world, _i))
		return;
	ck_assert(bpf_run("ip addr del fd77::1/64 dev near"));
	add_server(&world, "10.77.0.2", SEEN);
	Server *unreachable = add_server(&world, "fd77::2", SEEN);
	ask_servers(&world);
	expect(&world, SEEN, WICE_NAT_PRESENT);
	ck_assert(!wice__reflexive_failed(world.reflexive));
	ck_assert_uint_eq(unreachable->n_asked, 0);
	world_close(&world);
}
END_TEST

/* As wg-quick does for a tunnel that everything goes through. */
START_TEST(packets_have_the_mark_of_the_interface)
{
	World world;
	if (!world_open(&world, _i))
		return;
	ck_assert(bpf_run("ip route add unreachable 203.0.113.0/24"));
	ck_assert(bpf_run("ip rule add pref 7 fwmark %d lookup 77", MARK));
	ck_assert(bpf_run("ip route add 203.0.113.0/24 via 10.77.0.2 table 77"));
	bpf_enter(world.bpf.far);
	ck_assert(bpf_run("ip addr add 203.0.113.1/32 dev lo"));
	bpf_enter(world.bpf.near);
	add_server(&world, "203.0.113.1", SEEN);
	ask_servers(&world);
	expect(&world, SEEN, WICE_NAT_PRESENT);
	world_close(&world);
}
END_TEST

START_TEST(changed_may_set_servers)
{
	World world;
	if (!world_open(&world, _i))
		return;
	add_server(&world, "10.77.0.2", SEEN);
	world.empties_list = true;
	ask_servers(&world);
	while (world.n_changes < 2)
		g_main_context_iteration(world.bpf.context, TRUE);
	expect(&world, "", WICE_NAT_UNKNOWN);
	world_close(&world);
}
END_TEST

static void expect_indication(World *world, const char *remote, const char *source)
{
	uint8_t packet[64];
	WiceStunMessage message;
	WiceEndpoint at, from;
	struct sockaddr_storage name;
	socklen_t name_len = sizeof name;
	bpf_enter(world->bpf.far);
	int fd = bpf_socket(remote, &at);
	bpf_enter(world->bpf.near);
	ck_assert_int_eq(wice__reflexive_keep_alive(world->reflexive, &at), 0);
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	ck_assert_int_eq(poll(&poll_fd, 1, BPF_DEADLINE_US / 1000), 1);
	ssize_t n = recvfrom(fd, packet, sizeof packet, 0, (struct sockaddr *)&name, &name_len);
	ck_assert_int_gt(n, 0);
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&name, name_len, &from));
	char text[WICE_ENDPOINT_SIZE];
	ck_assert_str_eq(wice_endpoint_format(&from, text), source);
	ck_assert_int_eq(wice__stun_message_read(&message, packet, (size_t)n), 0);
	ck_assert_uint_eq(message.message_class, WICE_STUN_INDICATION);
	ck_assert_uint_eq(message.method, WICE_STUN_BINDING);
	ck_assert(message.has_cookie);
	ck_assert_int_eq(wice__stun_check_fingerprint(&message), 0);
	close(fd);
}

START_TEST(paths_are_kept_open_from_the_port_of_wireguard)
{
	static const WiceEndpoint none = { .port = 1 };
	World world;
	if (!world_open(&world, _i))
		return;
	expect_indication(&world, "10.77.0.2", "10.77.0.1:51820");
	expect_indication(&world, "fd77::2", "[fd77::1]:51820");
	ck_assert_int_eq(wice__reflexive_keep_alive(world.reflexive, &none), -EAFNOSUPPORT);
	ck_assert(bpf_run("ip link set near down"));
	WiceEndpoint nowhere;
	ck_assert(wice_endpoint_parse("192.0.2.1:9", &nowhere));
	ck_assert_int_lt(wice__reflexive_keep_alive(world.reflexive, &nowhere), 0);
	world_close(&world);
}
END_TEST

/* Checks of paths in use. */

static void iterate_until_readable(World *world, int fd)
{
	gint64 deadline = g_get_monotonic_time() + BPF_DEADLINE_US;
	uint8_t byte;
	while (recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0) {
		ck_assert_msg(g_get_monotonic_time() < deadline, "nothing came");
		g_main_context_iteration(world->bpf.context, FALSE);
	}
}

static void send_to(int fd, const char *to, const uint8_t *packet, size_t len)
{
	WiceEndpoint endpoint;
	struct sockaddr_storage name;
	ck_assert(wice_endpoint_parse(to, &endpoint));
	socklen_t name_len = wice__endpoint_to_sockaddr(&endpoint, &name);
	ck_assert_int_eq(sendto(fd, packet, len, 0, (struct sockaddr *)&name, name_len), len);
}

static void ask_and_expect(World *world, int fd, const char *wire, const WiceStunKey *key, int nr)
{
	uint8_t request[WICE_CONSENT_MAX], answer[WICE_CONSENT_MAX], answered[WICE_CONSENT_ID_LEN];
	uint8_t id[WICE_CONSENT_ID_LEN] = { (uint8_t)nr };
	struct sockaddr_storage from;
	socklen_t from_len = sizeof from;
	WiceEndpoint source;
	char text[WICE_ENDPOINT_SIZE];
	size_t len = wice__consent_ask(id, "theirs00", "ours0000", key, request);
	send_to(fd, wire, request, len);
	iterate_until_readable(world, fd);
	ssize_t n = recvfrom(fd, answer, sizeof answer, 0, (struct sockaddr *)&from, &from_len);
	ck_assert(wice__consent_is_answer(answer, (size_t)n, key, answered));
	ck_assert_mem_eq(answered, id, sizeof id);
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&from, from_len, &source));
	ck_assert_str_eq(wice_endpoint_format(&source, text), wire);
}

/* What is not answered reaches WireGuard, which drops it. */
static void ask_in_vain(World *world, int fd, const char *wire, const WiceStunKey *key)
{
	uint8_t request[WICE_CONSENT_MAX], packet[WICE_CONSENT_MAX];
	uint8_t id[WICE_CONSENT_ID_LEN] = { 0 };
	size_t len = wice__consent_ask(id, "theirs00", "ours0000", key, request);
	send_to(fd, wire, request, len);
	iterate_until_readable(world, world->wireguard);
	ck_assert_int_eq(recv(world->wireguard, packet, sizeof packet, 0), (ssize_t)len);
	ck_assert_int_lt(recv(fd, packet, sizeof packet, MSG_DONTWAIT), 0);
}

START_TEST(checks_for_an_agent_that_is_closed_are_answered)
{
	static const char pwd[] = "a password of 22 chars";
	static const char *const wires[][2] = { { "10.77.0.2", "10.77.0.1:51820" },
						{ "fd77::2", "[fd77::1]:51820" } };
	World world;
	WiceStunKey key;
	WiceEndpoint base, far;
	if (!world_open(&world, _i))
		return;
	ck_assert_int_eq(wice__stun_key_short_term(&key, (WiceSpan){ pwd, strlen(pwd) }), 0);
	for (int i = 0; i < 2; i++) {
		bpf_enter(world.bpf.far);
		int fd = bpf_socket(wires[i][0], &far);
		bpf_enter(world.bpf.near);
		ck_assert(wice_endpoint_parse(wires[i][1], &base));
		ask_in_vain(&world, fd, wires[i][1], &key);
		ck_assert_int_eq(wice__reflexive_answer(world.reflexive, "ours0000", pwd, &base),
				 0);
		ask_and_expect(&world, fd, wires[i][1], &key, 1);
		ask_and_expect(&world, fd, wires[i][1], &key, 2);
		ck_assert_int_eq(wice__reflexive_answer(world.reflexive, "ours0000", pwd, &base),
				 -EEXIST);
		wice__reflexive_answer_no_more(world.reflexive, "ours0000");
		wice__reflexive_answer_no_more(world.reflexive, "ours0000");
		ask_in_vain(&world, fd, wires[i][1], &key);
		close(fd);
	}
	/* What is left goes with it. */
	ck_assert_int_eq(wice__reflexive_answer(world.reflexive, "ours0000", pwd, &base), 0);
	wice__reflexive_free(world.reflexive);
	start(&world);
	ck_assert_int_eq(wice__reflexive_answer(world.reflexive, "ours0000", pwd, &base), 0);
	world_close(&world);
}
END_TEST

typedef struct {
	World *world;
	WiceStunKey key;
	unsigned n;
} Listener;

static void on_heard(const uint8_t *packet, size_t len, void *user_data)
{
	uint8_t id[WICE_CONSENT_ID_LEN];
	Listener *listener = user_data;
	ck_assert(wice__consent_is_answer(packet, len, &listener->key, id));
	listener->n++;
}

static void answer_one(World *world, int fd, const WiceStunKey *key)
{
	uint8_t request[WICE_CONSENT_MAX], answer[WICE_CONSENT_MAX];
	struct sockaddr_storage from;
	socklen_t from_len = sizeof from;
	WiceEndpoint source;
	iterate_until_readable(world, fd);
	ssize_t n = recvfrom(fd, request, sizeof request, 0, (struct sockaddr *)&from, &from_len);
	ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&from, from_len, &source));
	ck_assert_uint_eq(source.port, WG_PORT);
	size_t len = wice__consent_answer(request, (size_t)n, key, &source, answer);
	ck_assert_uint_gt(len, 0);
	ck_assert_int_eq(sendto(fd, answer, len, 0, (struct sockaddr *)&from, from_len), len);
}

START_TEST(answers_go_to_who_listens_to_their_source)
{
	static const char pwd[] = "a password of 22 chars";
	World world;
	Listener listeners[2] = { { &world }, { &world } };
	WiceEndpoint far[2];
	int fds[2];
	if (!world_open(&world, _i))
		return;
	bpf_enter(world.bpf.far);
	for (int i = 0; i < 2; i++)
		fds[i] = bpf_socket(i ? "10.77.0.3" : "10.77.0.2", &far[i]);
	bpf_enter(world.bpf.near);
	for (int i = 0; i < 2; i++) {
		WiceStunKey *key = &listeners[i].key;
		ck_assert_int_eq(wice__stun_key_short_term(key, (WiceSpan){ pwd, strlen(pwd) }), 0);
		wice__reflexive_listen(world.reflexive, &far[i], on_heard, &listeners[i]);
	}
	for (int i = 0; i < 2; i++) {
		uint8_t request[WICE_CONSENT_MAX], id[WICE_CONSENT_ID_LEN] = { (uint8_t)i };
		size_t len =
			wice__consent_ask(id, "ours0000", "theirs00", &listeners[i].key, request);
		ck_assert_int_eq(wice__reflexive_send(world.reflexive, &far[i], request, len), 0);
		answer_one(&world, fds[i], &listeners[i].key);
		gint64 deadline = g_get_monotonic_time() + BPF_DEADLINE_US;
		while (!listeners[i].n && g_get_monotonic_time() < deadline)
			g_main_context_iteration(world.bpf.context, FALSE);
		ck_assert_uint_eq(listeners[i].n, 1);
		close(fds[i]);
	}
	ck_assert_uint_eq(listeners[0].n, 1);
	wice__reflexive_listen(world.reflexive, &far[0], NULL, NULL);
	world_close(&world);
}
END_TEST

/* Its sockets leave the mux with it, which has room for no more than those. */
START_TEST(many_come_and_go)
{
	World world;
	if (!world_open(&world, _i))
		return;
	wice__reflexive_free(world.reflexive);
	wice__bpf_mux_free(world.bpf.mux);
	const WiceBpfMuxOptions options = {
		.size = sizeof options,
		.attach = (WiceBpfAttach)_i,
		.max_agents = 2,
	};
	world.bpf.mux = wice__bpf_mux_new(world.bpf.context, &options, NULL);
	ck_assert_ptr_nonnull(world.bpf.mux);
	start(&world);
	add_server(&world, "10.77.0.2", NULL);
	for (unsigned i = 0; i < 10; i++) {
		ask_servers(&world);
		expect(&world, "10.77.0.1:51820", WICE_NAT_NONE);
		wice__reflexive_free(world.reflexive);
		start(&world);
	}
	WiceReflexive *second;
	ck_assert_int_eq(wice__reflexive_new(world.bpf.context, world.bpf.mux, WG_PORT + 1, 0,
					     on_changed, &world, &second),
			 -ENOSPC);
	wice__reflexive_free(NULL);
	world_close(&world);
}
END_TEST

BPF_SUITE_MAIN("agent reflexive", servers_see_the_port_of_wireguard,
	       the_worst_nat_of_both_families_is_told, another_network_is_asked_about_at_once,
	       servers_come_and_go, a_family_without_a_way_out_is_not_waited_for,
	       packets_have_the_mark_of_the_interface, changed_may_set_servers,
	       paths_are_kept_open_from_the_port_of_wireguard,
	       checks_for_an_agent_that_is_closed_are_answered,
	       answers_go_to_who_listens_to_their_source, many_come_and_go)
