/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/found.h"

static char *folder;

static void make_folder(void)
{
	folder = g_dir_make_tmp("wice-found-XXXXXX", NULL);
	ck_assert_ptr_nonnull(folder);
}

static void remove_folder(void)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name;
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_unlink(path);
	}
	g_dir_close(dir);
	g_rmdir(folder);
	g_free(folder);
}

static char *only_file(void)
{
	GDir *dir = g_dir_open(folder, 0, NULL);
	const char *name = g_dir_read_name(dir);
	char *path = name ? g_build_filename(folder, name, NULL) : NULL;
	g_dir_close(dir);
	return path;
}

START_TEST(what_was_found_survives_a_crash)
{
	make_folder();
	WiceKey key = { { 1 } }, other = { { 2 } };
	WiceFoundPeer values = { .keepalive = 25 }, again = { 0 };
	ck_assert(wice_endpoint_parse("[2001:db8::1]:51820", &values.endpoint));
	ck_assert(wice_endpoint_parse("127.128.0.1:5", &values.applied));

	WiceFound *found = wice__found_new(folder, "wg0");
	wice__found_set(found, &key, &values);
	ck_assert_int_eq(wice__found_save(found), 0);

	WiceFound *next_life = wice__found_new(folder, "wg0");
	ck_assert(wice__found_get(next_life, &key, &again));
	ck_assert_int_eq(wice_endpoint_compare(&values.endpoint, &again.endpoint), 0);
	ck_assert_int_eq(wice_endpoint_compare(&values.applied, &again.applied), 0);
	ck_assert_uint_eq(again.keepalive, 25);
	ck_assert(!wice__found_get(next_life, &other, &again));
	unsigned mtu = 1, applied = 2;
	ck_assert(!wice__found_get_mtu(next_life, &mtu, &applied));
	ck_assert(mtu == 1 && applied == 2);
	wice__found_set_mtu(next_life, 1420, 1340);
	ck_assert_int_eq(wice__found_save(next_life), 0);
	WiceFound *another_life = wice__found_new(folder, "wg0");
	ck_assert(wice__found_get_mtu(another_life, &mtu, &applied));
	ck_assert(mtu == 1420 && applied == 1340);
	ck_assert(wice__found_get(another_life, &key, &again));

	g_autofree char *path = only_file();
	struct stat status;
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 0777, 0600);

	wice__found_free(another_life);
	ck_assert_ptr_null(only_file());
	wice__found_free(next_life);
	wice__found_free(found);
	remove_folder();
}
END_TEST

START_TEST(a_damaged_file_is_ignored)
{
	static const char *const texts[] = { "", "\x00\xff\xfe", "[", "[x]\nendpoint=7\n",
					     "endpoint=1.2.3.4:5\n" };
	for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
		make_folder();
		WiceKey key = { { 1 } };
		WiceFoundPeer values = { .keepalive = 3 };
		WiceFound *found = wice__found_new(folder, "wg0");
		wice__found_set(found, &key, &values);
		wice__found_save(found);
		g_autofree char *path = only_file();
		ck_assert(g_file_set_contents(path, texts[i], -1, NULL));

		WiceFound *next_life = wice__found_new(folder, "wg0");
		ck_assert(!wice__found_get(next_life, &key, &values));
		ck_assert_uint_eq(values.keepalive, 3);
		wice__found_free(next_life);
		wice__found_free(found);
		remove_folder();
	}
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_is_reported)
{
	WiceKey key = { { 1 } };
	WiceFoundPeer values = { 0 };
	WiceFound *found = wice__found_new("/nonexistent/folder", "wg0");
	wice__found_set(found, &key, &values);
	ck_assert_int_eq(wice__found_save(found), -ENOENT);
	ck_assert(wice__found_get(found, &key, &values));
	wice__found_free(found);
}
END_TEST

SUITE_MAIN("found", what_was_found_survives_a_crash, a_damaged_file_is_ignored,
	   a_folder_that_cannot_be_written_is_reported)
