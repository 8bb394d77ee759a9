/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_H
#define WICE_SIGNALING_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/key.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/*
 * Signaling carries sealed envelopes between peers that cannot reach each other yet. A backend is a
 * way to do it; it is chosen by URL:
 *
 *   inprocess:[NAME]              agents of this process that use the same NAME
 *   multicast://[GROUP[:PORT]]    hosts on the same link; IPv4 and IPv6 unless GROUP says which;
 *                                 ?interface=NAME uses this one only (default: all that can),
 *                                 ?loopback=false keeps it from other programs of this host
 *   grpc://HOST[:PORT]            a signaling server, without TLS (contents are sealed anyway)
 *   grpcs://HOST[:PORT]           the same with TLS; ?ca=FILE trusts the certificates in FILE
 *
 * A backend may lose, repeat and reorder envelopes, and it may let strangers send: whoever receives
 * checks.
 */

/* Largest envelope in its serialized form, bytes. */
#define WICE_ENVELOPE_MAX 16384
#define WICE_NONCE_LEN 24

/*
 * One sealed message: crypto_box_easy (X25519, XSalsa20-Poly1305) of the contents. Fields and
 * meaning are those of cunicu.signaling.Envelope; docs/signaling.md draws it.
 */
typedef struct {
	WiceKey sender; /* public keys */
	WiceKey recipient;
	uint8_t nonce[WICE_NONCE_LEN];
	const uint8_t *body; /* belongs to whoever made the envelope */
	size_t body_len;
} WiceEnvelope;

typedef struct WiceSignalingBackend WiceSignalingBackend;
typedef struct WiceSignalingOps WiceSignalingOps;

/*
 * What a backend tells its user. All are called on the backend's context, never from inside a hook.
 * The user may call any hook from them, close too.
 */
typedef struct {
	/*
	 * The backend became able to carry envelopes for all its subscriptions, or lost that;
	 * reason is a sentence, "" when ready. A backend that is lost repairs itself.
	 */
	void (*on_state)(bool ready, const char *reason, void *user_data);
	/* An envelope has arrived; it is valid during the call only. Nothing in it is proven. */
	void (*on_envelope)(const WiceEnvelope *envelope, void *user_data);
	/* Bytes have arrived that are no envelope or too large for one. */
	void (*on_garbage)(bool oversized, void *user_data);
} WiceSignalingEvents;

/* A backend embeds this as its first member. */
struct WiceSignalingBackend {
	const WiceSignalingOps *ops;
	const WiceSignalingEvents *events;
	void *user_data; /* for events */
};

/* The hooks of a backend. Hooks are called on the thread of its context and must not block. */
struct WiceSignalingOps {
	size_t size; /* sizeof(WiceSignalingOps) */
	/* The URL scheme in lower case, for instance "multicast". */
	const char *scheme;
	/*
	 * Makes a backend for url on context; events and user_data outlive it. Fails only for what
	 * retrying cannot mend (a malformed URL: INVALID); connecting goes on in the background.
	 */
	WiceSignalingBackend *(*open)(GMainContext *context, const char *url,
				      const WiceSignalingEvents *events, void *user_data,
				      GError **error);
	/*
	 * From now on deliver envelopes to this key. private_key is for proving to a server that
	 * the key is ours; it is copied, and wiped on unsubscribe. A key is subscribed once.
	 */
	void (*subscribe)(WiceSignalingBackend *backend, const WiceKey *public_key,
			  const WiceKey *private_key);
	void (*unsubscribe)(WiceSignalingBackend *backend, const WiceKey *public_key);
	/*
	 * Sends an envelope; best effort. The backend copies what it keeps, and sends none that is
	 * larger than WICE_ENVELOPE_MAX. While it is not ready it may keep the newest envelope per
	 * (sender, recipient), no more, and send it when it is.
	 */
	void (*publish)(WiceSignalingBackend *backend, const WiceEnvelope *envelope);
	/*
	 * Local addresses or routes have changed: connections of old addresses are dead, renew them
	 * now.
	 */
	void (*network_changed)(WiceSignalingBackend *backend);
	/*
	 * Sockets, at least those opened from now on, carry this mark (SO_MARK), 0 for none; may be
	 * NULL.
	 */
	void (*set_fwmark)(WiceSignalingBackend *backend, uint32_t fwmark);
	/* Frees it; also from inside an event. No event comes afterwards. */
	void (*close)(WiceSignalingBackend *backend);
};

/*
 * Makes a backend known to wice_agent_new(). ops must stay valid for the life of the process. To be
 * called before the first agent is made, from one thread. EXISTS if the scheme is taken, INVALID if
 * a hook is missing.
 */
WICE_API gboolean wice_signaling_register(const WiceSignalingOps *ops, GError **error);

/* The ops for a URL's scheme, or NULL with UNSUPPORTED (the message lists the known schemes). */
WICE_API const WiceSignalingOps *wice_signaling_find(const char *url, GError **error);

/*
 * The signaling server behind `wice signal`: the service cunicu.signaling.Signaling over gRPC. It
 * stores nothing and sees no plaintext.
 */
typedef struct WiceSignalingServer WiceSignalingServer;

typedef struct {
	size_t size; /* sizeof(WiceSignalingServerOptions); ..._options_init() sets all defaults */
	const char *listen;   /* "ADDR:PORT", "[ADDR]:PORT" or ":PORT" for all; default ":8080" */
	const char *tls_cert; /* PEM files; both or neither */
	const char *tls_key;
	bool allow_unproven; /* accept subscribers that do not prove their key (foreign clients) */
	unsigned max_connections;   /* default 4096; one source (IPv6: /64) may have an eighth */
	unsigned max_subscriptions; /* per connection, default 64 */
	unsigned rate;              /* envelopes per second and connection, default 200 */
	unsigned burst;             /* default 1000 */
} WiceSignalingServerOptions;

WICE_API void wice_signaling_server_options_init(WiceSignalingServerOptions *options);

/*
 * Listens on context (NULL: the default). Errors: INVALID (address, certificate), BUSY (port),
 * PERMISSION, IO.
 */
WICE_API WiceSignalingServer *wice_signaling_server_new(GMainContext *context,
							const WiceSignalingServerOptions *options,
							GError **error) WICE_WARN_UNUSED;
/* The port that it listens on; useful after ":0". */
WICE_API uint16_t wice_signaling_server_port(const WiceSignalingServer *server);
WICE_API void wice_signaling_server_free(WiceSignalingServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceSignalingServer, wice_signaling_server_free)

WICE_END_DECLS

#endif
