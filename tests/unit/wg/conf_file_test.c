/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Files and names: what needs the system. */
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wice/conf.h>
#include <wice/error.h>

#define KEY "kOBrQ2N1ZHPMPGRPEDLHoTeTcMwuGaVIMBOtdQtSNl4="
#define PEER "[Peer]\nPublicKey=" KEY "\n"
#define OTHER_PEER(letter) \
	"[Peer]\nPublicKey=" letter "OBrQ2N1ZHPMPGRPEDLHoTeTcMwuGaVIMBOtdQtSNl4=\n"
#define TIMEOUT_MS 60000

static const char old_text[] = "[Interface]\nListenPort = 1\n";

/* A folder that is there during a test. */
typedef struct {
	char *folder;
	char *path; /* of a file in it */
} Place;

static Place place_new(const char *text)
{
	Place place = { .folder = g_dir_make_tmp("wice-conf-XXXXXX", NULL) };
	ck_assert_ptr_nonnull(place.folder);
	place.path = g_build_filename(place.folder, "wg0.conf", NULL);
	if (text)
		ck_assert(g_file_set_contents(place.path, text, -1, NULL));
	return place;
}

static unsigned count_files(const char *folder)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	unsigned n = 0;
	while (g_dir_read_name(dir))
		n++;
	g_dir_close(dir);
	return n;
}

static void place_free(Place *place)
{
	GDir *dir = g_dir_open(place->folder, 0, NULL);
	const char *name;
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(place->folder, name, NULL);
		g_remove(path);
	}
	g_dir_close(dir);
	g_rmdir(place->folder);
	g_free(place->folder);
	g_free(place->path);
}

static void assert_contents(const char *path, const char *expected)
{
	g_autofree char *text = NULL;
	ck_assert(g_file_get_contents(path, &text, NULL, NULL));
	ck_assert_str_eq(text, expected);
}

