/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_MAILBOX_H
#define WICE_SIGNALING_MAILBOX_H

#include "signaling/sealed.h"

/*
 * Seals any plaintext of at most WICE_ENVELOPE_MAX / 2 bytes, with no regard to what it says: what
 * wice__mailbox_seal() ends with, and the way for tests to get behind the cryptography.
 */
bool wice__mailbox_seal_bytes(const WiceMailbox *mailbox, const uint8_t *plain, size_t len,
			      WiceEnvelope *ret_envelope, uint8_t ret_body[WICE_ENVELOPE_MAX]);

#endif
