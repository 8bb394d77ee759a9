/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are changed keep what people wrote. */
#include "conformance/wg/state.h"
#include "suite.h"

#include <wice/conf.h>
#include <wice/error.h>

#define A "kOBrQ2N1ZHPMPGRPEDLHoTeTcMwuGaVIMBOtdQtSNl4="
#define B "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
#define C "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="

static WiceConf *parse(const char *text, WiceConfMode mode)
{
	GError *error = NULL;
	WiceConf *conf = wice_conf_parse(text, strlen(text), mode, "wg0.conf", &error);
	ck_assert_msg(conf != NULL, "%s: %s", text, error ? error->message : "");
	return conf;
}

static void assert_text(const WiceConf *conf, const char *expected)
{
	char *text = wice_conf_format(conf, NULL);
	ck_assert_str_eq(text, expected);
	g_free(text);
}

/* The device that a text asks for. */
static WiceDevice *device_of(const char *text)
{
	WiceConf *conf = parse(text, WICE_CONF_COMPAT);
	WicePlan *plan = wice_conf_plan(conf, WICE_CONF_SET, NULL);
	ck_assert_ptr_nonnull(plan);
	WiceDevice *device = wice_plan_result(plan, NULL);
	wice_plan_unref(plan);
	wice_conf_free(conf);
	return device;
}

static void assert_says(const WiceConf *conf, const WiceDevice *device)
{
	WicePlan *plan = wice_conf_plan(conf, WICE_CONF_SET, NULL);
	ck_assert_ptr_nonnull(plan);
	WiceDevice *result = wice_plan_result(plan, NULL);
	WicePlan *difference = wice_plan_between(result, device, 0);
	char *text = wice_plan_format(difference, result);
	ck_assert_msg(wice_plan_is_empty(difference), "%s", text);
	g_free(text);
	wice_plan_unref(difference);
	wice_device_unref(result);
	wice_plan_unref(plan);
}

