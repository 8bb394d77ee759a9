/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The words for the public enums: one place, so that text, JSON and logs agree. */
#include <glib.h>
#include <string.h>
#include <wice/candidate.h>
#include <wice/error.h>
#include <wice/status.h>

static const char *name_of(const char *const *names, size_t n, int value)
{
	return value >= 0 && (size_t)value < n && names[value] ? names[value] : "unknown";
}

const char *wice_candidate_type_name(WiceCandidateType type)
{
	static const char *const names[] = {
		[0] = "none",
		[WICE_CANDIDATE_HOST] = "host",
		[WICE_CANDIDATE_SERVER_REFLEXIVE] = "srflx",
		[WICE_CANDIDATE_PEER_REFLEXIVE] = "prflx",
		[WICE_CANDIDATE_RELAYED] = "relay",
	};
	return name_of(names, G_N_ELEMENTS(names), (int)type);
}

const char *wice_state_name(WicePeerState state)
{
	static const char *const names[] = {
		[WICE_STATE_IDLE] = "idle",
		[WICE_STATE_GATHERING] = "gathering",
		[WICE_STATE_SIGNALING] = "signaling",
		[WICE_STATE_CHECKING] = "checking",
		[WICE_STATE_HANDSHAKING] = "handshaking",
		[WICE_STATE_CONNECTED] = "connected",
		[WICE_STATE_DEGRADED] = "degraded",
		[WICE_STATE_FAILED] = "failed",
	};
	return name_of(names, G_N_ELEMENTS(names), (int)state);
}

const char *wice_path_name(WicePathKind path)
{
	static const char *const names[] = {
		[WICE_PATH_NONE] = "none",
		[WICE_PATH_DIRECT] = "direct",
		[WICE_PATH_NAT] = "nat",
		[WICE_PATH_RELAY] = "relay",
	};
	return name_of(names, G_N_ELEMENTS(names), (int)path);
}

const char *wice_mechanism_name(WiceMechanism mechanism)
{
	static const char *const names[] = {
		[WICE_MECHANISM_NONE] = "none", [WICE_MECHANISM_KERNEL] = "kernel",
		[WICE_MECHANISM_USER] = "user", [WICE_MECHANISM_INPROCESS] = "inprocess",
		[WICE_MECHANISM_BPF] = "bpf",   [WICE_MECHANISM_NFT] = "nft",
	};
	return name_of(names, G_N_ELEMENTS(names), (int)mechanism);
}

gboolean wice_mechanism_parse(const char *name, WiceMechanism *ret_mechanism, GError **error)
{
	/* Not KERNEL: where no NAT is on the path, it comes by itself. */
	static const WiceMechanism choices[] = { WICE_MECHANISM_BPF, WICE_MECHANISM_NFT,
						 WICE_MECHANISM_INPROCESS, WICE_MECHANISM_USER };
	if (strcmp(name, "auto") == 0) {
		*ret_mechanism = WICE_MECHANISM_NONE;
		return TRUE;
	}
	for (gsize i = 0; i < G_N_ELEMENTS(choices); i++) {
		if (strcmp(name, wice_mechanism_name(choices[i])) == 0) {
			*ret_mechanism = choices[i];
			return TRUE;
		}
	}
	g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
		    "'%s' is no proxy; there are: auto, bpf, nft, inprocess and user.", name);
	return FALSE;
}

const char *wice_nat_mapping_name(WiceNatMapping mapping)
{
	static const char *const names[] = {
		[WICE_NAT_UNKNOWN] = "unknown",
		[WICE_NAT_NONE] = "none",
		[WICE_NAT_PRESENT] = "present",
		[WICE_NAT_ENDPOINT_INDEPENDENT] = "endpoint-independent",
		[WICE_NAT_ENDPOINT_DEPENDENT] = "endpoint-dependent",
	};
	return name_of(names, G_N_ELEMENTS(names), (int)mapping);
}

const char *wice_event_name(WiceEventType type)
{
	static const char *const names[] = {
		[WICE_EVENT_INTERFACE_ADDED] = "interface-added",
		[WICE_EVENT_INTERFACE_REMOVED] = "interface-removed",
		[WICE_EVENT_PEER_ADDED] = "peer-added",
		[WICE_EVENT_PEER_REMOVED] = "peer-removed",
		[WICE_EVENT_PEER_STATE] = "peer-state",
		[WICE_EVENT_BACKEND_STATE] = "backend-state",
	};
	return name_of(names, G_N_ELEMENTS(names), (int)type);
}
