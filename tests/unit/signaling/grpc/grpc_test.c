/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The gRPC backend against our server: what the conformance suite, which knows no servers, cannot see. */
#include <stdlib.h>

#include "suite.h"
#include "unit/rpc/certificate.h"
#include "unit/signaling/recorder.h"

typedef struct {
	GMainContext *context;
	WiceSignalingServer *server;
	char *listen;
	char *url;
	WiceKey a_private, a, b_private, b;
} World;

static void start_server(World *world)
{
	WiceSignalingServerOptions options;
	g_autoptr(GError) error = NULL;
	wice_signaling_server_options_init(&options);
	options.listen = world->listen ? world->listen : "127.0.0.1:0";
	world->server = wice_signaling_server_new(world->context, &options, &error);
	ck_assert_msg(world->server != NULL, "%s", error ? error->message : "");
	if (!world->listen)
		world->listen =
			g_strdup_printf("127.0.0.1:%u", wice_signaling_server_port(world->server));
}

static void stop_server(World *world)
{
	wice_signaling_server_free(world->server);
	world->server = NULL;
}

static void world_init(World *world)
{
	*world = (World){ .context = g_main_context_new() };
	wice_key_generate_private(&world->a_private);
	wice_key_public(&world->a_private, &world->a);
	wice_key_generate_private(&world->b_private);
	wice_key_public(&world->b_private, &world->b);
	start_server(world);
	world->url = g_strdup_printf("grpc://%s", world->listen);
}

static void world_done(World *world)
{
	stop_server(world);
	while (g_main_context_iteration(world->context, FALSE))
		;
	g_main_context_unref(world->context);
	g_free(world->listen);
	g_free(world->url);
}

static void open_on(World *world, Recorder *recorder, const WiceKey *key,
		    const WiceKey *private_key)
{
	recorder_open(recorder, world->context, world->url);
	if (key)
		HOOK(recorder, subscribe, key, private_key);
}

START_TEST(it_lives_through_a_restart_of_the_server)
{
	World world;
	Recorder to, from;
	world_init(&world);
	open_on(&world, &to, &world.a, &world.a_private);
	open_on(&world, &from, NULL, NULL);
	WAIT_FOR(world.context, to.ready && from.ready);
	publish_until(&from, &to, &world.a, 1);

	stop_server(&world);
	WAIT_FOR(world.context, !to.ready && !from.ready);
	ck_assert_ptr_nonnull(strstr(to.reason, world.url));
	ck_assert_ptr_nonnull(strstr(to.reason, "tried again"));
	/* Kept meanwhile: the newest. */
	publish_tag(&from, &world.a, 2);
	publish_tag(&from, &world.a, 3);
	WAIT_FOR(world.context, strstr(to.reason, "refused"));
	start_server(&world);
	WAIT_FOR(world.context, to.ready && from.ready);
	publish_until(&from, &to, &world.a, 4);
	ck_assert_uint_eq(to.tags[2], 0);
	recorder_close(&to);
	recorder_close(&from);
	world_done(&world);
}
END_TEST

START_TEST(it_keeps_trying_a_server_that_is_not_there_yet)
{
	World world;
	Recorder one;
	world_init(&world);
	stop_server(&world);
	open_on(&world, &one, &world.a, &world.a_private);
	WAIT_FOR(world.context, one.states == 1);
	ck_assert(!one.ready);
	ck_assert_ptr_nonnull(strstr(one.reason, "Cannot reach"));
	publish_tag(&one, &world.a, 1);
	start_server(&world);
	WAIT_FOR(world.context, one.ready);
	/* The same reason is told once. */
	ck_assert_uint_eq(one.states, 2);
	recorder_close(&one);
	world_done(&world);
}
END_TEST

START_TEST(what_it_was_given_before_the_connection_arrives_first)
{
	World world;
	Recorder to, from;
	world_init(&world);
	open_on(&world, &to, &world.a, &world.a_private);
	WAIT_FOR(world.context, to.ready);
	open_on(&world, &from, NULL, NULL);
	publish_tag(&from, &world.a, 1);
	publish_tag(&from, &world.b, 2);
	WAIT_FOR(world.context, to.tags[1]);
	recorder_close(&to);
	recorder_close(&from);
	world_done(&world);
}
END_TEST

