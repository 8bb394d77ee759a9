/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The table among those of others, and what becomes of it when they, or we, come and go. */
#include <signal.h>
#include <sys/wait.h>
#include <wice/error.h>

#include "nft_world.h"

/* What nft(8) prints, to be freed. */
static char *output_of(const char *command)
{
	char *text = NULL, *complaints = NULL;
	ck_assert(g_spawn_command_line_sync(command, &text, &complaints, NULL, NULL));
	g_free(complaints);
	return text;
}

static bool have_table(const char *name)
{
	return run("nft list table inet %s >/dev/null 2>&1", name);
}

static GError *refusal(const char *ifname)
{
	GError *error = NULL;
	ck_assert_ptr_null(wice__proxy_nft_new(world.context, ifname, WG_PORT, &error));
	ck_assert_ptr_nonnull(error);
	ck_assert(error->domain == WICE_ERROR);
	return error;
}

static bool make_alone(void)
{
	if (!have_nft() || !make_network())
		return false;
	enter(0);
	return true;
}

/* Without line breaks and indentation. */
static const char listing[] =
	"table inet wice-wg0 { "
	"set ice4 { type ipv4_addr . inet_service size 16384 "
	"elements = { 10.89.0.1 . 4000 } } "
	"map masq4 { type ipv4_addr . inet_service : inet_service size 16384 "
	"elements = { 10.89.0.2 . 5000 : 4000 } } "
	"map moving4 { type ipv4_addr . inet_service : inet_service size 1 } "
	"map heard4 { type inet_service . ipv4_addr : inet_service size 1024 "
	"flags dynamic,timeout timeout 10s } "
	"set ice6 { type ipv6_addr . inet_service size 16384 } "
	"map masq6 { type ipv6_addr . inet_service : inet_service size 16384 } "
	"map moving6 { type ipv6_addr . inet_service : inet_service size 1 } "
	"map heard6 { type inet_service . ipv6_addr : inet_service size 1024 "
	"flags dynamic,timeout timeout 10s } "
	"chain ingress { type filter hook input priority filter + 10; policy accept; "
	"meta l4proto 17 @th,64,32 { 16777216, 33554432, 50331648, 67108864 } goto received } "
	"chain received { "
	"@th,64,32 0x1000000 ip daddr . udp dport @ice4 "
	"add @heard4 { udp sport . ip saddr : udp dport } "
	"@th,64,32 0x1000000 ip6 daddr . udp dport @ice6 "
	"add @heard6 { udp sport . ip6 saddr : udp dport } "
	"ip daddr . udp dport @ice4 udp checksum != 0 udp dport set 51820 accept "
	"ip6 daddr . udp dport @ice6 udp checksum != 0 udp dport set 51820 accept "
	"ip daddr . udp dport @ice4 udp checksum 0 udp dport set 51820 accept } "
	"chain egress { type filter hook output priority raw; policy accept; "
	"udp sport 51820 goto sent } "
	"chain sent { "
	"udp sport set ip daddr . udp dport map @masq4 accept "
	"udp sport set ip6 daddr . udp dport map @masq6 accept "
	"udp sport set ip daddr . udp dport map @moving4 accept "
	"udp sport set udp dport . ip daddr map @heard4 accept "
	"udp sport set ip6 daddr . udp dport map @moving6 accept "
	"udp sport set udp dport . ip6 daddr map @heard6 accept } } ";

static char *on_one_line(const char *text)
{
	GString *line = g_string_new(NULL);
	for (; *text; text++)
		if (!g_ascii_isspace(*text))
			g_string_append_c(line, *text);
		else if (line->len > 0 && line->str[line->len - 1] != ' ')
			g_string_append_c(line, ' ');
	return g_string_free(line, FALSE);
}

/* Users see it in `nft list ruleset`, and may save and load it. Protocols as numbers: their
 * names come from /etc/protocols, which a machine need not have. */
START_TEST(nft_lists_it_as_it_would_be_written)
{
	static const WiceProxyEvents events;
	WiceEndpoint local, remote;
	WiceProxyPeer *peer;
	ownerless = true; /* the line that names the owner differs from version to version */
	if (!make_alone())
		return;
	WiceProxy *proxy = new_proxy("wg0", WG_PORT);
	ck_assert_int_eq(proxy->ops->peer_new(proxy, &events, NULL, &peer), 0);
	int fd = bind_socket("10.89.0.1", 4000, &local);
	WiceProxyPath *path = new_path(peer, fd, &local);
	ck_assert(wice_endpoint_parse("10.89.0.2:5000", &remote));
	select_path(path, &remote);
	char *text = output_of("nft -p list table inet wice-wg0");
	char *line = on_one_line(text);
	ck_assert_str_eq(line, listing);
	ck_assert(run("nft -c '%s'", text));
	g_free(line);
	g_free(text);
	proxy->ops->peer_free(peer);
	proxy->ops->free(proxy);
	ck_assert(!have_table("wice-wg0"));
	close(fd);
}
END_TEST

