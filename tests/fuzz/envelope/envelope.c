/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What is read as an envelope is written canonically and read as the same again. */
#include "signaling/sealed.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WiceEnvelope envelope, again;
	static uint8_t written[WICE_ENVELOPE_MAX], rewritten[WICE_ENVELOPE_MAX];
	if (!wice__envelope_read(data, size, &envelope))
		return 0;
	size_t len = wice__envelope_write(&envelope, written, sizeof written);
	require(len > 0 && len <= size && len == wice__envelope_size(&envelope));
	require(wice__envelope_read(written, len, &again));
	require(again.body_len == envelope.body_len &&
		memcmp(again.body, envelope.body, again.body_len) == 0);
	require(wice__envelope_write(&again, rewritten, sizeof rewritten) == len &&
		memcmp(written, rewritten, len) == 0);
	return 0;
}