START_TEST(a_key_that_is_not_ours_cannot_be_subscribed)
{
	World world;
	Recorder thief;
	world_init(&world);
	open_on(&world, &thief, &world.a, &world.b_private);
	WAIT_FOR(world.context, thief.states == 1);
	ck_assert(!thief.ready);
	ck_assert_ptr_nonnull(strstr(thief.reason, "Cannot subscribe"));
	/* What is in the way goes away. */
	HOOK(&thief, unsubscribe, &world.a);
	WAIT_FOR(world.context, thief.ready);
	recorder_close(&thief);
	world_done(&world);
}
END_TEST

START_TEST(a_key_added_later_is_reported_when_it_is_live)
{
	World world;
	Recorder to, from;
	world_init(&world);
	open_on(&world, &to, &world.a, &world.a_private);
	open_on(&world, &from, NULL, NULL);
	WAIT_FOR(world.context, to.ready && from.ready);
	ck_assert_uint_eq(to.states, 1);
	HOOK(&to, subscribe, &world.b, &world.b_private);
	WAIT_FOR(world.context, to.states == 2);
	ck_assert(to.ready);
	publish_tag(&from, &world.b, 9);
	WAIT_FOR(world.context, to.tags[9]);
	recorder_close(&to);
	recorder_close(&from);
	world_done(&world);
}
END_TEST

START_TEST(a_change_of_the_network_renews_the_connection)
{
	World world;
	Recorder one;
	world_init(&world);
	open_on(&world, &one, &world.a, &world.a_private);
	WAIT_FOR(world.context, one.ready);
	for (unsigned i = 2; i < 6; i++) {
		one.ops->network_changed(one.backend);
		WAIT_FOR(world.context, one.states == i);
		ck_assert(one.ready);
	}
	publish_until(&one, &one, &world.a, 1);
	recorder_close(&one);
	world_done(&world);
}
END_TEST

START_TEST(a_thousand_envelopes_at_once_all_arrive)
{
	World world;
	Recorder to, from;
	world_init(&world);
	open_on(&world, &to, &world.a, &world.a_private);
	open_on(&world, &from, NULL, NULL);
	WAIT_FOR(world.context, to.ready && from.ready);
	for (unsigned i = 0; i < 1000; i++)
		publish_tag(&from, &world.a, 1);
	WAIT_FOR(world.context, to.tags[1] == 1000);
	recorder_close(&to);
	recorder_close(&from);
	world_done(&world);
}
END_TEST

START_TEST(it_works_over_tls_with_a_certificate_of_its_own)
{
	TestCertificate files;
	World world = { .context = g_main_context_new() };
	WiceSignalingServerOptions options;
	Recorder to, stranger;
	if (!test_certificate_make(&files, "DNS:localhost"))
		return;
	wice_key_generate_private(&world.a_private);
	wice_key_public(&world.a_private, &world.a);
	wice_signaling_server_options_init(&options);
	options.listen = ":0";
	options.tls_cert = files.certificate;
	options.tls_key = files.key;
	world.server = wice_signaling_server_new(world.context, &options, NULL);
	ck_assert_ptr_nonnull(world.server);
	world.url = g_strdup_printf("grpcs://localhost:%u?ca=%s",
				    wice_signaling_server_port(world.server), files.certificate);
	open_on(&world, &to, &world.a, &world.a_private);
	WAIT_FOR(world.context, to.ready);
	publish_until(&to, &to, &world.a, 1);

	*strchr(world.url, '?') = 0;
	open_on(&world, &stranger, NULL, NULL);
	WAIT_FOR(world.context, stranger.states == 1);
	ck_assert(!stranger.ready);
	ck_assert_ptr_nonnull(strstr(stranger.reason, "trusted"));
	recorder_close(&to);
	recorder_close(&stranger);
	world_done(&world);
	test_certificate_remove(&files);
}
END_TEST

SUITE_MAIN("grpc backend", it_lives_through_a_restart_of_the_server,
	   it_keeps_trying_a_server_that_is_not_there_yet,
	   what_it_was_given_before_the_connection_arrives_first,
	   a_key_that_is_not_ours_cannot_be_subscribed,
	   a_key_added_later_is_reported_when_it_is_live,
	   a_change_of_the_network_renews_the_connection, a_thousand_envelopes_at_once_all_arrive,
	   it_works_over_tls_with_a_certificate_of_its_own)
