/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend of userspace WireGuard: what it means to read and to change a device there. How bytes
 * come and go is uapi_socket.c, what they say uapi_parse.c and uapi_write.c.
 *
 * A change is one request, except for boringtun, which would do harm with it: what one peer sets
 * (remove, endpoint, preshared key...) it also does to those behind it, and a change of a peer that
 * exists kills its thread. It refuses update_only, though, before it does anything, with an errno
 * without a minus. So where a peer may be made, a change begins with a question: the empty
 * update_only of that peer, which nobody else minds. Who refuses it in that way is told of one peer
 * at a time, and of none that it has.
 */
#include "wg/uapi.h"

#include "crypto/key.h"
#include "event/source.h"
#include "wg/device.h"
#include "wg/link.h"
#include "wg/plan.h"
#include "wg/uapi_socket.h"
#include "wg/uapi_write.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

/* How long a process is waited for whose interface was deleted. */
#define END_WAIT_MS 250
#define END_POLL_US 2000

typedef struct {
	WiceWgBackend base;
	char *folder;
	WiceNetlinkTransport transport;
} UapiBackend;

static int uapi_get(WiceWgBackend *base, const char *name, int64_t deadline_ms, WiceDevice **ret)
{
	static const char request[] = "get=1\n\n";
	UapiBackend *backend = (UapiBackend *)base;
	WiceUapiWorld world = { .now_ns = wice__realtime_ms() * 1000000, .scope = if_nametoindex };
	WiceDeviceBuilder *builder = wice__device_builder_new(name, WICE_DEVICE_USERSPACE);
	WiceUapiReply reply = { .world = &world, .builder = builder };
	int r = wice__uapi_exchange(backend->folder, name, request, sizeof request - 1, deadline_ms,
				    &reply);
	if (r < 0) {
		wice__device_builder_free(builder);
		return r == -ENODATA ? -EPROTO : r;
	}
	wice__device_builder_info(builder)->ifindex = if_nametoindex(name);
	*ret = wice__device_builder_finish(builder);
	return 0;
}

typedef struct {
	UapiBackend *backend;
	const char *name;
	const WiceDeviceChange *change;
	int64_t deadline_ms;
	bool positive; /* the last request was refused without a minus */
} Setting;

static int send_change(Setting *setting, const WiceDeviceChange *change)
{
	WiceUapiReply reply = { 0 };
	g_auto(WiceUapiText) request = { 0 };
	wice__uapi_write_set(change, &request);
	int r = wice__uapi_exchange(setting->backend->folder, setting->name, request.data,
				    request.len, setting->deadline_ms, &reply);
	setting->positive = reply.positive;
	return r;
}

static int send_peer(Setting *setting, const WicePeerChange *peer)
{
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = peer };
	return send_change(setting, &change);
}

static bool may_make(const WicePeerChange *peer)
{
	return !(peer->flags & (WICE_PEER_CHANGE_REMOVE | WICE_PEER_CHANGE_UPDATE_ONLY));
}

/* Returns -EINVAL, and positive is set, if one has to be careful. */
static int ask(Setting *setting)
{
	const WiceDeviceChange *change = setting->change;
	for (size_t i = 0; i < change->n_peers; i++) {
		WicePeerChange question = { .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
					    .public_key = change->peers[i].public_key };
		if (may_make(&change->peers[i]))
			return send_peer(setting, &question);
	}
	return 0;
}

static bool takes_allowed_ips(const WiceDeviceChange *change)
{
	for (size_t i = 0; i < change->n_peers; i++) {
		if (wice__takes_away(&change->peers[i]))
			return true;
	}
	return false;
}

/* The keys of the peers that there are when the first one is changed; borrowed from device. */
static GHashTable *peers_before(const WiceDeviceChange *change, const WiceDeviceInfo *info)
{
	GHashTable *keys = g_hash_table_new(wice__key_hash, wice__key_equal);
	if (change->flags & WICE_DEVICE_CHANGE_REPLACE_PEERS)
		return keys;
	for (size_t i = 0; i < info->n_peers; i++)
		g_hash_table_add(keys, (gpointer)&info->peers[i].public_key);
	return keys;
}

/* What is done to a peer in turn: makes it, removes it, is for nothing (NULL), cannot be done. */
static int step(GHashTable *keys, const WicePeerChange *peer, const WicePeerChange **ret)
{
	bool exists = g_hash_table_contains(keys, &peer->public_key);
	*ret = peer;
	if (peer->flags & WICE_PEER_CHANGE_REMOVE)
		g_hash_table_remove(keys, &peer->public_key);
	else if (exists)
		return -EOPNOTSUPP;
	else if (peer->flags & WICE_PEER_CHANGE_UPDATE_ONLY)
		*ret = NULL;
	else
		g_hash_table_add(keys, (gpointer)&peer->public_key);
	return 0;
}

