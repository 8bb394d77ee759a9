/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Subjects that live inside the test: the fake, a played kernel, a UAPI server in a thread. */
#include "conformance/wg/played.h"
#include "conformance/wg/kernel.h"
#include "conformance/wg/server.h"
#include "conformance/wg/state.h"
#include "wg/fake.h"
#include "wg/uapi.h"

/* The fake */

static bool start_fake(TestSubject *subject)
{
	subject->data = wice__wg_fake_new();
	subject->backend = wice__wg_fake_backend(subject->data);
	return true;
}

static void set_fake(TestSubject *subject, const WiceDevice *state)
{
	wice__wg_fake_set_device(subject->data, wice_device_info(state));
}

static void remove_fake(TestSubject *subject)
{
	wice__wg_fake_remove_device(subject->data, SUBJECT_NAME);
}

static void stop_fake(TestSubject *subject)
{
	subject->backend->ops->free(subject->backend);
	wice__wg_fake_free(subject->data);
}

TestSubject fake_subject = {
	.name = "fake",
	.start = start_fake,
	.set = set_fake,
	.remove = remove_fake,
	.stop = stop_fake,
};

/* A kernel that cuts its dumps into small pieces */

static bool start_kernel(TestSubject *subject)
{
	TestKernel *kernel = g_new0(TestKernel, 1);
	kernel->kind = "wireguard";
	kernel->peers_per_message = 3;
	kernel->ips_per_message = 2;
	kernel->n_interrupts = 1;
	subject->data = kernel;
	subject->backend = kernel_backend(kernel);
	return true;
}

static void set_kernel(TestSubject *subject, const WiceDevice *state)
{
	TestKernel *kernel = subject->data;
	wice_device_unref(kernel->device);
	kernel->device = wice__device_builder_finish(wice__device_builder_copy(state));
}

static void remove_kernel(TestSubject *subject)
{
	TestKernel *kernel = subject->data;
	g_clear_pointer(&kernel->device, wice_device_unref);
}

static void stop_kernel(TestSubject *subject)
{
	remove_kernel(subject);
	subject->backend->ops->free(subject->backend);
	g_free(subject->data);
}

TestSubject played_kernel_subject = {
	.name = "netlink on a played kernel",
	.one_device = true,
	.start = start_kernel,
	.set = set_kernel,
	.remove = remove_kernel,
	.stop = stop_kernel,
};

/* A UAPI server as wireguard-go is one. What it has is kept in a fake device. */

typedef struct {
	GMutex mutex;
	WiceWgFake *devices;
	WiceWgBackend *access;
	TestServer server;
	bool serving;
	char *folder;
} Userspace;

static void write_peer(GString *reply, const WiceDevicePeer *peer)
{
	char key[2 * WICE_KEY_LEN + 1], text[WICE_ENDPOINT_SIZE], ip[WICE_PREFIX_SIZE];
	wice_key_to_hex(&peer->public_key, key);
	g_string_append_printf(reply, "public_key=%s\n", key);
	wice_key_to_hex(&peer->preshared_key, key);
	g_string_append_printf(reply, "preshared_key=%s\nprotocol_version=1\n", key);
	if (peer->fields & WICE_PEER_HAS_ENDPOINT)
		g_string_append_printf(reply, "endpoint=%s\n",
				       wice_endpoint_format(&peer->endpoint, text));
	g_string_append_printf(reply,
			       "last_handshake_time_sec=%" G_GINT64_FORMAT "\n"
			       "last_handshake_time_nsec=%" G_GINT64_FORMAT "\n"
			       "tx_bytes=%" G_GUINT64_FORMAT "\nrx_bytes=%" G_GUINT64_FORMAT "\n"
			       "persistent_keepalive_interval=%u\n",
			       peer->handshake_ns / 1000000000, peer->handshake_ns % 1000000000,
			       peer->tx_bytes, peer->rx_bytes, peer->keepalive_s);
	for (size_t i = 0; i < peer->n_allowed_ips; i++)
		g_string_append_printf(reply, "allowed_ip=%s\n",
				       wice_prefix_format(&peer->allowed_ips[i], ip));
}

