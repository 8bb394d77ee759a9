/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What counts as a sign of life over the endpoint that is set. The interface and the clock are
 * played: what is below comes before the library's.
 */
#include "agent/hold.h"

#include "agent/interface.h"
#include "event/source.h"
#include "proxy/user.h"
#include "suite.h"

#define MS 1000000

static struct {
	int64_t now;
	unsigned n_endpoints; /* times that one was written */
	WiceHold hold;
	WiceDevicePeer device;
} world;

int64_t wice__now_ms(void)
{
	return world.now;
}

int64_t wice__realtime_ms(void)
{
	return world.now;
}

gboolean wice__interface_update_peer(WiceInterface *interface, const WicePeerUpdate *update,
				     GError **error)
{
	world.n_endpoints += update->set_endpoint;
	if (update->set_endpoint)
		world.device.endpoint = update->endpoint;
	return TRUE;
}

void wice__interface_remember(WiceInterface *interface)
{
}

bool wice__interface_recall(WiceInterface *interface, const WiceKey *peer, WiceFoundPeer *ret_peer)
{
	return false;
}

bool wice__user_is_ours(const WiceEndpoint *endpoint)
{
	return false;
}

static WiceEndpoint at(uint16_t port)
{
	return (WiceEndpoint){ { WICE_FAMILY_IPV4, { 192, 0, 2, 1 } }, port, 0 };
}

static void set(uint16_t port, int64_t opened_ms)
{
	WiceEndpoint endpoint = at(port);
	wice__hold_set_endpoint(&world.hold, &endpoint, (world.now - opened_ms) * MS);
}

/* The first path is set now, of an attempt that was opened opened_ms ago. */
static void begin(int64_t opened_ms)
{
	memset(&world, 0, sizeof world);
	world.now = 1000000;
	wice__hold_init(&world.hold, NULL, "test", &world.device);
	set(1, opened_ms);
}

static WiceLivenessVerdict look(void)
{
	WiceLivenessVerdict verdict;
	wice__hold_update(&world.hold, &world.device, &verdict);
	return verdict;
}

static void shake_hands(void)
{
	world.device.handshake_ns = ++world.now * MS;
	world.device.rx_bytes += 92;
	world.device.tx_bytes += 148;
	world.now += 10;
}

START_TEST(the_peer_may_have_used_the_first_path_before_us)
{
	begin(100);
	world.device.handshake_ns = (world.now - 50) * MS;
	ck_assert_int_eq(look(), WICE_LIVENESS_ALIVE);
	begin(100);
	world.device.handshake_ns = (world.now - 150) * MS;
	ck_assert_int_ne(look(), WICE_LIVENESS_ALIVE);
}
END_TEST

/* Of two pairs to one endpoint the first may be selected for a moment only. */
START_TEST(what_nobody_has_looked_at_yet_counts_when_the_endpoint_is_set_once_more)
{
	begin(100);
	shake_hands();
	set(1, 200);
	ck_assert_int_eq(look(), WICE_LIVENESS_ALIVE);
}
END_TEST

START_TEST(what_has_been_seen_proves_no_path_that_is_set_later)
{
	begin(100);
	shake_hands();
	ck_assert_int_eq(look(), WICE_LIVENESS_ALIVE);
	set(1, 200);
	ck_assert_int_ne(look(), WICE_LIVENESS_ALIVE);
	world.device.rx_bytes += 32;
	ck_assert_int_eq(look(), WICE_LIVENESS_ALIVE);
}
END_TEST

START_TEST(another_endpoint_is_proven_by_what_is_newer)
{
	begin(100);
	shake_hands();
	set(2, 200);
	ck_assert_int_ne(look(), WICE_LIVENESS_ALIVE);
	shake_hands();
	ck_assert_int_eq(look(), WICE_LIVENESS_ALIVE);
}
END_TEST

START_TEST(an_endpoint_that_was_lost_proves_itself_anew)
{
	begin(100);
	shake_hands();
	ck_assert_int_eq(look(), WICE_LIVENESS_ALIVE);
	unsigned n_before = world.n_endpoints;
	wice__hold_set_again(&world.hold);
	ck_assert_uint_eq(world.n_endpoints, n_before + 1);
	ck_assert_int_ne(look(), WICE_LIVENESS_ALIVE);
}
END_TEST

SUITE_MAIN("agent hold", the_peer_may_have_used_the_first_path_before_us,
	   what_nobody_has_looked_at_yet_counts_when_the_endpoint_is_set_once_more,
	   what_has_been_seen_proves_no_path_that_is_set_later,
	   another_endpoint_is_proven_by_what_is_newer,
	   an_endpoint_that_was_lost_proves_itself_anew)
