/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What miniupnpc needs and finds is in a WiceUpnpWork, which the object and its thread share: the
 * thread can be left alone with it. Whoever is second to go frees it. A thread that ends its work
 * with nobody left removes what it has mapped.
 *
 * miniupnpc cannot mark its sockets. It talks to a router in the local network, which rules for
 * marked packets (wg-quick's) leave on its link. It reports failing sockets on stderr.
 */
#include "portmap/upnp.h"

#include "event/source.h"
#include "portmap/message.h"
#include "portmap/upnp_library.h"
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define DISCOVER_MS 1500 /* for each kind of device, until one has answered */
#define HOPS 2           /* UPnP Device Architecture 1.1, section 1.3.2 */
#define FREE_WAIT_MS 300
#define PORT_TRIES 4
#define DESCRIPTION "wice"

/* UPnP IGD, WANIPConnection, section 2.4.16.4 */
#define CONFLICT_IN_MAPPING_ENTRY 718
#define ONLY_PERMANENT_LEASES 725

typedef struct {
	atomic_uint refs;
	WiceAddress router;
	WiceEndpoint internal;
	uint16_t suggested_port;
	uint32_t lease_s;
	bool succeeded;
	WiceEndpoint external; /* what is mapped, if anything; a failed renewal leaves it */
	char *control_url;     /* how to ask the router to remove it */
	char *service;
	/* Of both; the above is the thread's while it is busy. */
	GMutex lock;
	GCond idle;
	bool busy;
	bool abandoned; /* the object is gone */
	WiceUpnp *upnp; /* the context's; NULL after it */
} WiceUpnpWork;

struct WiceUpnp {
	GMainContext *context;
	WiceUpnpWork *work;
	WiceUpnpDone done;
	void *user_data;
};

static WiceUpnpWork *ref_work(WiceUpnpWork *work)
{
	atomic_fetch_add(&work->refs, 1);
	return work;
}

static void unref_work(void *data)
{
	WiceUpnpWork *work = data;
	if (atomic_fetch_sub(&work->refs, 1) != 1)
		return;
	g_free(work->control_url);
	g_free(work->service);
	g_mutex_clear(&work->lock);
	g_cond_clear(&work->idle);
	g_free(work);
}

/* Is it at the router's address? http://192.0.2.1:5000/... */
static bool is_at_router(const WiceUpnpWork *work, const char *url)
{
	char router[WICE_ADDRESS_SIZE];
	wice_address_format(&work->router, router);
	size_t len = strlen(router);
	return g_str_has_prefix(url, "http://") && strncmp(url + 7, router, len) == 0 &&
	       (url[7 + len] == ':' || url[7 + len] == '/');
}

static int read_description(struct UPNPDev *device, struct UPNPUrls *urls, struct IGDdatas *data)
{
	char local[WICE_ADDRESS_SIZE];
#if MINIUPNPC_API_VERSION >= 18
	char external[WICE_ADDRESS_SIZE];
	return wice__upnp_library.UPNP_GetValidIGD(device, urls, data, local, sizeof local,
						   external, sizeof external);
#else
	return wice__upnp_library.UPNP_GetValidIGD(device, urls, data, local, sizeof local);
#endif
}

/*
 * 1 is an IGD that is connected; 2 one that may not be, or has a private address outside. Each time
 * anew: a router that was restarted may have other URLs.
 */
static bool use_device(WiceUpnpWork *work, const struct UPNPDev *found)
{
	struct UPNPDev device = *found;
	struct UPNPUrls urls = { 0 };
	struct IGDdatas data = { 0 };
	device.pNext = NULL;
	int kind = read_description(&device, &urls, &data);
	bool usable = (kind == 1 || kind == 2) && urls.controlURL;
	if (usable) {
		g_free(work->control_url);
		g_free(work->service);
		work->control_url = g_strdup(urls.controlURL);
		work->service = g_strdup(data.first.servicetype);
	}
	if (kind != 0)
		wice__upnp_library.FreeUPNPUrls(&urls);
	return usable;
}

static bool find_router(WiceUpnpWork *work)
{
	static const char *const kinds[] = {
		"urn:schemas-upnp-org:device:InternetGatewayDevice:1",
		"urn:schemas-upnp-org:service:WANIPConnection:1",
		"urn:schemas-upnp-org:service:WANPPPConnection:1",
		NULL,
	};
	char local[WICE_ADDRESS_SIZE];
	int error;
	bool found = false;
	wice_address_format(&work->internal.address, local);
	struct UPNPDev *devices = wice__upnp_library.upnpDiscoverDevices(
		kinds, DISCOVER_MS, local, NULL, UPNP_LOCAL_PORT_ANY, 0, HOPS, &error, 0);
	for (const struct UPNPDev *i = devices; i && !found; i = i->pNext)
		if (is_at_router(work, i->descURL))
			found = use_device(work, i);
	wice__upnp_library.freeUPNPDevlist(devices);
	return found;
}

static int add(WiceUpnpWork *work, uint16_t external_port, uint32_t lease_s)
{
	char external[6], internal[6], lease[11], local[WICE_ADDRESS_SIZE];
	snprintf(external, sizeof external, "%u", external_port);
	snprintf(internal, sizeof internal, "%u", work->internal.port);
	snprintf(lease, sizeof lease, "%u", lease_s);
	wice_address_format(&work->internal.address, local);
	return wice__upnp_library.UPNP_AddPortMapping(work->control_url, work->service, external,
						      internal, local, DESCRIPTION, "UDP", NULL,
						      lease);
}

/* The port of our choice, or one that nobody else has. 0: none. */
static uint16_t add_some(WiceUpnpWork *work)
{
	uint16_t port = work->suggested_port;
	uint32_t lease_s = work->lease_s;
	for (unsigned tries = 0; tries < PORT_TRIES; tries++) {
		int error = add(work, port, lease_s);
		if (error == ONLY_PERMANENT_LEASES)
			error = add(work, port, lease_s = 0);
		if (error != CONFLICT_IN_MAPPING_ENTRY)
			return error == 0 ? port : 0;
		port = (uint16_t)g_random_int_range(1024, 65536);
	}
	return 0;
}

static void remove_mapping(WiceUpnpWork *work)
{
	char external[6];
	if (!work->control_url || work->external.port == 0)
		return;
	snprintf(external, sizeof external, "%u", work->external.port);
	wice__upnp_library.UPNP_DeletePortMapping(work->control_url, work->service, external, "UDP",
						  NULL);
	work->external = (WiceEndpoint){ 0 };
}

/* The address first: a router without one has nothing to offer. */
static bool map(WiceUpnpWork *work)
{
	char text[64] = "";
	WiceAddress address;
	if (!find_router(work) ||
	    wice__upnp_library.UPNP_GetExternalIPAddress(work->control_url, work->service, text) ||
	    !wice_address_parse(text, &address) || !wice__portmap_is_external(&address))
		return false;
	uint16_t port = add_some(work);
	if (port)
		work->external = (WiceEndpoint){ address, port, 0 };
	return port != 0;
}

/* The end of a thread's work; what comes after an object's end is done, too. */
static bool finish(WiceUpnpWork *work)
{
	g_mutex_lock(&work->lock);
	bool abandoned = work->abandoned;
	work->busy = abandoned;
	g_mutex_unlock(&work->lock);
	if (!abandoned)
		return true;
	remove_mapping(work);
	g_mutex_lock(&work->lock);
	work->busy = false;
	g_cond_signal(&work->idle);
	g_mutex_unlock(&work->lock);
	return false;
}

static void deliver(void *user_data)
{
	WiceUpnpWork *work = user_data;
	WiceUpnp *upnp = work->upnp;
	if (upnp)
		upnp->done(work->succeeded ? &work->external : NULL, work->lease_s,
			   upnp->user_data);
}

typedef struct {
	WiceUpnpWork *work;
	GMainContext *context; /* NULL: only remove */
} Job;

/* Writing to a router that has closed its connection raises SIGPIPE, in this thread. */
static void block_signals(void)
{
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static gpointer run(gpointer data)
{
	Job *job = data;
	block_signals();
	if (job->context)
		job->work->succeeded = map(job->work);
	if (finish(job->work))
		wice__idle_call(job->context, deliver, ref_work(job->work), unref_work);
	if (job->context)
		g_main_context_unref(job->context);
	unref_work(job->work);
	g_free(job);
	return NULL;
}

/* With the lock held, or nobody to share it with. False if the system has no more threads. */
static bool start(WiceUpnpWork *work, GMainContext *context)
{
	Job *job = g_new0(Job, 1);
	job->work = ref_work(work);
	job->context = context ? g_main_context_ref(context) : NULL;
	work->busy = true;
	GThread *thread = g_thread_try_new("wice-upnp", run, job, NULL);
	if (thread) {
		g_thread_unref(thread);
		return true;
	}
	work->busy = false;
	if (job->context)
		g_main_context_unref(job->context);
	unref_work(job->work);
	g_free(job);
	return false;
}

WiceUpnp *wice__upnp_new(GMainContext *context, const WiceAddress *router,
			 const WiceEndpoint *internal, WiceUpnpDone done, void *user_data)
{
	if (!wice__upnp_library_need())
		return NULL;
	WiceUpnp *upnp = g_new0(WiceUpnp, 1);
	upnp->context = g_main_context_ref(context ? context : g_main_context_default());
	upnp->done = done;
	upnp->user_data = user_data;
	upnp->work = g_new0(WiceUpnpWork, 1);
	upnp->work->refs = 1;
	upnp->work->router = *router;
	upnp->work->internal = *internal;
	upnp->work->upnp = upnp;
	g_mutex_init(&upnp->work->lock);
	g_cond_init(&upnp->work->idle);
	return upnp;
}

void wice__upnp_map(WiceUpnp *upnp, uint16_t external_port, uint32_t lease_s)
{
	WiceUpnpWork *work = upnp->work;
	work->suggested_port = external_port;
	work->lease_s = lease_s;
	if (start(work, upnp->context))
		return;
	work->succeeded = false;
	wice__idle_call(upnp->context, deliver, ref_work(work), unref_work);
}

void wice__upnp_free(WiceUpnp *upnp)
{
	if (!upnp)
		return;
	WiceUpnpWork *work = upnp->work;
	gint64 end = g_get_monotonic_time() + FREE_WAIT_MS * 1000;
	work->upnp = NULL;
	g_mutex_lock(&work->lock);
	work->abandoned = true;
	if (!work->busy && work->external.port)
		start(work, NULL);
	while (work->busy && g_cond_wait_until(&work->idle, &work->lock, end))
		continue;
	g_mutex_unlock(&work->lock);
	unref_work(work);
	g_main_context_unref(upnp->context);
	g_free(upnp);
}
