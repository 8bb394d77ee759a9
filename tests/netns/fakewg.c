/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many WireGuard interfaces in one small process, for tests with hundreds of peers: a wireguard-go for each would
 * need 20 MB.
 *
 *   fakewg NAME...
 *
 * Each is a TUN device, a UAPI socket that wg(8) can talk to, and a UDP socket. The packets on the wire have the types and
 * sizes of WireGuard's, and go out when WireGuard's would: an initiation when there is something to send and no session, not
 * more than one in 5 s to a peer, again every 5 s until it is answered; a response; an empty packet that
 * confirms the session; persistent keepalives. But nothing is encrypted: a packet says in clear whose it is, no tunnelled
 * packet is delivered, and sessions last for ever.
 *
 *   initiation  01 00 00 00 | index | sender's public key, zeros           148 bytes
 *   response    02 00 00 00 | index | index | sender's public key, zeros    92 bytes
 *   keepalive   04 00 00 00 | index | counter | half of the public key      32 bytes
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define KEY_LEN 32
#define SOCKETS "/var/run/wireguard"
#define REKEY_TIMEOUT_US (5 * G_USEC_PER_SEC)
#define TICK_US (G_USEC_PER_SEC / 2)
#define INITIATION_LEN 148
#define RESPONSE_LEN 92
#define KEEPALIVE_LEN 32
#define RESPONSE_KEY 12 /* offsets of the key */
#define INITIATION_KEY 8
#define KEEPALIVE_KEY 16
#define REQUEST_MAX (1 << 20)

struct peer {
	uint8_t key[KEY_LEN];
	struct sockaddr_in6 endpoint; /* IPv4 addresses mapped; family 0 if there is none */
	unsigned keepalive_s;
	GPtrArray *allowed_ips; /* text */
	bool has_session, wants_session;
	int64_t initiated_at, sent_at; /* monotonic */
	int64_t handshake_us;          /* since 1970 */
	uint64_t rx_bytes, tx_bytes;
};

/* A descriptor that is waited for. */
struct watch {
	void (*ready)(struct watch *watch);
	int fd;
	void *data;
};

struct device {
	const char *name;
	uint8_t private_key[KEY_LEN], public_key[KEY_LEN];
	bool has_key;
	uint32_t fwmark;
	uint16_t port;
	struct watch tun, uapi, udp;
	GPtrArray *peers;
};

struct connection {
	struct watch watch;
	struct device *device;
	GString *input;
};

/* With hundreds of descriptors poll(2) would cost more than all that is done here. */
static int epoll_fd;

static void watch_start(struct watch *watch)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = watch };
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) < 0) {
		fprintf(stderr, "fakewg: cannot wait for a descriptor: %s\n", strerror(errno));
		exit(1);
	}
}

static void peer_free(void *data)
{
	struct peer *peer = data;
	g_ptr_array_unref(peer->allowed_ips);
	g_free(peer);
}

static struct peer *find_peer(struct device *device, const uint8_t *key, size_t len)
{
	for (guint i = 0; i < device->peers->len; i++) {
		struct peer *peer = device->peers->pdata[i];
		if (memcmp(peer->key, key, len) == 0)
			return peer;
	}
	return NULL;
}

/* --- packets ------------------------------------------------------------------------------------------------------ */

static void send_packet(struct device *device, struct peer *peer, uint8_t type, size_t len,
			size_t key_at)
{
	uint8_t packet[INITIATION_LEN] = { type };
	if (!peer->endpoint.sin6_family)
		return;
	memcpy(packet + key_at, device->public_key, MIN(len - key_at, KEY_LEN));
	if (sendto(device->udp.fd, packet, len, 0, (struct sockaddr *)&peer->endpoint,
		   sizeof peer->endpoint) == (ssize_t)len)
		peer->tx_bytes += len;
	peer->sent_at = g_get_monotonic_time();
}

static void initiate(struct device *device, struct peer *peer)
{
	int64_t now = g_get_monotonic_time();
	peer->wants_session = true;
	if (!device->has_key || (peer->initiated_at && now - peer->initiated_at < REKEY_TIMEOUT_US))
		return;
	peer->initiated_at = now;
	send_packet(device, peer, 1, INITIATION_LEN, INITIATION_KEY);
}

static void send_keepalive(struct device *device, struct peer *peer)
{
	if (peer->has_session)
		send_packet(device, peer, 4, KEEPALIVE_LEN, KEEPALIVE_KEY);
	else
		initiate(device, peer);
}

static void establish(struct peer *peer)
{
	peer->has_session = true;
	peer->wants_session = false;
	peer->handshake_us = g_get_real_time();
}

