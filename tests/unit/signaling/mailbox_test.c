/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/description.h"
#include "signaling/mailbox.h"
#include "suite.h"
#include "unit/signaling/sample.h"

#include <sodium.h>

/* A sealed message that owns its bytes. */
typedef struct {
	WiceEnvelope envelope;
	uint8_t body[WICE_ENVELOPE_MAX];
} Letter;

static void seal(WiceMailbox *from, Letter *letter)
{
	WiceDescription description = description_sample();
	ck_assert(wice__mailbox_seal(from, &description, 1, &letter->envelope, letter->body));
}

/* Opens and checks the promise that only OK changes anything. */
static WiceOpenResult open_letter(WiceMailbox *to, const Letter *letter)
{
	WiceMailbox before = *to;
	WiceDescription description, untouched;
	memset(&description, 0x55, sizeof description);
	untouched = description;
	WiceOpenResult result = wice__mailbox_open(to, &letter->envelope, &description);
	if (result != WICE_OPEN_OK) {
		ck_assert_mem_eq(to, &before, sizeof before);
		ck_assert_mem_eq(&description, &untouched, sizeof untouched);
	}
	return result;
}

#define ck_assert_opens(to, letter, result) ck_assert_int_eq(open_letter((to), (letter)), (result))

static WiceOpenResult pass(WiceMailbox *from, WiceMailbox *to)
{
	Letter letter;
	seal(from, &letter);
	return open_letter(to, &letter);
}

/* What the sender of the mailbox would say, to be changed and sealed by hand. */
static WiceContents contents_of(const WiceMailbox *from)
{
	WiceContents contents = {
		.version = WICE_SEALED_VERSION,
		.minimum = WICE_SEALED_VERSION_MINIMUM,
		.sender = from->own_public,
		.recipient = from->peer_public,
		.epoch = from->epoch,
		.counter = from->counter + 1,
		.capabilities = from->capabilities,
		.echo = { from->peer_epoch, from->peer_counter, from->peer_version,
			  from->peer_capabilities },
		.description = description_sample(),
	};
	return contents;
}

static void seal_contents(const WiceMailbox *from, const WiceContents *contents, Letter *letter)
{
	uint8_t plain[WICE_CONTENTS_MAX];
	size_t len = wice__contents_write(contents, plain, sizeof plain);
	ck_assert_uint_gt(len, 0);
	ck_assert(wice__mailbox_seal_bytes(from, plain, len, &letter->envelope, letter->body));
}

static WiceOpenResult pass_contents(const WiceMailbox *from, const WiceContents *contents,
				    WiceMailbox *to)
{
	Letter letter;
	seal_contents(from, contents, &letter);
	return open_letter(to, &letter);
}

static Host alice, bob, carol;

static void make_hosts(void)
{
	alice = host_new();
	bob = host_new();
	carol = host_new();
}

START_TEST(descriptions_arrive_in_both_directions)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	WiceDescription largest = description_largest(), sample = description_sample(), got;
	Letter letter;
	ck_assert(wice__mailbox_seal(&a, &largest, 1, &letter.envelope, letter.body));
	ck_assert_int_eq(wice__mailbox_open(&b, &letter.envelope, &got), WICE_OPEN_OK);
	ck_assert(description_equal(&largest, &got));
	ck_assert(wice__mailbox_seal(&b, &sample, 1, &letter.envelope, letter.body));
	ck_assert_int_eq(wice__mailbox_open(&a, &letter.envelope, &got), WICE_OPEN_OK);
	ck_assert(description_equal(&sample, &got));
	ck_assert_uint_eq(a.peer_epoch, 200);
	ck_assert_uint_eq(b.peer_counter, 1);
	ck_assert_uint_eq(a.peer_version, WICE_SEALED_VERSION);
	ck_assert_uint_eq(b.peer_capabilities, WICE_CAPABILITIES_ALL);
}
END_TEST

START_TEST(a_nonce_is_never_used_twice)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 1);
	Letter one, other;
	seal(&a, &one);
	seal(&a, &other);
	ck_assert_mem_ne(one.envelope.nonce, other.envelope.nonce, WICE_NONCE_LEN);
}
END_TEST

