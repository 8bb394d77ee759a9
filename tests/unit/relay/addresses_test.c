/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names with several addresses, of which some do not answer. The resolver is played: what is below comes before
 * the library's.
 */
#include <string.h>
#include <wice/error.h>

#include "event/resolve.h"
#include "event/source.h"
#include "played_server.h"
#include "relay/relay.h"
#include "suite.h"

#define WAIT_MS 60000

struct WiceResolve {
	WiceResolveFunc func;
	void *user_data;
};

static const char *const *answers;
static unsigned n_resolved, n_opened, n_closing;
static WiceEndpoint opened[24];

static void answer(void *user_data)
{
	struct WiceResolve *resolve = user_data;
	WiceAddress addresses[G_N_ELEMENTS(opened)];
	size_t n = 0;
	for (; answers[n]; n++)
		ck_assert(wice_address_parse(answers[n], &addresses[n]));
	if (resolve->func)
		resolve->func(addresses, n, NULL, resolve->user_data);
}

WiceResolve *wice__resolve_start(GMainContext *context, const char *host, WiceResolveFunc func,
				 void *user_data)
{
	WiceResolve *resolve = g_new0(WiceResolve, 1);
	ck_assert_str_eq(host, "relay.example.org");
	*resolve = (WiceResolve){ func, user_data };
	n_resolved++;
	wice__idle_call(context, answer, resolve, g_free);
	return resolve;
}

void wice__resolve_cancel(WiceResolve *resolve)
{
	if (resolve)
		resolve->func = NULL;
}

static void on_changed(WiceRelay *relay, void *user_data)
{
}

/* One at a time. */
static void on_opened(WiceRelay *relay, int fd, const WiceEndpoint *local,
		      const WiceEndpoint *server, void *user_data)
{
	ck_assert_uint_eq(n_opened, n_closing);
	ck_assert_uint_lt(n_opened, G_N_ELEMENTS(opened));
	opened[n_opened++] = *server;
}

static void on_closing(WiceRelay *relay, int fd, const WiceEndpoint *local,
		       const WiceEndpoint *server, void *user_data)
{
	ck_assert_uint_eq(n_opened, ++n_closing);
}

static const WiceRelayEvents events = {
	.changed = on_changed,
	.socket_opened = on_opened,
	.socket_closing = on_closing,
};

static WiceRelay *start(const char *const *addresses, uint16_t port)
{
	g_autofree char *text = g_strdup_printf("turn:relay.example.org:%u", port);
	WiceRelaySpec *spec = wice__relay_spec_parse(text, false, NULL);
	WiceRelayOptions options = { .spec = spec };
	answers = addresses;
	n_resolved = n_opened = n_closing = 0;
	WiceRelay *relay = wice__relay_new(&options, &events, NULL);
	wice__relay_spec_free(spec);
	return relay;
}

static void wait_for(const WiceRelay *relay, WiceRelayState state)
{
	for (int64_t until = wice__now_ms() + WAIT_MS; wice__relay_state(relay) != state;) {
		ck_assert_msg(wice__now_ms() < until, "%s", wice__relay_reason(relay));
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(1000);
	}
}

static void check_opened(unsigned i, const char *address)
{
	char text[WICE_ADDRESS_SIZE];
	ck_assert_str_eq(wice_address_format(&opened[i].address, text), address);
}

START_TEST(the_families_take_turns_and_the_first_that_answers_is_kept)
{
	/* Nothing listens at the first two; the one that answers is first after that. */
	static const char *const addresses[] = { "::1", "::1", "127.0.0.2", "127.0.0.1", NULL };
	PlayedServer server;
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	WiceRelay *relay = start(addresses, server.port);
	wait_for(relay, WICE_RELAY_READY);
	ck_assert_uint_eq(n_resolved, 1);
	ck_assert_uint_eq(n_opened, 3);
	check_opened(0, "::1");
	check_opened(1, "127.0.0.2");
	check_opened(2, "127.0.0.1");
	PLAYED_SET(&server, forgot, true);
	wice__relay_hurry(relay);
	wait_for(relay, WICE_RELAY_FAILED);
	PLAYED_SET(&server, forgot, false);
	wait_for(relay, WICE_RELAY_READY);
	ck_assert_uint_eq(n_opened, 4);
	check_opened(3, "127.0.0.1");
	wice__relay_free(relay);
	ck_assert_uint_eq(n_opened, n_closing);
	played_server_stop(&server);
}
END_TEST

START_TEST(one_that_is_silent_does_not_hold_up_the_next)
{
	static const char *const addresses[] = { "127.0.0.3", "127.0.0.1", NULL };
	PlayedServer silent, server;
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	played_server_start(&silent, WICE_TURN_UDP, "127.0.0.3", server.port, NULL);
	PLAYED_SET(&silent, silent, true);
	WiceRelay *relay = start(addresses, server.port);
	wait_for(relay, WICE_RELAY_READY);
	ck_assert_uint_eq(n_opened, 2);
	ck_assert_uint_gt(PLAYED_GET(&silent, n_allocates), 0);
	wice__relay_free(relay);
	played_server_stop(&server);
	played_server_stop(&silent);
}
END_TEST

START_TEST(one_without_room_is_not_the_last)
{
	static const char *const addresses[] = { "127.0.0.3", "127.0.0.1", NULL };
	PlayedServer full, server;
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	played_server_start(&full, WICE_TURN_UDP, "127.0.0.3", server.port, NULL);
	PLAYED_SET(&full, allocate_error, 508);
	WiceRelay *relay = start(addresses, server.port);
	wait_for(relay, WICE_RELAY_READY);
	ck_assert_uint_eq(n_opened, 2);
	wice__relay_free(relay);
	played_server_stop(&server);
	played_server_stop(&full);
}
END_TEST

START_TEST(the_last_of_many_is_found)
{
	enum { N = 20 };
	static char texts[N][WICE_ADDRESS_SIZE];
	static const char *addresses[N + 1];
	PlayedServer server;
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	for (int i = 0; i < N; i++) {
		g_snprintf(texts[i], sizeof texts[i], "127.0.0.%d", N - i);
		addresses[i] = texts[i];
	}
	WiceRelay *relay = start(addresses, server.port);
	wait_for(relay, WICE_RELAY_READY);
	ck_assert_uint_eq(n_opened, N);
	wice__relay_free(relay);
	played_server_stop(&server);
}
END_TEST

START_TEST(one_that_refuses_is_believed)
{
	static const char *const addresses[] = { "127.0.0.1", "127.0.0.2", NULL };
	PlayedServer server;
	played_server_start(&server, WICE_TURN_UDP, "127.0.0.1", 0, NULL);
	PLAYED_SET(&server, allocate_error, 403);
	WiceRelay *relay = start(addresses, server.port);
	wait_for(relay, WICE_RELAY_FAILED);
	ck_assert_uint_eq(n_opened, 1);
	ck_assert(strstr(wice__relay_reason(relay), "forbids"));
	wice__relay_free(relay);
	played_server_stop(&server);
}
END_TEST

SUITE_MAIN("relay addresses", the_families_take_turns_and_the_first_that_answers_is_kept,
	   one_that_is_silent_does_not_hold_up_the_next, one_without_room_is_not_the_last,
	   the_last_of_many_is_found, one_that_refuses_is_believed)
