/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "show.h"
#include "text.h"

#include <glib.h>
#include <string.h>

#define LABEL_WIDTH 13 /* of "allowed ips: " */

typedef struct {
	GString *out;
	bool colours;
	int64_t now_ms;
} View;

/* "  label:     "; the value and the newline follow. */
static void label(View *view, const char *name)
{
	g_string_append_printf(view->out, "  %s:%*s", name, LABEL_WIDTH - 1 - (int)strlen(name),
			       "");
}

static void end_line(View *view)
{
	g_string_append_c(view->out, '\n');
}

static void line(View *view, const char *name, const char *value)
{
	label(view, name);
	text_clean(view->out, value);
	end_line(view);
}

static void show_backend(View *view, const WiceBackendStatus *backend)
{
	g_string_append(view->out, "backend: ");
	text_clean(view->out, backend->url);
	g_string_append(view->out, "  ");
	text_colour(view->out, view->colours, backend->ready ? COLOUR_GREEN : COLOUR_RED,
		    backend->ready ? "ready" : "not ready");
	if (*backend->reason) {
		g_string_append(view->out, ": ");
		text_clean(view->out, backend->reason);
	}
	end_line(view);
}

/* "3 refused (2 replayed, 1 forged)": only what is not zero. Returns how many it were. */
static uint64_t show_refused(View *view, const WiceSignalingCounters *counters)
{
	const struct {
		const char *name;
		uint64_t value;
	} refused[] = {
		{ "malformed", counters->malformed },
		{ "oversized", counters->oversized },
		{ "misaddressed", counters->misaddressed },
		{ "from unknown peers", counters->unknown_peer },
		{ "forged", counters->forged },
		{ "replayed", counters->replayed },
		{ "stale", counters->stale },
		{ "downgraded", counters->downgraded },
		{ "over the limit", counters->limited },
		{ "of a newer version", counters->unsupported },
	};
	uint64_t sum = 0;
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++)
		sum += refused[i].value;
	g_string_append_printf(view->out, "%" G_GUINT64_FORMAT " refused", (guint64)sum);
	const char *separator = " (";
	for (gsize i = 0; i < G_N_ELEMENTS(refused); i++) {
		if (!refused[i].value)
			continue;
		g_string_append_printf(view->out, "%s%" G_GUINT64_FORMAT " %s", separator,
				       (guint64)refused[i].value, refused[i].name);
		separator = ", ";
	}
	if (sum)
		g_string_append_c(view->out, ')');
	return sum;
}

static void show_counters(View *view, const WiceSignalingCounters *counters)
{
	label(view, "signaling");
	g_string_append_printf(view->out, "%" G_GUINT64_FORMAT " accepted, ",
			       (guint64)counters->accepted);
	show_refused(view, counters);
	end_line(view);
}

/* Messages for none of the interfaces, if there are any. */
static void show_strays(View *view, const WiceSignalingCounters *counters)
{
	gsize before = view->out->len;
	g_string_append(view->out, "signaling for no interface of ours: ");
	if (show_refused(view, counters))
		end_line(view);
	else
		g_string_truncate(view->out, before);
}

static size_t count_connected(const WiceInterfaceStatus *interface)
{
	size_t n = 0;
	for (size_t i = 0; i < interface->n_peers; i++)
		n += interface->peers[i].state == WICE_STATE_CONNECTED;
	return n;
}

/* What new paths use. */
static void show_proxy(View *view, const WiceInterfaceStatus *interface)
{
	if (interface->mechanism == WICE_MECHANISM_NONE && !*interface->mechanism_reason)
		return;
	label(view, "proxy");
	g_string_append(view->out, wice_mechanism_name(interface->mechanism));
	if (*interface->mechanism_reason) {
		g_string_append(view->out, ": ");
		text_clean(view->out, interface->mechanism_reason);
	}
	end_line(view);
}

static const char *nat_words(WiceNatMapping nat)
{
	switch (nat) {
	case WICE_NAT_NONE:
		return "no NAT";
	case WICE_NAT_PRESENT:
		return "behind a NAT";
	case WICE_NAT_ENDPOINT_INDEPENDENT:
		return "NAT endpoint-independent";
	case WICE_NAT_ENDPOINT_DEPENDENT:
		return "NAT endpoint-dependent";
	default:
		return NULL;
	}
}

static void show_outside(View *view, const WiceInterfaceStatus *interface)
{
	const char *nat = nat_words(interface->nat);
	const char *separator = "";
	if (!nat && interface->n_outside == 0)
		return;
	label(view, "outside");
	for (size_t i = 0; i < interface->n_outside; i++) {
		char text[WICE_ENDPOINT_SIZE];
		g_string_append_printf(view->out, "%s%s by ", separator,
				       wice_endpoint_format(&interface->outside[i].endpoint, text));
		text_clean(view->out, interface->outside[i].source);
		separator = ", ";
	}
	if (nat)
		g_string_append_printf(view->out, "%s%s", separator, nat);
	end_line(view);
}