START_TEST(libsodium_opens_what_is_sealed_and_the_other_way_round)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	Letter letter;
	uint8_t plain[WICE_ENVELOPE_MAX];
	WiceContents contents;
	seal(&a, &letter);
	size_t len = letter.envelope.body_len - crypto_box_MACBYTES;
	ck_assert_int_eq(crypto_box_open_easy(plain, letter.body, letter.envelope.body_len,
					      letter.envelope.nonce, alice.public_key.bytes,
					      bob.private_key.bytes),
			 0);
	ck_assert_int_eq(wice__contents_read(plain, len, &contents), WICE_CONTENTS_OK);
	ck_assert_uint_eq(contents.epoch, 100);

	randombytes_buf(letter.envelope.nonce, WICE_NONCE_LEN);
	ck_assert_int_eq(crypto_box_easy(letter.body, plain, len, letter.envelope.nonce,
					 bob.public_key.bytes, alice.private_key.bytes),
			 0);
	ck_assert_opens(&b, &letter, WICE_OPEN_OK);
}
END_TEST

START_TEST(a_second_delivery_is_a_replay)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	Letter letters[3];
	for (int i = 0; i < 3; i++)
		seal(&a, &letters[i]);
	for (int i = 0; i < 3; i++) {
		ck_assert_opens(&b, &letters[i], WICE_OPEN_OK);
		ck_assert_opens(&b, &letters[i], WICE_OPEN_REPLAYED);
	}
	for (int i = 0; i < 3; i++)
		ck_assert_opens(&b, &letters[i], WICE_OPEN_REPLAYED);
}
END_TEST

START_TEST(what_was_overtaken_is_stale)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	Letter letters[70];
	for (int i = 0; i < 70; i++)
		seal(&a, &letters[i]);
	ck_assert_opens(&b, &letters[2], WICE_OPEN_OK);
	ck_assert_opens(&b, &letters[0], WICE_OPEN_STALE);
	ck_assert_opens(&b, &letters[0], WICE_OPEN_STALE);
	ck_assert_opens(&b, &letters[65], WICE_OPEN_OK);
	ck_assert_opens(&b, &letters[2], WICE_OPEN_REPLAYED);
	ck_assert_opens(&b, &letters[1], WICE_OPEN_STALE);
	ck_assert_opens(&b, &letters[69], WICE_OPEN_OK);
	/* Behind the window nobody remembers whether it was seen; it is not believed all the same. */
	ck_assert_opens(&b, &letters[2], WICE_OPEN_STALE);
	ck_assert_opens(&b, &letters[65], WICE_OPEN_REPLAYED);
}
END_TEST

START_TEST(a_restarted_peer_is_believed_and_its_former_life_is_not)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	Letter old;
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
	seal(&a, &old);
	a = mailbox_of(&alice, &bob, 101);
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
	ck_assert_uint_eq(b.peer_counter, 1);
	ck_assert_opens(&b, &old, WICE_OPEN_STALE_EPOCH);
}
END_TEST

START_TEST(a_clock_that_went_back_catches_up_after_one_answer)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
	a = mailbox_of(&alice, &bob, 50);
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_STALE_EPOCH);
	ck_assert_int_eq(pass(&b, &a), WICE_OPEN_OK);
	ck_assert_uint_eq(a.epoch, 101);
	ck_assert_uint_eq(a.counter, 0);
	ck_assert(!a.confirmed);
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
	ck_assert_int_eq(pass(&b, &a), WICE_OPEN_OK);
	ck_assert(a.confirmed);
}
END_TEST

START_TEST(two_lives_of_one_epoch_part_ways)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	for (int i = 0; i < 9; i++)
		ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
	a = mailbox_of(&alice, &bob, 100);
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_REPLAYED);
	ck_assert_int_eq(pass(&b, &a), WICE_OPEN_OK);
	ck_assert_uint_eq(a.epoch, 101);
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
}
END_TEST

