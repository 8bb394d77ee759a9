/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken and what is refused, and where. */
#include "suite.h"
#include "wg/device.h"

#include <string.h>
#include <wice/conf.h>
#include <wice/error.h>

#define KEY "kOBrQ2N1ZHPMPGRPEDLHoTeTcMwuGaVIMBOtdQtSNl4="
#define KEY2 "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
#define ZERO "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define PEER "[Peer]\nPublicKey=" KEY "\n"

#define STRICT (1u << WICE_CONF_STRICT)
#define COMPAT (1u << WICE_CONF_COMPAT)
#define QUICK (1u << WICE_CONF_COMPAT_QUICK)
#define LENIENT (COMPAT | QUICK)
#define ALL (STRICT | LENIENT)

static WiceConf *parse(const char *text, WiceConfMode mode)
{
	GError *error = NULL;
	WiceConf *conf = wice_conf_parse(text, strlen(text), mode, "wg0.conf", &error);
	ck_assert_msg(conf != NULL, "%s: %s", text, error ? error->message : "");
	return conf;
}

typedef struct {
	const char *text;
	unsigned modes; /* that take it */
} Case;

/* Those that take it in the modes of wg(8) are what wg 1.0.20210914 takes, and the other way round. */
static const Case cases[] = {
	{ "", ALL },
	{ "\n \t\r\n# comment\n", ALL },
	{ "[Interface]", ALL },
	{ "[interface]\r\nlistenport=1\r\n", ALL },
	{ " [Interface] # here\n\tListenPort\t=\t1 # there", ALL },
	{ "[ Inter face ]\nListen Port = 1", LENIENT },
	{ "[Interface]\nListenPort=1 2", LENIENT },
	{ "[Interface]\nListenPort=1\v\f", ALL },
	{ "ListenPort=1", 0 },
	{ "\xef\xbb\xbf[Interface]", 0 },
	{ "[Interface]\n; comment", 0 },
	{ "[Interfaces]", 0 },
	{ "[Interface", 0 },
	{ "[Interface]\n[Interface]", LENIENT },
	{ "[Interface]\nListenPort", 0 },
	{ "[Interface]\nListenPort=", 0 },
	{ "[Interface]\nListenPort=1\nListenPort=2", LENIENT },
	{ "[Interface]\nPublicKey=" KEY, 0 },
	{ "[Interface]\nUnknown=1", 0 },
	/* ports */
	{ "[Interface]\nListenPort=0", ALL },
	{ "[Interface]\nListenPort=65535", ALL },
	{ "[Interface]\nListenPort=65536", LENIENT },
	{ "[Interface]\nListenPort=99999999999", LENIENT },
	{ "[Interface]\nListenPort=2147483647", LENIENT },
	{ "[Interface]\nListenPort=2147483648", 0 },
	{ "[Interface]\nListenPort=4294967295", 0 },
	{ "[Interface]\nListenPort=18446744073709551616", 0 },
	{ "[Interface]\nListenPort=-1", 0 },
	{ "[Interface]\nListenPort=-4294967295", LENIENT },
	{ "[Interface]\nListenPort=+5", LENIENT },
	{ "[Interface]\nListenPort=05", LENIENT },
	{ "[Interface]\nListenPort=domain", LENIENT },
	/* marks */
	{ "[Interface]\nFwMark=off", ALL },
	{ "[Interface]\nFwMark=OFF", ALL },
	{ "[Interface]\nFwMark=0xcA6c", ALL },
	{ "[Interface]\nFwMark=4294967295", ALL },
	{ "[Interface]\nFwMark=4294967296", 0 },
	{ "[Interface]\nFwMark=0x100000000", 0 },
	{ "[Interface]\nFwMark=010", LENIENT },
	{ "[Interface]\nFwMark=0XFF", 0 },
	{ "[Interface]\nFwMark=0x", 0 },
	{ "[Interface]\nFwMark=-1", 0 },
	/* keys */
	{ "[Interface]\nPrivateKey=" KEY, ALL },
	{ "[Interface]\nPrivateKey=" ZERO, ALL },
	{ "[Interface]\nPrivateKey=kOBrQ2N1ZHPMPGRPEDLHoTeTcMwuGaVIMBOtdQtSNl5=", 0 },
	{ "[Interface]\nPrivateKey=kOBrQ2N1ZHPMPGRPEDLHoTeTcMwuGaVIMBOtdQtSNl4", 0 },
	{ "[Interface]\nPrivateKey=kOBrQ2N1 ZHPMPGRPEDLHoTeTcMwuGaVIMBOtdQtSNl4=", LENIENT },
	{ "[Peer]\n", 0 },
	{ "[Peer]\nAllowedIPs=::/0\n[Interface]", 0 },
	{ PEER "PresharedKey=" KEY2, ALL },
	{ PEER "PublicKey=" KEY2, LENIENT },
	{ PEER PEER, LENIENT },
	{ PEER "ListenPort=1", 0 },
	/* keepalive */
	{ PEER "PersistentKeepalive=oFF", ALL },
	{ PEER "PersistentKeepalive=65535", ALL },
	{ PEER "PersistentKeepalive=65536", 0 },
	{ PEER "PersistentKeepalive=+5", 0 },
	/* allowed IPs */
	{ PEER "AllowedIPs=10.0.0.0/8,fd00::/64 , 192.0.2.1,::", ALL },
	{ PEER "AllowedIPs=10.0.0.0/8\nAllowedIPs=fd00::/64", ALL },
	{ PEER "AllowedIPs=10.0.0.1/8", LENIENT },
	{ PEER "AllowedIPs=fd00::1/64", LENIENT },
	{ PEER "AllowedIPs=10.0. 0.0 / 8", LENIENT },
	{ PEER "AllowedIPs=::ffff:1.2.3.4", ALL },
	{ PEER "AllowedIPs=", 0 },
	{ PEER "AllowedIPs=,", 0 },
	{ PEER "AllowedIPs=10.0.0.0/8,", 0 },
	{ PEER "AllowedIPs=10.0.0.0/33", 0 },
	{ PEER "AllowedIPs=fd00::/129", 0 },
	{ PEER "AllowedIPs=10.0.0.0/", 0 },
	{ PEER "AllowedIPs=10.0.0.0/+8", 0 },
	{ PEER "AllowedIPs=10.0.0.0/8/8", 0 },
	{ PEER "AllowedIPs=010.0.0.0/8", 0 },
	{ PEER "AllowedIPs=256.0.0.0/8", 0 },
	{ PEER "AllowedIPs=10.0.0/24", 0 },
	{ PEER "AllowedIPs=fe80::1%1/64", 0 },
	{ PEER "AllowedIPs=+10.0.0.0/8,-fd00::/64", ALL },
	{ PEER "AllowedIPs=+10.0.0.0/8,fd00::/64", LENIENT },
	{ PEER "AllowedIPs=+ 10.0.0.0/8", LENIENT },
	{ PEER "AllowedIPs=+-10.0.0.0/8", 0 },
	{ PEER "AllowedIPs=::/0\n[Peer]\nPublicKey=" KEY2 "\nAllowedIPs=::/0", LENIENT },
	{ PEER "AllowedIPs=::/0, ::/0", ALL },
	/* endpoints */
	{ PEER "Endpoint=192.0.2.1:51820", ALL },
	{ PEER "Endpoint=[2001:db8::1]:51820", ALL },
	{ PEER "Endpoint=[fe80::1%3]:51820", ALL },
	{ PEER "Endpoint=[fe80::1%eth0]:51820", ALL },
	{ PEER "Endpoint=vpn.example.com:51820", ALL },
	{ PEER "Endpoint=2001:db8::1:51820", LENIENT },
	{ PEER "Endpoint=[192.0.2.1]:51820", LENIENT },
	{ PEER "Endpoint=127.1:51820", LENIENT },
	{ PEER "Endpoint=192.0.2.1:65537", LENIENT },
	{ PEER "Endpoint=192.0.2.1:domain", LENIENT },
	{ PEER "Endpoint=192.0. 2.1 : 5", LENIENT },
	{ PEER "Endpoint=vpn/example:5", LENIENT },
	{ PEER "Endpoint=192.0.2.1", 0 },
	{ PEER "Endpoint=192.0.2.1:", 0 },
	{ PEER "Endpoint=:5", 0 },
	{ PEER "Endpoint=[]:5", 0 },
	{ PEER "Endpoint=[::1]", 0 },
	{ PEER "Endpoint=[::1]5", 0 },
	{ PEER "Endpoint=[::1:5", 0 },
	/* wg-quick */
	{ "[Interface]\nAddress=10.0.0.1/8, fd00::1/64\nDNS=192.0.2.1,example.com",
	  STRICT | QUICK },
	{ "[Interface]\nAddress=10.0.0.1/8 fd00::1/64", QUICK },
	{ "[Interface]\nAddress=", QUICK },
	{ "[Interface]\nAddress=10.0.0.1/33", 0 },
	{ "[Interface]\nAdd ress=10.0.0.1/8", 0 },
	{ "[ Interface ]\nAddress=10.0.0.1/8", 0 },
	{ "[Interface]\nMTU=1420\nTable=off\nSaveConfig=true", STRICT | QUICK },
	{ "[Interface]\nMTU=1420\nMTU=1420", QUICK },
	{ "[Interface]\nMTU=67", 0 },
	{ "[Interface]\nMTU=x", 0 },
	{ "[Interface]\nTable=a b", 0 },
	{ "[Interface]\nSaveConfig=1", 0 },
	{ "[Interface]\nPostUp=a\nPostUp=b", STRICT | QUICK },
	{ PEER "Address=10.0.0.1/8", 0 },
};