static void show_relay(View *view, const WiceRelayStatus *relay)
{
	label(view, "relay");
	text_clean(view->out, relay->url);
	if (!relay->ready) {
		g_string_append(view->out, ": ");
		text_clean(view->out, relay->reason);
	} else if (relay->rtt_us) {
		g_string_append_printf(view->out, " (%.1f ms", relay->rtt_us / 1000.0);
		if (relay->loss_permille)
			g_string_append_printf(view->out, ", %.1f %% lost",
					       relay->loss_permille / 10.0);
		g_string_append_c(view->out, ')');
	}
	end_line(view);
}

static void show_interface_head(View *view, const WiceInterfaceStatus *interface)
{
	char key[WICE_KEY_BASE64_SIZE];
	g_string_append(view->out, "interface: ");
	text_colour(view->out, view->colours, COLOUR_BOLD, interface->name);
	g_string_append_printf(view->out, "  (%s, port %u", wice_device_kind_name(interface->kind),
			       interface->listen_port);
	if (interface->fwmark)
		g_string_append_printf(view->out, ", fwmark 0x%x", interface->fwmark);
	g_string_append_printf(view->out, "; %zu of %zu peers connected)\n",
			       count_connected(interface), interface->n_peers);
	wice_key_to_base64(&interface->public_key, key);
	line(view, "public key", wice_key_is_zero(&interface->public_key) ? "(none)" : key);
	show_proxy(view, interface);
	show_outside(view, interface);
	for (size_t i = 0; i < interface->n_relays; i++)
		show_relay(view, &interface->relays[i]);
	show_counters(view, &interface->signaling);
}

static void show_state(View *view, const WicePeerStatus *peer)
{
	label(view, "state");
	text_colour(view->out, view->colours, text_state_colour(peer->state),
		    wice_state_name(peer->state));
	g_string_append(view->out, " for ");
	text_duration(view->out, view->now_ms - peer->state_since_ms);
	if (peer->state == WICE_STATE_CONNECTED && peer->connect_ms)
		g_string_append_printf(view->out, " (took %u.%03u s)", peer->connect_ms / 1000,
				       peer->connect_ms % 1000);
	end_line(view);
}

static void show_candidate(View *view, const char *name, const WiceCandidate *candidate)
{
	char text[WICE_ENDPOINT_SIZE];
	if ((int)candidate->type == 0)
		return;
	label(view, name);
	g_string_append_printf(view->out, "%-5s %s", wice_candidate_type_name(candidate->type),
			       wice_endpoint_format(&candidate->endpoint, text));
	if (candidate->related.address.family)
		g_string_append_printf(view->out, "  (from %s)",
				       wice_endpoint_format(&candidate->related, text));
	end_line(view);
}

/* Through a relay WireGuard's packets leave otherwise than straight to the peer. */
static void show_relayed_mechanism(View *view, WiceMechanism mechanism)
{
	if (mechanism == WICE_MECHANISM_USER)
		line(view, "mechanism", "user (packets pass through wiced)");
	else if (mechanism == WICE_MECHANISM_INPROCESS)
		line(view, "mechanism", "inprocess (WireGuard in wiced talks to the relay itself)");
	else if (mechanism == WICE_MECHANISM_BPF)
		line(view, "mechanism",
		     "bpf (the kernel makes WireGuard's packets those of the relay)");
}

static void show_mechanism(View *view, WiceMechanism mechanism)
{
	if (mechanism == WICE_MECHANISM_KERNEL)
		line(view, "mechanism", "kernel (WireGuard talks to the peer itself)");
	else if (mechanism == WICE_MECHANISM_USER)
		line(view, "mechanism", "user (packets pass through wiced)");
	else if (mechanism == WICE_MECHANISM_INPROCESS)
		line(view, "mechanism",
		     "inprocess (WireGuard in wiced sends from the port of ICE)");
	else if (mechanism == WICE_MECHANISM_BPF)
		line(view, "mechanism",
		     "bpf (WireGuard talks to the peer itself, ICE shares its port)");
	else if (mechanism == WICE_MECHANISM_NFT)
		line(view, "mechanism",
		     "nft (the kernel sends WireGuard's packets from the port of ICE)");
}

static void show_allowed_ips(View *view, const WicePeerStatus *peer)
{
	label(view, "allowed ips");
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		char text[WICE_PREFIX_SIZE];
		g_string_append_printf(view->out, "%s%s", i ? ", " : "",
				       wice_prefix_format(&peer->allowed_ips[i], text));
	}
	g_string_append(view->out, peer->n_allowed_ips ? "\n" : "(none)\n");
}

static void show_wireguard(View *view, const WicePeerStatus *peer)
{
	char endpoint[WICE_ENDPOINT_SIZE];
	line(view, "endpoint", wice_endpoint_format(&peer->endpoint, endpoint));
	show_allowed_ips(view, peer);
	label(view, "handshake");
	if (peer->handshake_ns) {
		text_duration(view->out, view->now_ms - peer->handshake_ns / 1000000);
		g_string_append(view->out, " ago\n");
	} else {
		g_string_append(view->out, "none yet\n");
	}
	label(view, "transfer");
	text_bytes(view->out, peer->rx_bytes);
	g_string_append(view->out, " received, ");
	text_bytes(view->out, peer->tx_bytes);
	g_string_append(view->out, " sent\n");
}

