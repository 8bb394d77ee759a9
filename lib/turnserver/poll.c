/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turnserver/poll.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "event/source.h"

#define MAX_EVENTS 64
/* Rounds before the main loop gets its turn: at 64 packets each, about a millisecond. */
#define MAX_ROUNDS 16

typedef struct {
	void *object;
	GDestroyNotify free;
} Retired;

struct WicePoll {
	int fd;
	WiceFdWatch *watch;
	void (*rest)(void *user_data);
	void *user_data;
	GArray *retired; /* Retired: an event of this round may still name them */
	bool dispatching;
	bool freed;
};

static void free_retired(WicePoll *poll)
{
	for (guint i = 0; i < poll->retired->len; i++) {
		const Retired *retired = &g_array_index(poll->retired, Retired, i);
		retired->free(retired->object);
	}
	g_array_set_size(poll->retired, 0);
}

static int dispatch_round(WicePoll *poll)
{
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(poll->fd, events, MAX_EVENTS, 0);
	for (int i = 0; i < n; i++) {
		WicePolled *polled = events[i].data.ptr;
		if (polled->fd >= 0)
			polled->ready(polled, events[i].events, poll->user_data);
	}
	if (n > 0 && !poll->freed)
		poll->rest(poll->user_data);
	free_retired(poll);
	return n;
}

/*
 * A round that was not full has seen all there was when it began; asking again at once would mostly
 * find nothing, for the price of a system call.
 */
static void dispatch(int fd, GIOCondition condition, void *user_data)
{
	WicePoll *poll = user_data;
	poll->dispatching = true;
	for (int round = 0; round < MAX_ROUNDS && !poll->freed; round++)
		if (dispatch_round(poll) < MAX_EVENTS)
			break;
	poll->dispatching = false;
	if (poll->freed)
		wice__poll_free(poll);
}

int wice__poll_new(GMainContext *context, void (*rest)(void *user_data), void *user_data,
		   WicePoll **ret_poll)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0)
		return -errno;
	WicePoll *poll = g_new0(WicePoll, 1);
	poll->fd = fd;
	poll->rest = rest;
	poll->user_data = user_data;
	poll->retired = g_array_new(FALSE, FALSE, sizeof(Retired));
	poll->watch = wice__fd_watch_new(context, fd, G_IO_IN, dispatch, poll);
	*ret_poll = poll;
	return 0;
}

void wice__poll_free(WicePoll *poll)
{
	if (!poll)
		return;
	poll->freed = true;
	if (poll->dispatching)
		return;
	free_retired(poll);
	g_array_unref(poll->retired);
	wice__fd_watch_free(poll->watch);
	close(poll->fd);
	g_free(poll);
}

int wice__poll_add(WicePoll *poll, WicePolled *polled, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = polled };
	return epoll_ctl(poll->fd, EPOLL_CTL_ADD, polled->fd, &event) < 0 ? -errno : 0;
}

void wice__poll_change(WicePoll *poll, WicePolled *polled, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = polled };
	epoll_ctl(poll->fd, EPOLL_CTL_MOD, polled->fd, &event);
}

void wice__poll_remove(WicePoll *poll, WicePolled *polled, GDestroyNotify free)
{
	Retired retired = { polled, free };
	if (polled->fd >= 0)
		epoll_ctl(poll->fd, EPOLL_CTL_DEL, polled->fd, NULL);
	polled->fd = -1;
	if (free)
		g_array_append_val(poll->retired, retired);
	if (free && !poll->dispatching)
		free_retired(poll);
}
