/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An attacker who owns every backend: sees all messages, keeps them, changes them, sends what it likes under any
 * key, and is itself a host with a key. 100,000 attempts; none may change a bit of the recipient's state.
 */
#include "signaling/description.h"
#include "signaling/mailbox.h"
#include "suite.h"
#include "unit/signaling/sample.h"

#include <sodium.h>

#define ATTEMPTS 100000
#define RECORDED 100

typedef struct {
	WiceEnvelope envelope;
	uint8_t body[WICE_ENVELOPE_MAX];
} Letter;

typedef struct {
	GRand *rand;
	Host alice, bob, carol;
	WiceMailbox alice_to_bob, bob_to_alice, bob_to_carol, carol_to_alice;
	Letter genuine[RECORDED]; /* bob to alice, all of them believed */
	Letter reflected;         /* alice to bob */
	Letter to_carol;          /* bob to carol */
	Letter of_carol;          /* carol to alice */
} World;

static void letter_copy(Letter *to, const Letter *from)
{
	*to = *from;
	to->envelope.body = to->body;
}

static void say(WiceMailbox *from, Letter *letter)
{
	WiceDescription description = description_sample();
	ck_assert(wice__mailbox_seal(from, &description, 1, &letter->envelope, letter->body));
}

static World *world_new(void)
{
	World *world = g_new0(World, 1);
	WiceDescription description;
	world->rand = g_rand_new_with_seed(1);
	world->alice = host_new();
	world->bob = host_new();
	world->carol = host_new();
	world->alice_to_bob = mailbox_of(&world->alice, &world->bob, 1000);
	world->bob_to_alice = mailbox_of(&world->bob, &world->alice, 2000);
	world->bob_to_carol = mailbox_of(&world->bob, &world->carol, 2000);
	world->carol_to_alice = mailbox_of(&world->carol, &world->alice, 3000);
	say(&world->alice_to_bob, &world->reflected);
	say(&world->bob_to_carol, &world->to_carol);
	say(&world->carol_to_alice, &world->of_carol);
	ck_assert_int_eq(
		wice__mailbox_open(&world->bob_to_alice, &world->reflected.envelope, &description),
		WICE_OPEN_OK);
	for (int i = 0; i < RECORDED; i++) {
		say(&world->bob_to_alice, &world->genuine[i]);
		ck_assert_int_eq(wice__mailbox_open(&world->alice_to_bob,
						    &world->genuine[i].envelope, &description),
				 WICE_OPEN_OK);
	}
	return world;
}

static uint32_t below(World *world, size_t limit)
{
	return (uint32_t)g_rand_int_range(world->rand, 0, (gint32)limit);
}

/* Which results an attack may have: a bit set of WiceOpenResult. */
typedef unsigned Results;
#define R(result) (1u << WICE_OPEN_##result)

static Results replay(World *world, Letter *letter)
{
	letter_copy(letter, &world->genuine[below(world, RECORDED)]);
	return R(REPLAYED) | R(STALE);
}

static Results flip_bits(World *world, Letter *letter)
{
	replay(world, letter);
	for (uint32_t n = 1 + below(world, 8); n; n--)
		letter->body[below(world, letter->envelope.body_len)] ^=
			(uint8_t)(1 + below(world, 255));
	/* An even number of flips of one bit undoes itself. */
	return R(FORGED) | R(REPLAYED) | R(STALE);
}

static Results change_nonce(World *world, Letter *letter)
{
	replay(world, letter);
	letter->envelope.nonce[below(world, WICE_NONCE_LEN)] ^= (uint8_t)(1u << below(world, 8));
	return R(FORGED);
}

static Results truncate_body(World *world, Letter *letter)
{
	replay(world, letter);
	letter->envelope.body_len = below(world, letter->envelope.body_len);
	return letter->envelope.body_len < crypto_box_MACBYTES ? R(MALFORMED) : R(FORGED);
}

static Results extend_body(World *world, Letter *letter)
{
	replay(world, letter);
	size_t room = sizeof letter->body - letter->envelope.body_len;
	letter->envelope.body_len += 1 + below(world, room);
	return R(FORGED);
}

static Results change_keys(World *world, Letter *letter)
{
	replay(world, letter);
	WiceKey *key = below(world, 2) ? &letter->envelope.sender : &letter->envelope.recipient;
	key->bytes[below(world, WICE_KEY_LEN)] ^= (uint8_t)(1u << below(world, 8));
	return R(MISADDRESSED);
}

static Results reflect(World *world, Letter *letter)
{
	letter_copy(letter, &world->reflected);
	if (below(world, 2)) {
		letter->envelope.sender = world->bob.public_key;
		letter->envelope.recipient = world->alice.public_key;
	}
	return R(MISADDRESSED);
}

static Results redirect(World *world, Letter *letter)
{
	letter_copy(letter, below(world, 2) ? &world->to_carol : &world->of_carol);
	if (below(world, 2))
		return R(MISADDRESSED);
	letter->envelope.sender = world->bob.public_key;
	letter->envelope.recipient = world->alice.public_key;
	return R(FORGED);
}