START_TEST(files_are_read_and_written)
{
	Place place = place_new(old_text);
	struct stat st;
	WiceConf *conf = wice_conf_read(place.path, WICE_CONF_STRICT, NULL);
	ck_assert_uint_eq(wice_conf_interface(conf)->listen_port, 1);
	ck_assert(wice_conf_set(conf, "ListenPort", "2", NULL));
	ck_assert_int_eq(chmod(place.path, 0640), 0);
	ck_assert(wice_conf_write(conf, place.path, NULL));
	assert_contents(place.path, "[Interface]\nListenPort = 2\n");
	ck_assert_int_eq(stat(place.path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);

	g_autofree char *new_path = g_build_filename(place.folder, "new", NULL);
	ck_assert(wice_conf_write(conf, new_path, NULL));
	ck_assert_int_eq(stat(new_path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(count_files(place.folder), 2);
	wice_conf_free(conf);
	place_free(&place);
}
END_TEST

START_TEST(owners_stay)
{
	Place place = place_new(old_text);
	struct stat st;
	if (getuid() == 0) { /* nobody else can give a file away */
		WiceConf *conf = wice_conf_read(place.path, WICE_CONF_STRICT, NULL);
		ck_assert_int_eq(chown(place.path, 12345, 54321), 0);
		ck_assert(wice_conf_write(conf, place.path, NULL));
		ck_assert_int_eq(stat(place.path, &st), 0);
		ck_assert_uint_eq(st.st_uid, 12345);
		ck_assert_uint_eq(st.st_gid, 54321);
		wice_conf_free(conf);
	}
	place_free(&place);
}
END_TEST

START_TEST(links_are_followed)
{
	Place place = place_new(old_text);
	g_autofree char *link = g_build_filename(place.folder, "link", NULL);
	g_autofree char *dangling = g_build_filename(place.folder, "dangling", NULL);
	struct stat st;
	ck_assert_int_eq(symlink("wg0.conf", link), 0);
	ck_assert_int_eq(symlink("nothing", dangling), 0);
	WiceConf *conf = wice_conf_new(WICE_CONF_STRICT);
	ck_assert(wice_conf_write(conf, link, NULL));
	ck_assert_int_eq(lstat(link, &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	assert_contents(place.path, "");
	GError *error = NULL;
	ck_assert(!wice_conf_write(conf, dangling, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	g_clear_error(&error);
	wice_conf_free(conf);
	place_free(&place);
}
END_TEST

START_TEST(what_is_no_file_is_left_alone)
{
	Place place = place_new(NULL);
	WiceConf *conf = wice_conf_new(WICE_CONF_STRICT);
	GError *error = NULL;
	ck_assert_int_eq(mkfifo(place.path, 0600), 0);
	ck_assert(!wice_conf_write(conf, place.path, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_IO));
	g_clear_error(&error);
	ck_assert(!wice_conf_write(conf, place.folder, &error));
	g_clear_error(&error);
	ck_assert(!wice_conf_write(conf, "/proc/nowhere/wg0.conf", &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	g_clear_error(&error);
	ck_assert_uint_eq(count_files(place.folder), 1);

	ck_assert_ptr_null(wice_conf_read("/proc/nowhere", WICE_CONF_STRICT, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_NOT_FOUND));
	g_clear_error(&error);
	ck_assert_ptr_null(wice_conf_read(place.folder, WICE_CONF_STRICT, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_IO));
	g_clear_error(&error);
	ck_assert_ptr_null(wice_conf_read("/dev/zero", WICE_CONF_STRICT, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_IO));
	g_clear_error(&error);
	wice_conf_free(conf);
	place_free(&place);
}
END_TEST

START_TEST(errors_name_the_file)
{
	Place place = place_new("[Interface]\nNothing\n");
	GError *error = NULL;
	ck_assert_ptr_null(wice_conf_read(place.path, WICE_CONF_STRICT, &error));
	g_autofree char *prefix = g_strdup_printf("%s:2:1: ", place.path);
	ck_assert_msg(g_str_has_prefix(error->message, prefix), "%s", error->message);
	g_clear_error(&error);
	place_free(&place);
}
END_TEST

START_TEST(pipes_are_read)
{
	int fds[2];
	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	g_autofree char *path = g_strdup_printf("/dev/fd/%d", fds[0]);
	ck_assert_int_eq(write(fds[1], old_text, strlen(old_text)), (ssize_t)strlen(old_text));
	close(fds[1]);
	WiceConf *conf = wice_conf_read(path, WICE_CONF_STRICT, NULL);
	ck_assert_uint_eq(wice_conf_interface(conf)->listen_port, 1);
	wice_conf_free(conf);
	close(fds[0]);
}
END_TEST

/* In a file system of its own that is nearly full; this process sees it alone. */
START_TEST(a_full_disk_keeps_the_old_file)
{
	Place place = place_new(NULL);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", place.folder, "tmpfs", 0, "size=16k") < 0) {
		printf("skipped: a full disk needs a mount namespace: %s\n", g_strerror(errno));
		place_free(&place);
		return;
	}
	ck_assert(g_file_set_contents(place.path, old_text, -1, NULL));
	GString *text = g_string_new("[Interface]\n");
	GError *error = NULL;
	while (text->len < 20000)
		g_string_append(text, "# a long comment\n");
	WiceConf *conf = wice_conf_parse(text->str, text->len, WICE_CONF_STRICT, "f", NULL);
	ck_assert(!wice_conf_write(conf, place.path, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_IO));
	ck_assert_msg(strstr(error->message, g_strerror(ENOSPC)) != NULL, "%s", error->message);
	assert_contents(place.path, old_text);
	ck_assert_uint_eq(count_files(place.folder), 1);
	g_clear_error(&error);
	wice_conf_free(conf);
	g_string_free(text, TRUE);
	ck_assert_int_eq(umount2(place.folder, MNT_DETACH), 0);
	place_free(&place);
}
END_TEST

static WiceConf *parse(const char *text)
{
	GError *error = NULL;
	WiceConf *conf = wice_conf_parse(text, strlen(text), WICE_CONF_COMPAT, "f", &error);
	ck_assert_msg(conf != NULL, "%s", error ? error->message : "");
	return conf;
}

START_TEST(names_are_resolved)
{
	char text[WICE_ENDPOINT_SIZE];
	WiceConf *conf = parse(
		"[Interface]\nListenPort=domain\n" PEER
		"Endpoint=localhost:5\n" OTHER_PEER("a") "Endpoint=192.0.2.1:domain\n" OTHER_PEER(
			"b") "Endpoint=[fe80::1%lo]:7\n" OTHER_PEER("c") "Endpoint=localhost:6\n");
	GError *error = NULL;
	ck_assert_ptr_null(wice_conf_plan(conf, WICE_CONF_SET, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNREACHABLE));
	g_clear_error(&error);
	ck_assert_msg(wice_conf_resolve(conf, TIMEOUT_MS, NULL, NULL, &error), "%s",
		      error ? error->message : "");
	ck_assert(!wice_conf_needs_resolving(conf));
	ck_assert_uint_eq(wice_conf_interface(conf)->listen_port, 53);
	const WiceEndpoint *local = &wice_conf_peer(conf, 0)->endpoint;
	ck_assert(wice_address_is_loopback(&local->address));
	ck_assert_uint_eq(local->port, 5);
	wice_endpoint_format(&wice_conf_peer(conf, 1)->endpoint, text);
	ck_assert_str_eq(text, "192.0.2.1:53");
	ck_assert_uint_eq(wice_conf_peer(conf, 2)->endpoint.scope, if_nametoindex("lo"));
	ck_assert_uint_eq(wice_conf_peer(conf, 3)->endpoint.port, 6);
	WicePlan *plan = wice_conf_plan(conf, WICE_CONF_SET, NULL);
	ck_assert_ptr_nonnull(plan);

	/* What is known stays known when something else is changed, and names stay names. */
	ck_assert(wice_conf_set(conf, "FwMark", "5", NULL));
	ck_assert(!wice_conf_needs_resolving(conf));
	WiceDevice *device = wice_plan_result(plan, NULL);
	wice_conf_update(conf, device);
	char *written = wice_conf_format(conf, NULL);
	ck_assert_ptr_nonnull(strstr(written, "Endpoint=localhost:6"));
	g_free(written);
	wice_device_unref(device);
	wice_plan_unref(plan);
	wice_conf_free(conf);
}
END_TEST

static const struct {
	const char *text, *reason;
} hopeless[] = {
	{ "[Interface]\nListenPort=nosuchservice\n", "nosuchservice" },
	{ PEER "Endpoint=192.0.2.1:nosuchservice\n", "nosuchservice" },
	{ PEER "Endpoint=[fe80::1%nosuchlink]:5\n", "fe80::1%nosuchlink" },
	{ PEER "Endpoint=[2001:db8::1%lo]:5\n", "2001:db8::1%lo" },
	{ PEER "Endpoint=no..such..name:5\n", "no..such..name" },
};

START_TEST(some_names_cannot_be_resolved)
{
	for (size_t i = 0; i < G_N_ELEMENTS(hopeless); i++) {
		WiceConf *conf = parse(hopeless[i].text);
		GError *error = NULL;
		ck_assert(!wice_conf_resolve(conf, UINT_MAX, NULL, NULL, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNREACHABLE));
		ck_assert_msg(strstr(error->message, hopeless[i].reason) != NULL, "%s",
			      error->message);
		ck_assert(wice_conf_needs_resolving(conf));
		g_clear_error(&error);
		wice_conf_free(conf);
	}
}
END_TEST

START_TEST(only_some_reasons_are_told)
{
	GString *text = g_string_new(NULL);
	GError *error = NULL;
	for (unsigned i = 0; i < 12; i++)
		g_string_append_printf(text, PEER "Endpoint=192.0.2.1:nosuchservice%u\n", i);
	WiceConf *conf = parse(text->str);
	ck_assert(!wice_conf_resolve(conf, TIMEOUT_MS, NULL, NULL, &error));
	ck_assert_ptr_nonnull(strstr(error->message, " and 2 more."));
	g_clear_error(&error);
	wice_conf_free(conf);
	g_string_free(text, TRUE);
}
END_TEST

/* Each name may take many seconds: when all that is told is known, no more are looked up. */
START_TEST(failing_ends_early)
{
	GString *text = g_string_new(NULL);
	GError *error = NULL;
	for (unsigned i = 0; i < 100; i++)
		g_string_append_printf(text, PEER "Endpoint=no..such..name%u:5\n", i);
	WiceConf *conf = parse(text->str);
	ck_assert(!wice_conf_resolve(conf, TIMEOUT_MS, NULL, NULL, &error));
	ck_assert_msg(g_str_has_suffix(error->message, " and more."), "%s", error->message);
	g_clear_error(&error);
	wice_conf_free(conf);
	g_string_free(text, TRUE);
}
END_TEST

typedef struct {
	unsigned n_calls, pause_ms[2];
} Retries;

static bool retry_once(const char *name, const char *reason, unsigned attempt, unsigned pause_ms,
		       void *user_data)
{
	Retries *retries = user_data;
	ck_assert_str_eq(name, "wice.example");
	ck_assert_uint_lt(retries->n_calls, 2);
	retries->pause_ms[retries->n_calls++] = pause_ms;
	ck_assert_uint_eq(attempt, retries->n_calls);
	return attempt < 2;
}

/* Where there is no network, no server of names can be asked, which may change. */
START_TEST(what_is_not_known_yet_is_asked_for_again)
{
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("skipped: unshare is not allowed\n");
		return;
	}
	Retries retries = { 0 };
	GError *error = NULL;
	WiceConf *conf =
		parse(PEER "Endpoint=localhost:5\n" OTHER_PEER("a") "Endpoint=wice.example:6\n");
	ck_assert(!wice_conf_resolve(conf, UINT_MAX, retry_once, &retries, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNREACHABLE));
	ck_assert(wice_conf_needs_resolving(conf));
	if (retries.n_calls == 0)
		printf("skipped: this system knows without a network that a name does not exist\n");
	else
		ck_assert_uint_eq(retries.n_calls, 2);
	ck_assert_uint_ge(retries.pause_ms[1], retries.pause_ms[0]);
	g_clear_error(&error);
	wice_conf_free(conf);
}
END_TEST

/* What happened to an asynchronous call. */
typedef struct {
	unsigned n_done;
	unsigned n_destroyed;
	GError *error;
} Call;

static void call_done(const GError *error, void *user_data)
{
	Call *call = user_data;
	call->n_done++;
	call->error = error ? g_error_copy(error) : NULL;
}

static void call_destroyed(void *user_data)
{
	((Call *)user_data)->n_destroyed++;
}

static void run_call(GMainContext *context, Call *call)
{
	ck_assert_uint_eq(call->n_done, 0);
	while (!call->n_destroyed)
		g_main_context_iteration(context, TRUE);
	while (g_main_context_iteration(context, FALSE))
		continue;
	ck_assert_uint_eq(call->n_done, 1);
	ck_assert_uint_eq(call->n_destroyed, 1);
}

START_TEST(many_names_at_once)
{
	GMainContext *context = g_main_context_new();
	GString *text = g_string_new(NULL);
	Call call = { 0 };
	for (unsigned i = 0; i < 100; i++)
		g_string_append_printf(
			text, PEER "Endpoint=x%u.localhost:%u\n" PEER "Endpoint=localhost:%u\n",
			i % 3, i + 1, i + 1);
	/* Not every system knows names below localhost; then the reasons are told. */
	WiceConf *conf = parse(text->str);
	wice_conf_resolve_async(conf, context, TIMEOUT_MS, NULL, call_done, &call, call_destroyed);
	run_call(context, &call);
	ck_assert(wice_conf_needs_resolving(conf) == (call.error != NULL));
	ck_assert(!call.error || strstr(call.error->message, "x0.localhost"));
	g_clear_error(&call.error);
	wice_conf_free(conf);
	g_string_free(text, TRUE);
	g_main_context_unref(context);
}
END_TEST

START_TEST(nothing_to_resolve_is_done_later)
{
	GMainContext *context = g_main_context_new();
	Call call = { 0 };
	WiceConf *conf = parse("[Interface]\n");
	wice_conf_resolve_async(conf, context, UINT_MAX, NULL, call_done, &call, call_destroyed);
	run_call(context, &call);
	ck_assert_ptr_null(call.error);
	wice_conf_free(conf);
	g_main_context_unref(context);
}
END_TEST

START_TEST(resolving_is_cancelled)
{
	GMainContext *context = g_main_context_new();
	for (unsigned steps = 0; steps < 3; steps++) {
		Call call = { 0 };
		WiceCancel *cancel = wice_cancel_new();
		WiceConf *conf = parse(PEER "Endpoint=nosuchhost.invalid:5\n");
		wice_conf_resolve_async(conf, context, UINT_MAX, cancel, call_done, &call,
					call_destroyed);
		if (steps)
			g_main_context_iteration(context, TRUE);
		if (!call.n_done) {
			wice_cancel_now(cancel);
			run_call(context, &call);
			ck_assert(g_error_matches(call.error, WICE_ERROR, WICE_ERROR_CANCELLED));
		}
		g_clear_error(&call.error);
		wice_cancel_unref(cancel);
		wice_conf_free(conf);
	}
	g_main_context_unref(context);
}
END_TEST

START_TEST(time_runs_out)
{
	WiceConf *conf = parse(PEER "Endpoint=localhost:5\n" PEER "Endpoint=localhost:6\n");
	GError *error = NULL;
	/* Whether it was quick enough or not, nothing is half done. */
	gboolean ok = wice_conf_resolve(conf, 0, NULL, NULL, &error);
	ck_assert(ok == !wice_conf_needs_resolving(conf));
	ck_assert(ok || strstr(error->message, "localhost (no answer in time)"));
	g_clear_error(&error);
	wice_conf_free(conf);
}
END_TEST

SUITE_MAIN("configuration files and the system", files_are_read_and_written, owners_stay,
	   links_are_followed, what_is_no_file_is_left_alone, errors_name_the_file, pipes_are_read,
	   a_full_disk_keeps_the_old_file, names_are_resolved, some_names_cannot_be_resolved,
	   only_some_reasons_are_told, failing_ends_early, what_is_not_known_yet_is_asked_for_again,
	   many_names_at_once, nothing_to_resolve_is_done_later, resolving_is_cancelled,
	   time_runs_out)
