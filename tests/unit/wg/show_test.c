/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forms of wg(8), golden: the texts are what wg 1.0.20210914 prints for the same device, and
 * tests/interop/wg_show.py compares many more. JSON as docs/json.md has it.
 */
#include "suite.h"
#include "wg/device.h"
#include "wg/writer.h"

#include <string.h>
#include <wice/show.h>

#define NOW 1700000000
#define SECOND INT64_C(1000000000)

/* 32 times the same byte. */
#define KEY_11 "ERERERERERERERERERERERERERERERERERERERERERE="
#define KEY_22 "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI="
#define KEY_EE "7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u7u4="
#define KEY_FF "//////////////////////////////////////////8="

static char *name_of_scope(unsigned ifindex, char *ret_name)
{
	return ifindex == 3 ? strcpy(ret_name, "eth0") : NULL;
}

static const WiceShowOptions plain = {
	.size = sizeof plain,
	.now_ns = NOW * SECOND,
	.scope_name = name_of_scope,
};

static WiceKey key_of(uint8_t byte)
{
	WiceKey key;
	memset(key.bytes, byte, sizeof key.bytes);
	return key;
}

static WiceDevicePeer *add_peer(WiceDeviceBuilder *builder, uint8_t byte)
{
	WiceDevicePeer *peer;
	WiceKey key = key_of(byte);
	ck_assert_int_eq(wice__device_builder_peer(builder, &key, &peer), 0);
	return peer;
}

static void add_allowed_ip(WiceDeviceBuilder *builder, const char *text)
{
	WicePrefix prefix;
	ck_assert(wice_prefix_parse(text, &prefix));
	ck_assert_int_eq(wice__device_builder_allowed_ip(builder, &prefix), 0);
}

static void set_endpoint(WiceDevicePeer *peer, const char *text)
{
	ck_assert(wice_endpoint_parse(text, &peer->endpoint));
}

/* Peers and allowed IPs come in another order than they are sorted in. */
static WiceDevice *full_device(void)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	info->ifindex = 7;
	info->private_key = key_of(0x11);
	info->public_key = key_of(0x22);
	info->listen_port = 51820;
	info->fwmark = 0xca6c;

	WiceDevicePeer *peer = add_peer(builder, 0xff);
	peer->preshared_key = key_of(0x11);
	set_endpoint(peer, "[fe80::1%3]:51820");
	peer->handshake_ns = (NOW - 90) * SECOND + 5;
	peer->rx_bytes = 1536;
	peer->tx_bytes = UINT64_MAX;
	peer->keepalive_s = 25;
	add_allowed_ip(builder, "10.2.0.0/16");
	add_allowed_ip(builder, "2001:db8::/32");
	add_allowed_ip(builder, "10.1.0.0/16");

	add_peer(builder, 0xee);
	peer = add_peer(builder, 0x11);
	set_endpoint(peer, "192.0.2.1:1");
	peer->handshake_ns = (NOW - 1) * SECOND;
	peer->tx_bytes = 1;
	add_allowed_ip(builder, "0.0.0.0/0");
	return wice__device_builder_finish(builder);
}

static WiceDevice *empty_device(void)
{
	return wice__device_builder_finish(wice__device_builder_new("wg0", WICE_DEVICE_USERSPACE));
}

static void assert_text(char *text, const char *expected)
{
	ck_assert_str_eq(text, expected);
	g_free(text);
}

START_TEST(dump)
{
	g_autoptr(WiceDevice) device = full_device();
	g_autoptr(WiceDevice) empty = empty_device();
	assert_text(wice_show_dump(device, false, &plain),
		    KEY_11 "\t" KEY_22 "\t51820\t0xca6c\n" KEY_FF "\t" KEY_11
			   "\t[fe80::1%eth0]:51820\t10.2.0.0/16,2001:db8::/32,10.1.0.0/16\t"
			   "1699999910\t1536\t18446744073709551615\t25\n" KEY_EE
			   "\t(none)\t(none)\t(none)\t0\t0\t0\toff\n" KEY_11
			   "\t(none)\t192.0.2.1:1\t0.0.0.0/0\t1699999999\t0\t1\toff\n");
	assert_text(wice_show_dump(empty, false, NULL), "(none)\t(none)\t0\toff\n");
	assert_text(wice_show_dump(empty, true, NULL), "wg0\t(none)\t(none)\t0\toff\n");
}
END_TEST