static const struct {
	WiceConfMode mode;
	const char *before, *device, *after;
} updates[] = {
	/* from nothing */
	{ WICE_CONF_STRICT, "", "[Interface]\nListenPort=1\n", "[Interface]\nListenPort = 1\n" },
	{ WICE_CONF_STRICT, "# mine\n",
	  "[Interface]\nFwMark=2\n[Peer]\nPublicKey=" A "\nAllowedIPs=::/0, 10.0.0.0/8\n"
	  "Endpoint=1.2.3.4:5\nPersistentKeepalive=25\nPresharedKey=" B "\n",
	  "# mine\n\n[Interface]\nFwMark = 2\n\n[Peer]\nPublicKey = " A "\nPresharedKey = " B
	  "\nAllowedIPs = ::/0, 10.0.0.0/8\nEndpoint = 1.2.3.4:5\nPersistentKeepalive = 25\n" },
	/* other spellings of the same stay */
	{ WICE_CONF_STRICT,
	  "[interface]\nfwmark = 0x10 # sixteen\nListenPort=0\n[PEER]\npublickey =" A
	  "\nPersistentKeepalive = off\nAllowedIPs=::/0,10.0.0.0/8 #both\n"
	  "AllowedIPs = 192.0.2.1",
	  "[Interface]\nFwMark=16\n[Peer]\nPublicKey=" A
	  "\nAllowedIPs=10.0.0.0/8,192.0.2.1/32,0::0/0\n",
	  "[interface]\nfwmark = 0x10 # sixteen\nListenPort=0\n[PEER]\npublickey =" A
	  "\nPersistentKeepalive = off\nAllowedIPs=::/0,10.0.0.0/8 #both\n"
	  "AllowedIPs = 192.0.2.1" },
	/* only values are replaced; the style of the file is that of new lines */
	{ WICE_CONF_STRICT,
	  "# top\r\n[Interface]\r\n  ListenPort= 1 # port\r\n  Address=10.0.0.1/8\r\n\r\n"
	  "[Peer]\r\n  PublicKey= " A "\r\n  Endpoint=1.2.3.4:5 # home\r\n",
	  "[Interface]\nListenPort=2\nFwMark=3\n[Peer]\nPublicKey=" A
	  "\nEndpoint=1.2.3.4:6\nPersistentKeepalive=7\n",
	  "# top\r\n[Interface]\r\n  ListenPort= 2 # port\r\n  Address=10.0.0.1/8\r\n"
	  "  FwMark= 3\r\n\r\n[Peer]\r\n  PublicKey= " A
	  "\r\n  Endpoint=1.2.3.4:6 # home\r\n  PersistentKeepalive= 7\r\n" },
	/* a last line without its end */
	{ WICE_CONF_STRICT, "[Interface]\nListenPort=1",
	  "[Interface]\nListenPort=1\nFwMark=2\n[Peer]\nPublicKey=" A,
	  "[Interface]\nListenPort=1\nFwMark=2\n\n[Peer]\nPublicKey=" A "\n" },
	/* what is not so any more goes */
	{ WICE_CONF_STRICT, "[Interface]\nListenPort = 1\nFwMark = 2\n# end\n",
	  "[Interface]\nListenPort=1\n", "[Interface]\nListenPort = 1\n# end\n" },
	/* lists of allowed IPs: single items */
	{ WICE_CONF_STRICT,
	  "[Interface]\n[Peer]\nPublicKey = " A "\nAllowedIPs = 10.0.0.1,10.0.0.2/32 # two\n"
	  "AllowedIPs = 10.0.0.3\nAllowedIPs = 10.0.0.4\n",
	  "[Peer]\nPublicKey=" A "\nAllowedIPs=10.0.0.2,10.0.0.4,10.0.0.5,10.0.0.6\n",
	  "[Interface]\n[Peer]\nPublicKey = " A "\nAllowedIPs = 10.0.0.2/32 # two\n"
	  "AllowedIPs = 10.0.0.4, 10.0.0.5/32, 10.0.0.6/32\n" },
	{ WICE_CONF_STRICT, "[Interface]\n[Peer]\nPublicKey=" A "\nAllowedIPs=10.0.0.1\n",
	  "[Peer]\nPublicKey=" A "\n", "[Interface]\n[Peer]\nPublicKey=" A "\n" },
	{ WICE_CONF_STRICT, "[Interface]\n[Peer]\nPublicKey=" A "\nAllowedIPs=+10.0.0.1\n",
	  "[Peer]\nPublicKey=" A "\nAllowedIPs=10.0.0.2\n",
	  "[Interface]\n[Peer]\nPublicKey=" A "\nAllowedIPs=10.0.0.2/32\n" },
	/* peers that are gone go with their comments, those of others stay */
	{ WICE_CONF_STRICT,
	  "[Interface]\n# of it\n\n# Alice\n# (laptop)\n[Peer]\nPublicKey=" A
	  "\n# hers\n\n# Bob\n[Peer]\nPublicKey=" B "\n# his\n\n# Carol\n[Peer]\nPublicKey=" C "\n",
	  "[Peer]\nPublicKey=" A "\n[Peer]\nPublicKey=" C "\n",
	  "[Interface]\n# of it\n\n# Alice\n# (laptop)\n[Peer]\nPublicKey=" A
	  "\n# hers\n\n# Carol\n[Peer]\nPublicKey=" C "\n" },
	{ WICE_CONF_STRICT, "[Peer]\nPublicKey=" A "\n", "[Interface]\nListenPort=1\n",
	  "[Interface]\nListenPort=1\n\n" },
	/* what only the compatible modes take */
	{ WICE_CONF_COMPAT,
	  "[Interface]\nListenPort=1\nListen Port = 2\n[Interface]\nListenPort=3\nFwMark=4\n",
	  "[Interface]\nListenPort=2\nFwMark=4\n",
	  "[Interface]\nListen Port = 2\n[Interface]\nFwMark=4\n" },
	{ WICE_CONF_COMPAT,
	  "[Peer]\nPublicKey=" A "\nAllowedIPs=1.1.1.1\n[Peer]\nPublicKey=" A
	  "\nAllowedIPs=2.2.2.2\n",
	  "[Peer]\nPublicKey=" A "\nAllowedIPs=2.2.2.2\n",
	  "[Peer]\nPublicKey=" A "\nAllowedIPs=1.1.1.1\n[Peer]\nPublicKey=" A
	  "\nAllowedIPs=2.2.2.2\n" },
	{ WICE_CONF_COMPAT,
	  "[Interface]\n[Peer]\nPublicKey=" A "\nAllowedIPs=1.1.1.1\n[Peer]\nPublicKey=" A
	  "\nAllowedIPs=2.2.2.2\n",
	  "[Peer]\nPublicKey=" A "\nAllowedIPs=3.3.3.3\n",
	  "[Interface]\n[Peer]\nPublicKey=" A "\nAllowedIPs=3.3.3.3/32\n" },
	{ WICE_CONF_COMPAT,
	  "[Interface]\n[Peer]\nPublicKey=" B "\nPublicKey=" A "\nEndpoint=1 :65537\n"
	  "AllowedIPs = 10.0. 0.1 / 8, -::/0\n",
	  "[Peer]\nPublicKey=" A "\nEndpoint=0.0.0.1:1\nAllowedIPs=10.0.0.0/8\n"
	  "PersistentKeepalive=1\n",
	  "[Interface]\n[Peer]\nPublicKey=" A "\nEndpoint=1 :65537\n"
	  "AllowedIPs = 10.0. 0.1 / 8\nPersistentKeepalive=1\n" },
};

