/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each device is the snapshot that a reader gets; a change makes a new one. Callbacks are called
 * without the lock, because they make further changes.
 */
#include "wg/fake.h"

#include "wg/device.h"
#include "wg/plan.h"

#include <errno.h>
#include <string.h>

#define LINK_MTU 1420

struct WiceWgFake {
	gatomicrefcount refs; /* the test's and each backend's */
	GMutex mutex;         /* guards what follows */
	GHashTable *devices;  /* name to FakeDevice */
	unsigned next_ifindex;
	GArray *updates; /* of WiceWgFakeUpdate */
	size_t n_reads, n_sets;
	int error;
	char *problem;
	bool keeps_allowed_ips;
	WiceWgFakeUpdated updated;
	void *updated_data;
	WicePresenceChanged changed;
	void *changed_data;
};

typedef struct {
	WiceDevice *snapshot;
	bool up;
	unsigned mtu;
	GArray *addresses; /* of WiceInterfaceAddress */
} FakeDevice;

typedef struct {
	WiceWgBackend base;
	WiceWgFake *fake;
} FakeBackend;

static void device_free(void *data)
{
	FakeDevice *device = data;
	wice_device_unref(device->snapshot);
	g_array_unref(device->addresses);
	g_free(device);
}

WiceWgFake *wice__wg_fake_new(void)
{
	WiceWgFake *fake = g_new0(WiceWgFake, 1);
	g_atomic_ref_count_init(&fake->refs);
	g_mutex_init(&fake->mutex);
	fake->devices = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, device_free);
	fake->next_ifindex = 1000;
	fake->updates = g_array_new(FALSE, FALSE, sizeof(WiceWgFakeUpdate));
	return fake;
}

void wice__wg_fake_free(WiceWgFake *fake)
{
	if (!fake || !g_atomic_ref_count_dec(&fake->refs))
		return;
	g_hash_table_unref(fake->devices);
	g_array_unref(fake->updates);
	g_free(fake->problem);
	g_mutex_clear(&fake->mutex);
	g_free(fake);
}

/* Takes the snapshot; what the device's link is like stays. */
static void store(WiceWgFake *fake, const char *name, WiceDevice *snapshot)
{
	FakeDevice *device = g_hash_table_lookup(fake->devices, name);
	if (!device) {
		device = g_new0(FakeDevice, 1);
		device->mtu = LINK_MTU;
		device->addresses = g_array_new(FALSE, FALSE, sizeof(WiceInterfaceAddress));
		g_hash_table_insert(fake->devices, g_strdup(name), device);
	}
	wice_device_unref(device->snapshot);
	device->snapshot = snapshot;
}

static void put_peer(WiceDeviceBuilder *builder, const WiceDevicePeer *peer)
{
	WiceDevicePeer *entry;
	int r = wice__device_builder_peer(builder, &peer->public_key, &entry);
	g_assert(r == 0);
	*entry = *peer;
	for (size_t i = 0; i < peer->n_allowed_ips && r == 0; i++)
		r = wice__device_builder_allowed_ip(builder, &peer->allowed_ips[i]);
	g_assert(r == 0);
}

static WiceDevice *make_snapshot(const char *name, const WiceDeviceInfo *info)
{
	WiceDeviceBuilder *builder =
		wice__device_builder_new(name, info->kind ? info->kind : WICE_DEVICE_FAKE);
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
	return wice__device_builder_finish(builder);
}

/* What the test does */

static void announce(WiceWgFake *fake, const char *name)
{
	g_mutex_lock(&fake->mutex);
	WicePresenceChanged changed = fake->changed;
	void *changed_data = fake->changed_data;
	g_mutex_unlock(&fake->mutex);
	if (changed)
		changed(name, changed_data);
}

void wice__wg_fake_set_device(WiceWgFake *fake, const WiceDeviceInfo *info)
{
	g_mutex_lock(&fake->mutex);
	store(fake, info->name, make_snapshot(info->name, info));
	g_mutex_unlock(&fake->mutex);
	announce(fake, info->name);
}

