/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "turnserver/outlet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>

#include "suite.h"

/* Relayed ports, on the loopback addresses. */

static WicePoll *poll_of_test;
static WiceOutlets *outlets;
static WiceAddress ipv4, ipv6, outer;
static const WiceAddress anywhere;

static void on_rest(void *user_data)
{
}

static void on_ready(WicePolled *polled, uint32_t events, void *user_data)
{
}

static void begin(uint16_t min_port, uint16_t max_port)
{
	ck_assert(wice_address_parse("127.0.0.1", &ipv4));
	ck_assert(wice_address_parse("::1", &ipv6));
	ck_assert(wice_address_parse("192.0.2.1", &outer));
	ck_assert_int_eq(wice__poll_new(g_main_context_default(), on_rest, NULL, &poll_of_test), 0);
	outlets = wice__outlets_new(poll_of_test, on_ready, min_port, max_port);
	wice__outlets_add_address(outlets, &ipv4, &outer);
}

static void end(void)
{
	wice__outlets_free(outlets);
	wice__poll_free(poll_of_test);
}

static int open_one(WiceTurnPort kind, WiceOutlet **ret_outlet)
{
	static char owner;
	int r = wice__outlet_open(outlets, WICE_FAMILY_IPV4, kind, &anywhere, NULL, ret_outlet);
	if (r == 0)
		(*ret_outlet)->owner = &owner;
	return r;
}

START_TEST(a_port_is_told_as_what_others_see_and_found_by_it)
{
	WiceOutlet *outlet;
	begin(40000, 49000);
	ck_assert_int_eq(open_one(WICE_TURN_PORT_ANY, &outlet), 0);
	ck_assert_int_eq(wice_address_compare(&outlet->outer.address, &outer), 0);
	ck_assert_int_eq(wice_address_compare(&outlet->inner.address, &ipv4), 0);
	ck_assert_uint_eq(outlet->outer.port, outlet->inner.port);
	ck_assert_uint_ge(outlet->inner.port, 40000);
	ck_assert_uint_le(outlet->inner.port, 49000);
	ck_assert_ptr_eq(wice__outlet_find(outlets, &outlet->outer), outlet);
	ck_assert_ptr_null(wice__outlet_find(outlets, &outlet->inner));
	WiceEndpoint where = outlet->outer;
	wice__outlet_close(outlets, outlet);
	ck_assert_ptr_null(wice__outlet_find(outlets, &where));
	end();
}
END_TEST

START_TEST(a_range_is_used_up_to_its_last_port_and_never_left)
{
	WiceOutlet *all[8], *more;
	begin(47111, 47118);
	for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
		ck_assert_int_eq(open_one(WICE_TURN_PORT_ANY, &all[i]), 0);
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(all[i]->inner.port, all[j]->inner.port);
	}
	ck_assert_int_eq(open_one(WICE_TURN_PORT_ANY, &more), -EADDRINUSE);
	uint16_t port = all[3]->inner.port;
	wice__outlet_close(outlets, all[3]);
	ck_assert_int_eq(open_one(WICE_TURN_PORT_ANY, &more), 0);
	ck_assert_uint_eq(more->inner.port, port);
	end();
}
END_TEST

START_TEST(ports_of_others_are_passed_over)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons(47121) };
	name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	WiceOutlet *outlet, *more;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	begin(47121, 47122);
	ck_assert_int_eq(open_one(WICE_TURN_PORT_ANY, &outlet), 0);
	ck_assert_uint_eq(outlet->inner.port, 47122);
	ck_assert_int_eq(open_one(WICE_TURN_PORT_ANY, &more), -EADDRINUSE);
	end();
	close(fd);
}
END_TEST

START_TEST(which_port_is_next_cannot_be_told)
{
	WiceOutlet *outlet;
	unsigned in_order = 0, last = 0;
	begin(40000, 49000);
	for (unsigned i = 0; i < 50; i++) {
		ck_assert_int_eq(open_one(WICE_TURN_PORT_ANY, &outlet), 0);
		in_order += outlet->inner.port == last + 1;
		last = outlet->inner.port;
	}
	ck_assert_uint_lt(in_order, 10);
	end();
}
END_TEST

