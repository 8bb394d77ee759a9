/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* The group itself is in no kernel: another family's is joined, and the words are played. */
#include "conformance/wg/kernel_base.h"
#include "event/source.h"
#include "suite.h"
#include "wg/netlink.h"
#include "wg/peer_group.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAMILY 20

typedef struct {
	GMainContext *context;
	WicePeerGroup *group;
	int kernel; /* our end of it */
	GString *log;
} Bed;

static void changed(const char *name, void *user_data)
{
	Bed *bed = user_data;
	g_string_append_printf(bed->log, "%s ", name ? name : "(lost)");
}

static void set_up(Bed *bed)
{
	int fds[2];
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, fds), 0);
	*bed = (Bed){ .context = g_main_context_new(), .kernel = fds[0] };
	bed->log = g_string_new(NULL);
	bed->group = wice__peer_group_new(fds[1], bed->context, changed, bed);
}

static void tear_down(Bed *bed)
{
	wice__peer_group_free(bed->group);
	close(bed->kernel);
	g_main_context_unref(bed->context);
	g_string_free(bed->log, TRUE);
}

static struct nl_msg *word(uint8_t command, const char *name)
{
	struct nl_msg *message = nlmsg_alloc();
	genlmsg_put(message, 0, 0, FAMILY, 0, 0, command, 1);
	nla_put_u32(message, WGDEVICE_A_IFINDEX, 7);
	nla_put_string(message, WGDEVICE_A_IFNAME, name);
	return message;
}

static void say(Bed *bed, uint8_t command, const char *name)
{
	struct nl_msg *message = word(command, name);
	struct nlmsghdr *header = nlmsg_hdr(message);
	ck_assert_int_eq(send(bed->kernel, header, header->nlmsg_len, 0), header->nlmsg_len);
	nlmsg_free(message);
}

static void listen_for(Bed *bed, const char *expected)
{
	while (g_main_context_iteration(bed->context, FALSE))
		;
	ck_assert_str_eq(bed->log->str, expected);
}

START_TEST(changed_peers_are_told_by_their_device)
{
	Bed bed;
	set_up(&bed);
	say(&bed, 2, "wg0");
	say(&bed, WG_CMD_SET_DEVICE, "other");
	say(&bed, 2, "a/b");
	say(&bed, 2, "wg1");
	listen_for(&bed, "wg0 wg1 ");
	tear_down(&bed);
}
END_TEST

START_TEST(what_is_too_long_counts_as_lost)
{
	Bed bed;
	char bytes[40000];
	set_up(&bed);
	memset(bytes, 0xff, sizeof bytes);
	ck_assert_int_eq(send(bed.kernel, bytes, 3, 0), 3);
	ck_assert_int_eq(send(bed.kernel, bytes, sizeof bytes, 0), sizeof bytes);
	listen_for(&bed, "(lost) ");
	tear_down(&bed);
}
END_TEST

START_TEST(groups_are_found_by_name)
{
	static const struct {
		const char *family, *group;
		int expected;
	} cases[] = {
		{ "nlctrl", "notify", 0 },
		{ "nlctrl", "peers", -ENOENT },
		{ "wicenone", "peers", -ENOENT },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		int fd = wice__peer_group_open(cases[i].family, cases[i].group,
					       wice__now_ms() + 60000);
		ck_assert_msg(MIN(fd, 0) == cases[i].expected, "case %zu: %d", i, fd);
		if (fd >= 0)
			close(fd);
	}
}
END_TEST

SUITE_MAIN("wg peer group", changed_peers_are_told_by_their_device, what_is_too_long_counts_as_lost,
	   groups_are_found_by_name)
