/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wg/link.h"

#include "conformance/wg/kernel.h"
#include "conformance/wg/state.h"
#include "event/source.h"
#include "suite.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define PATIENCE (wice__now_ms() + 60000)

static WiceInterfaceAddress address(const char *text)
{
	WiceInterfaceAddress result;
	ck_assert_msg(wice_interface_address_parse(text, &result), "%s", text);
	return result;
}

static void assert_address(const WiceLink *link, const char *text)
{
	WiceInterfaceAddress wanted = address(text);
	for (size_t i = 0; i < link->n_addresses; i++) {
		if (link->addresses[i].length == wanted.length &&
		    wice_address_compare(&link->addresses[i].address, &wanted.address) == 0)
			return;
	}
	ck_abort_msg("%s is missing", text);
}

/* On the played kernel, through the backend */

typedef struct {
	TestKernel kernel;
	WiceWgBackend *backend;
} Fixture;

static void set_up(Fixture *fixture)
{
	fixture->kernel =
		(TestKernel){ .device = state_new("wg0", 1, 1),
			      .kind = "wireguard",
			      .mtu = 1420,
			      .n_addresses = 2,
			      .addresses = { address("10.0.0.1/24"), address("fd00::1/64") },
			      .log = g_string_new(NULL) };
	fixture->backend = kernel_backend(&fixture->kernel);
}

static void tear_down(Fixture *fixture)
{
	fixture->backend->ops->free(fixture->backend);
	wice_device_unref(fixture->kernel.device);
	g_string_free(fixture->kernel.log, TRUE);
}

static int get_link(Fixture *fixture, WiceLink **ret)
{
	return fixture->backend->ops->get_link(fixture->backend, "wg0", PATIENCE, ret);
}

static int set_link(Fixture *fixture, const WiceLinkChange *change)
{
	return fixture->backend->ops->set_link(fixture->backend, "wg0", change, PATIENCE);
}

START_TEST(a_link_is_read_with_its_own_addresses)
{
	Fixture fixture;
	WiceLink *link = NULL;
	set_up(&fixture);
	fixture.kernel.up = true;
	fixture.kernel.n_interrupts = 3;
	ck_assert_int_eq(get_link(&fixture, &link), 0);
	ck_assert_str_eq(link->name, "wg0");
	ck_assert_uint_eq(link->ifindex, KERNEL_IFINDEX);
	ck_assert(link->up);
	ck_assert_uint_eq(link->mtu, 1420);
	ck_assert_uint_eq(link->n_addresses, 2);
	assert_address(link, "10.0.0.1/24");
	assert_address(link, "fd00::1/64");
	ck_assert_uint_eq(fixture.kernel.n_dumps, 4);
	wice_link_free(link);
	tear_down(&fixture);
}
END_TEST

START_TEST(addresses_that_are_always_torn_end)
{
	Fixture fixture;
	WiceLink *link = NULL;
	set_up(&fixture);
	fixture.kernel.n_interrupts = 1000000;
	ck_assert_int_eq(get_link(&fixture, &link), -EBUSY);
	ck_assert_ptr_null(link);
	tear_down(&fixture);
}
END_TEST

START_TEST(changes_are_made_in_their_order)
{
	WiceInterfaceAddress add[] = { address("10.0.0.9/32"), address("fd00::9/128") };
	WiceInterfaceAddress gone[] = { address("fd00::1/64"), address("10.0.0.1/24") };
	WiceLinkChange change = { .size = sizeof change,
				  .new_name = "wg1",
				  .set_up = true,
				  .up = true,
				  .mtu = 1300,
				  .n_add = 2,
				  .add = add,
				  .n_remove = 2,
				  .remove = gone };
	Fixture fixture;
	set_up(&fixture);
	ck_assert_int_eq(set_link(&fixture, &change), 0);
	ck_assert_str_eq(
		fixture.kernel.log->str,
		"-fd00::1/64;-10.0.0.1/24;mtu 1300;name wg1;+10.0.0.9/32;+fd00::9/128;up;");
	tear_down(&fixture);

	set_up(&fixture);
	change.up = false;
	ck_assert_int_eq(set_link(&fixture, &change), 0);
	ck_assert_str_eq(fixture.kernel.log->str, "-fd00::1/64;-10.0.0.1/24;mtu 1300;down;name wg1;"
						  "+10.0.0.9/32;+fd00::9/128;");
	tear_down(&fixture);
}
END_TEST

