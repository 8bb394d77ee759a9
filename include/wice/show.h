/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SHOW_H
#define WICE_SHOW_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wice/device.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/*
 * A snapshot as text, in the forms of "wg show" byte for byte, and as JSON. Pure functions; peers
 * and allowed IPs come in the order of the implementation (wice_device_order()), but for the pretty
 * form, which sorts peers by their last handshake, and JSON, where both are sorted. options may be
 * NULL: all zero. The caller frees what is returned with g_free(); it may hold secrets: wipe it
 * first.
 */

typedef struct {
	size_t size;       /* sizeof(WiceShowOptions) */
	bool show_secrets; /* pretty: else "(hidden)"; JSON: else they are left out */
	bool color;        /* pretty: terminal colours as wg(8) uses them */
	int64_t now_ns;    /* pretty: nanoseconds since 1970, ages are counted from it */
	/*
	 * wg(8) names the scopes of link-local endpoints: if_indextoname(3), or what does the same.
	 * Writes at most 16 bytes to ret_name and returns it, or NULL. NULL: they are numbers, as
	 * all others and those in JSON.
	 */
	char *(*scope_name)(unsigned ifindex, char *ret_name);
} WiceShowOptions;

/* "wg show IFNAME": for people. */
WICE_API char *wice_show_pretty(const WiceDevice *device,
				const WiceShowOptions *options) WICE_WARN_UNUSED;

/* "wg show IFNAME dump"; with_name: "wg show all dump", each line begins with the name. */
WICE_API char *wice_show_dump(const WiceDevice *device, bool with_name,
			      const WiceShowOptions *options) WICE_WARN_UNUSED;

typedef enum {
	WICE_SHOW_PUBLIC_KEY = 0,
	WICE_SHOW_PRIVATE_KEY,
	WICE_SHOW_LISTEN_PORT,
	WICE_SHOW_FWMARK,
	WICE_SHOW_PEERS,
	WICE_SHOW_PRESHARED_KEYS,
	WICE_SHOW_ENDPOINTS,
	WICE_SHOW_ALLOWED_IPS,
	WICE_SHOW_LATEST_HANDSHAKES,
	WICE_SHOW_TRANSFER,
	WICE_SHOW_PERSISTENT_KEEPALIVE,
} WiceShowField;

/*
 * The word of wg(8) for a field ("latest-handshakes"), NULL for none; and back, false: there is no
 * such word.
 */
WICE_API const char *wice_show_field_name(WiceShowField field);
WICE_API bool wice_show_field_parse(const char *word, WiceShowField *ret) WICE_WARN_UNUSED;

/* "wg show IFNAME FIELD"; with_name: "wg show all FIELD". */
WICE_API char *wice_show_field(const WiceDevice *device, WiceShowField field, bool with_name,
			       const WiceShowOptions *options) WICE_WARN_UNUSED;

/* "wg showconf IFNAME": a configuration file that makes this device. */
WICE_API char *wice_show_conf(const WiceDevice *device,
			      const WiceShowOptions *options) WICE_WARN_UNUSED;

/* One JSON object (docs/json.md), on one line, without a newline. */
WICE_API char *wice_show_json(const WiceDevice *device,
			      const WiceShowOptions *options) WICE_WARN_UNUSED;

WICE_END_DECLS

#endif
