/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PROXY_NFT_RULESET_H
#define WICE_PROXY_NFT_RULESET_H

#include "proxy/nft/message.h"

/* What is in a table of ours. */

/* Elements at most, of each set and map: the kernel takes 256 KiB for one of this size. */
#define WICE_NFT_MAX_ELEMENTS 16384

/* Chains, sets, maps, and the rules for WireGuard's port (0: it has none, so no rules). */
void wice__nft_ruleset_create(WiceNftBatch *batch, uint16_t wg_port);
/* Rules for another port instead of those that are there. */
void wice__nft_ruleset_set_wg_port(WiceNftBatch *batch, uint16_t wg_port);

/* The set of the addresses and ports that ICE agents have. */
const WiceNftSet *wice__nft_ruleset_ports(uint8_t family);
/* The map from remote endpoints to the port that WireGuard's packets leave from. */
const WiceNftSet *wice__nft_ruleset_routes(uint8_t family);
/* One that is looked into for what is not in the former: for one element while it is replaced. */
const WiceNftSet *wice__nft_ruleset_moving(uint8_t family);

#endif