typedef int (*StepFunc)(Setting *setting, const WicePeerChange *peer);

static int for_each_step(Setting *setting, const WiceDeviceInfo *info, StepFunc func)
{
	const WiceDeviceChange *change = setting->change;
	g_autoptr(GHashTable) keys = peers_before(change, info);
	int r = 0;
	for (size_t i = 0; r == 0 && i < change->n_peers; i++) {
		const WicePeerChange *peer;
		r = step(keys, &change->peers[i], &peer);
		if (r == 0 && peer && func)
			r = func(setting, peer);
	}
	return r;
}

/* The change without its peers. */
static int send_interface(Setting *setting)
{
	WiceDeviceChange change = *setting->change;
	change.n_peers = 0;
	int r = change.fields || change.flags ? send_change(setting, &change) : 0;
	wice_key_clear(&change.private_key);
	return r;
}

/* Without a private key it cannot make peers, and dies of it. */
static bool has_private_key(const WiceDeviceChange *change, const WiceDeviceInfo *info)
{
	return change->fields & WICE_DEVICE_HAS_PRIVATE_KEY
		       ? !wice_key_is_zero(&change->private_key)
		       : info->fields & WICE_DEVICE_HAS_PUBLIC_KEY;
}

static int set_carefully(Setting *setting)
{
	g_autoptr(WiceDevice) device = NULL;
	if (takes_allowed_ips(setting->change))
		return -ENOPROTOOPT;
	int r = uapi_get(&setting->backend->base, setting->name, setting->deadline_ms, &device);
	if (r < 0)
		return r;
	const WiceDeviceInfo *info = wice_device_info(device);
	if (!has_private_key(setting->change, info))
		return -EOPNOTSUPP;
	r = for_each_step(setting, info, NULL);
	if (r == 0)
		r = send_interface(setting);
	return r < 0 ? r : for_each_step(setting, info, send_peer);
}

/*
 * All that is sent is known to be well-formed, so what a device calls invalid is a key or a form
 * that it does not know. Taking allowed IPs away is the youngest of them; gotatun hangs up on it.
 */
static int uapi_set(WiceWgBackend *base, const char *name, const WiceDeviceChange *change,
		    int64_t deadline_ms)
{
	Setting setting = { .backend = (UapiBackend *)base,
			    .name = name,
			    .change = change,
			    .deadline_ms = deadline_ms };
	int r = ask(&setting);
	if (r == 0 || (r == -EINVAL && !setting.positive))
		r = send_change(&setting, change);
	if (r == -EINVAL && setting.positive)
		r = set_carefully(&setting);
	if ((r == -EINVAL || r == -ENODATA) && takes_allowed_ips(change))
		return -ENOPROTOOPT;
	return r == -ENODATA ? -EPROTO : r;
}

bool wice__uapi_socket_interface(const char *file, char ret_name[16])
{
	char name[16];
	size_t len = strlen(file);
	if (!g_str_has_suffix(file, ".sock") || len - 5 >= sizeof name)
		return false;
	g_strlcpy(name, file, len - 5 + 1);
	if (!wice__interface_name_valid(name))
		return false;
	memcpy(ret_name, name, sizeof name);
	return true;
}

/* What is wrong with a socket, from what connecting to it said. NULL: it is not worth a word. */
static char *describe(const char *path, int error)
{
	switch (error) {
	case -ENOENT: /* it has gone meanwhile */
		return NULL;
	case -ENOLINK:
		return g_strdup_printf("%s is a link to nothing; delete it.", path);
	case -ECONNREFUSED:
		return g_strdup_printf("Nobody listens on %s: the WireGuard process that made it "
				       "is gone; start it again, or delete the file.",
				       path);
	case -EACCES:
		return g_strdup_printf("%s may not be used: run as root, or with CAP_NET_ADMIN and "
				       "CAP_DAC_OVERRIDE.",
				       path);
	case -ENOTSOCK:
		return g_strdup_printf("%s is no socket, so no WireGuard device is behind it; "
				       "delete it.",
				       path);
	case -ENAMETOOLONG:
		return g_strdup_printf("%s is too long to be the address of a socket; shorten the "
				       "folder's name.",
				       path);
	default:
		return g_strdup_printf("%s cannot be connected to: %s.", path, g_strerror(-error));
	}
}

