/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every signaling backend must do, run over each of them. A backend joins by a line in `fixtures`: a function that
 * makes the URL, after starting what has to be there.
 */
#include "signaling/fake.h"
#include "signaling/sealed.h"
#include "suite.h"
#include "unit/rpc/certificate.h"
#include "unit/signaling/netns.h"
#include "unit/signaling/recorder.h"

#include <sodium.h>

typedef struct {
	const char *name;
	/* The URL for g_free(), or NULL and a printed reason. What it starts may run on context. */
	char *(*start)(GMainContext *context, void **ret_state);
	void (*stop)(void *state); /* may be NULL */
} Fixture;

static char *start_inprocess(GMainContext *context, void **ret_state)
{
	return g_strdup("inprocess:conformance");
}

static char *start_fake(GMainContext *context, void **ret_state)
{
	wice__fake_register();
	return g_strdup("fake:conformance");
}

static char *start_multicast_loopback(GMainContext *context, void **ret_state)
{
	return netns_enter() ? g_strdup("multicast://239.255.87.67?interface=lo") : NULL;
}

/* Both families out of both ends of a cable: everything comes several times. */
static char *start_multicast_link(GMainContext *context, void **ret_state)
{
	if (!netns_enter() || !netns_ip("link add left type veth peer name right") ||
	    !netns_ip("address add 192.0.2.1/24 dev left") ||
	    !netns_ip("address add 192.0.2.2/24 dev right") || !netns_set_up("left", true) ||
	    !netns_set_up("right", true))
		return NULL;
	return g_strdup("multicast://");
}

typedef struct {
	WiceSignalingServer *server;
	TestCertificate certificate;
} Grpc;

static char *start_server(GMainContext *context, Grpc *grpc, const char *scheme)
{
	WiceSignalingServerOptions options;
	wice_signaling_server_options_init(&options);
	options.listen = "127.0.0.1:0";
	options.tls_cert = grpc->certificate.certificate;
	options.tls_key = grpc->certificate.key;
	grpc->server = wice_signaling_server_new(context, &options, NULL);
	ck_assert_ptr_nonnull(grpc->server);
	return g_strdup_printf("%s://127.0.0.1:%u", scheme,
			       wice_signaling_server_port(grpc->server));
}

static char *start_grpc(GMainContext *context, void **ret_state)
{
	*ret_state = g_new0(Grpc, 1);
	return start_server(context, *ret_state, "grpc");
}

static char *start_grpcs(GMainContext *context, void **ret_state)
{
	Grpc *grpc = *ret_state = g_new0(Grpc, 1);
	if (!test_certificate_make(&grpc->certificate, "IP:127.0.0.1")) {
		g_free(grpc);
		return NULL;
	}
	g_autofree char *url = start_server(context, grpc, "grpcs");
	return g_strdup_printf("%s?ca=%s", url, grpc->certificate.certificate);
}

static void stop_grpc(void *state)
{
	Grpc *grpc = state;
	wice_signaling_server_free(grpc->server);
	test_certificate_remove(&grpc->certificate);
	g_free(grpc);
}

static const Fixture fixtures[] = {
	{ "inprocess", start_inprocess, NULL },
	{ "fake", start_fake, NULL },
	{ "multicast-loopback", start_multicast_loopback, NULL },
	{ "multicast-link", start_multicast_link, NULL },
	{ "grpc", start_grpc, stop_grpc },
	{ "grpcs", start_grpcs, stop_grpc },
};

/* One test's surroundings. */
static struct {
	const Fixture *fixture;
	void *state;
	GMainContext *context;
	char *url;
	WiceKey a, b, c;
} world;

static bool set_up(int i)
{
	world.fixture = &fixtures[i];
	world.context = g_main_context_new();
	world.url = world.fixture->start(world.context, &world.state);
	world.a = key_named('a');
	world.b = key_named('b');
	world.c = key_named('c');
	return world.url != NULL;
}

static void tear_down(void)
{
	if (world.url && world.fixture->stop)
		world.fixture->stop(world.state);
	g_free(world.url);
	g_main_context_unref(world.context);
}

