/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* How requests reach this kernel. What it answers is the concern of other tests. */
#include "conformance/wg/kernel.h"
#include "conformance/wg/state.h"
#include "event/source.h"
#include "suite.h"
#include "wg/netlink.h"

#include <signal.h>
#include <sys/time.h>

#define MESSAGE_MAX (60u * 1024)

static int keep_request(void *user_data, int protocol, struct nl_msg *request,
			WiceNetlinkReply *reply, int64_t deadline_ms)
{
	struct nl_msg **kept = user_data;
	nlmsg_get(request);
	*kept = request;
	return 0;
}

START_TEST(requests_are_wiped)
{
	struct nl_msg *kept = NULL;
	WiceNetlinkTransport transport = { .exchange = keep_request, .user_data = &kept };
	WiceNetlinkReply reply = { 0 };
	WiceDeviceChange change = { .size = sizeof change,
				    .fields = WICE_DEVICE_HAS_PRIVATE_KEY,
				    .private_key = state_key(1) };
	WiceNetlinkSet writer = { .change = &change };
	struct nl_msg *request = wice__netlink_write_set(33, 77, &writer);
	size_t size = nlmsg_hdr(request)->nlmsg_len;
	ck_assert_ptr_nonnull(memmem(nlmsg_hdr(request), size, &change.private_key, WICE_KEY_LEN));
	ck_assert_int_eq(wice__netlink_exchange(&transport, NETLINK_GENERIC, request, &reply, 0),
			 0);
	ck_assert_ptr_eq(kept, request);
	const uint8_t *bytes = (const uint8_t *)nlmsg_hdr(kept);
	for (size_t i = 0; i < size; i++)
		ck_assert_uint_eq(bytes[i], 0);
	nlmsg_free(kept);
}
END_TEST

/* A message that says nothing, as large as they get, to a family and to none. */
START_TEST(this_kernel_takes_messages_of_that_size)
{
	static const int cases[][2] = { { NLMSG_NOOP, 0 }, { INT16_MAX, -ENOENT } };
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct nl_msg *request = nlmsg_alloc_size(MESSAGE_MAX);
		WiceNetlinkReply reply = { 0 };
		nlmsg_put(request, NL_AUTO_PORT, NL_AUTO_SEQ, cases[i][0], 0, NLM_F_ACK);
		ck_assert_ptr_nonnull(nlmsg_reserve(request, MESSAGE_MAX - NLMSG_HDRLEN, 4));
		ck_assert_int_eq(wice__netlink_exchange(&wice__netlink_kernel, NETLINK_GENERIC,
							request, &reply, wice__now_ms() + 60000),
				 cases[i][1]);
	}
}
END_TEST

static void ignore(int signal)
{
}

/* This protocol does not answer what is too short; signals come while that is waited for. */
START_TEST(an_exchange_ends_with_its_deadline_and_not_with_a_signal)
{
	struct sigaction action = { .sa_handler = ignore };
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct nl_msg *request = nlmsg_alloc();
	WiceNetlinkReply reply = { 0 };
	nlmsg_put(request, NL_AUTO_PORT, NL_AUTO_SEQ, NLMSG_NOOP, 0, 0);
	ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
	int64_t deadline = wice__now_ms() + 100;
	ck_assert_int_eq(wice__netlink_exchange(&wice__netlink_kernel, NETLINK_FIB_LOOKUP, request,
						&reply, deadline),
			 -ETIMEDOUT);
	ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
	ck_assert_int_ge(wice__now_ms(), deadline);
}
END_TEST

START_TEST(a_protocol_that_does_not_exist_is_an_error)
{
	WiceNetlinkReply reply = { 0 };
	ck_assert_int_lt(wice__netlink_exchange(&wice__netlink_kernel, 1000, nlmsg_alloc(), &reply,
						wice__now_ms() + 60000),
			 0);
	ck_assert_int_eq(wice__netlink_exchange(&wice__netlink_kernel, NETLINK_GENERIC, NULL,
						&reply, wice__now_ms() + 60000),
			 -ENOMEM);
}
END_TEST

SUITE_MAIN("wg netlink transport", requests_are_wiped, this_kernel_takes_messages_of_that_size,
	   an_exchange_ends_with_its_deadline_and_not_with_a_signal,
	   a_protocol_that_does_not_exist_is_an_error)
