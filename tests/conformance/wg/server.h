/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_WG_SERVER_H
#define WICE_TESTS_WG_SERVER_H

/* A UAPI socket with a thread behind it that does with each connection what the test wants. */
#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

typedef struct {
	char *path;
	int fd;
	GThread *thread;
	void (*serve)(int fd, void *user_data);
	void *user_data;
} TestServer;

static inline gpointer server_thread(gpointer data)
{
	TestServer *server = data;
	int fd;
	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		server->serve(fd, server->user_data);
		close(fd);
	}
	return NULL;
}

static inline int server_bind(const char *path, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_lt(g_strlcpy(address.sun_path, path, sizeof address.sun_path),
			 sizeof address.sun_path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, backlog), 0);
	return fd;
}

static inline void server_start(TestServer *server, const char *folder, const char *name,
				void (*serve)(int fd, void *user_data), void *user_data)
{
	server->path = g_strdup_printf("%s/%s.sock", folder, name);
	server->serve = serve;
	server->user_data = user_data;
	server->fd = server_bind(server->path, 16);
	server->thread = g_thread_new("uapi", server_thread, server);
}

static inline void server_stop(TestServer *server)
{
	shutdown(server->fd, SHUT_RDWR);
	g_thread_join(server->thread);
	close(server->fd);
	g_unlink(server->path);
	g_free(server->path);
}

/* False once the client has gone. */
static inline int server_send(int fd, const void *data, size_t len)
{
	const char *at = data;
	while (len) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
		if (n < 0)
			return 0;
		at += n;
		len -= (size_t)n;
	}
	return 1;
}

static inline int server_request_ends(const GString *request)
{
	return request->len >= 2 && memcmp(request->str + request->len - 2, "\n\n", 2) == 0;
}

/* Reads up to the empty line that ends a request; the caller frees it. */
static inline char *server_receive(int fd)
{
	GString *request = g_string_new(NULL);
	char piece[65536];
	ssize_t n;
	while (!server_request_ends(request) && (n = recv(fd, piece, sizeof piece, 0)) > 0)
		g_string_append_len(request, piece, n);
	return g_string_free(request, FALSE);
}

/* Until the client has gone. */
static inline void server_wait_for_end(int fd)
{
	char buffer[256];
	while (recv(fd, buffer, sizeof buffer, 0) > 0)
		;
}

#endif
