/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RPC_H2_H
#define WICE_RPC_H2_H

#include <gio/gio.h>
#include <nghttp2/nghttp2.h>
#include <stdbool.h>

#include "rpc/frame.h"

/*
 * One HTTP/2 connection (RFC 9113) over a GIOStream: nghttp2 does the protocol, this moves the
 * bytes, keeps the connection alive, and holds the limits that nghttp2 leaves to its user. Client
 * and server share it.
 *
 * nghttp2 must not be entered from inside its own callbacks, and users must be able to free
 * everything from inside theirs. So: sending is only noted ("kick") and done from the main loop or
 * at the end of receiving; wice__rpc_h2_close() from inside an event takes effect at once for the
 * user, and for the memory when the event returns. Streams belong to the connection and die when
 * HTTP/2 has closed them; what is still queued on a stream of which its user has let go is sent all
 * the same.
 */
typedef struct WiceRpcH2 WiceRpcH2;

/* The first member of a call (server) or a request (client). */
typedef struct {
	WiceRpcH2 *h2;
	int32_t id;
	WiceRpcBuffer in;  /* for the user */
	WiceRpcBuffer out; /* framed bytes that flow control has not let go yet */
	bool ended;        /* out is all there will be */
	bool remote_ended; /* the other side has sent everything */
	/* Sent behind out; none: the stream ends without. */
	struct {
		const char *name;
		char *value;
	} trailers[2];
} WiceRpcStream;

/* Events come from the main loop only, never from inside a function of this header. */
typedef struct {
	/* Server: a request begins. NULL refuses it. */
	WiceRpcStream *(*begin)(void *user_data);
	/* One header or trailer field. Limits on their number and length have been checked. */
	void (*header)(WiceRpcStream *stream, const char *name, const char *value, void *user_data);
	/* A block of fields is complete. */
	void (*headers)(WiceRpcStream *stream, void *user_data);
	void (*data)(WiceRpcStream *stream, const uint8_t *bytes, size_t len, void *user_data);
	/* The other side has sent everything. */
	void (*end)(WiceRpcStream *stream, void *user_data);
	/* The stream is closed; free comes next. */
	void (*closed)(WiceRpcStream *stream, uint32_t error_code, void *user_data);
	/* Frees the stream; also called for those left when the connection goes. */
	void (*free)(WiceRpcStream *stream);
	/* The connection is lost; once. The user closes it, now or later. */
	void (*lost)(const GError *error, void *user_data);
} WiceRpcH2Events;

typedef struct {
	bool server;
	unsigned max_streams;  /* server: concurrent requests */
	size_t max_queued;     /* bytes waiting to be sent; beyond it the connection is lost */
	unsigned keepalive_ms; /* PING after this long without receiving; 0: never */
	unsigned preface_ms; /* the other side's first frame must have come by then; 0: any time */
} WiceRpcH2Options;

WiceRpcH2 *wice__rpc_h2_new(GMainContext *context, const WiceRpcH2Options *options,
			    const WiceRpcH2Events *events, void *user_data);
/* Starts to use a stream whose halves are pollable. What has been queued leaves at once. */
void wice__rpc_h2_attach(WiceRpcH2 *h2, GIOStream *io);
/*
 * Sends GOAWAY and what is queued as far as the socket takes it without waiting, then frees all.
 * No event comes afterwards but free.
 */
void wice__rpc_h2_close(WiceRpcH2 *h2);

/* Bytes that wait to be sent. */
size_t wice__rpc_h2_queued(const WiceRpcH2 *h2);

/* Client: opens a stream (nghttp2 holds it back while the server allows no more). */
bool wice__rpc_h2_open_stream(WiceRpcH2 *h2, WiceRpcStream *stream, const nghttp2_nv *fields,
			      size_t n);
/* Server: the response's fields; last: nothing follows them. */
void wice__rpc_h2_respond(WiceRpcStream *stream, const nghttp2_nv *fields, size_t n, bool last);
/* Queues one message. */
void wice__rpc_h2_write(WiceRpcStream *stream, const uint8_t *message, size_t len);
/* Nothing follows what is queued but stream->trailers, if set. */
void wice__rpc_h2_end(WiceRpcStream *stream);
void wice__rpc_h2_reset(WiceRpcStream *stream, uint32_t error_code);

nghttp2_nv wice__rpc_h2_field(const char *name, const char *value);

#endif
