/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The backend of the engines in this process. A WiceWg has one of it, with the engines that are
 * attached to it; an engine knows the WiceWgs that it is attached to.
 *
 *	WiceWg --owns--> EngineBackend --list--> WiceEngine
 *	   ^                                        |
 *	   +--reference-- WiceEngineAttachments <-owns
 *
 * Engines answer at once, so the list stays locked while one is used; that is what makes it safe to
 * free an engine that other threads look at.
 */
#include "engine/backend.h"

#include <errno.h>
#include <string.h>
#include <wice/error.h>

#include "wg/device.h"
#include "wg/link.h"
#include "wg/plan.h"

typedef struct {
	WiceEngine *engine;
	bool has_interface;
} Member;

typedef struct {
	WiceWgBackend base;
	GMutex mutex;
	GArray *members; /* Member */
} EngineBackend;

struct WiceEngineAttachments {
	WiceEngine *engine;
	GMutex mutex;
	GPtrArray *wgs; /* references */
};

/* The mutex is held. */
static const Member *find_member(const EngineBackend *backend, const char *name)
{
	for (guint i = 0; i < backend->members->len; i++) {
		const Member *member = &g_array_index(backend->members, Member, i);
		if (strcmp(wice_engine_name(member->engine), name) == 0)
			return member;
	}
	return NULL;
}

static int engine_list(WiceWgBackend *base, GPtrArray *names, GPtrArray *problems,
		       int64_t deadline_ms)
{
	EngineBackend *backend = (EngineBackend *)base;
	g_mutex_lock(&backend->mutex);
	for (guint i = 0; i < backend->members->len; i++) {
		const Member *member = &g_array_index(backend->members, Member, i);
		g_ptr_array_add(names, g_strdup(wice_engine_name(member->engine)));
	}
	g_mutex_unlock(&backend->mutex);
	return 0;
}

static int engine_get(WiceWgBackend *base, const char *name, int64_t deadline_ms, WiceDevice **ret)
{
	EngineBackend *backend = (EngineBackend *)base;
	g_mutex_lock(&backend->mutex);
	const Member *member = find_member(backend, name);
	if (member)
		*ret = wice_engine_get(member->engine);
	g_mutex_unlock(&backend->mutex);
	return member ? 0 : -ENODEV;
}

static int engine_set(WiceWgBackend *base, const char *name, const WiceDeviceChange *change,
		      int64_t deadline_ms)
{
	EngineBackend *backend = (EngineBackend *)base;
	g_autoptr(WicePlan) plan = wice__plan_copy(change);
	g_mutex_lock(&backend->mutex);
	const Member *member = find_member(backend, name);
	int r = member ? wice__engine_set(member->engine, plan) : -ENODEV;
	g_mutex_unlock(&backend->mutex);
	return r;
}

/* -ENODEV: there is no network interface of ours; one of that name would be a stranger's. */
static int check_interface(EngineBackend *backend, const char *name)
{
	g_mutex_lock(&backend->mutex);
	const Member *member = find_member(backend, name);
	bool exists = member && member->has_interface;
	g_mutex_unlock(&backend->mutex);
	return exists ? 0 : -ENODEV;
}

static int engine_remove(WiceWgBackend *base, const char *name, int64_t deadline_ms)
{
	int r = check_interface((EngineBackend *)base, name);
	return r < 0 ? r : wice__link_delete(&wice__netlink_kernel, name, deadline_ms);
}

static int engine_get_link(WiceWgBackend *base, const char *name, int64_t deadline_ms,
			   WiceLink **ret)
{
	int r = check_interface((EngineBackend *)base, name);
	return r < 0 ? r : wice__link_get(&wice__netlink_kernel, name, deadline_ms, ret);
}

/* The engine goes by its name, here and for its socket. */
static int engine_set_link(WiceWgBackend *base, const char *name, const WiceLinkChange *change,
			   int64_t deadline_ms)
{
	int r = check_interface((EngineBackend *)base, name);
	if (r < 0)
		return r;
	if (change->new_name && strcmp(change->new_name, name) != 0)
		return -EOPNOTSUPP;
	return wice__link_set(&wice__netlink_kernel, name, change, deadline_ms);
}

