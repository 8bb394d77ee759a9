/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CONF_H
#define WICE_CONF_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/addr.h>
#include <wice/cancel.h>
#include <wice/device.h>
#include <wice/key.h>
#include <wice/macros.h>
#include <wice/plan.h>

WICE_BEGIN_DECLS

/*
 * Configuration files of WireGuard, in the format of wg(8) with the keys of wg-quick(8): reading,
 * changing without disturbing what people wrote, writing.
 *
 * A WiceConf is a document: all lines with their comments, and what they mean. What is written out
 * is byte for byte what was read, but for the lines that were changed. No I/O happens but in
 * wice_conf_read(), wice_conf_write() and wice_conf_resolve*(); names are never resolved while
 * parsing. One thread at a time. Secrets are wiped.
 */
typedef struct WiceConf WiceConf;

typedef enum {
	/*
	 * Refuses what wg(8) takes but hardly anybody means: ports beyond 65535 (wg takes them
	 * modulo 65536) or as names of services, numbers with zeros in front, white space inside
	 * of words, a key that comes twice in one section, two sections of one peer, two
	 * [Interface] sections, one allowed IP at two peers, host bits in AllowedIPs that belong to
	 * another network than was written, allowed IPs with and without '+' or '-' at one peer,
	 * IPv6 endpoints without brackets and other hosts within, addresses such as "127.1" or with
	 * letters that no host name has, NUL bytes, and a file without an [Interface] section where
	 * that would wipe a device (see wice_conf_plan()). Takes the keys of wg-quick(8).
	 */
	WICE_CONF_STRICT = 0,
	/*
	 * Takes and refuses exactly what wg(8) of wireguard-tools does, but for the differences
	 * listed in libwice-wg(3). Keys of wg-quick(8) are refused then, as wg does it.
	 */
	WICE_CONF_COMPAT = 1,
	/* The same with wg-quick's keys: what wg-quick(8) takes. */
	WICE_CONF_COMPAT_QUICK = 2,
} WiceConfMode;

/* Where a file is wrong, or dubious. */
typedef struct {
	unsigned line;       /* from 1 */
	unsigned column;     /* from 1, in bytes */
	bool warning;        /* it is taken in this mode, but should be looked at */
	const char *message; /* what is wrong and what was expected, a sentence */
} WiceConfProblem;

/*
 * Reads len bytes. name is for messages ("/etc/wireguard/wg0.conf"). The mode stays with the
 * document. Errors: INVALID with "NAME:LINE:COLUMN: ...", what was found and what was expected;
 * secrets are not shown.
 */
WICE_API WiceConf *wice_conf_parse(const char *text, size_t len, WiceConfMode mode,
				   const char *name, GError **error) WICE_WARN_UNUSED;

/*
 * The same of a file; "/dev/stdin" works. At most 64 MiB are read. Errors: also NOT_FOUND,
 * PERMISSION, IO.
 */
WICE_API WiceConf *wice_conf_read(const char *path, WiceConfMode mode,
				  GError **error) WICE_WARN_UNUSED;

/* Wipes and frees. NULL is fine. */
WICE_API void wice_conf_free(WiceConf *conf);

/* An empty document. */
WICE_API WiceConf *wice_conf_new(WiceConfMode mode) WICE_WARN_UNUSED;

/*
 * All that is wrong or dubious with a text, not only the first, in the order of lines; no more than
 * 1000. Calls func for each one; problem is valid during the call. Returns how many are no
 * warnings: 0 if wice_conf_parse() would take it in that mode.
 */
typedef void (*WiceConfProblemFunc)(const WiceConfProblem *problem, void *user_data);
WICE_API size_t wice_conf_lint(const char *text, size_t len, WiceConfMode mode,
			       WiceConfProblemFunc func, void *user_data);

/* The [Interface] section(s). An absent key is 0, NULL or false. */
typedef struct {
	unsigned fields; /* WiceDeviceFields: PRIVATE_KEY, LISTEN_PORT, FWMARK that are written */
	WiceKey private_key;
	uint16_t listen_port;
	/* COMPAT: a port as a service's name, until it has been resolved; else NULL */
	const char *listen_port_service;
	uint32_t fwmark;
} WiceConfInterface;

/* One [Peer] section. */
typedef struct {
	unsigned fields; /* WiceDevicePeerFields: PRESHARED_KEY, ENDPOINT, KEEPALIVE written */
	WiceKey public_key;
	WiceKey preshared_key;
	const char *endpoint_host; /* as written, without brackets; NULL without ENDPOINT */
	uint16_t endpoint_port;
	const char *endpoint_service; /* COMPAT: a port as a service's name, else NULL */
	WiceEndpoint endpoint;        /* none if endpoint_host is a name (see _resolve()) */
	uint16_t keepalive_s;         /* 0: "off" was written, or nothing */
	bool has_allowed_ips;         /* there is an AllowedIPs line */
	bool increments; /* allowed IPs have a '+' or '-' in front: the list is not replaced */
	size_t n_allowed_ips;
	const WiceAllowedIpChange *allowed_ips; /* in the order of the file */
} WiceConfPeer;