static void on_packet(struct watch *watch)
{
	struct device *device = watch->data;
	uint8_t packet[2048];
	struct sockaddr_in6 source;
	socklen_t source_len = sizeof source;
	ssize_t len = recvfrom(watch->fd, packet, sizeof packet, MSG_DONTWAIT,
			       (struct sockaddr *)&source, &source_len);
	struct peer *peer = NULL;
	if (len == INITIATION_LEN && packet[0] == 1)
		peer = find_peer(device, packet + INITIATION_KEY, KEY_LEN);
	else if (len == RESPONSE_LEN && packet[0] == 2)
		peer = find_peer(device, packet + RESPONSE_KEY, KEY_LEN);
	else if (len == KEEPALIVE_LEN && packet[0] == 4)
		peer = find_peer(device, packet + KEEPALIVE_KEY, KEEPALIVE_LEN - KEEPALIVE_KEY);
	if (!peer || (packet[0] == 4 && !peer->has_session))
		return;
	peer->rx_bytes += (uint64_t)len;
	peer->endpoint = source; /* roaming */
	if (packet[0] == 1) {
		establish(peer);
		send_packet(device, peer, 2, RESPONSE_LEN, RESPONSE_KEY);
	} else if (packet[0] == 2) {
		establish(peer);
		send_keepalive(device, peer);
	}
}

/* Something is to be sent into the tunnel. */
static void on_tun(struct watch *watch)
{
	struct device *device = watch->data;
	uint8_t packet[65536];
	char destination[INET_ADDRSTRLEN + 3];
	ssize_t len = read(watch->fd, packet, sizeof packet);
	if (len < 20 || packet[0] >> 4 != 4 ||
	    !inet_ntop(AF_INET, packet + 16, destination, INET_ADDRSTRLEN))
		return;
	g_strlcat(destination, "/32", sizeof destination);
	for (guint i = 0; i < device->peers->len; i++) {
		struct peer *peer = device->peers->pdata[i];
		if (g_ptr_array_find_with_equal_func(peer->allowed_ips, destination, g_str_equal,
						     NULL))
			send_keepalive(device, peer);
	}
}

static void tick(GPtrArray *devices, int64_t now)
{
	for (guint d = 0; d < devices->len; d++) {
		struct device *device = devices->pdata[d];
		for (guint i = 0; i < device->peers->len; i++) {
			struct peer *peer = device->peers->pdata[i];
			if (peer->wants_session)
				initiate(device, peer);
			else if (peer->keepalive_s &&
				 now - peer->sent_at >= peer->keepalive_s * G_USEC_PER_SEC)
				send_keepalive(device, peer);
		}
	}
}

static int bind_port(struct device *device, uint16_t port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int off = 0;
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
		close(fd);
		return -errno;
	}
	if (device->udp.ready)
		close(device->udp.fd);
	device->udp = (struct watch){ on_packet, fd, device };
	device->port = ntohs(address.sin6_port);
	watch_start(&device->udp);
	return 0;
}

/* --- the UAPI ------------------------------------------------------------------------------------------------------ */

static void append_hex(GString *text, const char *name, const uint8_t *bytes)
{
	char hex[2 * KEY_LEN + 1];
	sodium_bin2hex(hex, sizeof hex, bytes, KEY_LEN);
	g_string_append_printf(text, "%s=%s\n", name, hex);
}

static void append_peer(GString *text, const struct peer *peer)
{
	append_hex(text, "public_key", peer->key);
	append_hex(text, "preshared_key", (const uint8_t[KEY_LEN]){ 0 });
	g_string_append(text, "protocol_version=1\n");
	if (peer->endpoint.sin6_family) {
		char address[INET6_ADDRSTRLEN];
		bool mapped = IN6_IS_ADDR_V4MAPPED(&peer->endpoint.sin6_addr);
		inet_ntop(mapped ? AF_INET : AF_INET6,
			  peer->endpoint.sin6_addr.s6_addr + (mapped ? 12 : 0), address,
			  sizeof address);
		g_string_append_printf(text, mapped ? "endpoint=%s:%u\n" : "endpoint=[%s]:%u\n",
				       address, ntohs(peer->endpoint.sin6_port));
	}
	g_string_append_printf(text,
			       "last_handshake_time_sec=%" G_GINT64_FORMAT "\n"
			       "last_handshake_time_nsec=%" G_GINT64_FORMAT "\n"
			       "tx_bytes=%" G_GUINT64_FORMAT "\nrx_bytes=%" G_GUINT64_FORMAT "\n"
			       "persistent_keepalive_interval=%u\n",
			       peer->handshake_us / G_USEC_PER_SEC,
			       peer->handshake_us % G_USEC_PER_SEC * 1000, peer->tx_bytes,
			       peer->rx_bytes, peer->keepalive_s);
	for (guint i = 0; i < peer->allowed_ips->len; i++)
		g_string_append_printf(text, "allowed_ip=%s\n",
				       (const char *)peer->allowed_ips->pdata[i]);
}