START_TEST(an_even_port_keeps_the_next_one_for_who_comes_for_it)
{
	WiceOutlet *even, *odd, *other;
	begin(47131, 47134); /* one pair: 47132, 47133 */
	ck_assert_int_eq(open_one(WICE_TURN_PORT_PAIR, &even), 0);
	ck_assert_uint_eq(even->inner.port, 47132);
	WiceEndpoint kept = even->outer;
	kept.port++;
	ck_assert_ptr_null(wice__outlet_find(outlets, &kept)->owner);
	/* 47134 is even, and its neighbour is beyond the range. */
	ck_assert_int_eq(open_one(WICE_TURN_PORT_PAIR, &other), -EADDRINUSE);
	ck_assert_int_eq(open_one(WICE_TURN_PORT_EVEN, &other), 0);
	ck_assert_uint_eq(other->inner.port, 47134);
	ck_assert_int_eq(wice__outlet_open(outlets, WICE_FAMILY_IPV4, WICE_TURN_PORT_RESERVED,
					   &anywhere, &kept, &odd),
			 0);
	ck_assert_uint_eq(odd->inner.port, 47133);
	odd->owner = &odd;
	ck_assert_int_eq(wice__outlet_open(outlets, WICE_FAMILY_IPV4, WICE_TURN_PORT_RESERVED,
					   &anywhere, &kept, &other),
			 -ENOENT);
	end();
}
END_TEST

START_TEST(families_and_addresses_are_chosen)
{
	WiceOutlet *outlet;
	WiceAddress second;
	begin(40000, 49000);
	ck_assert(wice_address_parse("127.0.0.2", &second));
	ck_assert(wice__outlets_has_family(outlets, WICE_FAMILY_IPV4));
	ck_assert(!wice__outlets_has_family(outlets, WICE_FAMILY_IPV6));
	ck_assert_int_eq(wice__outlet_open(outlets, WICE_FAMILY_IPV6, WICE_TURN_PORT_ANY, &anywhere,
					   NULL, &outlet),
			 -EAFNOSUPPORT);
	wice__outlets_add_address(outlets, &second, &second);
	wice__outlets_add_address(outlets, &ipv6, &ipv6);
	const struct {
		WiceFamily family;
		const WiceAddress *preferred, *inner;
	} table[] = {
		{ WICE_FAMILY_IPV4, &anywhere, &ipv4 }, { WICE_FAMILY_IPV4, &second, &second },
		{ WICE_FAMILY_IPV4, &outer, &ipv4 },    { WICE_FAMILY_IPV4, &ipv6, &ipv4 },
		{ WICE_FAMILY_IPV6, &second, &ipv6 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		ck_assert_int_eq(wice__outlet_open(outlets, table[i].family, WICE_TURN_PORT_ANY,
						   table[i].preferred, NULL, &outlet),
				 0);
		ck_assert_int_eq(wice_address_compare(&outlet->inner.address, table[i].inner), 0);
	}
	wice__outlets_remove_addresses(outlets);
	ck_assert(!wice__outlets_has_family(outlets, WICE_FAMILY_IPV4));
	wice__outlets_add_address(outlets, &ipv6, &ipv6);
	ck_assert(wice__outlets_has_family(outlets, WICE_FAMILY_IPV6));
	ck_assert_ptr_nonnull(wice__outlet_find(outlets, &outlet->outer));
	end();
}
END_TEST

SUITE_MAIN("turnserver outlet", a_port_is_told_as_what_others_see_and_found_by_it,
	   a_range_is_used_up_to_its_last_port_and_never_left, ports_of_others_are_passed_over,
	   which_port_is_next_cannot_be_told, an_even_port_keeps_the_next_one_for_who_comes_for_it,
	   families_and_addresses_are_chosen)
