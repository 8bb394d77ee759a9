/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* From any state to any other by the least plan; large changes; several threads. */
#include "conformance/wg/conformance.h"
#include "conformance/wg/state.h"

#define SEEDS 30
#define THREADS 4
#define ROUNDS 25

static TestSubject *start(int number, const WiceDevice *state)
{
	TestSubject *subject = conformance_start(number);
	if (subject)
		subject->set(subject, state);
	return subject;
}

/* Applies the plan that makes wanted of what there is; then nothing is left to do. */
static void synchronize(TestSubject *subject, const WiceDevice *wanted)
{
	g_autoptr(WiceDevice) before = conformance_device(subject), after = NULL;
	g_autoptr(WicePlan) plan = wice_plan_between(before, wanted, 0);
	conformance_apply(subject, plan, &after);
	g_autoptr(WicePlan) rest = wice_plan_between(after, wanted, 0);
	g_autofree char *text = wice_plan_format(rest, after);
	ck_assert_msg(wice_plan_is_empty(rest), "%s", text);
	ck_assert_uint_eq(conformance_apply(subject, plan, NULL), 0);
}

static void add_random_peer(WiceDeviceBuilder *builder, GRand *rand, unsigned number,
			    const unsigned *owners, unsigned n_owners)
{
	static const char *const endpoints[] = { "192.0.2.1:1", "192.0.2.1:2", "[2001:db8::1]:1" };
	WiceKey key = state_key(number);
	WiceDevicePeer *peer;
	char text[WICE_PREFIX_SIZE];
	ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
	peer->endpoint = state_endpoint(endpoints[g_rand_int_range(rand, 0, 3)]);
	if (g_rand_boolean(rand))
		peer->preshared_key = state_key(500 + (unsigned)g_rand_int_range(rand, 0, 2));
	if (g_rand_boolean(rand))
		peer->keepalive_s = (uint16_t)g_rand_int_range(rand, 1, 3);
	for (unsigned i = 0; i < n_owners; i++) {
		if (owners[i] != number)
			continue;
		g_snprintf(text, sizeof text, i % 2 ? "fd00::%x/128" : "10.0.0.%u/32", i);
		state_allow(builder, text);
	}
}

/* A state out of few values, so that any two have much in common. Peers all have an endpoint. */
static WiceDevice *random_state(GRand *rand)
{
	enum { PEERS = 8, IPS = 24 };
	unsigned owners[IPS];
	WiceDeviceBuilder *builder = wice__device_builder_new(SUBJECT_NAME, WICE_DEVICE_FAKE);
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	wice_key_generate_private(&info->private_key);
	wice_key_public(&info->private_key, &info->public_key);
	info->listen_port = (uint16_t)g_rand_int_range(rand, 2000, 2003);
	info->fwmark = (uint32_t)g_rand_int_range(rand, 0, 3);
	for (unsigned i = 0; i < IPS; i++)
		owners[i] = (unsigned)g_rand_int_range(rand, 0, PEERS + 2);
	for (unsigned i = 0; i < PEERS; i++) {
		if (g_rand_int_range(rand, 0, 4))
			add_random_peer(builder, rand, i, owners, IPS);
	}
	return wice__device_builder_finish(builder);
}

START_TEST(any_state_is_made_of_any_other)
{
	GRand *rand = g_rand_new_with_seed(1);
	g_autoptr(WiceDevice) first = random_state(rand);
	TestSubject *subject = start(_i, first);
	for (unsigned seed = 0; subject && seed < SEEDS; seed++) {
		g_autoptr(WiceDevice) wanted = random_state(rand);
		synchronize(subject, wanted);
		g_autoptr(WiceDevice) device = conformance_device(subject);
		state_assert_same(wanted, device);
	}
	if (subject)
		conformance_stop(subject);
	g_rand_free(rand);
}
END_TEST

START_TEST(any_plan_does_what_it_foretells)
{
	GRand *rand = g_rand_new_with_seed(2);
	g_autoptr(WiceDevice) first = state_new(SUBJECT_NAME, 0, 0);
	TestSubject *subject = start(_i, first);
	for (unsigned seed = 0; subject && seed < SEEDS; seed++) {
		g_autoptr(WicePlan) plan = state_plan(rand);
		conformance_apply(subject, plan, NULL);
	}
	if (subject)
		conformance_stop(subject);
	g_rand_free(rand);
}
END_TEST

