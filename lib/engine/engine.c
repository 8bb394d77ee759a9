/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/* An engine as its users see it: made, configured, read, brought up and down. */
#include "engine/engine_private.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sodium.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <wice/error.h>

#include "base/log.h"
#include "base/options.h"
#include "engine/backend.h"

#define DEFAULT_MTU 1420
#define MAX_QUEUES 64

/* A copy of the descriptor: the caller keeps the original until nothing can fail any more. */
static int adopt_tun(WiceEngine *engine, const WiceEngineOptions *options)
{
	int fd = fcntl(options->tun_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (fd < 0)
		return -errno;
	int r = wice__tun_adopt(fd, options->no_offload, engine->name, &engine->tun);
	if (r < 0)
		close(fd);
	return r;
}

static int make_tun(WiceEngine *engine, const WiceEngineOptions *options)
{
	WiceTunOptions tun = { .name = options->name,
			       .n_queues = options->n_queues,
			       .mtu = engine->mtu,
			       .no_offload = options->no_offload };
	if (options->tun_fd > 0)
		return adopt_tun(engine, options);
	if (!options->output)
		return wice__tun_open(&tun, engine->name, &engine->tun);
	g_strlcpy(engine->name, options->name ? options->name : "", sizeof engine->name);
	engine->has_callbacks = true;
	engine->tun = wice__tun_callback_new(options->output, options->user_data);
	return engine->tun ? 0 : -errno;
}

static gboolean open_tun(WiceEngine *engine, const WiceEngineOptions *options, GError **error)
{
	int r = make_tun(engine, options);
	switch (-r) {
	case 0:
		return TRUE;
	case EEXIST:
	case EBUSY:
		g_set_error(error, WICE_ERROR, WICE_ERROR_EXISTS,
			    "Cannot make the interface %s: there is one of that name",
			    options->name);
		return FALSE;
	case EPERM:
	case EACCES:
		g_set_error(error, WICE_ERROR, WICE_ERROR_PERMISSION,
			    "Cannot make a TUN interface: that takes CAP_NET_ADMIN, and access to "
			    "/dev/net/tun");
		return FALSE;
	case ENOENT:
	case ENODEV:
	case ENXIO:
		g_set_error(
			error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
			"Cannot make a TUN interface: this system has no /dev/net/tun (modprobe "
			"tun, or give the container the device)");
		return FALSE;
	default:
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO, "Cannot use the TUN device: %s",
			    g_strerror(-r));
		return FALSE;
	}
}

static gboolean check(const WiceEngineOptions *options, GError **error)
{
	int ways = (options->tun_fd > 0) + (options->output != NULL);
	/* A name alone is of a TUN interface to make. */
	if (!wice__options_understood(options, options->size, sizeof *options) ||
	    (options->name ? options->tun_fd > 0 : ways != 1) || options->n_queues > MAX_QUEUES ||
	    options->mtu > WICE_PACKET_MAX) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Cannot make an engine: exactly one of name, tun_fd and output must be "
			    "given, at most %d queues, and an MTU of at most %d",
			    MAX_QUEUES, WICE_PACKET_MAX);
		return FALSE;
	}
	if (options->name && strlen(options->name) >= sizeof(((WiceEngine *)0)->name)) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID,
			    "Cannot make the interface %s: names have at most 15 bytes",
			    options->name);
		return FALSE;
	}
	return TRUE;
}

static WiceEngine *allocate(GMainContext *context, const WiceEngineOptions *options)
{
	WiceEngine *engine = g_new0(WiceEngine, 1);
	engine->context = g_main_context_ref(context ? context : g_main_context_default());
	engine->on_event = options->on_event;
	engine->user_data = options->user_data;
	engine->mtu = options->mtu ? options->mtu : DEFAULT_MTU;
	/* Does not move while threads look at it. */
	engine->threads = g_ptr_array_sized_new(2 * MAX_QUEUES);
	engine->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	engine->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	g_mutex_init(&engine->lock);
	g_mutex_init(&engine->send_lock);
	g_mutex_init(&engine->inbox.mutex);
	g_mutex_init(&engine->events_lock);
	g_queue_init(&engine->inbox.messages);
	g_queue_init(&engine->events);
	return engine;
}

