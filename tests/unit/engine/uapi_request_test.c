/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/wg/engine_model.h"

#include <errno.h>

#include "engine/uapi_request.h"
#include "suite.h"
#include "unit/wg/plan_random.h"
#include "wg/uapi_write.h"

#define A "b85996fecc9c7f1fc6d2572a76eda11d59bcd20be8e543b15ce4bd85a8e75a33"
#define B "58402e695ba1772b1cc9309755f043251ea77fdcf10fbe63989ceb7e19321376"
#define ZEROES "0000000000000000000000000000000000000000000000000000000000000000"
#define CLAMPED "b85996fecc9c7f1fc6d2572a76eda11d59bcd20be8e543b15ce4bd85a8e75a73"

/* A whole request; what it was after each piece must not depend on where it was cut. */
static int read_pieces(const char *text, size_t len, size_t piece, WicePlan **ret)
{
	g_autoptr(WiceUapiRequest) request = wice__uapi_request_new(uapi_model_scope);
	size_t shown = 0, read = 0, n_read;
	int r = 0;
	while (r == 0 && shown < len) {
		shown += MIN(piece, len - shown);
		r = wice__uapi_request_feed(request, text + read, shown - read, &n_read);
		read += n_read;
	}
	if (r <= 0)
		return r < 0 ? r : -EAGAIN;
	ck_assert_uint_eq(read, len);
	r = wice__uapi_request_error(request);
	return r < 0 ? r : wice__uapi_request_plan(request, ret);
}

static int read_set(const char *text, WicePlan **ret)
{
	size_t len = strlen(text);
	int r = read_pieces(text, len, len, ret);
	for (size_t piece = 1; piece < 100; piece += 13) {
		WicePlan *same = NULL;
		ck_assert_int_eq(read_pieces(text, len, piece, &same), r);
		wice_plan_unref(same);
	}
	return r;
}

/* Good ones, and what they are when they are written again. NULL: the same. */
static const struct {
	const char *text, *written;
} good[] = {
	{ "set=1\n\n", NULL },
	{ "set=1\nlisten_port=51820\nfwmark=4294967295\nreplace_peers=true\n\n", NULL },
	{ "set=1\nreplace_peers=true\nfwmark=0\nlisten_port=0\nprivate_key=" ZEROES "\n\n",
	  "set=1\nprivate_key=" ZEROES "\nlisten_port=0\nfwmark=0\nreplace_peers=true\n\n" },
	{ "set=1\nprivate_key=" A "\n\n", "set=1\nprivate_key=" CLAMPED "\n\n" },
	{ "set=1\nlisten_port=1\nlisten_port=0002\n\n", "set=1\nlisten_port=2\n\n" },
	{ "set=1\npublic_key=" A "\n\n", NULL },
	{ "set=1\npublic_key=" A "\nupdate_only=true\nreplace_allowed_ips=true\npreshared_key=" B
	  "\nendpoint=192.0.2.1:1\npersistent_keepalive_interval=65535\nallowed_ip=10.0.0.0/8\n"
	  "allowed_ip=-fd00::1/128\n\n",
	  NULL },
	{ "set=1\npublic_key=" A "\npreshared_key=" ZEROES "\nprotocol_version=1\n\n",
	  "set=1\npublic_key=" A "\npreshared_key=" ZEROES "\n\n" },
	{ "set=1\npublic_key=" A "\npersistent_keepalive_interval=25\n"
	  "persistent_keepalive_interval=0\n\n",
	  "set=1\npublic_key=" A "\npersistent_keepalive_interval=0\n\n" },
	/* Nothing else counts of a peer that is removed, wherever it stands. */
	{ "set=1\npublic_key=" A "\nallowed_ip=10.0.0.0/8\nremove=true\nendpoint=1.2.3.4:5\n"
	  "update_only=true\npublic_key=" B "\n\n",
	  "set=1\npublic_key=" A "\nremove=true\npublic_key=" B "\n\n" },
	/* A peer may come again, and is not what it was. */
	{ "set=1\npublic_key=" A "\nremove=true\npublic_key=" B
	  "\nallowed_ip=0.0.0.0/0\npublic_key=" A "\nallowed_ip=::/0\n\n",
	  NULL },
	/* From its line on. */
	{ "set=1\npublic_key=" B "\nallowed_ip=10.9.0.0/16\npublic_key=" A
	  "\nallowed_ip=10.0.0.0/8\nallowed_ip=10.1.0.0/16\nreplace_allowed_ips=true\n"
	  "allowed_ip=10.2.0.0/16\n\n",
	  "set=1\npublic_key=" B "\nallowed_ip=10.9.0.0/16\npublic_key=" A
	  "\nreplace_allowed_ips=true\nallowed_ip=10.2.0.0/16\n\n" },
	{ "set=1\npublic_key=" A "\nallowed_ip=10.1.2.3/8\nallowed_ip=FD00:0::1/64\n\n",
	  "set=1\npublic_key=" A "\nallowed_ip=10.0.0.0/8\nallowed_ip=fd00::/64\n\n" },
	{ "set=1\npublic_key=" A "\nendpoint=[fe80::1%eth0]:51820\npublic_key=" B
	  "\nendpoint=[fe80::1%7]:51820\n\n",
	  "set=1\npublic_key=" A "\nendpoint=[fe80::1%2]:51820\npublic_key=" B
	  "\nendpoint=[fe80::1%7]:51820\n\n" },
	{ "set=1\npublic_key=" A
	  "\nendpoint=[::ffff:192.0.2.1]:7\nendpoint=[::ffff:192.0.2.2]:7\n\n",
	  "set=1\npublic_key=" A "\nendpoint=192.0.2.2:7\n\n" },
	{ "set=1\npublic_key=" A "\nendpoint=[2001:db8::1]:0\n\n", NULL },
};

