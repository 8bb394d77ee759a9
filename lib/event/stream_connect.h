/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_EVENT_STREAM_CONNECT_H
#define WICE_EVENT_STREAM_CONNECT_H

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>
#include <wice/addr.h>

/* One attempt to get a byte stream to a server: resolving, TCP (both address families), TLS. */
typedef struct WiceStreamConnect WiceStreamConnect;

typedef struct {
	const char *unix_path; /* either this */
	const char *host;      /* or these: a name or a literal address */
	uint16_t port;
	bool tls;
	const char *tls_name;    /* whose certificate it must have; NULL: host's */
	const char *tls_ca_file; /* PEM; NULL: the system's trust store */
	const char *alpn;        /* the protocol that the server must agree to; NULL: none */
	uint32_t fwmark;         /* SO_MARK of the socket; 0: none */
} WiceStreamOptions;

/*
 * Called once; exactly one of io (a reference goes to the callee) and error is there: PERMISSION (a
 * certificate), PROTOCOL, UNSUPPORTED, INVALID, TIMEOUT, else UNREACHABLE.
 */
typedef void (*WiceStreamConnectFunc)(GIOStream *io, const GError *error, void *user_data);

/*
 * The callback never comes before this returns. options need not outlive the call. After the
 * callback the handle is gone.
 */
WiceStreamConnect *wice__stream_connect_start(GMainContext *context,
					      const WiceStreamOptions *options,
					      WiceStreamConnectFunc func, void *user_data);
/* No callback comes afterwards. NULL is fine. */
void wice__stream_connect_cancel(WiceStreamConnect *connect);

/*
 * Sets up a socket of ours, client's or server's: small packets leave at once, dead peers are
 * found.
 */
void wice__stream_tune(GSocket *socket);

/* The socket below a stream, TLS or not. */
GSocket *wice__stream_socket(GIOStream *io);

#endif
