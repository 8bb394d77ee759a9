/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/wg/kernel.h"
#include "conformance/wg/state.h"
#include "event/source.h"
#include "suite.h"

typedef struct {
	TestKernel kernel;
	WiceWgBackend *backend;
} Fixture;

static void set_up(Fixture *fixture, WiceDevice *device)
{
	fixture->kernel = (TestKernel){ .device = device, .kind = "wireguard" };
	fixture->backend = kernel_backend(&fixture->kernel);
}

static void tear_down(Fixture *fixture)
{
	fixture->backend->ops->free(fixture->backend);
	wice_device_unref(fixture->kernel.device);
}

static int get(Fixture *fixture, WiceDevice **ret)
{
	return fixture->backend->ops->get(fixture->backend, "wg0", wice__now_ms() + 60000, ret);
}

static int update(Fixture *fixture, const WicePeerUpdate *changes)
{
	return state_update_peer(fixture->backend, "wg0", changes, wice__now_ms() + 60000);
}

START_TEST(a_dump_is_whole_wherever_it_is_cut)
{
	static const unsigned cuts[][2] = { { 0, 0 }, { 1, 0 },  { 1, 1 },
					    { 3, 2 }, { 7, 13 }, { 100, 5 } };
	for (size_t i = 0; i < G_N_ELEMENTS(cuts); i++) {
		Fixture fixture;
		WiceDevice *got = NULL;
		set_up(&fixture, state_new("wg0", 150, 13));
		fixture.kernel.peers_per_message = cuts[i][0];
		fixture.kernel.ips_per_message = cuts[i][1];
		ck_assert_int_eq(get(&fixture, &got), 0);
		state_assert_same(fixture.kernel.device, got);
		ck_assert_int_eq(wice_device_info(got)->kind, WICE_DEVICE_KERNEL);
		ck_assert_uint_eq(wice_device_info(got)->ifindex, 77);
		wice_device_unref(got);
		tear_down(&fixture);
	}
}
END_TEST

START_TEST(counters_and_handshakes_are_read)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
	WiceKey key = state_key(1);
	WiceDevicePeer *peer;
	ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
	peer->rx_bytes = UINT64_MAX;
	peer->tx_bytes = UINT64_MAX - 1;
	peer->handshake_ns = 1700000000000000007;
	peer->endpoint = state_endpoint("[fe80::1%4]:1");

	Fixture fixture;
	WiceDevice *got = NULL;
	set_up(&fixture, wice__device_builder_finish(builder));
	ck_assert_int_eq(get(&fixture, &got), 0);
	state_assert_same(fixture.kernel.device, got);
	wice_device_unref(got);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_torn_dump_is_taken_again)
{
	Fixture fixture;
	WiceDevice *got = NULL;
	set_up(&fixture, state_new("wg0", 20, 1));
	fixture.kernel.peers_per_message = 3;
	fixture.kernel.n_interrupts = 2;
	ck_assert_int_eq(get(&fixture, &got), 0);
	ck_assert_uint_eq(fixture.kernel.n_dumps, 3);
	state_assert_same(fixture.kernel.device, got);
	wice_device_unref(got);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_dump_that_did_not_fit_is_taken_again)
{
	Fixture fixture;
	WiceDevice *got = NULL;
	set_up(&fixture, state_new("wg0", 20, 1));
	fixture.kernel.n_overruns = 3;
	ck_assert_int_eq(get(&fixture, &got), 0);
	ck_assert_uint_eq(fixture.kernel.n_dumps, 4);
	state_assert_same(fixture.kernel.device, got);
	wice_device_unref(got);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_dump_that_is_always_torn_ends)
{
	Fixture fixture;
	WiceDevice *got = NULL;
	set_up(&fixture, state_new("wg0", 20, 1));
	fixture.kernel.n_interrupts = 1000000;
	ck_assert_int_eq(get(&fixture, &got), -EBUSY);
	ck_assert_ptr_null(got);
	tear_down(&fixture);
}
END_TEST

