/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file, mode 0600, replaced as a whole: a GLib key file with one group per peer,
 *
 *   [base64 of the peer's public key]
 *   endpoint=192.0.2.1:51820
 *   keepalive=25
 *   applied=127.128.0.1:40001
 *
 * and, if the interface's MTU was changed,
 *
 *   [mtu]
 *   found=1420
 *   applied=1340
 *
 * Its name carries the network namespace, since interfaces of several may share a folder.
 */
#include "agent/found.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#define MTU "mtu"

struct WiceFound {
	GKeyFile *peers;
	char *path; /* NULL: not kept in a file */
	bool changed;
};

WiceFound *wice__found_new(const char *folder, const char *interface)
{
	WiceFound *found = g_new0(WiceFound, 1);
	found->peers = g_key_file_new();
	if (!folder)
		return found;

	struct stat netns = { 0 };
	(void)stat("/proc/self/ns/net", &netns);
	found->path = g_strdup_printf("%s/found-%s-%llu", folder, interface,
				      (unsigned long long)netns.st_ino);
	/* A file that cannot be read is treated as absent: nothing can be put back then. */
	(void)g_key_file_load_from_file(found->peers, found->path, G_KEY_FILE_NONE, NULL);
	return found;
}

void wice__found_free(WiceFound *found)
{
	if (!found)
		return;
	if (found->path)
		(void)g_unlink(found->path);
	g_key_file_unref(found->peers);
	g_free(found->path);
	g_free(found);
}

static void read_endpoint(GKeyFile *file, const char *group, const char *key, WiceEndpoint *ret)
{
	g_autofree char *text = g_key_file_get_string(file, group, key, NULL);
	if (text)
		(void)!wice_endpoint_parse(text, ret);
}

static void write_endpoint(GKeyFile *file, const char *group, const char *key,
			   const WiceEndpoint *endpoint)
{
	char text[WICE_ENDPOINT_SIZE];
	g_key_file_set_string(file, group, key, wice_endpoint_format(endpoint, text));
}

bool wice__found_get(const WiceFound *found, const WiceKey *peer, WiceFoundPeer *ret_peer)
{
	char group[WICE_KEY_BASE64_SIZE];
	wice_key_to_base64(peer, group);
	if (!g_key_file_has_group(found->peers, group))
		return false;
	WiceFoundPeer values = { 0 };
	read_endpoint(found->peers, group, "endpoint", &values.endpoint);
	read_endpoint(found->peers, group, "applied", &values.applied);
	int keepalive = g_key_file_get_integer(found->peers, group, "keepalive", NULL);
	if (keepalive >= 0 && keepalive <= UINT16_MAX)
		values.keepalive = (uint16_t)keepalive;
	*ret_peer = values;
	return true;
}

void wice__found_set(WiceFound *found, const WiceKey *peer, const WiceFoundPeer *values)
{
	char group[WICE_KEY_BASE64_SIZE];
	wice_key_to_base64(peer, group);
	write_endpoint(found->peers, group, "endpoint", &values->endpoint);
	write_endpoint(found->peers, group, "applied", &values->applied);
	g_key_file_set_integer(found->peers, group, "keepalive", values->keepalive);
	found->changed = true;
}

void wice__found_remove(WiceFound *found, const WiceKey *peer)
{
	char group[WICE_KEY_BASE64_SIZE];
	wice_key_to_base64(peer, group);
	if (g_key_file_remove_group(found->peers, group, NULL))
		found->changed = true;
}

bool wice__found_get_mtu(const WiceFound *found, unsigned *ret_mtu, unsigned *ret_applied)
{
	int mtu = g_key_file_get_integer(found->peers, MTU, "found", NULL);
	int applied = g_key_file_get_integer(found->peers, MTU, "applied", NULL);
	if (mtu <= 0 || applied <= 0)
		return false;
	*ret_mtu = (unsigned)mtu;
	*ret_applied = (unsigned)applied;
	return true;
}

void wice__found_set_mtu(WiceFound *found, unsigned mtu, unsigned applied)
{
	g_key_file_set_integer(found->peers, MTU, "found", (gint)mtu);
	g_key_file_set_integer(found->peers, MTU, "applied", (gint)applied);
	found->changed = true;
}

/* GLib keeps the reason, but not as a number of the system. */
static int to_errno(const GError *error)
{
	if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOSPC))
		return -ENOSPC;
	if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ROFS))
		return -EROFS;
	if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ACCES))
		return -EACCES;
	if (g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT))
		return -ENOENT;
	return -EIO;
}

int wice__found_save(WiceFound *found)
{
	if (!found->path || !found->changed)
		return 0;
	gsize len;
	g_autofree char *text = g_key_file_to_data(found->peers, &len, NULL);
	g_autoptr(GError) error = NULL;
	if (!g_file_set_contents_full(found->path, text, (gssize)len,
				      G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
		return to_errno(error);
	found->changed = false;
	return 0;
}