START_TEST(updates_change_what_differs)
{
	for (size_t i = 0; i < G_N_ELEMENTS(updates); i++) {
		WiceDevice *device = device_of(updates[i].device);
		WiceConf *conf = parse(updates[i].before, updates[i].mode);
		wice_conf_update(conf, device);
		assert_text(conf, updates[i].after);
		assert_says(conf, device);
		wice_conf_update(conf, device);
		assert_text(conf, updates[i].after);
		wice_conf_free(conf);
		wice_device_unref(device);
	}
}
END_TEST

/* Whatever two devices are, the file of one becomes the file of the other. */
START_TEST(large_files_become_other_devices)
{
	WiceDevice *old = state_new("wg0", 300, 3), *new = state_new("wg0", 400, 2);
	for (WiceConfMode mode = WICE_CONF_STRICT; mode <= WICE_CONF_COMPAT_QUICK; mode++) {
		WiceConf *conf = wice_conf_new(mode);
		wice_conf_update(conf, old);
		assert_says(conf, old);
		char *text = wice_conf_format(conf, NULL);
		wice_conf_update(conf, new);
		assert_says(conf, new);
		wice_conf_update(conf, old);
		assert_says(conf, old);
		wice_conf_free(conf);

		conf = parse(text, mode);
		wice_conf_update(conf, old);
		assert_text(conf, text);
		g_free(text);
		wice_conf_free(conf);
	}
	wice_device_unref(old);
	wice_device_unref(new);
}
END_TEST

static const char set_file[] =
	"[Interface]\n# mine\nListenPort = 1 # one\nAddress = 10.0.0.1/8\n"
	"PostUp = one # two\nAddress = 10.0.0.2/8\n\n[Peer]\nPublicKey = " A "\n";

static const struct {
	const char *key, *value;
	const char *from, *to; /* what becomes what in the text; NULL: INVALID */
} sets[] = {
	{ "ListenPort", "2", "ListenPort = 1 # one", "ListenPort = 2 # one" },
	{ "listenport", NULL, "ListenPort = 1 # one\n", "" },
	{ "FwMark", "off", "\n\n[Peer]", "\nFwMark = off\n\n[Peer]" },
	{ "FwMark", NULL, "", "" },
	{ "MTU", "1400", "\n\n[Peer]", "\nMTU = 1400\n\n[Peer]" },
	{ "PostUp", "three # four", "one # two", "three # four" },
	{ "Address", "fd00::1/64",
	  "Address = 10.0.0.1/8\nPostUp = one # two\nAddress = 10.0.0.2/8\n",
	  "PostUp = one # two\nAddress = fd00::1/64\n" },
	{ "ListenPort", "65536", NULL, NULL },
	{ "ListenPort", "", NULL, NULL },
	{ "ListenPort", " ", NULL, NULL },
	{ "ListenPort", "5 # comment", NULL, NULL },
	{ "PostUp", "a\n[Peer]", NULL, NULL },
	{ "Address", "nowhere", NULL, NULL },
	{ "PublicKey", A, NULL, NULL },
	{ "Nothing", "1", NULL, NULL },
};

