/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TURNSERVER_USERS_H
#define WICE_TURNSERVER_USERS_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "crypto/mac.h"

/* Who may use the server, and their passwords, which are wiped in the end. */
typedef struct WiceUsers WiceUsers;

/*
 * texts: "name:password", NULL-terminated, or NULL. INVALID, without the password, if one is not of
 * that form, or cannot be used by STUN.
 */
WiceUsers *wice__users_new(const char *const *texts, const char *realm, GError **error);
/* NULL is fine. */
void wice__users_free(WiceUsers *users);
/* False: there is nobody of that name, or size is too small. */
bool wice__users_password(const WiceUsers *users, const char *name, char *ret_password,
			  size_t size);
/* Whose name and realm this is a digest of (RFC 8489 section 14.4). */
bool wice__users_find_hash(const WiceUsers *users, const uint8_t hash[WICE_SHA256_LEN],
			   char *ret_name, size_t size);

#endif