/* Key pairs, because some backends want subscribers to prove that a key is theirs. */
static void keys_of(const WiceKey *name, WiceKey *ret_private, WiceKey *ret_public)
{
	crypto_hash_sha256(ret_private->bytes, name->bytes, WICE_KEY_LEN);
	wice_key_public(ret_private, ret_public);
}

static WiceKey subscribe(Recorder *recorder, const WiceKey *name)
{
	WiceKey private_key, public_key;
	keys_of(name, &private_key, &public_key);
	HOOK(recorder, subscribe, &public_key, &private_key);
	return public_key;
}

static WiceKey public_of(const WiceKey *name)
{
	WiceKey private_key, public_key;
	keys_of(name, &private_key, &public_key);
	return public_key;
}

static void open_ready(Recorder *recorder, const WiceKey *name)
{
	recorder_open(recorder, world.context, world.url);
	if (name)
		subscribe(recorder, name);
	WAIT_FOR(world.context, recorder->ready);
}

#define CONFORMANCE(name)              \
	static void name##_body(void); \
	START_TEST(name)               \
	{                              \
		if (set_up(_i))        \
			name##_body(); \
		tear_down();           \
	}                              \
	END_TEST                       \
	static void name##_body(void)

CONFORMANCE(becomes_ready_and_says_so_from_the_main_loop)
{
	Recorder one;
	recorder_open(&one, world.context, world.url);
	ck_assert_uint_eq(one.states, 0);
	WAIT_FOR(world.context, one.ready);
	ck_assert_str_eq(one.reason, "");
	recorder_close(&one);
}

CONFORMANCE(delivers_to_the_right_key_only)
{
	Recorder from, to, other;
	open_ready(&from, NULL);
	open_ready(&to, &world.a);
	open_ready(&other, &world.b);
	WiceKey a = public_of(&world.a), b = public_of(&world.b), c = public_of(&world.c);
	publish_tag(&from, &a, 1);
	publish_tag(&from, &c, 2);
	publish_until(&from, &to, &a, 3);
	publish_until(&from, &other, &b, 4);
	ck_assert(to.tags[1] && !to.tags[2] && !to.tags[4]);
	ck_assert(!other.tags[1] && !other.tags[2] && !other.tags[3]);
	recorder_close(&from);
	recorder_close(&to);
	recorder_close(&other);
}

CONFORMANCE(delivers_to_all_subscribers_of_a_key)
{
	Recorder from, to[3];
	WiceKey a = public_of(&world.a);
	open_ready(&from, NULL);
	for (size_t i = 0; i < G_N_ELEMENTS(to); i++)
		open_ready(&to[i], &world.a);
	publish_tag(&from, &a, 1);
	for (size_t i = 0; i < G_N_ELEMENTS(to); i++) {
		publish_until(&from, &to[i], &a, 2);
		ck_assert_uint_ge(to[i].tags[1], 1);
	}
	recorder_close(&from);
	for (size_t i = 0; i < G_N_ELEMENTS(to); i++)
		recorder_close(&to[i]);
}

CONFORMANCE(delivers_to_all_keys_of_a_subscriber_also_later_ones)
{
	Recorder from, to;
	open_ready(&from, NULL);
	open_ready(&to, &world.a);
	WiceKey a = public_of(&world.a), b = subscribe(&to, &world.b);
	publish_until(&from, &to, &a, 1);
	publish_until(&from, &to, &b, 2);
	ck_assert_mem_eq(&to.last.recipient, &b, sizeof b);
	recorder_close(&from);
	recorder_close(&to);
}

CONFORMANCE(delivers_what_a_subscriber_sends_to_itself)
{
	Recorder one;
	open_ready(&one, &world.a);
	WiceKey a = public_of(&world.a);
	publish_until(&one, &one, &a, 1);
	recorder_close(&one);
}

