/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_target.h"

#include "control/server.h"
#include "control/target.h"
#include "event/source.h"

#include <wice/error.h>

typedef struct {
	WiceCancel *cancel;
	WiceWaitFunc callback;
	void *user_data;
	GDestroyNotify destroy;
	WiceTimer *timer;
	int64_t deadline;
	gboolean is_fulfilled;
	FakeDaemon *daemon;
} Wait;

/* What is below the lock belongs to both threads, the rest to the server's. */
struct FakeDaemon {
	GThread *thread;
	GMainContext *context;
	WiceControlServer *server;
	WiceEventHandler handler;
	void *handler_data;
	Wait *wait; /* the newest */
	gboolean quit;

	GMutex lock;
	WiceStatus *status;
	GString *calls;
	gboolean stopped;
};

static void note(FakeDaemon *daemon, const char *what, const char *interface, const WiceKey *peer)
{
	char key[WICE_KEY_BASE64_SIZE] = "-";
	if (peer)
		wice_key_to_base64(peer, key);
	g_mutex_lock(&daemon->lock);
	g_string_append_printf(daemon->calls, "%s %s %s\n", what, interface ? interface : "-", key);
	g_mutex_unlock(&daemon->lock);
}

static WiceStatus *target_status(void *self)
{
	FakeDaemon *daemon = self;
	g_mutex_lock(&daemon->lock);
	WiceStatus *status = wice_status_ref(daemon->status);
	g_mutex_unlock(&daemon->lock);
	return status;
}

/* The name of the interface decides how the fake fails. */
static gboolean answer(const char *interface, GError **error)
{
	static const struct {
		const char *name;
		WiceErrorCode code;
	} failures[] = {
		{ "invalid", WICE_ERROR_INVALID },
		{ "missing", WICE_ERROR_NOT_FOUND },
		{ "exists", WICE_ERROR_EXISTS },
		{ "busy", WICE_ERROR_BUSY },
		{ "forbidden", WICE_ERROR_PERMISSION },
		{ "unsupported", WICE_ERROR_UNSUPPORTED },
		{ "late", WICE_ERROR_TIMEOUT },
		{ "cancelled", WICE_ERROR_CANCELLED },
		{ "io", WICE_ERROR_IO },
		{ "failed", WICE_ERROR_FAILED },
	};
	for (gsize i = 0; interface && i < G_N_ELEMENTS(failures); i++) {
		if (g_str_equal(interface, failures[i].name)) {
			g_set_error(error, WICE_ERROR, (int)failures[i].code,
				    "The fake says %s: 100 %% «sure».", interface);
			return FALSE;
		}
	}
	return TRUE;
}

static gboolean target_restart_peer(void *self, const char *interface, const WiceKey *peer,
				    GError **error)
{
	note(self, "restart", interface, peer);
	return answer(interface, error);
}

static gboolean target_set_mechanism(void *self, const char *interface, WiceMechanism mechanism,
				     GError **error)
{
	note(self, wice_mechanism_name(mechanism), interface, NULL);
	return answer(interface, error);
}

static gboolean target_sync(void *self, const char *interface, GError **error)
{
	note(self, "sync", interface, NULL);
	return answer(interface, error);
}

static gboolean target_add_interface(void *self, const char *pattern, GError **error)
{
	note(self, "add", pattern, NULL);
	return answer(pattern, error);
}

static gboolean target_remove_interface(void *self, const char *pattern, GError **error)
{
	note(self, "remove", pattern, NULL);
	return answer(pattern, error);
}

static gboolean target_create_interface(void *self, const char *name, GError **error)
{
	note(self, "create", name, NULL);
	return answer(name, error);
}

static gboolean target_delete_interface(void *self, const char *name, GError **error)
{
	note(self, "delete", name, NULL);
	return answer(name, error);
}

static void end_wait(Wait *wait, const GError *error)
{
	if (wait->daemon->wait == wait)
		wait->daemon->wait = NULL;
	wice__timer_free(wait->timer);
	wait->callback(error, wait->user_data);
	wait->destroy(wait->user_data);
	wice_cancel_unref(wait->cancel);
	g_free(wait);
}

#define LOOK_AGAIN_MS 5

static void on_look(void *user_data)
{
	Wait *wait = user_data;
	g_autoptr(GError) error = NULL;
	if (wice_cancel_is_cancelled(wait->cancel)) {
		note(wait->daemon, "cancelled", NULL, NULL);
		error = g_error_new_literal(WICE_ERROR, WICE_ERROR_CANCELLED, "Cancelled.");
		end_wait(wait, error);
	} else if (wait->is_fulfilled) {
		end_wait(wait, NULL);
	} else if (wice__now_ms() >= wait->deadline) {
		error = g_error_new_literal(WICE_ERROR, WICE_ERROR_TIMEOUT, "The fake is late.");
		end_wait(wait, error);
	} else {
		wice__timer_set(wait->timer, wice__now_ms() + LOOK_AGAIN_MS);
	}
}

