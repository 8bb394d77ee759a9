/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* "wg show" for people: one value a line, newest handshakes first. */
#include "wg/show.h"

#include <stdlib.h>

#define PEER_LEN 600
#define PREFIX_LEN (WICE_PREFIX_SIZE + 16)

#define RESET "\x1b[0m"
#define BOLD "\x1b[1m"
#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"
#define CYAN "\x1b[36m"

typedef struct {
	WiceWriter writer;
	WiceShowOptions options;
} Page;

static void put_style(Page *page, const char *style)
{
	if (page->options.color)
		wice__writer_text(&page->writer, style);
}

static void put_styled(Page *page, const char *style, const char *text)
{
	put_style(page, style);
	wice__writer_text(&page->writer, text);
	put_style(page, RESET);
}

static void put_label(Page *page, const char *label)
{
	wice__writer_text(&page->writer, "  ");
	put_styled(page, BOLD, label);
	wice__writer_text(&page->writer, ": ");
}

static void end_line(Page *page)
{
	wice__writer_char(&page->writer, '\n');
}

/* "interface: wg0": what is in the colour is the word and, after a colon that is not, its value. */
static void begin_title(Page *page, const char *colour, const char *word)
{
	put_style(page, colour);
	put_styled(page, BOLD, word);
	wice__writer_text(&page->writer, ": ");
	put_style(page, colour);
}

static void end_title(Page *page)
{
	put_style(page, RESET);
	end_line(page);
}

static void put_secret(Page *page, const char *label, const WiceKey *key)
{
	put_label(page, label);
	if (page->options.show_secrets)
		wice__writer_key(&page->writer, key);
	else
		wice__writer_text(&page->writer, "(hidden)");
	end_line(page);
}

static void put_interface(Page *page, const WiceDeviceInfo *info)
{
	put_style(page, RESET);
	begin_title(page, GREEN, "interface");
	wice__writer_text(&page->writer, info->name);
	end_title(page);
	if (info->fields & WICE_DEVICE_HAS_PUBLIC_KEY) {
		put_label(page, "public key");
		wice__writer_key(&page->writer, &info->public_key);
		end_line(page);
	}
	if (info->fields & WICE_DEVICE_HAS_PRIVATE_KEY)
		put_secret(page, "private key", &info->private_key);
	if (info->listen_port) {
		put_label(page, "listening port");
		wice__writer_decimal(&page->writer, info->listen_port);
		end_line(page);
	}
	if (info->fwmark) {
		put_label(page, "fwmark");
		wice__writer_hex(&page->writer, info->fwmark);
		end_line(page);
	}
}

static void put_allowed_ips(Page *page, const WiceDevicePeer *peer)
{
	put_label(page, "allowed ips");
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		const WicePrefix *prefix = wice__show_allowed_ip(peer, i);
		if (i)
			wice__writer_text(&page->writer, ", ");
		wice__writer_address(&page->writer, &prefix->address);
		put_styled(page, CYAN, "/");
		wice__writer_decimal(&page->writer, prefix->length);
	}
	if (peer->n_allowed_ips == 0)
		wice__writer_text(&page->writer, "(none)");
	end_line(page);
}

/* "1 minute, 3 seconds": units of which there are none are left out. */
static void put_duration(Page *page, uint64_t seconds)
{
	static const struct {
		const char *one, *many;
		uint64_t seconds;
	} units[] = { { "year", "years", 365 * 24 * 60 * 60 },
		      { "day", "days", 24 * 60 * 60 },
		      { "hour", "hours", 60 * 60 },
		      { "minute", "minutes", 60 },
		      { "second", "seconds", 1 } };
	bool first = true;
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		uint64_t n = seconds / units[i].seconds;
		seconds %= units[i].seconds;
		if (n == 0)
			continue;
		if (!first)
			wice__writer_text(&page->writer, ", ");
		first = false;
		wice__writer_decimal(&page->writer, n);
		wice__writer_char(&page->writer, ' ');
		put_styled(page, CYAN, n == 1 ? units[i].one : units[i].many);
	}
}