START_TEST(three_thousand_peers_are_set_at_once)
{
	g_autoptr(WiceDevice) nothing = state_new(SUBJECT_NAME, 0, 0);
	g_autoptr(WiceDevice) many = state_new(SUBJECT_NAME, 3000, 3);
	g_autoptr(WiceDevice) few = state_new(SUBJECT_NAME, 2, 3);
	TestSubject *subject = start(_i, nothing);
	if (!subject)
		return;
	synchronize(subject, many);
	synchronize(subject, few);
	conformance_stop(subject);
}
END_TEST

START_TEST(a_peer_gets_and_loses_five_thousand_allowed_ips)
{
	g_autoptr(WiceDevice) without = state_new(SUBJECT_NAME, 2, 0);
	g_autoptr(WiceDevice) with = state_new(SUBJECT_NAME, 2, 5000);
	TestSubject *subject = start(_i, without);
	if (!subject)
		return;
	synchronize(subject, with);
	synchronize(subject, without);
	conformance_stop(subject);
}
END_TEST

typedef struct {
	TestSubject *subject;
	unsigned number;
} User;

static WicePrefix prefix_of(unsigned number)
{
	WicePrefix prefix;
	ck_assert(wice_prefix_parse("172.16.0.0/24", &prefix));
	prefix.address.bytes[2] = (uint8_t)number;
	return prefix;
}

/* Changes a peer of its own, and looks at all of them meanwhile. */
static gpointer use(gpointer data)
{
	const User *user = data;
	for (unsigned i = 1; i <= ROUNDS; i++) {
		g_autoptr(GError) error = NULL;
		WiceAllowedIpChange ip = { .prefix = prefix_of(user->number),
					   .remove = i % 2 == 0 };
		WicePeerChange peer = { .flags = WICE_PEER_CHANGE_UPDATE_ONLY,
					.public_key = state_key(1000 + user->number),
					.fields = WICE_PEER_HAS_KEEPALIVE,
					.keepalive_s = (uint16_t)i,
					.n_allowed_ips = 1,
					.allowed_ips = &ip };
		WiceDeviceChange change = { .size = sizeof change, .n_peers = 1, .peers = &peer };
		g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
		conformance_set(user->subject, SUBJECT_NAME, plan, &error);
		ck_assert_msg(error == NULL, "%s", error ? error->message : "");
		g_autoptr(WiceDevice) device = conformance_device(user->subject);
		const WiceDevicePeer *found = wice_device_find_peer(device, &peer.public_key);
		ck_assert_uint_eq(wice_device_info(device)->n_peers, 300);
		ck_assert_uint_eq(found->keepalive_s, i);
		ck_assert_uint_eq(found->n_allowed_ips, i % 2 ? 3 : 2);
	}
	return NULL;
}

/* What the last round of each left behind is there, and nothing else has changed. */
static void assert_used(TestSubject *subject, const WiceDevice *state)
{
	WicePeerChange peers[THREADS] = { 0 };
	WiceAllowedIpChange ips[THREADS] = { 0 };
	for (unsigned i = 0; i < THREADS; i++) {
		ips[i].prefix = prefix_of(i);
		peers[i].public_key = state_key(1000 + i);
		peers[i].fields = WICE_PEER_HAS_KEEPALIVE;
		peers[i].keepalive_s = ROUNDS;
		peers[i].n_allowed_ips = 1;
		peers[i].allowed_ips = &ips[i];
	}
	WiceDeviceChange change = { .size = sizeof change, .n_peers = THREADS, .peers = peers };
	g_autoptr(WicePlan) plan = wice_plan_new(&change, NULL);
	g_autoptr(WiceDevice) expected = wice_plan_result(plan, state);
	g_autoptr(WiceDevice) device = conformance_device(subject);
	state_assert_same(expected, device);
}

START_TEST(several_threads_read_and_write)
{
	g_autoptr(WiceDevice) state = state_new(SUBJECT_NAME, 300, 2);
	TestSubject *subject = start(_i, state);
	GThread *threads[THREADS];
	User users[THREADS];
	for (unsigned i = 0; subject && i < THREADS; i++) {
		users[i] = (User){ .subject = subject, .number = i };
		threads[i] = g_thread_new("user", use, &users[i]);
	}
	if (!subject)
		return;
	for (unsigned i = 0; i < THREADS; i++)
		g_thread_join(threads[i]);
	assert_used(subject, state);
	conformance_stop(subject);
}
END_TEST

void conformance_add_plans(TCase *tcase, int number)
{
	static const TTest *const *tests[] = { &any_state_is_made_of_any_other,
					       &any_plan_does_what_it_foretells,
					       &three_thousand_peers_are_set_at_once,
					       &a_peer_gets_and_loses_five_thousand_allowed_ips,
					       &several_threads_read_and_write };
	for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
		tcase_add_loop_test(tcase, *tests[i], number, number + 1);
}
