/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection of TLS begins as one of TCP: once there is a first byte, GIO does the handshake on a
 * thread of a pool that the whole process shares, so only so many at a time. From then on its
 * descriptor is in the poll like all others, and what is read and written goes through GIO.
 *
 * Who begins a handshake and then says nothing must not keep others from theirs: one address has at
 * most half of all at a time, the turn is that of the address that has fewest, and while somebody
 * waits, the oldest one may not last for long.
 */
#include "turnserver/connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadlines.h"
#include "base/log.h"
#include "event/sockaddr.h"
#include "event/source.h"
#include "event/stream_connect.h"
#include "turn/stream.h"

#define ACCEPTS_PER_TURN 16
#define READS_PER_TURN 4
#define ACCEPT_PAUSE_MS 200 /* after running out of file descriptors */
#define HANDSHAKES_MAX 8
#define HANDSHAKES_OF_ADDRESS_MAX 4
#define HANDSHAKE_MS 5000 /* while somebody waits */
#define STRANGERS_MAX 1024
#define STRANGER_MS 30000
/* As long as an allocation may last without being refreshed, and some minutes. */
#define USER_MS (3900 * 1000)
#define BUFFER_SIZE 8192
/* About 50 ms of 40 Mbit/s; more would be late rather than useful. */
#define QUEUE_MAX (256 * 1024)
#define QUEUE_OF_STRANGER_MAX 4096 /* who asks and does not read */

typedef struct {
	WiceConnections *connections;
	WiceListener *listener;
	GTlsCertificate *certificate;
	WiceTimer *pause;
} Door;

typedef enum { HELLO, WAITING, HANDSHAKE, OPEN, CLOSED } State;

struct WiceConnection {
	WicePolled polled;
	WiceConnections *connections;
	uint64_t number;
	WiceEndpoint client, local;
	State state;
	bool user;
	WiceDeadline deadline;
	GSocket *socket;              /* owns the descriptor */
	GTlsCertificate *certificate; /* until the handshake */
	GIOStream *tls;               /* NULL: TCP */
	GCancellable *cancellable;    /* of the handshake */
	int64_t handshake_ms;         /* when it began */
	WiceTurnStream stream;        /* buffer NULL: nothing has come yet */
	GByteArray *queue;            /* to be written */
	bool is_dirty;                /* in the list of those with something to write */
	bool is_unread;               /* in that of those who have more to be read */
	bool is_blocked;              /* waits for EPOLLOUT */
	unsigned refs;
};

struct WiceConnections {
	GMainContext *context;
	WicePoll *poll;
	const WiceConnectionEvents *events;
	void *user_data;
	GPtrArray *doors;
	GHashTable *by_number; /* has a reference to each */
	uint64_t last_number;
	WiceDeadlines deadlines;
	WiceTimer *timer;
	unsigned n_strangers;
	GQueue waiting;            /* for a handshake */
	GQueue handshakes;         /* the oldest one first; has a reference to each */
	GPtrArray *dirty, *unread; /* have a reference to each */
	WiceTimer *again;          /* for the unread */
	bool freed;
	unsigned refs;
};

static WiceConnections *connections_ref(WiceConnections *connections)
{
	connections->refs++;
	return connections;
}

static void connections_unref(WiceConnections *connections)
{
	if (--connections->refs > 0)
		return;
	g_ptr_array_unref(connections->doors);
	g_ptr_array_unref(connections->dirty);
	g_ptr_array_unref(connections->unread);
	g_hash_table_unref(connections->by_number);
	wice__deadlines_done(&connections->deadlines);
	g_main_context_unref(connections->context);
	g_free(connections);
}

static WiceConnection *connection_ref(WiceConnection *connection)
{
	connection->refs++;
	return connection;
}

static void connection_unref(void *data)
{
	WiceConnection *connection = data;
	if (--connection->refs > 0)
		return;
	WiceConnections *connections = connection->connections;
	wice__turn_stream_done(&connection->stream);
	g_byte_array_unref(connection->queue);
	g_clear_object(&connection->tls);
	g_clear_object(&connection->certificate);
	g_clear_object(&connection->cancellable);
	g_object_unref(connection->socket);
	g_free(connection);
	connections_unref(connections);
}

/* Deadlines. */

static void set_timer(WiceConnections *connections)
{
	const WiceDeadline *first = wice__deadlines_first(&connections->deadlines);
	wice__timer_set(connections->timer, first ? first->ms : INT64_MAX);
}

