/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "signaling/fake.h"
#include "signaling/hub.h"
#include "suite.h"
#include "unit/signaling/recorder.h"
#include "unit/signaling/sample.h"

#include <wice/error.h>

/* A user of a hub: who opens what comes in with a mailbox. */
typedef struct {
	WiceSignalingHub *hub;
	WiceMailbox mailbox;
	unsigned results[WICE_OPEN_DOWNGRADED + 1];
	unsigned garbage;
	unsigned states;
	bool free_on_envelope;
	bool free_on_state;
} User;

static void free_hub(User *user)
{
	wice__signaling_hub_free(user->hub);
	user->hub = NULL;
}

static void user_state(const char *url, bool ready, const char *reason, void *user_data)
{
	User *user = user_data;
	ck_assert_ptr_nonnull(strchr(url, ':'));
	ck_assert_int_eq(ready, reason[0] == 0);
	user->states++;
	if (user->free_on_state)
		free_hub(user);
}

static void user_envelope(const WiceEnvelope *envelope, void *user_data)
{
	User *user = user_data;
	WiceDescription description;
	user->results[wice__mailbox_open(&user->mailbox, envelope, &description)]++;
	if (user->free_on_envelope)
		free_hub(user);
}

static void user_garbage(bool oversized, void *user_data)
{
	((User *)user_data)->garbage++;
}

static const WiceSignalingHubEvents user_events = {
	.on_state = user_state,
	.on_envelope = user_envelope,
	.on_garbage = user_garbage,
};

static const char *const two_urls[] = { "fake:left", "fake:right", NULL };
static GMainContext *context;
static Host alice, bob;

static void user_init(User *user, const Host *own, const Host *peer, const char *const *urls)
{
	g_autoptr(GError) error = NULL;
	memset(user, 0, sizeof *user);
	user->mailbox = mailbox_of(own, peer, 1);
	user->hub = wice__signaling_hub_new(context, urls, &user_events, user, &error);
	ck_assert_msg(user->hub != NULL, "%s", error ? error->message : "");
	wice__signaling_hub_subscribe(user->hub, &own->public_key, &own->private_key);
}

static void send_description(User *user)
{
	WiceDescription description = description_sample();
	WiceEnvelope envelope;
	uint8_t body[WICE_ENVELOPE_MAX];
	ck_assert(wice__mailbox_seal(&user->mailbox, &description, 1, &envelope, body));
	wice__signaling_hub_publish(user->hub, &envelope);
}

static void set_up(void)
{
	wice__fake_register();
	context = g_main_context_new();
	alice = host_new();
	bob = host_new();
}

START_TEST(an_envelope_over_two_backends_is_believed_once)
{
	User a, b;
	set_up();
	user_init(&a, &alice, &bob, two_urls);
	user_init(&b, &bob, &alice, two_urls);
	WAIT_FOR(context, a.states == 2 && b.states == 2);
	send_description(&a);
	WAIT_FOR(context, b.results[WICE_OPEN_OK] + b.results[WICE_OPEN_REPLAYED] == 2);
	ck_assert_uint_eq(b.results[WICE_OPEN_OK], 1);
	send_description(&b);
	WAIT_FOR(context, a.results[WICE_OPEN_OK] + a.results[WICE_OPEN_REPLAYED] == 2);
	ck_assert_uint_eq(a.results[WICE_OPEN_OK], 1);
	free_hub(&a);
	free_hub(&b);
}
END_TEST

START_TEST(one_working_backend_is_enough)
{
	User a, b;
	set_up();
	WiceFakeWeather weather = { .closed = true };
	wice__fake_set_weather("left", &weather);
	user_init(&a, &alice, &bob, two_urls);
	user_init(&b, &bob, &alice, two_urls);
	WAIT_FOR(context, a.states == 2 && b.states == 2);
	send_description(&a);
	WAIT_FOR(context, b.results[WICE_OPEN_OK] == 1);

	WiceBackendStatus status[3];
	ck_assert_uint_eq(wice__signaling_hub_status(a.hub, status, 3), 2);
	ck_assert_str_eq(status[0].url, "fake:left");
	ck_assert(!status[0].ready && status[0].reason[0]);
	ck_assert(status[1].ready && !status[1].reason[0]);

	weather.closed = false;
	wice__fake_set_weather("left", &weather);
	WAIT_FOR(context, b.results[WICE_OPEN_REPLAYED] == 1);
	wice__signaling_hub_status(a.hub, status, 1);
	ck_assert(status[0].ready);
	free_hub(&a);
	free_hub(&b);
	wice__fake_reset("left");
}
END_TEST