static void ignore(const WiceConfProblem *problem, void *user_data)
{
	ck_assert(*problem->message);
}

START_TEST(modes_take_what_they_should)
{
	for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
		const Case *c = &cases[i];
		for (WiceConfMode mode = WICE_CONF_STRICT; mode <= WICE_CONF_COMPAT_QUICK; mode++) {
			GError *error = NULL;
			size_t len = strlen(c->text);
			WiceConf *conf = wice_conf_parse(c->text, len, mode, "wg0.conf", &error);
			ck_assert_msg((conf != NULL) == ((c->modes & 1u << mode) != 0),
				      "mode %d: %s: %s", mode, c->text,
				      error ? error->message : "taken");
			size_t n = wice_conf_lint(c->text, len, mode, ignore, NULL);
			ck_assert_msg((n == 0) == (conf != NULL), "%s: %zu", c->text, n);
			ck_assert(conf || g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
			g_clear_error(&error);
			wice_conf_free(conf);
		}
	}
}
END_TEST

/* What strict mode says; the rest of the message is for people. */
static const struct {
	const char *text;
	const char *place;
	const char *found;
} messages[] = {
	{ "[Interface]\nListenPort = 65537\n", "2:14", "\"65537\"; expected a port from 0" },
	{ "[Interface]\n  ListenPrt = 1\n", "2:3", "did you mean ListenPort?" },
	{ "[Interface]\nAllowdIPs = 1\n", "2:1", "is no key of [Interface]; expected" },
	{ PEER "AllowdIPs = ::/0\n", "3:1", "did you mean AllowedIPs?" },
	{ PEER "ListenPort = 1\n", "3:1", "expected it in [Interface]" },
	{ PEER "AllowedIPs = 10.0.0.0/8, 10.0.0.1/24\n", "3:26", "the network 10.0.0.0/24" },
	{ PEER "AllowedIPs = 10.0.0.0/8, ,::/0\n", "3:26", "nothing between two commas" },
	{ PEER "AllowedIPs = ::/0\n[Peer]\nPublicKey=" KEY2 "\nAllowedIPs = 1.1.1.1, ::/0\n",
	  "6:23", "::/0, which another peer has" },
	{ PEER "Endpoint = ::1:51820\n", "3:12", "IPv6 address without brackets" },
	{ PEER "Endpoint = vpn.example.com:domain\n", "3:28", "port" },
	{ PEER "Endpoint = 300.1.1.1:5\n", "3:12", "neither an IP address nor a host name" },
	{ PEER "PersistentKeepalive = 65536\n", "3:23", "\"65536\"; expected" },
	{ PEER "\n" PEER, "4:1", "second [Peer] with the same PublicKey" },
	{ "[Peer]\n# nothing\n", "1:1", "without a PublicKey" },
	{ "[Interface]\n[Interface]\n", "2:1", "second [Interface]" },
	{ "[Interface]\nFwMark=1\nFwMark=2\n", "3:1", "FwMark a second time" },
	{ "[Interface]\nFwMark\n", "2:1", "without \"=\"" },
	{ "[Interface]\nFwMark = # 5\n", "2:1", "FwMark has no value" },
	{ "FwMark = 5\n", "1:1", "outside of any section" },
	{ "\xef\xbb\xbf[Interface]\n", "1:1", "byte order mark" },
	{ "[Interface]\n; no\n", "2:1", "begin with \"#\"" },
	{ "[Iface]\n", "1:1", "unknown section" },
	{ "[Interface]\nPrivateKey = secretsecret\n", "2:14", "12 characters long" },
};

