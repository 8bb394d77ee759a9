/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_PLAYED_IGD_H
#define WICE_TESTS_PLAYED_IGD_H

#include <arpa/inet.h>
#include <check.h>
#include <glib.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IGD_EXTERNAL "198.51.100.7"

/* An Internet gateway device at 127.0.0.1, as simple as miniupnpc lets it be, on a thread. */
typedef struct {
	GMutex lock; /* of all but what igd_start() sets */
	GCond changed;
	/* How it behaves. */
	const char *external;
	const char *says_to_be_at; /* the host in its URL */
	bool permanent_only;
	unsigned taken_port; /* somebody else has it */
	/* What has happened. */
	unsigned n_searches, n_requests, n_added, n_deleted;
	unsigned external_port, internal_port, lease_s, deleted_port;
	bool hang;    /* is not to answer AddPortMapping */
	bool hanging; /* does so */
	bool stop;
	int ssdp_fd, http_fd;
	uint16_t port;
	GThread *thread;
} Igd;

static inline bool igd_fail(const char *what)
{
	printf("Skipped: cannot play a router: %s\n", what);
	return false;
}

static inline bool igd_listen(Igd *igd)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(1900) };
	struct ip_mreqn group = { .imr_ifindex = 1 };
	socklen_t len = sizeof address;
	address.sin_addr.s_addr = group.imr_multiaddr.s_addr = inet_addr("239.255.255.250");
	igd->ssdp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(igd->ssdp_fd, (struct sockaddr *)&address, len) < 0 ||
	    setsockopt(igd->ssdp_fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof group) < 0)
		return igd_fail("multicast on lo");
	igd->http_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	address.sin_port = 0;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(igd->http_fd, (struct sockaddr *)&address, len) < 0 ||
	    listen(igd->http_fd, 8) < 0 ||
	    getsockname(igd->http_fd, (struct sockaddr *)&address, &len) < 0)
		return igd_fail("listening");
	igd->port = ntohs(address.sin_port);
	return true;
}

static inline void igd_answer_search(Igd *igd)
{
	char text[1000];
	struct sockaddr_storage source;
	socklen_t len = sizeof source;
	if (recvfrom(igd->ssdp_fd, text, sizeof text, 0, (struct sockaddr *)&source, &len) < 0)
		return;
	g_mutex_lock(&igd->lock);
	igd->n_searches++;
	snprintf(text, sizeof text,
		 "HTTP/1.1 200 OK\r\n"
		 "ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
		 "USN: uuid:1::urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
		 "LOCATION: http://%s:%u/desc.xml\r\n\r\n",
		 igd->says_to_be_at, igd->port);
	g_mutex_unlock(&igd->lock);
	sendto(igd->ssdp_fd, text, strlen(text), 0, (struct sockaddr *)&source, len);
}

#define IGD_DESCRIPTION                                                            \
	"<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\">"  \
	"<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1"  \
	"</deviceType><deviceList><device><deviceType>urn:schemas-upnp-org:device" \
	":WANDevice:1</deviceType><serviceList><service><serviceType>urn:schemas-" \
	"upnp-org:service:WANCommonInterfaceConfig:1</serviceType><controlURL>/c"  \
	"</controlURL></service></serviceList><deviceList><device><deviceType>"    \
	"urn:schemas-upnp-org:device:WANConnectionDevice:1</deviceType>"           \
	"<serviceList><service><serviceType>urn:schemas-upnp-org:service:"         \
	"WANIPConnection:1</serviceType><controlURL>/ctl</controlURL></service>"   \
	"</serviceList></device></deviceList></device></deviceList></device></root>"

/* The contents of an element of a request; "" without it. */
static inline void igd_element(const char *request, const char *name, char ret[64])
{
	g_autofree char *tag = g_strdup_printf("<%s>", name);
	const char *at = strstr(request, tag);
	size_t len = at ? strcspn(at + strlen(tag), "<") : 0;
	g_strlcpy(ret, at ? at + strlen(tag) : "", MIN(len + 1, 64));
}

static inline unsigned igd_number(const char *request, const char *name)
{
	char text[64];
	igd_element(request, name, text);
	return (unsigned)g_ascii_strtoull(text, NULL, 10);
}

/* The error code, 0 if it is done. */
static inline unsigned igd_add(Igd *igd, const char *request)
{
	char protocol[64], description[64];
	igd_element(request, "NewProtocol", protocol);
	igd_element(request, "NewPortMappingDescription", description);
	if (strcmp(protocol, "UDP") != 0 || strcmp(description, "wice") != 0)
		return 402;
	unsigned port = igd_number(request, "NewExternalPort");
	unsigned lease_s = igd_number(request, "NewLeaseDuration");
	if (port == igd->taken_port)
		return 718;
	if (igd->permanent_only && lease_s)
		return 725;
	igd->hanging = igd->hang;
	g_cond_broadcast(&igd->changed);
	while (igd->hang)
		g_cond_wait(&igd->changed, &igd->lock);
	igd->hanging = false;
	igd->n_added++;
	igd->external_port = port;
	igd->internal_port = igd_number(request, "NewInternalPort");
	igd->lease_s = lease_s;
	return 0;
}

static inline void igd_delete(Igd *igd, const char *request)
{
	igd->n_deleted++;
	igd->deleted_port = igd_number(request, "NewExternalPort");
	g_cond_broadcast(&igd->changed);
}