START_TEST(reads_good_requests)
{
	for (size_t i = 0; i < G_N_ELEMENTS(good); i++) {
		g_autoptr(WicePlan) plan = NULL;
		ck_assert_msg(read_set(good[i].text, &plan) == 0, "%s", good[i].text);
		g_auto(WiceUapiText) text = { 0 };
		wice__uapi_write_set(wice_plan_change(plan), &text);
		g_autofree char *written = g_strndup(text.data, text.len);
		ck_assert_str_eq(written, good[i].written ? good[i].written : good[i].text);
	}
}
END_TEST

#define PEER "set=1\npublic_key=" A "\n"

static const struct {
	const char *text;
	int error;
} bad[] = {
	/* No request at all, or more to come */
	{ "\n", -EPROTO },
	{ "\n\n", -EPROTO },
	{ "set=2\n\n", -EPROTO },
	{ "set=1\r\n\r\n", -EPROTO },
	{ " set=1\n\n", -EPROTO },
	{ "SET=1\n\n", -EPROTO },
	{ "listen_port=1\n\n", -EPROTO },
	{ "get=11\n\n", -EPROTO },
	{ "", -EAGAIN },
	{ "set=1", -EAGAIN },
	{ "set=1\n", -EAGAIN },
	{ PEER "endpoint=192.0.2.1:1\n", -EAGAIN },
	{ PEER "endpoint=what", -EAGAIN },
	/* Get has nothing to say. */
	{ "get=1\nlisten_port=1\n\n", -EINVAL },
	/* Lines */
	{ "set=1\nlisten_port\n\n", -EPROTO },
	{ "set=1\nlisten_port 1\n\n", -EPROTO },
	{ "set=1\n \n\n", -EPROTO },
	{ "set=1\r\nlisten_port=1\r\n\n", -EPROTO },
	{ "set=1\n=\n\n", -EINVAL },
	{ "set=1\n=1\n\n", -EINVAL },
	{ "set=1\nlisten_port =1\n\n", -EINVAL },
	{ "set=1\n listen_port=1\n\n", -EINVAL },
	{ "set=1\nListen_Port=1\n\n", -EINVAL },
	{ "set=1\nlisten_ports=1\n\n", -EINVAL },
	{ "set=1\njc=4\n\n", -EINVAL },
	{ "set=1\nerrno=0\n\n", -EINVAL },
	{ "set=1\nset=1\n\n", -EINVAL },
	/* The interface */
	{ "set=1\nprivate_key=\n\n", -EINVAL },
	{ "set=1\nprivate_key=" A "0\n\n", -EINVAL },
	{ "set=1\nprivate_key=x" A "\n\n", -EINVAL },
	{ "set=1\nlisten_port=\n\n", -EINVAL },
	{ "set=1\nlisten_port=65536\n\n", -EINVAL },
	{ "set=1\nlisten_port=-1\n\n", -EINVAL },
	{ "set=1\nlisten_port=+1\n\n", -EINVAL },
	{ "set=1\nlisten_port=0x1\n\n", -EINVAL },
	{ "set=1\nlisten_port=1 \n\n", -EINVAL },
	{ "set=1\nlisten_port=18446744073709551617\n\n", -EINVAL },
	{ "set=1\nfwmark=4294967296\n\n", -EINVAL },
	{ "set=1\nfwmark=0x10\n\n", -EINVAL },
	{ "set=1\nfwmark=off\n\n", -EINVAL },
	{ "set=1\nreplace_peers=false\n\n", -EINVAL },
	{ "set=1\nreplace_peers=\n\n", -EINVAL },
	{ "set=1\nreplace_peers=true1\n\n", -EINVAL },
	{ "set=1\nallowed_ip=10.0.0.0/8\n\n", -EINVAL },
	{ "set=1\nremove=true\n\n", -EINVAL },
	/* Peers */
	{ "set=1\npublic_key=\n\n", -EINVAL },
	{ "set=1\npublic_key=AAAA\n\n", -EINVAL },
	{ PEER "listen_port=1\n\n", -EINVAL },
	{ PEER "replace_peers=true\n\n", -EINVAL },
	{ PEER "update_only=false\n\n", -EINVAL },
	{ PEER "remove=1\n\n", -EINVAL },
	{ PEER "replace_allowed_ips=TRUE\n\n", -EINVAL },
	{ PEER "preshared_key=\n\n", -EINVAL },
	{ PEER "preshared_key=0\n\n", -EINVAL },
	{ PEER "protocol_version=2\n\n", -EINVAL },
	{ PEER "protocol_version=01\n\n", -EINVAL },
	{ PEER "persistent_keepalive_interval=65536\n\n", -EINVAL },
	{ PEER "persistent_keepalive_interval=off\n\n", -EINVAL },
	{ PEER "endpoint=\n\n", -EINVAL },
	{ PEER "endpoint=192.0.2.1\n\n", -EINVAL },
	{ PEER "endpoint=192.0.2.1:\n\n", -EINVAL },
	{ PEER "endpoint=192.0.2.1:65536\n\n", -EINVAL },
	{ PEER "endpoint=192.0.2.1%eth0:1\n\n", -EINVAL },
	{ PEER "endpoint=localhost:1\n\n", -EINVAL },
	{ PEER "endpoint=::1:1\n\n", -EINVAL },
	{ PEER "endpoint=[::1]\n\n", -EINVAL },
	{ PEER "endpoint=[fe80::1%nowhere]:1\n\n", -EINVAL },
	{ PEER "endpoint=[fe80::1%]:1\n\n", -EINVAL },
	{ PEER "endpoint=[fe80::1%0]:1\n\n", -EINVAL },
	{ PEER "allowed_ip=\n\n", -EINVAL },
	{ PEER "allowed_ip=-\n\n", -EINVAL },
	{ PEER "allowed_ip=10.0.0.0\n\n", -EINVAL },
	{ PEER "allowed_ip=10.0.0.0/33\n\n", -EINVAL },
	{ PEER "allowed_ip=::/129\n\n", -EINVAL },
	{ PEER "allowed_ip=+10.0.0.0/8\n\n", -EINVAL },
	{ PEER "allowed_ip=--10.0.0.0/8\n\n", -EINVAL },
	{ PEER "allowed_ip=fe80::1%eth0/64\n\n", -EINVAL },
	/* A removed peer's lines must be well-formed too; the first error counts. */
	{ PEER "remove=true\nendpoint=what\n\n", -EINVAL },
	{ PEER "endpoint=what\nwhat\n\n", -EINVAL },
	{ PEER "what\nendpoint=what\n\n", -EPROTO },
};

