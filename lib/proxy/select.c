/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy/select.h"

#include <glib.h>

/* From the best to the one that always works. */
static const struct {
	WiceMechanism mechanism;
	const char *why;
} mechanisms[] = {
	{ WICE_MECHANISM_BPF, "ICE shares WireGuard's port, whose own socket talks to the peers." },
	{ WICE_MECHANISM_INPROCESS,
	  "WireGuard is in this process and sends from the ports of ICE." },
	{ WICE_MECHANISM_NFT, "Rules of nftables have WireGuard's packets leave from the ports of "
			      "ICE." },
	{ WICE_MECHANISM_USER, "The proxy in this process carries the packets." },
};

static WiceMechanismState state_of(const WiceMechanismInput *input, WiceMechanism mechanism)
{
	if (mechanism == WICE_MECHANISM_BPF)
		return input->bpf;
	if (mechanism == WICE_MECHANISM_NFT)
		return input->nft;
	if (mechanism == WICE_MECHANISM_INPROCESS)
		return input->inprocess;
	return (WiceMechanismState){ .available = true };
}

WiceMechanism wice__select_mechanism(const WiceMechanismInput *input,
				     char ret_reason[WICE_MECHANISM_REASON_SIZE])
{
	g_autoptr(GString) obstacles = g_string_new(NULL);
	bool considered = input->wanted == WICE_MECHANISM_NONE;
	size_t i = 0;
	for (;; i++) {
		WiceMechanism mechanism = mechanisms[i].mechanism;
		WiceMechanismState state = state_of(input, mechanism);
		considered |= mechanism == input->wanted;
		if (considered && state.available)
			break;
		if (considered && state.obstacle)
			g_string_append_printf(obstacles, " Not %s: %s",
					       wice_mechanism_name(mechanism), state.obstacle);
	}
	bool asked = mechanisms[i].mechanism == input->wanted;
	g_snprintf(ret_reason, WICE_MECHANISM_REASON_SIZE, "%s%s%s", mechanisms[i].why,
		   asked ? " It was asked for." : "", obstacles->str);
	return mechanisms[i].mechanism;
}

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

/* Why WireGuard's own sockets cannot talk to each other, or NULL if they can. */
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

static const char *why_this(WiceMechanism mechanism, const char *obstacle)
{
	switch (mechanism) {
	case WICE_MECHANISM_BPF:
		return "ICE shares WireGuard's port, whose own socket talks to the peer.";
	case WICE_MECHANISM_NFT:
		return "WireGuard's own socket talks to the peer; rules of nftables have its "
		       "packets leave from the port of ICE.";
	case WICE_MECHANISM_INPROCESS:
		return "WireGuard is in this process and sends from the port that ICE has used.";
	default:
		return obstacle;
	}
}

static bool needs_no_proxy(const WiceSelectInput *input)
{
	return input->mechanism != WICE_MECHANISM_USER && input->peer_no_proxy;
}

void wice__select(const WiceSelectInput *input, WiceSelection *ret_selection)
{
	WiceSelection selection = { .path = path_kind(input) };
	if (selection.path == WICE_PATH_NONE) {
		selection.why = "No pair of addresses is selected.";
		*ret_selection = selection;
		return;
	}
	const char *refused = obstacle(input, selection.path);
	selection.mechanism = input->mechanism;
	selection.endpoint = input->remote->endpoint;
	selection.why = why_this(input->mechanism, refused);
	if (!refused && !needs_no_proxy(input)) {
		selection.mechanism = WICE_MECHANISM_KERNEL;
		selection.endpoint.port = input->peer_wg_port;
		selection.why = "The path is direct, so WireGuard's own socket talks to the peer.";
	}
	*ret_selection = selection;
}
