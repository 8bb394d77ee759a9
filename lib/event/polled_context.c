/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who polls sees an epoll descriptor with the inner context's descriptors in it, and the time of
 * the inner context's next timer. Between two runs the inner context is always in the state
 * "queried" of GLib's diagram:
 *
 *   +--> prepare --> query --> (somebody polls) --> poll --> check --> dispatch --+
 *   +-----------------------------------------------------------------------------+
 *
 * poll(2), with no timeout, on the few descriptors of the inner context tells which of them it was,
 * in the form that check wants. epoll_wait(2) is never called.
 *
 * G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING makes GLib signal the inner context's wake-up descriptor,
 * which is one of those in the epoll set, when a source is attached while nobody owns the context.
 *
 * Keeping the epoll set equal to the result of the query takes some care, since epoll watches
 * files and GLib numbers:
 *  - A closed descriptor leaves the set by itself and its number may come back as another file
 *    before the next query, which then looks like the last one. GLib signals the wake-up descriptor
 *    whenever descriptors are added or removed: only then, but always then, each one in the set is
 *    modified, which finds out (ENOENT).
 *  - A descriptor of which there is a duplicate somewhere does not leave the set when it is closed,
 *    cannot be removed from it any more, and stays ready for ever when it is. Then the epoll
 *    descriptor is ready although nothing that is asked for is: it is replaced.
 *  - What epoll does not take (a regular file, no memory) is looked at every UNWATCHED_MS.
 */
#include "event/polled_context.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define UNWATCHED_MS 20
#define ROOM_FIRST 16

G_STATIC_ASSERT((int)EPOLLIN == (int)G_IO_IN && (int)EPOLLPRI == (int)G_IO_PRI &&
		(int)EPOLLOUT == (int)G_IO_OUT);

typedef struct {
	GPollFD *fds; /* ascending */
	int n, room;
} FdSet;

struct WicePolledContext {
	GMainContext *inner;
	int wakeup_fd; /* the inner context's */
	int epoll_fd;  /* -1: there is none left to be had */
	unsigned generation;
	int priority;   /* from prepare, for check */
	FdSet wanted;   /* from query, for check */
	FdSet watched;  /* what has been put into epoll_fd */
	bool unwatched; /* something of wanted could not be */
	bool unarmed;   /* a callback is running, and what it changes is not known yet */
	bool stopped;
};

static int open_epoll(WicePolledContext *self)
{
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (self->epoll_fd < 0)
		return -errno;
	self->generation++;
	self->unwatched = false;
	return 0;
}

static void close_epoll(WicePolledContext *self)
{
	if (self->epoll_fd < 0)
		return;
	close(self->epoll_fd);
	self->generation++;
	self->epoll_fd = -1;
	self->watched.n = 0;
}

static void watch(WicePolledContext *self, const GPollFD *fd, int first, int error, int second)
{
	struct epoll_event event = { .events = fd->events };
	if (epoll_ctl(self->epoll_fd, first, fd->fd, &event) == 0)
		return;
	if (errno != error || epoll_ctl(self->epoll_fd, second, fd->fd, &event) < 0)
		self->unwatched = true;
}

static void copy_set(FdSet *to, const FdSet *from)
{
	if (to->room < from->n) {
		to->room = from->room;
		to->fds = g_renew(GPollFD, to->fds, to->room);
	}
	memcpy(to->fds, from->fds, (size_t)from->n * sizeof from->fds[0]);
	to->n = from->n;
}

/* suspicious: a number may stand for another file than it did. */
static void sync_epoll(WicePolledContext *self, bool suspicious)
{
	const FdSet *wanted = &self->wanted, *watched = &self->watched;
	if (self->epoll_fd < 0 && open_epoll(self) < 0) {
		self->unwatched = true;
		return;
	}
	bool changed = false;
	self->unwatched &= !suspicious;
	for (int i = 0, k = 0; i < wanted->n || k < watched->n;) {
		const GPollFD *want = i < wanted->n ? &wanted->fds[i] : NULL;
		const GPollFD *have = k < watched->n ? &watched->fds[k] : NULL;
		bool is_new = want && (!have || want->fd < have->fd);
		bool is_gone = have && (!want || have->fd < want->fd);
		bool differs = is_new || is_gone || want->events != have->events;
		if (is_new)
			watch(self, want, EPOLL_CTL_ADD, EEXIST, EPOLL_CTL_MOD);
		else if (is_gone)
			epoll_ctl(self->epoll_fd, EPOLL_CTL_DEL, have->fd, NULL);
		else if (differs || suspicious)
			watch(self, want, EPOLL_CTL_MOD, ENOENT, EPOLL_CTL_ADD);
		changed |= differs;
		i += !is_gone;
		k += !is_new;
	}
	if (changed)
		copy_set(&self->watched, wanted);
}

