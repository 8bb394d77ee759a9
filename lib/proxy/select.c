/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/select.h"

/*
 * The peer's checks may arrive before its candidates do. Its address is then learnt from the
 * packets (peer-reflexive), though it is one of its own. The port says nothing: only the address
 * tells whether a NAT is between.
 */
static bool is_peer_host_address(const WiceSelectInput *input)
{
	if (input->remote->type == WICE_CANDIDATE_HOST)
		return true;
	if (input->remote->type != WICE_CANDIDATE_PEER_REFLEXIVE)
		return false;
	for (size_t i = 0; i < input->n_peer_candidates; i++)
		if (input->peer_candidates[i].type == WICE_CANDIDATE_HOST &&
		    wice_address_compare(&input->peer_candidates[i].endpoint.address,
					 &input->remote->endpoint.address) == 0)
			return true;
	return false;
}

static WicePathKind path_kind(const WiceSelectInput *input)
{
	if (!input->local->type || !input->remote->type)
		return WICE_PATH_NONE;
	if (input->local->type == WICE_CANDIDATE_RELAYED ||
	    input->remote->type == WICE_CANDIDATE_RELAYED)
		return WICE_PATH_RELAY;
	if (input->local->type == WICE_CANDIDATE_HOST && is_peer_host_address(input))
		return WICE_PATH_DIRECT;
	return WICE_PATH_NAT;
}

/* Why WireGuard's socket cannot be used, or NULL if it can. */
static const char *obstacle(const WiceSelectInput *input, WicePathKind path)
{
	if (path == WICE_PATH_RELAY)
		return "The path leads through a relay, so the proxy carries the packets.";
	if (path == WICE_PATH_NAT)
		return "There is a NAT on the path, which knows only the port that ICE has used, "
		       "so the proxy carries the packets.";
	if (!input->own_kernel)
		return "The path is direct, but this end must not use WireGuard's own socket for "
		       "it, so the proxy carries the packets.";
	if (!input->peer_kernel)
		return "The path is direct, but the peer does not offer WireGuard's own socket for "
		       "it, so the proxy carries the packets.";
	if (!input->own_wg_port)
		return "The path is direct, but the interface has no listen port, so the proxy "
		       "carries the packets.";
	if (!input->peer_wg_port)
		return "The path is direct, but the listen port of the peer's interface is not "
		       "known, so the proxy carries the packets.";
	return NULL;
}

void wice__select(const WiceSelectInput *input, WiceSelection *ret_selection)
{
	WiceSelection selection = { .path = path_kind(input) };
	if (selection.path == WICE_PATH_NONE) {
		selection.why = "No pair of addresses is selected.";
		*ret_selection = selection;
		return;
	}
	selection.endpoint = input->remote->endpoint;
	selection.why = obstacle(input, selection.path);
	if (selection.why && input->inprocess) {
		selection.mechanism = WICE_MECHANISM_INPROCESS;
		selection.why = "WireGuard is in this process and sends from the port that ICE "
				"has used.";
	} else if (selection.why) {
		selection.mechanism = WICE_MECHANISM_USER;
	} else {
		selection.mechanism = WICE_MECHANISM_KERNEL;
		selection.endpoint.port = input->peer_wg_port;
		selection.why = "The path is direct, so WireGuard's own socket talks to the peer.";
	}
	*ret_selection = selection;
}