START_TEST(a_kernel_without_wireguard_has_no_devices)
{
	Fixture fixture;
	WiceDevice *got = NULL;
	set_up(&fixture, state_new("wg0", 1, 1));
	fixture.kernel.no_family = 1;
	ck_assert_int_eq(get(&fixture, &got), -ENODEV);
	ck_assert_ptr_null(got);
	tear_down(&fixture);
}
END_TEST

START_TEST(other_links_are_not_asked)
{
	Fixture fixture;
	WiceDevice *got = NULL;
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	set_up(&fixture, state_new("wg0", 1, 1));
	fixture.kernel.kind = "tun";
	ck_assert_int_eq(get(&fixture, &got), -ENODEV);
	ck_assert_uint_eq(fixture.kernel.n_families, 0);
	ck_assert_int_eq(state_list(fixture.backend, names, INT64_MAX), 0);
	ck_assert_uint_eq(names->len, 0);
	g_ptr_array_unref(names);
	tear_down(&fixture);
}
END_TEST

START_TEST(errors_of_the_kernel_come_through)
{
	static const int cases[][2] = { { -EPERM, -EPERM },
					{ -ENODEV, -ENODEV },
					{ -EOPNOTSUPP, -ENODEV },
					{ -EINVAL, -EINVAL } };
	WicePeerUpdate changes = { .size = sizeof changes, .set_keepalive = true };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		Fixture fixture;
		WiceDevice *got = NULL;
		set_up(&fixture, state_new("wg0", 1, 1));
		fixture.kernel.error = cases[i][0];
		ck_assert_int_eq(get(&fixture, &got), cases[i][1]);
		ck_assert_int_eq(update(&fixture, &changes), cases[i][1]);
		tear_down(&fixture);
	}
}
END_TEST

START_TEST(groups_are_found_by_their_name)
{
	for (int has_group = 0; has_group < 2; has_group++) {
		TestKernel kernel = { .has_group = has_group };
		WiceNetlinkReply reply = { .port = 1, .sequence = 1 };
		struct nl_msg *message = kernel_family_message(&kernel, &reply);
		uint32_t group = 4711;
		uint16_t family = 0;
		ck_assert_int_eq(wice__netlink_read_family(nlmsg_hdr(message), &family), 0);
		ck_assert_uint_eq(family, KERNEL_FAMILY);
		ck_assert_int_eq(wice__netlink_read_group(nlmsg_hdr(message), "peers", &group), 0);
		ck_assert_uint_eq(group, has_group ? KERNEL_PEERS_GROUP : 0);
		ck_assert_int_eq(wice__netlink_read_group(nlmsg_hdr(message), "peer", &group), 0);
		ck_assert_uint_eq(group, 0);
		nlmsg_free(message);
	}
}
END_TEST

static int read_group_and_free(struct nl_msg *message, struct nlattr *groups, struct nlattr *group)
{
	uint32_t id = 4711;
	nla_nest_end(message, group);
	nla_nest_end(message, groups);
	int r = wice__netlink_read_group(nlmsg_hdr(message), "peers", &id);
	ck_assert_uint_eq(id, 4711);
	nlmsg_free(message);
	return r;
}

START_TEST(malformed_groups_are_refused)
{
	WiceNetlinkReply reply = { .port = 1, .sequence = 1 };
	struct nl_msg *message = kernel_generic(&reply, GENL_ID_CTRL, 0);
	struct nlattr *groups = nla_nest_start(message, CTRL_ATTR_MCAST_GROUPS);
	struct nlattr *group = nla_nest_start(message, 1);
	nla_put_string(message, CTRL_ATTR_MCAST_GRP_NAME, "peers");
	ck_assert_int_eq(read_group_and_free(message, groups, group), -EPROTO);

	message = kernel_generic(&reply, GENL_ID_CTRL, 0);
	groups = nla_nest_start(message, CTRL_ATTR_MCAST_GROUPS);
	group = nla_nest_start(message, 1);
	nla_put_string(message, CTRL_ATTR_MCAST_GRP_NAME, "peers");
	nla_put_u16(message, CTRL_ATTR_MCAST_GRP_ID, 1);
	ck_assert_int_eq(read_group_and_free(message, groups, group), -EPROTO);
}
END_TEST