CONFORMANCE(delivers_nothing_after_unsubscribe)
{
	Recorder from, to;
	open_ready(&from, NULL);
	open_ready(&to, &world.a);
	WiceKey a = public_of(&world.a), b = subscribe(&to, &world.b);
	publish_until(&from, &to, &a, 1);
	publish_until(&from, &to, &b, 2);
	/* On its way already when it is unsubscribed, and sent afterwards. */
	publish_tag(&from, &a, 3);
	HOOK(&to, unsubscribe, &a);
	publish_tag(&from, &a, 4);
	publish_until(&from, &to, &b, 5);
	ck_assert(!to.tags[3] && !to.tags[4]);
	/* And again, for it may come back. */
	subscribe(&to, &world.a);
	publish_until(&from, &to, &a, 6);
	recorder_close(&from);
	recorder_close(&to);
}

static void close_recorder(void *user_data)
{
	recorder_close(user_data);
}

CONFORMANCE(survives_being_closed_during_a_delivery)
{
	Recorder from, to, other;
	open_ready(&from, NULL);
	open_ready(&to, &world.a);
	open_ready(&other, &world.a);
	WiceKey a = public_of(&world.a);
	to.then = close_recorder;
	to.then_data = &to;
	for (uint8_t tag = 10; tag < 50; tag++)
		publish_tag(&from, &a, tag);
	publish_until(&from, &other, &a, 1);
	WAIT_FOR(world.context, !to.backend);
	unsigned received = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(to.tags); i++)
		received += to.tags[i];
	ck_assert_uint_eq(received, 1);
	/* A neighbour is closed from inside, too. */
	open_ready(&to, &world.a);
	other.then = close_recorder;
	other.then_data = &to;
	publish_until(&from, &other, &a, 2);
	ck_assert_ptr_null(to.backend);
	recorder_close(&from);
	recorder_close(&other);
}

CONFORMANCE(keeps_every_byte)
{
	Recorder from, to;
	open_ready(&from, NULL);
	open_ready(&to, &world.a);
	WiceKey a = public_of(&world.a), sender = key_named('S');
	uint8_t body[512];
	body[0] = 200;
	for (size_t i = 1; i < sizeof body; i++)
		body[i] = (uint8_t)i;
	publish_until(&from, &to, &a, 1);
	publish_body(&from, &sender, &a, body, sizeof body);
	WAIT_FOR(world.context, to.last_body[0] == 200);
	ck_assert_uint_eq(to.last.body_len, sizeof body);
	ck_assert_mem_eq(to.last_body, body, sizeof body);
	ck_assert_mem_eq(&to.last.sender, &sender, sizeof sender);
	ck_assert_mem_eq(&to.last.recipient, &a, sizeof a);
	for (size_t i = 0; i < WICE_NONCE_LEN; i++)
		ck_assert_uint_eq(to.last.nonce[i], 'n');
	recorder_close(&from);
	recorder_close(&to);
}

CONFORMANCE(carries_the_largest_and_nothing_larger)
{
	Recorder from, to;
	open_ready(&from, NULL);
	open_ready(&to, &world.a);
	WiceKey a = public_of(&world.a);
	static uint8_t body[WICE_ENVELOPE_MAX];
	WiceEnvelope envelope = { .sender = a, .recipient = a, .body = body, .body_len = 1 };
	while (wice__envelope_size(&envelope) != WICE_ENVELOPE_MAX)
		envelope.body_len++;
	body[0] = 1;
	HOOK(&from, publish, &envelope);
	WAIT_FOR(world.context, to.tags[1]);
	ck_assert_uint_eq(to.last.body_len, envelope.body_len);

	body[0] = 2;
	envelope.body_len++;
	HOOK(&from, publish, &envelope);
	publish_until(&from, &to, &a, 3);
	ck_assert_uint_eq(to.tags[2], 0);
	ck_assert_uint_eq(to.oversized, 0);
	recorder_close(&from);
	recorder_close(&to);
}

CONFORMANCE(keeps_no_more_than_the_newest_of_a_pair_until_it_is_ready)
{
	Recorder from, to;
	open_ready(&to, &world.a);
	WiceKey a = public_of(&world.a);
	recorder_open(&from, world.context, world.url);
	publish_tag(&from, &a, 1);
	publish_tag(&from, &a, 2);
	publish_tag(&from, &a, 3);
	WAIT_FOR(world.context, from.ready);
	publish_until(&from, &to, &a, 4);
	ck_assert_uint_eq(to.tags[1] + to.tags[2], 0);
	recorder_close(&from);
	recorder_close(&to);
}