static void release(WiceEngine *engine)
{
	wice__engine_drop_events(engine);
	g_queue_clear_full(&engine->inbox.messages, g_free);
	if (engine->core)
		wice__core_free(engine->core);
	if (engine->tun)
		engine->tun->ops->free(engine->tun);
	g_main_context_unref(engine->context);
	g_ptr_array_unref(engine->threads);
	close(engine->stop_fd);
	close(engine->wake_fd);
	g_mutex_clear(&engine->lock);
	g_mutex_clear(&engine->send_lock);
	g_mutex_clear(&engine->inbox.mutex);
	g_mutex_clear(&engine->events_lock);
	g_free(engine);
}

static gboolean fail(const WiceEngine *engine, int r, uint16_t port, GError **error)
{
	const char *name = *engine->name ? engine->name : "The engine";
	switch (-r) {
	case EADDRINUSE:
		g_set_error(error, WICE_ERROR, WICE_ERROR_BUSY,
			    "%s cannot listen on UDP port %u: another socket has it", name, port);
		return FALSE;
	case EPERM:
		g_set_error(error, WICE_ERROR, WICE_ERROR_PERMISSION,
			    "%s cannot use its sockets as configured: a firewall mark takes "
			    "CAP_NET_ADMIN",
			    name);
		return FALSE;
	case E2BIG:
		g_set_error(error, WICE_ERROR, WICE_ERROR_INVALID, "%s cannot have so many peers",
			    name);
		return FALSE;
	default:
		g_set_error(error, WICE_ERROR, WICE_ERROR_IO, "%s cannot be used: %s", name,
			    g_strerror(-r));
		return FALSE;
	}
}

/* Up and down; with the lock held. */

static void close_bind(WiceEngine *engine)
{
	g_mutex_lock(&engine->send_lock);
	engine->bind_open = false;
	engine->bind->ops->close(engine->bind);
	g_mutex_unlock(&engine->send_lock);
}

static int open_bind(WiceEngine *engine, uint16_t port, unsigned *ret_n_queues)
{
	g_mutex_lock(&engine->send_lock);
	int r = engine->bind->ops->open(engine->bind, port, engine->fwmark, engine->tun->n_queues,
					&engine->port, ret_n_queues);
	engine->bind_open = r == 0;
	g_mutex_unlock(&engine->send_lock);
	return r;
}

/* Opens the bind and starts the threads. */
static int start(WiceEngine *engine, uint16_t port)
{
	unsigned n_queues;
	int r = open_bind(engine, port, &n_queues);
	if (r < 0)
		return r;
	/* A queue of the TUN may have one writer only. */
	r = wice__engine_start_threads(engine, MIN(n_queues, engine->tun->n_queues));
	if (r < 0)
		close_bind(engine);
	return r;
}

static void stop(WiceEngine *engine)
{
	wice__engine_stop_threads(engine);
	close_bind(engine);
}

static int go_up(WiceEngine *engine)
{
	int r = start(engine, engine->port);
	if (r < 0)
		return r;
	engine->up = true;
	wice__core_reroute(engine->core);
	wice__core_set_up(engine->core, true);
	wice__engine_wake(engine);
	return 0;
}

static void go_down(WiceEngine *engine)
{
	engine->up = false;
	wice__core_set_up(engine->core, false);
	stop(engine);
}

static int set_up(WiceEngine *engine, bool up)
{
	engine->wanted = up;
	if (up == engine->up)
		return 0;
	if (up)
		return go_up(engine);
	go_down(engine);
	return 0;
}

