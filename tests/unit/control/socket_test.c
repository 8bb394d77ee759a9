/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include "control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wice/error.h>

#define NOBODY 65534
#define A_GROUP 54321

static char folder[64], path[96], lock_path[112];

/* A fresh folder that everybody may enter. */
static void make_folder(void)
{
	strcpy(folder, "/tmp/wice-socket-XXXXXX");
	ck_assert_ptr_nonnull(g_mkdtemp(folder));
	ck_assert_int_eq(chmod(folder, 0755), 0);
	g_snprintf(path, sizeof path, "%s/w.sock", folder);
	g_snprintf(lock_path, sizeof lock_path, "%s.lock", path);
}

static void remove_folder(void)
{
	g_unlink(path);
	g_unlink(lock_path);
	ck_assert_int_eq(g_rmdir(folder), 0);
}

static struct sockaddr_un address_of(const char *where)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, where, sizeof address.sun_path);
	return address;
}

/* A connected descriptor or -errno. */
static int connect_to(const char *where)
{
	const struct sockaddr_un address = address_of(where);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	int code = errno;
	close(fd);
	return -code;
}

static WiceControlSocket *open_socket(void)
{
	g_autoptr(GError) error = NULL;
	WiceControlSocket *control_socket = wice__control_socket_open(path, &error);
	ck_assert_msg(control_socket != NULL, "%s", error ? error->message : "");
	return control_socket;
}

static void assert_refused(int code, const char *part)
{
	g_autoptr(GError) error = NULL;
	ck_assert_ptr_null(wice__control_socket_open(path, &error));
	ck_assert_msg(g_error_matches(error, WICE_ERROR, code), "%s", error->message);
	ck_assert_msg(strstr(error->message, part) != NULL, "%s", error->message);
}

START_TEST(only_owner_and_group_get_in_whatever_the_umask)
{
	static const mode_t umasks[] = { 0, 022, 077, 0777 };
	make_folder();
	for (gsize i = 0; i < G_N_ELEMENTS(umasks); i++) {
		struct stat found;
		mode_t before = umask(umasks[i]);
		WiceControlSocket *control_socket = open_socket();
		ck_assert_uint_eq(umask(before), umasks[i]); /* and it was left alone */
		ck_assert_int_eq(lstat(path, &found), 0);
		ck_assert(S_ISSOCK(found.st_mode));
		ck_assert_uint_eq(found.st_mode & 07777, 0660);
		int fd = connect_to(path);
		ck_assert_int_ge(fd, 0);
		close(fd);
		wice__control_socket_close(control_socket);
	}
	remove_folder();
}
END_TEST

START_TEST(a_missing_folder_is_made_so_that_the_group_can_enter)
{
	struct stat found;
	make_folder();
	g_autofree char *deep = g_strdup_printf("%s/a/b", folder);
	g_autofree char *parent = g_strdup_printf("%s/a", folder);
	g_snprintf(path, sizeof path, "%s/w.sock", deep);
	mode_t before = umask(077);
	WiceControlSocket *control_socket = open_socket();
	umask(before);
	ck_assert_int_eq(stat(deep, &found), 0);
	ck_assert_uint_eq(found.st_mode & 07777, 0755);
	wice__control_socket_close(control_socket);
	ck_assert_int_eq(g_rmdir(deep), 0);
	ck_assert_int_eq(g_rmdir(parent), 0);
	ck_assert_int_eq(g_rmdir(folder), 0);
}
END_TEST

START_TEST(nothing_stays_behind)
{
	make_folder();
	wice__control_socket_close(open_socket());
	ck_assert_int_eq(access(path, F_OK), -1);
	ck_assert_int_eq(access(lock_path, F_OK), -1);
	remove_folder();
}
END_TEST

