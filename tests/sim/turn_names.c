/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks, and by what name: a plain one, one with an expiry before it, or the hash of one. */
#include <sodium.h>
#include <string.h>

#include "turn_world.h"

static const char *const users[WORLD_USERS] = { "user-one", "user-two" };
static const char *const secrets[] = { "the older secret", "the newer secret", NULL };

typedef struct {
	bool limited;
	int64_t expiry_s;
	char text[64], password[64];
} Name;

static Name names[WORLD_CLIENTS];

static WiceSpan span_of(const char *text)
{
	return (WiceSpan){ text, strlen(text) };
}

static bool username_of(const uint8_t hash[WICE_SHA256_LEN], char *ret_username, size_t size,
			void *user_data)
{
	const Lab *lab = user_data;
	uint8_t expected[WICE_SHA256_LEN];
	for (unsigned i = 0; i < WORLD_USERS; i++) {
		LAB_MUST(wice__stun_userhash(span_of(users[i]), span_of(lab->options.realm),
					     expected) == 0);
		if (memcmp(hash, expected, sizeof expected) == 0)
			return g_strlcpy(ret_username, users[i], size) < size;
	}
	return false;
}

void world_begin_names(void)
{
	memset(names, 0, sizeof names);
	world.lab.options.secrets = world_roll(2) ? secrets : NULL;
	world.lab.events.username = world_roll(2) ? username_of : NULL;
}

static int64_t unix_s(void)
{
	return world.lab.unix_s + world.lab.now_ms / 1000;
}

static void limit(Name *name, unsigned user)
{
	static const int offsets[] = { -600, -1, 0, 1, 600, 600, 600 };
	uint8_t mac[WICE_SHA1_LEN];
	name->limited = true;
	name->expiry_s = unix_s() + offsets[world_roll(G_N_ELEMENTS(offsets))];
	g_snprintf(name->text, sizeof name->text, "%" G_GINT64_FORMAT ":%s", name->expiry_s,
		   users[user]);
	WiceSpan text = span_of(name->text);
	wice__hmac_sha1(span_of(secrets[world_roll(2)]), &text, 1, mac);
	sodium_bin2base64(name->password, sizeof name->password, mac, sizeof mac,
			  sodium_base64_VARIANT_ORIGINAL);
}

void world_name(unsigned who, unsigned user)
{
	LabClient *client = &world.clients[who];
	Name *name = &names[who];
	name->limited = false;
	client->hidden = world.lab.events.username && world_roll(2);
	client->username = users[user];
	client->password = "pass";
	if (!world.lab.options.secrets || client->hidden || world_roll(2))
		return;
	limit(name, user);
	client->username = name->text;
	client->password = name->password;
}

unsigned world_speak(unsigned who)
{
	const WorldAllocation *allocation = &world.allocations[who];
	unsigned user = world_roll(WORLD_USERS);
	if (world_lives(allocation) && world_roll(8))
		user = allocation->user;
	world_name(who, user);
	return user;
}

uint16_t world_expect_nonce(unsigned who)
{
	int64_t age_s = world.lab.now_ms / 1000 - world.nonce_ms[who] / 1000;
	return age_s >= 900 ? WICE_STUN_ERROR_STALE_NONCE : 0;
}

/* An expired name is good for what it has. */
uint16_t world_expect_sender(unsigned who, unsigned user)
{
	const WorldAllocation *allocation = &world.allocations[who];
	uint16_t code = world_expect_nonce(who);
	if (code || !names[who].limited || names[who].expiry_s > unix_s())
		return code;
	return world_lives(allocation) && allocation->user == user
		       ? 0
		       : WICE_STUN_ERROR_UNAUTHENTICATED;
}

uint16_t world_expect_owner(unsigned who, unsigned user)
{
	const WorldAllocation *allocation = &world.allocations[who];
	uint16_t code = world_expect_sender(who, user);
	if (code)
		return code;
	if (!world_lives(allocation))
		return WICE_STUN_ERROR_ALLOCATION_MISMATCH;
	return allocation->user == user ? 0 : WICE_STUN_ERROR_WRONG_CREDENTIALS;
}