START_TEST(messages_say_where_and_what)
{
	for (size_t i = 0; i < G_N_ELEMENTS(messages); i++) {
		GError *error = NULL;
		g_autofree char *prefix = g_strdup_printf("wg0.conf:%s: ", messages[i].place);
		const char *text = messages[i].text;
		ck_assert_ptr_null(
			wice_conf_parse(text, strlen(text), WICE_CONF_STRICT, "wg0.conf", &error));
		ck_assert_msg(g_str_has_prefix(error->message, prefix) &&
				      strstr(error->message, messages[i].found),
			      "%s%s", text, error->message);
		g_clear_error(&error);
	}
}
END_TEST

/* A secret in the wrong place, cut, or with a letter too many. */
START_TEST(messages_show_no_secrets)
{
	static const char *const texts[] = {
		"[Interface]\nPrivateKey = sEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEt!=\n",
		"[Interface]\nPrivateKey = sEcrEt\n",
		"[Interface]\nsEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEts=\n",
		"[Interface]\nListenPort = sEcrEtsEcrEtsEcrEtsEcrEt\n",
		"[Interface]\nPrivatKey = sEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEts=\n",
		PEER "Endpoint = sEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEts=\n",
		PEER "AllowedIPs = sEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEts=\n",
		PEER "PresharedKey = sEcrEt sEcrEt\n",
		"sEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEtsEcrEts=\n",
	};
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		GError *error = NULL;
		ck_assert_ptr_null(wice_conf_parse(texts[i], strlen(texts[i]), WICE_CONF_STRICT,
						   "wg0.conf", &error));
		ck_assert_msg(!strstr(error->message, "sEcrEt"), "%s", error->message);
		g_clear_error(&error);
	}
}
END_TEST

