/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client is read from until a request has ended, then written to until the reply has gone, then
 * read from again; never both, so what it has sent in advance waits in its piece and its socket.
 *
 * What clients may cost:
 * - memory: a piece each, one request (WICE_UAPI_REQUEST_MAX) and one reply; the next client is not
 *   accepted before there is a place for it.
 * - time: a request and its reply must be through within patience_ms of the reply before, or of the
 *   connection. Clients stand in the order of that time. When all places are taken, the patience
 *   is a fifteenth of that, so that idle connections do not keep others out.
 * - turns: after STEPS of them it is the turn of others on this context.
 */
#include "engine/uapi_server.h"

#include <errno.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>

#include "event/source.h"

#define PIECE_MAX ((size_t)16 * 1024)
#define STEPS 16
#define HURRY 15
#define PAUSE_MS 1000 /* until the next attempt when there are no descriptors left */

G_STATIC_ASSERT(PIECE_MAX > WICE_UAPI_LINE_MAX);

typedef struct {
	GList link; /* in clients */
	WiceUapiServer *server;
	int fd;
	WiceFdWatch *watch;
	int64_t since_ms; /* the time of its request runs */
	WiceUapiRequest *request;
	WiceUapiText reply; /* while it is sent */
	size_t n_sent;
	bool last;  /* it is hung up on after the reply */
	size_t len; /* of piece */
	char piece[PIECE_MAX];
} Client;

struct WiceUapiServer {
	WiceUapiServerOptions options;
	GMainContext *context;
	WiceUapiListener *listener;
	WiceFdWatch *watch; /* of the listening socket */
	WiceTimer *timer;
	GQueue clients; /* who has waited longest first */
	int64_t pause_until_ms;
};

static bool is_full(const WiceUapiServer *server)
{
	return server->clients.length >= server->options.clients_max;
}

static int64_t deadline_of(const WiceUapiServer *server, const Client *client)
{
	int64_t patience = server->options.patience_ms;
	return client->since_ms + (is_full(server) ? patience / HURRY : patience);
}

/* After each change of clients or their times. */
static void update(WiceUapiServer *server)
{
	bool pauses = wice__now_ms() < server->pause_until_ms;
	Client *first = g_queue_peek_head(&server->clients);
	int64_t deadline = first ? deadline_of(server, first) : INT64_MAX;
	wice__timer_set(server->timer, pauses ? MIN(deadline, server->pause_until_ms) : deadline);
	wice__fd_watch_set_condition(server->watch, pauses || is_full(server) ? 0 : G_IO_IN);
}

static void free_client(Client *client)
{
	wice__fd_watch_free(client->watch);
	close(client->fd);
	wice__uapi_request_free(client->request);
	wice__uapi_text_done(&client->reply);
	g_queue_unlink(&client->server->clients, &client->link);
	sodium_memzero(client->piece, sizeof client->piece);
	g_free(client);
}

/* Its time begins anew, which makes it the last in the order. */
static void begin_request(Client *client)
{
	WiceUapiServer *server = client->server;
	wice__uapi_request_free(client->request);
	client->request = wice__uapi_request_new(server->options.handler.ops->scope);
	client->since_ms = wice__now_ms();
	g_queue_unlink(&server->clients, &client->link);
	g_queue_push_tail_link(&server->clients, &client->link);
}

/* Steps return 1: there is more to do; 0: the socket must be waited for; -errno: it is over. */