/* As the patches of 2021 and 2022 send it. */
static struct nl_msg *notification(uint8_t command, unsigned ifindex, const char *name)
{
	struct nl_msg *message = nlmsg_alloc();
	genlmsg_put(message, 0, 0, KERNEL_FAMILY, 0, 0, command, 1);
	if (ifindex)
		nla_put_u32(message, WGDEVICE_A_IFINDEX, ifindex);
	if (name)
		nla_put_string(message, WGDEVICE_A_IFNAME, name);
	struct nlattr *peers = nla_nest_start(message, WGDEVICE_A_PEERS | NLA_F_NESTED);
	struct nlattr *peer = nla_nest_start(message, 0 | NLA_F_NESTED);
	WiceEndpoint endpoint = state_endpoint("192.0.2.1:1");
	struct sockaddr_storage address;
	int len = (int)wice__endpoint_to_sockaddr(&endpoint, &address);
	nla_put(message, WGPEER_A_PUBLIC_KEY, 32, &(WiceKey){ { 1 } });
	nla_put(message, WGPEER_A_ENDPOINT, len, &address);
	nla_nest_end(message, peer);
	nla_nest_end(message, peers);
	return message;
}

START_TEST(notifications_name_their_device)
{
	static const struct {
		uint8_t command;
		unsigned ifindex;
		const char *name;
		int expected;
	} cases[] = {
		{ 2, 77, "wg0", 0 },
		{ 2, 77, "fifteen-bytes-x", 0 },
		{ 2, 77, "sixteen-bytes-xx", -EPROTO },
		{ 2, 77, NULL, -EPROTO },
		{ 2, 0, "wg0", -EPROTO },
		{ WG_CMD_GET_DEVICE, 77, "wg0", -EPROTO },
		{ WG_CMD_SET_DEVICE, 77, "wg0", -EPROTO },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		char name[16] = "before";
		unsigned ifindex = 4711;
		struct nl_msg *message =
			notification(cases[i].command, cases[i].ifindex, cases[i].name);
		int r = wice__netlink_read_notification(nlmsg_hdr(message), name, &ifindex);
		ck_assert_msg(r == cases[i].expected, "case %zu", i);
		ck_assert_str_eq(name, r == 0 ? cases[i].name : "before");
		ck_assert_uint_eq(ifindex, r == 0 ? cases[i].ifindex : 4711);
		nlmsg_free(message);
	}
}
END_TEST

/* A message of a device with what the test puts in. */
static struct nl_msg *start_device(void)
{
	struct nl_msg *message = nlmsg_alloc_size(4096);
	genlmsg_put(message, 1, 1, KERNEL_FAMILY, 0, 0, WG_CMD_GET_DEVICE, 1);
	return message;
}

static int read_and_free(struct nl_msg *message)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
	int r = wice__netlink_read_device(nlmsg_hdr(message), builder);
	wice__device_builder_free(builder);
	nlmsg_free(message);
	return r;
}

static void put_short_key(struct nl_msg *message)
{
	nla_put(message, WGPEER_A_PUBLIC_KEY, 31, &(WiceKey){ { 1 } });
}

static void put_no_key(struct nl_msg *message)
{
	nla_put_u16(message, WGPEER_A_PERSISTENT_KEEPALIVE_INTERVAL, 1);
}

static void put_key(struct nl_msg *message)
{
	nla_put(message, WGPEER_A_PUBLIC_KEY, 32, &(WiceKey){ { 1 } });
}

static void put_short_endpoint(struct nl_msg *message)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6 };
	put_key(message);
	nla_put(message, WGPEER_A_ENDPOINT, sizeof(struct sockaddr_in), &address);
}

static void put_other_endpoint(struct nl_msg *message)
{
	struct sockaddr_in6 address = { .sin6_family = AF_UNIX };
	put_key(message);
	nla_put(message, WGPEER_A_ENDPOINT, sizeof address, &address);
}

static void put_early_handshake(struct nl_msg *message)
{
	int64_t time[2] = { -1, 0 };
	put_key(message);
	nla_put(message, WGPEER_A_LAST_HANDSHAKE_TIME, sizeof time, time);
}

