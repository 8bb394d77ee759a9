/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turnserver/users.h"

#include <string.h>
#include <wice/error.h>

#include "stun/credentials.h"
#include "suite.h"

START_TEST(names_have_passwords_which_may_hold_colons)
{
	const char *const texts[] = { "alice:one", "bob:two:three", "alice:four", NULL };
	WiceUsers *users = wice__users_new(texts, "realm", NULL);
	char password[16];
	ck_assert(wice__users_password(users, "alice", password, sizeof password));
	ck_assert_str_eq(password, "four");
	ck_assert(wice__users_password(users, "bob", password, sizeof password));
	ck_assert_str_eq(password, "two:three");
	ck_assert(!wice__users_password(users, "carol", password, sizeof password));
	ck_assert(!wice__users_password(users, "", password, sizeof password));
	ck_assert(!wice__users_password(users, "bob", password, strlen("two:three")));
	wice__users_free(users);
}
END_TEST

START_TEST(hidden_names_are_found_in_their_realm_only)
{
	const char *const texts[] = { "alice:one", "bob:two", NULL };
	WiceUsers *users = wice__users_new(texts, "realm", NULL);
	uint8_t hash[WICE_SHA256_LEN];
	char name[16];
	const WiceSpan bob = { "bob", 3 };
	ck_assert_int_eq(wice__stun_userhash(bob, (WiceSpan){ "realm", 5 }, hash), 0);
	ck_assert(wice__users_find_hash(users, hash, name, sizeof name));
	ck_assert_str_eq(name, "bob");
	ck_assert_int_eq(wice__stun_userhash(bob, (WiceSpan){ "other", 5 }, hash), 0);
	ck_assert(!wice__users_find_hash(users, hash, name, sizeof name));
	wice__users_free(users);
}
END_TEST

START_TEST(what_is_no_user_is_refused_and_no_password_told)
{
	static const char *const table[] = { "alice",          ":secret",          "alice:",
					     "al\tice:secret", "alice:sec\x01ret", "" };
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		const char *const texts[] = { "bob:two", table[i], NULL };
		g_autoptr(GError) error = NULL;
		ck_assert_ptr_null(wice__users_new(texts, "realm", &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
		ck_assert_ptr_null(strstr(error->message, "secret"));
		ck_assert_ptr_null(strstr(error->message, "two"));
	}
	WiceUsers *nobody = wice__users_new(NULL, "realm", NULL);
	char password[16];
	ck_assert(!wice__users_password(nobody, "alice", password, sizeof password));
	wice__users_free(nobody);
	wice__users_free(NULL);
}
END_TEST

SUITE_MAIN("turnserver users", names_have_passwords_which_may_hold_colons,
	   hidden_names_are_found_in_their_realm_only,
	   what_is_no_user_is_refused_and_no_password_told)