void wice__wg_fake_remove_device(WiceWgFake *fake, const char *name)
{
	g_mutex_lock(&fake->mutex);
	bool found = g_hash_table_remove(fake->devices, name);
	g_mutex_unlock(&fake->mutex);
	if (found)
		announce(fake, name);
}

/* Without the peer, and with another one in its place if that is not NULL. */
static void change_peer(WiceWgFake *fake, const char *name, const WiceKey *public_key,
			const WiceDevicePeer *peer)
{
	g_mutex_lock(&fake->mutex);
	const FakeDevice *device = g_hash_table_lookup(fake->devices, name);
	g_assert(device != NULL);
	WiceDeviceBuilder *builder = wice__device_builder_copy(device->snapshot);
	wice__device_builder_remove(builder, public_key);
	if (peer)
		put_peer(builder, peer);
	store(fake, name, wice__device_builder_finish(builder));
	g_mutex_unlock(&fake->mutex);
}

void wice__wg_fake_set_peer(WiceWgFake *fake, const char *name, const WiceDevicePeer *peer)
{
	change_peer(fake, name, &peer->public_key, peer);
}

void wice__wg_fake_remove_peer(WiceWgFake *fake, const char *name, const WiceKey *public_key)
{
	change_peer(fake, name, public_key, NULL);
}

WiceDevice *wice__wg_fake_get_device(WiceWgFake *fake, const char *name)
{
	g_mutex_lock(&fake->mutex);
	const FakeDevice *device = g_hash_table_lookup(fake->devices, name);
	WiceDevice *snapshot = device ? wice_device_ref(device->snapshot) : NULL;
	g_mutex_unlock(&fake->mutex);
	return snapshot;
}

void wice__wg_fake_fail(WiceWgFake *fake, int error)
{
	g_mutex_lock(&fake->mutex);
	fake->error = error;
	g_mutex_unlock(&fake->mutex);
}

void wice__wg_fake_set_problem(WiceWgFake *fake, const char *problem)
{
	g_mutex_lock(&fake->mutex);
	g_free(fake->problem);
	fake->problem = g_strdup(problem);
	g_mutex_unlock(&fake->mutex);
}

void wice__wg_fake_keep_allowed_ips(WiceWgFake *fake)
{
	g_mutex_lock(&fake->mutex);
	fake->keeps_allowed_ips = true;
	g_mutex_unlock(&fake->mutex);
}

static size_t locked(WiceWgFake *fake, const size_t *value)
{
	g_mutex_lock(&fake->mutex);
	size_t result = *value;
	g_mutex_unlock(&fake->mutex);
	return result;
}

size_t wice__wg_fake_n_reads(WiceWgFake *fake)
{
	return locked(fake, &fake->n_reads);
}

size_t wice__wg_fake_n_sets(WiceWgFake *fake)
{
	return locked(fake, &fake->n_sets);
}

size_t wice__wg_fake_n_updates(WiceWgFake *fake)
{
	g_mutex_lock(&fake->mutex);
	size_t n = fake->updates->len;
	g_mutex_unlock(&fake->mutex);
	return n;
}

const WiceWgFakeUpdate *wice__wg_fake_update(WiceWgFake *fake, size_t index)
{
	g_mutex_lock(&fake->mutex);
	g_assert(index < fake->updates->len);
	const WiceWgFakeUpdate *update = &g_array_index(fake->updates, WiceWgFakeUpdate, index);
	g_mutex_unlock(&fake->mutex);
	return update;
}

void wice__wg_fake_on_update(WiceWgFake *fake, WiceWgFakeUpdated updated, void *user_data)
{
	g_mutex_lock(&fake->mutex);
	fake->updated = updated;
	fake->updated_data = user_data;
	g_mutex_unlock(&fake->mutex);
}

void wice__wg_fake_on_change(WiceWgFake *fake, WicePresenceChanged changed, void *user_data)
{
	g_mutex_lock(&fake->mutex);
	fake->changed = changed;
	fake->changed_data = user_data;
	g_mutex_unlock(&fake->mutex);
}

/* What the library does */