static void target_wait(void *self, const char *interface, const WiceKey *peer, WicePeerState state,
			unsigned timeout_ms, WiceCancel *cancel, WiceWaitFunc callback,
			void *user_data, GDestroyNotify destroy)
{
	FakeDaemon *daemon = self;
	Wait *wait = g_new0(Wait, 1);
	wait->daemon = daemon;
	wait->cancel = wice_cancel_ref(cancel);
	wait->callback = callback;
	wait->user_data = user_data;
	wait->destroy = destroy;
	wait->deadline = timeout_ms ? wice__now_ms() + timeout_ms : INT64_MAX;
	wait->timer = wice__timer_new(daemon->context, on_look, wait);
	wice__timer_set(wait->timer, wice__now_ms());
	daemon->wait = wait;
	note(daemon, "wait", interface, peer);
	note(daemon, wice_state_name(state), NULL, NULL);
}

static void target_set_event_handler(void *self, WiceEventHandler handler, void *user_data)
{
	FakeDaemon *daemon = self;
	daemon->handler = handler;
	daemon->handler_data = user_data;
}

static const WiceControlTargetOps ops = {
	.status = target_status,
	.restart_peer = target_restart_peer,
	.set_mechanism = target_set_mechanism,
	.sync = target_sync,
	.add_interface = target_add_interface,
	.remove_interface = target_remove_interface,
	.create_interface = target_create_interface,
	.delete_interface = target_delete_interface,
	.wait = target_wait,
	.set_event_handler = target_set_event_handler,
};

static void on_stop(void *user_data)
{
	FakeDaemon *daemon = user_data;
	g_mutex_lock(&daemon->lock);
	daemon->stopped = TRUE;
	g_mutex_unlock(&daemon->lock);
}

static gpointer serve(gpointer user_data)
{
	FakeDaemon *daemon = user_data;
	g_main_context_push_thread_default(daemon->context);
	while (!daemon->quit)
		g_main_context_iteration(daemon->context, TRUE);
	wice_control_server_free(daemon->server);
	/* Freeing cancels what is waited for. */
	while (daemon->wait)
		g_main_context_iteration(daemon->context, TRUE);
	g_main_context_pop_thread_default(daemon->context);
	return NULL;
}

static void daemon_free(FakeDaemon *daemon)
{
	g_main_context_unref(daemon->context);
	wice_status_unref(daemon->status);
	g_string_free(daemon->calls, TRUE);
	g_mutex_clear(&daemon->lock);
	g_free(daemon);
}

FakeDaemon *fake_daemon_new(const char *path, GError **error)
{
	FakeDaemon *daemon = g_new0(FakeDaemon, 1);
	g_mutex_init(&daemon->lock);
	daemon->context = g_main_context_new();
	daemon->status = fake_status();
	daemon->calls = g_string_new(NULL);
	daemon->server = wice__control_server_new(daemon->context, &ops, daemon, path, on_stop,
						  daemon, error);
	if (!daemon->server) {
		daemon_free(daemon);
		return NULL;
	}
	daemon->thread = g_thread_new("fake daemon", serve, daemon);
	return daemon;
}

static gboolean quit(gpointer user_data)
{
	FakeDaemon *daemon = user_data;
	daemon->quit = TRUE;
	return G_SOURCE_REMOVE;
}

void fake_daemon_free(FakeDaemon *daemon)
{
	g_main_context_invoke(daemon->context, quit, daemon);
	g_thread_join(daemon->thread);
	daemon_free(daemon);
}

void fake_daemon_set_status(FakeDaemon *daemon, const WiceStatusInfo *info)
{
	g_mutex_lock(&daemon->lock);
	wice_status_unref(daemon->status);
	daemon->status = wice_status_new(info);
	g_mutex_unlock(&daemon->lock);
}

typedef struct {
	FakeDaemon *daemon;
	const WiceEvent *event;
	gboolean done;
} Emission;

static gboolean emit(gpointer user_data)
{
	Emission *emission = user_data;
	FakeDaemon *daemon = emission->daemon;
	daemon->handler(emission->event, daemon->handler_data);
	g_atomic_int_set(&emission->done, TRUE);
	return G_SOURCE_REMOVE;
}

void fake_daemon_emit(FakeDaemon *daemon, const WiceEvent *event)
{
	Emission emission = { .daemon = daemon, .event = event };
	g_main_context_invoke(daemon->context, emit, &emission);
	while (!g_atomic_int_get(&emission.done))
		g_thread_yield();
}

char *fake_daemon_take_calls(FakeDaemon *daemon)
{
	g_mutex_lock(&daemon->lock);
	char *calls = g_strdup(daemon->calls->str);
	g_string_truncate(daemon->calls, 0);
	g_mutex_unlock(&daemon->lock);
	return calls;
}

static gboolean fulfil(gpointer user_data)
{
	FakeDaemon *daemon = user_data;
	if (daemon->wait)
		daemon->wait->is_fulfilled = TRUE;
	return G_SOURCE_REMOVE;
}

void fake_daemon_fulfil_wait(FakeDaemon *daemon)
{
	g_main_context_invoke(daemon->context, fulfil, daemon);
}

gboolean fake_daemon_is_stopped(FakeDaemon *daemon)
{
	g_mutex_lock(&daemon->lock);
	gboolean stopped = daemon->stopped;
	g_mutex_unlock(&daemon->lock);
	return stopped;
}