START_TEST(only_a_believed_message_raises_the_epoch)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	ck_assert_int_eq(pass(&b, &a), WICE_OPEN_OK);
	ck_assert_int_eq(pass(&b, &a), WICE_OPEN_OK);
	WiceContents contents = contents_of(&b);
	contents.echo = (WiceEcho){ 500, 1, WICE_SEALED_VERSION, WICE_CAPABILITIES_ALL };
	contents.counter = 1;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_REPLAYED);
	contents.epoch = 199;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_STALE_EPOCH);
	ck_assert_uint_eq(a.epoch, 100);
	contents.epoch = 200;
	contents.counter = 9;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_OK);
	ck_assert_uint_eq(a.epoch, 501);
}
END_TEST

START_TEST(no_echo_drives_the_epoch_around_zero)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	WiceContents contents = contents_of(&b);
	contents.echo = (WiceEcho){ WICE_EPOCH_LIMIT - 2, 1, 1, 1 };
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_OK);
	ck_assert_uint_eq(a.epoch, WICE_EPOCH_LIMIT - 1);
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
	ck_assert_uint_eq(mailbox_of(&alice, &bob, 0).epoch, 1);
	ck_assert_uint_lt(mailbox_of(&alice, &bob, UINT64_MAX).epoch, WICE_EPOCH_LIMIT);
}
END_TEST

START_TEST(what_we_never_offered_is_a_downgrade)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
	WiceContents contents = contents_of(&b);
	contents.echo.capabilities &= ~(uint64_t)WICE_CAPABILITY_KERNEL_PATH;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_DOWNGRADED);
	contents.echo.capabilities = WICE_CAPABILITIES_ALL | UINT64_C(1) << 40;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_DOWNGRADED);
	contents = contents_of(&b);
	contents.echo.version = 0;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_DOWNGRADED);
	/* What it knows of another life of ours proves nothing. */
	contents.echo.epoch = 99;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_OK);
	ck_assert(!a.confirmed);
}
END_TEST

START_TEST(unknown_capabilities_are_kept_and_signed_off)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	a.capabilities = UINT64_C(1) << 63 | WICE_CAPABILITY_TRICKLE;
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
	ck_assert_uint_eq(b.peer_capabilities, a.capabilities);
	ck_assert_int_eq(pass(&b, &a), WICE_OPEN_OK);
	ck_assert(a.confirmed);
}
END_TEST

START_TEST(later_versions_are_believed_if_they_say_we_can)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	WiceContents contents = contents_of(&b);
	contents.version = 9;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_OK);
	ck_assert_uint_eq(a.peer_version, 9);
	contents.counter = 2;
	contents.minimum = WICE_SEALED_VERSION + 1;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_UNSUPPORTED);
	contents.counter = 1;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_REPLAYED);
}
END_TEST

START_TEST(an_echo_of_this_life_confirms_the_peer)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
	ck_assert(!b.confirmed);
	ck_assert_int_eq(pass(&b, &a), WICE_OPEN_OK);
	ck_assert(a.confirmed);
	ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
	ck_assert(b.confirmed);

	/* The peer starts anew and has not heard us yet. */
	b = mailbox_of(&bob, &alice, 300);
	ck_assert_int_eq(pass(&b, &a), WICE_OPEN_OK);
	ck_assert(!a.confirmed);
}
END_TEST

START_TEST(recordings_fool_a_fresh_start_only_until_the_peer_speaks)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	Letter recorded[10];
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(pass(&a, &b), WICE_OPEN_OK);
		seal(&b, &recorded[i]);
		ck_assert_opens(&a, &recorded[i], WICE_OPEN_OK);
	}
	a = mailbox_of(&alice, &bob, 101);
	b = mailbox_of(&bob, &alice, 201);
	ck_assert_opens(&a, &recorded[3], WICE_OPEN_OK);
	ck_assert(!a.confirmed);
	ck_assert_opens(&a, &recorded[1], WICE_OPEN_STALE);
	ck_assert_int_eq(pass(&b, &a), WICE_OPEN_OK);
	for (int i = 0; i < 10; i++)
		ck_assert_opens(&a, &recorded[i], WICE_OPEN_STALE_EPOCH);
	ck_assert_uint_eq(a.epoch, 101);
}
END_TEST