START_TEST(routes_are_added_when_the_link_is_up)
{
	WicePrefix routes[2];
	WiceLinkChange change = {
		.size = sizeof change, .set_up = true, .up = true, .n_routes = 2, .routes = routes
	};
	Fixture fixture;
	ck_assert(wice_prefix_parse("10.8.0.0/16", &routes[0]));
	ck_assert(wice_prefix_parse("fd08::/32", &routes[1]));
	set_up(&fixture);
	ck_assert_int_eq(set_link(&fixture, &change), 0);
	ck_assert_str_eq(fixture.kernel.log->str, "up;10.8.0.0/16 table 254;fd08::/32 table 254;");
	ck_assert_int_eq(set_link(&fixture, &change), -EALREADY);
	tear_down(&fixture);

	set_up(&fixture);
	change.route_table = 51820;
	ck_assert_int_eq(set_link(&fixture, &change), 0);
	ck_assert_str_eq(fixture.kernel.log->str,
			 "up;10.8.0.0/16 table 51820;fd08::/32 table 51820;");
	tear_down(&fixture);
}
END_TEST

START_TEST(what_is_not_set_is_not_touched)
{
	WiceLinkChange change = { .size = sizeof change };
	Fixture fixture;
	set_up(&fixture);
	ck_assert_int_eq(set_link(&fixture, &change), 0);
	ck_assert_str_eq(fixture.kernel.log->str, "");
	tear_down(&fixture);
}
END_TEST

START_TEST(present_and_absent_addresses_are_no_error)
{
	static const struct {
		const char *add, *remove;
		int expected;
	} cases[] = {
		{ "10.0.0.1/24", NULL, 0 },          { "fd00::1/64", NULL, 0 },
		{ "fd00::1/128", NULL, -ENOTUNIQ },  { "fd00::1/128", "fd00::1/64", 0 },
		{ NULL, "192.0.2.1/24", 0 },         { NULL, "10.0.0.1/25", 0 },
		{ "10.0.0.1/24", "10.0.0.1/24", 0 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceInterfaceAddress add = { 0 }, gone = { 0 };
		WiceLinkChange change = { .size = sizeof change, .add = &add, .remove = &gone };
		Fixture fixture;
		WiceLink *link = NULL;
		set_up(&fixture);
		if (cases[i].add) {
			add = address(cases[i].add);
			change.n_add = 1;
		}
		if (cases[i].remove) {
			gone = address(cases[i].remove);
			change.n_remove = 1;
		}
		ck_assert_msg(set_link(&fixture, &change) == cases[i].expected, "case %zu", i);
		ck_assert_int_eq(get_link(&fixture, &link), 0);
		ck_assert_uint_eq(link->n_addresses, 2);
		if (cases[i].add && cases[i].expected == 0)
			assert_address(link, cases[i].add);
		wice_link_free(link);
		tear_down(&fixture);
	}
}
END_TEST

START_TEST(a_taken_name_is_refused)
{
	WiceLinkChange change = { .size = sizeof change, .new_name = "lo", .mtu = 1300 };
	Fixture fixture;
	set_up(&fixture);
	ck_assert_int_eq(set_link(&fixture, &change), -EEXIST);
	ck_assert_str_eq(fixture.kernel.log->str, "mtu 1300;");
	ck_assert_int_eq(fixture.backend->ops->create(fixture.backend, "wg0", PATIENCE), -EEXIST);
	ck_assert_int_eq(fixture.backend->ops->create(fixture.backend, "lo", PATIENCE), -EEXIST);
	tear_down(&fixture);
}
END_TEST

START_TEST(errors_of_the_kernel_come_through)
{
	static const int cases[][2] = { { -EPERM, -EPERM },
					{ -EBUSY, -EBUSY },
					{ -EINVAL, -EINVAL },
					{ -EADDRINUSE, -EADDRINUSE } };
	WiceInterfaceAddress add = address("fd00::7/64"), present = address("fd00::1/64");
	WiceLinkChange up = { .size = sizeof up, .set_up = true, .up = true };
	WiceLinkChange addresses = { .size = sizeof addresses, .n_add = 1, .add = &add };
	WiceLinkChange removal = { .size = sizeof removal, .n_remove = 1, .remove = &present };
	Fixture fixture;
	set_up(&fixture);
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		fixture.kernel.link_error = cases[i][0];
		ck_assert_int_eq(set_link(&fixture, &up), cases[i][1]);
		ck_assert_int_eq(set_link(&fixture, &addresses), cases[i][1]);
		ck_assert_int_eq(set_link(&fixture, &removal), cases[i][1]);
		ck_assert_int_eq(fixture.backend->ops->remove(fixture.backend, "wg0", PATIENCE),
				 cases[i][1]);
		ck_assert_int_eq(fixture.backend->ops->create(fixture.backend, "wg1", PATIENCE),
				 cases[i][1]);
	}
	/* IPv6 is switched off for the link, and for the kernel. */
	fixture.kernel.link_error = -EACCES;
	ck_assert_int_eq(set_link(&fixture, &addresses), -EAFNOSUPPORT);
	fixture.kernel.link_error = -EOPNOTSUPP;
	ck_assert_int_eq(set_link(&fixture, &addresses), -EAFNOSUPPORT);
	tear_down(&fixture);
}
END_TEST

