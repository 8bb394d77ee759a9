/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's WireGuard, and wireguard-go set up by wg(8), in namespaces of our own. */
#include "conformance/wg/real.h"
#include "conformance/wg/state.h"
#include "event/source.h"
#include "wg/netlink.h"
#include "wg/uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOCKET WICE_UAPI_FOLDER "/" SUBJECT_NAME ".sock"
#define PATIENCE_MS 60000

static bool skip(const char *what, const char *why)
{
	printf("skipped: %s (%s)\n", what, why);
	return false;
}

bool real_enter_network(const char *what)
{
	if (geteuid() != 0)
		return skip(what, "not root");
	if (unshare(CLONE_NEWNET) < 0)
		return skip(what, "unshare is not allowed");
	return true;
}

bool real_has_tun(const char *what)
{
	return access("/dev/net/tun", R_OK | W_OK) == 0 ||
	       skip(what, "/dev/net/tun may not be used");
}

/* So that sockets of this machine are neither seen nor made. */
bool real_hide_run(const char *what)
{
	if (unshare(CLONE_NEWNS) < 0)
		return skip(what, "unshare is not allowed");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/run", "tmpfs", 0, NULL) < 0)
		return skip(what, "mount is not allowed");
	return true;
}

bool real_has_program(const char *name)
{
	g_autofree char *path = g_find_program_in_path(name);
	return path != NULL;
}

static bool run(const char *const *argv)
{
	int status = -1;
	return g_spawn_sync(NULL, (char **)argv, NULL,
			    G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL |
				    G_SPAWN_STDERR_TO_DEV_NULL,
			    NULL, NULL, NULL, NULL, &status, NULL) &&
	       status == 0;
}

char *real_dump(void)
{
	const char *const argv[] = { "wg", "show", SUBJECT_NAME, "dump", NULL };
	char *output = NULL;
	int status = -1;
	ck_assert(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output,
			       NULL, &status, NULL));
	ck_assert_int_eq(status, 0);
	return output;
}

static void write_peer(GString *config, const WiceDevicePeer *peer)
{
	char key[WICE_KEY_BASE64_SIZE], text[WICE_ENDPOINT_SIZE], ip[WICE_PREFIX_SIZE];
	wice_key_to_base64(&peer->public_key, key);
	g_string_append_printf(config, "[Peer]\nPublicKey = %s\n", key);
	if (peer->fields & WICE_PEER_HAS_PRESHARED_KEY) {
		wice_key_to_base64(&peer->preshared_key, key);
		g_string_append_printf(config, "PresharedKey = %s\n", key);
	}
	if (peer->fields & WICE_PEER_HAS_ENDPOINT)
		g_string_append_printf(config, "Endpoint = %s\n",
				       wice_endpoint_format(&peer->endpoint, text));
	if (peer->keepalive_s)
		g_string_append_printf(config, "PersistentKeepalive = %u\n", peer->keepalive_s);
	for (size_t i = 0; i < peer->n_allowed_ips; i++)
		g_string_append_printf(config, "AllowedIPs = %s\n",
				       wice_prefix_format(&peer->allowed_ips[i], ip));
}

/* Replaces all that the device has. */
static void configure(const WiceDevice *state)
{
	const WiceDeviceInfo *info = wice_device_info(state);
	const char *const argv[] = { "wg", "setconf", SUBJECT_NAME, "/run/wgtest.conf", NULL };
	GString *config = g_string_new("[Interface]\n");
	char key[WICE_KEY_BASE64_SIZE];
	wice_key_to_base64(&info->private_key, key);
	g_string_append_printf(config, "PrivateKey = %s\nListenPort = %u\nFwMark = %u\n", key,
			       info->listen_port, info->fwmark);
	for (size_t i = 0; i < info->n_peers; i++)
		write_peer(config, &info->peers[i]);
	ck_assert(g_file_set_contents("/run/wgtest.conf", config->str, -1, NULL));
	ck_assert(run(argv));
	g_string_free(config, TRUE);
}

static void stop_backend(TestSubject *subject)
{
	subject->backend->ops->free(subject->backend);
}

/* The kernel */

/* Makes and changes its device by the backend itself: no program is needed. */