/* Locks, and finds the device. -errno. */
static int enter(WiceWgBackend *base, const char *name, WiceWgFake **ret_fake, FakeDevice **ret)
{
	WiceWgFake *fake = ((FakeBackend *)base)->fake;
	g_mutex_lock(&fake->mutex);
	*ret_fake = fake;
	*ret = g_hash_table_lookup(fake->devices, name);
	if (fake->error)
		return fake->error;
	return *ret ? 0 : -ENODEV;
}

static int leave(WiceWgFake *fake, int r)
{
	g_mutex_unlock(&fake->mutex);
	return r;
}

static int fake_list(WiceWgBackend *base, GPtrArray *names, GPtrArray *problems,
		     int64_t deadline_ms)
{
	WiceWgFake *fake = ((FakeBackend *)base)->fake;
	GHashTableIter iter;
	gpointer name;
	g_mutex_lock(&fake->mutex);
	g_hash_table_iter_init(&iter, fake->devices);
	while (!fake->error && g_hash_table_iter_next(&iter, &name, NULL))
		g_ptr_array_add(names, g_strdup(name));
	if (problems && fake->problem)
		g_ptr_array_add(problems, g_strdup(fake->problem));
	return leave(fake, fake->error);
}

static int fake_get(WiceWgBackend *base, const char *name, int64_t deadline_ms, WiceDevice **ret)
{
	WiceWgFake *fake;
	FakeDevice *device;
	int r = enter(base, name, &fake, &device);
	fake->n_reads++;
	if (r == 0)
		*ret = wice_device_ref(device->snapshot);
	return leave(fake, r);
}

/* One change of an existing peer, as wice_wg_update_peer() makes it. */
static bool as_update(const WiceDeviceChange *change, WicePeerUpdate *ret)
{
	const WicePeerChange *peer = change->peers;
	if (change->flags || change->fields || change->n_peers != 1 ||
	    peer->flags != WICE_PEER_CHANGE_UPDATE_ONLY || peer->n_allowed_ips ||
	    peer->fields & WICE_PEER_HAS_PRESHARED_KEY)
		return false;
	*ret = (WicePeerUpdate){ .size = sizeof *ret,
				 .public_key = peer->public_key,
				 .set_endpoint = peer->fields & WICE_PEER_HAS_ENDPOINT,
				 .endpoint = peer->endpoint,
				 .set_keepalive = peer->fields & WICE_PEER_HAS_KEEPALIVE,
				 .keepalive_s = peer->keepalive_s };
	return true;
}

static int apply(WiceWgFake *fake, const char *name, FakeDevice *device,
		 const WiceDeviceChange *change)
{
	WiceDeviceChange possible = *change;
	if (fake->keeps_allowed_ips) {
		for (size_t i = 0; i < possible.n_peers; i++) {
			if (wice__takes_away(&possible.peers[i]))
				possible.n_peers = i;
		}
	}
	g_autoptr(WicePlan) plan = wice_plan_new(&possible, NULL);
	if (!plan)
		return -EINVAL;
	store(fake, name, wice_plan_result(plan, device->snapshot));
	fake->n_sets++;
	return possible.n_peers == change->n_peers ? 0 : -ENOPROTOOPT;
}

static int fake_set(WiceWgBackend *base, const char *name, const WiceDeviceChange *change,
		    int64_t deadline_ms)
{
	WiceWgFake *fake;
	FakeDevice *device;
	WiceWgFakeUpdate record = { 0 };
	int r = enter(base, name, &fake, &device);
	if (r == 0)
		r = apply(fake, name, device, change);
	bool is_update = r == 0 && as_update(change, &record.update);
	if (is_update) {
		g_strlcpy(record.name, name, sizeof record.name);
		g_array_append_val(fake->updates, record);
	}
	WiceWgFakeUpdated updated = fake->updated;
	void *updated_data = fake->updated_data;
	leave(fake, r);
	if (is_update && updated)
		updated(name, &record.update, updated_data);
	return r;
}

static int fake_create(WiceWgBackend *base, const char *name, int64_t deadline_ms)
{
	WiceWgFake *fake;
	FakeDevice *device;
	int r = enter(base, name, &fake, &device);
	if (r != -ENODEV)
		return leave(fake, r ? r : -EEXIST);
	store(fake, name,
	      make_snapshot(name, &(WiceDeviceInfo){ .ifindex = fake->next_ifindex++ }));
	leave(fake, 0);
	announce(fake, name);
	return 0;
}

