/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/fake.h"
#include "suite.h"
#include "unit/signaling/recorder.h"

static GMainContext *context;
static Recorder from, to;
static WiceKey a;

static void start(const char *url)
{
	wice__fake_register();
	context = g_main_context_new();
	a = key_named('a');
	recorder_open(&from, context, url);
	recorder_open(&to, context, url);
	HOOK(&to, subscribe, &a, &a);
	WAIT_FOR(context, from.ready && to.ready);
}

static void stop(const char *name)
{
	recorder_close(&from);
	recorder_close(&to);
	wice__fake_reset(name);
	g_main_context_unref(context);
}

START_TEST(all_is_lost_if_so_told)
{
	start("fake:storm");
	WiceFakeWeather weather = { .loss = 1 };
	wice__fake_set_weather("storm", &weather);
	for (int i = 0; i < 50; i++)
		publish_tag(&from, &a, 1);
	weather.loss = 0;
	wice__fake_set_weather("storm", &weather);
	publish_until(&from, &to, &a, 2);
	ck_assert_uint_eq(to.tags[1], 0);
	ck_assert_uint_eq(wice__fake_counters("storm").lost, 50);
	stop("storm");
}
END_TEST

START_TEST(everything_comes_twice_if_so_told)
{
	start("fake:echo");
	WiceFakeWeather weather = { .repeat = 1 };
	wice__fake_set_weather("echo", &weather);
	for (int i = 0; i < 50; i++)
		publish_tag(&from, &a, 1);
	WAIT_FOR(context, to.tags[1] == 100);
	ck_assert_uint_eq(wice__fake_counters("echo").repeated, 50);
	stop("echo");
}
END_TEST

typedef struct {
	unsigned n;
	uint8_t order[256];
} Order;

static void note_order(void *user_data)
{
	Order *order = user_data;
	order->order[order->n++] = to.last_body[0];
}

START_TEST(delays_let_envelopes_overtake_one_another)
{
	start("fake:wind");
	Order order = { 0 };
	to.then = note_order;
	to.then_data = &order;
	WiceFakeWeather weather = { .delay_min_ms = 1, .delay_max_ms = 40 };
	wice__fake_seed("wind", 7);
	wice__fake_set_weather("wind", &weather);
	for (unsigned i = 0; i < 100; i++)
		publish_tag(&from, &a, (uint8_t)i);
	ck_assert_uint_eq(order.n, 0);
	WAIT_FOR(context, order.n == 100);
	unsigned overtaken = 0;
	for (unsigned i = 1; i < 100; i++)
		overtaken += order.order[i] < order.order[i - 1];
	ck_assert_uint_gt(overtaken, 10);
	stop("wind");
}
END_TEST

/* Which of 200 got through. */
static void losses(uint32_t seed, uint8_t ret_tags[200])
{
	start("fake:dice");
	WiceFakeWeather weather = { .loss = 0.3 };
	wice__fake_seed("dice", seed);
	wice__fake_set_weather("dice", &weather);
	for (unsigned i = 0; i < 200; i++)
		publish_tag(&from, &a, (uint8_t)i);
	weather.loss = 0;
	wice__fake_set_weather("dice", &weather);
	publish_until(&from, &to, &a, 201);
	for (unsigned i = 0; i < 200; i++)
		ret_tags[i] = (uint8_t)to.tags[i];
	stop("dice");
}

START_TEST(the_same_seed_makes_the_same_weather)
{
	uint8_t one[200], again[200], other[200];
	losses(1, one);
	losses(1, again);
	losses(2, other);
	ck_assert_mem_eq(one, again, sizeof one);
	ck_assert_mem_ne(one, other, sizeof one);
}
END_TEST

START_TEST(a_closed_room_is_not_ready_and_keeps_the_newest)
{
	start("fake:door");
	WiceFakeWeather weather = { .closed = true };
	wice__fake_set_weather("door", &weather);
	WAIT_FOR(context, !from.ready && !to.ready);
	ck_assert_str_ne(from.reason, "");
	for (uint8_t tag = 1; tag <= 3; tag++)
		publish_tag(&from, &a, tag);
	weather.closed = false;
	wice__fake_set_weather("door", &weather);
	WAIT_FOR(context, from.ready && to.ready && to.tags[3]);
	ck_assert_uint_eq(to.tags[1] + to.tags[2], 0);
	stop("door");
}
END_TEST

static void count(const WiceEnvelope *envelope, void *user_data)
{
	*(unsigned *)user_data += 1;
}

START_TEST(an_attacker_sees_all_and_sends_what_it_likes)
{
	start("fake:eve");
	unsigned seen = 0;
	wice__fake_set_tap("eve", count, &seen);
	WiceFakeWeather weather = { .loss = 1 };
	wice__fake_set_weather("eve", &weather);
	publish_tag(&from, &a, 1);
	ck_assert_uint_eq(seen, 1);
	wice__fake_set_tap("eve", NULL, NULL);

	weather.loss = 0;
	wice__fake_set_weather("eve", &weather);
	WiceEnvelope envelope = {
		.sender = a, .recipient = a, .body = (const uint8_t *)"\7", .body_len = 1
	};
	wice__fake_inject("eve", &envelope);
	wice__fake_inject_garbage("eve", true);
	wice__fake_inject_garbage("eve", false);
	WAIT_FOR(context, to.tags[7] && to.garbage && to.oversized);
	ck_assert_uint_eq(seen, 1);
	stop("eve");
}
END_TEST

START_TEST(rooms_of_different_names_and_kinds_never_meet)
{
	start("fake:one");
	Recorder other, third;
	recorder_open(&other, context, "fake:two");
	recorder_open(&third, context, "inprocess:one");
	HOOK(&other, subscribe, &a, &a);
	HOOK(&third, subscribe, &a, &a);
	WAIT_FOR(context, other.ready && third.ready);
	publish_until(&from, &to, &a, 1);
	publish_until(&other, &other, &a, 2);
	publish_until(&third, &third, &a, 3);
	ck_assert_uint_eq(other.tags[1] + third.tags[1] + to.tags[2] + to.tags[3], 0);
	recorder_close(&other);
	recorder_close(&third);
	stop("one");
}
END_TEST

START_TEST(a_member_that_never_looks_has_bounded_memory)
{
	start("fake:heap");
	for (int i = 0; i < 10000; i++)
		publish_tag(&from, &a, 1);
	publish_tag(&from, &a, 2);
	WAIT_FOR(context, to.tags[2]);
	ck_assert_uint_eq(to.tags[1], 4096 - 1);
	stop("heap");
}
END_TEST

SUITE_MAIN("fake backend", all_is_lost_if_so_told, everything_comes_twice_if_so_told,
	   delays_let_envelopes_overtake_one_another, the_same_seed_makes_the_same_weather,
	   a_closed_room_is_not_ready_and_keeps_the_newest,
	   an_attacker_sees_all_and_sends_what_it_likes,
	   rooms_of_different_names_and_kinds_never_meet,
	   a_member_that_never_looks_has_bounded_memory)