static bool start_kernel(TestSubject *subject)
{
	if (!real_enter_network(subject->name))
		return false;
	subject->backend = wice__wg_netlink_new();
	int64_t deadline = wice__now_ms() + PATIENCE_MS;
	int r = subject->backend->ops->create(subject->backend, SUBJECT_NAME, deadline);
	if (r == 0)
		r = subject->backend->ops->remove(subject->backend, SUBJECT_NAME, deadline);
	if (r == 0)
		return true;
	stop_backend(subject);
	return skip(subject->name,
		    r == -EOPNOTSUPP ? "this kernel has no WireGuard" : g_strerror(-r));
}

static void set_kernel(TestSubject *subject, const WiceDevice *state)
{
	int64_t deadline = wice__now_ms() + PATIENCE_MS;
	int r = subject->backend->ops->create(subject->backend, SUBJECT_NAME, deadline);
	ck_assert(r == 0 || r == -EEXIST);
	WiceDevice *present = NULL;
	ck_assert_int_eq(
		subject->backend->ops->get(subject->backend, SUBJECT_NAME, deadline, &present), 0);
	WicePlan *plan = wice_plan_between(present, state, 0);
	if (!wice_plan_is_empty(plan))
		ck_assert_int_eq(subject->backend->ops->set(subject->backend, SUBJECT_NAME,
							    wice_plan_change(plan), deadline),
				 0);
	wice_plan_unref(plan);
	wice_device_unref(present);
}

static void remove_kernel(TestSubject *subject)
{
	(void)subject->backend->ops->remove(subject->backend, SUBJECT_NAME,
					    wice__now_ms() + PATIENCE_MS);
}

TestSubject kernel_subject = {
	.name = "netlink on this kernel",
	.real = true,
	.start = start_kernel,
	.set = set_kernel,
	.remove = remove_kernel,
	.stop = stop_backend,
};

/* wireguard-go */

/* If the test fails, check kills its process group, and so this too. */
static GPid wireguard_go;

/* Ours, from the build folder; the command line is the same. */
static const char *wice_wg_program(void)
{
	const char *path = g_getenv("WICE_WG_EXE");
	return path ? path : "wice-wg";
}

static const char *program_of(const TestSubject *subject)
{
	return subject == &wice_wg_subject ? wice_wg_program() : "wireguard-go";
}

static bool start_wireguard_go(TestSubject *subject)
{
	if (!real_has_program("wg") || !real_has_program(program_of(subject)))
		return skip(subject->name, "wg(8) or the program is missing");
	if (!real_has_tun(subject->name) || !real_enter_network(subject->name) ||
	    !real_hide_run(subject->name))
		return false;
	wireguard_go = 0;
	subject->backend = wice__wg_uapi_new(WICE_UAPI_FOLDER);
	return true;
}

static void set_wireguard_go(TestSubject *subject, const WiceDevice *state)
{
	const char *const argv[] = { program_of(subject), "-f", SUBJECT_NAME, NULL };
	if (wireguard_go == 0) {
		ck_assert(g_spawn_async(NULL, (char **)argv, NULL,
					G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD |
						G_SPAWN_STDOUT_TO_DEV_NULL |
						G_SPAWN_STDERR_TO_DEV_NULL,
					NULL, NULL, &wireguard_go, NULL));
		int64_t deadline = wice__now_ms() + PATIENCE_MS;
		while (access(SOCKET, F_OK) < 0 && wice__now_ms() < deadline)
			g_usleep(10000);
	}
	configure(state);
}

static void remove_wireguard_go(TestSubject *subject)
{
	if (wireguard_go == 0)
		return;
	ck_assert_int_eq(kill(wireguard_go, SIGTERM), 0);
	while (waitpid(wireguard_go, NULL, 0) < 0 && errno == EINTR)
		;
	wireguard_go = 0;
}

static void stop_wireguard_go(TestSubject *subject)
{
	remove_wireguard_go(subject);
	stop_backend(subject);
}

TestSubject wice_wg_subject = {
	.name = "uapi on wice-wg",
	.real = true,
	.keeps_name = true,
	.start = start_wireguard_go,
	.set = set_wireguard_go,
	.remove = remove_wireguard_go,
	.stop = stop_wireguard_go,
};

TestSubject wireguard_go_subject = {
	.name = "uapi on wireguard-go",
	.real = true,
	.drops_scope = true,
	.keeps_name = true,
	.start = start_wireguard_go,
	.set = set_wireguard_go,
	.remove = remove_wireguard_go,
	.stop = stop_wireguard_go,
};
