/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_UAPI_PARSE_H
#define WICE_WG_UAPI_PARSE_H

#include "wg/device.h"
#include "wg/uapi_text.h"

/* What the parser has to be told of the world. */
typedef struct {
	int64_t now_ns; /* nanoseconds since 1970, for devices that report ages */
	WiceUapiScopeFunc scope;
} WiceUapiWorld;

/* A reply while it comes in. */
typedef struct {
	/* To be set, the rest zero. */
	const WiceUapiWorld *world; /* not needed without builder */
	WiceDeviceBuilder *builder; /* borrowed; NULL: it is the reply to "set=1" */
	/* To be read. */
	bool positive; /* it reported an error without a minus */
	/* The parser's own. */
	WiceDevicePeer *peer; /* the one that is being read, NULL before the first */
	bool ages;            /* handshake times are ages */
	int64_t handshake_s, handshake_ns;
	bool done; /* errno has been read */
	int error; /* the device's, negative */
} WiceUapiReply;

/*
 * Reads the whole lines of data and sets *ret_n_read to how many bytes they are: the caller shows
 * the rest again, with more behind it. 0: there is more to come; 1: that was the empty line which
 * ends the reply; -EPROTO: it is malformed; -E2BIG. After an error the builder is only good for
 * being freed.
 */
int wice__uapi_reply_feed(WiceUapiReply *reply, const char *data, size_t len, size_t *ret_n_read);

/*
 * What the reply says, after its end: 0, the error that the device reports, as -errno, or -EPROTO
 * if the end came early. Some close the connection instead of sending the empty line.
 */
int wice__uapi_reply_result(const WiceUapiReply *reply);

#endif
