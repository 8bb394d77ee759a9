/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting peers by key. Public keys are as good as random, so their first bits nearly always
 * decide: these are sorted in linear time, each with the number of its peer in one word. Where they
 * are equal (one peer that came in parts, or keys that somebody has chosen) whole keys are compared.
 */
#include "wg/peer_order.h"

#include "wg/device.h"

#include <string.h>

#define NUMBER_BITS 20
#define DIGIT_BITS 11
#define DIGITS (1u << DIGIT_BITS)
G_STATIC_ASSERT(WICE_DEVICE_PEERS_MAX <= (size_t)1 << NUMBER_BITS);
G_STATIC_ASSERT((64 - NUMBER_BITS) % DIGIT_BITS == 0);

static uint64_t head_and_number(const WiceDevicePeer *peer, size_t number)
{
	uint64_t head;
	memcpy(&head, peer->public_key.bytes, sizeof head);
	return GUINT64_FROM_BE(head) >> NUMBER_BITS << NUMBER_BITS | number;
}

static uint32_t number_of(uint64_t item)
{
	return (uint32_t)(item & ((1u << NUMBER_BITS) - 1));
}

static uint32_t digit_of(uint64_t item, unsigned shift)
{
	return (uint32_t)(item >> shift) & (DIGITS - 1);
}

/* Digit by digit from the last one; items with equal digits stay in their order. */
static void sort_by_head(uint64_t *items, uint64_t *scratch, size_t n)
{
	for (unsigned shift = NUMBER_BITS; shift < 64; shift += DIGIT_BITS) {
		uint32_t place[DIGITS + 1] = { 0 }; /* where the next item with a digit goes */
		for (size_t i = 0; i < n; i++)
			place[digit_of(items[i], shift) + 1]++;
		for (unsigned i = 1; i < DIGITS; i++)
			place[i] += place[i - 1];
		for (size_t i = 0; i < n; i++)
			scratch[place[digit_of(items[i], shift)]++] = items[i];
		memcpy(items, scratch, n * sizeof *items);
	}
}

static int compare(gconstpointer a, gconstpointer b, gpointer user_data)
{
	uint32_t first = number_of(*(const uint64_t *)a), second = number_of(*(const uint64_t *)b);
	const WiceDevicePeer *peers = user_data;
	int order = wice_key_compare(&peers[first].public_key, &peers[second].public_key);
	return order ? order : first < second ? -1 : first > second;
}

static void sort_equal_heads(uint64_t *items, size_t n, const WiceDevicePeer *peers)
{
	size_t end;
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n; end++) {
			if (items[i] >> NUMBER_BITS != items[end] >> NUMBER_BITS)
				break;
		}
		if (end - i > 1)
			g_qsort_with_data(&items[i], (gint)(end - i), sizeof *items, compare,
					  (gpointer)(uintptr_t)peers);
	}
}

uint32_t *wice__peer_order(const WiceDevicePeer *peers, size_t n)
{
	if (n == 0)
		return NULL;
	g_autofree uint64_t *items = g_new(uint64_t, n);
	g_autofree uint64_t *scratch = g_new(uint64_t, n);
	for (size_t i = 0; i < n; i++)
		items[i] = head_and_number(&peers[i], i);
	sort_by_head(items, scratch, n);
	sort_equal_heads(items, n, peers);
	uint32_t *order = g_new(uint32_t, n);
	for (size_t i = 0; i < n; i++)
		order[i] = number_of(items[i]);
	return order;
}
