/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public face of the backends: checks what comes in and asks one after the other. What concerns
 * the network interface is in wg_link.c, how errors read in wg_error.c.
 */
#include "base/options.h"
#include "event/source.h"
#include "wg/netlink.h"
#include "wg/uapi.h"
#include "wg/wg_private.h"
#include "wg/whole_lists.h"

#include <errno.h>
#include <string.h>
#include <wice/error.h>

/* Listing takes no deadline; it is there for a system that is stuck. */
#define LIST_TIMEOUT_MS 5000

typedef struct {
	WiceWgObserver func;
	void *user_data;
} Observer;

WiceWg *wice__wg_new_with(WiceWgBackend *const *backends, size_t n_backends)
{
	WiceWg *wg = g_new0(WiceWg, 1);
	g_atomic_ref_count_init(&wg->refs);
	wg->first = 1;
	wg->n_backends = n_backends + 1;
	wg->backends = g_new0(WiceWgBackend *, wg->n_backends);
	for (size_t i = 0; i < n_backends; i++)
		wg->backends[i + 1] = backends[i];
	g_mutex_init(&wg->inprocess_mutex);
	g_mutex_init(&wg->observers_mutex);
	wg->observers = g_array_new(FALSE, FALSE, sizeof(Observer));
	wg->threads = wice__thread_pool_new();
	return wg;
}

/* As wg(8) does it, a socket wins over a kernel device of the same name. */
WiceWg *wice_wg_new(void)
{
	WiceWgBackend *const backends[] = {
		wice__wg_uapi_new(WICE_UAPI_FOLDER),
		wice__wg_netlink_new(),
	};
	return wice__wg_new_with(backends, G_N_ELEMENTS(backends));
}

WiceWgBackend *wice__wg_inprocess(WiceWg *wg, WiceWgBackend *(*make)(void))
{
	g_mutex_lock(&wg->inprocess_mutex);
	if (wice__wg_first(wg) > 0) {
		wg->backends[0] = make();
		g_atomic_int_set(&wg->first, 0);
	}
	g_mutex_unlock(&wg->inprocess_mutex);
	return wg->backends[0];
}

WiceWg *wice__wg_ref(WiceWg *wg)
{
	g_atomic_ref_count_inc(&wg->refs);
	return wg;
}

void wice_wg_free(WiceWg *wg)
{
	if (!wg || !g_atomic_ref_count_dec(&wg->refs))
		return;
	for (size_t i = wice__wg_first(wg); i < wg->n_backends; i++)
		wg->backends[i]->ops->free(wg->backends[i]);
	g_free(wg->backends);
	g_mutex_clear(&wg->inprocess_mutex);
	g_array_unref(wg->observers);
	g_mutex_clear(&wg->observers_mutex);
	wice__thread_pool_free(wg->threads);
	g_free(wg);
}

void wice__wg_observe(WiceWg *wg, WiceWgObserver observer, void *user_data)
{
	Observer entry = { .func = observer, .user_data = user_data };
	g_mutex_lock(&wg->observers_mutex);
	g_array_append_val(wg->observers, entry);
	g_mutex_unlock(&wg->observers_mutex);
}

void wice__wg_unobserve(WiceWg *wg, void *user_data)
{
	g_mutex_lock(&wg->observers_mutex);
	for (guint i = wg->observers->len; i-- > 0;) {
		if (g_array_index(wg->observers, Observer, i).user_data == user_data)
			g_array_remove_index(wg->observers, i);
	}
	g_mutex_unlock(&wg->observers_mutex);
}

void wice__wg_changed(WiceWg *wg, const char *name)
{
	g_mutex_lock(&wg->observers_mutex);
	for (guint i = 0; i < wg->observers->len; i++) {
		const Observer *observer = &g_array_index(wg->observers, Observer, i);
		observer->func(name, observer->user_data);
	}
	g_mutex_unlock(&wg->observers_mutex);
}

static gint compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, drops repetitions and turns the array into a NULL-terminated vector. */
static char **take_names(GPtrArray *names)
{
	g_ptr_array_sort(names, compare_names);
	for (guint i = 1; i < names->len;) {
		if (strcmp(names->pdata[i - 1], names->pdata[i]) == 0)
			g_ptr_array_remove_index(names, i);
		else
			i++;
	}
	g_ptr_array_add(names, NULL);
	return (char **)g_ptr_array_free(names, FALSE);
}

/*
 * Without the right to see the devices of one kind, those of the others can be listed all the same;
 * it will not come by trying again. Everything else is an error, lest devices that are there seem
 * to have gone.
 */
static int list_all(WiceWg *wg, GPtrArray *names, GPtrArray *problems, int64_t deadline_ms)
{
	size_t first = wice__wg_first(wg), n_refused = 0;
	int refusal = 0;
	for (size_t i = first; i < wg->n_backends; i++) {
		WiceWgBackend *backend = wg->backends[i];
		int r = backend->ops->list(backend, names, problems, deadline_ms);
		if (r == -EPERM || r == -EACCES) {
			g_autoptr(GError) error = NULL;
			wice__wg_fail(&error, r, WICE_WG_LIST, "");
			if (problems)
				g_ptr_array_add(problems, g_strdup(error->message));
			refusal = r;
			n_refused++;
		} else if (r < 0) {
			return r;
		}
	}
	return n_refused < wg->n_backends - first ? 0 : refusal;
}

