/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/tun_link.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <sys/wait.h>

#include "engine/tun.h"
#include "suite.h"
#include "unit/event/namespace.h"

typedef struct {
	GMainContext *context;
	WiceTun *tun;
	WiceTunLink *link;
	char name[16];
	/* What was told last. */
	unsigned n_calls;
	bool up, gone;
	uint32_t mtu;
} Bed;

static void told(bool up, uint32_t mtu, bool gone, void *user_data)
{
	Bed *bed = user_data;
	ck_assert(!bed->gone);
	bed->n_calls++;
	bed->up = up;
	bed->mtu = mtu;
	bed->gone = gone;
}

static bool start(Bed *bed)
{
	WiceTunOptions options = { .name = "wice%d", .mtu = 1420 };
	*bed = (Bed){ 0 };
	if (!namespace_enter_with_tun())
		return false;
	bed->context = g_main_context_new();
	ck_assert_int_eq(wice__tun_open(&options, bed->name, &bed->tun), 0);
	ck_assert_int_eq(wice__tun_link_new(bed->context, bed->name,
					    bed->tun->ops->poll_fd(bed->tun, 0), told, bed,
					    &bed->link),
			 0);
	ck_assert_uint_eq(bed->n_calls, 0);
	return true;
}

static void stop(Bed *bed)
{
	wice__tun_link_free(bed->link);
	bed->tun->ops->free(bed->tun);
	g_main_context_unref(bed->context);
}

static gboolean tick(gpointer user_data)
{
	return G_SOURCE_CONTINUE;
}

/* Runs until it is told so. */
static void expect(Bed *bed, bool up, uint32_t mtu, bool gone)
{
	gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	GSource *wake = g_timeout_source_new(100);
	g_source_set_callback(wake, tick, NULL, NULL);
	g_source_attach(wake, bed->context);
	while ((!bed->n_calls || bed->up != up || bed->mtu != mtu || bed->gone != gone) &&
	       g_get_monotonic_time() < deadline)
		g_main_context_iteration(bed->context, TRUE);
	g_source_destroy(wake);
	g_source_unref(wake);
	ck_assert(bed->n_calls);
	ck_assert_int_eq(bed->up, up);
	ck_assert_uint_eq(bed->mtu, mtu);
	ck_assert_int_eq(bed->gone, gone);
}

/* Everything that waits is handled. */
static void settle(Bed *bed)
{
	while (g_main_context_iteration(bed->context, FALSE))
		;
}

START_TEST(changes_are_told)
{
	Bed bed;
	if (!start(&bed))
		return;
	expect(&bed, false, 1420, false);
	ck_assert(namespace_ip("link set %s up", bed.name));
	expect(&bed, true, 1420, false);
	ck_assert(namespace_ip("link set %s mtu 1280", bed.name));
	expect(&bed, true, 1280, false);
	ck_assert(namespace_ip("link set %s down", bed.name));
	expect(&bed, false, 1280, false);
	ck_assert(namespace_ip("link del %s", bed.name));
	expect(&bed, false, 1280, true);
	settle(&bed);
	stop(&bed);
}
END_TEST

START_TEST(what_does_not_matter_is_not_told)
{
	Bed bed;
	if (!start(&bed))
		return;
	expect(&bed, false, 1420, false);
	unsigned n_calls = bed.n_calls;
	ck_assert(namespace_ip("link set %s txqueuelen 100", bed.name));
	ck_assert(namespace_ip("link add other type veth peer name another"));
	ck_assert(namespace_ip("link set other up"));
	ck_assert(namespace_ip("link del other"));
	settle(&bed);
	ck_assert_uint_eq(bed.n_calls, n_calls);
	stop(&bed);
}
END_TEST

START_TEST(another_name_is_the_same_interface)
{
	Bed bed;
	if (!start(&bed))
		return;
	expect(&bed, false, 1420, false);
	ck_assert(namespace_ip("link set %s name renamed", bed.name));
	ck_assert(namespace_ip("link set renamed up"));
	expect(&bed, true, 1420, false);
	/* Another one takes the name; it is not ours. */
	ck_assert(namespace_ip("link add %s mtu 1300 type veth peer name another", bed.name));
	ck_assert(namespace_ip("link del renamed"));
	expect(&bed, false, 1420, true);
	stop(&bed);
}
END_TEST

START_TEST(more_changes_than_the_socket_holds)
{
	Bed bed;
	if (!start(&bed))
		return;
	FILE *batch = popen("ip -batch - 2>/dev/null", "w");
	for (unsigned i = 0; i < 3000; i++)
		fprintf(batch, "link set %s mtu %u\n", bed.name, 1281 + i % 2);
	fprintf(batch, "link set %s mtu 1400\nlink set %s up\n", bed.name, bed.name);
	ck_assert_int_eq(pclose(batch), 0);
	expect(&bed, true, 1400, false);
	stop(&bed);
}
END_TEST

/* A process that holds a network namespace of its own. */
static pid_t hold_namespace(void)
{
	int ready[2];
	char byte = 0;
	ck_assert_int_eq(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

/* The same in the namespace of another process. */
static void run_ip_at(pid_t pid, const char *change, const char *name)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/ns/net", (int)pid);
	int there = open(path, O_RDONLY | O_CLOEXEC);
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(setns(there, CLONE_NEWNET), 0);
	ck_assert(namespace_ip("link %s %s", change, name));
	ck_assert_int_eq(setns(here, CLONE_NEWNET), 0);
	close(here);
	close(there);
}

static void check_move(bool is_deleted)
{
	Bed bed;
	if (!start(&bed))
		return;
	expect(&bed, false, 1420, false);
	pid_t holder = hold_namespace();
	ck_assert(namespace_ip("link set %s netns %d", bed.name, (int)holder));
	run_ip_at(holder, "set up dev", bed.name);
	expect(&bed, true, 1420, false);
	run_ip_at(holder, "set down dev", bed.name);
	expect(&bed, false, 1420, false);
	run_ip_at(holder, "set up mtu 1300 dev", bed.name);
	expect(&bed, true, 1300, false);
	if (is_deleted)
		run_ip_at(holder, "del", bed.name);
	/* Else the namespace goes with its last process, and takes the interface along. */
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	expect(&bed, false, 1300, true);
	stop(&bed);
}

START_TEST(it_is_followed_into_another_namespace)
{
	check_move(true);
	check_move(false);
}
END_TEST

START_TEST(no_such_interface)
{
	WiceTunLink *link = NULL;
	GMainContext *context = g_main_context_new();
	ck_assert_int_eq(wice__tun_link_new(context, "not-there", -1, told, NULL, &link), -ENODEV);
	ck_assert_ptr_null(link);
	wice__tun_link_free(NULL);
	g_main_context_unref(context);
}
END_TEST

SUITE_MAIN("engine tun link", changes_are_told, what_does_not_matter_is_not_told,
	   another_name_is_the_same_interface, more_changes_than_the_socket_holds,
	   it_is_followed_into_another_namespace, no_such_interface)