static int query(WicePolledContext *self)
{
	FdSet *set = &self->wanted;
	int timeout;
	g_main_context_prepare(self->inner, &self->priority);
	while ((set->n = g_main_context_query(self->inner, self->priority, &timeout, set->fds,
					      set->room)) > set->room) {
		set->room = MAX(2 * set->room, MAX(set->n, ROOM_FIRST));
		set->fds = g_renew(GPollFD, set->fds, set->room);
	}
	return timeout;
}

static int arm(WicePolledContext *self, int timeout, bool suspicious)
{
	sync_epoll(self, suspicious);
	if (self->unwatched)
		timeout = timeout < 0 ? UNWATCHED_MS : MIN(timeout, UNWATCHED_MS);
	self->unarmed = false;
	return timeout;
}

/* Returns how many are ready. */
static int poll_wanted(WicePolledContext *self, bool *ret_woken)
{
	FdSet *set = &self->wanted;
	int n_ready = g_poll(set->fds, (guint)set->n, 0);
	for (int i = 0; i < set->n; i++) {
		if (n_ready < 0)
			set->fds[i].revents = 0;
		else if (set->fds[i].fd == self->wakeup_fd && set->fds[i].revents)
			*ret_woken = true;
	}
	return n_ready;
}

/*
 * A source with a descriptor is taken out and put back by GLib while it is dispatched, which
 * signals the wake-up descriptor: the second turn takes note of that without another wake-up.
 */
int wice__polled_context_run(WicePolledContext *self, bool told)
{
	bool woken = false, again = true;
	int timeout = 0;
	g_return_val_if_fail(g_main_context_acquire(self->inner), -1);
	for (int turn = 0; turn < 2 && again && !self->stopped; turn++) {
		if (poll_wanted(self, &woken) == 0 && told && turn == 0)
			close_epoll(self);
		again = g_main_context_check(self->inner, self->priority, self->wanted.fds,
					     self->wanted.n);
		self->unarmed = true;
		if (again)
			g_main_context_dispatch(self->inner);
		timeout = query(self);
	}
	if (!self->stopped)
		timeout = arm(self, timeout, woken);
	g_main_context_release(self->inner);
	return timeout;
}

bool wice__polled_context_is_unarmed(const WicePolledContext *polled)
{
	return polled->unarmed;
}

void wice__polled_context_stop(WicePolledContext *polled)
{
	polled->stopped = true;
}

/* The inner context takes a descriptor too, and GLib does not survive without. */
static int spare_descriptor(const WicePolledContext *self)
{
	int spare = fcntl(self->epoll_fd, F_DUPFD_CLOEXEC, 0);
	if (spare < 0)
		return -errno;
	close(spare);
	return 0;
}

int wice__polled_context_new(WicePolledContext **ret_polled)
{
	WicePolledContext *self = g_new0(WicePolledContext, 1);
	int error = open_epoll(self);
	if (error == 0)
		error = spare_descriptor(self);
	if (error < 0) {
		wice__polled_context_free(self);
		return error;
	}
	self->inner = g_main_context_new_with_flags(G_MAIN_CONTEXT_FLAGS_OWNERLESS_POLLING);
	g_main_context_acquire(self->inner);
	int timeout = query(self);
	self->wakeup_fd = self->wanted.fds[0].fd; /* of a context without sources the only one */
	arm(self, timeout, false);
	g_main_context_release(self->inner);
	*ret_polled = self;
	return 0;
}

void wice__polled_context_free(WicePolledContext *polled)
{
	if (!polled)
		return;
	if (polled->epoll_fd >= 0)
		close(polled->epoll_fd);
	if (polled->inner)
		g_main_context_unref(polled->inner);
	g_free(polled->wanted.fds);
	g_free(polled->watched.fds);
	g_free(polled);
}

GMainContext *wice__polled_context_inner(WicePolledContext *polled)
{
	return polled->inner;
}

int wice__polled_context_fd(const WicePolledContext *polled)
{
	return polled->epoll_fd;
}

unsigned wice__polled_context_generation(const WicePolledContext *polled)
{
	return polled->generation;
}
