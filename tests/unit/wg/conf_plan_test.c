/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What files ask for. */
#include "suite.h"

#include <string.h>
#include <wice/conf.h>
#include <wice/error.h>

#define KEY "kOBrQ2N1ZHPMPGRPEDLHoTeTcMwuGaVIMBOtdQtSNl4="
#define PEER "[Peer]\nPublicKey=" KEY "\n"

#define PRIVATE_KEY WICE_DEVICE_HAS_PRIVATE_KEY
#define PORT WICE_DEVICE_HAS_LISTEN_PORT
#define MARK WICE_DEVICE_HAS_FWMARK

static WiceConf *parse(const char *text, WiceConfMode mode)
{
	GError *error = NULL;
	WiceConf *conf = wice_conf_parse(text, strlen(text), mode, "wg0.conf", &error);
	ck_assert_msg(conf != NULL, "%s: %s", text, error ? error->message : "");
	return conf;
}

static const struct {
	const char *text;
	WiceConfMode mode;
	WiceConfUse use;
	unsigned flags, fields;
} interfaces[] = {
	{ "", WICE_CONF_COMPAT, WICE_CONF_SET, WICE_DEVICE_CHANGE_REPLACE_PEERS,
	  PRIVATE_KEY | PORT | MARK },
	{ "", WICE_CONF_COMPAT, WICE_CONF_ADD, 0, 0 },
	{ "", WICE_CONF_STRICT, WICE_CONF_ADD, 0, 0 },
	{ "[Interface]\n", WICE_CONF_STRICT, WICE_CONF_SET, WICE_DEVICE_CHANGE_REPLACE_PEERS,
	  MARK },
	{ "[Interface]\nListenPort=0\n", WICE_CONF_STRICT, WICE_CONF_SET,
	  WICE_DEVICE_CHANGE_REPLACE_PEERS, PORT | MARK },
	{ "[Interface]\nFwMark=off\nPrivateKey=" KEY "\n", WICE_CONF_COMPAT, WICE_CONF_ADD, 0,
	  PRIVATE_KEY | MARK },
};

START_TEST(what_is_not_written)
{
	for (size_t i = 0; i < G_N_ELEMENTS(interfaces); i++) {
		WiceConf *conf = parse(interfaces[i].text, interfaces[i].mode);
		WicePlan *plan = wice_conf_plan(conf, interfaces[i].use, NULL);
		const WiceDeviceChange *change = wice_plan_change(plan);
		ck_assert_msg(change->flags == interfaces[i].flags &&
				      change->fields == interfaces[i].fields,
			      "%s: %x %x", interfaces[i].text, change->flags, change->fields);
		wice_plan_unref(plan);
		wice_conf_free(conf);
	}
}
END_TEST

START_TEST(strict_files_need_an_interface_to_be_set)
{
	WiceConf *conf = parse(PEER, WICE_CONF_STRICT);
	GError *error = NULL;
	ck_assert_ptr_null(wice_conf_plan(conf, WICE_CONF_SET, &error));
	ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_INVALID));
	g_clear_error(&error);
	wice_conf_free(conf);
}
END_TEST

static const struct {
	const char *text;
	unsigned flags, fields;
	size_t n_ips;
} peers[] = {
	{ PEER, WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS, 0, 0 },
	{ PEER "AllowedIPs=::/0\nAllowedIPs=10.0.0.0/8,1.1.1.1\nPersistentKeepalive=off\n",
	  WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS, WICE_PEER_HAS_KEEPALIVE, 3 },
	{ PEER "AllowedIPs=+::/0,-10.0.0.0/8\n", 0, 0, 2 },
	{ PEER "AllowedIPs=+::/0\nAllowedIPs=10.0.0.0/8\n", WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS, 0,
	  2 },
	{ PEER "PresharedKey=" KEY "\nEndpoint=1.2.3.4:5\n", WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS,
	  WICE_PEER_HAS_PRESHARED_KEY | WICE_PEER_HAS_ENDPOINT, 0 },
};

START_TEST(peers_as_written)
{
	for (size_t i = 0; i < G_N_ELEMENTS(peers); i++) {
		WiceConf *conf = parse(peers[i].text, WICE_CONF_COMPAT);
		WicePlan *plan = wice_conf_plan(conf, WICE_CONF_ADD, NULL);
		const WiceDeviceChange *change = wice_plan_change(plan);
		ck_assert_uint_eq(change->n_peers, 1);
		ck_assert_msg(change->peers[0].flags == peers[i].flags &&
				      change->peers[0].fields == peers[i].fields &&
				      change->peers[0].n_allowed_ips == peers[i].n_ips,
			      "%s", peers[i].text);
		wice_plan_unref(plan);
		wice_conf_free(conf);
	}
}
END_TEST

START_TEST(sections_of_one_peer_stay_apart)
{
	WiceConf *conf =
		parse(PEER "AllowedIPs=1.1.1.1\n" PEER "AllowedIPs=2.2.2.2/31\n", WICE_CONF_COMPAT);
	WicePlan *plan = wice_conf_plan(conf, WICE_CONF_SET, NULL);
	const WiceDeviceChange *change = wice_plan_change(plan);
	char text[WICE_PREFIX_SIZE];
	ck_assert_uint_eq(change->n_peers, 2);
	ck_assert_str_eq(wice_prefix_format(&change->peers[1].allowed_ips[0].prefix, text),
			 "2.2.2.2/31");
	WiceDevice *device = wice_plan_result(plan, NULL);
	const WiceDeviceInfo *info = wice_device_info(device);
	ck_assert_uint_eq(info->n_peers, 1);
	ck_assert_uint_eq(info->peers[0].n_allowed_ips, 1);
	wice_device_unref(device);
	wice_plan_unref(plan);
	wice_conf_free(conf);
}
END_TEST

START_TEST(names_must_be_resolved_first)
{
	static const char *const texts[] = { PEER "Endpoint=vpn.example.com:5\n",
					     PEER "Endpoint=1.2.3.4:ntp\n",
					     "[Interface]\nListenPort=ntp\n" };
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		WiceConf *conf = parse(texts[i], WICE_CONF_COMPAT);
		GError *error = NULL;
		ck_assert(wice_conf_needs_resolving(conf));
		ck_assert_ptr_null(wice_conf_plan(conf, WICE_CONF_SET, &error));
		ck_assert(g_error_matches(error, WICE_ERROR, WICE_ERROR_UNREACHABLE));
		g_clear_error(&error);
		wice_conf_free(conf);
	}
}
END_TEST

SUITE_MAIN("plans of configuration files", what_is_not_written,
	   strict_files_need_an_interface_to_be_set, peers_as_written,
	   sections_of_one_peer_stay_apart, names_must_be_resolved_first)