static void show_peer(View *view, const WicePeerStatus *peer)
{
	char key[WICE_KEY_BASE64_SIZE];
	wice_key_to_base64(&peer->public_key, key);
	g_string_append(view->out, "peer: ");
	text_colour(view->out, view->colours, COLOUR_BOLD, key);
	end_line(view);
	show_state(view, peer);
	line(view, "path", text_path(peer->path));
	show_candidate(view, "local", &peer->local);
	show_candidate(view, "remote", &peer->remote);
	if (peer->path == WICE_PATH_RELAY)
		show_relayed_mechanism(view, peer->mechanism);
	else
		show_mechanism(view, peer->mechanism);
	show_wireguard(view, peer);
	if (peer->restarts) {
		label(view, "restarts");
		g_string_append_printf(view->out, "%u\n", peer->restarts);
	}
	if (*peer->reason)
		line(view, "why", peer->reason);
}

static void show_daemon(View *view, const WiceStatusInfo *info)
{
	g_string_append(view->out, "wiced ");
	text_clean(view->out, info->version);
	g_string_append_printf(view->out, "  (pid %" G_GINT64_FORMAT ", running for ",
			       (gint64)info->pid);
	text_duration(view->out, info->now_ms - info->started_ms);
	g_string_append(view->out, ")\n");
	for (size_t i = 0; i < info->n_backends; i++)
		show_backend(view, &info->backends[i]);
	show_strays(view, &info->signaling);
	if (info->n_interfaces == 0)
		g_string_append(view->out,
				"\nThere is no WireGuard interface that wiced was given.\n");
}

char *show_status_text(const WiceStatusInfo *info, bool everything, bool colours)
{
	View view = { .out = g_string_new(NULL), .colours = colours, .now_ms = info->now_ms };
	if (everything)
		show_daemon(&view, info);
	for (size_t i = 0; i < info->n_interfaces; i++) {
		if (view.out->len)
			end_line(&view);
		show_interface_head(&view, &info->interfaces[i]);
		for (size_t k = 0; k < info->interfaces[i].n_peers; k++) {
			end_line(&view);
			show_peer(&view, &info->interfaces[i].peers[k]);
		}
	}
	return g_string_free(view.out, FALSE);
}

static void append_time(GString *out, int64_t time_ms)
{
	g_autoptr(GDateTime) utc = g_date_time_new_from_unix_utc(time_ms / 1000);
	g_autoptr(GDateTime) local = utc ? g_date_time_to_local(utc) : NULL;
	g_autofree char *text = local ? g_date_time_format(local, "%H:%M:%S") : g_strdup("?");
	g_string_append(out, text);
}

static void append_state_change(GString *out, const WiceEvent *event, bool colours)
{
	text_colour(out, colours, text_state_colour(event->previous_state),
		    wice_state_name(event->previous_state));
	g_string_append(out, " -> ");
	text_colour(out, colours, text_state_colour(event->state), wice_state_name(event->state));
	if (event->path != WICE_PATH_NONE)
		g_string_append_printf(out, " (%s, %s)", text_path(event->path),
				       wice_mechanism_name(event->mechanism));
}

static void append_subject(GString *out, const WiceEvent *event, bool colours)
{
	char key[TEXT_SHORT_KEY_SIZE];
	if (event->type == WICE_EVENT_BACKEND_STATE) {
		text_clean(out, event->backend);
		return;
	}
	g_string_append(out, event->interface);
	if (wice_key_is_zero(&event->peer))
		return;
	g_string_append_c(out, ' ');
	text_colour(out, colours, COLOUR_BOLD, text_short_key(&event->peer, key));
}

static const char *plain_words(const WiceEvent *event)
{
	switch (event->type) {
	case WICE_EVENT_INTERFACE_ADDED:
		return "interface added";
	case WICE_EVENT_INTERFACE_REMOVED:
		return "interface removed";
	case WICE_EVENT_PEER_ADDED:
		return "peer added";
	case WICE_EVENT_PEER_REMOVED:
		return "peer removed";
	case WICE_EVENT_BACKEND_STATE:
		return event->ready ? "ready" : "not ready";
	default:
		return wice_event_name(event->type);
	}
}

char *show_event_text(const WiceEvent *event, bool colours)
{
	GString *out = g_string_new(NULL);
	append_time(out, event->time_ms);
	g_string_append(out, "  ");
	append_subject(out, event, colours);
	g_string_append(out, "  ");
	if (event->type == WICE_EVENT_PEER_STATE)
		append_state_change(out, event, colours);
	else
		g_string_append(out, plain_words(event));
	if (*event->reason) {
		g_string_append(out, ": ");
		text_clean(out, event->reason);
	}
	g_string_append_c(out, '\n');
	return g_string_free(out, FALSE);
}