CONFORMANCE(keeps_its_subscriptions_when_the_network_changes)
{
	Recorder from, to;
	open_ready(&from, NULL);
	open_ready(&to, &world.a);
	WiceKey a = public_of(&world.a);
	for (uint8_t tag = 1; tag <= 5; tag++) {
		to.inside_hook = from.inside_hook = true;
		to.ops->network_changed(to.backend);
		from.ops->network_changed(from.backend);
		to.inside_hook = from.inside_hook = false;
		publish_until(&from, &to, &a, tag);
	}
	recorder_close(&from);
	recorder_close(&to);
}

CONFORMANCE(may_be_closed_at_any_time)
{
	Recorder one;
	WiceKey a = public_of(&world.a);
	recorder_open(&one, world.context, world.url);
	recorder_close(&one);
	recorder_open(&one, world.context, world.url);
	subscribe(&one, &world.a);
	publish_tag(&one, &a, 1);
	recorder_close(&one);
	for (int rounds = 0; rounds < 8; rounds++) {
		recorder_open(&one, world.context, world.url);
		subscribe(&one, &world.a);
		for (int i = 0; i < rounds; i++)
			g_main_context_iteration(world.context, FALSE);
		publish_tag(&one, &a, 1);
		recorder_close(&one);
	}
	while (g_main_context_iteration(world.context, FALSE))
		;
}

typedef struct {
	char *url;
	WiceKey recipient;
	gint stop;
} Elsewhere;

static gpointer publish_elsewhere(gpointer data)
{
	Elsewhere *elsewhere = data;
	GMainContext *context = g_main_context_new();
	Recorder from;
	recorder_open(&from, context, elsewhere->url);
	while (!g_atomic_int_get(&elsewhere->stop)) {
		publish_tag(&from, &elsewhere->recipient, 1);
		for (int i = 0; i < 10; i++)
			if (!g_main_context_iteration(context, FALSE))
				g_usleep(500);
	}
	recorder_close(&from);
	g_main_context_unref(context);
	return NULL;
}

CONFORMANCE(carries_between_threads)
{
	Recorder to;
	open_ready(&to, &world.a);
	Elsewhere elsewhere = { .url = world.url, .recipient = public_of(&world.a) };
	GThread *threads[3];
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		threads[i] = g_thread_new("publisher", publish_elsewhere, &elsewhere);
	WAIT_FOR(world.context, to.tags[1] >= 20);
	recorder_close(&to);
	g_atomic_int_set(&elsewhere.stop, 1);
	for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
		g_thread_join(threads[i]);
}

int main(void)
{
	const TTest *const tests[] = {
		becomes_ready_and_says_so_from_the_main_loop,
		delivers_to_the_right_key_only,
		delivers_to_all_subscribers_of_a_key,
		delivers_to_all_keys_of_a_subscriber_also_later_ones,
		delivers_what_a_subscriber_sends_to_itself,
		delivers_nothing_after_unsubscribe,
		survives_being_closed_during_a_delivery,
		keeps_every_byte,
		carries_the_largest_and_nothing_larger,
		keeps_no_more_than_the_newest_of_a_pair_until_it_is_ready,
		keeps_its_subscriptions_when_the_network_changes,
		may_be_closed_at_any_time,
		carries_between_threads,
	};
	Suite *suite = suite_create("signaling backends");
	for (size_t i = 0; i < G_N_ELEMENTS(fixtures); i++) {
		TCase *tcase = tcase_create(fixtures[i].name);
		tcase_set_timeout(tcase, SUITE_TIMEOUT_S);
		for (size_t j = 0; j < G_N_ELEMENTS(tests); j++)
			tcase_add_loop_test(tcase, tests[j], (int)i, (int)i + 1);
		suite_add_tcase(suite, tcase);
	}
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