static void put_short_counter(struct nl_msg *message)
{
	put_key(message);
	nla_put_u32(message, WGPEER_A_RX_BYTES, 1);
}

static void put_allowed_ip(struct nl_msg *message, uint16_t family, int len, uint8_t mask)
{
	uint8_t address[32] = { 10 };
	put_key(message);
	struct nlattr *ips = nla_nest_start(message, WGPEER_A_ALLOWEDIPS | NLA_F_NESTED);
	struct nlattr *ip = nla_nest_start(message, 0 | NLA_F_NESTED);
	nla_put_u16(message, WGALLOWEDIP_A_FAMILY, family);
	nla_put(message, WGALLOWEDIP_A_IPADDR, len, address);
	nla_put_u8(message, WGALLOWEDIP_A_CIDR_MASK, mask);
	nla_nest_end(message, ip);
	nla_nest_end(message, ips);
}

static void put_long_mask(struct nl_msg *message)
{
	put_allowed_ip(message, AF_INET, 4, 33);
}

static void put_wrong_length(struct nl_msg *message)
{
	put_allowed_ip(message, AF_INET, 16, 24);
}

static void put_wrong_family(struct nl_msg *message)
{
	put_allowed_ip(message, AF_UNIX, 4, 24);
}

static void put_huge_address(struct nl_msg *message)
{
	put_allowed_ip(message, AF_INET6, 32, 24);
}

static void put_incomplete_allowed_ip(struct nl_msg *message)
{
	put_key(message);
	struct nlattr *ips = nla_nest_start(message, WGPEER_A_ALLOWEDIPS | NLA_F_NESTED);
	struct nlattr *ip = nla_nest_start(message, 0 | NLA_F_NESTED);
	nla_put_u16(message, WGALLOWEDIP_A_FAMILY, AF_INET);
	nla_nest_end(message, ip);
	nla_nest_end(message, ips);
}

/* The last entry claims to be longer than the list. */
static void put_cut_allowed_ip(struct nl_msg *message)
{
	put_allowed_ip(message, AF_INET, 4, 24);
	struct nlattr *ips = nla_nest_start(message, WGPEER_A_ALLOWEDIPS | NLA_F_NESTED);
	struct nlattr *ip = nla_nest_start(message, 0 | NLA_F_NESTED);
	nla_put_u16(message, WGALLOWEDIP_A_FAMILY, AF_INET);
	nla_nest_end(message, ip);
	ip->nla_len = 4000;
	nla_nest_end(message, ips);
}

START_TEST(malformed_peers_are_refused)
{
	static void (*const cases[])(struct nl_msg *) = { put_short_key,
							  put_no_key,
							  put_short_endpoint,
							  put_other_endpoint,
							  put_early_handshake,
							  put_short_counter,
							  put_long_mask,
							  put_wrong_length,
							  put_wrong_family,
							  put_huge_address,
							  put_incomplete_allowed_ip,
							  put_cut_allowed_ip };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct nl_msg *message = start_device();
		struct nlattr *peers = nla_nest_start(message, WGDEVICE_A_PEERS | NLA_F_NESTED);
		struct nlattr *peer = nla_nest_start(message, 0 | NLA_F_NESTED);
		cases[i](message);
		nla_nest_end(message, peer);
		nla_nest_end(message, peers);
		ck_assert_msg(read_and_free(message) == -EPROTO, "case %zu", i);
	}
}
END_TEST

START_TEST(malformed_interfaces_are_refused)
{
	struct nl_msg *message = start_device();
	nla_put(message, WGDEVICE_A_PRIVATE_KEY, 33, (uint8_t[33]){ 0 });
	ck_assert_int_eq(read_and_free(message), -EPROTO);

	message = start_device();
	nla_put_u8(message, WGDEVICE_A_LISTEN_PORT, 1);
	ck_assert_int_eq(read_and_free(message), -EPROTO);

	message = nlmsg_alloc_simple(KERNEL_FAMILY, 0); /* not even a generic header */
	ck_assert_int_eq(read_and_free(message), -EPROTO);
}
END_TEST