START_TEST(values_are_understood)
{
	WiceConf *conf = parse("[Interface]\nPrivateKey=" KEY "\nListenPort=51820\nFwMark=0xca6c\n"
			       "[Peer]\nPublicKey=" KEY2 "\nPresharedKey=" ZERO "\n"
			       "AllowedIPs=10.0.0.0/8, fd00::/64\nAllowedIPs=192.0.2.1\n"
			       "Endpoint=[fe80::1%7]:5\nPersistentKeepalive=25\n",
			       WICE_CONF_STRICT);
	const WiceConfInterface *interface = wice_conf_interface(conf);
	const WiceConfPeer *peer = wice_conf_peer(conf, 0);
	char text[WICE_KEY_BASE64_SIZE + WICE_ENDPOINT_SIZE];
	ck_assert_uint_eq(interface->fields, WICE_DEVICE_HAS_PRIVATE_KEY |
						     WICE_DEVICE_HAS_LISTEN_PORT |
						     WICE_DEVICE_HAS_FWMARK);
	wice_key_to_base64(&interface->private_key, text);
	ck_assert_str_eq(text, KEY);
	ck_assert_uint_eq(interface->listen_port, 51820);
	ck_assert_uint_eq(interface->fwmark, 0xca6c);
	ck_assert_uint_eq(wice_conf_n_peers(conf), 1);
	ck_assert_ptr_null(wice_conf_peer(conf, 1));
	wice_key_to_base64(&peer->public_key, text);
	ck_assert_str_eq(text, KEY2);
	ck_assert_uint_eq(peer->fields, WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_ENDPOINT |
						WICE_PEER_HAS_KEEPALIVE);
	ck_assert_str_eq(wice_endpoint_format(&peer->endpoint, text), "[fe80::1%7]:5");
	ck_assert_str_eq(peer->endpoint_host, "fe80::1%7");
	ck_assert_uint_eq(peer->keepalive_s, 25);
	ck_assert(peer->has_allowed_ips && !peer->increments);
	ck_assert_uint_eq(peer->n_allowed_ips, 3);
	ck_assert_str_eq(wice_prefix_format(&peer->allowed_ips[2].prefix, text), "192.0.2.1/32");
	ck_assert(!wice_conf_needs_resolving(conf));
	wice_conf_free(conf);
}
END_TEST

