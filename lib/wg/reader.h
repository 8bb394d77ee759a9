/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_READER_H
#define WICE_WG_READER_H

#include "wg/backend.h"

#include <stdbool.h>

/*
 * Reads devices on a thread of its own, one at a time: one that hangs blocks nobody but those that
 * are read after it. The thread lives in the network namespace of the thread that made the reader.
 */
typedef struct WiceReader WiceReader;

typedef struct {
	const char *name;   /* "": the list of devices was read */
	WiceDevice *device; /* NULL: there is none, or error says why not */
	char **names;       /* the list; NULL: error says why not */
	GError *error;
	/*
	 * What it cost: processor time or, if that is more, a tenth of the time it took, for which
	 * others had to wait.
	 */
	int64_t cost_us;
	/*
	 * A socket that hears the group "peers" (peer_group.h), or -1. It comes once, after the
	 * first kernel device: where there is one, asking for the family loads no module. Who
	 * takes it writes -1.
	 */
	int peer_group;
} WiceReading;

/* Called on the context. reading and all in it is valid during the call. May free the reader. */
typedef void (*WiceReaderDone)(WiceReading *reading, void *user_data);

/* -EAGAIN: there is no thread left to be had. */
int wice__reader_new(WiceWg *wg, GMainContext *context, WiceReaderDone done, void *user_data,
		     WiceReader **ret_reader);
/* Reads this device, or lists them (""). Only one at a time. */
void wice__reader_start(WiceReader *reader, const char *name);
/*
 * No call comes afterwards. Never waits: a read that is under way ends by itself, for which it has
 * references of its own. NULL is fine.
 */
void wice__reader_free(WiceReader *reader);

#endif