static void answer_get(const struct device *device, GString *text)
{
	if (device->has_key)
		append_hex(text, "private_key", device->private_key);
	g_string_append_printf(text, "listen_port=%u\n", device->port);
	if (device->fwmark)
		g_string_append_printf(text, "fwmark=%u\n", device->fwmark);
	for (guint i = 0; i < device->peers->len; i++)
		append_peer(text, device->peers->pdata[i]);
}

static bool parse_key(const char *hex, uint8_t *ret_key)
{
	size_t len;
	return sodium_hex2bin(ret_key, KEY_LEN, hex, strlen(hex), NULL, &len, NULL) == 0 &&
	       len == KEY_LEN;
}

static bool parse_endpoint(const char *text, struct sockaddr_in6 *ret)
{
	g_autofree char *copy = g_strdup(text[0] == '[' ? text + 1 : text);
	char *colon = strrchr(copy, ':');
	if (!colon)
		return false;
	*colon = '\0';
	copy[strcspn(copy, "]")] = '\0';
	g_autofree char *address =
		strchr(copy, ':') ? g_strdup(copy) : g_strconcat("::ffff:", copy, NULL);
	*ret = (struct sockaddr_in6){ .sin6_family = AF_INET6,
				      .sin6_port = htons((uint16_t)atoi(colon + 1)) };
	return inet_pton(AF_INET6, address, &ret->sin6_addr) == 1;
}

static int set_device(struct device *device, const char *key, const char *value)
{
	if (strcmp(key, "private_key") == 0) {
		if (!parse_key(value, device->private_key))
			return EINVAL;
		device->has_key = !sodium_is_zero(device->private_key, KEY_LEN);
		crypto_scalarmult_base(device->public_key, device->private_key);
	} else if (strcmp(key, "listen_port") == 0) {
		return -bind_port(device, (uint16_t)atoi(value));
	} else if (strcmp(key, "fwmark") == 0) {
		device->fwmark = (uint32_t)strtoul(value, NULL, 0);
		setsockopt(device->udp.fd, SOL_SOCKET, SO_MARK, &device->fwmark,
			   sizeof device->fwmark);
	} else if (strcmp(key, "replace_peers") == 0) {
		g_ptr_array_set_size(device->peers, 0);
	} else {
		return EINVAL;
	}
	return 0;
}

/* peer: in: the current one or NULL for one that is not there and not to be made */
static int set_peer(struct device *device, struct peer **peer, const char *key, const char *value)
{
	if (!*peer)
		return 0;
	if (strcmp(key, "update_only") == 0 || strcmp(key, "preshared_key") == 0 ||
	    strcmp(key, "protocol_version") == 0)
		return 0;
	if (strcmp(key, "remove") == 0) {
		g_ptr_array_remove(device->peers, *peer);
		*peer = NULL;
	} else if (strcmp(key, "endpoint") == 0) {
		if (!parse_endpoint(value, &(*peer)->endpoint))
			return EINVAL;
		if ((*peer)->wants_session)
			initiate(device, *peer);
	} else if (strcmp(key, "persistent_keepalive_interval") == 0) {
		unsigned before = (*peer)->keepalive_s;
		(*peer)->keepalive_s = (unsigned)atoi(value);
		if (!before && (*peer)->keepalive_s)
			send_keepalive(device, *peer);
	} else if (strcmp(key, "replace_allowed_ips") == 0) {
		g_ptr_array_set_size((*peer)->allowed_ips, 0);
	} else if (strcmp(key, "allowed_ip") == 0) {
		g_ptr_array_add((*peer)->allowed_ips, g_strdup(value));
	} else {
		return EINVAL;
	}
	return 0;
}

static int start_peer(struct device *device, const char *hex, bool update_only,
		      struct peer **ret_peer)
{
	uint8_t key[KEY_LEN];
	if (!parse_key(hex, key))
		return EINVAL;
	struct peer *peer = find_peer(device, key, KEY_LEN);
	if (!peer && !update_only) {
		peer = g_new0(struct peer, 1);
		memcpy(peer->key, key, KEY_LEN);
		peer->allowed_ips = g_ptr_array_new_with_free_func(g_free);
		g_ptr_array_add(device->peers, peer);
	}
	*ret_peer = peer;
	return 0;
}

