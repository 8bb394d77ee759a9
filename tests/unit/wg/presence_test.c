/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/wg/server.h"
#include "event/source.h"
#include "suite.h"
#include "wg/presence.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

typedef struct {
	GMainContext *context;
	char *folder, *sockets; /* a temporary folder and the one in it that is watched */
	GHashTable *seen;
	unsigned n_lost, n_calls, n_destroyed;
	bool free_at_once;
	WicePresence *watch;
} Fixture;

static void changed(const char *name, void *user_data)
{
	Fixture *fixture = user_data;
	fixture->n_calls++;
	if (name)
		g_hash_table_add(fixture->seen, g_strdup(name));
	else
		fixture->n_lost++;
	if (fixture->free_at_once)
		g_clear_pointer(&fixture->watch, wice__presence_free);
}

static void destroyed(void *user_data)
{
	((Fixture *)user_data)->n_destroyed++;
}

static void set_up(Fixture *fixture, bool make_sockets)
{
	*fixture = (Fixture){ .context = g_main_context_new() };
	fixture->folder = g_dir_make_tmp("wice-watch-XXXXXX", NULL);
	fixture->sockets = g_build_filename(fixture->folder, "wireguard", NULL);
	fixture->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	if (make_sockets)
		ck_assert_int_eq(g_mkdir(fixture->sockets, 0700), 0);
	fixture->watch = wice__presence_new_in(fixture->sockets, fixture->context, changed, fixture,
					       destroyed, NULL);
	ck_assert_ptr_nonnull(fixture->watch);
}

static void tear_down(Fixture *fixture)
{
	wice__presence_free(fixture->watch);
	ck_assert_uint_eq(fixture->n_destroyed, 1);
	g_main_context_unref(fixture->context);
	g_hash_table_unref(fixture->seen);
	g_rmdir(fixture->sockets);
	ck_assert_int_eq(g_rmdir(fixture->folder), 0);
	g_free(fixture->folder);
	g_free(fixture->sockets);
}

static gboolean wake(gpointer data)
{
	return G_SOURCE_CONTINUE;
}

/* Runs the context until *value is at least n. */
static void wait_for_count(Fixture *fixture, const unsigned *value, unsigned n)
{
	GSource *ticks = g_timeout_source_new(50);
	int64_t deadline = wice__now_ms() + 60000;
	g_source_set_callback(ticks, wake, NULL, NULL);
	g_source_attach(ticks, fixture->context);
	while (*value < n && wice__now_ms() < deadline)
		g_main_context_iteration(fixture->context, TRUE);
	g_source_destroy(ticks);
	g_source_unref(ticks);
	ck_assert_uint_ge(*value, n);
}

/* Waits for a hint about the name, or about all names, and forgets it. */
static void expect(Fixture *fixture, const char *name)
{
	while (!g_hash_table_remove(fixture->seen, name))
		wait_for_count(fixture, &fixture->n_calls, fixture->n_calls + 1);
}

static void touch(const Fixture *fixture, const char *file)
{
	g_autofree char *path = g_build_filename(fixture->sockets, file, NULL);
	ck_assert(g_file_set_contents(path, "", 0, NULL));
}

static void erase(const Fixture *fixture, const char *file)
{
	g_autofree char *path = g_build_filename(fixture->sockets, file, NULL);
	ck_assert_int_eq(g_unlink(path), 0);
}

static void bind_and_close(const Fixture *fixture, const char *file)
{
	g_autofree char *path = g_build_filename(fixture->sockets, file, NULL);
	close(server_bind(path, 1));
}

START_TEST(sockets_are_told_when_they_come_and_go)
{
	Fixture fixture;
	set_up(&fixture, true);
	bind_and_close(&fixture, "wg0.sock");
	expect(&fixture, "wg0");
	erase(&fixture, "wg0.sock");
	expect(&fixture, "wg0");
	tear_down(&fixture);
}
END_TEST

START_TEST(the_folder_may_be_made_later_and_again)
{
	Fixture fixture;
	set_up(&fixture, false);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(g_mkdir(fixture.sockets, 0700), 0);
		bind_and_close(&fixture, "wg0.sock"); /* perhaps before the folder is watched */
		expect(&fixture, "wg0");
		bind_and_close(&fixture, "wg1.sock");
		expect(&fixture, "wg1");
		erase(&fixture, "wg0.sock");
		erase(&fixture, "wg1.sock");
		expect(&fixture, "wg0");
		expect(&fixture, "wg1");
		ck_assert_int_eq(g_rmdir(fixture.sockets), 0);
	}
	tear_down(&fixture);
}
END_TEST

