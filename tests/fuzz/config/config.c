/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an administrator writes: wiced's configuration file and the URLs in it. The first byte says which. Whatever is
 * refused comes with a reason that can be shown, and whatever is accepted obeys its own rules.
 */
#include "agent/stun_servers.h"
#include "signaling/grpc_url.h"
#include "signaling/multicast_url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wice/daemon.h>
#include <wice/error.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_outcome(bool ok, GError *error)
{
	require(ok == !error);
	require(ok || (error->domain == WICE_ERROR && *error->message));
	g_clear_error(&error);
}

static void check_list(const char *const *list)
{
	for (size_t i = 0; list && list[i]; i++) {
		require(*list[i]);
		for (size_t j = 0; j < i; j++)
			require(strcmp(list[i], list[j]) != 0);
	}
}

static void write_all(int file, const uint8_t *data, size_t size)
{
	require(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
}

static void load_file(const uint8_t *data, size_t size)
{
	static int file = -1;
	static char path[64];
	if (file < 0) {
		file = memfd_create("config", MFD_CLOEXEC);
		require(file >= 0);
		g_snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	}
	write_all(file, data, size);
	WiceDaemonConfig *config = wice_daemon_config_new();
	GError *error = NULL;
	bool ok = wice_daemon_config_load(config, path, &error);
	require(ok || g_utf8_validate(error->message, -1, NULL));
	check_outcome(ok, error);
	const WiceDaemonSettings *settings = wice_daemon_config_settings(config);
	check_list(settings->interfaces);
	check_list(settings->backends);
	check_list(settings->stun_urls);
	require(g_path_is_absolute(settings->socket) && g_path_is_absolute(settings->state_dir));
	require(settings->log_level <= WICE_LOG_DEBUG);
	wice_daemon_config_free(config);
}

static void parse_grpc(const char *url)
{
	WiceGrpcUrl parsed = { 0 };
	GError *error = NULL;
	bool ok = wice__grpc_url_parse(url, &parsed, &error);
	check_outcome(ok, error);
	require(ok == (parsed.host && *parsed.host) && ok == (parsed.port > 0));
	require(!parsed.ca_file || (*parsed.ca_file && parsed.tls));
	wice__grpc_url_clear(&parsed);
}

static void parse_multicast(const char *url)
{
	WiceMulticastUrl parsed = { 0 };
	GError *error = NULL;
	bool ok = wice__multicast_url_parse(url, &parsed, &error);
	check_outcome(ok, error);
	require(ok == (parsed.port > 0));
	require(ok == (parsed.group4.family || parsed.group6.family));
	require(memchr(parsed.interface, 0, sizeof parsed.interface));
}

static void parse_stun(const char *url)
{
	char *host = NULL;
	uint16_t port = 0;
	bool ok = wice__stun_url_parse(url, &host, &port);
	require(ok == (host && *host) && ok == (port > 0));
	g_free(host);
}

/* Numbers and addresses that are accepted are written so that they are read as the same again. */
static void parse_values(const char *text)
{
	WiceEndpoint endpoint, endpoint_again;
	char written[WICE_ENDPOINT_SIZE];
	if (wice_endpoint_parse(text, &endpoint)) {
		wice_endpoint_format(&endpoint, written);
		require(wice_endpoint_parse(written, &endpoint_again) &&
			wice_endpoint_compare(&endpoint, &endpoint_again) == 0);
	}
	WicePrefix prefix, prefix_again;
	char network[WICE_PREFIX_SIZE];
	if (wice_prefix_parse(text, &prefix)) {
		wice_prefix_format(&prefix, network);
		require(wice_prefix_parse(network, &prefix_again) &&
			wice_prefix_compare(&prefix, &prefix_again) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] % 5 == 0) {
		load_file(data + 1, size - 1);
		return 0;
	}
	g_autofree char *text = g_strndup((const char *)data + 1, size - 1);
	switch (data[0] % 5) {
	case 1:
		parse_grpc(text);
		break;
	case 2:
		parse_multicast(text);
		break;
	case 3:
		parse_stun(text);
		break;
	default:
		parse_values(text);
		break;
	}
	return 0;
}