START_TEST(devices_are_made_and_removed)
{
	Fixture fixture;
	WiceLink *link = NULL;
	WiceDevice *device = NULL;
	set_up(&fixture);
	ck_assert_int_eq(fixture.backend->ops->remove(fixture.backend, "wg0", PATIENCE), 0);
	ck_assert_int_eq(fixture.backend->ops->remove(fixture.backend, "wg0", PATIENCE), -ENODEV);
	ck_assert_int_eq(get_link(&fixture, &link), -ENODEV);
	fixture.kernel.no_family = true;
	ck_assert_int_eq(fixture.backend->ops->create(fixture.backend, "wg0", PATIENCE),
			 -EOPNOTSUPP);
	fixture.kernel.no_family = false;
	ck_assert_int_eq(fixture.backend->ops->create(fixture.backend, "wg0", PATIENCE), 0);
	ck_assert_int_eq(get_link(&fixture, &link), 0);
	ck_assert(!link->up);
	ck_assert_int_eq(fixture.backend->ops->get(fixture.backend, "wg0", PATIENCE, &device), 0);
	wice_device_unref(device);
	wice_link_free(link);
	tear_down(&fixture);
}
END_TEST

START_TEST(other_links_are_left_alone)
{
	WiceLinkChange change = { .size = sizeof change, .set_up = true };
	Fixture fixture;
	WiceLink *link = NULL;
	set_up(&fixture);
	fixture.kernel.kind = "tun";
	ck_assert_int_eq(get_link(&fixture, &link), -ENODEV);
	ck_assert_int_eq(set_link(&fixture, &change), -ENODEV);
	ck_assert_int_eq(fixture.backend->ops->remove(fixture.backend, "wg0", PATIENCE), -ENODEV);
	ck_assert_str_eq(fixture.kernel.log->str, "");
	tear_down(&fixture);
}
END_TEST

/* Addresses as messages */

static int read_address(int family, unsigned length, int own_len, int peer_len,
			WiceNetlinkAddress *ret)
{
	static const uint8_t own[16] = { 10, 1 }, peer[16] = { 10, 2 };
	WiceNetlinkReply reply = { .port = 1, .sequence = 1 };
	struct nl_msg *message = kernel_message(&reply, RTM_NEWADDR, 0);
	struct ifaddrmsg body = { .ifa_family = (uint8_t)family,
				  .ifa_prefixlen = (uint8_t)length,
				  .ifa_index = 5 };
	nlmsg_append(message, &body, sizeof body, 4);
	if (own_len >= 0)
		nla_put(message, IFA_LOCAL, own_len, own);
	if (peer_len >= 0)
		nla_put(message, IFA_ADDRESS, peer_len, peer);
	int r = wice__netlink_read_address(nlmsg_hdr(message), ret);
	nlmsg_free(message);
	return r;
}

