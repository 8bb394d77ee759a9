/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turnserver/users.h"

#include <sodium.h>
#include <string.h>
#include <wice/error.h>

#include "stun/credentials.h"

typedef struct {
	uint8_t hash[WICE_SHA256_LEN];
	char *name;
	char *password;
} User;

struct WiceUsers {
	GHashTable *by_name; /* owns them */
	GHashTable *by_hash;
};

static void user_free(gpointer data)
{
	User *user = data;
	sodium_memzero(user->password, strlen(user->password));
	g_free(user->password);
	g_free(user->name);
	g_free(user);
}

/* What they are told apart by is a digest. */
static guint hash_of_hash(gconstpointer hash)
{
	guint value;
	memcpy(&value, hash, sizeof value);
	return value;
}

static gboolean hashes_are_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, WICE_SHA256_LEN) == 0;
}

static WiceSpan span(const char *text)
{
	return (WiceSpan){ text, strlen(text) };
}

static gboolean add(WiceUsers *users, const char *text, const char *realm, GError **error)
{
	const char *colon = strchr(text, ':');
	WiceStunKey key;
	if (!colon || colon == text || !colon[1]) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "'%.*s' is no user of the relay: it must be NAME:PASSWORD.",
			    colon ? (int)(colon - text) : 0, text);
		return FALSE;
	}
	User *user = g_new0(User, 1);
	user->name = g_strndup(text, (gsize)(colon - text));
	user->password = g_strdup(colon + 1);
	if (wice__stun_key_long_term(&key, WICE_STUN_ALGORITHM_MD5, span(user->name), span(realm),
				     span(user->password)) != 0 ||
	    wice__stun_userhash(span(user->name), span(realm), user->hash) != 0) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "The name or password of the relay's user '%s' cannot be used: it is "
			    "too long, or holds control characters.",
			    user->name);
		user_free(user);
		return FALSE;
	}
	wice__stun_key_clear(&key);
	User *other = g_hash_table_lookup(users->by_name, user->name);
	if (other)
		g_hash_table_remove(users->by_hash, other->hash);
	g_hash_table_replace(users->by_name, user->name, user);
	g_hash_table_replace(users->by_hash, user->hash, user);
	return TRUE;
}

WiceUsers *wice__users_new(const char *const *texts, const char *realm, GError **error)
{
	WiceUsers *users = g_new0(WiceUsers, 1);
	users->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, user_free);
	users->by_hash = g_hash_table_new(hash_of_hash, hashes_are_equal);
	for (; texts && *texts; texts++) {
		if (!add(users, *texts, realm, error)) {
			wice__users_free(users);
			return NULL;
		}
	}
	return users;
}

void wice__users_free(WiceUsers *users)
{
	if (!users)
		return;
	g_hash_table_unref(users->by_hash);
	g_hash_table_unref(users->by_name);
	g_free(users);
}

static bool copy(const char *text, char *ret, size_t size)
{
	size_t len = strlen(text);
	if (len >= size)
		return false;
	memcpy(ret, text, len + 1);
	return true;
}

bool wice__users_password(const WiceUsers *users, const char *name, char *ret_password, size_t size)
{
	const User *user = g_hash_table_lookup(users->by_name, name);
	return user && copy(user->password, ret_password, size);
}

bool wice__users_find_hash(const WiceUsers *users, const uint8_t hash[WICE_SHA256_LEN],
			   char *ret_name, size_t size)
{
	const User *user = g_hash_table_lookup(users->by_hash, hash);
	return user && copy(user->name, ret_name, size);
}