static inline char *igd_soap(const char *action, const char *contents)
{
	return g_strdup_printf("<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://schemas.xmlsoap"
			       ".org/soap/envelope/\"><s:Body><u:%sResponse xmlns:u=\"urn:schemas-"
			       "upnp-org:service:WANIPConnection:1\">%s</u:%sResponse></s:Body>"
			       "</s:Envelope>",
			       action, contents, action);
}

static inline char *igd_handle(Igd *igd, const char *request, unsigned *ret_error)
{
	if (g_str_has_prefix(request, "GET /desc.xml"))
		return g_strdup(IGD_DESCRIPTION);
	if (strstr(request, "#GetStatusInfo"))
		return igd_soap("GetStatusInfo",
				"<NewConnectionStatus>Connected</NewConnectionStatus>"
				"<NewLastConnectionError>ERROR_NONE</NewLastConnectionError>"
				"<NewUptime>1</NewUptime>");
	if (strstr(request, "#GetExternalIPAddress")) {
		g_autofree char *contents = g_strdup_printf(
			"<NewExternalIPAddress>%s</NewExternalIPAddress>", igd->external);
		return igd_soap("GetExternalIPAddress", contents);
	}
	if (strstr(request, "#AddPortMapping"))
		*ret_error = igd_add(igd, request);
	else if (strstr(request, "#DeletePortMapping"))
		igd_delete(igd, request);
	else
		*ret_error = 401;
	return *ret_error ? g_strdup_printf("<s:Envelope><s:Body><s:Fault><detail><UPnPError>"
					    "<errorCode>%u</errorCode></UPnPError></detail>"
					    "</s:Fault></s:Body></s:Envelope>",
					    *ret_error)
			  : igd_soap("PortMapping", "");
}

static inline bool igd_is_whole(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n"),
		   *length = strcasestr(request, "content-length:");
	if (!end)
		return false;
	return !length || strlen(end + 4) >= g_ascii_strtoull(length + 15, NULL, 10);
}

static inline void igd_serve(Igd *igd)
{
	char request[8192] = "";
	size_t len = 0;
	unsigned error = 0;
	int fd = accept(igd->http_fd, NULL, NULL);
	while (!igd_is_whole(request)) {
		ssize_t n = recv(fd, request + len, sizeof request - 1 - len, 0);
		if (n <= 0)
			break;
		len += (size_t)n;
		request[len] = '\0';
	}
	g_mutex_lock(&igd->lock);
	igd->n_requests++;
	g_autofree char *body = igd_handle(igd, request, &error);
	g_mutex_unlock(&igd->lock);
	g_autofree char *answer =
		g_strdup_printf("HTTP/1.1 %s\r\nContent-Type: text/xml\r\n"
				"Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
				error ? "500 Internal Server Error" : "200 OK", strlen(body), body);
	send(fd, answer, strlen(answer), MSG_NOSIGNAL);
	close(fd);
}

static inline bool igd_shall_stop(Igd *igd)
{
	g_mutex_lock(&igd->lock);
	bool stop = igd->stop;
	g_mutex_unlock(&igd->lock);
	return stop;
}

static gpointer igd_run(gpointer data)
{
	Igd *igd = data;
	while (!igd_shall_stop(igd)) {
		struct pollfd fds[] = { { igd->ssdp_fd, POLLIN, 0 }, { igd->http_fd, POLLIN, 0 } };
		if (poll(fds, 2, 10) <= 0)
			continue;
		if (fds[0].revents)
			igd_answer_search(igd);
		if (fds[1].revents)
			igd_serve(igd);
	}
	return NULL;
}

/* False, having said why, if it cannot be played here. In a network namespace of one's own. */
static inline bool igd_start(Igd *igd)
{
	igd->external = IGD_EXTERNAL;
	igd->says_to_be_at = "127.0.0.1";
	g_mutex_init(&igd->lock);
	g_cond_init(&igd->changed);
	if (!igd_listen(igd))
		return false;
	igd->thread = g_thread_new("igd", igd_run, igd);
	return true;
}

static inline void igd_stop(Igd *igd)
{
	g_mutex_lock(&igd->lock);
	igd->stop = true;
	g_mutex_unlock(&igd->lock);
	g_thread_join(igd->thread);
	close(igd->ssdp_fd);
	close(igd->http_fd);
}

/* Its fields are to be used by these while it runs. */
#define igd_set(igd, field, value)                 \
	do {                                       \
		g_mutex_lock(&(igd)->lock);        \
		(igd)->field = (value);            \
		g_cond_broadcast(&(igd)->changed); \
		g_mutex_unlock(&(igd)->lock);      \
	} while (0)

#define igd_expect(igd, field, value)                   \
	do {                                            \
		g_mutex_lock(&(igd)->lock);             \
		ck_assert_uint_eq((igd)->field, value); \
		g_mutex_unlock(&(igd)->lock);           \
	} while (0)

/* Waits until a number or flag of it is not zero. */
#define igd_wait(igd, field)                                                               \
	do {                                                                               \
		gint64 end_ = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;                \
		g_mutex_lock(&(igd)->lock);                                                \
		while (!(igd)->field)                                                      \
			ck_assert(g_cond_wait_until(&(igd)->changed, &(igd)->lock, end_)); \
		g_mutex_unlock(&(igd)->lock);                                              \
	} while (0)

#endif
