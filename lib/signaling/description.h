/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_DESCRIPTION_H
#define WICE_SIGNALING_DESCRIPTION_H

#include "signaling/sealed.h"

/*
 * The plaintext of a sealed body: sealed.proto, with the checks that a schema cannot express. Pure.
 * Versions only add fields; a sender names the lowest version that a reader must speak to
 * understand it.
 */
#define WICE_SEALED_VERSION_MINIMUM 1

/* Room for the largest plaintext that write makes. */
#define WICE_CONTENTS_MAX 5120

/*
 * Epochs are below this, so that a peer who claims to have seen the largest one cannot drive ours
 * around zero. As milliseconds it is 146 million years away.
 */
#define WICE_EPOCH_LIMIT (UINT64_C(1) << 62)

/* What the sender has last believed of the recipient; all zero if nothing yet. */
typedef struct {
	uint64_t epoch;
	uint64_t counter;
	uint32_t version;
	uint64_t capabilities;
} WiceEcho;

typedef struct {
	uint32_t version; /* the highest that the sender speaks */
	uint32_t minimum; /* the lowest that understands this message */
	WiceKey sender;
	WiceKey recipient;
	uint64_t epoch;
	uint64_t counter;
	int64_t realtime_ms;
	uint64_t capabilities;
	WiceEcho echo;
	WiceDescription description;
} WiceContents;

typedef enum {
	WICE_CONTENTS_OK = 0,
	WICE_CONTENTS_MALFORMED,
	WICE_CONTENTS_UNSUPPORTED, /* everything but the description was read */
} WiceContentsResult;

/* Returns the length; 0 if something in it is invalid or does not fit. */
size_t wice__contents_write(const WiceContents *contents, uint8_t *ret_bytes, size_t size);

/* ret_contents is untouched if MALFORMED. */
WiceContentsResult wice__contents_read(const uint8_t *bytes, size_t len,
				       WiceContents *ret_contents);

#endif