/* Valid until the document is changed or freed. */
WICE_API const WiceConfInterface *wice_conf_interface(const WiceConf *conf);
WICE_API size_t wice_conf_n_peers(const WiceConf *conf);
WICE_API const WiceConfPeer *wice_conf_peer(const WiceConf *conf, size_t index);

/*
 * The value of a key of wg-quick(8) in [Interface], as written, without comments: "Address", "DNS",
 * "MTU", "Table", "PreUp", "PostUp", "PreDown", "PostDown", "SaveConfig". Keys that may come more
 * than once have several values, counted from 0 in the order of the file. NULL: no such value. A
 * '#' in a command belongs to it: the shell knows what it means.
 * Valid until the document is changed or freed.
 */
WICE_API const char *wice_conf_quick(const WiceConf *conf, const char *key, size_t index);

/*
 * The addresses and the MTU of wg-quick(8), understood. Sets *ret_n and returns the addresses (with
 * host bits), owned by the document; 0 if there is no MTU.
 */
WICE_API const WiceInterfaceAddress *wice_conf_addresses(const WiceConf *conf, size_t *ret_n);
WICE_API unsigned wice_conf_mtu(const WiceConf *conf);

/* What a plan does with what the file does not say. */
typedef enum {
	/*
	 * "wg setconf": the device becomes what the file says. Peers are replaced; a private key,
	 * port or mark that is not written is removed. In STRICT mode a file without an [Interface]
	 * section is refused here, and a private key or port that is not written stays.
	 */
	WICE_CONF_SET = 0,
	/* "wg addconf": only what is written is changed; peers are added or changed. */
	WICE_CONF_ADD = 1,
} WiceConfUse;

/*
 * What the file asks for. "wg syncconf" is wice_plan_minimize() of the plan with WICE_CONF_SET.
 * Endpoints that are names must have been resolved. Errors: INVALID (see WICE_CONF_SET),
 * UNREACHABLE (an endpoint is an unresolved name).
 */
WICE_API WicePlan *wice_conf_plan(const WiceConf *conf, WiceConfUse use,
				  GError **error) WICE_WARN_UNUSED;

/* True if an endpoint is a name, or a port a service's name, and has not been resolved. */
WICE_API bool wice_conf_needs_resolving(const WiceConf *conf);

/*
 * Resolves the names of all endpoints, several at once; tries again with growing pauses until
 * timeout_ms (UINT_MAX: for ever) has passed, but for names of which the system says that they do
 * not exist. As wg does, the first address that the system prefers is taken (RFC 6724). Calls done
 * once from context, never before it has returned; conf must neither be changed nor freed before.
 * destroy (may be NULL) frees user_data afterwards. On failure nothing has been resolved. Errors:
 * UNREACHABLE (which names, and why), CANCELLED.
 */
typedef void (*WiceConfResolved)(const GError *error, void *user_data);
WICE_API void wice_conf_resolve_async(WiceConf *conf, GMainContext *context, unsigned timeout_ms,
				      WiceCancel *cancel, WiceConfResolved done, void *user_data,
				      GDestroyNotify destroy);

/*
 * The same, waiting. retried (may be NULL) is told of each failed attempt with a name that may
 * succeed later, before the pause; attempts count from 1. It returns false to give up.
 */
typedef bool (*WiceConfRetried)(const char *name, const char *reason, unsigned attempt,
				unsigned pause_ms, void *user_data);
WICE_API gboolean wice_conf_resolve(WiceConf *conf, unsigned timeout_ms, WiceConfRetried retried,
				    void *user_data, GError **error);

/*
 * Changes the document so that it says what device is: private key, port, mark, and all peers with
 * their allowed IPs, endpoints, keepalives and preshared keys, as "SaveConfig" of wg-quick(8) does
 * - but comments, order, spelling and wg-quick's keys stay, lines that already say the right thing
 * stay byte for byte, sections of peers that are gone go with the comments inside of them, new
 * peers are appended. An endpoint's name stays if it has been resolved to the address that the
 * device has.
 */
WICE_API void wice_conf_update(WiceConf *conf, const WiceDevice *device);

/*
 * Changes or adds one key of [Interface] (any known key); value NULL removes it. If it may come
 * more than once, the value becomes the only one. Errors: INVALID.
 */
WICE_API gboolean wice_conf_set(WiceConf *conf, const char *key, const char *value, GError **error);

/* The text; *ret_len (may be NULL) without the NUL. The caller wipes it and frees with g_free(). */
WICE_API char *wice_conf_format(const WiceConf *conf, size_t *ret_len) WICE_WARN_UNUSED;

/*
 * The text without wg-quick's keys and without comments: what "wg-quick strip" prints and wg(8)
 * takes. The caller wipes it and frees it with g_free().
 */
WICE_API char *wice_conf_strip(const WiceConf *conf) WICE_WARN_UNUSED;

/*
 * Writes the text to a file, so that at any time either the old or the new contents are there:
 * beside it first, flushed, then renamed. An existing file keeps its owner and mode, a new one is
 * 0600. Errors: PERMISSION, IO.
 */
WICE_API gboolean wice_conf_write(const WiceConf *conf, const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WiceConf, wice_conf_free)

WICE_END_DECLS

#endif
