/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "proxy/port_share.h"
#include "world.h"

static World world;
static WiceEndpoint ice_endpoint, remote_endpoint;
static int ice, ours, remote;

static const char *const addresses[] = { "127.0.0.1", "::1" };

static void open_sockets(int i)
{
	world.context = g_main_context_new();
	ice = world_socket(addresses[i], &ice_endpoint);
	remote = world_socket(addresses[i], &remote_endpoint);
}

static void share(void)
{
	ck_assert_int_eq(wice__port_share_open(ice, 0, &ours), 0);
}

static void close_sockets(void)
{
	close(remote);
	g_main_context_unref(world.context);
}

static void send_and_expect(const uint8_t *packet, size_t len, int receiver)
{
	world_send(remote, &ice_endpoint, packet, len);
	world_expect(&world, receiver, packet, len, &remote_endpoint);
}

/* Each kind of packet; the receivers may be the same socket. */
static void send_all_kinds(int agents, int shared)
{
	uint8_t packet[1400] = { 0 };
	for (uint8_t type = 0; type <= 8; type++) {
		packet[0] = type;
		send_and_expect(packet, sizeof packet, type >= 1 && type <= 4 ? shared : agents);
		send_and_expect(packet, 4, type >= 1 && type <= 4 ? shared : agents);
	}
	memset(packet, 0, sizeof packet);
	packet[3] = 4;
	send_and_expect(packet, 148, agents);
	world_stun(packet, "abcdwiCewiCe");
	send_and_expect(packet, 20, agents);
	world_stun(packet, "wiCeabcdefgh");
	send_and_expect(packet, 20, shared);
	send_and_expect(packet, 12, shared);
	packet[0] = 0x40; /* ChannelData, not STUN */
	send_and_expect(packet, 20, agents);
	/* Shorter than what the program looks at: it must not end in nobody's hands. */
	world_stun(packet, "wiCeabcdefgh");
	for (size_t len = 0; len < 12; len++)
		send_and_expect(packet, len, agents);
	packet[0] = 4;
	for (size_t len = 0; len < 4; len++)
		send_and_expect(packet, len, agents);
}

START_TEST(packets_are_shared_out_by_their_contents)
{
	uint8_t packet[20];
	open_sockets(_i);
	send_and_expect((const uint8_t *)"before", 6, ice);
	share();
	send_all_kinds(ice, ours);
	world_stun(packet, "wiCeabcdefgh");
	world_send(ours, &remote_endpoint, packet, sizeof packet);
	world_expect(&world, remote, packet, sizeof packet, &ice_endpoint);
	world_send(ice, &remote_endpoint, packet, sizeof packet);
	world_expect(&world, remote, packet, sizeof packet, &ice_endpoint);
	close(ours);
	close(ice);
	close_sockets();
}
END_TEST

START_TEST(whichever_socket_closes_first_the_other_gets_everything)
{
	open_sockets(_i);
	share();
	close(ours);
	send_all_kinds(ice, ice);
	share();
	send_all_kinds(ice, ours);
	close(ice);
	send_all_kinds(ours, ours);
	close(ours);
	close_sockets();
}
END_TEST

START_TEST(packets_that_wait_already_stay_with_the_agent)
{
	uint8_t packet[148] = { 1 };
	open_sockets(_i);
	for (int i = 0; i < 10; i++)
		world_send(remote, &ice_endpoint, packet, sizeof packet);
	share();
	for (int i = 0; i < 10; i++)
		world_expect(&world, ice, packet, sizeof packet, &remote_endpoint);
	send_and_expect(packet, sizeof packet, ours);
	ck_assert(!world_try_receive(&world, ice));
	close(ours);
	close(ice);
	close_sockets();
}
END_TEST

START_TEST(it_works_without_privileges)
{
	if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0) {
		puts("skipped: cannot give up root");
		return;
	}
	open_sockets(_i);
	share();
	send_all_kinds(ice, ours);
	uint32_t untouched = 7;
	int fd = (int)untouched;
	WiceEndpoint other_endpoint;
	int other = world_socket(addresses[_i], &other_endpoint);
	ck_assert_int_eq(wice__port_share_open(other, 51820, &fd), -EPERM);
	ck_assert_int_eq(fd, (int)untouched);
	close(other);
	close(ours);
	close(ice);
	close_sockets();
}
END_TEST

START_TEST(the_mark_is_set_and_another_users_port_is_not_shared)
{
	if (geteuid() != 0) {
		puts("skipped: must be root to set marks and act as two users");
		return;
	}
	open_sockets(_i);
	ck_assert_int_eq(wice__port_share_open(ice, 51820, &ours), 0);
	uint32_t mark = 0;
	socklen_t len = sizeof mark;
	ck_assert_int_eq(getsockopt(ours, SOL_SOCKET, SO_MARK, &mark, &len), 0);
	ck_assert_uint_eq(mark, 51820);
	send_all_kinds(ice, ours);
	close(ours);
	int fd = 7, reuse = 1;
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(wice__port_share_open(ice, 0, &fd), -ENOTSUP);
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(fd, 7);
	len = sizeof reuse;
	ck_assert_int_eq(getsockopt(ice, SOL_SOCKET, SO_REUSEPORT, &reuse, &len), 0);
	ck_assert_int_eq(reuse, 0);
	send_all_kinds(ice, ice);
	close(ice);
	close_sockets();
}
END_TEST

START_TEST(other_kinds_of_descriptors_are_refused)
{
	int pair[2], fd = 7;
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	ck_assert_int_eq(wice__port_share_open(pair[0], 0, &fd), -ENOTSUP);
	ck_assert_int_eq(wice__port_share_open(-1, 0, &fd), -EBADF);
	ck_assert_int_eq(fd, 7);
	close(pair[0]);
	close(pair[1]);
}
END_TEST

int main(void)
{
	const TTest *const both_families[] = {
		packets_are_shared_out_by_their_contents,
		whichever_socket_closes_first_the_other_gets_everything,
		packets_that_wait_already_stay_with_the_agent,
		it_works_without_privileges,
		the_mark_is_set_and_another_users_port_is_not_shared,
	};
	Suite *suite = suite_create("proxy port share");
	TCase *tcase = tcase_create("proxy port share");
	tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
	for (size_t i = 0; i < G_N_ELEMENTS(both_families); i++)
		tcase_add_loop_test(tcase, both_families[i], 0, G_N_ELEMENTS(addresses));
	tcase_add_test(tcase, other_kinds_of_descriptors_are_refused);
	suite_add_tcase(suite, tcase);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