START_TEST(refuses_bad_requests)
{
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		WicePlan *plan = NULL;
		int r = read_set(bad[i].text, &plan);
		ck_assert_msg(r == bad[i].error, "%d, not %d: %s", r, bad[i].error, bad[i].text);
		ck_assert_ptr_null(plan);
	}
}
END_TEST

START_TEST(tells_get_from_set)
{
	g_autoptr(WiceUapiRequest) request = wice__uapi_request_new(NULL);
	size_t n_read;
	ck_assert_int_eq(wice__uapi_request_verb(request), WICE_UAPI_NONE);
	ck_assert_int_eq(wice__uapi_request_feed(request, "get=1\n\nget=1\n\n", 14, &n_read), 1);
	ck_assert_uint_eq(n_read, 7); /* what is behind it is another one */
	ck_assert_int_eq(wice__uapi_request_verb(request), WICE_UAPI_GET);
	ck_assert_int_eq(wice__uapi_request_error(request), 0);
}
END_TEST

/* No line is longer than the limit, whether its end has come or not. */
START_TEST(bounds_lines)
{
	size_t n_read, len = strlen(PEER "endpoint=");
	GString *text = g_string_new(PEER "endpoint=");
	while (text->len - strlen(PEER) <= WICE_UAPI_LINE_MAX)
		g_string_append_c(text, '1');
	WiceUapiRequest *request = wice__uapi_request_new(NULL);
	ck_assert_int_eq(wice__uapi_request_feed(request, text->str, text->len - 1, &n_read), 0);
	ck_assert_uint_eq(n_read, strlen(PEER));
	wice__uapi_request_free(request);
	request = wice__uapi_request_new(NULL);
	ck_assert_int_eq(wice__uapi_request_feed(request, text->str, text->len, &n_read), -EIO);
	wice__uapi_request_free(request);
	request = wice__uapi_request_new(NULL);
	g_string_append(text, "\n\n");
	ck_assert_int_eq(wice__uapi_request_feed(request, text->str, text->len, &n_read), -EIO);
	wice__uapi_request_free(request);
	ck_assert_uint_gt(text->len, len);
	g_string_free(text, TRUE);
}
END_TEST

