/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ENGINE_ALLOWED_IPS_H
#define WICE_ENGINE_ALLOWED_IPS_H

#include <stdint.h>
#include <wice/addr.h>

/*
 * Which peer an address belongs to: longest prefix first. A path-compressed binary trie per family.
 * Values are opaque pointers, at most one per prefix; each value can be enumerated and removed
 * without a search through the others'. Pure; readers need no writer beside them.
 */
typedef struct WiceAllowedIps WiceAllowedIps;

/* All prefixes of one value, in the order in which they were inserted. Zeros: none. */
typedef struct {
	struct WiceAllowedIpsNode *first, *last;
	uint32_t n;
} WiceAllowedIpsList;

WiceAllowedIps *wice__allowed_ips_new(void);
/* The lists of all values must not be used any more. */
void wice__allowed_ips_free(WiceAllowedIps *ips);

/*
 * Gives a valid prefix to value, whose list is list; whoever had it loses it. The list must stay at
 * the same place as long as it has prefixes. Inserting what it has
 * changes nothing.
 */
void wice__allowed_ips_insert(WiceAllowedIps *ips, const WicePrefix *prefix, void *value,
			      WiceAllowedIpsList *list);
/* Takes a prefix away from value; nothing happens if it is not its. */
void wice__allowed_ips_remove(WiceAllowedIps *ips, const WicePrefix *prefix, void *value,
			      WiceAllowedIpsList *list);
/* Takes all of them away. */
void wice__allowed_ips_clear(WiceAllowedIps *ips, WiceAllowedIpsList *list);

/* Whose the address is, or NULL. address: 4 or 16 bytes, network order. */
void *wice__allowed_ips_find4(const WiceAllowedIps *ips, const uint8_t address[4]);
void *wice__allowed_ips_find6(const WiceAllowedIps *ips, const uint8_t address[16]);

/* Calls func for each prefix of the list, in its order. */
void wice__allowed_ips_foreach(const WiceAllowedIpsList *list,
			       void (*func)(const WicePrefix *prefix, void *user_data),
			       void *user_data);

#endif