static int do_set(struct device *device, char **lines)
{
	struct peer *peer = NULL;
	bool in_peer = false;
	for (int i = 1; lines[i] && *lines[i]; i++) {
		char *value = strchr(lines[i], '=');
		if (!value)
			return EINVAL;
		*value++ = '\0';
		int error;
		if (strcmp(lines[i], "public_key") == 0) {
			in_peer = true;
			bool update_only =
				lines[i + 1] && g_str_equal(lines[i + 1], "update_only=true");
			error = start_peer(device, value, update_only, &peer);
		} else if (in_peer) {
			error = set_peer(device, &peer, lines[i], value);
		} else {
			error = set_device(device, lines[i], value);
		}
		if (error)
			return error;
	}
	return 0;
}

static void answer(struct connection *connection, const char *request)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_auto(GStrv) lines = g_strsplit(request, "\n", -1);
	int error = EINVAL;
	if (strcmp(lines[0], "get=1") == 0) {
		answer_get(connection->device, text);
		error = 0;
	} else if (strcmp(lines[0], "set=1") == 0) {
		error = do_set(connection->device, lines);
	}
	g_string_append_printf(text, "errno=%d\n\n", error);
	for (size_t sent = 0; sent < text->len;) {
		ssize_t len = send(connection->watch.fd, text->str + sent, text->len - sent,
				   MSG_NOSIGNAL);
		if (len <= 0)
			return;
		sent += (size_t)len;
	}
}

static void on_request(struct watch *watch)
{
	struct connection *connection = watch->data;
	char buffer[4096];
	ssize_t len = read(watch->fd, buffer, sizeof buffer);
	if (len <= 0 || connection->input->len > REQUEST_MAX) {
		close(watch->fd);
		g_string_free(connection->input, TRUE);
		g_free(connection);
		return;
	}
	g_string_append_len(connection->input, buffer, len);
	char *end;
	while ((end = strstr(connection->input->str, "\n\n"))) {
		*end = '\0';
		answer(connection, connection->input->str);
		g_string_erase(connection->input, 0, end + 2 - connection->input->str);
	}
}

static void on_connection(struct watch *watch)
{
	int client = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC);
	if (client < 0)
		return;
	struct connection *connection = g_new0(struct connection, 1);
	*connection = (struct connection){ { on_request, client, connection },
					   watch->data,
					   g_string_new(NULL) };
	watch_start(&connection->watch);
}

/* --- start --------------------------------------------------------------------------------------------------------- */

static int open_tun(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	g_strlcpy(request.ifr_name, name, sizeof request.ifr_name);
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		return -errno;
	return fd;
}

static int listen_uapi(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mkdir(SOCKETS, 0755);
	g_snprintf(address.sun_path, sizeof address.sun_path, SOCKETS "/%s.sock", name);
	unlink(address.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0)
		return -errno;
	return fd;
}

static struct device *device_new(const char *name)
{
	struct device *device = g_new0(struct device, 1);
	device->name = name;
	device->peers = g_ptr_array_new_with_free_func(peer_free);
	int tun = open_tun(name), uapi = listen_uapi(name), error = bind_port(device, 0);
	if (tun < 0 || uapi < 0 || error < 0) {
		fprintf(stderr, "fakewg: cannot make %s: %s\n", name,
			strerror(-MIN(MIN(tun, uapi), error)));
		exit(1);
	}
	device->tun = (struct watch){ on_tun, tun, device };
	device->uapi = (struct watch){ on_connection, uapi, device };
	watch_start(&device->tun);
	watch_start(&device->uapi);
	return device;
}

/* One event per turn: handling it may end the watch of another. */
static void run(GPtrArray *devices)
{
	int64_t next_tick = 0;
	for (;;) {
		int64_t now = g_get_monotonic_time();
		if (now >= next_tick) {
			tick(devices, now);
			next_tick = now + TICK_US;
		}
		struct epoll_event event;
		int wait_ms = (int)((next_tick - now) / 1000) + 1;
		if (epoll_wait(epoll_fd, &event, 1, wait_ms) == 1) {
			struct watch *watch = event.data.ptr;
			watch->ready(watch);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s NAME...\n", argv[0]);
		return 2;
	}
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	g_autoptr(GPtrArray) devices = g_ptr_array_new();
	for (int i = 1; i < argc; i++)
		g_ptr_array_add(devices, device_new(argv[i]));
	puts("ready");
	fflush(stdout);
	run(devices);
}