START_TEST(addresses_are_read)
{
	static const struct {
		int family;
		unsigned length;
		int own_len, peer_len, expected;
		uint8_t own, peer; /* the second byte of each */
	} cases[] = {
		{ AF_INET, 24, 4, 4, 0, 1, 2 },         { AF_INET, 32, 4, -1, 0, 1, 1 },
		{ AF_INET6, 128, -1, 16, 0, 2, 2 },     { AF_INET6, 0, 16, 16, 0, 1, 2 },
		{ AF_INET, 33, 4, 4, -EPROTO, 0, 0 },   { AF_INET6, 129, 16, 16, -EPROTO, 0, 0 },
		{ AF_INET, 24, 3, 4, -EPROTO, 0, 0 },   { AF_INET, 24, 4, 16, -EPROTO, 0, 0 },
		{ AF_INET6, 64, 4, 16, -EPROTO, 0, 0 }, { AF_INET, 24, -1, -1, -EPROTO, 0, 0 },
		{ AF_UNIX, 24, 4, 4, 0, 0, 0 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceNetlinkAddress got = { 0 };
		int r = read_address(cases[i].family, cases[i].length, cases[i].own_len,
				     cases[i].peer_len, &got);
		ck_assert_msg(r == cases[i].expected, "case %zu", i);
		ck_assert_uint_eq(got.ifindex, r == 0 ? 5 : 0);
		ck_assert_uint_eq(got.address.address.bytes[1], cases[i].own);
		ck_assert_uint_eq(got.peer.bytes[1], cases[i].peer);
		ck_assert_uint_eq(got.address.length, cases[i].own ? cases[i].length : 0);
	}
}
END_TEST

/* On this kernel, in a network namespace of our own, with links of another kind */

static bool enter_namespace(void)
{
	if (unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0)
		return true;
	printf("skipped: unshare is not allowed\n");
	return false;
}

static int create(const char *name)
{
	int r = wice__link_create(&wice__netlink_kernel, name, "veth", PATIENCE);
	if (r == -EOPNOTSUPP)
		printf("skipped: this kernel has no veth\n");
	else
		ck_assert_int_eq(r, 0);
	return r;
}

static WiceLink *get(const char *name)
{
	WiceLink *link = NULL;
	ck_assert_int_eq(wice__link_get(&wice__netlink_kernel, name, PATIENCE, &link), 0);
	ck_assert_str_eq(link->name, name);
	return link;
}

static int change_link(const char *name, const WiceLinkChange *change)
{
	return wice__link_set(&wice__netlink_kernel, name, change, PATIENCE);
}

START_TEST(this_kernel_changes_links)
{
	if (!enter_namespace() || create("veth-a") < 0)
		return;
	WiceInterfaceAddress add[] = { address("10.0.0.1/24"), address("10.0.0.2/32"),
				       address("fd00::1/64"), address("127.1.2.3/8") };
	WiceLinkChange change = { .size = sizeof change,
				  .new_name = "veth-b",
				  .set_up = true,
				  .up = true,
				  .mtu = 1337,
				  .n_add = 4,
				  .add = add };
	ck_assert_int_eq(change_link("veth-a", &change), 0);
	WiceLink *link = get("veth-b");
	ck_assert(link->up);
	ck_assert_uint_ne(link->ifindex, 0);
	ck_assert_uint_eq(link->mtu, 1337);
	ck_assert_uint_eq(link->n_addresses, 4); /* no link-local one: the other end is down */
	assert_address(link, "10.0.0.1/24");
	assert_address(link, "10.0.0.2/32");
	assert_address(link, "fd00::1/64");
	assert_address(link, "127.1.2.3/8");
	wice_link_free(link);

	change = (WiceLinkChange){
		.size = sizeof change, .set_up = true, .n_remove = 4, .remove = add
	};
	ck_assert_int_eq(change_link("veth-b", &change), 0);
	link = get("veth-b");
	ck_assert(!link->up);
	ck_assert_uint_eq(link->n_addresses, 0);
	wice_link_free(link);
	ck_assert_int_eq(wice__link_delete(&wice__netlink_kernel, "veth-b", PATIENCE), 0);
	ck_assert_int_eq(wice__link_delete(&wice__netlink_kernel, "veth-b", PATIENCE), -ENODEV);
	ck_assert_int_eq(wice__link_get(&wice__netlink_kernel, "veth-b", PATIENCE, &link), -ENODEV);
	ck_assert_int_eq(change_link("veth-b", &change), -ENODEV);
}
END_TEST

START_TEST(this_kernel_keeps_present_addresses)
{
	if (!enter_namespace() || create("veth-a") < 0)
		return;
	WiceInterfaceAddress add[] = { address("10.0.0.1/24"), address("fd00::1/64") };
	WiceInterfaceAddress other[] = { address("10.0.0.1/25"), address("fd00::1/65"),
					 address("192.0.2.1/24") };
	WiceLinkChange change = { .size = sizeof change, .n_add = 2, .add = add };
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(change_link("veth-a", &change), 0);
		WiceLink *link = get("veth-a");
		ck_assert_uint_eq(link->n_addresses, 2);
		assert_address(link, "10.0.0.1/24");
		assert_address(link, "fd00::1/64");
		wice_link_free(link);
	}
	change = (WiceLinkChange){ .size = sizeof change, .n_add = 1, .add = &other[1] };
	ck_assert_int_eq(change_link("veth-a", &change), -ENOTUNIQ);
	change = (WiceLinkChange){ .size = sizeof change, .n_remove = 3, .remove = other };
	ck_assert_int_eq(change_link("veth-a", &change), 0);
	WiceLink *link = get("veth-a");
	ck_assert_uint_eq(link->n_addresses, 2);
	wice_link_free(link);
}
END_TEST