static int fake_remove(WiceWgBackend *base, const char *name, int64_t deadline_ms)
{
	WiceWgFake *fake;
	FakeDevice *device;
	int r = enter(base, name, &fake, &device);
	if (r == 0)
		g_hash_table_remove(fake->devices, name);
	leave(fake, r);
	if (r == 0)
		announce(fake, name);
	return r;
}

static int fake_get_link(WiceWgBackend *base, const char *name, int64_t deadline_ms, WiceLink **ret)
{
	WiceWgFake *fake;
	FakeDevice *device;
	int r = enter(base, name, &fake, &device);
	if (r < 0)
		return leave(fake, r);
	WiceLink *link = g_new0(WiceLink, 1);
	g_strlcpy(link->name, name, sizeof link->name);
	link->ifindex = wice_device_info(device->snapshot)->ifindex;
	link->up = device->up;
	link->mtu = device->mtu;
	link->n_addresses = device->addresses->len;
	link->addresses =
		g_memdup2(device->addresses->data, link->n_addresses * sizeof *link->addresses);
	*ret = link;
	return leave(fake, 0);
}

/* The index of an address of the device, or -1. */
static int find_address(const FakeDevice *device, const WiceInterfaceAddress *address)
{
	for (guint i = 0; i < device->addresses->len; i++) {
		const WiceInterfaceAddress *present =
			&g_array_index(device->addresses, WiceInterfaceAddress, i);
		if (wice_address_compare(&present->address, &address->address) == 0 &&
		    present->length == address->length)
			return (int)i;
	}
	return -1;
}

static int rename_device(WiceWgFake *fake, const char *name, const char *new_name)
{
	gpointer key, value;
	if (strcmp(name, new_name) == 0)
		return 0;
	if (g_hash_table_contains(fake->devices, new_name))
		return -EEXIST;
	g_hash_table_steal_extended(fake->devices, name, &key, &value);
	g_free(key);
	FakeDevice *device = value;
	WiceDevice *renamed = make_snapshot(new_name, wice_device_info(device->snapshot));
	wice_device_unref(device->snapshot);
	device->snapshot = renamed;
	g_hash_table_insert(fake->devices, g_strdup(new_name), device);
	return 0;
}

/* In the order that wice_wg_set_link() promises. */
static int change_link(WiceWgFake *fake, const char *name, FakeDevice *device,
		       const WiceLinkChange *change)
{
	for (size_t i = 0; i < change->n_remove; i++) {
		int found = find_address(device, &change->remove[i]);
		if (found >= 0)
			g_array_remove_index(device->addresses, (guint)found);
	}
	if (change->mtu)
		device->mtu = change->mtu;
	if (change->set_up && !change->up)
		device->up = false;
	int r = change->new_name ? rename_device(fake, name, change->new_name) : 0;
	if (r < 0)
		return r;
	for (size_t i = 0; i < change->n_add; i++) {
		if (find_address(device, &change->add[i]) < 0)
			g_array_append_val(device->addresses, change->add[i]);
	}
	if (change->set_up && change->up)
		device->up = true;
	return 0;
}

static int fake_set_link(WiceWgBackend *base, const char *name, const WiceLinkChange *change,
			 int64_t deadline_ms)
{
	WiceWgFake *fake;
	FakeDevice *device;
	int r = enter(base, name, &fake, &device);
	if (r == 0)
		r = change_link(fake, name, device, change);
	leave(fake, r);
	if (r == 0)
		announce(fake, name);
	if (r == 0 && change->new_name)
		announce(fake, change->new_name);
	return r;
}

static void fake_free(WiceWgBackend *base)
{
	wice__wg_fake_free(((FakeBackend *)base)->fake);
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
		.create = fake_create,
		.remove = fake_remove,
		.get_link = fake_get_link,
		.set_link = fake_set_link,
		.free = fake_free,
	};
	FakeBackend *backend = g_new0(FakeBackend, 1);
	backend->base.ops = &ops;
	backend->fake = fake;
	g_atomic_ref_count_inc(&fake->refs);
	return &backend->base;
}
