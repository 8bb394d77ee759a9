/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/fake.h"
#include "signaling/room.h"

#include <string.h>

typedef struct {
	GRand *rand;
	WiceFakeWeather weather;
	WiceFakeCounters counters;
	WiceFakeTap tap;
	void *tap_data;
} Sky;

static void *sky_new(void)
{
	Sky *sky = g_new0(Sky, 1);
	sky->rand = g_rand_new_with_seed(1);
	return sky;
}

static void sky_free(void *state)
{
	Sky *sky = state;
	g_rand_free(sky->rand);
	g_free(sky);
}

static bool sky_is_open(const void *state)
{
	return !((const Sky *)state)->weather.closed;
}

static bool chance(Sky *sky, double probability)
{
	return probability > 0 && g_rand_double(sky->rand) < probability;
}

static unsigned delay(Sky *sky)
{
	unsigned min = sky->weather.delay_min_ms, max = sky->weather.delay_max_ms;
	return max > min ? (unsigned)g_rand_int_range(sky->rand, (gint32)min, (gint32)max + 1)
			 : min;
}

static unsigned sky_deliver(void *state, const WiceEnvelope *envelope, unsigned ret_delay_ms[2])
{
	Sky *sky = state;
	sky->counters.published++;
	if (sky->tap)
		sky->tap(envelope, sky->tap_data);
	if (chance(sky, sky->weather.loss)) {
		sky->counters.lost++;
		return 0;
	}
	unsigned copies = chance(sky, sky->weather.repeat) ? 2 : 1;
	sky->counters.repeated += copies - 1;
	sky->counters.delivered += copies;
	for (unsigned i = 0; i < copies; i++)
		ret_delay_ms[i] = delay(sky);
	return copies;
}

static const WiceRoomPolicy policy = {
	.deliver = sky_deliver,
	.is_open = sky_is_open,
	.state_new = sky_new,
	.state_free = sky_free,
};

static void set_seed(WiceRoom *room, void *state, void *user_data)
{
	g_rand_set_seed(((Sky *)state)->rand, *(const uint32_t *)user_data);
}

void wice__fake_seed(const char *name, uint32_t seed)
{
	wice__room_with(&policy, name, set_seed, &seed);
}

static void set_weather(WiceRoom *room, void *state, void *user_data)
{
	((Sky *)state)->weather = *(const WiceFakeWeather *)user_data;
}

void wice__fake_set_weather(const char *name, const WiceFakeWeather *weather)
{
	WiceFakeWeather copy = *weather;
	wice__room_with(&policy, name, set_weather, &copy);
}

static void get_counters(WiceRoom *room, void *state, void *user_data)
{
	*(WiceFakeCounters *)user_data = ((const Sky *)state)->counters;
}

WiceFakeCounters wice__fake_counters(const char *name)
{
	WiceFakeCounters counters;
	wice__room_with(&policy, name, get_counters, &counters);
	return counters;
}

static void set_tap(WiceRoom *room, void *state, void *user_data)
{
	const Sky *from = user_data;
	((Sky *)state)->tap = from->tap;
	((Sky *)state)->tap_data = from->tap_data;
}

void wice__fake_set_tap(const char *name, WiceFakeTap tap, void *user_data)
{
	Sky from = { .tap = tap, .tap_data = user_data };
	wice__room_with(&policy, name, set_tap, &from);
}

static void inject(WiceRoom *room, void *state, void *user_data)
{
	wice__room_send(room, user_data);
}

void wice__fake_inject(const char *name, const WiceEnvelope *envelope)
{
	WiceEnvelope copy = *envelope;
	wice__room_with(&policy, name, inject, &copy);
}

static void inject_garbage(WiceRoom *room, void *state, void *user_data)
{
	wice__room_litter(room, *(const bool *)user_data);
}

void wice__fake_inject_garbage(const char *name, bool oversized)
{
	wice__room_with(&policy, name, inject_garbage, &oversized);
}

static void clear(WiceRoom *room, void *state, void *user_data)
{
	Sky *sky = state;
	sky->weather = (WiceFakeWeather){ 0 };
	sky->counters = (WiceFakeCounters){ 0 };
	sky->tap = NULL;
	g_rand_set_seed(sky->rand, 1);
}

void wice__fake_reset(const char *name)
{
	wice__room_with(&policy, name, clear, NULL);
	wice__room_forget(&policy, name);
}

static WiceSignalingBackend *fake_open(GMainContext *context, const char *url,
				       const WiceSignalingEvents *events, void *user_data,
				       GError **error)
{
	return wice__room_enter(context, url, &wice__signaling_fake, &policy, events, user_data);
}

const WiceSignalingOps wice__signaling_fake = {
	.size = sizeof(WiceSignalingOps),
	.scheme = "fake",
	.open = fake_open,
	.subscribe = wice__room_subscribe,
	.unsubscribe = wice__room_unsubscribe,
	.publish = wice__room_publish,
	.network_changed = wice__room_network_changed,
	.set_fwmark = NULL, /* there is no socket */
	.close = wice__room_leave,
};

void wice__fake_register(void)
{
	g_autoptr(GError) error = NULL;
	if (!wice_signaling_find("fake:", NULL))
		wice_signaling_register(&wice__signaling_fake, &error);
	g_assert_no_error(error);
}