START_TEST(our_own_messages_are_not_believed_when_they_come_back)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100);
	Letter letter;
	seal(&a, &letter);
	ck_assert_opens(&a, &letter, WICE_OPEN_MISADDRESSED);
	/* The box opens for us: the secret of the pair is the same both ways. */
	letter.envelope.sender = bob.public_key;
	letter.envelope.recipient = alice.public_key;
	ck_assert_opens(&a, &letter, WICE_OPEN_MISADDRESSED);
}
END_TEST

START_TEST(the_keys_inside_must_be_those_outside)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	WiceContents contents = contents_of(&b);
	contents.sender = carol.public_key;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_MISADDRESSED);
	contents = contents_of(&b);
	contents.recipient = carol.public_key;
	ck_assert_int_eq(pass_contents(&b, &contents, &a), WICE_OPEN_MISADDRESSED);
}
END_TEST

START_TEST(messages_of_other_pairs_are_not_believed)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100);
	WiceMailbox b_to_c = mailbox_of(&bob, &carol, 200),
		    c_to_a = mailbox_of(&carol, &alice, 300);
	Letter letter;
	seal(&b_to_c, &letter);
	ck_assert_opens(&a, &letter, WICE_OPEN_MISADDRESSED);
	letter.envelope.recipient = alice.public_key;
	ck_assert_opens(&a, &letter, WICE_OPEN_FORGED);
	seal(&c_to_a, &letter);
	ck_assert_opens(&a, &letter, WICE_OPEN_MISADDRESSED);
	letter.envelope.sender = bob.public_key;
	ck_assert_opens(&a, &letter, WICE_OPEN_FORGED);
}
END_TEST

START_TEST(impossible_sizes_are_malformed)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100), b = mailbox_of(&bob, &alice, 200);
	Letter letter;
	seal(&b, &letter);
	letter.envelope.body_len = crypto_box_MACBYTES - 1;
	ck_assert_opens(&a, &letter, WICE_OPEN_MALFORMED);
	letter.envelope.body_len = 0;
	letter.envelope.body = NULL;
	ck_assert_opens(&a, &letter, WICE_OPEN_MALFORMED);
	letter.envelope.body_len = (size_t)WICE_ENVELOPE_MAX + 1;
	ck_assert_opens(&a, &letter, WICE_OPEN_MALFORMED);
	ck_assert(wice__mailbox_seal_bytes(&b, (const uint8_t *)"", 0, &letter.envelope,
					   letter.body));
	ck_assert_opens(&a, &letter, WICE_OPEN_MALFORMED);
}
END_TEST

/* The points of small order on Curve25519 (https://cr.yp.to/ecdh.html#validate) and other useless keys. */
START_TEST(useless_keys_open_and_seal_nothing)
{
	make_hosts();
	static const char *const low[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	Host hosts[G_N_ELEMENTS(low) + 2];
	for (size_t i = 0; i < G_N_ELEMENTS(low); i++)
		ck_assert(wice_key_from_hex(low[i], &hosts[i].public_key));
	hosts[G_N_ELEMENTS(low)] = alice; /* our own key */
	hosts[G_N_ELEMENTS(low) + 1] = bob;
	for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
		Host own = alice;
		if (i == G_N_ELEMENTS(low) + 1)
			memset(&own.private_key, 0, sizeof own.private_key);
		WiceMailbox a = mailbox_of(&own, &hosts[i], 100);
		WiceDescription description = description_sample();
		Letter letter = { .envelope = { .sender = a.peer_public,
						.recipient = a.own_public,
						.body = letter.body,
						.body_len = 400 } };
		memset(letter.body, 7, sizeof letter.body);
		ck_assert_opens(&a, &letter, WICE_OPEN_FORGED);
		ck_assert(!wice__mailbox_seal(&a, &description, 1, &letter.envelope, letter.body));
		ck_assert_uint_eq(a.counter, 0);
	}
}
END_TEST

