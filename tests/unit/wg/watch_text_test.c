/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of `wice wg watch`. */
#include "suite.h"

#include "../../../tools/wg/watch.h"

#include <glib.h>
#include <string.h>

#define KEY "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define TIME_MS INT64_C(1700000000123)
#define HEAD(event) "{\"event\": \"" event "\", \"time_ms\": 1700000000123, \"interface\": \"wg0\""
#define PEER ", \"peer\": \"" KEY "\""

static WicePrefix network;
static WiceDevicePeer before, after;

static void set_up(void)
{
	g_setenv("TZ", "UTC", TRUE);
	ck_assert(wice_prefix_parse("10.0.0.0/8", &network));
	memset(before.public_key.bytes, 1, sizeof before.public_key.bytes);
	memset(before.preshared_key.bytes, 7, sizeof before.preshared_key.bytes);
	before.fields = WICE_PEER_HAS_PRESHARED_KEY;
	before.n_allowed_ips = 1;
	before.allowed_ips = &network;
	after = before;
	after.fields |= WICE_PEER_HAS_ENDPOINT | WICE_PEER_HAS_HANDSHAKE;
	ck_assert(wice_endpoint_parse("192.0.2.1:5", &after.endpoint));
	after.handshake_ns = INT64_C(1699999999000000000);
	after.keepalive_s = 25;
	after.rx_bytes = 1;
	after.tx_bytes = UINT64_MAX;
}

START_TEST(each_event_is_a_line_of_text_and_one_of_json)
{
	static const struct {
		WiceWatchEvent event;
		const char *text, *json;
	} cases[] = {
		{ { WICE_WATCH_DEVICE_ADDED, "wg0" }, "added", HEAD("interface-added") },
		{ { WICE_WATCH_DEVICE_REMOVED, "wg0" }, "removed", HEAD("interface-removed") },
		{ { WICE_WATCH_DEVICE_CHANGED, "wg0",
		    .changes = WICE_CHANGE_PRIVATE_KEY | WICE_CHANGE_LISTEN_PORT |
			       WICE_CHANGE_FWMARK | WICE_CHANGE_IFINDEX | WICE_CHANGE_KIND },
		  "changed: private-key, listen-port, fwmark, ifindex, kind",
		  HEAD("interface-changed") ", \"changes\": [\"private-key\", \"listen-port\", "
					    "\"fwmark\", \"ifindex\", \"kind\"]" },
		{ { WICE_WATCH_PEER_ADDED, "wg0", .peer_after = &after },
		  "peer " KEY " added",
		  HEAD("peer-added") PEER
		  ", \"endpoint\": \"192.0.2.1:5\", \"allowed_ips\": [\"10.0.0.0/8\"], "
		  "\"persistent_keepalive\": 25, \"handshake_ms\": 1699999999000" },
		{ { WICE_WATCH_PEER_REMOVED, "wg0", .peer_before = &after },
		  "peer " KEY " removed",
		  HEAD("peer-removed") PEER },
		{ { WICE_WATCH_PEER_CHANGED, "wg0",
		    .changes = WICE_CHANGE_PRESHARED_KEY | WICE_CHANGE_KEEPALIVE |
			       WICE_CHANGE_ALLOWED_IPS,
		    .peer_before = &after, .peer_after = &before },
		  "peer " KEY " changed: preshared-key, persistent-keepalive, allowed-ips",
		  HEAD("peer-changed") PEER
		  ", \"changes\": [\"preshared-key\", \"persistent-keepalive\", \"allowed-ips\"], "
		  "\"endpoint\": null, \"allowed_ips\": [\"10.0.0.0/8\"], "
		  "\"persistent_keepalive\": 0, \"handshake_ms\": null" },
		{ { WICE_WATCH_ENDPOINT, "wg0", .peer_before = &before, .peer_after = &after },
		  "peer " KEY " endpoint: (none) -> 192.0.2.1:5",
		  HEAD("endpoint") PEER
		  ", \"endpoint\": \"192.0.2.1:5\", \"previous_endpoint\": null" },
		{ { WICE_WATCH_HANDSHAKE, "wg0", .peer_before = &before, .peer_after = &after },
		  "peer " KEY " handshake at 192.0.2.1:5",
		  HEAD("handshake") PEER
		  ", \"endpoint\": \"192.0.2.1:5\", \"handshake_ms\": 1699999999000" },
		{ { WICE_WATCH_TRANSFER, "wg0", .peer_before = &before, .peer_after = &after },
		  "peer " KEY " transfer: 1 B received, 18446744073709551615 B sent",
		  HEAD("transfer") PEER ", \"rx_bytes\": 1, \"tx_bytes\": 18446744073709551615" },
		{ { WICE_WATCH_TROUBLE, "wg0", .message = "It \"hangs\"." },
		  "cannot be read: It \"hangs\".",
		  HEAD("trouble") ", \"reason\": \"It \\\"hangs\\\".\"" },
	};
	set_up();
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *text = watch_event_text(&cases[i].event, TIME_MS);
		g_autofree char *json = watch_event_json(&cases[i].event, TIME_MS);
		g_autofree char *expected_text =
			g_strdup_printf("22:13:20.123  wg0 %s\n", cases[i].text);
		g_autofree char *expected_json = g_strdup_printf("%s}\n", cases[i].json);
		ck_assert_str_eq(text, expected_text);
		ck_assert_str_eq(json, expected_json);
	}
}
END_TEST

SUITE_MAIN("wg_watch_text", each_event_is_a_line_of_text_and_one_of_json)