START_TEST(this_kernel_removes_addresses_of_two_ends)
{
	if (!enter_namespace() || create("veth-a") < 0)
		return;
	WiceLink *link = get("veth-a");
	WiceNetlinkAddress two_ends = { .ifindex = link->ifindex,
					.address = address("10.0.0.1/32") };
	ck_assert(wice_address_parse("10.0.0.2", &two_ends.peer));
	WiceNetlinkReply reply = { 0 };
	ck_assert_int_eq(wice__netlink_exchange(&wice__netlink_kernel, NETLINK_ROUTE,
						wice__netlink_write_add_address(&two_ends), &reply,
						PATIENCE),
			 0);
	wice_link_free(link);
	link = get("veth-a");
	ck_assert_uint_eq(link->n_addresses, 1);
	assert_address(link, "10.0.0.1/32");
	wice_link_free(link);

	WiceLinkChange change = { .size = sizeof change,
				  .n_remove = 1,
				  .remove = &two_ends.address };
	ck_assert_int_eq(change_link("veth-a", &change), 0);
	link = get("veth-a");
	ck_assert_uint_eq(link->n_addresses, 0);
	wice_link_free(link);
}
END_TEST

START_TEST(this_kernel_says_what_is_wrong)
{
	if (!enter_namespace() || create("veth-a") < 0 || create("veth-b") < 0)
		return;
	WiceInterfaceAddress add = address("fd00::1/64");
	WiceLinkChange taken = { .size = sizeof taken, .new_name = "veth-b" };
	WiceLinkChange tiny = { .size = sizeof tiny, .mtu = 67 };
	WiceLinkChange disabled = { .size = sizeof disabled, .n_add = 1, .add = &add };
	ck_assert_int_eq(wice__link_create(&wice__netlink_kernel, "veth-a", "veth", PATIENCE),
			 -EEXIST);
	ck_assert_int_eq(wice__link_create(&wice__netlink_kernel, "x", "no-such-kind", PATIENCE),
			 -EOPNOTSUPP);
	ck_assert_int_eq(change_link("veth-a", &taken), -EEXIST);
	ck_assert_int_eq(change_link("veth-a", &tiny), -EINVAL);
	if (g_file_set_contents_full("/proc/sys/net/ipv6/conf/veth-a/disable_ipv6", "1\n", -1,
				     G_FILE_SET_CONTENTS_NONE, 0644, NULL))
		ck_assert_int_eq(change_link("veth-a", &disabled), -EAFNOSUPPORT);
}
END_TEST

START_TEST(this_kernel_wants_privileges)
{
	if (!enter_namespace() || create("veth-a") < 0)
		return;
	WiceLinkChange change = { .size = sizeof change, .set_up = true, .up = true };
	if (seteuid(65534) < 0) {
		printf("skipped: another user cannot be taken on\n");
		return;
	}
	ck_assert_int_eq(wice__link_create(&wice__netlink_kernel, "x", "veth", PATIENCE), -EPERM);
	ck_assert_int_eq(wice__link_delete(&wice__netlink_kernel, "veth-a", PATIENCE), -EPERM);
	ck_assert_int_eq(change_link("veth-a", &change), -EPERM);
	wice_link_free(get("veth-a"));
	ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

SUITE_MAIN("wg link", a_link_is_read_with_its_own_addresses, addresses_that_are_always_torn_end,
	   changes_are_made_in_their_order, routes_are_added_when_the_link_is_up,
	   what_is_not_set_is_not_touched, present_and_absent_addresses_are_no_error,
	   a_taken_name_is_refused, errors_of_the_kernel_come_through, devices_are_made_and_removed,
	   other_links_are_left_alone, addresses_are_read, this_kernel_changes_links,
	   this_kernel_keeps_present_addresses, this_kernel_removes_addresses_of_two_ends,
	   this_kernel_says_what_is_wrong, this_kernel_wants_privileges)
