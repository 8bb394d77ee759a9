/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Each device is the snapshot that a reader gets; a change makes a new one. */
#include "wg/fake.h"

#include "wg/device.h"

#include <errno.h>
#include <string.h>

struct WiceWgFake {
	GHashTable *devices; /* name to WiceDevice */
	GArray *updates;     /* of WiceWgFakeUpdate */
	size_t n_reads;
	int error;
	WiceWgFakeUpdated updated;
	void *updated_data;
	WicePresenceChanged changed;
	void *changed_data;
};

typedef struct {
	WiceWgBackend base;
	WiceWgFake *fake;
} FakeBackend;

WiceWgFake *wice__wg_fake_new(void)
{
	WiceWgFake *fake = g_new0(WiceWgFake, 1);
	fake->devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					      (GDestroyNotify)wice_device_unref);
	fake->updates = g_array_new(FALSE, FALSE, sizeof(WiceWgFakeUpdate));
	return fake;
}

void wice__wg_fake_free(WiceWgFake *fake)
{
	if (!fake)
		return;
	g_hash_table_unref(fake->devices);
	g_array_unref(fake->updates);
	g_free(fake);
}

static void store(WiceWgFake *fake, const char *name, WiceDeviceBuilder *builder)
{
	g_hash_table_replace(fake->devices, g_strdup(name), wice__device_builder_finish(builder));
}

static void put_peer(WiceDeviceBuilder *builder, const WiceDevicePeer *peer)
{
	WiceDevicePeer *entry;
	wice__device_builder_remove(builder, &peer->public_key);
	int r = wice__device_builder_peer(builder, &peer->public_key, &entry);
	g_assert(r == 0);
	*entry = *peer;
	for (size_t i = 0; i < peer->n_allowed_ips && r == 0; i++)
		r = wice__device_builder_allowed_ip(builder, &peer->allowed_ips[i]);
	g_assert(r == 0);
}

static void announce(WiceWgFake *fake, const char *name)
{
	if (fake->changed)
		fake->changed(name, fake->changed_data);
}

void wice__wg_fake_set_device(WiceWgFake *fake, const WiceDeviceInfo *info)
{
	WiceDeviceBuilder *builder =
		wice__device_builder_new(info->name, info->kind ? info->kind : WICE_DEVICE_FAKE);
	WiceDeviceInfo *built = wice__device_builder_info(builder);
	built->ifindex = info->ifindex;
	built->private_key = info->private_key;
	built->public_key = info->public_key;
	built->listen_port = info->listen_port;
	built->fwmark = info->fwmark;
	if (wice_key_is_zero(&info->public_key) && !wice_key_is_zero(&info->private_key))
		wice_key_public(&info->private_key, &built->public_key);
	for (size_t i = 0; i < info->n_peers; i++)
		put_peer(builder, &info->peers[i]);
	store(fake, info->name, builder);
	announce(fake, info->name);
}

void wice__wg_fake_remove_device(WiceWgFake *fake, const char *name)
{
	if (g_hash_table_remove(fake->devices, name))
		announce(fake, name);
}

static WiceDeviceBuilder *change(WiceWgFake *fake, const char *name)
{
	const WiceDevice *device = g_hash_table_lookup(fake->devices, name);
	g_assert(device != NULL);
	return wice__device_builder_copy(device);
}

void wice__wg_fake_set_peer(WiceWgFake *fake, const char *name, const WiceDevicePeer *peer)
{
	WiceDeviceBuilder *builder = change(fake, name);
	put_peer(builder, peer);
	store(fake, name, builder);
}

void wice__wg_fake_remove_peer(WiceWgFake *fake, const char *name, const WiceKey *public_key)
{
	WiceDeviceBuilder *builder = change(fake, name);
	wice__device_builder_remove(builder, public_key);
	store(fake, name, builder);
}

WiceDevice *wice__wg_fake_get_device(WiceWgFake *fake, const char *name)
{
	WiceDevice *device = g_hash_table_lookup(fake->devices, name);
	return device ? wice_device_ref(device) : NULL;
}

void wice__wg_fake_fail(WiceWgFake *fake, int error)
{
	fake->error = error;
}

size_t wice__wg_fake_n_updates(const WiceWgFake *fake)
{
	return fake->updates->len;
}

