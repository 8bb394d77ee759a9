/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "portmap/upnp.h"
#include "portmap/upnp_library.h"
#include "suite.h"
#include "unit/event/namespace.h"
#include "unit/portmap/played_igd.h"

#include "config.h"

START_TEST(a_library_that_is_missing_or_lacks_a_function_is_refused)
{
	static const char *const others[] = { "libminiupnpc.so.none", "libglib-2.0.so.0" };
	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		WiceUpnpLibrary library, before;
		memset(&library, 0x5a, sizeof library);
		before = library;
		ck_assert(!wice__upnp_library_load(others[i], &library));
		ck_assert_mem_eq(&library, &before, sizeof library);
	}
}
END_TEST

static bool is_installed(void)
{
	WiceUpnpLibrary library;
	if (wice__upnp_library_load(WICE_LIBMINIUPNPC, &library))
		return true;
	printf("Skipped: %s is not installed\n", WICE_LIBMINIUPNPC);
	return false;
}

START_TEST(the_configured_library_has_every_function)
{
	WiceUpnpLibrary library;
	if (!is_installed())
		return;
	memset(&library, 0, sizeof library);
	ck_assert(wice__upnp_library_load(WICE_LIBMINIUPNPC, &library));
	gpointer pointers[sizeof library / sizeof(gpointer)];
	memcpy(pointers, &library, sizeof library);
	for (size_t i = 0; i < G_N_ELEMENTS(pointers); i++)
		ck_assert_ptr_nonnull(pointers[i]);
}
END_TEST

typedef struct {
	Igd igd;
	GMainContext *context;
	WiceUpnp *upnp;
	unsigned n_done;
	bool mapped;
	WiceEndpoint external;
	bool free_when_done;
} Bed;

static void done(const WiceEndpoint *external, uint32_t lease_s, void *user_data)
{
	Bed *bed = user_data;
	bed->n_done++;
	bed->mapped = external != NULL;
	if (external)
		bed->external = *external;
	if (bed->free_when_done)
		g_clear_pointer(&bed->upnp, wice__upnp_free);
}

static bool start(Bed *bed)
{
	static const WiceAddress here = { WICE_FAMILY_IPV4, { 127, 0, 0, 1 } };
	const WiceEndpoint internal = { here, 51820, 0 };
	memset(bed, 0, sizeof *bed);
	if (!is_installed() || !namespace_enter() || !igd_start(&bed->igd))
		return false;
	bed->context = g_main_context_new();
	bed->upnp = wice__upnp_new(bed->context, &here, &internal, done, bed);
	ck_assert_ptr_nonnull(bed->upnp);
	return true;
}

static gboolean tick(gpointer user_data)
{
	return G_SOURCE_CONTINUE;
}

static void map(Bed *bed)
{
	gint64 end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
	GSource *wake = g_timeout_source_new(10);
	g_source_set_callback(wake, tick, NULL, NULL);
	g_source_attach(wake, bed->context);
	bed->n_done = 0;
	wice__upnp_map(bed->upnp, 51820, 3600);
	ck_assert_uint_eq(bed->n_done, 0);
	while (!bed->n_done && g_get_monotonic_time() < end)
		g_main_context_iteration(bed->context, TRUE);
	ck_assert_uint_eq(bed->n_done, 1);
	g_source_destroy(wake);
	g_source_unref(wake);
}

static void stop(Bed *bed)
{
	wice__upnp_free(bed->upnp);
	igd_stop(&bed->igd);
	g_main_context_unref(bed->context);
}

static void expect_mapped(Bed *bed, const char *address, unsigned port, unsigned lease_s)
{
	char text[WICE_ADDRESS_SIZE];
	ck_assert(bed->mapped);
	ck_assert_str_eq(wice_address_format(&bed->external.address, text), address);
	ck_assert_uint_eq(bed->external.port, port);
	igd_expect(&bed->igd, external_port, port);
	igd_expect(&bed->igd, internal_port, 51820);
	igd_expect(&bed->igd, lease_s, lease_s);
}