START_TEST(a_second_one_is_refused_and_told_the_pid_of_the_first)
{
	make_folder();
	int ready[2];
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		WiceControlSocket *control_socket = wice__control_socket_open(path, NULL);
		if (write(ready[1], control_socket ? "y" : "n", 1) == 1)
			pause();
		_exit(1);
	}
	char answer;
	ck_assert_int_eq(read(ready[0], &answer, 1), 1);
	ck_assert_int_eq(answer, 'y');
	g_autofree char *pid = g_strdup_printf("a wiced with pid %d listens there already", child);
	assert_refused(WICE_ERROR_BUSY, pid);
	assert_refused(WICE_ERROR_BUSY, "wice stop");

	/* It still works, and once it was killed its place is free. */
	int fd = connect_to(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	ck_assert_int_eq(connect_to(path), -ECONNREFUSED);
	wice__control_socket_close(open_socket());
	remove_folder();
}
END_TEST

START_TEST(one_that_listens_without_our_lock_is_respected)
{
	make_folder();
	const struct sockaddr_un address = address_of(path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	g_autofree char *pid = g_strdup_printf("pid %d", getpid());
	assert_refused(WICE_ERROR_BUSY, pid);
	ck_assert_int_eq(access(path, F_OK), 0);

	/* Even when its backlog is full. */
	int fds[8], n = 0;
	while (n < 8) {
		int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
		fds[n++] = client;
		if (connect(client, (const struct sockaddr *)&address, sizeof address) < 0)
			break;
	}
	assert_refused(WICE_ERROR_BUSY, "another wiced");
	while (n > 0)
		close(fds[--n]);

	/* Then it goes away and leaves its socket: that is replaced. */
	close(fd);
	ck_assert_int_eq(connect_to(path), -ECONNREFUSED);
	wice__control_socket_close(open_socket());
	remove_folder();
}
END_TEST

START_TEST(what_is_no_socket_is_left_alone)
{
	make_folder();
	g_autofree char *contents = NULL;
	ck_assert(g_file_set_contents(path, "precious", -1, NULL));
	assert_refused(WICE_ERROR_EXISTS, "no socket");
	ck_assert(g_file_get_contents(path, &contents, NULL, NULL));
	ck_assert_str_eq(contents, "precious");
	ck_assert_int_eq(g_unlink(path), 0);

	ck_assert_int_eq(g_mkdir(path, 0700), 0);
	assert_refused(WICE_ERROR_EXISTS, "no socket");
	ck_assert_int_eq(g_rmdir(path), 0);

	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	assert_refused(WICE_ERROR_EXISTS, "no socket");
	ck_assert_int_eq(access("/etc/passwd", F_OK), 0);
	remove_folder();
}
END_TEST

START_TEST(a_socket_that_took_our_place_is_not_removed)
{
	make_folder();
	const struct sockaddr_un address = address_of(path);
	WiceControlSocket *control_socket = open_socket();
	ck_assert_int_eq(g_unlink(path), 0);
	/* The old inode is in use as long as its fd is open, so the new one is another. */
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	wice__control_socket_close(control_socket);
	int client = connect_to(path);
	ck_assert_int_ge(client, 0);
	close(client);
	close(fd);
	remove_folder();
}
END_TEST

/* Many start at once; while one of them lives, nobody else does. */
START_TEST(of_many_that_start_at_once_one_wins)
{
	enum { CONTENDERS = 12 };
	make_folder();
	/* A stale socket invites everybody to replace it. */
	const struct sockaddr_un address = address_of(path);
	int stale = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(stale, (const struct sockaddr *)&address, sizeof address), 0);
	close(stale);

	int start[2], results[2];
	ck_assert_int_eq(pipe(start), 0);
	ck_assert_int_eq(pipe(results), 0);
	pid_t children[CONTENDERS];
	for (int i = 0; i < CONTENDERS; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			char byte;
			close(start[1]);
			if (read(start[0], &byte, 1) == 0) { /* all at the same time */
				g_autoptr(GError) error = NULL;
				bool won = wice__control_socket_open(path, &error) != NULL;
				bool busy = g_error_matches(error, WICE_ERROR, WICE_ERROR_BUSY);
				if (write(results[1], won ? "w" : busy ? "b" : "?", 1) == 1)
					pause();
			}
			_exit(1);
		}
	}
	close(start[1]);
	int won = 0, busy = 0;
	for (int i = 0; i < CONTENDERS; i++) {
		char result;
		ck_assert_int_eq(read(results[0], &result, 1), 1);
		won += result == 'w';
		busy += result == 'b';
	}
	ck_assert_int_eq(won, 1);
	ck_assert_int_eq(busy, CONTENDERS - 1);
	int client = connect_to(path);
	ck_assert_int_ge(client, 0);
	close(client);
	for (int i = 0; i < CONTENDERS; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
	remove_folder();
}
END_TEST