static void set_deadline(WiceConnection *connection, int64_t ms)
{
	wice__deadlines_set(&connection->connections->deadlines, &connection->deadline, ms);
	set_timer(connection->connections);
}

static void set_user(WiceConnection *connection, bool user)
{
	if (connection->user && !user)
		connection->connections->n_strangers++;
	else if (!connection->user && user)
		connection->connections->n_strangers--;
	connection->user = user;
}

void wice__connection_settle(WiceConnection *connection, bool user)
{
	if (connection->state == CLOSED)
		return;
	set_user(connection, user);
	set_deadline(connection, wice__now_ms() + (user ? USER_MS : STRANGER_MS));
}

static void close_connection(WiceConnection *connection)
{
	WiceConnections *connections = connection->connections;
	if (connection->state == CLOSED)
		return;
	connection->state = CLOSED;
	set_user(connection, true);
	set_deadline(connection, INT64_MAX);
	g_queue_remove(&connections->waiting, connection);
	if (connection->cancellable)
		g_cancellable_cancel(connection->cancellable);
	/* Its descriptor is closed with the last reference, and nobody else's meanwhile. */
	shutdown(g_socket_get_fd(connection->socket), SHUT_RDWR);
	g_hash_table_steal(connections->by_number, &connection->number);
	if (!connections->freed)
		connections->events->closed(connection->number, connections->user_data);
	wice__poll_remove(connections->poll, &connection->polled, connection_unref);
}

static WiceConnection *first_due(const WiceConnections *connections)
{
	WiceDeadline *first = wice__deadlines_first(&connections->deadlines);
	return first ? (void *)((char *)first - offsetof(WiceConnection, deadline)) : NULL;
}

static void on_timer(void *user_data)
{
	WiceConnections *connections = user_data;
	int64_t now_ms = wice__now_ms();
	WiceConnection *connection;
	while ((connection = first_due(connections)) && connection->deadline.ms <= now_ms)
		close_connection(connection);
	set_timer(connections);
}

/* Reading. */

static ssize_t pull(WiceConnection *connection, uint8_t *buffer, size_t len)
{
	if (!connection->tls) {
		ssize_t n = recv(connection->polled.fd, buffer, len, MSG_DONTWAIT);
		return n < 0 ? -errno : n;
	}
	g_autoptr(GError) error = NULL;
	GPollableInputStream *input =
		G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(connection->tls));
	gssize n = g_pollable_input_stream_read_nonblocking(input, buffer, len, NULL, &error);
	if (n >= 0)
		return n;
	return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) ? -EAGAIN : -EIO;
}

/* False: it must be closed. */
static bool take_frames(WiceConnection *connection)
{
	WiceConnections *connections = connection->connections;
	uint8_t *frame;
	size_t len;
	int err;
	while ((err = wice__turn_stream_next(&connection->stream, &frame, &len)) == 0 &&
	       connection->state == OPEN)
		connections->events->frame(connection, frame, len, connections->user_data);
	connections->events->overwrite(connections->user_data);
	return err == 0 || err == -EAGAIN;
}

static void read_later(WiceConnection *connection)
{
	WiceConnections *connections = connection->connections;
	if (!connection->is_unread)
		g_ptr_array_add(connections->unread, connection_ref(connection));
	connection->is_unread = true;
	wice__timer_set(connections->again, wice__now_ms());
}

/*
 * TLS may hold what the descriptor no longer shows: it has further turns until there is no more,
 * after others have had theirs. TCP shows what is left in the next round.
 */
static void read_frames(WiceConnection *connection)
{
	if (!connection->stream.buffer)
		wice__turn_stream_init(&connection->stream, BUFFER_SIZE);
	for (unsigned i = 0; connection->state == OPEN && i < READS_PER_TURN; i++) {
		size_t room;
		uint8_t *buffer = wice__turn_stream_room(&connection->stream, &room);
		ssize_t n = pull(connection, buffer, room);
		if (n == -EAGAIN || n == -EINTR)
			return;
		if (n > 0)
			wice__turn_stream_added(&connection->stream, (size_t)n);
		if (n <= 0 || !take_frames(connection)) {
			close_connection(connection);
			return;
		}
		if (!connection->tls && (size_t)n < room)
			return;
	}
	if (connection->state == OPEN && connection->tls)
		read_later(connection);
}