START_TEST(fields)
{
	static const struct {
		const char *word, *text;
	} cases[] = {
		{ "public-key", KEY_22 "\n" },
		{ "private-key", KEY_11 "\n" },
		{ "listen-port", "51820\n" },
		{ "fwmark", "0xca6c\n" },
		{ "peers", KEY_FF "\n" KEY_EE "\n" KEY_11 "\n" },
		{ "preshared-keys",
		  KEY_FF "\t" KEY_11 "\n" KEY_EE "\t(none)\n" KEY_11 "\t(none)\n" },
		{ "endpoints",
		  KEY_FF "\t[fe80::1%eth0]:51820\n" KEY_EE "\t(none)\n" KEY_11 "\t192.0.2.1:1\n" },
		{ "allowed-ips", KEY_FF "\t10.2.0.0/16 2001:db8::/32 10.1.0.0/16\n" KEY_EE
					"\t(none)\n" KEY_11 "\t0.0.0.0/0\n" },
		{ "latest-handshakes",
		  KEY_FF "\t1699999910\n" KEY_EE "\t0\n" KEY_11 "\t1699999999\n" },
		{ "transfer",
		  KEY_FF "\t1536\t18446744073709551615\n" KEY_EE "\t0\t0\n" KEY_11 "\t0\t1\n" },
		{ "persistent-keepalive", KEY_FF "\t25\n" KEY_EE "\toff\n" KEY_11 "\toff\n" },
	};
	g_autoptr(WiceDevice) device = full_device();
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceShowField field;
		ck_assert_msg(wice_show_field_parse(cases[i].word, &field), "%s", cases[i].word);
		ck_assert_uint_eq(field, i);
		ck_assert_str_eq(wice_show_field_name(field), cases[i].word);
		assert_text(wice_show_field(device, field, false, &plain), cases[i].text);
	}
	ck_assert_ptr_null(wice_show_field_name((WiceShowField)G_N_ELEMENTS(cases)));
}
END_TEST

START_TEST(no_other_word_is_a_field)
{
	static const char *const words[] = { "", "dump", "Peers", "peer", "peers " };
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		WiceShowField field = WICE_SHOW_TRANSFER;
		ck_assert_msg(!wice_show_field_parse(words[i], &field), "'%s'", words[i]);
		ck_assert_uint_eq(field, WICE_SHOW_TRANSFER);
	}
}
END_TEST

START_TEST(each_line_of_a_field_begins_with_the_name)
{
	g_autoptr(WiceDevice) device = full_device();
	g_autoptr(WiceDevice) empty = empty_device();
	assert_text(wice_show_field(device, WICE_SHOW_ENDPOINTS, true, NULL),
		    "wg0\t" KEY_FF "\t[fe80::1%3]:51820\nwg0\t" KEY_EE "\t(none)\nwg0\t" KEY_11
		    "\t192.0.2.1:1\n");
	assert_text(wice_show_field(empty, WICE_SHOW_FWMARK, true, NULL), "wg0\toff\n");
	assert_text(wice_show_field(empty, WICE_SHOW_ENDPOINTS, true, NULL), "");
}
END_TEST

