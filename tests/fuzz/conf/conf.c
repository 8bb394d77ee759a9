/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files, in all modes. What is read is written alike, what the strict mode takes the
 * compatible one takes with the same meaning, what lint has nothing against is read, and whatever a
 * file says, it can be made to say something else.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>
#include <wice/conf.h>
#include <wice/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char other_text[] = "[Interface]\nFwMark = 7\n\n[Peer]\n"
				 "PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
				 "AllowedIPs = 10.192.122.4/32, fd00::/64\n"
				 "Endpoint = 192.0.2.9:7\n\n[Peer]\n"
				 "PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=\n"
				 "PersistentKeepalive = 9\n";

/* The state that a document asks for; NULL if it cannot be told without resolving names. */
static WiceDevice *device_of(const WiceConf *conf)
{
	WicePlan *plan = wice_conf_plan(conf, WICE_CONF_SET, NULL);
	if (!plan)
		return NULL;
	WiceDevice *device = wice_plan_result(plan, NULL);
	wice_plan_unref(plan);
	return device;
}

static WiceConf *parse(const char *text, size_t len, WiceConfMode mode)
{
	GError *error = NULL;
	WiceConf *conf = wice_conf_parse(text, len, mode, "f", &error);
	g_assert(conf || (g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID) &&
			  g_str_has_prefix(error->message, "f:")));
	g_clear_error(&error);
	return conf;
}

static void check_format(const WiceConf *conf, const char *text, size_t len)
{
	size_t formatted_len;
	char *formatted = wice_conf_format(conf, &formatted_len);
	g_assert(formatted_len == len && (len == 0 || memcmp(formatted, text, len) == 0));
	g_free(formatted);
}

static void check_same(const WiceDevice *a, const WiceDevice *b)
{
	g_assert(wice_device_diff(a, b, NULL, NULL) == 0);
}

/* What is left when wg-quick's keys are taken away is a file for wg. */
static void check_strip(const WiceConf *conf)
{
	char *text = wice_conf_strip(conf);
	WiceConf *stripped = parse(text, strlen(text), WICE_CONF_COMPAT);
	g_assert(stripped && wice_conf_n_peers(stripped) == wice_conf_n_peers(conf));
	wice_conf_free(stripped);
	g_free(text);
}

static void check_update(WiceConf *conf, const WiceDevice *wanted)
{
	wice_conf_update(conf, wanted);
	WiceDevice *device = device_of(conf);
	g_assert(device);
	check_same(device, wanted);
	wice_device_unref(device);
}

static void check_set(WiceConf *conf, const char *key, const char *value)
{
	if (wice_conf_set(conf, key, value, NULL) && value && !strcmp(key, "ListenPort"))
		g_assert(wice_conf_interface(conf)->listen_port == 77);
}

static void see(const WiceConfProblem *problem, void *user_data)
{
	unsigned *line = user_data;
	g_assert(problem->line >= *line && problem->column >= 1 && *problem->message);
	*line = problem->line;
}

static void check_lint(const char *text, size_t len, WiceConfMode mode, bool taken)
{
	unsigned line = 1;
	g_assert((wice_conf_lint(text, len, mode, see, &line) == 0) == taken);
}

/* In the mode of the same files without the traps: it means the same, but for what stays. */
static void check_compatible(const WiceConf *strict, const char *text, size_t len)
{
	WiceConf *lenient = parse(text, len, WICE_CONF_COMPAT_QUICK);
	g_assert(lenient);
	WiceDevice *a = device_of(strict), *b = device_of(lenient);
	g_assert(!a || b);
	if (a)
		check_same(a, b);
	wice_device_unref(a);
	wice_device_unref(b);
	wice_conf_free(lenient);
}

/* All but the parser is ten times as slow as the parser: every eighth input gets it. */
static bool is_chosen(const char *text, size_t len)
{
	unsigned sum = 0;
	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + (unsigned char)text[i];
	return sum % 8 == 0;
}

static void check_all(WiceConf *conf, const char *text, size_t len, WiceConfMode mode,
		      const WiceDevice *other)
{
	check_format(conf, text, len);
	check_strip(conf);
	if (mode == WICE_CONF_STRICT)
		check_compatible(conf, text, len);
	WiceDevice *before = device_of(conf);
	if (before) {
		wice_conf_update(conf, before);
		check_format(conf, text, len);
	}
	check_update(conf, other);
	if (before)
		check_update(conf, before);
	check_set(conf, "ListenPort", "77");
	check_set(conf, "MTU", "1400");
	check_set(conf, "PostUp", NULL);
	check_set(conf, "PrivateKey", NULL);
	wice_device_unref(before);
}

static void check_mode(const char *text, size_t len, WiceConfMode mode, const WiceDevice *other)
{
	WiceConf *conf = parse(text, len, mode);
	if (is_chosen(text, len))
		check_lint(text, len, mode, conf != NULL);
	if (conf && is_chosen(text, len))
		check_all(conf, text, len, mode, other);
	wice_conf_free(conf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static WiceDevice *other;
	const char *text = (const char *)data;
	if (!other) {
		WiceConf *conf = parse(other_text, strlen(other_text), WICE_CONF_STRICT);
		other = device_of(conf);
		wice_conf_free(conf);
	}
	for (WiceConfMode mode = WICE_CONF_STRICT; mode <= WICE_CONF_COMPAT_QUICK; mode++)
		check_mode(text, size, mode, other);
	return 0;
}