START_TEST(the_folder_may_be_replaced)
{
	Fixture fixture;
	set_up(&fixture, true);
	g_autofree char *elsewhere = g_build_filename(fixture.folder, "old", NULL);
	ck_assert_int_eq(g_rename(fixture.sockets, elsewhere), 0);
	ck_assert_int_eq(g_mkdir(fixture.sockets, 0700), 0);
	wait_for_count(&fixture, &fixture.n_lost, 1);
	bind_and_close(&fixture, "wg0.sock");
	expect(&fixture, "wg0");
	erase(&fixture, "wg0.sock");
	ck_assert_int_eq(g_rmdir(elsewhere), 0);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_burst_is_one_hint_each)
{
	Fixture fixture;
	set_up(&fixture, true);
	for (int i = 0; i < 50; i++) {
		bind_and_close(&fixture, "wg0.sock");
		erase(&fixture, "wg0.sock");
	}
	expect(&fixture, "wg0");
	/* A new round begins when the first has been handed out. */
	ck_assert_uint_le(fixture.n_calls, 1);
	tear_down(&fixture);
}
END_TEST

START_TEST(too_many_names_become_one_hint_for_all)
{
	Fixture fixture;
	char file[32];
	set_up(&fixture, true);
	for (int i = 0; i < 1000; i++) {
		g_snprintf(file, sizeof file, "wg%d.sock", i);
		touch(&fixture, file);
	}
	wait_for_count(&fixture, &fixture.n_lost, 1);
	for (int i = 0; i < 1000; i++) {
		g_snprintf(file, sizeof file, "wg%d.sock", i);
		erase(&fixture, file);
	}
	tear_down(&fixture);
}
END_TEST

START_TEST(other_files_are_not_told)
{
	static const char *const files[] = { "wg0.txt", ".sock", "a b.sock",
					     "sixteen-bytes-xx.sock" };
	Fixture fixture;
	set_up(&fixture, true);
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		touch(&fixture, files[i]);
	bind_and_close(&fixture, "last.sock");
	expect(&fixture, "last");
	ck_assert_uint_eq(g_hash_table_size(fixture.seen), 0);
	ck_assert_uint_eq(fixture.n_lost, 0);
	for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
		erase(&fixture, files[i]);
	erase(&fixture, "last.sock");
	tear_down(&fixture);
}
END_TEST

START_TEST(the_watch_may_be_freed_by_a_hint)
{
	Fixture fixture;
	set_up(&fixture, true);
	fixture.free_at_once = true;
	bind_and_close(&fixture, "wg0.sock");
	bind_and_close(&fixture, "wg1.sock");
	wait_for_count(&fixture, &fixture.n_destroyed, 1);
	while (g_main_context_iteration(fixture.context, FALSE))
		;
	ck_assert_uint_eq(fixture.n_calls, 1);
	erase(&fixture, "wg0.sock");
	erase(&fixture, "wg1.sock");
	tear_down(&fixture);
}
END_TEST