static int set_up_locked(WiceEngine *engine, bool up)
{
	g_mutex_lock(&engine->lock);
	int r = set_up(engine, up);
	g_mutex_unlock(&engine->lock);
	return r;
}

gboolean wice_engine_set_up(WiceEngine *engine, bool up, GError **error)
{
	int r = set_up_locked(engine, up);
	return r == 0 ? TRUE : fail(engine, r, engine->port, error);
}

static int set_mtu(WiceEngine *engine, uint32_t mtu)
{
	engine->mtu = mtu;
	wice__core_set_mtu(engine->core, mtu);
	if (!engine->up)
		return 0;
	wice__engine_stop_threads(engine);
	int r = wice__engine_start_threads(engine, engine->n_inbound);
	if (r < 0)
		go_down(engine);
	return r;
}

void wice__engine_link_changed(WiceEngine *engine, bool up, uint32_t mtu)
{
	int r = 0;
	g_mutex_lock(&engine->lock);
	if (mtu != engine->mtu)
		r = set_mtu(engine, mtu);
	if (r == 0)
		r = set_up(engine, up);
	g_mutex_unlock(&engine->lock);
	if (r < 0)
		wice__log(WICE_LOG_ERROR, engine->name, "cannot go up with UDP port %u: %s",
			  engine->port, g_strerror(-r));
}

void wice__engine_lost(WiceEngine *engine)
{
	if (!atomic_exchange(&engine->lost, true))
		wice__engine_emit(engine, WICE_ENGINE_LOST, NULL);
}

static WiceBind *udp_bind(const WiceEngineOptions *options)
{
	WiceBindUdpOptions udp = { .size = sizeof udp, .no_segmentation = options->no_offload };
	return wice_bind_udp_new(&udp);
}

WiceEngine *wice__engine_new_with(GMainContext *context, const WiceEngineOptions *options,
				  const WiceAeadProvider *aead, GError **error)
{
	if (!check(options, error))
		return NULL;
	WiceEngine *engine = allocate(context, options);
	if (engine->stop_fd < 0 || engine->wake_fd < 0) {
		fail(engine, -EMFILE, 0, error);
		release(engine);
		return NULL;
	}
	if (!open_tun(engine, options, error)) {
		release(engine);
		return NULL;
	}
	engine->bind = options->bind ? options->bind : udp_bind(options);
	engine->cipher = aead->name;
	engine->core = wice__core_new(aead, &wice__engine_hooks, engine);
	wice__core_set_mtu(engine->core, engine->mtu);
	int r = wice__engine_start_control(engine);
	if (r == 0 && !engine->link)
		r = set_up_locked(engine, true);
	if (r < 0) {
		fail(engine, r, 0, error);
		if (options->bind)
			engine->bind = NULL; /* it stays the caller's */
		wice_engine_free(engine);
		return NULL;
	}
	if (options->tun_fd > 0)
		close(options->tun_fd);
	return engine;
}

WiceEngine *wice_engine_new(GMainContext *context, const WiceEngineOptions *options, GError **error)
{
	if (sodium_init() < 0) {
		g_set_error(error, WICE_ERROR, WICE_ERROR_FAILED,
			    "Cannot make an engine: libsodium has no source of randomness");
		return NULL;
	}
	return wice__engine_new_with(context, options, wice__aead_best(), error);
}

void wice_engine_free(WiceEngine *engine)
{
	if (!engine)
		return;
	wice__engine_attachments_detach(engine->attachments);
	wice__uapi_server_stop(engine->server);
	wice__engine_stop_control(engine);
	if (engine->up)
		go_down(engine);
	wice__engine_attachments_free(engine->attachments);
	wice_bind_free(engine->bind);
	release(engine);
}

/* Configuration. */

/* What could not be had when the interface came up may be the port: another one is a new attempt. */
static int set_port_down(WiceEngine *engine, uint16_t port)
{
	uint16_t before = engine->port;
	int r = 0;
	engine->port = port;
	if (engine->wanted)
		r = go_up(engine);
	if (r < 0)
		engine->port = before;
	return r;
}