START_TEST(scopes)
{
	static const struct {
		const char *endpoint, *shown;
	} cases[] = {
		{ "[fe80::1%3]:1", "[fe80::1%eth0]:1" },
		{ "[febf::1%3]:1", "[febf::1%eth0]:1" },
		{ "[ff02::1%3]:1", "[ff02::1%eth0]:1" },
		{ "[fe80::1%4]:1", "[fe80::1%4]:1" }, /* no such interface */
		{ "[fe80::1]:1", "[fe80::1]:1" },
		{ "[fec0::1%3]:1", "[fec0::1%3]:1" }, /* no link-local addresses */
		{ "[ff05::1%3]:1", "[ff05::1%3]:1" },
		{ "[2001:db8::1%3]:1", "[2001:db8::1%3]:1" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
		set_endpoint(add_peer(builder, 0xff), cases[i].endpoint);
		g_autoptr(WiceDevice) device = wice__device_builder_finish(builder);
		g_autofree char *expected = g_strdup_printf(KEY_FF "\t%s\n", cases[i].shown);
		assert_text(wice_show_field(device, WICE_SHOW_ENDPOINTS, false, &plain), expected);
	}
}
END_TEST

START_TEST(conf)
{
	g_autoptr(WiceDevice) device = full_device();
	g_autoptr(WiceDevice) empty = empty_device();
	assert_text(wice_show_conf(device, &plain),
		    "[Interface]\nListenPort = 51820\nFwMark = 0xca6c\nPrivateKey = " KEY_11
		    "\n\n[Peer]\nPublicKey = " KEY_FF "\nPresharedKey = " KEY_11
		    "\nAllowedIPs = 10.2.0.0/16, 2001:db8::/32, 10.1.0.0/16\n"
		    "Endpoint = [fe80::1%eth0]:51820\nPersistentKeepalive = 25\n"
		    "\n[Peer]\nPublicKey = " KEY_EE "\n\n[Peer]\nPublicKey = " KEY_11
		    "\nAllowedIPs = 0.0.0.0/0\nEndpoint = 192.0.2.1:1\n");
	assert_text(wice_show_conf(empty, NULL), "[Interface]\n\n");
}
END_TEST

START_TEST(pretty)
{
	g_autoptr(WiceDevice) device = full_device();
	g_autoptr(WiceDevice) empty = empty_device();
	assert_text(wice_show_pretty(device, &plain),
		    "interface: wg0\n  public key: " KEY_22 "\n  private key: (hidden)\n"
		    "  listening port: 51820\n  fwmark: 0xca6c\n"
		    "\npeer: " KEY_11 "\n  endpoint: 192.0.2.1:1\n  allowed ips: 0.0.0.0/0\n"
		    "  latest handshake: 1 second ago\n  transfer: 0 B received, 1 B sent\n"
		    "\npeer: " KEY_FF "\n  preshared key: (hidden)\n"
		    "  endpoint: [fe80::1%eth0]:51820\n"
		    "  allowed ips: 10.2.0.0/16, 2001:db8::/32, 10.1.0.0/16\n"
		    "  latest handshake: 1 minute, 30 seconds ago\n"
		    "  transfer: 1.50 KiB received, 16777216.00 TiB sent\n"
		    "  persistent keepalive: every 25 seconds\n"
		    "\npeer: " KEY_EE "\n  allowed ips: (none)\n");
	assert_text(wice_show_pretty(empty, NULL), "interface: wg0\n");
}
END_TEST

START_TEST(pretty_with_colours_and_secrets)
{
	WiceShowOptions options = plain;
	options.color = options.show_secrets = true;
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
	wice__device_builder_info(builder)->private_key = key_of(0x11);
	WiceDevicePeer *peer = add_peer(builder, 0xff);
	peer->handshake_ns = (NOW + 1) * SECOND;
	peer->rx_bytes = 1;
	add_allowed_ip(builder, "10.0.0.0/8");
	g_autoptr(WiceDevice) device = wice__device_builder_finish(builder);
	assert_text(wice_show_pretty(device, &options),
		    "\x1b[0m\x1b[32m\x1b[1minterface\x1b[0m: \x1b[32mwg0\x1b[0m\n"
		    "  \x1b[1mprivate key\x1b[0m: " KEY_11 "\n"
		    "\n\x1b[33m\x1b[1mpeer\x1b[0m: \x1b[33m" KEY_FF "\x1b[0m\n"
		    "  \x1b[1mallowed ips\x1b[0m: 10.0.0.0\x1b[36m/\x1b[0m8\n"
		    "  \x1b[1mlatest handshake\x1b[0m: (\x1b[31mSystem clock wound backward; "
		    "connection problems may ensue.\x1b[0m)\n"
		    "  \x1b[1mtransfer\x1b[0m: 1 \x1b[36mB\x1b[0m received, 0 \x1b[36mB\x1b[0m "
		    "sent\n");
}
END_TEST

START_TEST(ages)
{
	static const struct {
		int64_t age;
		const char *text;
	} cases[] = {
		{ 0, "Now" },
		{ 1, "1 second ago" },
		{ 60, "1 minute ago" },
		{ 3601, "1 hour, 1 second ago" },
		{ 2 * 86400, "2 days ago" },
		{ 31536000 + 86400 + 3600 + 60 + 1,
		  "1 year, 1 day, 1 hour, 1 minute, 1 second ago" },
		{ -1, "(System clock wound backward; connection problems may ensue.)" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
		/* Whole seconds are compared: a handshake later in this second is now. */
		add_peer(builder, 0xff)->handshake_ns = (NOW - cases[i].age) * SECOND + 999999999;
		g_autoptr(WiceDevice) device = wice__device_builder_finish(builder);
		g_autofree char *expected =
			g_strdup_printf("interface: wg0\n\npeer: " KEY_FF "\n  allowed ips: "
					"(none)\n  latest handshake: %s\n",
					cases[i].text);
		assert_text(wice_show_pretty(device, &plain), expected);
	}
}
END_TEST

static char *shown_bytes(uint64_t bytes)
{
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
	WiceDevicePeer *peer = add_peer(builder, 0xff);
	peer->rx_bytes = bytes;
	peer->tx_bytes = 1;
	g_autoptr(WiceDevice) device = wice__device_builder_finish(builder);
	g_autofree char *text = wice_show_pretty(device, &plain);
	const char *begin = strstr(text, "transfer: "), *end = strstr(text, " received");
	ck_assert(begin && end);
	begin += strlen("transfer: ");
	return g_strndup(begin, (gsize)(end - begin));
}

START_TEST(amounts)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 1023, "1023 B" },
		{ 1024, "1.00 KiB" },
		{ 1152, "1.12 KiB" }, /* ties go to the even digit */
		{ 1408, "1.38 KiB" },
		{ (1 << 20) - 1, "1024.00 KiB" },
		{ 1 << 20, "1.00 MiB" },
		{ UINT64_C(1) << 30, "1.00 GiB" },
		{ UINT64_C(1) << 40, "1.00 TiB" },
		{ UINT64_C(1) << 50, "1024.00 TiB" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
		assert_text(shown_bytes(cases[i].bytes), cases[i].text);
}
END_TEST

/* Equal handshakes stay in the order of the implementation, and so do peers without one. */
START_TEST(peers_are_sorted_by_handshake_then_as_listed)
{
	static const struct {
		uint8_t key;
		int64_t handshake_ns;
	} listed[] = { { 9, 0 }, { 8, 5 }, { 7, 6 }, { 1, 5 }, { 2, 0 }, { 6, 6 } };
	static const uint8_t expected[] = { 7, 6, 8, 1, 9, 2 };
	WiceDeviceBuilder *builder = wice__device_builder_new("wg0", WICE_DEVICE_KERNEL);
	for (size_t i = 0; i < G_N_ELEMENTS(listed); i++)
		add_peer(builder, listed[i].key)->handshake_ns = listed[i].handshake_ns;
	g_autoptr(WiceDevice) device = wice__device_builder_finish(builder);
	g_autofree char *text = wice_show_pretty(device, &plain);
	const char *at = text;
	for (size_t i = 0; i < G_N_ELEMENTS(expected); i++) {
		char word[WICE_KEY_BASE64_SIZE];
		WiceKey key = key_of(expected[i]);
		wice_key_to_base64(&key, word);
		at = strstr(at, word);
		ck_assert_msg(at != NULL, "peer %u is not at place %zu in\n%s", expected[i], i,
			      text);
	}
}
END_TEST

START_TEST(json)
{
	g_autoptr(WiceDevice) device = full_device();
	g_autoptr(WiceDevice) empty = empty_device();
	g_autofree char *text = wice_show_json(device, &plain);
	static const char expected[] =
		"{\"name\": \"wg0\", \"kind\": \"kernel\", \"ifindex\": 7, \"public_key\": "
		"\"" KEY_22
		"\", \"has_private_key\": true, \"listen_port\": 51820, \"fwmark\": 51820, "
		"\"peers\": [{\"public_key\": \"" KEY_11 "\", \"has_preshared_key\": false, "
		"\"endpoint\": \"192.0.2.1:1\", \"allowed_ips\": [\"0.0.0.0/0\"], "
		"\"handshake_ms\": 1699999999000, \"rx_bytes\": 0, \"tx_bytes\": 1, "
		"\"persistent_keepalive\": 0}, {\"public_key\": \"" KEY_EE
		"\", \"has_preshared_key\": false, \"endpoint\": null, \"allowed_ips\": [], "
		"\"handshake_ms\": null, \"rx_bytes\": 0, \"tx_bytes\": 0, "
		"\"persistent_keepalive\": 0}, {\"public_key\": \"" KEY_FF
		"\", \"has_preshared_key\": true, \"endpoint\": \"[fe80::1%3]:51820\", "
		"\"allowed_ips\": [\"10.1.0.0/16\", \"10.2.0.0/16\", \"2001:db8::/32\"], "
		"\"handshake_ms\": 1699999910000, \"rx_bytes\": 1536, "
		"\"tx_bytes\": 18446744073709551615, \"persistent_keepalive\": 25}]}";
	ck_assert_str_eq(text, expected);
	assert_text(wice_show_json(empty, NULL),
		    "{\"name\": \"wg0\", \"kind\": \"userspace\", \"ifindex\": 0, \"public_key\": "
		    "null, \"has_private_key\": false, \"listen_port\": 0, \"fwmark\": 0, "
		    "\"peers\": []}");
}
END_TEST

START_TEST(json_has_secrets_only_if_asked)
{
	WiceShowOptions options = plain;
	options.show_secrets = true;
	g_autoptr(WiceDevice) device = full_device();
	g_autoptr(WiceDevice) empty = empty_device();
	g_autofree char *shown = wice_show_json(device, &options);
	g_autofree char *nothing = wice_show_json(empty, &options);
	ck_assert_ptr_nonnull(strstr(shown, "\"private_key\": \"" KEY_11 "\""));
	ck_assert_ptr_nonnull(strstr(shown, "\"preshared_key\": \"" KEY_11 "\""));
	ck_assert_ptr_nonnull(strstr(shown, "\"preshared_key\": null"));
	ck_assert_ptr_nonnull(strstr(nothing, "\"private_key\": null"));
}
END_TEST

START_TEST(names_are_escaped_in_json)
{
	static const struct {
		const char *name, *quoted;
	} cases[] = {
		{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
		{ "a\nb\x01", "\"a\\u000ab\\u0001\"" },
		{ "\xc3\xa4", "\"\xc3\xa4\"" },
		{ "\xff", "\"\xef\xbf\xbd\"" },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autoptr(WiceDevice) device = wice__device_builder_finish(
			wice__device_builder_new(cases[i].name, WICE_DEVICE_FAKE));
		g_autofree char *text = wice_show_json(device, NULL);
		g_autofree char *begin =
			g_strdup_printf("{\"name\": %s, \"kind\": \"fake\"", cases[i].quoted);
		ck_assert_msg(g_str_has_prefix(text, begin), "%s", text);
	}
}
END_TEST

/* Callers built against an older header have shorter options. */
START_TEST(short_options_are_zero_behind_their_end)
{
	WiceShowOptions options = plain;
	options.size = G_STRUCT_OFFSET(WiceShowOptions, scope_name);
	g_autoptr(WiceDevice) device = full_device();
	g_autofree char *text = wice_show_field(device, WICE_SHOW_ENDPOINTS, false, &options);
	ck_assert_ptr_nonnull(strstr(text, "[fe80::1%3]:51820"));
}
END_TEST

/* The guess of the length is only a guess. */
START_TEST(a_writer_grows)
{
	WiceWriter writer;
	WiceKey key = key_of(0x11);
	g_autoptr(GString) expected = g_string_new(NULL);
	wice__writer_init(&writer, 0);
	for (unsigned i = 0; i < 1000; i++) {
		wice__writer_key(&writer, &key);
		wice__writer_decimal(&writer, i);
		wice__writer_hex(&writer, i);
		wice__writer_text(&writer, "text");
		wice__writer_char(&writer, '\n');
		g_string_append_printf(expected, KEY_11 "%u0x%xtext\n", i, i);
	}
	assert_text(wice__writer_finish(&writer), expected->str);
}
END_TEST

SUITE_MAIN("wg show", dump, fields, no_other_word_is_a_field,
	   each_line_of_a_field_begins_with_the_name, scopes, conf, pretty,
	   pretty_with_colours_and_secrets, ages, amounts,
	   peers_are_sorted_by_handshake_then_as_listed, json, json_has_secrets_only_if_asked,
	   names_are_escaped_in_json, short_options_are_zero_behind_their_end, a_writer_grows)