static Results invent(World *world, Letter *letter)
{
	letter->envelope = (WiceEnvelope){
		.sender = world->bob.public_key,
		.recipient = world->alice.public_key,
		.body = letter->body,
		.body_len = crypto_box_MACBYTES + below(world, 600),
	};
	randombytes_buf(letter->envelope.nonce, WICE_NONCE_LEN);
	randombytes_buf(letter->body, letter->envelope.body_len);
	return R(FORGED);
}

/* The peer itself sends something odd: its box is genuine. */
static Results babble(World *world, Letter *letter)
{
	uint8_t plain[600];
	size_t len = below(world, sizeof plain);
	randombytes_buf(plain, sizeof plain);
	ck_assert(wice__mailbox_seal_bytes(&world->bob_to_alice, plain, len, &letter->envelope,
					   letter->body));
	return R(MALFORMED);
}

/* Well-formed contents that must not be believed. */
static Results lie(World *world, Letter *letter)
{
	const WiceMailbox *from = &world->bob_to_alice;
	WiceContents contents = {
		.version = 1,
		.minimum = 1,
		.sender = from->own_public,
		.recipient = from->peer_public,
		.epoch = from->epoch,
		.counter = from->counter + 1,
		.echo = { from->peer_epoch, 1, WICE_SEALED_VERSION, WICE_CAPABILITIES_ALL },
		.description = description_sample(),
	};
	Results expected;
	switch (below(world, 6)) {
	case 0:
		contents.epoch = 1 + below(world, from->epoch - 1);
		contents.counter = g_rand_int(world->rand) | 1u;
		expected = R(STALE_EPOCH);
		break;
	case 1:
		contents.counter = 1 + below(world, from->counter);
		expected = R(REPLAYED) | R(STALE);
		break;
	case 2:
		contents.version = contents.minimum = 2 + below(world, 100);
		expected = R(UNSUPPORTED);
		break;
	case 3:
		contents.echo.capabilities = g_rand_int(world->rand) | 4u;
		expected = R(DOWNGRADED);
		break;
	case 4:
		contents.sender = world->carol.public_key;
		expected = R(MISADDRESSED);
		break;
	default:
		contents.echo.version = 2 + below(world, 100);
		expected = R(DOWNGRADED);
	}
	uint8_t plain[WICE_CONTENTS_MAX];
	size_t len = wice__contents_write(&contents, plain, sizeof plain);
	ck_assert_uint_gt(len, 0);
	ck_assert(wice__mailbox_seal_bytes(from, plain, len, &letter->envelope, letter->body));
	return expected;
}

/* Damages the bytes on the wire; what is still an envelope afterwards is delivered. */
static Results damage_wire(World *world, Letter *letter)
{
	uint8_t bytes[WICE_ENVELOPE_MAX];
	WiceEnvelope damaged;
	replay(world, letter);
	size_t len = wice__envelope_write(&letter->envelope, bytes, sizeof bytes);
	for (uint32_t n = 1 + below(world, 4); n; n--)
		bytes[below(world, len)] ^= (uint8_t)(1u << below(world, 8));
	if (below(world, 2))
		len = below(world, len);
	if (!wice__envelope_read(bytes, len, &damaged)) {
		letter->envelope.body_len = 0;
		return R(MALFORMED);
	}
	memmove(letter->body, damaged.body, damaged.body_len);
	letter->envelope = damaged;
	letter->envelope.body = letter->body;
	return R(MALFORMED) | R(MISADDRESSED) | R(FORGED) | R(REPLAYED) | R(STALE);
}

typedef Results (*Attack)(World *world, Letter *letter);

static const Attack attacks[] = {
	replay,  flip_bits, change_nonce, truncate_body, extend_body, change_keys,
	reflect, redirect,  invent,       babble,        lie,         damage_wire,
};

START_TEST(no_hostile_envelope_changes_a_bit)
{
	World *world = world_new();
	Letter *letter = g_new0(Letter, 1);
	WiceMailbox before = world->alice_to_bob;
	WiceDescription description, untouched;
	unsigned counts[WICE_OPEN_DOWNGRADED + 1] = { 0 };
	memset(&description, 0x55, sizeof description);
	untouched = description;

	for (unsigned i = 0; i < ATTEMPTS; i++) {
		size_t which = i % G_N_ELEMENTS(attacks);
		Results expected = attacks[which](world, letter);
		WiceOpenResult result =
			wice__mailbox_open(&world->alice_to_bob, &letter->envelope, &description);
		ck_assert_msg(expected & 1u << result, "attack %zu: result %d", which, result);
		ck_assert_int_eq(memcmp(&world->alice_to_bob, &before, sizeof before), 0);
		ck_assert_int_eq(memcmp(&description, &untouched, sizeof untouched), 0);
		counts[result]++;
	}
	ck_assert_uint_eq(counts[WICE_OPEN_OK], 0);
	for (size_t i = WICE_OPEN_OK + 1; i < G_N_ELEMENTS(counts); i++)
		ck_assert_msg(counts[i] > 0, "result %zu never came", i);

	/* And the peer is still understood. */
	say(&world->bob_to_alice, letter);
	ck_assert_int_eq(wice__mailbox_open(&world->alice_to_bob, &letter->envelope, &description),
			 WICE_OPEN_OK);
	g_rand_free(world->rand);
	g_free(letter);
	g_free(world);
}
END_TEST

SUITE_MAIN("hostile", no_hostile_envelope_changes_a_bit)