/* Moves to another port; if it cannot be had, stays where it was. */
static int set_port(WiceEngine *engine, uint16_t port)
{
	uint16_t before = engine->port;
	if (!engine->up)
		return set_port_down(engine, port);
	if (port == before && port != 0)
		return 0;
	stop(engine);
	int r = start(engine, port);
	if (r < 0 && start(engine, before) < 0) {
		go_down(engine);
		return r;
	}
	wice__core_reroute(engine->core);
	return r;
}

static int set_fwmark(WiceEngine *engine, uint32_t fwmark)
{
	int r = engine->up ? engine->bind->ops->set_fwmark(engine->bind, fwmark) : 0;
	if (r == 0)
		engine->fwmark = fwmark;
	return r;
}

/* What may fail comes first. */
static int apply(WiceEngine *engine, const WiceDeviceChange *change)
{
	uint32_t fwmark = engine->fwmark;
	uint16_t port = engine->port;
	int r = 0;
	if (change->fields & WICE_DEVICE_HAS_FWMARK)
		r = set_fwmark(engine, change->fwmark);
	if (r == 0 && change->fields & WICE_DEVICE_HAS_LISTEN_PORT)
		r = set_port(engine, change->listen_port);
	if (r == 0)
		r = wice__core_apply(engine->core, change);
	if (r < 0)
		set_fwmark(engine, fwmark);
	if (r < 0 && engine->port != port)
		set_port(engine, port);
	return r;
}

int wice__engine_set(WiceEngine *engine, const WicePlan *plan)
{
	g_mutex_lock(&engine->lock);
	int r = apply(engine, wice_plan_change(plan));
	g_mutex_unlock(&engine->lock);
	if (r == 0) {
		wice__engine_wake(engine);
		wice__engine_emit(engine, WICE_ENGINE_CONFIGURED, NULL);
	}
	return r;
}

gboolean wice_engine_set(WiceEngine *engine, const WicePlan *plan, GError **error)
{
	int r = wice__engine_set(engine, plan);
	return r == 0 ? TRUE : fail(engine, r, wice_plan_change(plan)->listen_port, error);
}

WiceDevice *wice_engine_get(WiceEngine *engine)
{
	WiceDeviceBuilder *builder = wice__device_builder_new(engine->name, WICE_DEVICE_ENGINE);
	WiceDeviceInfo *info = wice__device_builder_info(builder);
	g_mutex_lock(&engine->lock);
	info->ifindex = engine->has_callbacks ? 0 : if_nametoindex(engine->name);
	info->listen_port = engine->port;
	info->fwmark = engine->fwmark;
	wice__core_read(engine->core, builder);
	g_mutex_unlock(&engine->lock);
	return wice__device_builder_finish(builder);
}

bool wice_engine_inject(WiceEngine *engine, const uint8_t *packet, size_t length)
{
	return engine->has_callbacks && wice__tun_callback_inject(engine->tun, packet, length) == 0;
}

void wice_engine_counters(WiceEngine *engine, WiceEngineCounters *ret_counters)
{
	wice__core_counters(engine->core, ret_counters);
	engine->tun->ops->counters(engine->tun, &ret_counters->tun);
	engine->bind->ops->counters(engine->bind, &ret_counters->bind);
	g_mutex_lock(&engine->inbox.mutex);
	ret_counters->overloaded = engine->inbox.overloaded;
	g_mutex_unlock(&engine->inbox.mutex);
}

WiceBind *wice_engine_bind(WiceEngine *engine)
{
	return engine->bind;
}

WiceEngineAttachments **wice__engine_attachments(WiceEngine *engine)
{
	return &engine->attachments;
}

const char *wice_engine_name(const WiceEngine *engine)
{
	return engine->name;
}

const char *wice_engine_cipher(const WiceEngine *engine)
{
	return engine->cipher;
}