char **wice_wg_list(WiceWg *wg, char ***ret_problems, GError **error)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) problems = g_ptr_array_new_with_free_func(g_free);
	int r = list_all(wg, names, ret_problems ? problems : NULL,
			 wice__now_ms() + LIST_TIMEOUT_MS);
	if (r < 0) {
		wice__wg_fail(error, r, WICE_WG_LIST, "");
		return NULL;
	}
	if (ret_problems)
		*ret_problems = take_names(g_steal_pointer(&problems));
	return take_names(g_steal_pointer(&names));
}

static int get_from(WiceWg *wg, const char *name, int64_t deadline_ms, WiceDevice **ret)
{
	int r = -ENODEV;
	for (size_t i = wice__wg_first(wg); i < wg->n_backends && r == -ENODEV; i++)
		r = wg->backends[i]->ops->get(wg->backends[i], name, deadline_ms, ret);
	return r;
}

WiceDevice *wice_wg_get(WiceWg *wg, const char *name, unsigned timeout_ms, GError **error)
{
	WiceDevice *device = NULL;
	if (!wice__wg_check_name(name, error))
		return NULL;
	int r = get_from(wg, name, wice__now_ms() + timeout_ms, &device);
	if (r < 0)
		wice__wg_fail(error, r, WICE_WG_GET, name);
	return device;
}

/* Says the same without taking single allowed IPs away. */
static int set_whole_lists(WiceWgBackend *backend, const char *name, const WicePlan *plan,
			   int64_t deadline_ms)
{
	g_autoptr(WiceDevice) device = NULL;
	int r = backend->ops->get(backend, name, deadline_ms, &device);
	if (r < 0)
		return r;
	g_autoptr(WiceWholeLists) lists = wice__whole_lists_new(plan, device);
	const WiceDeviceChange *change = wice__whole_lists_change(lists);
	if (!change->fields && !change->flags && change->n_peers == 0)
		return 0;
	return backend->ops->set(backend, name, change, deadline_ms);
}

static int set_on(WiceWg *wg, const char *name, const WicePlan *plan, int64_t deadline_ms)
{
	int r = -ENODEV;
	for (size_t i = wice__wg_first(wg); i < wg->n_backends && r == -ENODEV; i++) {
		WiceWgBackend *backend = wg->backends[i];
		r = backend->ops->set(backend, name, wice_plan_change(plan), deadline_ms);
		if (r == -ENOPROTOOPT)
			return set_whole_lists(backend, name, plan, deadline_ms);
	}
	return r;
}

gboolean wice_wg_set(WiceWg *wg, const char *name, const WicePlan *plan, unsigned timeout_ms,
		     GError **error)
{
	if (!wice__wg_check_name(name, error))
		return FALSE;
	if (wice_plan_is_empty(plan))
		return TRUE;
	int r = set_on(wg, name, plan, wice__now_ms() + timeout_ms);
	if (r < 0)
		return wice__wg_fail(error, r, WICE_WG_SET, name);
	wice__wg_changed(wg, name);
	return TRUE;
}

static bool is_address(const WiceEndpoint *endpoint)
{
	uint8_t family = endpoint->address.family;
	return (family == WICE_FAMILY_IPV4 || family == WICE_FAMILY_IPV6) && endpoint->port != 0;
}

static gboolean check_update(const WicePeerUpdate *update, GError **error)
{
	char text[WICE_ENDPOINT_SIZE];
	if (!wice__options_understood(update, update->size, sizeof *update)) {
		g_set_error(
			error, WICE_ERROR, WICE_ERROR_INVALID,
			"The size of the peer update is wrong, or it asks for what this version "
			"of libwice does not know; set it to sizeof(WicePeerUpdate).");
		return FALSE;
	}
	if (update->set_endpoint && !is_address(&update->endpoint)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "%s cannot be the endpoint of a peer: it needs an address and a port, "
			    "and WireGuard cannot unset an endpoint.",
			    wice_endpoint_format(&update->endpoint, text));
		return FALSE;
	}
	return TRUE;
}

gboolean wice_wg_update_peer(WiceWg *wg, const char *name, const WicePeerUpdate *update,
			     unsigned timeout_ms, GError **error)
{
	if (!wice__wg_check_name(name, error) || !check_update(update, error))
		return FALSE;
	WicePeerChange peer = {
		.flags = WICE_PEER_CHANGE_UPDATE_ONLY,
		.fields = (update->set_endpoint ? WICE_PEER_HAS_ENDPOINT : 0u) |
			  (update->set_keepalive ? WICE_PEER_HAS_KEEPALIVE : 0u),
		.public_key = update->public_key,
		.endpoint = update->endpoint,
		.keepalive_s = update->keepalive_s,
	};
	WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, error);
	return plan && wice_wg_set(wg, name, plan, timeout_ms, error);
}