static void put_handshake(Page *page, const WiceDevicePeer *peer)
{
	int64_t then = peer->handshake_ns / WICE_NS_PER_S;
	int64_t now = page->options.now_ns / WICE_NS_PER_S;
	if (then == 0)
		return;
	put_label(page, "latest handshake");
	if (then < now) {
		put_duration(page, (uint64_t)(now - then));
		wice__writer_text(&page->writer, " ago");
	} else if (then == now) {
		wice__writer_text(&page->writer, "Now");
	} else {
		wice__writer_char(&page->writer, '(');
		put_styled(page, RED,
			   "System clock wound backward; connection problems may ensue.");
		wice__writer_char(&page->writer, ')');
	}
	end_line(page);
}

static void put_bytes(Page *page, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	char text[G_ASCII_DTOSTR_BUF_SIZE];
	double value = (double)bytes;
	size_t unit = 0;
	if (bytes < 1024) {
		wice__writer_decimal(&page->writer, bytes);
	} else {
		uint64_t left = bytes;
		for (; left >= 1024 && unit + 1 < G_N_ELEMENTS(units); left /= 1024, unit++)
			value /= 1024;
		wice__writer_text(&page->writer, g_ascii_formatd(text, sizeof text, "%.2f", value));
	}
	wice__writer_char(&page->writer, ' ');
	put_styled(page, CYAN, units[unit]);
}

static void put_transfer(Page *page, const WiceDevicePeer *peer)
{
	if (peer->rx_bytes == 0 && peer->tx_bytes == 0)
		return;
	put_label(page, "transfer");
	put_bytes(page, peer->rx_bytes);
	wice__writer_text(&page->writer, " received, ");
	put_bytes(page, peer->tx_bytes);
	wice__writer_text(&page->writer, " sent\n");
}

static void put_peer(Page *page, const WiceDevicePeer *peer)
{
	end_line(page);
	begin_title(page, YELLOW, "peer");
	wice__writer_key(&page->writer, &peer->public_key);
	end_title(page);
	if (peer->fields & WICE_PEER_HAS_PRESHARED_KEY)
		put_secret(page, "preshared key", &peer->preshared_key);
	if (peer->fields & WICE_PEER_HAS_ENDPOINT) {
		put_label(page, "endpoint");
		wice__show_endpoint(&page->writer, &peer->endpoint, &page->options);
		end_line(page);
	}
	put_allowed_ips(page, peer);
	put_handshake(page, peer);
	put_transfer(page, peer);
	if (peer->keepalive_s) {
		put_label(page, "persistent keepalive");
		wice__writer_text(&page->writer, "every ");
		put_duration(page, peer->keepalive_s);
		end_line(page);
	}
}

typedef struct {
	const WiceDevicePeer *peer;
	size_t place; /* in the order of the implementation */
} Listed;

/* Newest handshake first, none last; else as listed. */
static int compare_listed(gconstpointer a, gconstpointer b)
{
	const Listed *first = a, *second = b;
	if (first->peer->handshake_ns != second->peer->handshake_ns)
		return first->peer->handshake_ns > second->peer->handshake_ns ? -1 : 1;
	return first->place < second->place ? -1 : first->place > second->place;
}

char *wice_show_pretty(const WiceDevice *device, const WiceShowOptions *options)
{
	const WiceDeviceInfo *info = wice_device_info(device);
	g_autofree Listed *listed = g_new(Listed, info->n_peers);
	for (size_t i = 0; i < info->n_peers; i++)
		listed[i] = (Listed){ .peer = wice__show_peer(device, i), .place = i };
	if (info->n_peers)
		qsort(listed, info->n_peers, sizeof *listed, compare_listed);

	Page page = { .options = wice__show_options(options) };
	wice__show_begin(&page.writer, device, PEER_LEN, PREFIX_LEN);
	put_interface(&page, info);
	for (size_t i = 0; i < info->n_peers; i++)
		put_peer(&page, listed[i].peer);
	return wice__writer_finish(&page.writer);
}