START_TEST(a_backend_that_has_said_nothing_is_not_ready_and_says_why)
{
	User a;
	WiceBackendStatus status[2];
	set_up();
	user_init(&a, &alice, &bob, two_urls);
	ck_assert_uint_eq(wice__signaling_hub_status(a.hub, NULL, 0), 2);
	wice__signaling_hub_status(a.hub, status, 2);
	ck_assert(!status[0].ready && status[0].reason[0]);
	free_hub(&a);
}
END_TEST

START_TEST(garbage_and_hooks_reach_every_backend)
{
	User a;
	set_up();
	user_init(&a, &alice, &bob, two_urls);
	WAIT_FOR(context, a.states == 2);
	wice__fake_inject_garbage("left", true);
	wice__fake_inject_garbage("right", false);
	WAIT_FOR(context, a.garbage == 2);
	wice__signaling_hub_network_changed(a.hub);
	wice__signaling_hub_set_fwmark(a.hub, 7);
	wice__signaling_hub_unsubscribe(a.hub, &alice.public_key);
	User b;
	user_init(&b, &bob, &alice, two_urls);
	WAIT_FOR(context, b.states == 2);
	send_description(&b);
	wice__fake_inject_garbage("left", true);
	wice__fake_inject_garbage("right", true);
	WAIT_FOR(context, a.garbage == 4);
	ck_assert_uint_eq(a.results[WICE_OPEN_OK], 0);
	free_hub(&a);
	free_hub(&b);
	wice__fake_reset("left");
	wice__fake_reset("right");
}
END_TEST

START_TEST(a_hub_may_be_freed_from_its_own_callbacks)
{
	User a, b;
	set_up();
	user_init(&a, &alice, &bob, two_urls);
	a.free_on_state = true;
	WAIT_FOR(context, !a.hub);
	user_init(&a, &alice, &bob, two_urls);
	user_init(&b, &bob, &alice, two_urls);
	b.free_on_envelope = true;
	WAIT_FOR(context, a.states == 2 && b.states == 2);
	send_description(&a);
	WAIT_FOR(context, !b.hub);
	free_hub(&a);
	while (g_main_context_iteration(context, FALSE))
		;
	wice__signaling_hub_free(NULL);
}
END_TEST

START_TEST(unusable_urls_are_refused_by_name)
{
	static const struct {
		const char *urls[4];
		WiceErrorCode code;
		const char *named;
	} cases[] = {
		{ { NULL }, WICE_ERROR_INVALID, "multicast://" },
		{ { "fake:left", "pigeon://x", NULL }, WICE_ERROR_UNSUPPORTED, "pigeon://x" },
		{ { "fake:left", "multicast://192.0.2.1", NULL },
		  WICE_ERROR_INVALID,
		  "multicast://192.0.2.1" },
		{ { "fake:left", "fake:right", "fake:left", NULL },
		  WICE_ERROR_INVALID,
		  "fake:left" },
	};
	set_up();
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		ck_assert_ptr_null(wice__signaling_hub_new(context, cases[i].urls, &user_events,
							   NULL, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, (int)cases[i].code));
		ck_assert_ptr_nonnull(strstr(error->message, cases[i].named));
	}
	while (g_main_context_iteration(context, FALSE))
		;
}
END_TEST

SUITE_MAIN("hub", an_envelope_over_two_backends_is_believed_once, one_working_backend_is_enough,
	   a_backend_that_has_said_nothing_is_not_ready_and_says_why,
	   garbage_and_hooks_reach_every_backend, a_hub_may_be_freed_from_its_own_callbacks,
	   unusable_urls_are_refused_by_name)