START_TEST(what_a_path_expects_is_routed_unless_somebody_has_selected_it)
{
	static const WiceProxyEvents events;
	WiceEndpoint local[2], selected, expected;
	WiceProxyPeer *peer;
	if (!make_alone())
		return;
	WiceProxy *proxy = new_proxy("wg0", WG_PORT);
	ck_assert_int_eq(proxy->ops->peer_new(proxy, &events, NULL, &peer), 0);
	int fds[] = { bind_socket("10.89.0.1", 4000, &local[0]),
		      bind_socket("10.89.0.1", 4001, &local[1]) };
	WiceProxyPath *former = new_path(peer, fds[0], &local[0]);
	WiceProxyPath *path = new_path(peer, fds[1], &local[1]);
	ck_assert(wice_endpoint_parse("10.89.0.2:5000", &selected));
	ck_assert(wice_endpoint_parse("10.89.0.2:5001", &expected));
	select_path(former, &selected);
	proxy->ops->path_expect(path, &selected);
	proxy->ops->path_expect(path, &expected);
	const char *list = "nft list map inet wice-wg0 masq4";
	char *text = output_of(list);
	ck_assert_ptr_nonnull(strstr(text, "10.89.0.2 . 5000 : 4000"));
	ck_assert_ptr_nonnull(strstr(text, "10.89.0.2 . 5001 : 4001"));
	g_free(text);
	/* Selecting takes it over, and what was taken over does not go with the former path. */
	select_path(path, &selected);
	proxy->ops->path_free(former);
	text = output_of(list);
	ck_assert_ptr_nonnull(strstr(text, "10.89.0.2 . 5000 : 4001"));
	g_free(text);
	proxy->ops->path_free(path);
	text = output_of(list);
	ck_assert_ptr_null(strstr(text, "elements"));
	g_free(text);
	proxy->ops->peer_free(peer);
	proxy->ops->free(proxy);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(elements_come_and_go_with_paths)
{
	static const WiceProxyEvents events;
	WiceEndpoint local, local6, remote[4], endpoint;
	WiceProxyPeer *peer;
	if (!make_alone())
		return;
	WiceProxy *proxy = new_proxy("wg0", WG_PORT);
	ck_assert_int_eq(proxy->ops->peer_new(proxy, &events, NULL, &peer), 0);
	int fd = bind_socket("10.89.0.1", 4000, &local), fd6 = bind_socket("fd89::1", 0, &local6);
	WiceProxyPath *path = new_path(peer, fd, &local), *twin = new_path(peer, fd, &local);
	WiceProxyPath *path6 = new_path(peer, fd6, &local6);
	for (size_t i = 0; i < G_N_ELEMENTS(remote); i++) {
		ck_assert(wice_endpoint_parse("10.89.0.2:5000", &remote[i]));
		remote[i].port += i;
	}
	/* What was selected before remains, for packets on their way. */
	for (size_t i = 0; i < 3; i++)
		select_path(path, &remote[i]);
	const char *list = "nft list map inet wice-wg0 masq4";
	char *text = output_of(list);
	ck_assert_ptr_nonnull(strstr(text, "10.89.0.2 . 5002 : 4000"));
	ck_assert_ptr_nonnull(strstr(text, "10.89.0.2 . 5001 : 4000"));
	ck_assert_ptr_nonnull(strstr(text, "10.89.0.2 . 5000 : 4000"));
	g_free(text);
	/* A path of one family does not lead to the other, nor any to no port. */
	ck_assert_int_eq(proxy->ops->select(peer, path6, &remote[0], &endpoint), -EINVAL);
	remote[3].port = 0;
	ck_assert_int_eq(proxy->ops->select(peer, path, &remote[3], &endpoint), -EINVAL);
	ck_assert_int_eq(proxy->ops->select(peer, NULL, NULL, &endpoint), 0);
	text = output_of(list);
	ck_assert_ptr_null(strstr(text, "elements"));
	g_free(text);
	/* One port for two, until both are gone; the route goes with its path. */
	select_path(path, &remote[0]);
	proxy->ops->path_free(path);
	text = output_of(list);
	ck_assert_ptr_null(strstr(text, "elements"));
	g_free(text);
	ck_assert(run("nft get element inet wice-wg0 ice4 '{ 10.89.0.1 . 4000 }' >/dev/null"));
	proxy->ops->path_free(twin);
	ck_assert(!run("nft get element inet wice-wg0 ice4 '{ 10.89.0.1 . 4000 }' 2>/dev/null"));
	proxy->ops->peer_free(peer);
	text = output_of("nft list set inet wice-wg0 ice6");
	ck_assert_ptr_null(strstr(text, "elements"));
	g_free(text);
	proxy->ops->free(proxy);
	close(fd);
	close(fd6);
}
END_TEST

START_TEST(an_owner_keeps_it_from_others)
{
	if (!have_nft() || !make_hosts(_i))
		return;
	select_both();
	for (int i = 0; i < 2; i++) {
		enter(i);
		ck_assert(run("nft flush ruleset"));
		ck_assert(!run("nft delete table inet wice-wg0 2>/dev/null"));
		ck_assert(!run("nft flush chain inet wice-wg0 egress 2>/dev/null"));
		ck_assert(have_table("wice-wg0"));
	}
	carry_both_ways(_i);
	enter(0);
	GError *error = refusal("wg0");
	ck_assert_int_eq(error->code, WICE_ERROR_BUSY);
	ck_assert_ptr_nonnull(strstr(error->message, "wice-wg0"));
	g_error_free(error);
	carry_both_ways(_i);
	free_hosts();
}
END_TEST

/* Waits until the host's proxy has made good what was done. */
#define REPAIRED(condition)                                            \
	do {                                                           \
		WORLD_UNTIL(&world, (condition));                      \
		while (g_main_context_iteration(world.context, FALSE)) \
			;                                              \
	} while (0)

START_TEST(without_an_owner_it_is_made_anew)
{
	static const char *const attacks[] = {
		"flush ruleset",
		"delete table inet wice-wg0",
		"flush table inet wice-wg0",
		"flush chain inet wice-wg0 ingress",
		"flush map inet wice-wg0 masq4; flush map inet wice-wg0 masq6",
		"flush set inet wice-wg0 ice4; flush set inet wice-wg0 ice6",
	};
	ownerless = true;
	if (!have_nft() || !make_hosts(_i))
		return;
	select_both();
	carry_both_ways(_i);
	for (size_t i = 0; i < G_N_ELEMENTS(attacks); i++) {
		enter(0);
		char *before = output_of("nft -p list table inet wice-wg0");
		ck_assert(run("nft '%s'", attacks[i]));
		char *after = output_of("nft -p list table inet wice-wg0");
		ck_assert_str_ne(after, before);
		g_free(after);
		REPAIRED((after = output_of("nft -p list table inet wice-wg0"),
			  g_strcmp0(after, before) == 0 || (g_free(after), false)));
		g_free(after);
		g_free(before);
		carry_both_ways(_i);
	}
	free_hosts();
	for (int i = 0; i < 2; i++)
		ck_assert(!have_table("wice-wg0"));
}
END_TEST

/* Before the main loop has heard of it. */
START_TEST(a_change_finds_the_table_gone_and_makes_it_anew)
{
	ownerless = true;
	if (!have_nft() || !make_hosts(_i))
		return;
	for (int i = 0; i < 2; i++) {
		enter(i);
		ck_assert(run("nft flush ruleset"));
	}
	select_both();
	carry_both_ways(_i);
	free_hosts();
}
END_TEST

/* A process with a proxy, which ends only by being killed. */
static pid_t spawn_holder(void)
{
	int ready[2];
	char byte;
	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		new_proxy("wg0", WG_PORT);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void kill_holder(pid_t pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(nothing_stays_of_an_owner_that_was_killed)
{
	if (!make_alone())
		return;
	add_rules("table inet other { chain c { }; }");
	pid_t pid = spawn_holder();
	ck_assert(have_table("wice-wg0"));
	GError *error = refusal("wg0");
	ck_assert_int_eq(error->code, WICE_ERROR_BUSY);
	g_error_free(error);
	kill_holder(pid);
	ck_assert(!have_table("wice-wg0"));
	WiceProxy *proxy = new_proxy("wg0", WG_PORT);
	proxy->ops->free(proxy);
	ck_assert(have_table("other"));
}
END_TEST

/* That of another interface is not ours to touch. */
START_TEST(the_next_one_clears_what_was_left_without_an_owner)
{
	if (!make_alone())
		return;
	ownerless = true;
	kill_holder(spawn_holder());
	ck_assert(have_table("wice-wg0"));
	add_rules("table inet wice-wg1 { chain c { }; }");
	add_rules("add element inet wice-wg0 ice4 { 10.0.0.1 . 1 }");
	for (int i = 0; i < 2; i++) {
		ownerless = i;
		WiceProxy *proxy = new_proxy("wg0", WG_PORT);
		ck_assert(
			!run("nft get element inet wice-wg0 ice4 '{ 10.0.0.1 . 1 }' 2>/dev/null"));
		ck_assert(have_table("wice-wg1"));
		/* It has an owner if it can have one. */
		ck_assert(run("nft -c delete table inet wice-wg0 2>/dev/null") == ownerless);
		proxy->ops->free(proxy);
		ck_assert(!have_table("wice-wg0"));
		add_rules("table inet wice-wg0 { set ice4 { type ipv4_addr . inet_service; "
			  "elements = { 10.0.0.1 . 1 }; }; }");
	}
	ck_assert(have_table("wice-wg1"));
}
END_TEST

START_TEST(privileges_are_needed_and_named)
{
	if (!make_alone())
		return;
	ck_assert_int_eq(setresuid(65534, 65534, 65534), 0);
	GError *error = refusal("wg0");
	ck_assert_int_eq(error->code, WICE_ERROR_PERMISSION);
	ck_assert_ptr_nonnull(strstr(error->message, "CAP_NET_ADMIN"));
	g_error_free(error);
}
END_TEST

START_TEST(any_name_of_an_interface_will_do)
{
	static const struct {
		const char *ifname, *table;
	} names[] = {
		{ "wg0", "wice-wg0" },
		{ "wg_home-2.4", "wice-wg_home-2.4" },
		{ "wg@vpn", "wice-wg/40vpn" },
		{ "w\xc3\xa4g", "wice-w/c3/a4g" },
		{ "\"'{};#$%&()*?!", "wice-/22/27/7b/7d/3b/23/24/25/26/28/29/2a/3f/21" },
		{ "123456789012345", "wice-123456789012345" },
		{ "@@@@@@@@@@@@@@@", "wice-/40/40/40/40/40/40/40/40/40/40/40/40/40/40/40" },
	};
	if (!make_alone())
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		WiceProxy *proxy = new_proxy(names[i].ifname, WG_PORT);
		ck_assert_msg(have_table(names[i].table), "%s", names[i].ifname);
		proxy->ops->free(proxy);
	}
}
END_TEST

START_TEST(without_a_listen_port_there_are_no_rules)
{
	if (!make_alone())
		return;
	WiceProxy *proxy = new_proxy("wg0", 0);
	char *text = output_of("nft -p list table inet wice-wg0");
	ck_assert_ptr_null(strstr(text, "udp"));
	g_free(text);
	ck_assert_int_eq(proxy->ops->set_wg_port(proxy, 4711), 0);
	text = output_of("nft -p list table inet wice-wg0");
	ck_assert_ptr_nonnull(strstr(text, "udp dport set 4711"));
	ck_assert_ptr_nonnull(strstr(text, "udp sport 4711"));
	g_free(text);
	proxy->ops->free(proxy);
}
END_TEST

/* The whole of a large table is one transaction. */
START_TEST(a_thousand_peers_are_made_anew_at_once)
{
	enum { N = 1000 };
	static const WiceProxyEvents events;
	static WiceProxyPeer *peers[N];
	WiceEndpoint local, remote;
	ownerless = true;
	if (!make_alone())
		return;
	WiceProxy *proxy = new_proxy("wg0", WG_PORT);
	ck_assert(wice_endpoint_parse("[fd89::1]:10000", &local));
	ck_assert(wice_endpoint_parse("[fd89::2]:20000", &remote));
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(proxy->ops->peer_new(proxy, &events, NULL, &peers[i]), 0);
		local.port++;
		remote.port++;
		select_path(new_path(peers[i], -1, &local), &remote);
	}
	char *before = output_of("nft -p list table inet wice-wg0");
	ck_assert(run("nft flush ruleset"));
	REPAIRED(have_table("wice-wg0"));
	char *after = output_of("nft -p list table inet wice-wg0");
	ck_assert_ptr_nonnull(strstr(after, "fd89::2 . 20777 : 10777"));
	ck_assert_uint_eq(strlen(after), strlen(before));
	g_free(before);
	g_free(after);
	for (int i = 0; i < N; i++)
		proxy->ops->peer_free(peers[i]);
	proxy->ops->free(proxy);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_owner_keeps_it_from_others,
		without_an_owner_it_is_made_anew,
		a_change_finds_the_table_gone_and_makes_it_anew,
	};
	const TTest *const once[] = {
		nft_lists_it_as_it_would_be_written,
		what_a_path_expects_is_routed_unless_somebody_has_selected_it,
		elements_come_and_go_with_paths,
		nothing_stays_of_an_owner_that_was_killed,
		the_next_one_clears_what_was_left_without_an_owner,
		privileges_are_needed_and_named,
		any_name_of_an_interface_will_do,
		without_a_listen_port_there_are_no_rules,
		a_thousand_peers_are_made_anew_at_once,
	};
	return run_suite("proxy nft table", tests, G_N_ELEMENTS(tests), once, G_N_ELEMENTS(once));
}
