#pragma GCC diagnostic ignored "-Wmisleading-indentation"
#pragma GCC diagnostic ignored "-Wunused-result"
#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wice/error.h>
#include "event/sockaddr.h"
#include "event/source.h"
#include "event/udp.h"
#include "relay/relay.h"
#include "stun/message.h"
WiceRelaySpec *wice__relay_spec_parse(const char *text, bool visible, GError **error)
{
	g_auto(GStrv) w = g_strsplit(text, " ", -1);
	WiceRelaySpec *s = g_new0(WiceRelaySpec, 1);
	if (wice__turn_url_parse(w[0], &s->url)) { g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID, "bad url"); return NULL; }
	for (int i = 1; w[i]; i++) {
		if (g_str_has_prefix(w[i], "username=")) s->username = g_strdup(w[i] + 9);
		if (g_str_has_prefix(w[i], "password-file=")) g_file_get_contents(w[i] + 14, &s->password, NULL, NULL);
	}
	return s;
}
WiceRelaySpec *wice__relay_spec_copy(const WiceRelaySpec *s) { WiceRelaySpec *c = g_new0(WiceRelaySpec, 1); c->url = s->url; c->username = g_strdup(s->username); c->password = g_strdup(s->password); return c; }
void wice__relay_spec_free(WiceRelaySpec *s) { if (!s) return; g_free(s->username); g_free(s->password); g_free(s); }
struct WiceRelay { GMainContext *ctx; WiceRelaySpec *spec; const WiceRelayEvents *ev; void *ud; int fd; WiceEndpoint local, server; WiceFdWatch *watch; WiceTimer *timer, *tell; WiceTurnClient *client; WiceMeasure measure; char url[WICE_TURN_URL_SIZE]; char reason[256]; WiceRelayState state; };
static void pump(WiceRelay *r);
static void tell(void *u) { WiceRelay *r = u; r->ev->changed(r, r->ud); }
static void on_timer(void *u) { pump(u); }
static void probe(WiceRelay *r)
{
	int64_t now = g_get_monotonic_time(); uint8_t id[12], t[16], p[64]; WiceStunWriter w; size_t n;
	while (wice__measure_due(&r->measure, now, randombytes_buf, id)) { wice__stun_put_u32(t, WICE_STUN_COOKIE); memcpy(t + 4, id, 12); wice__stun_writer_init(&w, p, sizeof p, WICE_STUN_REQUEST, WICE_STUN_BINDING, t); wice__stun_writer_finish(&w, &n); wice__udp_send_to(r->fd, &r->server, p, n); }
}
static void pump(WiceRelay *r)
{
	uint8_t p[WICE_TURN_MAX_PACKET]; size_t n; int64_t now = wice__now_ms(); WiceTurnEvent e;
	probe(r);
	while (wice__turn_client_output(r->client, now, p, &n)) wice__udp_send_to(r->fd, &r->server, p, n);
	while (wice__turn_client_event(r->client, &e)) {
		if (e.type == WICE_TURN_EVENT_ALLOCATED) r->state = WICE_RELAY_READY;
		if (e.type == WICE_TURN_EVENT_FAILED) { r->state = WICE_RELAY_FAILED; wice__turn_client_failure(r->client, r->reason); }
		wice__timer_set(r->tell, 0);
	}
	wice__timer_set(r->timer, MIN(wice__turn_client_deadline(r->client), wice__measure_deadline_us(&r->measure) / 1000 + 1));
}
void wice__relay_input(WiceRelay *r, const WiceEndpoint *source, uint8_t *p, size_t n)
{
	uint16_t ch; WiceSpan d;
	if (wice_endpoint_compare(source, &r->server)) return;
	if (n >= 20 && wice__measure_answered(&r->measure, p + 8, g_get_monotonic_time())) { wice__timer_set(r->tell, 0); return; }
	if (wice__turn_client_input(r->client, p, n, wice__now_ms(), &ch, &d) == WICE_TURN_INPUT_DATA && r->ev->data) r->ev->data(r, ch, (uint8_t *)d.data, d.len, r->ud);
	pump(r);
}
static void readable(int fd, GIOCondition c, void *u)
{
	WiceRelay *r = u; uint8_t p[2048]; struct sockaddr_storage s; socklen_t l = sizeof s; ssize_t n; WiceEndpoint e;
	while ((l = sizeof s, n = recvfrom(fd, p, sizeof p, MSG_DONTWAIT, (struct sockaddr *)&s, &l)) >= 0) { wice__endpoint_from_sockaddr((struct sockaddr *)&s, l, &e); wice__relay_input(r, &e, p, (size_t)n); }
}
WiceRelay *wice__relay_new(const WiceRelayOptions *o, const WiceRelayEvents *ev, void *ud)
{
	WiceRelay *r = g_new0(WiceRelay, 1); char t[80]; r->ctx = o->context; r->spec = wice__relay_spec_copy(o->spec); r->ev = ev; r->ud = ud;
	wice__turn_url_format(&r->spec->url, r->url);
	g_snprintf(t, sizeof t, strchr(r->spec->url.host, ':') ? "[%s]:%u" : "%s:%u", r->spec->url.host, r->spec->url.port);
	wice_endpoint_parse(t, &r->server);
	bool v6 = r->server.address.family == WICE_FAMILY_IPV6;
	r->fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1; if (v6) setsockopt(r->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	WiceEndpoint any = { .address.family = r->server.address.family }; struct sockaddr_storage n; socklen_t l = wice__endpoint_to_sockaddr(&any, &n);
	bind(r->fd, (struct sockaddr *)&n, l); l = sizeof n; getsockname(r->fd, (struct sockaddr *)&n, &l); wice__endpoint_from_sockaddr((struct sockaddr *)&n, l, &r->local);
	wice__udp_set_buffers(r->fd);
	r->timer = wice__timer_new(o->context, on_timer, r); r->tell = wice__timer_new(o->context, tell, r);
	r->watch = wice__fd_watch_new(o->context, r->fd, G_IO_IN, readable, r);
	WiceTurnClientOptions co = { .username = r->spec->username, .password = r->spec->password, .want_ipv4 = !v6, .want_ipv6 = v6, .fill_random = randombytes_buf };
	r->client = wice__turn_client_new(&co, wice__now_ms()); wice__measure_init(&r->measure, g_get_monotonic_time());
	if (ev->socket_opened) ev->socket_opened(r, r->fd, &r->local, &r->server, ud);
	wice__timer_set(r->timer, 0); return r;
}
void wice__relay_free(WiceRelay *r)
{
	if (!r) return;
	wice__turn_client_release(r->client, wice__now_ms()); pump(r);
	if (r->ev->socket_closing) r->ev->socket_closing(r, r->fd, &r->local, &r->server, r->ud);
	if (r->watch) wice__fd_watch_free(r->watch); wice__timer_free(r->timer); wice__timer_free(r->tell); wice__turn_client_free(r->client); close(r->fd); wice__relay_spec_free(r->spec); g_free(r);
}
WiceRelayState wice__relay_state(const WiceRelay *r) { return r->state; }
const char *wice__relay_reason(const WiceRelay *r) { return r->reason; }
const char *wice__relay_url(const WiceRelay *r) { return r->url; }
const WiceEndpoint *wice__relay_server(const WiceRelay *r) { return &r->server; }
bool wice__relay_relayed(const WiceRelay *r, WiceFamily f, WiceEndpoint *e) { return wice__turn_client_relayed(r->client, f, e); }
const WiceMeasure *wice__relay_measure(const WiceRelay *r) { return &r->measure; }
int wice__relay_fd(const WiceRelay *r) { return r->fd; }
int wice__relay_bind(WiceRelay *r, const WiceEndpoint *p, uint16_t *c) { int e = wice__turn_client_bind(r->client, p, wice__now_ms(), c); pump(r); return e; }
void wice__relay_unbind(WiceRelay *r, uint16_t c) { wice__turn_client_unbind(r->client, c, wice__now_ms()); }
bool wice__relay_is_bound(const WiceRelay *r, uint16_t c) { return wice__turn_client_is_bound(r->client, c); }
int wice__relay_send(WiceRelay *r, const uint8_t *d, size_t n) { return wice__udp_send_to(r->fd, &r->server, d, n); }
void wice__relay_network_changed(WiceRelay *r) {}
void wice__relay_hurry(WiceRelay *r) { wice__measure_hurry(&r->measure, g_get_monotonic_time()); }
void wice__relay_set_reading(WiceRelay *r, bool on) { if (r->watch) wice__fd_watch_free(r->watch); r->watch = on ? wice__fd_watch_new(r->ctx, r->fd, G_IO_IN, readable, r) : NULL; }