START_TEST(an_invalid_description_is_not_sealed)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100);
	WiceDescription description = description_sample();
	Letter letter;
	description.candidates[0].endpoint = endpoint_of("127.0.0.1:1");
	ck_assert(!wice__mailbox_seal(&a, &description, 1, &letter.envelope, letter.body));
	ck_assert_uint_eq(a.counter, 0);
}
END_TEST

START_TEST(nothing_is_left_of_a_mailbox_that_is_done)
{
	make_hosts();
	WiceMailbox a = mailbox_of(&alice, &bob, 100);
	wice__mailbox_done(&a);
	ck_assert(sodium_is_zero((const uint8_t *)&a, sizeof a));
}
END_TEST

/* Loss, repetition, reordering and restarts of both ends, over two backends at once. */
START_TEST(the_newest_wins_whatever_the_backends_do)
{
	make_hosts();
	for (uint32_t seed = 1; seed <= 20; seed++) {
		GRand *rand = g_rand_new_with_seed(seed);
		WiceMailbox ends[2] = { mailbox_of(&alice, &bob, 100),
					mailbox_of(&bob, &alice, 100) };
		GPtrArray *air[2] = { g_ptr_array_new_with_free_func(g_free),
				      g_ptr_array_new_with_free_func(g_free) };
		for (int step = 0; step < 1000; step++) {
			int at = g_rand_int_range(rand, 0, 2);
			WiceMailbox *end = &ends[at];
			int what = g_rand_int_range(rand, 0, 100);
			if (what < 2) {
				uint64_t epoch = end->epoch + 1;
				*end = at ? mailbox_of(&bob, &alice, epoch)
					  : mailbox_of(&alice, &bob, epoch);
			} else if (what < 40) {
				Letter *letter = g_new(Letter, 1);
				seal(end, letter);
				g_ptr_array_add(air[!at], letter);
			} else if (air[at]->len) {
				guint i = (guint)g_rand_int_range(rand, 0, (gint)air[at]->len);
				WiceMailbox before = *end;
				bool newer = open_letter(end, air[at]->pdata[i]) == WICE_OPEN_OK;
				ck_assert(!newer || end->peer_epoch > before.peer_epoch ||
					  (end->peer_epoch == before.peer_epoch &&
					   end->peer_counter > before.peer_counter));
				if (what < 60)
					g_ptr_array_remove_index_fast(air[at], i);
			}
		}
		/* Once the weather is fine both agree, however it was before. */
		for (int i = 0; i < 3; i++) {
			pass(&ends[0], &ends[1]);
			pass(&ends[1], &ends[0]);
		}
		ck_assert(ends[0].confirmed && ends[1].confirmed);
		for (int i = 0; i < 2; i++)
			g_ptr_array_unref(air[i]);
		g_rand_free(rand);
	}
}
END_TEST

SUITE_MAIN("mailbox", descriptions_arrive_in_both_directions, a_nonce_is_never_used_twice,
	   libsodium_opens_what_is_sealed_and_the_other_way_round, a_second_delivery_is_a_replay,
	   what_was_overtaken_is_stale, a_restarted_peer_is_believed_and_its_former_life_is_not,
	   a_clock_that_went_back_catches_up_after_one_answer, two_lives_of_one_epoch_part_ways,
	   only_a_believed_message_raises_the_epoch, no_echo_drives_the_epoch_around_zero,
	   what_we_never_offered_is_a_downgrade, unknown_capabilities_are_kept_and_signed_off,
	   later_versions_are_believed_if_they_say_we_can, an_echo_of_this_life_confirms_the_peer,
	   recordings_fool_a_fresh_start_only_until_the_peer_speaks,
	   our_own_messages_are_not_believed_when_they_come_back,
	   the_keys_inside_must_be_those_outside, messages_of_other_pairs_are_not_believed,
	   impossible_sizes_are_malformed, useless_keys_open_and_seal_nothing,
	   an_invalid_description_is_not_sealed, nothing_is_left_of_a_mailbox_that_is_done,
	   the_newest_wins_whatever_the_backends_do)
