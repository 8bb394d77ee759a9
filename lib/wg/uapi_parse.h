/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_UAPI_PARSE_H
#define WICE_WG_UAPI_PARSE_H

#include "wg/device.h"

#include <wice/wg.h>

/* What the parser has to be told of the world. */
typedef struct {
	int64_t now_ns; /* nanoseconds since 1970, for devices that report ages */
	/* The index of the interface of that name, 0 if none: if_nametoindex(3). */
	unsigned (*scope)(const char *name);
} WiceUapiWorld;

/*
 * True once reply holds a whole reply: up to and including its first empty line. The first
 * n_searched bytes hold no end; a reply that comes in pieces is searched once that way.
 */
bool wice__uapi_reply_complete(const char *reply, size_t len, size_t n_searched);

/*
 * Reads the reply to "get=1" into builder. 0; the error that the device reports, as -errno;
 * -EPROTO if the reply is malformed or ends early; -E2BIG. After an error the builder is only good
 * for being freed.
 */
int wice__uapi_parse_get(const char *reply, size_t len, const WiceUapiWorld *world,
			 WiceDeviceBuilder *builder);

/* Reads the reply to "set=1": 0, the device's -errno, or -EPROTO. */
int wice__uapi_parse_set(const char *reply, size_t len);

/* Room for every request that wice__uapi_write_update() can make. */
#define WICE_UAPI_UPDATE_SIZE 256

/* Writes the whole "set=1" request for one peer's update and returns its length without the NUL. */
size_t wice__uapi_write_update(const WicePeerUpdate *update, char ret[WICE_UAPI_UPDATE_SIZE]);

#endif