/*
 * A device without an interface here is one of another network namespace, of which there can be
 * very many: those are left in peace, unless somebody wants to know of sockets that nobody uses.
 */
static void list_one(const UapiBackend *backend, const char *name, GPtrArray *names,
		     GPtrArray *problems)
{
	bool here = if_nametoindex(name) != 0;
	if (!here && !problems)
		return;
	int r = wice__uapi_socket_check(backend->folder, name);
	if (r == 0 && here) {
		g_ptr_array_add(names, g_strdup(name));
	} else if (r < 0 && problems) {
		g_autofree char *path = wice__uapi_socket_path(backend->folder, name);
		char *problem = describe(path, r);
		if (problem)
			g_ptr_array_add(problems, problem);
	}
}

static int uapi_list(WiceWgBackend *base, GPtrArray *names, GPtrArray *problems,
		     int64_t deadline_ms)
{
	UapiBackend *backend = (UapiBackend *)base;
	DIR *folder = opendir(backend->folder);
	if (!folder)
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	int r = 0;
	const struct dirent *entry;
	char name[16] = "";
	while (r == 0 && (entry = readdir(folder))) {
		if (wice__now_ms() > deadline_ms)
			r = -ETIMEDOUT;
		else if (wice__uapi_socket_interface(entry->d_name, name))
			list_one(backend, name, names, problems);
	}
	closedir(folder);
	return r;
}

/* 0: somebody listens; -ENODEV: there is no such device. */
static int check_device(const UapiBackend *backend, const char *name)
{
	int r = wice__uapi_socket_check(backend->folder, name);
	bool absent = r == -ENOENT || r == -ENOTDIR || r == -ENOLINK || r == -ECONNREFUSED ||
		      r == -ENOTSOCK;
	return absent ? -ENODEV : r;
}

static int uapi_get_link(WiceWgBackend *base, const char *name, int64_t deadline_ms, WiceLink **ret)
{
	UapiBackend *backend = (UapiBackend *)base;
	int r = check_device(backend, name);
	return r < 0 ? r : wice__link_get(&backend->transport, name, deadline_ms, ret);
}

/* The name of the socket is that of the interface, and nobody but its process could change it. */
static int uapi_set_link(WiceWgBackend *base, const char *name, const WiceLinkChange *change,
			 int64_t deadline_ms)
{
	UapiBackend *backend = (UapiBackend *)base;
	int r = check_device(backend, name);
	if (r < 0)
		return r;
	if (change->new_name && strcmp(change->new_name, name) != 0)
		return -EOPNOTSUPP;
	return wice__link_set(&backend->transport, name, change, deadline_ms);
}

/* The process ends with its interface, sooner or later; it may leave its socket behind. */
static void wait_for_end(const UapiBackend *backend, const char *name, int64_t deadline_ms)
{
	int64_t end = MIN(deadline_ms, wice__now_ms() + END_WAIT_MS);
	int r;
	while ((r = wice__uapi_socket_check(backend->folder, name)) == 0 && wice__now_ms() < end)
		g_usleep(END_POLL_US);
	if (r != -ECONNREFUSED)
		return;
	g_autofree char *path = wice__uapi_socket_path(backend->folder, name);
	(void)unlink(path);
}

static int uapi_remove(WiceWgBackend *base, const char *name, int64_t deadline_ms)
{
	UapiBackend *backend = (UapiBackend *)base;
	int r = check_device(backend, name);
	if (r == 0)
		r = wice__link_delete(&backend->transport, name, deadline_ms);
	if (r == 0)
		wait_for_end(backend, name, deadline_ms);
	return r;
}

static void uapi_free(WiceWgBackend *base)
{
	UapiBackend *backend = (UapiBackend *)base;
	g_free(backend->folder);
	g_free(backend);
}

WiceWgBackend *wice__wg_uapi_new_with(const char *folder, const WiceNetlinkTransport *transport)
{
	static const WiceWgBackendOps ops = {
		.name = "uapi",
		.kind = WICE_DEVICE_USERSPACE,
		.list = uapi_list,
		.get = uapi_get,
		.set = uapi_set,
		.remove = uapi_remove,
		.get_link = uapi_get_link,
		.set_link = uapi_set_link,
		.free = uapi_free,
	};
	UapiBackend *backend = g_new0(UapiBackend, 1);
	backend->base.ops = &ops;
	backend->folder = g_strdup(folder);
	backend->transport = *transport;
	return &backend->base;
}

WiceWgBackend *wice__wg_uapi_new(const char *folder)
{
	return wice__wg_uapi_new_with(folder, &wice__netlink_kernel);
}
