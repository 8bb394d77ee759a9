/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The descriptor is an epoll descriptor with two others in it: that of the polled context, which
 * may be replaced, and a timer's, which stands for the timeout.
 */
#include "event/context_fd.h"

#include "event/polled_context.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct WiceContextFd {
	WicePolledContext *polled;
	unsigned generation; /* of the polled context's descriptor that is in the set */
	int epoll_fd, timer_fd;
	int64_t deadline_us; /* of the timer, -1: none */
	bool running, freed;
};

static bool add(const WiceContextFd *self, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };
	return epoll_ctl(self->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Setting the timer also takes back that it has expired. */
static void set_timer(WiceContextFd *self, int64_t deadline_us)
{
	struct itimerspec timer = { 0 };
	if (deadline_us >= 0) {
		int64_t time = MAX(deadline_us, 1); /* 0 would be never */
		timer.it_value.tv_sec = time / G_USEC_PER_SEC;
		timer.it_value.tv_nsec = time % G_USEC_PER_SEC * 1000;
	}
	timerfd_settime(self->timer_fd, TFD_TIMER_ABSTIME, &timer, NULL);
	self->deadline_us = deadline_us;
}

/* The same time comes out with up to a millisecond of difference, since timeouts are rounded up. */
static void set_timeout(WiceContextFd *self, int timeout)
{
	int64_t now = g_get_monotonic_time();
	int64_t deadline = timeout < 0 ? -1 : now + (int64_t)timeout * 1000;
	bool same = deadline < 0
			    ? self->deadline_us < 0
			    : self->deadline_us > now && ABS(deadline - self->deadline_us) < 1000;
	if (!same)
		set_timer(self, deadline);
}

/* A descriptor that has been replaced was closed, which took it out of the set. */
static void follow(WiceContextFd *self, int timeout)
{
	unsigned generation = wice__polled_context_generation(self->polled);
	int fd = wice__polled_context_fd(self->polled);
	if (generation != self->generation && (fd < 0 || add(self, fd)))
		self->generation = generation;
	set_timeout(self, timeout);
}

static bool is_readable(int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	return poll(&pollfd, 1, 0) > 0;
}

static void dispose(WiceContextFd *self)
{
	wice__polled_context_free(self->polled);
	if (self->epoll_fd >= 0)
		close(self->epoll_fd);
	if (self->timer_fd >= 0)
		close(self->timer_fd);
	g_free(self);
}

void wice__context_fd_run(WiceContextFd *self)
{
	if (self->running)
		return;
	self->running = true;
	bool told = is_readable(wice__polled_context_fd(self->polled));
	int timeout = wice__polled_context_run(self->polled, told);
	self->running = false;
	if (self->freed)
		dispose(self);
	else
		follow(self, timeout);
}

int wice__context_fd_new(WiceContextFd **ret_context)
{
	WicePolledContext *polled;
	int r = wice__polled_context_new(&polled);
	if (r < 0)
		return r;
	WiceContextFd *self = g_new0(WiceContextFd, 1);
	self->polled = polled;
	self->deadline_us = -1;
	self->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	self->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (self->epoll_fd < 0 || self->timer_fd < 0 || !add(self, self->timer_fd)) {
		r = -errno;
		dispose(self);
		return r;
	}
	follow(self, -1);
	*ret_context = self;
	return 0;
}

void wice__context_fd_free(WiceContextFd *context)
{
	if (!context)
		return;
	context->freed = true;
	wice__polled_context_stop(context->polled);
	if (!context->running)
		dispose(context);
}

GMainContext *wice__context_fd_inner(WiceContextFd *context)
{
	return wice__polled_context_inner(context->polled);
}

int wice__context_fd_get(const WiceContextFd *context)
{
	return context->epoll_fd;
}
