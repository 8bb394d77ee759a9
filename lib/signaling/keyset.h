/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_SIGNALING_KEYSET_H
#define WICE_SIGNALING_KEYSET_H

#include <glib.h>
#include <stdbool.h>
#include <wice/key.h>

/*
 * The keys that are subscribed: one per interface of this host, so a plain array is the fastest
 * there is.
 */
typedef struct {
	GArray *keys;
} WiceKeyset;

void wice__keyset_init(WiceKeyset *set);
void wice__keyset_done(WiceKeyset *set);
bool wice__keyset_contains(const WiceKeyset *set, const WiceKey *key);
/* Adding a key that is in it, or removing one that is not, changes nothing. */
void wice__keyset_add(WiceKeyset *set, const WiceKey *key);
void wice__keyset_remove(WiceKeyset *set, const WiceKey *key);

#endif