START_TEST(one_value_is_set)
{
	for (size_t i = 0; i < G_N_ELEMENTS(sets); i++) {
		WiceConf *conf = parse(set_file, WICE_CONF_STRICT);
		GError *error = NULL;
		gboolean ok = wice_conf_set(conf, sets[i].key, sets[i].value, &error);
		ck_assert_msg(ok == (sets[i].to != NULL), "%s: %s", sets[i].key,
			      error ? error->message : "done");
		ck_assert(ok || g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
		g_clear_error(&error);
		GString *expected = g_string_new(set_file);
		if (ok && *sets[i].from)
			g_string_replace(expected, sets[i].from, sets[i].to, 1);
		assert_text(conf, expected->str);
		g_string_free(expected, TRUE);
		wice_conf_free(conf);
	}
}
END_TEST

START_TEST(values_of_an_empty_file)
{
	WiceConf *conf = wice_conf_new(WICE_CONF_STRICT);
	ck_assert(wice_conf_set(conf, "MTU", NULL, NULL));
	assert_text(conf, "");
	ck_assert(wice_conf_set(conf, "SaveConfig", "true", NULL));
	ck_assert(wice_conf_set(conf, "ListenPort", "5", NULL));
	assert_text(conf, "[Interface]\nSaveConfig = true\nListenPort = 5\n");
	ck_assert_uint_eq(wice_conf_interface(conf)->listen_port, 5);
	ck_assert_str_eq(wice_conf_quick(conf, "SaveConfig", 0), "true");
	wice_conf_free(conf);
	conf = wice_conf_new(WICE_CONF_COMPAT);
	ck_assert(!wice_conf_set(conf, "MTU", "1400", NULL));
	wice_conf_free(conf);
}
END_TEST

/* Files made of lines that people write, joined at random, with accidents. */
static char *random_text(GRand *rand)
{
	static const char *const lines[] = {
		"[Interface]",
		"[Peer]",
		"[ Peer ]",
		"",
		"# comment",
		"PublicKey=" A,
		"PublicKey = " B,
		"PrivateKey = " C,
		"ListenPort= 1",
		"Listen Port=2#x",
		"FwMark = 0x10",
		"AllowedIPs = ::/0, 10.0.0.1/8",
		"AllowedIPs=1.1.1.1",
		"Endpoint = example.com:5",
		"Endpoint=127.1:65537",
		"PersistentKeepalive = off",
		"\tPresharedKey\t=\t" A,
		"MTU = 1400",
		"PostUp = a # b",
		"wrong",
	};
	GString *text = g_string_new(NULL);
	for (int n = g_rand_int_range(rand, 0, 12); n > 0; n--) {
		g_string_append(text, lines[g_rand_int_range(rand, 0, G_N_ELEMENTS(lines))]);
		g_string_append(text, g_rand_boolean(rand) ? "\n" : "\r\n");
		if (g_rand_int_range(rand, 0, 40) == 0)
			text->str[g_rand_int_range(rand, 0, (gint)text->len)] = ' ';
	}
	return g_string_free(text, FALSE);
}

START_TEST(files_that_are_read_are_written_alike)
{
	GRand *rand = g_rand_new_with_seed(1);
	WiceDevice *device = device_of("[Interface]\nFwMark=1\n[Peer]\nPublicKey=" A
				       "\nAllowedIPs=1.1.1.1,2.2.2.2\nEndpoint=127.0.0.1:1\n");
	unsigned n_read = 0;
	for (unsigned i = 0; i < 20000; i++) {
		char *text = random_text(rand);
		WiceConf *conf = wice_conf_parse(text, strlen(text), i % 3, "f", NULL);
		if (conf) {
			n_read++;
			assert_text(conf, text);
			wice_conf_update(conf, device);
			assert_says(conf, device);
		}
		wice_conf_free(conf);
		g_free(text);
	}
	ck_assert_uint_gt(n_read, 500);
	wice_device_unref(device);
	g_rand_free(rand);
}
END_TEST

SUITE_MAIN("configuration files, changed", updates_change_what_differs,
	   large_files_become_other_devices, one_value_is_set, values_of_an_empty_file,
	   files_that_are_read_are_written_alike)