static GString *write_device(const WiceDeviceInfo *info)
{
	GString *reply = g_string_new(NULL);
	char key[2 * WICE_KEY_LEN + 1];
	wice_key_to_hex(&info->private_key, key);
	if (info->fields & WICE_DEVICE_HAS_PRIVATE_KEY)
		g_string_append_printf(reply, "private_key=%s\n", key);
	if (info->listen_port)
		g_string_append_printf(reply, "listen_port=%u\n", info->listen_port);
	if (info->fwmark)
		g_string_append_printf(reply, "fwmark=%u\n", info->fwmark);
	for (size_t i = 0; i < info->n_peers; i++)
		write_peer(reply, &info->peers[i]);
	g_string_append(reply, "errno=0\n\n");
	return reply;
}

/* The lines behind "set=1": 0 or the number that wireguard-go would say. */
static int apply_set(Userspace *userspace, char **lines)
{
	WicePeerUpdate update = { .size = sizeof update };
	bool has_key = false, update_only = false;
	for (; *lines && **lines; lines++) {
		g_auto(GStrv) pair = g_strsplit(*lines, "=", 2);
		if (strcmp(pair[0], "public_key") == 0 && !has_key)
			has_key = wice_key_from_hex(pair[1], &update.public_key);
		else if (strcmp(pair[0], "update_only") == 0 && has_key)
			update_only = strcmp(pair[1], "true") == 0;
		else if (strcmp(pair[0], "endpoint") == 0 && update_only)
			update.set_endpoint = wice_endpoint_parse(pair[1], &update.endpoint);
		else if (strcmp(pair[0], "persistent_keepalive_interval") == 0 && update_only)
			update.set_keepalive =
				g_ascii_string_to_unsigned(pair[1], 10, 0, 65535, NULL, NULL);
		else
			return -22;
		if (update.set_keepalive)
			update.keepalive_s = (uint16_t)atoi(pair[1]);
	}
	return -state_update_peer(userspace->access, SUBJECT_NAME, &update, 0);
}

static void serve(int fd, void *user_data)
{
	Userspace *userspace = user_data;
	g_autofree char *request = server_receive(fd);
	g_auto(GStrv) lines = g_strsplit(request, "\n", -1);
	GString *reply;
	g_mutex_lock(&userspace->mutex);
	if (lines[0] && strcmp(lines[0], "get=1") == 0) {
		WiceDevice *device = wice__wg_fake_get_device(userspace->devices, SUBJECT_NAME);
		reply = write_device(wice_device_info(device));
		wice_device_unref(device);
	} else {
		reply = g_string_new(NULL);
		g_string_printf(reply, "errno=%d\n\n",
				lines[0] && strcmp(lines[0], "set=1") == 0
					? apply_set(userspace, lines + 1)
					: -71);
	}
	g_mutex_unlock(&userspace->mutex);
	server_send(fd, reply->str, reply->len);
	g_string_free(reply, TRUE);
}

static bool start_userspace(TestSubject *subject)
{
	Userspace *userspace = g_new0(Userspace, 1);
	g_mutex_init(&userspace->mutex);
	userspace->devices = wice__wg_fake_new();
	userspace->access = wice__wg_fake_backend(userspace->devices);
	userspace->folder = g_dir_make_tmp("wice-uapi-XXXXXX", NULL);
	subject->data = userspace;
	subject->backend = wice__wg_uapi_new(userspace->folder);
	return true;
}

static void set_userspace(TestSubject *subject, const WiceDevice *state)
{
	Userspace *userspace = subject->data;
	g_mutex_lock(&userspace->mutex);
	wice__wg_fake_set_device(userspace->devices, wice_device_info(state));
	g_mutex_unlock(&userspace->mutex);
	if (!userspace->serving)
		server_start(&userspace->server, userspace->folder, SUBJECT_NAME, serve, userspace);
	userspace->serving = true;
}

static void remove_userspace(TestSubject *subject)
{
	Userspace *userspace = subject->data;
	if (userspace->serving)
		server_stop(&userspace->server);
	userspace->serving = false;
}

static void stop_userspace(TestSubject *subject)
{
	Userspace *userspace = subject->data;
	remove_userspace(subject);
	subject->backend->ops->free(subject->backend);
	userspace->access->ops->free(userspace->access);
	wice__wg_fake_free(userspace->devices);
	g_mutex_clear(&userspace->mutex);
	g_rmdir(userspace->folder);
	g_free(userspace->folder);
	g_free(userspace);
}

TestSubject played_uapi_subject = {
	.name = "uapi on a played server",
	.no_interface = true,
	.start = start_userspace,
	.set = set_userspace,
	.remove = remove_userspace,
	.stop = stop_userspace,
};