START_TEST(a_port_is_mapped_renewed_and_removed)
{
	Bed bed;
	if (!start(&bed))
		return;
	for (unsigned i = 1; i <= 2; i++) {
		map(&bed);
		expect_mapped(&bed, IGD_EXTERNAL, 51820, 3600);
		igd_expect(&bed.igd, n_added, i);
	}
	g_clear_pointer(&bed.upnp, wice__upnp_free);
	igd_wait(&bed.igd, n_deleted);
	igd_expect(&bed.igd, deleted_port, 51820);
	stop(&bed);
}
END_TEST

START_TEST(a_router_that_only_maps_for_good_is_asked_to)
{
	Bed bed;
	if (!start(&bed))
		return;
	igd_set(&bed.igd, permanent_only, true);
	map(&bed);
	expect_mapped(&bed, IGD_EXTERNAL, 51820, 0);
	stop(&bed);
}
END_TEST

START_TEST(another_port_is_taken_if_somebody_has_ours)
{
	Bed bed;
	if (!start(&bed))
		return;
	igd_set(&bed.igd, taken_port, 51820);
	map(&bed);
	ck_assert_uint_ne(bed.external.port, 51820);
	expect_mapped(&bed, IGD_EXTERNAL, bed.external.port, 3600);
	stop(&bed);
}
END_TEST

START_TEST(a_private_address_outside_is_good_enough)
{
	Bed bed;
	if (!start(&bed))
		return;
	igd_set(&bed.igd, external, "100.64.1.2");
	map(&bed);
	expect_mapped(&bed, "100.64.1.2", 51820, 3600);
	stop(&bed);
}
END_TEST

START_TEST(a_router_without_an_address_outside_maps_nothing)
{
	static const char *const addresses[] = { "0.0.0.0", "", "127.0.0.1", "nonsense" };
	Bed bed;
	if (!start(&bed))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(addresses); i++) {
		igd_set(&bed.igd, external, addresses[i]);
		map(&bed);
		ck_assert(!bed.mapped);
	}
	igd_expect(&bed.igd, n_added, 0);
	stop(&bed);
	igd_expect(&bed.igd, n_deleted, 0);
}
END_TEST

/* Or anybody in the network could make us fetch whatever he likes. */
START_TEST(only_the_router_itself_is_asked)
{
	static const char *const hosts[] = { "127.0.0.2", "127.0.0.11", "127.0.0.1.example.com" };
	Bed bed;
	if (!start(&bed))
		return;
	for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
		igd_set(&bed.igd, says_to_be_at, hosts[i]);
		map(&bed);
		ck_assert(!bed.mapped);
	}
	igd_wait(&bed.igd, n_searches);
	igd_expect(&bed.igd, n_requests, 0);
	stop(&bed);
}
END_TEST

START_TEST(nobody_waits_for_a_router_that_hangs_and_it_is_tidied_up)
{
	Bed bed;
	if (!start(&bed))
		return;
	igd_set(&bed.igd, hang, true);
	wice__upnp_map(bed.upnp, 51820, 3600);
	igd_wait(&bed.igd, hanging);
	g_clear_pointer(&bed.upnp, wice__upnp_free);
	igd_expect(&bed.igd, hanging, true);
	igd_set(&bed.igd, hang, false);
	igd_wait(&bed.igd, n_deleted);
	igd_expect(&bed.igd, deleted_port, 51820);
	g_main_context_iteration(bed.context, FALSE);
	ck_assert_uint_eq(bed.n_done, 0);
	stop(&bed);
}
END_TEST

START_TEST(the_callback_may_free_it)
{
	Bed bed;
	if (!start(&bed))
		return;
	bed.free_when_done = true;
	map(&bed);
	ck_assert(bed.mapped);
	igd_wait(&bed.igd, n_deleted);
	stop(&bed);
}
END_TEST

SUITE_MAIN("portmap upnp", a_library_that_is_missing_or_lacks_a_function_is_refused,
	   the_configured_library_has_every_function, a_port_is_mapped_renewed_and_removed,
	   a_router_that_only_maps_for_good_is_asked_to, another_port_is_taken_if_somebody_has_ours,
	   a_private_address_outside_is_good_enough,
	   a_router_without_an_address_outside_maps_nothing, only_the_router_itself_is_asked,
	   nobody_waits_for_a_router_that_hangs_and_it_is_tidied_up, the_callback_may_free_it)
