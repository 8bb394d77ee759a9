/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_STUN_INTEGRITY_H
#define WICE_STUN_INTEGRITY_H

#include "stun/credentials.h"
#include "stun/message.h"

/*
 * The attributes that close a message. Each covers all bytes before it, with the length in the
 * header set as if it were the last one (RFC 8489 §14.5 to §14.7).
 *
 * RFC 3489 computed MESSAGE-INTEGRITY over zero-padded blocks. Nobody needs credentials with that
 * form any more, so messages without cookie neither verify nor can be sealed.
 */

/* 0, -ENOENT if there is none, -EACCES if it is not made with this key or malformed. */
int wice__stun_check_integrity(const WiceStunMessage *message, const WiceStunKey *key);
int wice__stun_check_integrity_sha256(const WiceStunMessage *message, const WiceStunKey *key);
/* 0, -ENOENT if there is none, -EBADMSG if it is wrong. */
int wice__stun_check_fingerprint(const WiceStunMessage *message);

void wice__stun_write_integrity(WiceStunWriter *writer, const WiceStunKey *key);
void wice__stun_write_integrity_sha256(WiceStunWriter *writer, const WiceStunKey *key);
void wice__stun_write_fingerprint(WiceStunWriter *writer);

#endif