const WiceWgFakeUpdate *wice__wg_fake_update(const WiceWgFake *fake, size_t index)
{
	g_assert(index < fake->updates->len);
	return &g_array_index(fake->updates, WiceWgFakeUpdate, index);
}

size_t wice__wg_fake_n_reads(const WiceWgFake *fake)
{
	return fake->n_reads;
}

void wice__wg_fake_on_update(WiceWgFake *fake, WiceWgFakeUpdated updated, void *user_data)
{
	fake->updated = updated;
	fake->updated_data = user_data;
}

void wice__wg_fake_on_change(WiceWgFake *fake, WicePresenceChanged changed, void *user_data)
{
	fake->changed = changed;
	fake->changed_data = user_data;
}

static int fake_list(WiceWgBackend *base, GPtrArray *names, GPtrArray *problems,
		     int64_t deadline_ms)
{
	WiceWgFake *fake = ((FakeBackend *)base)->fake;
	GHashTableIter iter;
	gpointer name;
	g_hash_table_iter_init(&iter, fake->devices);
	while (!fake->error && g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, g_strdup(name));
	return fake->error;
}

static int fake_get(WiceWgBackend *base, const char *name, int64_t deadline_ms, WiceDevice **ret)
{
	WiceWgFake *fake = ((FakeBackend *)base)->fake;
	fake->n_reads++;
	if (fake->error)
		return fake->error;
	WiceDevice *device = g_hash_table_lookup(fake->devices, name);
	if (!device)
		return -ENODEV;
	*ret = wice_device_ref(device);
	return 0;
}

static int fake_update_peer(WiceWgBackend *base, const char *name, const WicePeerUpdate *update,
			    int64_t deadline_ms)
{
	WiceWgFake *fake = ((FakeBackend *)base)->fake;
	if (fake->error)
		return fake->error;
	const WiceDevice *device = g_hash_table_lookup(fake->devices, name);
	if (!device)
		return -ENODEV;
	WiceWgFakeUpdate record = { .update = *update };
	g_strlcpy(record.name, name, sizeof record.name);
	g_array_append_val(fake->updates, record);

	const WiceDevicePeer *found = wice_device_find_peer(device, &update->public_key);
	if (found) {
		WiceDevicePeer peer = *found;
		if (update->set_endpoint)
			peer.endpoint = update->endpoint;
		if (update->set_keepalive)
			peer.keepalive_s = update->keepalive_s;
		wice__wg_fake_set_peer(fake, name, &peer);
		wice_key_clear(&peer.preshared_key);
	}
	if (fake->updated)
		fake->updated(name, &record.update, fake->updated_data);
	return 0;
}

/* For now: one change of an existing peer. */
static bool as_update(const WiceDeviceChange *change, WicePeerUpdate *ret)
{
	const WicePeerChange *peer = change->peers;
	if (change->n_peers != 1 || change->fields || peer->flags != WICE_PEER_CHANGE_UPDATE_ONLY)
		return false;
	*ret = (WicePeerUpdate){ .size = sizeof *ret,
				 .public_key = peer->public_key,
				 .set_endpoint = peer->fields & WICE_PEER_HAS_ENDPOINT,
				 .endpoint = peer->endpoint,
				 .set_keepalive = peer->fields & WICE_PEER_HAS_KEEPALIVE,
				 .keepalive_s = peer->keepalive_s };
	return true;
}

static int fake_set(WiceWgBackend *base, const char *name, const WiceDeviceChange *change,
		    int64_t deadline_ms)
{
	WicePeerUpdate update;
	return as_update(change, &update) ? fake_update_peer(base, name, &update, deadline_ms)
					  : -EOPNOTSUPP;
}

static void fake_free(WiceWgBackend *base)
{
	g_free(base);
}

WiceWgBackend *wice__wg_fake_backend(WiceWgFake *fake)
{
	static const WiceWgBackendOps ops = {
		.name = "fake",
		.kind = WICE_DEVICE_FAKE,
		.list = fake_list,
		.get = fake_get,
		.set = fake_set,
		.free = fake_free,
	};
	FakeBackend *backend = g_new0(FakeBackend, 1);
	backend->base.ops = &ops;
	backend->fake = fake;
	return &backend->base;
}
