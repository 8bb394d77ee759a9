/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plaintext of a sealed body. Read alone, what is accepted is written canonically and read as the same
 * again. Read behind the cryptography, by a mailbox: once as it is, and once with the keys inside made right, so
 * that the rules for age, echo and version are reached. Nothing but OK may change the mailbox.
 */
#include "signaling/description.h"
#include "signaling/mailbox.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static WiceMailbox ours, theirs;

static void make_mailboxes(void)
{
	static const WiceKey one = { { 8 } }, other = { { 16 } };
	WiceKey one_public, other_public;
	wice_key_public(&one, &one_public);
	wice_key_public(&other, &other_public);
	wice__mailbox_init(&ours, &one, &other_public, 1000);
	wice__mailbox_init(&theirs, &other, &one_public, 2000);
	require(ours.usable && theirs.usable);
	ours.counter = 5;
	ours.peer_epoch = 2000;
	ours.peer_counter = 10;
	ours.window = 5;
}

static void deliver(const uint8_t *plain, size_t len)
{
	static uint8_t body[WICE_ENVELOPE_MAX];
	WiceMailbox mailbox = ours;
	WiceEnvelope envelope;
	WiceDescription description;
	if (!wice__mailbox_seal_bytes(&theirs, plain, len, &envelope, body))
		return;
	if (wice__mailbox_open(&mailbox, &envelope, &description) == WICE_OPEN_OK)
		require(wice__description_is_valid(&description) && mailbox.epoch >= ours.epoch &&
			mailbox.window & 1 &&
			(mailbox.peer_epoch > ours.peer_epoch ||
			 mailbox.peer_counter > ours.peer_counter));
	else
		require(memcmp(&mailbox, &ours, sizeof ours) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	WiceContents contents;
	uint8_t written[WICE_CONTENTS_MAX], rewritten[WICE_CONTENTS_MAX];
	if (!ours.usable)
		make_mailboxes();
	deliver(data, size);
	if (wice__contents_read(data, size, &contents) != WICE_CONTENTS_OK)
		return 0;

	size_t len = wice__contents_write(&contents, written, sizeof written);
	require(len > 0);
	require(wice__contents_read(written, len, &contents) == WICE_CONTENTS_OK);
	require(wice__contents_write(&contents, rewritten, sizeof rewritten) == len &&
		memcmp(written, rewritten, len) == 0);

	contents.sender = theirs.own_public;
	contents.recipient = theirs.peer_public;
	len = wice__contents_write(&contents, written, sizeof written);
	require(len > 0);
	deliver(written, len);
	return 0;
}