static void on_again(void *user_data)
{
	WiceConnections *connections = user_data;
	g_autoptr(GPtrArray) unread = connections->unread;
	connections->unread = g_ptr_array_new_with_free_func(connection_unref);
	for (guint i = 0; i < unread->len; i++) {
		WiceConnection *connection = g_ptr_array_index(unread, i);
		connection->is_unread = false;
		if (connection->state == OPEN)
			read_frames(connection);
	}
	wice__connections_flush(connections);
}

/* Writing. */

static ssize_t push(WiceConnection *connection, const uint8_t *data, size_t len)
{
	if (!connection->tls) {
		ssize_t n = send(connection->polled.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		return n < 0 ? -errno : n;
	}
	g_autoptr(GError) error = NULL;
	GPollableOutputStream *output =
		G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(connection->tls));
	gssize n = g_pollable_output_stream_write_nonblocking(output, data, len, NULL, &error);
	if (n >= 0)
		return n;
	return g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK) ? -EAGAIN : -EIO;
}

static void watch_for_room(WiceConnection *connection, bool blocked)
{
	if (connection->is_blocked == blocked)
		return;
	connection->is_blocked = blocked;
	wice__poll_change(connection->connections->poll, &connection->polled,
			  blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

static void write_queue(WiceConnection *connection)
{
	GByteArray *queue = connection->queue;
	size_t done = 0;
	ssize_t n = 0;
	while (done < queue->len && n >= 0) {
		n = push(connection, queue->data + done, queue->len - done);
		if (n > 0)
			done += (size_t)n;
	}
	g_byte_array_remove_range(queue, 0, (guint)done);
	if (queue->len == 0 && done > BUFFER_SIZE) {
		/* It would stay as large as it has ever been. */
		g_byte_array_unref(queue);
		queue = connection->queue = g_byte_array_new();
	}
	if (n < 0 && n != -EAGAIN && n != -EINTR)
		close_connection(connection);
	else
		watch_for_room(connection, queue->len > 0);
}

bool wice__connection_send(WiceConnection *connection, const struct iovec *parts, size_t n)
{
	size_t len = connection->queue->len;
	for (size_t i = 0; i < n; i++)
		len += parts[i].iov_len;
	if (connection->state != OPEN ||
	    len > (connection->user ? QUEUE_MAX : QUEUE_OF_STRANGER_MAX))
		return false;
	for (size_t i = 0; i < n; i++)
		g_byte_array_append(connection->queue, parts[i].iov_base, (guint)parts[i].iov_len);
	if (!connection->is_dirty)
		g_ptr_array_add(connection->connections->dirty, connection_ref(connection));
	connection->is_dirty = true;
	return true;
}

void wice__connections_flush(WiceConnections *connections)
{
	for (guint i = 0; i < connections->dirty->len; i++) {
		WiceConnection *connection = g_ptr_array_index(connections->dirty, i);
		connection->is_dirty = false;
		if (connection->state == OPEN && !connection->is_blocked)
			write_queue(connection);
	}
	g_ptr_array_set_size(connections->dirty, 0);
}

/* TLS. */

static void start_handshakes(WiceConnections *connections);

static void open_connection(WiceConnection *connection)
{
	connection->state = OPEN;
	connection->polled.fd = g_socket_get_fd(connection->socket);
	if (wice__poll_add(connection->connections->poll, &connection->polled, EPOLLIN) != 0) {
		close_connection(connection);
		return;
	}
	read_frames(connection);
	wice__connections_flush(connection->connections);
}

static void on_handshake(GObject *source, GAsyncResult *result, gpointer user_data)
{
	WiceConnection *connection = user_data;
	WiceConnections *connections = connections_ref(connection->connections);
	g_autoptr(GError) error = NULL;
	bool ok = g_tls_connection_handshake_finish(G_TLS_CONNECTION(source), result, &error);
	g_queue_remove(&connections->handshakes, connection);
	g_clear_object(&connection->cancellable);
	if (connection->state == HANDSHAKE && ok) {
		connection->tls = g_object_ref(G_IO_STREAM(source));
		set_deadline(connection, wice__now_ms() + STRANGER_MS);
		open_connection(connection);
	} else if (connection->state == HANDSHAKE) {
		wice__log(WICE_LOG_DEBUG, "",
			  "A TLS handshake with a client of the relay failed: %s", error->message);
		close_connection(connection);
	}
	start_handshakes(connections);
	connection_unref(connection);
	connections_unref(connections);
}

static void handshake(WiceConnection *connection)
{
	static const char *const protocols[] = { "stun.turn", "stun.nat-discovery", NULL };
	WiceConnections *connections = connection->connections;
	g_autoptr(GSocketConnection) stream =
		g_socket_connection_factory_create_connection(connection->socket);
	g_autoptr(GIOStream) tls =
		g_tls_server_connection_new(G_IO_STREAM(stream), connection->certificate, NULL);
	if (!tls) {
		close_connection(connection);
		return;
	}
	g_tls_connection_set_advertised_protocols(G_TLS_CONNECTION(tls), protocols); /* RFC 7443 */
	/* Packets are datagrams to those who send them: an end without goodbye is an end. */
	g_tls_connection_set_require_close_notify(G_TLS_CONNECTION(tls), FALSE);
	connection->state = HANDSHAKE;
	connection->cancellable = g_cancellable_new();
	connection->handshake_ms = wice__now_ms();
	g_queue_push_tail(&connections->handshakes, connection_ref(connection));
	g_main_context_push_thread_default(connections->context);
	g_tls_connection_handshake_async(G_TLS_CONNECTION(tls), G_PRIORITY_DEFAULT,
					 connection->cancellable, on_handshake, connection);
	g_main_context_pop_thread_default(connections->context);
}

/* Who has an IPv6 network has all addresses of it. */
static bool are_of_one(const WiceAddress *a, const WiceAddress *b)
{
	return a->family == b->family &&
	       memcmp(a->bytes, b->bytes, a->family == WICE_FAMILY_IPV6 ? 8 : 4) == 0;
}

static unsigned count_handshakes(const WiceConnection *connection)
{
	unsigned n = 0;
	for (const GList *i = connection->connections->handshakes.head; i; i = i->next)
		n += are_of_one(&((const WiceConnection *)i->data)->client.address,
				&connection->client.address);
	return n;
}

/* NULL: nobody may begin. */
static WiceConnection *take_next(WiceConnections *connections)
{
	unsigned fewest = HANDSHAKES_OF_ADDRESS_MAX;
	WiceConnection *next = NULL;
	if (connections->freed || connections->handshakes.length >= HANDSHAKES_MAX)
		return NULL;
	for (const GList *i = connections->waiting.head; i && fewest > 0; i = i->next) {
		unsigned n = count_handshakes(i->data);
		if (n >= fewest)
			continue;
		fewest = n;
		next = i->data;
	}
	g_queue_remove(&connections->waiting, next);
	return next;
}

static void start_handshakes(WiceConnections *connections)
{
	WiceConnection *next, *oldest;
	while ((next = take_next(connections)))
		handshake(next);
	oldest = g_queue_peek_head(&connections->handshakes);
	if (!oldest || oldest->state != HANDSHAKE || g_queue_is_empty(&connections->waiting))
		return;
	int64_t end_ms = oldest->handshake_ms + HANDSHAKE_MS;
	if (end_ms < oldest->deadline.ms)
		set_deadline(oldest, end_ms);
}

/* The thread of the handshake looks at the descriptor; here it is not looked at meanwhile. */
static void on_hello(WiceConnection *connection)
{
	WiceConnections *connections = connection->connections;
	wice__poll_remove(connections->poll, &connection->polled, NULL);
	connection->state = WAITING;
	g_queue_push_tail(&connections->waiting, connection);
	start_handshakes(connections);
}

static void on_ready(WicePolled *polled, uint32_t events, void *user_data)
{
	WiceConnection *connection = (WiceConnection *)polled;
	if (connection->state == HELLO) {
		on_hello(connection);
		return;
	}
	if (events & EPOLLOUT)
		write_queue(connection);
	if (connection->state == OPEN && events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_frames(connection);
}

/* Listening. */

static void name_ends(WiceConnection *connection, int fd)
{
	WiceUdpName name;
	socklen_t len = sizeof name;
	if (getpeername(fd, &name.any, &len) == 0)
		(void)wice__endpoint_from_sockaddr(&name.any, len, &connection->client);
	len = sizeof name;
	if (getsockname(fd, &name.any, &len) == 0)
		(void)wice__endpoint_from_sockaddr(&name.any, len, &connection->local);
}

static void take_client(Door *door, int fd)
{
	WiceConnections *connections = door->connections;
	GSocket *socket = g_socket_new_from_fd(fd, NULL);
	if (!socket) {
		close(fd);
		return;
	}
	if (connections->n_strangers >= STRANGERS_MAX)
		close_connection(first_due(connections));
	wice__stream_tune(socket);
	g_socket_set_blocking(socket, FALSE);
	WiceConnection *connection = g_new0(WiceConnection, 1);
	connection->polled = (WicePolled){ .fd = fd, .ready = on_ready };
	connection->connections = connections_ref(connections);
	connection->number = ++connections->last_number;
	connection->socket = socket;
	connection->certificate = door->certificate ? g_object_ref(door->certificate) : NULL;
	connection->state = door->certificate ? HELLO : OPEN;
	connection->queue = g_byte_array_new();
	connection->refs = 1;
	name_ends(connection, fd);
	wice__deadline_init(&connection->deadline);
	g_hash_table_insert(connections->by_number, &connection->number, connection);
	connections->n_strangers++;
	set_deadline(connection, wice__now_ms() + STRANGER_MS);
	if (wice__poll_add(connections->poll, &connection->polled, EPOLLIN) != 0)
		close_connection(connection);
}

static void on_pause_over(void *user_data)
{
	Door *door = user_data;
	door->listener->udp.polled.fd = door->listener->udp.sender.fd;
	wice__poll_add(door->connections->poll, &door->listener->udp.polled, EPOLLIN);
}

static void on_client(WicePolled *polled, uint32_t events, void *user_data)
{
	WiceListener *listener = (WiceListener *)polled;
	Door *door = listener->owner;
	for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(polled->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			take_client(door, fd);
			continue;
		}
		if (errno == EAGAIN)
			return;
		if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM)
			continue;
		wice__log(WICE_LOG_WARNING, "",
			  "The relay could not accept a client at %s and pauses for %d ms: %s",
			  listener->text, ACCEPT_PAUSE_MS, g_strerror(errno));
		wice__poll_remove(door->connections->poll, polled, NULL);
		wice__timer_set(door->pause, wice__now_ms() + ACCEPT_PAUSE_MS);
		return;
	}
}

static void door_free(void *data)
{
	Door *door = data;
	wice__poll_remove(door->connections->poll, &door->listener->udp.polled, NULL);
	wice__timer_free(door->pause);
	g_clear_object(&door->certificate);
	g_free(door);
}

/* API. */

WiceConnections *wice__connections_new(GMainContext *context, WicePoll *poll,
				       const WiceConnectionEvents *events, void *user_data)
{
	WiceConnections *connections = g_new0(WiceConnections, 1);
	connections->context = g_main_context_ref(context);
	connections->poll = poll;
	connections->events = events;
	connections->user_data = user_data;
	connections->doors = g_ptr_array_new_with_free_func(door_free);
	connections->by_number = g_hash_table_new(g_int64_hash, g_int64_equal);
	connections->dirty = g_ptr_array_new_with_free_func(connection_unref);
	connections->unread = g_ptr_array_new_with_free_func(connection_unref);
	connections->timer = wice__timer_new(context, on_timer, connections);
	connections->again = wice__timer_new(context, on_again, connections);
	wice__deadlines_init(&connections->deadlines);
	g_queue_init(&connections->waiting);
	g_queue_init(&connections->handshakes);
	connections->refs = 1;
	return connections;
}

void wice__connections_free(WiceConnections *connections)
{
	if (!connections)
		return;
	connections->freed = true;
	g_ptr_array_set_size(connections->doors, 0);
	while (first_due(connections))
		close_connection(first_due(connections));
	g_ptr_array_set_size(connections->dirty, 0);
	g_ptr_array_set_size(connections->unread, 0);
	wice__timer_free(connections->timer);
	wice__timer_free(connections->again);
	connections_unref(connections);
}

int wice__connections_listen(WiceConnections *connections, WiceListener *listener,
			     GTlsCertificate *certificate)
{
	Door *door = g_new0(Door, 1);
	door->connections = connections;
	door->listener = listener;
	door->certificate = certificate ? g_object_ref(certificate) : NULL;
	door->pause = wice__timer_new(connections->context, on_pause_over, door);
	listener->owner = door;
	listener->udp.polled.ready = on_client;
	g_ptr_array_add(connections->doors, door);
	return wice__poll_add(connections->poll, &listener->udp.polled, EPOLLIN);
}

WiceConnection *wice__connections_find(WiceConnections *connections, uint64_t number)
{
	return g_hash_table_lookup(connections->by_number, &number);
}

uint64_t wice__connection_number(const WiceConnection *connection)
{
	return connection->number;
}

const WiceEndpoint *wice__connection_client(const WiceConnection *connection)
{
	return &connection->client;
}

const WiceEndpoint *wice__connection_local(const WiceConnection *connection)
{
	return &connection->local;
}