static int send_reply(Client *client)
{
	const WiceUapiText *reply = &client->reply;
	ssize_t n = send(client->fd, reply->data + client->n_sent, reply->len - client->n_sent,
			 MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR ? 1 : errno == EAGAIN ? 0 : -errno;
	client->n_sent += (size_t)n;
	if (client->n_sent < reply->len)
		return 1;
	wice__uapi_text_done(&client->reply);
	client->n_sent = 0;
	begin_request(client);
	return client->last ? -ESHUTDOWN : 1;
}

static int receive(Client *client)
{
	ssize_t n = recv(client->fd, client->piece + client->len, PIECE_MAX - client->len,
			 MSG_DONTWAIT);
	if (n < 0)
		return errno == EINTR ? 1 : errno == EAGAIN ? 0 : -errno;
	client->len += (size_t)n;
	return n ? 1 : -ESHUTDOWN;
}

/* Reads what is there; once the request has ended, there is a reply. Returns what feeding did. */
static int read_lines(Client *client)
{
	size_t n_read;
	int r = wice__uapi_request_feed(client->request, client->piece, client->len, &n_read);
	client->len -= n_read;
	memmove(client->piece, client->piece + n_read, client->len);
	if (r == 0)
		return 0;
	client->last = r < 0;
	wice__uapi_answer(&client->server->options.handler, client->request, r, &client->reply);
	return 1;
}

static int step(Client *client)
{
	if (client->reply.data)
		return send_reply(client);
	return read_lines(client) ? 1 : receive(client);
}

/*
 * Who has more to do is waited for until it can be written to, which is at once, unless it does not
 * read its replies.
 */
static void client_ready(int fd, GIOCondition condition, void *user_data)
{
	Client *client = user_data;
	WiceUapiServer *server = client->server;
	int r = 1;
	for (int i = 0; i < STEPS && r > 0; i++)
		r = step(client);
	if (r < 0)
		free_client(client);
	else
		wice__fd_watch_set_condition(client->watch,
					     r > 0 || client->reply.data ? G_IO_OUT : G_IO_IN);
	update(server);
}

static void add_client(WiceUapiServer *server, int fd)
{
	Client *client = g_new0(Client, 1);
	client->link.data = client;
	client->server = server;
	client->fd = fd;
	g_queue_push_tail_link(&server->clients, &client->link);
	begin_request(client);
	client->watch = wice__fd_watch_new(server->context, fd, G_IO_IN, client_ready, client);
}

static void listener_ready(int fd, GIOCondition condition, void *user_data)
{
	WiceUapiServer *server = user_data;
	while (!is_full(server)) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (client >= 0) {
			add_client(server, client);
			continue;
		}
		/* Else it would be ready at once again. */
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			server->pause_until_ms = wice__now_ms() + PAUSE_MS;
		break;
	}
	update(server);
}

static void time_is_up(void *user_data)
{
	WiceUapiServer *server = user_data;
	int64_t now_ms = wice__now_ms();
	Client *client;
	while ((client = g_queue_peek_head(&server->clients)) &&
	       deadline_of(server, client) <= now_ms)
		free_client(client);
	update(server);
}

int wice__uapi_server_start(GMainContext *context, int fd, const WiceUapiServerOptions *options,
			    WiceUapiServer **ret)
{
	WiceUapiListener *listener;
	int r = wice__uapi_listener_new(context, fd, options->on_gone, options->user_data,
					&listener);
	if (r < 0)
		return r;
	WiceUapiServer *server = g_new0(WiceUapiServer, 1);
	server->options = *options;
	if (!server->options.clients_max)
		server->options.clients_max = WICE_UAPI_CLIENTS_MAX;
	if (!server->options.patience_ms)
		server->options.patience_ms = WICE_UAPI_PATIENCE_MS;
	server->context = context ? g_main_context_ref(context) : NULL;
	server->listener = listener;
	server->watch = wice__fd_watch_new(context, fd, G_IO_IN, listener_ready, server);
	server->timer = wice__timer_new(context, time_is_up, server);
	*ret = server;
	return 0;
}

void wice__uapi_server_stop(WiceUapiServer *server)
{
	if (!server)
		return;
	while (server->clients.head)
		free_client(server->clients.head->data);
	wice__timer_free(server->timer);
	wice__fd_watch_free(server->watch);
	wice__uapi_listener_free(server->listener);
	if (server->context)
		g_main_context_unref(server->context);
	g_free(server);
}