static const struct {
	const char *endpoint, *read;
} endpoints[] = {
	{ "127.1:65537", "127.0.0.1:1" },
	{ "::1:51820", "[::1]:51820" },
	{ "[127.0.0.1]:9", "127.0.0.1:9" },
	{ "1:5", "0.0.0.1:5" },
	{ "0x7f.1:3", "127.0.0.1:3" },
	{ "010.0.0.1:3", "8.0.0.1:3" },
	{ "1.2.3.4:99999999999", "1.2.3.4:59391" },
	{ "[::ffff:1.2.3.4]:5", "[::ffff:1.2.3.4]:5" },
	{ "1.2.3.4:+7", "1.2.3.4:7" },
	{ "example.com:7", "(none)" },
	{ "1.2.3.4:domain", "(none)" },
	{ "[fe80::1%lo]:7", "(none)" },
};

START_TEST(endpoints_are_read_as_getaddrinfo_does)
{
	for (size_t i = 0; i < G_N_ELEMENTS(endpoints); i++) {
		char text[WICE_ENDPOINT_SIZE];
		g_autofree char *file = g_strdup_printf(PEER "Endpoint=%s", endpoints[i].endpoint);
		WiceConf *conf = parse(file, WICE_CONF_COMPAT);
		ck_assert_str_eq(wice_endpoint_format(&wice_conf_peer(conf, 0)->endpoint, text),
				 endpoints[i].read);
		ck_assert(wice_conf_needs_resolving(conf) == !strcmp(text, "(none)"));
		wice_conf_free(conf);
	}
}
END_TEST

START_TEST(later_lines_win_in_compatible_modes)
{
	WiceConf *conf = parse("[Interface]\nListenPort=domain\nListenPort=65537\nFwMark=1\n"
			       "[Interface]\nFwMark=010\n" PEER "Endpoint=1.2.3.4:5\n"
			       "Endpoint=example.com:6\nAllowedIPs=-10.0.0.0/8\nAllowedIPs=::/0\n"
			       "[Interface]\nListenPort=5\n",
			       WICE_CONF_COMPAT);
	ck_assert_uint_eq(wice_conf_interface(conf)->listen_port, 5);
	ck_assert_ptr_null(wice_conf_interface(conf)->listen_port_service);
	ck_assert_uint_eq(wice_conf_interface(conf)->fwmark, 10);
	const WiceConfPeer *peer = wice_conf_peer(conf, 0);
	ck_assert_str_eq(peer->endpoint_host, "example.com");
	ck_assert_uint_eq(peer->endpoint_port, 6);
	ck_assert(!peer->increments && peer->allowed_ips[0].remove);
	wice_conf_free(conf);
}
END_TEST

START_TEST(a_nul_ends_a_line_for_wg)
{
	static const char text[] = "[Interface]\nListenPort=1\0002\nFwMark=1\n";
	GError *error = NULL;
	WiceConf *conf = wice_conf_parse(text, sizeof text - 1, WICE_CONF_COMPAT, "f", &error);
	ck_assert_uint_eq(wice_conf_interface(conf)->listen_port, 1);
	ck_assert_uint_eq(wice_conf_interface(conf)->fwmark, 1);
	size_t len;
	char *copy = wice_conf_format(conf, &len);
	ck_assert_uint_eq(len, sizeof text - 1);
	ck_assert_mem_eq(copy, text, len);
	g_free(copy);
	wice_conf_free(conf);
	ck_assert_ptr_null(wice_conf_parse(text, sizeof text - 1, WICE_CONF_STRICT, "f", &error));
	ck_assert_str_eq(error->message, "f:2:13: a NUL byte; expected text");
	g_clear_error(&error);

	static const char section[] = "[Peer] # \0\nAllowedIPs=::/0\n";
	ck_assert_uint_gt(
		wice_conf_lint(section, sizeof section - 1, WICE_CONF_STRICT, ignore, NULL), 0);
}
END_TEST