static void engine_backend_free(WiceWgBackend *base)
{
	EngineBackend *backend = (EngineBackend *)base;
	g_array_unref(backend->members);
	g_mutex_clear(&backend->mutex);
	g_free(backend);
}

static WiceWgBackend *engine_backend_new(void)
{
	static const WiceWgBackendOps ops = {
		.name = "engine",
		.kind = WICE_DEVICE_ENGINE,
		.list = engine_list,
		.get = engine_get,
		.set = engine_set,
		.remove = engine_remove,
		.get_link = engine_get_link,
		.set_link = engine_set_link,
		.free = engine_backend_free,
	};
	EngineBackend *backend = g_new0(EngineBackend, 1);
	backend->base.ops = &ops;
	backend->members = g_array_new(FALSE, FALSE, sizeof(Member));
	g_mutex_init(&backend->mutex);
	return &backend->base;
}

static EngineBackend *backend_of(WiceWg *wg)
{
	return (EngineBackend *)wice__wg_inprocess(wg, engine_backend_new);
}

static bool add_member(EngineBackend *backend, WiceEngine *engine)
{
	g_autoptr(WiceDevice) device = wice_engine_get(engine);
	Member member = { .engine = engine,
			  .has_interface = wice_device_info(device)->ifindex != 0 };
	g_mutex_lock(&backend->mutex);
	bool is_new = !find_member(backend, wice_engine_name(engine));
	if (is_new)
		g_array_append_val(backend->members, member);
	g_mutex_unlock(&backend->mutex);
	return is_new;
}

static void remove_member(EngineBackend *backend, const WiceEngine *engine)
{
	g_mutex_lock(&backend->mutex);
	for (guint i = backend->members->len; i-- > 0;) {
		if (g_array_index(backend->members, Member, i).engine == engine)
			g_array_remove_index(backend->members, i);
	}
	g_mutex_unlock(&backend->mutex);
}

static WiceEngineAttachments *get_attachments(WiceEngine *engine)
{
	WiceEngineAttachments **place = wice__engine_attachments(engine);
	if (g_once_init_enter(place)) {
		WiceEngineAttachments *made = g_new0(WiceEngineAttachments, 1);
		made->engine = engine;
		g_mutex_init(&made->mutex);
		made->wgs = g_ptr_array_new();
		g_once_init_leave(place, made);
	}
	return *place;
}

gboolean wice_engine_attach(WiceEngine *engine, WiceWg *wg, GError **error)
{
	const char *name = wice_engine_name(engine);
	if (!wice__interface_name_valid(name)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "An engine without a name cannot be attached; give it one when it is "
			    "made.");
		return FALSE;
	}
	if (!add_member(backend_of(wg), engine)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_EXISTS,
			    "An engine named %s is attached already.", name);
		return FALSE;
	}
	WiceEngineAttachments *attachments = get_attachments(engine);
	g_mutex_lock(&attachments->mutex);
	g_ptr_array_add(attachments->wgs, wice__wg_ref(wg));
	g_mutex_unlock(&attachments->mutex);
	wice__wg_changed(wg, name);
	return TRUE;
}

void wice__engine_attachments_tell(WiceEngineAttachments *attachments)
{
	if (!attachments)
		return;
	g_mutex_lock(&attachments->mutex);
	for (guint i = 0; i < attachments->wgs->len; i++)
		wice__wg_changed(attachments->wgs->pdata[i], wice_engine_name(attachments->engine));
	g_mutex_unlock(&attachments->mutex);
}

void wice__engine_attachments_detach(WiceEngineAttachments *attachments)
{
	for (guint i = 0; attachments && i < attachments->wgs->len; i++)
		remove_member(backend_of(attachments->wgs->pdata[i]), attachments->engine);
	wice__engine_attachments_tell(attachments);
}

void wice__engine_attachments_free(WiceEngineAttachments *attachments)
{
	if (!attachments)
		return;
	for (guint i = 0; i < attachments->wgs->len; i++)
		wice_wg_free(attachments->wgs->pdata[i]);
	g_ptr_array_unref(attachments->wgs);
	g_mutex_clear(&attachments->mutex);
	g_free(attachments);
}