/* Nor is a request, even if it would do nothing. */
START_TEST(bounds_requests)
{
	static const char lines[] = "fwmark=00000001\nfwmark=00000002\n";
	g_autoptr(WiceUapiRequest) request = wice__uapi_request_new(NULL);
	size_t n_read, n = 0;
	int r = wice__uapi_request_feed(request, "set=1\n", 6, &n_read);
	for (; r == 0 && n <= WICE_UAPI_REQUEST_MAX; n += n_read)
		r = wice__uapi_request_feed(request, lines, sizeof lines - 1, &n_read);
	ck_assert_int_eq(r, -EIO);
	ck_assert_uint_ge(n, WICE_UAPI_REQUEST_MAX - sizeof lines);
}
END_TEST

static void assert_same_peer(const WicePeerChange *a, const WicePeerChange *b)
{
	ck_assert_uint_eq(a->flags, b->flags);
	ck_assert_uint_eq(a->fields, b->fields);
	ck_assert_mem_eq(&a->public_key, &b->public_key, sizeof a->public_key);
	ck_assert_mem_eq(&a->preshared_key, &b->preshared_key, sizeof a->preshared_key);
	ck_assert_int_eq(wice_endpoint_compare(&a->endpoint, &b->endpoint), 0);
	ck_assert_uint_eq(a->keepalive_s, b->keepalive_s);
	ck_assert_uint_eq(a->n_allowed_ips, b->n_allowed_ips);
	for (size_t i = 0; i < a->n_allowed_ips; i++) {
		const WiceAllowedIpChange *x = &a->allowed_ips[i], *y = &b->allowed_ips[i];
		ck_assert_int_eq(wice_prefix_compare(&x->prefix, &y->prefix), 0);
		ck_assert_int_eq(x->remove, y->remove);
	}
}

static void assert_same_change(const WiceDeviceChange *a, const WiceDeviceChange *b)
{
	ck_assert_uint_eq(a->flags, b->flags);
	ck_assert_uint_eq(a->fields, b->fields);
	ck_assert_mem_eq(&a->private_key, &b->private_key, sizeof a->private_key);
	ck_assert_uint_eq(a->listen_port, b->listen_port);
	ck_assert_uint_eq(a->fwmark, b->fwmark);
	ck_assert_uint_eq(a->n_peers, b->n_peers);
	for (size_t i = 0; i < a->n_peers; i++)
		assert_same_peer(&a->peers[i], &b->peers[i]);
}

/* What the client writes is what the server reads. */
START_TEST(reads_what_clients_write)
{
	for (unsigned seed = 0; seed < 2000; seed++) {
		Chance chance;
		chance_init(&chance, seed);
		g_autoptr(WicePlan) plan = draw_plan(&chance);
		g_autoptr(WicePlan) same = NULL;
		g_auto(WiceUapiText) text = { 0 };
		wice__uapi_write_set(wice_plan_change(plan), &text);
		size_t piece = 1 + draw(&chance, (unsigned)text.len);
		ck_assert_int_eq(read_pieces(text.data, text.len, piece, &same), 0);
		assert_same_change(wice_plan_change(plan), wice_plan_change(same));
		chance_done(&chance);
	}
}
END_TEST

SUITE_MAIN("engine uapi requests", reads_good_requests, refuses_bad_requests, tells_get_from_set,
	   bounds_lines, bounds_requests, reads_what_clients_write)