static const char quick_file[] = "# my file\n[Interface]\nAddress = 10.0.0.1/24, fd00::1/64\n"
				 "address=192.0.2.1 # another\nMTU = 1380\nTable = off\n"
				 "PostUp = iptables -m comment --comment '#1' # why\nPostUp = two\n"
				 "ListenPort = 1 # port\n\n" PEER;

START_TEST(quick_keys_are_kept)
{
	WiceConf *conf = parse(quick_file, WICE_CONF_STRICT);
	size_t n;
	const WiceInterfaceAddress *addresses = wice_conf_addresses(conf, &n);
	char text[WICE_PREFIX_SIZE];
	ck_assert_str_eq(wice_conf_quick(conf, "Address", 0), "10.0.0.1/24, fd00::1/64");
	ck_assert_str_eq(wice_conf_quick(conf, "address", 1), "192.0.2.1");
	ck_assert_ptr_null(wice_conf_quick(conf, "Address", 2));
	ck_assert_str_eq(wice_conf_quick(conf, "PostUp", 0),
			 "iptables -m comment --comment '#1' # why");
	ck_assert_str_eq(wice_conf_quick(conf, "PostUp", 1), "two");
	ck_assert_ptr_null(wice_conf_quick(conf, "PostDown", 0));
	ck_assert_ptr_null(wice_conf_quick(conf, "ListenPort", 0));
	ck_assert_ptr_null(wice_conf_quick(conf, "Nothing", 0));
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(wice_interface_address_format(&addresses[1], text), "fd00::1/64");
	ck_assert_str_eq(wice_interface_address_format(&addresses[2], text), "192.0.2.1/32");
	ck_assert_uint_eq(wice_conf_mtu(conf), 1380);
	char *stripped = wice_conf_strip(conf);
	ck_assert_str_eq(stripped, "[Interface]\nListenPort = 1\n\n" PEER);
	g_free(stripped);
	wice_conf_free(conf);
}
END_TEST

START_TEST(the_last_mtu_counts)
{
	WiceConf *conf = parse("[Interface]\nMTU=1380\nMTU=1400\n", WICE_CONF_COMPAT_QUICK);
	ck_assert_str_eq(wice_conf_quick(conf, "MTU", 0), "1400");
	ck_assert_ptr_null(wice_conf_quick(conf, "MTU", 1));
	ck_assert_uint_eq(wice_conf_mtu(conf), 1400);
	wice_conf_free(conf);
}
END_TEST

static void collect(const WiceConfProblem *problem, void *user_data)
{
	g_string_append_printf(user_data, "%u:%u%s ", problem->line, problem->column,
			       problem->warning ? "w" : "");
}

START_TEST(lint_tells_all_in_order)
{
	static const struct {
		const char *text;
		WiceConfMode mode;
		const char *places;
		size_t n_errors;
	} table[] = {
		{ "[Interface]\nListenPort=x\nFoo=1\n[Peer]\nAllowedIPs=10.0.0.1/8\n",
		  WICE_CONF_STRICT, "2:12 3:1 4:1 5:12 ", 4 },
		{ PEER "AllowedIPs=10.0.0.1/8,10.0.0.0/8\n" PEER "AllowedIPs=::/0\n",
		  WICE_CONF_COMPAT, "1:1w 3:12w 3:23w 4:1w ", 0 },
		{ "[Interface]\n" PEER "AllowedIPs=::/0\n[Peer]\nPublicKey=" KEY2
		  "\nAllowedIPs=::/0\n",
		  WICE_CONF_COMPAT, "7:12w ", 0 },
		{ "[Interface]\n" PEER "PersistentKeepalive=3601\nEndpoint=1.2.3.4:0\n",
		  WICE_CONF_STRICT, "2:1w 2:1w 2:1w ", 0 },
		{ "[Interface]\nPrivateKey=" KEY "\n", WICE_CONF_STRICT, "", 0 },
		{ "[Interface]\nListenPort=domain\n", WICE_CONF_COMPAT, "1:1w ", 0 },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		GString *places = g_string_new(NULL);
		size_t n = wice_conf_lint(table[i].text, strlen(table[i].text), table[i].mode,
					  collect, places);
		ck_assert_str_eq(places->str, table[i].places);
		ck_assert_uint_eq(n, table[i].n_errors);
		g_string_free(places, TRUE);
	}
}
END_TEST

