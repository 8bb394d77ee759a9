/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* What wg(8) shows of the same device. */
#include "conformance/wg/conformance.h"
#include "conformance/wg/real.h"
#include "conformance/wg/state.h"

#include <stdio.h>

static void append_key(GString *line, bool present, const WiceKey *key)
{
	char text[WICE_KEY_BASE64_SIZE] = "(none)";
	if (present)
		wice_key_to_base64(key, text);
	g_string_append_printf(line, "%s\t", text);
}

static char *interface_line(const WiceDeviceInfo *info)
{
	GString *line = g_string_new(NULL);
	append_key(line, info->fields & WICE_DEVICE_HAS_PRIVATE_KEY, &info->private_key);
	append_key(line, info->fields & WICE_DEVICE_HAS_PUBLIC_KEY, &info->public_key);
	g_string_append_printf(line, "%u\t", info->listen_port);
	if (info->fwmark)
		g_string_append_printf(line, "0x%x", info->fwmark);
	else
		g_string_append(line, "off");
	return g_string_free(line, FALSE);
}

static gint compare_texts(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static char *join_sorted(char **texts)
{
	qsort(texts, g_strv_length(texts), sizeof *texts, compare_texts);
	return g_strjoinv(",", texts);
}

static char *peer_line(const WiceDevicePeer *peer)
{
	char text[WICE_ENDPOINT_SIZE], ip[WICE_PREFIX_SIZE];
	GString *line = g_string_new(NULL);
	append_key(line, true, &peer->public_key);
	append_key(line, peer->fields & WICE_PEER_HAS_PRESHARED_KEY, &peer->preshared_key);
	g_string_append_printf(line, "%s\t", wice_endpoint_format(&peer->endpoint, text));
	g_auto(GStrv) ips = g_new0(char *, peer->n_allowed_ips + 1);
	for (size_t i = 0; i < peer->n_allowed_ips; i++)
		ips[i] = g_strdup(wice_prefix_format(&peer->allowed_ips[i], ip));
	g_autofree char *joined = join_sorted(ips);
	g_string_append_printf(
		line, "%s\t%" G_GINT64_FORMAT "\t%" G_GUINT64_FORMAT "\t%" G_GUINT64_FORMAT "\t",
		*joined ? joined : "(none)", peer->handshake_ns / 1000000000, peer->rx_bytes,
		peer->tx_bytes);
	if (peer->keepalive_s)
		g_string_append_printf(line, "%u", peer->keepalive_s);
	else
		g_string_append(line, "off");
	return g_string_free(line, FALSE);
}

/* wg(8) prints peers and allowed IPs in the device's order: sorts the allowed IPs of its line. */
static char *sort_allowed_ips(const char *line)
{
	g_auto(GStrv) columns = g_strsplit(line, "\t", -1);
	if (g_strv_length(columns) == 8) {
		g_auto(GStrv) ips = g_strsplit(columns[3], ",", -1);
		g_free(columns[3]);
		columns[3] = join_sorted(ips);
	}
	return g_strjoinv("\t", columns);
}

static void assert_same_lines(char **ours, char **theirs)
{
	guint n = g_strv_length(ours);
	ck_assert_uint_eq(n, g_strv_length(theirs));
	qsort(ours, n, sizeof *ours, compare_texts);
	qsort(theirs, n, sizeof *theirs, compare_texts);
	for (guint i = 0; i < n; i++)
		ck_assert_str_eq(ours[i], theirs[i]);
}

START_TEST(all_fields_are_those_that_wg_shows)
{
	TestSubject *subject = conformance_start(_i);
	if (!subject)
		return;
	if (!real_has_program("wg")) {
		printf("skipped: wg(8) is missing\n");
		conformance_stop(subject);
		return;
	}
	WiceDevice *state = state_new(SUBJECT_NAME, 60, 5);
	subject->set(subject, state);
	WiceDevice *device = conformance_device(subject);
	const WiceDeviceInfo *info = wice_device_info(device);
	g_autofree char *dump = real_dump();
	g_auto(GStrv) theirs = g_strsplit(g_strchomp(dump), "\n", -1);
	g_auto(GStrv) ours = g_new0(char *, info->n_peers + 2);
	ours[0] = interface_line(info);
	for (size_t i = 0; i < info->n_peers; i++)
		ours[i + 1] = peer_line(&info->peers[i]);
	for (guint i = 0; theirs[i]; i++) {
		char *sorted = sort_allowed_ips(theirs[i]);
		g_free(theirs[i]);
		theirs[i] = sorted;
	}
	assert_same_lines(ours, theirs);
	wice_device_unref(device);
	wice_device_unref(state);
	conformance_stop(subject);
}
END_TEST

void conformance_add_oracle(TCase *tcase, int number)
{
	tcase_add_loop_test(tcase, all_fields_are_those_that_wg_shows, number, number + 1);
}
