/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The control thread: handshakes that came in, timers, and what becomes of the interface. */
#include "engine/engine_private.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_INBOX 4096
#define LOADED_INBOX (MAX_INBOX / 8) /* from here on we are under load */
#define LOADED_MS 1000               /* and stay it for so long */
#define MESSAGES_PER_TURN 64

typedef struct {
	WiceBindPath path;
	uint32_t length;
	uint8_t data[WICE_MESSAGE_MAX_HANDSHAKE];
} WiceInboxMessage;

static int64_t clock_ns(clockid_t clock)
{
	struct timespec time;
	clock_gettime(clock, &time);
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

WiceNow wice__engine_now(void)
{
	return (WiceNow){ clock_ns(CLOCK_BOOTTIME) / 1000000, clock_ns(CLOCK_REALTIME) };
}

void wice__engine_wake(WiceEngine *engine)
{
	eventfd_write(engine->wake_fd, 1);
}

void wice__engine_put_handshake(const uint8_t *data, size_t length, const WiceBindPath *path,
				void *user_data)
{
	WiceEngine *engine = user_data;
	WiceInbox *inbox = &engine->inbox;
	WiceInboxMessage *message;
	if (length > sizeof message->data)
		return;
	g_mutex_lock(&inbox->mutex);
	guint before = inbox->messages.length;
	if (before < MAX_INBOX) {
		message = g_new(WiceInboxMessage, 1);
		message->path = *path;
		message->length = (uint32_t)length;
		memcpy(message->data, data, length);
		g_queue_push_tail(&inbox->messages, message);
	} else {
		inbox->overloaded++;
	}
	g_mutex_unlock(&inbox->mutex);
	if (before == 0)
		wice__engine_wake(engine);
}

/* The oldest message, or NULL; the caller owns it. */
static WiceInboxMessage *take(WiceInbox *inbox, WiceNow now, bool *ret_under_load)
{
	g_mutex_lock(&inbox->mutex);
	if (inbox->messages.length >= LOADED_INBOX)
		inbox->load_until_ms = now.ms + LOADED_MS;
	*ret_under_load = now.ms < inbox->load_until_ms;
	WiceInboxMessage *message = g_queue_pop_head(&inbox->messages);
	g_mutex_unlock(&inbox->mutex);
	return message;
}

/* Works for a while. True if there is more. */
static bool read_handshakes(WiceEngine *engine)
{
	for (int i = 0; i < MESSAGES_PER_TURN; i++) {
		WiceNow now = wice__engine_now();
		bool under_load;
		WiceInboxMessage *message = take(&engine->inbox, now, &under_load);
		if (!message)
			return false;
		wice__core_handshake(engine->core, message->data, message->length, &message->path,
				     under_load, now);
		g_free(message);
	}
	return true;
}

static void turn(void *user_data)
{
	WiceEngine *engine = user_data;
	bool more = read_handshakes(engine);
	WiceNow now = wice__engine_now();
	int64_t next = wice__core_timers(engine->core, now);
	if (more)
		next = now.ms;
	wice__timer_set(engine->timer,
			next == INT64_MAX ? INT64_MAX : wice__now_ms() + MAX(next - now.ms, 0));
}

static void on_wake(int fd, GIOCondition condition, void *user_data)
{
	WiceEngine *engine = user_data;
	eventfd_t count;
	eventfd_read(fd, &count);
	if (engine->quitting)
		g_main_loop_quit(engine->loop);
	else
		turn(engine);
}

static void on_link(bool up, uint32_t mtu, bool gone, void *user_data)
{
	WiceEngine *engine = user_data;
	if (gone)
		wice__engine_lost(engine);
	else
		wice__engine_link_changed(engine, up, mtu);
}

static gpointer run(gpointer user_data)
{
	WiceEngine *engine = user_data;
	g_main_context_push_thread_default(engine->control);
	g_main_loop_run(engine->loop);
	g_main_context_pop_thread_default(engine->control);
	return NULL;
}

int wice__engine_start_control(WiceEngine *engine)
{
	engine->control = g_main_context_new();
	engine->loop = g_main_loop_new(engine->control, FALSE);
	engine->timer = wice__timer_new(engine->control, turn, engine);
	engine->wake =
		wice__fd_watch_new(engine->control, engine->wake_fd, G_IO_IN, on_wake, engine);
	if (!engine->has_callbacks)
		wice__tun_link_new(engine->control, engine->name,
				   engine->tun->ops->poll_fd(engine->tun, 0), on_link, engine,
				   &engine->link);
	engine->control_thread = g_thread_try_new("wice-control", run, engine, NULL);
	return engine->control_thread ? 0 : -EAGAIN;
}

void wice__engine_stop_control(WiceEngine *engine)
{
	if (engine->control_thread) {
		/* Not g_main_loop_quit() here: the loop may not run yet, and would not hear it. */
		engine->quitting = true;
		wice__engine_wake(engine);
		g_thread_join(engine->control_thread);
	}
	wice__tun_link_free(engine->link);
	wice__fd_watch_free(engine->wake);
	wice__timer_free(engine->timer);
	g_main_loop_unref(engine->loop);
	g_main_context_unref(engine->control);
}

/* What the core asks for. */

static void on_send(WiceBindPath *path, const WiceBindPacket *packets, size_t n, void *user_data)
{
	WiceEngine *engine = user_data;
	g_mutex_lock(&engine->send_lock);
	if (engine->bind_open)
		engine->bind->ops->send(engine->bind, path, packets, n);
	g_mutex_unlock(&engine->send_lock);
}

static void on_route(const WiceEndpoint *remote, WiceBindPath *ret_path, void *user_data)
{
	WiceEngine *engine = user_data;
	*ret_path = (WiceBindPath){ .remote = *remote }; /* until it is up */
	g_mutex_lock(&engine->send_lock);
	if (engine->bind_open)
		engine->bind->ops->route(engine->bind, remote, ret_path);
	g_mutex_unlock(&engine->send_lock);
}

static void on_authenticated(const WiceBindPath *path, const WiceKey *peer, void *user_data)
{
	WiceEngine *engine = user_data;
	g_mutex_lock(&engine->send_lock);
	if (engine->bind_open && engine->bind->ops->authenticated)
		engine->bind->ops->authenticated(engine->bind, path, peer);
	g_mutex_unlock(&engine->send_lock);
}

static void on_random(void *bytes, size_t n, void *user_data)
{
	randombytes_buf(bytes, n);
}

static void on_event(WiceEngineEventType type, const WiceKey *peer, void *user_data)
{
	wice__engine_emit(user_data, type, peer);
}

const WiceCoreHooks wice__engine_hooks = {
	.send = on_send,
	.route = on_route,
	.authenticated = on_authenticated,
	.random = on_random,
	.event = on_event,
};