START_TEST(impossible_paths_are_refused)
{
	memset(path, 'x', sizeof path);
	g_autofree char *long_path = g_strnfill(200, 'x');
	g_autoptr(GError) empty = NULL, too_long = NULL;
	ck_assert_ptr_null(wice__control_socket_open("", &empty));
	ck_assert(g_error_matches(empty, WICE_ERROR, WICE_ERROR_INVALID));
	ck_assert_ptr_null(wice__control_socket_open(long_path, &too_long));
	ck_assert(g_error_matches(too_long, WICE_ERROR, WICE_ERROR_INVALID));
}
END_TEST

/*
 * What becomes of a client with these credentials, by exit code; the mode is opened so that it
 * can connect at all.
 */
static bool admits(WiceControlSocket *control_socket, int listener, uid_t uid, gid_t gid,
		   const gid_t *groups, size_t n_groups, struct ucred *ret_peer)
{
	int ready[2];
	ck_assert_int_eq(pipe(ready), 0);
	pid_t child = fork();
	if (child == 0) {
		if (setgroups(n_groups, groups) < 0 || setgid(gid) < 0 || setuid(uid) < 0)
			_exit(1);
		int fd = connect_to(path);
		if (fd >= 0 && write(ready[1], "c", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	char byte;
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	int fd = accept(listener, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	bool admitted = wice__control_socket_admits(control_socket, fd, ret_peer);
	ck_assert_int_eq(ret_peer->pid, child);
	close(fd);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return admitted;
}

START_TEST(strangers_are_not_admitted)
{
	if (geteuid() != 0) {
		puts("skipped: changing users needs root");
		return;
	}
	static const gid_t with[] = { 11, A_GROUP, 12 }, without[] = { 11, 12 };
	struct ucred peer;
	make_folder();
	ck_assert_int_eq(setegid(A_GROUP), 0);
	WiceControlSocket *control_socket = open_socket();
	ck_assert_int_eq(setegid(0), 0);
	int listener = wice__control_socket_steal_fd(control_socket);
	fcntl(listener, F_SETFL, 0);
	ck_assert_int_eq(chmod(path, 0666), 0);
	ck_assert(!admits(control_socket, listener, NOBODY, NOBODY, NULL, 0, &peer));
	ck_assert_uint_eq(peer.uid, NOBODY);
	ck_assert(!admits(control_socket, listener, NOBODY, NOBODY, without, 2, &peer));
	ck_assert(admits(control_socket, listener, NOBODY, NOBODY, with, 3, &peer));
	ck_assert(admits(control_socket, listener, NOBODY, A_GROUP, NULL, 0, &peer));
	ck_assert(admits(control_socket, listener, 0, NOBODY, NULL, 0, &peer));
	close(listener);
	wice__control_socket_close(control_socket);
	remove_folder();
}
END_TEST

SUITE_MAIN("control socket", only_owner_and_group_get_in_whatever_the_umask,
	   a_missing_folder_is_made_so_that_the_group_can_enter, nothing_stays_behind,
	   a_second_one_is_refused_and_told_the_pid_of_the_first,
	   one_that_listens_without_our_lock_is_respected, what_is_no_socket_is_left_alone,
	   a_socket_that_took_our_place_is_not_removed, of_many_that_start_at_once_one_wins,
	   impossible_paths_are_refused, strangers_are_not_admitted)
