/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread is born into the network namespace of its parent, and entering another one needs
 * privileges. So there is a room for each namespace that somebody calls from: its threads were
 * made by callers in that namespace and do only the tasks of callers in it. A room exists as long
 * as it has threads, and tasks wait only where there are threads.
 */
#include "wg/thread_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>

#define THREADS_MAX 32

struct WiceThreadPool {
	gatomicrefcount refs; /* the owner's and each thread's */
	GMutex mutex;
	GPtrArray *rooms;
};

typedef struct {
	ino_t namespace;
	unsigned n_threads;
	GQueue tasks;
} Room;

typedef struct {
	void (*func)(void *data);
	void *data;
} Task;

typedef struct {
	WiceThreadPool *pool;
	Room *room;
	Task *task; /* the first one */
} Worker;

WiceThreadPool *wice__thread_pool_new(void)
{
	WiceThreadPool *pool = g_new0(WiceThreadPool, 1);
	g_atomic_ref_count_init(&pool->refs);
	g_mutex_init(&pool->mutex);
	pool->rooms = g_ptr_array_new_with_free_func(g_free);
	return pool;
}

void wice__thread_pool_free(WiceThreadPool *pool)
{
	if (!g_atomic_ref_count_dec(&pool->refs))
		return;
	g_ptr_array_unref(pool->rooms);
	g_mutex_clear(&pool->mutex);
	g_free(pool);
}

/* Where /proc is missing all namespaces are one. */
static ino_t current_namespace(void)
{
	struct stat status;
	return stat("/proc/thread-self/ns/net", &status) == 0 ? status.st_ino : 0;
}

static Room *find_room(WiceThreadPool *pool, ino_t namespace)
{
	for (guint i = 0; i < pool->rooms->len; i++) {
		Room *room = pool->rooms->pdata[i];
		if (room->namespace == namespace)
			return room;
	}
	Room *room = g_new0(Room, 1);
	room->namespace = namespace;
	g_queue_init(&room->tasks);
	g_ptr_array_add(pool->rooms, room);
	return room;
}

/* NULL: the thread shall end. */
static Task *next_task(WiceThreadPool *pool, Room *room)
{
	g_mutex_lock(&pool->mutex);
	Task *task = g_queue_pop_head(&room->tasks);
	if (!task && --room->n_threads == 0)
		g_ptr_array_remove_fast(pool->rooms, room);
	g_mutex_unlock(&pool->mutex);
	return task;
}

static gpointer work(gpointer data)
{
	Worker *worker = data;
	for (Task *task = worker->task; task; task = next_task(worker->pool, worker->room)) {
		task->func(task->data);
		g_free(task);
	}
	wice__thread_pool_free(worker->pool);
	g_free(worker);
	return NULL;
}

/* A new thread inherits the mask. */
int wice__thread_start(const char *name, GThreadFunc func, void *data)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	GThread *thread = g_thread_try_new(name, func, data, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!thread)
		return -EAGAIN;
	g_thread_unref(thread);
	return 0;
}

static bool add_thread(WiceThreadPool *pool, Room *room, Task *task)
{
	Worker *worker = g_new0(Worker, 1);
	worker->pool = pool;
	worker->room = room;
	worker->task = task;
	g_atomic_ref_count_inc(&pool->refs);
	if (wice__thread_start("wice", work, worker) < 0) {
		(void)g_atomic_ref_count_dec(&pool->refs);
		g_free(worker);
		return false;
	}
	room->n_threads++;
	return true;
}

int wice__thread_pool_run(WiceThreadPool *pool, void (*func)(void *data), void *data)
{
	int r = 0;
	Task *task = g_new0(Task, 1);
	task->func = func;
	task->data = data;
	ino_t namespace = current_namespace();
	g_mutex_lock(&pool->mutex);
	Room *room = find_room(pool, namespace);
	bool taken = room->n_threads < THREADS_MAX && add_thread(pool, room, task);
	if (!taken && room->n_threads > 0) {
		g_queue_push_tail(&room->tasks, task);
	} else if (!taken) {
		g_ptr_array_remove_fast(pool->rooms, room);
		g_free(task);
		r = -EAGAIN;
	}
	g_mutex_unlock(&pool->mutex);
	return r;
}
