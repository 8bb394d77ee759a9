/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <string.h>
#include <wice/error.h>
#include <wice/status.h>

START_TEST(a_chosen_mechanism_is_read_back_by_its_name)
{
	static const struct {
		const char *name;
		WiceMechanism mechanism;
	} cases[] = {
		{ "auto", WICE_MECHANISM_NONE }, { "bpf", WICE_MECHANISM_BPF },
		{ "nft", WICE_MECHANISM_NFT },   { "inprocess", WICE_MECHANISM_INPROCESS },
		{ "user", WICE_MECHANISM_USER },
	};
	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(GError) error = NULL;
		WiceMechanism mechanism = WICE_MECHANISM_KERNEL;
		ck_assert(wice_mechanism_parse(cases[i].name, &mechanism, &error));
		ck_assert_int_eq(mechanism, cases[i].mechanism);
		if (mechanism != WICE_MECHANISM_NONE)
			ck_assert_str_eq(wice_mechanism_name(mechanism), cases[i].name);
	}
}
END_TEST

START_TEST(what_cannot_be_chosen_is_refused_with_what_can)
{
	static const char *const names[] = { "",     "none", "kernel",   "BPF",
					     "bpf ", "ebpf", "userspace" };
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GError) error = NULL;
		WiceMechanism mechanism = WICE_MECHANISM_KERNEL;
		ck_assert(!wice_mechanism_parse(names[i], &mechanism, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
		ck_assert_ptr_nonnull(strstr(error->message, "auto, bpf, nft, inprocess and user"));
		ck_assert_int_eq(mechanism, WICE_MECHANISM_KERNEL);
	}
}
END_TEST

START_TEST(every_value_has_a_name_and_no_other)
{
	static const char *const mechanisms[] = { "none",      "kernel", "user",
						  "inprocess", "bpf",    "nft" };
	static const char *const nats[] = { "unknown", "none", "present", "endpoint-independent",
					    "endpoint-dependent" };
	for (gsize i = 0; i < G_N_ELEMENTS(mechanisms); i++)
		ck_assert_str_eq(wice_mechanism_name((WiceMechanism)i), mechanisms[i]);
	for (gsize i = 0; i < G_N_ELEMENTS(nats); i++)
		ck_assert_str_eq(wice_nat_mapping_name((WiceNatMapping)i), nats[i]);
	ck_assert_str_eq(wice_mechanism_name((WiceMechanism)G_N_ELEMENTS(mechanisms)), "unknown");
	ck_assert_str_eq(wice_nat_mapping_name((WiceNatMapping)G_N_ELEMENTS(nats)), "unknown");
}
END_TEST

SUITE_MAIN("names", a_chosen_mechanism_is_read_back_by_its_name,
	   what_cannot_be_chosen_is_refused_with_what_can, every_value_has_a_name_and_no_other)
