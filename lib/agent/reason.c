/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/reason.h"

#include <errno.h>
#include <glib.h>

static void write_waiting(const WiceReasonFacts *facts, GString *text)
{
	if (facts->n_ready_backends == 0) {
		g_string_append_printf(text, "no signaling backend can be used: %s",
				       facts->backend_trouble ? facts->backend_trouble
							      : "still connecting");
		return;
	}
	if (facts->has_remote)
		g_string_append(text, "waiting for the peer's new description");
	else
		g_string_append(text, "waiting for the peer, which has not been heard yet: "
				      "is wiced running there, with the same signaling?");
	if (facts->n_ready_backends < facts->n_backends)
		g_string_append_printf(text, " (%zu of %zu signaling backends can be used)",
				       facts->n_ready_backends, facts->n_backends);
}

static void write_proven(const WiceReasonFacts *facts, GString *text)
{
	const char *local = wice_candidate_type_name(facts->local_type);
	const char *remote = wice_candidate_type_name(facts->remote_type);
	if (facts->path == WICE_PATH_DIRECT)
		g_string_append(text, "host candidates answered: the hosts reach each other "
				      "without a NAT");
	else
		g_string_append_printf(text,
				       "host candidates failed: no reply; the pair %s - %s "
				       "answered first",
				       local, remote);
}

/* What would help, as far as one can tell from here. */
static void write_advice(const WiceReasonFacts *facts, GString *text)
{
	if (facts->n_stun_servers == 0)
		g_string_append(text, "; no STUN server is configured (wiced -a stun:HOST), so our "
				      "address outside of a NAT is not known");
	else if (facts->stun_failed)
		g_string_append(text, "; no STUN server answered, so our address outside of a NAT "
				      "is not known");
	else if (facts->nat == WICE_NAT_ENDPOINT_DEPENDENT)
		g_string_append(text, "; our NAT maps every destination to another port");
	else if (!facts->remote_has_reflexive)
		g_string_append(text, "; the peer does not know its address outside of a NAT");
	if (facts->relay)
		return;
	if (!facts->has_relays)
		g_string_append(text, "; a relay would help (wiced -r turn:HOST)");
	else if (facts->relay_trouble)
		g_string_append_printf(text, "; no relay can be used: %s", facts->relay_trouble);
	else if (!facts->remote_has_relays)
		g_string_append(text, "; the peer has no relay, which would help");
}

/* Of those that the relay spares us, only what is not tried any more is worth words. */
static void write_relayed(const WiceReasonFacts *facts, GString *text)
{
	g_string_append_printf(text, "relayed by %s", facts->relay);
	if (facts->relay_rtt_us)
		g_string_append_printf(text, " (%.1f ms)", facts->relay_rtt_us / 1000.0);
	if (facts->relay_refuses)
		g_string_append(text, ", which refuses packets to the peer's relayed address");
	else if (!facts->proven)
		g_string_append(text, ", waiting for WireGuard's handshake");
	if (!facts->avoids_direct)
		g_string_append(text, facts->phase == WICE_PHASE_FAILED ? ": " : "; direct path: ");
}

static void write_avoided(const WiceReasonFacts *facts, GString *text)
{
	g_string_append(text, "; the direct path is worse");
	if (facts->direct_rtt_us)
		g_string_append_printf(text, ": %.1f ms, %.1f %% lost",
				       facts->direct_rtt_us / 1000.0,
				       facts->direct_loss_permille / 10.0);
}

static void write_not_opened(const WiceReasonFacts *facts, GString *text)
{
	switch (facts->not_opened) {
	case -EMFILE:
	case -ENFILE:
		g_string_append(text, "wiced has too many open files to try yet another "
				      "peer: raise its limit (ulimit -n, LimitNOFILE=)");
		break;
	case -ELIBACC:
		g_string_append(text, "libnice cannot be loaded, as the log says: install it "
				      "(Debian: libnice10) and restart wiced");
		break;
	default:
		g_string_append(text, "this host has no address outside of the tunnel: "
				      "is the network down?");
	}
}

static void write_search(const WiceReasonFacts *facts, GString *text)
{
	switch (facts->why) {
	case WICE_WHY_NONE:
	case WICE_WHY_NOT_STARTED:
		g_string_append(text, facts->idle_reason ? facts->idle_reason : "not started yet");
		break;
	case WICE_WHY_NO_ADDRESS:
		write_not_opened(facts, text);
		break;
	case WICE_WHY_WAITING_FOR_PEER:
		write_waiting(facts, text);
		break;
	case WICE_WHY_CHECKING:
		g_string_append_printf(text, "trying %zu local with %zu remote candidates",
				       facts->n_local, facts->n_remote);
		break;
	case WICE_WHY_WAITING_FOR_HANDSHAKE:
		g_string_append_printf(
			text, "the pair %s - %s answered; waiting for WireGuard's handshake",
			wice_candidate_type_name(facts->local_type),
			wice_candidate_type_name(facts->remote_type));
		break;
	case WICE_WHY_PROVEN:
		write_proven(facts, text);
		break;
	case WICE_WHY_NO_PAIR_ANSWERED:
		g_string_append_printf(text,
				       "none of %zu local with %zu remote candidates answered",
				       facts->n_local, facts->n_remote);
		write_advice(facts, text);
		break;
	case WICE_WHY_NO_HANDSHAKE:
		g_string_append(text, "a path was found, but WireGuard completed no handshake over "
				      "it: do both ends have each other's public key and the same "
				      "preshared key?");
		break;
	case WICE_WHY_PATH_SILENT:
		g_string_append(text, "WireGuard sends and hears nothing; looking for a new path");
		break;
	case WICE_WHY_PATH_LOST:
		g_string_append(text, "the path stopped answering; looking for a new one");
		break;
	case WICE_WHY_ADDRESSES_CHANGED:
		g_string_append(text, "this host's addresses changed; looking for a new path");
		break;
	case WICE_WHY_ASKED:
		g_string_append(text, "a restart was asked for");
		break;
	case WICE_WHY_PEER_RESTARTED:
		g_string_append(text, "the peer started anew");
		break;
	}
}

void wice__reason_write(const WiceReasonFacts *facts, char *ret_text, size_t size)
{
	g_autoptr(GString) text = g_string_sized_new(WICE_REASON_SIZE);
	if (facts->relay)
		write_relayed(facts, text);
	if (facts->relay && facts->avoids_direct)
		write_avoided(facts, text);
	else
		write_search(facts, text);
	if (facts->foreign_endpoint.address.family) {
		char endpoint[WICE_ENDPOINT_SIZE];
		g_string_append_printf(text, "; the endpoint was changed to %s by another hand",
				       wice_endpoint_format(&facts->foreign_endpoint, endpoint));
	}
	g_strlcpy(ret_text, text->str, size);
}
