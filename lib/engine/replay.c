/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words are cleared as the window moves into them, so one of them is always partly of the past: the
 * usable window is a word smaller than the ring (RFC 6479 section 2).
 */
#include "engine/replay.h"

#include <glib.h>

#define WORD_BITS 64
#define N_WORDS (WICE_REPLAY_BITS / WORD_BITS)

static void clear_words(WiceReplay *replay, uint64_t last, uint64_t next)
{
	uint64_t n = MIN(next - last, N_WORDS);
	for (uint64_t i = 1; i <= n; i++)
		replay->words[(last + i) % N_WORDS] = 0;
}

bool wice__replay_accept(WiceReplay *replay, uint64_t counter)
{
	if (counter >= WICE_REJECT_AFTER_MESSAGES)
		return false;
	uint64_t place = counter + 1; /* as greatest is counted */
	if (place + WICE_REPLAY_WINDOW < replay->greatest)
		return false;
	if (place > replay->greatest) {
		clear_words(replay, replay->greatest / WORD_BITS, place / WORD_BITS);
		replay->greatest = place;
	}
	uint64_t *word = &replay->words[place / WORD_BITS % N_WORDS];
	uint64_t bit = UINT64_C(1) << place % WORD_BITS;
	bool is_new = !(*word & bit);
	*word |= bit;
	return is_new;
}
