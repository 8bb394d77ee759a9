/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The watch on userspace devices, which have sockets, interfaces and ways to hang. */
#include "conformance/wg/server.h"
#include "unit/wg/watch_bed.h"
#include "wg/uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>

static const WiceWatchOptions only_hints = { .size = sizeof only_hints, ONLY_HINTS };

/* A UAPI server in a thread: its devices' peers can be chosen. */
typedef struct {
	char *folder;
	TestServer server;
	bool hangs;
	int n_peers; /* atomic */
} Userspace;

static void serve(int fd, void *user_data)
{
	Userspace *userspace = user_data;
	GString *reply = g_string_new("listen_port=7\n");
	g_free(server_receive(fd));
	for (int i = 1; i <= g_atomic_int_get(&userspace->n_peers); i++)
		g_string_append_printf(reply, "public_key=%02x%062d\n", i, 0);
	g_string_append(reply, "errno=0\n\n");
	if (userspace->hangs)
		server_wait_for_end(fd);
	else
		server_send(fd, reply->str, reply->len);
	g_string_free(reply, TRUE);
}

/* Every network namespace has an interface "lo". */
static void start_userspace(Userspace *userspace, Bed *bed, const char *name)
{
	userspace->folder = g_dir_make_tmp("wice-watch-XXXXXX", NULL);
	server_start(&userspace->server, userspace->folder, name, serve, userspace);
	WiceWgBackend *backends[] = { wice__wg_uapi_new(userspace->folder),
				      wice__wg_fake_backend(bed->fake) };
	wice_wg_free(bed->wg);
	bed->wg = wice__wg_new_with(backends, 2);
}

static void stop_userspace(Userspace *userspace)
{
	ck_assert_int_eq(g_rmdir(userspace->folder), 0);
	g_free(userspace->folder);
}

START_TEST(userspace_devices_come_and_go_by_their_sockets)
{
	Bed bed;
	Userspace userspace = { .n_peers = 1 };
	WiceWatchOptions options = { .size = sizeof options, .fast_ms = 1, .slow_ms = 1 };
	bed_set_up(&bed);
	start_userspace(&userspace, &bed, "lo");
	bed_start(&bed, userspace.folder, &options);
	bed_expect(&bed, "lo added-1");
	g_atomic_int_set(&userspace.n_peers, 2);
	bed_expect(&bed, "lo added-2");
	server_stop(&userspace.server);
	bed_expect(&bed, "lo device-removed");
	server_start(&userspace.server, userspace.folder, "lo", serve, &userspace);
	g_ptr_array_set_size(bed.log, 0);
	bed_expect(&bed, "lo added-2");
	bed_check(&bed, "lo device-added, lo added-1, lo added-2");
	server_stop(&userspace.server);
	bed_tear_down(&bed);
	stop_userspace(&userspace);
}
END_TEST

START_TEST(sockets_without_an_interface_are_no_devices)
{
	Bed bed;
	Userspace userspace = { .n_peers = 1 };
	bed_set_up(&bed);
	start_userspace(&userspace, &bed, "elsewhere");
	bed_start(&bed, userspace.folder, &only_hints);
	wice__watch_hint(bed.watch, "elsewhere");
	bed_device(&bed, "wg0", 0, 0, 0);
	wice__watch_hint(bed.watch, "wg0");
	bed_expect(&bed, "wg0 device-added");
	bed_check(&bed, "wg0 device-added");
	server_stop(&userspace.server);
	bed_tear_down(&bed);
	stop_userspace(&userspace);
}
END_TEST

START_TEST(a_device_that_hangs_holds_up_no_other)
{
	Bed bed;
	Userspace userspace = { .hangs = true };
	WiceWatchOptions options = { .size = sizeof options, .fast_ms = 1, .slow_ms = 1 };
	bed_set_up(&bed);
	bed_device(&bed, "wg0", 0, 0, 0);
	start_userspace(&userspace, &bed, "lo");
	bed_start(&bed, userspace.folder, &options);
	bed_expect(&bed, "lo trouble");
	for (uint8_t i = 1; i <= 20; i++) {
		g_autofree char *added = g_strdup_printf("wg0 added-%d", i);
		bed_peer(&bed, "wg0", i, 0);
		bed_expect(&bed, added);
	}
	ck_assert_str_eq(bed.log->pdata[bed.log->len - 1], "wg0 added-20");
	bed_tear_down(&bed);
	server_stop(&userspace.server);
	stop_userspace(&userspace);
}
END_TEST

START_TEST(freeing_it_does_not_wait_for_a_device_that_hangs)
{
	Bed bed;
	Userspace userspace = { .hangs = true };
	bed_set_up(&bed);
	start_userspace(&userspace, &bed, "lo");
	bed_start(&bed, userspace.folder, NULL);
	bed_wait(&bed, DEADLINE_MS); /* the list; now it is stuck */
	bed_tear_down(&bed);
	server_stop(&userspace.server);
	stop_userspace(&userspace);
}
END_TEST

/* The reader stays in the network namespace that the watch was made in. */
START_TEST(it_sees_the_network_namespace_that_it_was_made_in)
{
	Bed bed;
	Userspace userspace = { .n_peers = 1 };
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "wicetest" };
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace (%s)\n", g_strerror(errno));
		return;
	}
	int tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (tun < 0 || ioctl(tun, TUNSETIFF, &request) < 0) {
		printf("skipped: no TUN device (%s)\n", g_strerror(errno));
		return;
	}
	bed_set_up(&bed);
	start_userspace(&userspace, &bed, "wicetest");
	bed_start(&bed, userspace.folder, &only_hints);
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	bed_expect(&bed, "wicetest added-1");
	g_atomic_int_set(&userspace.n_peers, 2);
	wice__watch_hint(bed.watch, "wicetest");
	bed_expect(&bed, "wicetest added-2");
	close(tun); /* the link's end is told */
	bed_expect(&bed, "wicetest device-removed");
	server_stop(&userspace.server);
	bed_tear_down(&bed);
	stop_userspace(&userspace);
}
END_TEST

SUITE_MAIN("wg watch uapi", userspace_devices_come_and_go_by_their_sockets,
	   sockets_without_an_interface_are_no_devices, a_device_that_hangs_holds_up_no_other,
	   freeing_it_does_not_wait_for_a_device_that_hangs,
	   it_sees_the_network_namespace_that_it_was_made_in)
