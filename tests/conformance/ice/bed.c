/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"

#include "event/sockaddr.h"
#include "unit/event/namespace.h"
#include <check.h>
#include <sys/socket.h>

#define DEADLINE_S 60

const WiceIceOps *const bed_ops[2] = { &wice__ice_nice, &wice__ice_fake };

void bed_init(Bed *bed)
{
	static const char *const addresses[] = { "192.0.2.1/32", "192.0.2.2/32",
						 "2001:db8::1/128 nodad", "2001:db8::2/128 nodad" };
	*bed = (Bed){ .ready = namespace_enter() };
	for (size_t i = 0; i < G_N_ELEMENTS(addresses) && bed->ready; i++) {
		bed->ready = namespace_ip("addr add dev lo %s", addresses[i]);
		if (!bed->ready)
			printf("Skipped: cannot add %s to lo\n", addresses[i]);
	}
	/* Misuse of libnice and GLib is only printed. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_WARNING | G_LOG_LEVEL_CRITICAL);
	bed->context = g_main_context_new();
	bed->wire = wice__ice_wire_new();
	wice__ice_wire_set_delays(bed->wire, 1, 300);
}

void bed_done(Bed *bed)
{
	wice__ice_wire_free(bed->wire);
	g_main_context_unref(bed->context);
}

static void record_pair(const WiceIcePair *pair, void *user_data)
{
	BedSide *side = user_data;
	ck_assert(!side->in_hook);
	ck_assert_ptr_nonnull(side->ice);
	ck_assert_uint_eq(side->n_failed, 0);
	side->n_pairs++;
	side->pair = *pair;
	if (side->on_event)
		side->on_event(side);
}

static void record_failure(void *user_data)
{
	BedSide *side = user_data;
	ck_assert(!side->in_hook);
	ck_assert_ptr_nonnull(side->ice);
	side->n_failed++;
	ck_assert_uint_eq(side->n_failed, 1);
	if (side->on_event)
		side->on_event(side);
}

static void record_data(const WiceEndpoint *base, const uint8_t *data, size_t len, void *user_data)
{
	BedSide *side = user_data;
	ck_assert(!side->in_hook);
	ck_assert_ptr_nonnull(side->ice);
	side->n_data++;
	side->data_len = MIN(len, sizeof side->data);
	memcpy(side->data, data, side->data_len);
	if (side->on_event)
		side->on_event(side);
}

static const WiceIceEvents events = { .on_pair = record_pair,
				      .on_failed = record_failure,
				      .on_data = record_data };

int bed_open_full(Bed *bed, BedSide *side, const WiceIceOps *ops, WiceIceOptions options,
		  const char *addresses)
{
	WiceAddress parsed[BED_MAX_SOCKETS];
	char **texts = g_strsplit(addresses, " ", -1);
	options.size = sizeof options;
	options.addresses = parsed;
	options.n_addresses = 0;
	for (size_t i = 0; texts[i] && texts[i][0]; i++)
		ck_assert(wice_address_parse(texts[i], &parsed[options.n_addresses++]));
	g_strfreev(texts);
	void (*on_event)(BedSide *) = side->on_event;
	*side = (BedSide){ .ops = ops, .on_event = on_event, .in_hook = true };
	int error = ops->open(bed->context, &options, &events, side, &side->ice);
	side->in_hook = false;
	if (error) {
		ck_assert_ptr_null(side->ice);
		return error;
	}
	ops->credentials(side->ice, &side->credentials);
	side->n_sockets = ops->sockets(side->ice, side->sockets, BED_MAX_SOCKETS);
	for (size_t i = 0; i < side->n_sockets; i++)
		side->candidates[i] = side->sockets[i].candidate;
	return 0;
}

int bed_open(Bed *bed, BedSide *side, const WiceIceOps *ops, bool controlling,
	     const char *addresses)
{
	return bed_open_full(bed, side, ops, (WiceIceOptions){ .controlling = controlling },
			     addresses);
}

void bed_close(BedSide *side)
{
	if (!side->ice)
		return;
	WiceIce *ice = side->ice;
	side->in_hook = true;
	side->ice = NULL;
	side->ops->close(ice);
}

int bed_set_remote(BedSide *side, const WiceIceCredentials *credentials)
{
	side->in_hook = true;
	int error = side->ops->set_remote(side->ice, credentials);
	side->in_hook = false;
	return error;
}

int bed_add(BedSide *side, const WiceCandidate *candidates, size_t n)
{
	side->in_hook = true;
	int error = side->ops->add_candidates(side->ice, candidates, n);
	side->in_hook = false;
	return error;
}

void bed_tell(BedSide *side, const BedSide *other)
{
	ck_assert_int_eq(bed_set_remote(side, &other->credentials), 0);
	ck_assert_int_eq(bed_add(side, other->candidates, other->n_sockets), 0);
}

void bed_introduce(BedSide *a, BedSide *b)
{
	a->other = b;
	b->other = a;
	bed_tell(a, b);
	bed_tell(b, a);
}

static gboolean tick(gpointer user_data)
{
	return G_SOURCE_CONTINUE;
}

static bool run_for(Bed *bed, BedDone done, void *user_data, gint64 us)
{
	gint64 end = g_get_monotonic_time() + us;
	GSource *wake = g_timeout_source_new(1);
	g_source_set_callback(wake, tick, NULL, NULL);
	g_source_attach(wake, bed->context);
	bool result = done && done(user_data);
	while (!result && g_get_monotonic_time() < end) {
		g_main_context_iteration(bed->context, TRUE);
		result = done && done(user_data);
	}
	g_source_destroy(wake);
	g_source_unref(wake);
	return result;
}

bool bed_run(Bed *bed, BedDone done, void *user_data)
{
	return run_for(bed, done, user_data, DEADLINE_S * G_USEC_PER_SEC);
}

void bed_linger(Bed *bed, unsigned ms)
{
	run_for(bed, NULL, NULL, (gint64)ms * 1000);
}

static bool both_have_pairs(void *user_data)
{
	BedSide **sides = user_data;
	return sides[0]->n_pairs > 0 && sides[1]->n_pairs > 0;
}

bool bed_connect(Bed *bed, BedSide *a, BedSide *b)
{
	BedSide *sides[] = { a, b };
	return bed_run(bed, both_have_pairs, sides);
}

static bool has_socket(const BedSide *side, const WiceEndpoint *endpoint)
{
	for (size_t i = 0; i < side->n_sockets; i++) {
		struct sockaddr_storage storage;
		socklen_t len = sizeof storage;
		WiceEndpoint own;
		ck_assert_int_eq(
			getsockname(side->sockets[i].fd, (struct sockaddr *)&storage, &len), 0);
		ck_assert(wice__endpoint_from_sockaddr((struct sockaddr *)&storage, len, &own));
		ck_assert_int_eq(wice_endpoint_compare(&own, &side->sockets[i].candidate.endpoint),
				 0);
		if (wice_endpoint_compare(&own, endpoint) == 0)
			return true;
	}
	return false;
}

void bed_check_pair(const BedSide *side, const BedSide *other)
{
	ck_assert(has_socket(side, &side->pair.base));
	ck_assert(has_socket(other, &side->pair.remote.endpoint));
	ck_assert_uint_eq(side->pair.base.address.family,
			  side->pair.remote.endpoint.address.family);
	ck_assert_uint_ne(side->pair.local.type, 0);
	ck_assert_uint_ne(side->pair.remote.type, 0);
}

WiceCandidate bed_candidate(const char *endpoint, uint32_t priority, const char *foundation)
{
	WiceCandidate candidate = { .type = WICE_CANDIDATE_HOST, .priority = priority };
	ck_assert(wice_endpoint_parse(endpoint, &candidate.endpoint));
	g_strlcpy(candidate.foundation, foundation, sizeof candidate.foundation);
	return candidate;
}