/* Whatever is cut off or overwritten, reading stays inside the message and ends. */
START_TEST(damaged_messages_do_no_harm)
{
	TestKernel kernel = { .device = state_new("wg0", 5, 4) };
	WiceNetlinkReply reply = { .port = 1, .sequence = 1 };
	KernelCursor cursor = { 0, 0 };
	struct nl_msg *message = kernel_generic(&reply, KERNEL_FAMILY, 0);
	ck_assert(kernel_dump_part(&kernel, message, &cursor));
	size_t len = nlmsg_hdr(message)->nlmsg_len;
	GRand *rand = g_rand_new_with_seed(7);
	for (int i = 0; i < 3000; i++) {
		size_t kept = (size_t)g_rand_int_range(rand, NLMSG_HDRLEN, (gint)len + 1);
		struct nlmsghdr *copy = g_memdup2(nlmsg_hdr(message), kept);
		copy->nlmsg_len = (uint32_t)kept;
		for (int n = g_rand_int_range(rand, 0, 4); n > 0 && kept > NLMSG_HDRLEN; n--)
			((uint8_t *)copy)[g_rand_int_range(rand, NLMSG_HDRLEN, (gint)kept)] =
				(uint8_t)g_rand_int(rand);
		WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
		(void)wice__netlink_read_device(copy, builder);
		wice_device_unref(wice__device_builder_finish(builder));
		g_free(copy);
	}
	g_rand_free(rand);
	nlmsg_free(message);
	wice_device_unref(kernel.device);
}
END_TEST

START_TEST(replies_to_others_are_skipped)
{
	WiceNetlinkReply reply = { .port = 5, .sequence = 9 }, other = reply;
	other.port = 6;
	struct nl_msg *message = kernel_message(&other, NLMSG_DONE, NLM_F_DUMP_INTR);
	ck_assert_int_eq(kernel_feed(message, &reply), 0);
	other = reply;
	other.sequence = 8;
	message = kernel_message(&other, NLMSG_DONE, NLM_F_DUMP_INTR);
	ck_assert_int_eq(kernel_feed(message, &reply), 0);
	ck_assert(!reply.interrupted);
	ck_assert_int_eq(kernel_feed(kernel_message(&reply, NLMSG_NOOP, 0), &reply), 0);
	ck_assert_int_eq(kernel_feed(kernel_message(&reply, NLMSG_DONE, 0), &reply), 1);
}
END_TEST

START_TEST(a_reply_ends_with_its_status)
{
	WiceNetlinkReply reply = { .port = 5, .sequence = 9 };
	ck_assert_int_eq(kernel_status(&reply, NLMSG_DONE, 0, -ENOMEM), -ENOMEM);
	ck_assert_int_eq(kernel_status(&reply, NLMSG_ERROR, 0, 0), 1);
	ck_assert_int_eq(kernel_status(&reply, NLMSG_ERROR, 0, 5), -EPROTO);
	ck_assert_int_eq(kernel_status(&reply, NLMSG_ERROR, 0, INT_MIN), -EPROTO);
	ck_assert_int_eq(kernel_feed(kernel_message(&reply, NLMSG_ERROR, 0), &reply), -EPROTO);
	ck_assert_int_eq(kernel_feed(kernel_message(&reply, NLMSG_OVERRUN, 0), &reply), -ENOBUFS);
	ck_assert_int_eq(wice__netlink_reply_feed(&reply, &(uint32_t){ 4 }, 4), -EPROTO);
}
END_TEST

SUITE_MAIN("wg netlink", a_dump_is_whole_wherever_it_is_cut, counters_and_handshakes_are_read,
	   a_torn_dump_is_taken_again, a_dump_that_did_not_fit_is_taken_again,
	   a_dump_that_is_always_torn_ends, a_kernel_without_wireguard_has_no_devices,
	   other_links_are_not_asked, errors_of_the_kernel_come_through,
	   groups_are_found_by_their_name, malformed_groups_are_refused,
	   notifications_name_their_device, malformed_peers_are_refused,
	   malformed_interfaces_are_refused, damaged_messages_do_no_harm,
	   replies_to_others_are_skipped, a_reply_ends_with_its_status)
