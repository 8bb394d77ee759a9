/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes per second on one core, each side for itself and without any packets:
 *
 *   responder   macs checked, initiation read and accepted, response made, session begun
 *   initiator   initiation made, response's macs checked, response read, session begun
 *
 * Both compute four X25519 (the DH of the static keys is known after the first handshake), which is
 * the floor; `x25519_ns` is one of them. handshakes_per_s is the slower side's; mac1_rejects_per_s
 * says how much garbage is told from initiations. Medians of ROUNDS.
 */
#include <glib.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/cookie.h"
#include "engine/noise.h"

#define ROUNDS 15
#define PER_ROUND 200
#define REJECTS_PER_ROUND 100000

typedef struct {
	WiceNoiseIdentity identity;
	WiceNoisePeer peer;
	WiceNoiseHandshake handshake;
	WiceCookieChecker checker;
	WiceCookieMaker maker;
} End;

static const WiceEndpoint source = { { WICE_FAMILY_IPV4, { 192, 0, 2, 1 } }, 51820, 0 };
static const uint8_t initiator_ephemeral[32] = { 0, 3 }, responder_ephemeral[32] = { 0, 4 };

static void check(bool condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "handshake_bench: %s failed\n", what);
		exit(1);
	}
}

static void make_end(End *end, uint8_t own_seed, uint8_t other_seed)
{
	/* The lowest bits of a private key's first byte do not count. */
	WiceKey own = { { 0, own_seed } }, other = { { 0, other_seed } };
	memset(end, 0, sizeof *end);
	wice__noise_identity(&own, &end->identity);
	wice_key_public(&other, &end->peer.public_key);
	wice__cookie_checker_init(&end->checker, &end->identity.public_key);
	wice__cookie_maker_init(&end->maker, &end->peer.public_key);
}

static void initiate(End *end, WiceMessageInitiation *message)
{
	static int64_t realtime_ns;
	uint8_t timestamp[WICE_TAI64N_LEN];
	wice__tai64n(realtime_ns += 1 << 24, timestamp);
	check(wice__noise_create_initiation(&end->handshake, &end->peer, &end->identity,
					    initiator_ephemeral, timestamp, 1, message) == 0,
	      "making an initiation");
	wice__cookie_add_macs(&end->maker, (uint8_t *)message, sizeof *message, 0);
}

static void respond(End *end, const WiceMessageInitiation *initiation, WiceMessageResponse *message)
{
	WiceNoiseInitiation read;
	WiceNoiseKeys keys;
	check(wice__cookie_check(&end->checker, (const uint8_t *)initiation, sizeof *initiation,
				 &source, false, 0) == WICE_MAC_VALID,
	      "checking an initiation");
	check(wice__noise_read_initiation(&end->identity, initiation, &read) == 0 &&
		      wice__noise_accept_initiation(&end->handshake, &end->peer, &end->identity,
						    &read, initiation) == 0,
	      "reading an initiation");
	check(wice__noise_create_response(&end->handshake, &end->peer, responder_ephemeral, 2,
					  message) == 0,
	      "making a response");
	wice__cookie_add_macs(&end->maker, (uint8_t *)message, sizeof *message, 0);
	check(wice__noise_begin_session(&end->handshake, &keys) == 0, "the responder's session");
}

static void conclude(End *end, const WiceMessageResponse *response)
{
	WiceNoiseKeys keys;
	check(wice__cookie_check(&end->checker, (const uint8_t *)response, sizeof *response,
				 &source, false, 0) == WICE_MAC_VALID,
	      "checking a response");
	check(wice__noise_read_response(&end->handshake, &end->peer, &end->identity, response) == 0,
	      "reading a response");
	check(wice__noise_begin_session(&end->handshake, &keys) == 0, "the initiator's session");
}

/* Microseconds of PER_ROUND handshakes: the initiator's, and the responder's. */
static void shake_hands(End *initiator, End *responder, double *ret_initiator,
			double *ret_responder)
{
	WiceMessageInitiation initiation;
	WiceMessageResponse response;
	int64_t times[2] = { 0 };
	for (int i = 0; i < PER_ROUND; i++) {
		int64_t start = g_get_monotonic_time();
		initiate(initiator, &initiation);
		int64_t initiated = g_get_monotonic_time();
		respond(responder, &initiation, &response);
		int64_t responded = g_get_monotonic_time();
		conclude(initiator, &response);
		times[0] += initiated - start + g_get_monotonic_time() - responded;
		times[1] += responded - initiated;
	}
	*ret_initiator = (double)times[0];
	*ret_responder = (double)times[1];
}

static double reject_garbage(const End *end)
{
	uint8_t garbage[sizeof(WiceMessageInitiation)] = { WICE_MESSAGE_INITIATION };
	int64_t start = g_get_monotonic_time();
	for (uint32_t i = 0; i < REJECTS_PER_ROUND; i++) {
		wice__put_le32(garbage + 4, i);
		check(wice__cookie_check(&end->checker, garbage, sizeof garbage, &source, true,
					 0) == WICE_MAC_INVALID,
		      "refusing garbage");
	}
	return (double)(g_get_monotonic_time() - start);
}

static double multiply(void)
{
	uint8_t scalar[32] = { 8 }, point[32] = { 9 };
	int64_t start = g_get_monotonic_time();
	for (int i = 0; i < PER_ROUND; i++)
		check(crypto_scalarmult(point, scalar, point) == 0, "X25519");
	return (double)(g_get_monotonic_time() - start);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof *values, compare);
	return values[ROUNDS / 2];
}

int main(void)
{
	double initiator_us[ROUNDS], responder_us[ROUNDS], reject_us[ROUNDS], x25519_us[ROUNDS];
	End initiator, responder;
	check(sodium_init() >= 0, "libsodium");
	make_end(&initiator, 1, 2);
	make_end(&responder, 2, 1);
	for (int i = 0; i < ROUNDS; i++) {
		shake_hands(&initiator, &responder, &initiator_us[i], &responder_us[i]);
		reject_us[i] = reject_garbage(&responder);
		x25519_us[i] = multiply();
	}
	double initiators = PER_ROUND * 1e6 / median(initiator_us);
	double responders = PER_ROUND * 1e6 / median(responder_us);
	printf("handshakes_per_s: %.0f\n", MIN(initiators, responders));
	printf("initiators_per_s: %.0f\n", initiators);
	printf("responders_per_s: %.0f\n", responders);
	printf("mac1_rejects_per_s: %.0f\n", REJECTS_PER_ROUND * 1e6 / median(reject_us));
	printf("x25519_ns: %.0f\n", median(x25519_us) * 1e3 / PER_ROUND);
	return 0;
}
