/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The threads that carry packets. Each reads until there is nothing more, hands a batch to its lane,
 * passes on what comes of it, and sleeps in poll(2).
 */
#include "engine/engine_private.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/offload.h"

struct WiceEngineThread {
	WiceEngine *engine;
	unsigned queue;
	WiceLane *lane;
	WicePacketArena arena; /* of outbound threads */
	GMutex turn;           /* who reads into it, and sends what is there */
	GThread *thread;
};

/* Sleeps until fd is readable; false: the threads are to end. */
static bool wait_for(const WiceEngine *engine, int fd)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
				{ .fd = engine->stop_fd, .events = POLLIN } };
	while (poll(fds, G_N_ELEMENTS(fds), -1) < 0 && errno == EINTR)
		;
	return !fds[1].revents;
}

static void report(WiceEngineThread *thread, WiceNow now)
{
	if (wice__lane_report(thread->lane, now))
		wice__engine_wake(thread->engine);
}

/* Seals and sends what is in the arena, and empties it. */
static void send_arena(WiceEngineThread *thread)
{
	WiceBind *bind = thread->engine->bind;
	const WiceLaneRun *runs;
	WiceNow now = wice__engine_now();
	size_t n = wice__lane_seal(thread->lane, thread->arena.packets, thread->arena.n, now.ms,
				   &runs);
	for (size_t i = 0; i < n; i++) {
		WiceBindPath path = runs[i].path;
		bind->ops->send(bind, &path, runs[i].packets, runs[i].n);
		if (path.local.family != runs[i].path.local.family)
			wice__lane_source_cleared(thread->lane, &runs[i]);
	}
	report(thread, now);
	wice__packet_arena_empty(&thread->arena);
}

/*
 * Reads until there is nothing more or the arena is full, and sends it. Returns what reading ended
 * with. The thread's turn is the caller's.
 */
static int pump(WiceEngineThread *thread)
{
	WiceTun *tun = thread->engine->tun;
	int r;
	do
		r = tun->ops->read(tun, thread->queue, &thread->arena);
	while (r == 0);
	if (thread->arena.n)
		send_arena(thread);
	return r;
}

static gpointer run_outbound(gpointer user_data)
{
	WiceEngineThread *thread = user_data;
	WiceEngine *engine = thread->engine;
	int fd = engine->tun->ops->poll_fd(engine->tun, thread->queue), r;
	do {
		g_mutex_lock(&thread->turn);
		r = pump(thread);
		g_mutex_unlock(&thread->turn);
		if (r == -EAGAIN && !wait_for(engine, fd))
			return NULL;
	} while (r == -EAGAIN || (r == -ENOBUFS && !engine->stopping));
	if (r != -ENOBUFS)
		wice__engine_lost(engine);
	return NULL;
}

/*
 * What was just written to the TUN device is often answered by the kernel before write(2) returns.
 * Sending the answer here, if the outbound thread sleeps, saves the time that it needs to wake up:
 * more than a third of what the tunnel adds to a ping. It is not stopped with packets in the spill,
 * which no poll(2) would tell of.
 */
static void send_answers(WiceEngineThread *outbound)
{
	int r;
	if (!g_mutex_trylock(&outbound->turn))
		return;
	do
		r = pump(outbound);
	while (r == -ENOBUFS && wice__offload_split_waits(&outbound->arena));
	g_mutex_unlock(&outbound->turn);
}

#define FEW_PACKETS 8 /* with more, both directions are busy */
#define DATAGRAMS 16

static gpointer run_inbound(gpointer user_data)
{
	WiceEngineThread *thread = user_data;
	WiceEngine *engine = thread->engine;
	WiceBind *bind = engine->bind;
	WiceTun *tun = engine->tun;
	int fd = bind->ops->poll_fd(bind, thread->queue);
	while (!engine->stopping) {
		WiceBindDatagram datagrams[DATAGRAMS];
		WicePacket *packets;
		WiceNow now;
		size_t n;
		int r = bind->ops->receive(bind, thread->queue, datagrams, DATAGRAMS);
		if (r == -EAGAIN && wait_for(engine, fd))
			continue;
		if (r <= 0) {
			if (r != -EAGAIN)
				wice__log(WICE_LOG_ERROR, engine->name,
					  "nothing is received any more: %s", g_strerror(-r));
			return NULL;
		}
		now = wice__engine_now();
		n = wice__lane_open(thread->lane, datagrams, (size_t)r, now.ms,
				    wice__engine_put_handshake, engine, &packets);
		/* Before the packets: the answer goes by the session and the path that they came by. */
		report(thread, now);
		if (n)
			tun->ops->write(tun, thread->queue, packets, n);
		if (n && n < FEW_PACKETS)
			send_answers(engine->threads->pdata[thread->queue]);
	}
	return NULL;
}

static int start(WiceEngine *engine, const char *name, GThreadFunc func, unsigned queue)
{
	WiceEngineThread *thread = g_new0(WiceEngineThread, 1);
	g_autoptr(GError) error = NULL;
	thread->engine = engine;
	thread->queue = queue;
	thread->lane = wice__lane_new(engine->core);
	g_mutex_init(&thread->turn);
	if (func == run_outbound)
		wice__packet_arena_init(&thread->arena, engine->mtu);
	g_ptr_array_add(engine->threads, thread);
	thread->thread = g_thread_try_new(name, func, thread, &error);
	return thread->thread ? 0 : -EAGAIN;
}

int wice__engine_start_threads(WiceEngine *engine, unsigned n_inbound)
{
	int r = 0;
	engine->n_inbound = n_inbound;
	/* The first ones, by their queues, for send_answers(). */
	for (unsigned i = 0; r == 0 && i < engine->tun->n_queues; i++)
		r = start(engine, "wice-outbound", run_outbound, i);
	for (unsigned i = 0; r == 0 && i < n_inbound; i++)
		r = start(engine, "wice-inbound", run_inbound, i);
	if (r < 0)
		wice__engine_stop_threads(engine);
	return r;
}

static void thread_free(WiceEngineThread *thread)
{
	wice__lane_free(thread->lane);
	wice__packet_arena_done(&thread->arena);
	g_mutex_clear(&thread->turn);
	g_free(thread);
}

void wice__engine_stop_threads(WiceEngine *engine)
{
	eventfd_t count;
	engine->stopping = true;
	eventfd_write(engine->stop_fd, 1);
	for (guint i = 0; i < engine->threads->len; i++) {
		WiceEngineThread *thread = engine->threads->pdata[i];
		if (thread->thread)
			g_thread_join(thread->thread);
	}
	for (guint i = 0; i < engine->threads->len; i++)
		thread_free(engine->threads->pdata[i]);
	g_ptr_array_set_size(engine->threads, 0);
	eventfd_read(engine->stop_fd, &count);
	engine->stopping = false;
}