START_TEST(lint_knows_the_own_key)
{
	WiceKey private_key, public_key;
	char text[2][WICE_KEY_BASE64_SIZE];
	wice_key_generate_private(&private_key);
	wice_key_public(&private_key, &public_key);
	wice_key_to_base64(&private_key, text[0]);
	wice_key_to_base64(&public_key, text[1]);
	g_autofree char *file = g_strdup_printf("[Interface]\nPrivateKey=%s\n[Peer]\nPublicKey=%s\n"
						"AllowedIPs=::/0\n",
						text[0], text[1]);
	GString *places = g_string_new(NULL);
	ck_assert_uint_eq(wice_conf_lint(file, strlen(file), WICE_CONF_STRICT, collect, places), 0);
	ck_assert_str_eq(places->str, "3:1w ");
	g_string_free(places, TRUE);
}
END_TEST

static void count(const WiceConfProblem *problem, void *user_data)
{
	++*(size_t *)user_data;
}

START_TEST(lint_is_bounded)
{
	GString *text = g_string_new("[Interface]\n");
	size_t told = 0;
	for (unsigned i = 0; i < 3000; i++)
		g_string_append(text, "wrong\n");
	ck_assert_uint_eq(wice_conf_lint(text->str, text->len, WICE_CONF_STRICT, count, &told),
			  3000);
	ck_assert_uint_le(told, 1000);
	g_string_free(text, TRUE);
}
END_TEST

/* As much as a device can have is read, and what is more is told. */
START_TEST(too_many_peers_and_allowed_ips_are_told)
{
	static const struct {
		const char *head, *each, *message;
		size_t max;
	} limits[] = {
		{ "", PEER, "one more [Peer]; expected", WICE_DEVICE_PEERS_MAX },
		{ PEER "AllowedIPs=", "::,", "one more allowed IP; expected",
		  WICE_DEVICE_ALLOWED_IPS_MAX },
	};
	for (size_t i = 0; i < G_N_ELEMENTS(limits); i++) {
		GString *text = g_string_new(limits[i].head);
		for (size_t j = 0; j <= limits[i].max; j++)
			g_string_append(text, limits[i].each);
		g_autoptr(GError) error = NULL;
		ck_assert_ptr_null(
			wice_conf_parse(text->str, text->len, WICE_CONF_COMPAT, "f", &error));
		ck_assert_msg(strstr(error->message, limits[i].message), "%s", error->message);
		g_string_free(text, TRUE);
	}
}
END_TEST

START_TEST(more_than_64_mib_are_refused)
{
	size_t len = ((size_t)64 << 20) + 1;
	char *text = g_malloc(len);
	GError *error = NULL;
	memset(text, '\n', len);
	ck_assert_ptr_null(wice_conf_parse(text, len, WICE_CONF_COMPAT, "f", &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	ck_assert_uint_eq(wice_conf_lint(text, len, WICE_CONF_COMPAT, ignore, NULL), 1);
	WiceConf *conf = wice_conf_parse(text, len - 1, WICE_CONF_COMPAT, "f", NULL);
	ck_assert_ptr_nonnull(conf);
	wice_conf_free(conf);
	g_clear_error(&error);
	g_free(text);
}
END_TEST

SUITE_MAIN("configuration files", modes_take_what_they_should, messages_say_where_and_what,
	   messages_show_no_secrets, values_are_understood, endpoints_are_read_as_getaddrinfo_does,
	   later_lines_win_in_compatible_modes, a_nul_ends_a_line_for_wg, quick_keys_are_kept,
	   the_last_mtu_counts, lint_tells_all_in_order, lint_knows_the_own_key, lint_is_bounded,
	   too_many_peers_and_allowed_ips_are_told, more_than_64_mib_are_refused)
