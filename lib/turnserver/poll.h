/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_POLL_H
#define WICE_TURNSERVER_POLL_H

#include <glib.h>
#include <stdint.h>
#include <sys/epoll.h>

/*
 * Many descriptors behind one epoll descriptor: the main loop polls that one, however many ports
 * and connections there are.
 */
typedef struct WicePoll WicePoll;

/* Embedded as the first member of what a descriptor belongs to. */
typedef struct WicePolled WicePolled;
struct WicePolled {
	int fd; /* -1: has been removed */
	/* It is readable or so (EPOLLIN, ...), and will be again as long as it is left so. */
	void (*ready)(WicePolled *polled, uint32_t events, void *user_data);
};

/*
 * rest is called when all that were ready have been; then the main loop gets its turn, or more are
 * looked at. It is also the moment at which user_data may be freed with the poll. -errno.
 */
int wice__poll_new(GMainContext *context, void (*rest)(void *user_data), void *user_data,
		   WicePoll **ret_poll);
/*
 * All descriptors must have been removed. From a callback it takes effect after it. NULL is fine.
 */
void wice__poll_free(WicePoll *poll);

/* Begins to look at polled->fd. -errno. */
int wice__poll_add(WicePoll *poll, WicePolled *polled, uint32_t events);
/* Looks for other events. */
void wice__poll_change(WicePoll *poll, WicePolled *polled, uint32_t events);
/*
 * Looks no longer, and frees it once nobody can be at it any more (free NULL: not at all). Does not
 * close the descriptor, but forgets it: polled->fd is -1 afterwards.
 */
void wice__poll_remove(WicePoll *poll, WicePolled *polled, GDestroyNotify free);

#endif