/* A TUN device in a network namespace of our own, or -1 with the reason printed. */
static int enter_namespace_with_tun(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace (%s)\n", g_strerror(errno));
		return -1;
	}
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0) {
		printf("skipped: no TUN device (%s)\n", g_strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static void rename_link(const char *from, const char *to)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_strlcpy(request.ifr_name, from, sizeof request.ifr_name);
	g_strlcpy(request.ifr_newname, to, sizeof request.ifr_newname);
	ck_assert_int_eq(ioctl(fd, SIOCSIFNAME, &request), 0);
	close(fd);
}

static void set_link_up(const char *name, bool up)
{
	struct ifreq request = { .ifr_flags = up ? IFF_UP : 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
	ck_assert_int_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
}

START_TEST(links_with_a_socket_are_told)
{
	int tun = enter_namespace_with_tun("before");
	if (tun < 0)
		return;
	Fixture fixture;
	set_up(&fixture, true);
	touch(&fixture, "wg0.sock");
	expect(&fixture, "wg0");
	rename_link("before", "wg0");
	expect(&fixture, "wg0");
	set_link_up("wg0", true);
	expect(&fixture, "wg0");
	set_link_up("wg0", false); /* before 6.2, the kernel renames no link that is up */
	expect(&fixture, "wg0");
	rename_link("wg0", "after"); /* its socket keeps the name */
	expect(&fixture, "wg0");
	close(tun);
	expect(&fixture, "after");
	erase(&fixture, "wg0.sock");
	tear_down(&fixture);
}
END_TEST

static bool ip_link(const char *arguments)
{
	g_autofree char *command = g_strdup_printf("ip link %s", arguments);
	g_autofree char *errors = NULL;
	int status = -1;
	return g_spawn_command_line_sync(command, NULL, &errors, &status, NULL) && status == 0;
}

START_TEST(links_of_the_kernels_wireguard_are_told)
{
	if (unshare(CLONE_NEWNET) < 0 || !ip_link("add probe type wireguard")) {
		printf("skipped: no WireGuard in a network namespace of our own\n");
		return;
	}
	Fixture fixture;
	set_up(&fixture, true);
	ck_assert(ip_link("add wg0 type wireguard"));
	expect(&fixture, "wg0");
	ck_assert(ip_link("set wg0 name wg1"));
	expect(&fixture, "wg0");
	expect(&fixture, "wg1");
	ck_assert(ip_link("set wg1 up"));
	expect(&fixture, "wg1");
	ck_assert(ip_link("del wg1"));
	expect(&fixture, "wg1");
	ck_assert(!g_hash_table_contains(fixture.seen, "probe"));
	tear_down(&fixture);
}
END_TEST

START_TEST(other_links_are_not_told)
{
	int tun = enter_namespace_with_tun("other");
	if (tun < 0)
		return;
	Fixture fixture;
	set_up(&fixture, true);
	set_link_up("other", true);
	set_link_up("other", false);
	rename_link("other", "another");
	touch(&fixture, "last.sock");
	expect(&fixture, "last");
	set_link_up("another", true);
	erase(&fixture, "last.sock");
	expect(&fixture, "last");
	ck_assert_uint_eq(g_hash_table_size(fixture.seen), 0);
	ck_assert_uint_eq(fixture.n_lost, 0);
	close(tun);
	tear_down(&fixture);
}
END_TEST

START_TEST(lost_link_events_become_one_hint_for_all)
{
	int tun = enter_namespace_with_tun("wg0");
	if (tun < 0)
		return;
	Fixture fixture;
	set_up(&fixture, true);
	for (int i = 0; i < 5000; i++)
		set_link_up("wg0", i % 2 == 0);
	wait_for_count(&fixture, &fixture.n_lost, 1);
	touch(&fixture, "wg0.sock");
	expect(&fixture, "wg0");
	set_link_up("wg0", true); /* and it goes on working */
	expect(&fixture, "wg0");
	erase(&fixture, "wg0.sock");
	close(tun);
	tear_down(&fixture);
}
END_TEST

/* More changes than the system keeps: two of each file. */
START_TEST(lost_socket_events_become_one_hint_for_all)
{
	Fixture fixture;
	g_autofree char *max = NULL;
	ck_assert(g_file_get_contents("/proc/sys/fs/inotify/max_queued_events", &max, NULL, NULL));
	set_up(&fixture, true);
	g_autofree char *path = g_build_filename(fixture.sockets, "file", NULL);
	for (long i = 0; i <= atol(max) / 2; i++) {
		close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		ck_assert_int_eq(unlink(path), 0);
	}
	wait_for_count(&fixture, &fixture.n_lost, 1);
	touch(&fixture, "wg0.sock"); /* and it goes on working */
	expect(&fixture, "wg0");
	erase(&fixture, "wg0.sock");
	tear_down(&fixture);
}
END_TEST

SUITE_MAIN("wg watch", sockets_are_told_when_they_come_and_go,
	   the_folder_may_be_made_later_and_again, the_folder_may_be_replaced,
	   a_burst_is_one_hint_each, too_many_names_become_one_hint_for_all,
	   other_files_are_not_told, the_watch_may_be_freed_by_a_hint, links_with_a_socket_are_told,
	   links_of_the_kernels_wireguard_are_told, other_links_are_not_told,
	   lost_link_events_become_one_hint_for_all, lost_socket_events_become_one_hint_for_all)
