/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/mechanisms.h"

#include <errno.h>

#include "agent/agent_private.h"
#include "agent/reflexive.h"
#include "base/log.h"
#include "portmap/portmap.h"
#include "proxy/bpf/mux.h"
#include "proxy/inprocess.h"
#include "proxy/nft/nft.h"
#include "proxy/select.h"
#include "proxy/user.h"

typedef struct {
	WiceProxy *proxy;
	unsigned users;
	char *obstacle; /* why it could not be made, or NULL */
} Mechanism;

struct WiceMechanisms {
	WiceAgent *agent;
	char *ifname;
	void (*changed)(void *user_data);
	void *user_data;
	uint16_t port;
	uint32_t fwmark;
	WiceMechanism wanted, current;
	char reason[WICE_MECHANISM_REASON_SIZE];
	Mechanism all[WICE_MECHANISMS_N];
	/* Of the one port, as long as there is the proxy that has it. */
	WiceReflexive *reflexive;
	WicePortmap *portmap;
	GArray *outside; /* WiceReflexiveAddress */
	GArray *shown;   /* WiceOutsideAddress */
};

static void on_outside(void *user_data)
{
	WiceMechanisms *mechanisms = user_data;
	mechanisms->changed(mechanisms->user_data);
}

/* What cannot be had here is done without: sessions find peers by their host candidates still. */
static void watch_outside(WiceMechanisms *mechanisms)
{
	WiceAgent *agent = mechanisms->agent;
	int err = wice__reflexive_new(agent->context, agent->mux, mechanisms->port,
				      mechanisms->fwmark, on_outside, mechanisms,
				      &mechanisms->reflexive);
	if (err)
		wice__log(WICE_LOG_WARNING, mechanisms->ifname,
			  "no STUN server can be asked about the port: %s", g_strerror(-err));
	wice__mechanisms_stun_changed(mechanisms);
	if (agent->no_port_mapping)
		return;
	err = wice__portmap_new(agent->context, mechanisms->port, mechanisms->fwmark, on_outside,
				mechanisms, &mechanisms->portmap);
	if (err)
		wice__log(WICE_LOG_INFO, mechanisms->ifname,
			  "no router can be asked to forward the port: %s", g_strerror(-err));
}

static void forget_outside(WiceMechanisms *mechanisms)
{
	wice__reflexive_free(mechanisms->reflexive);
	wice__portmap_free(mechanisms->portmap);
	mechanisms->reflexive = NULL;
	mechanisms->portmap = NULL;
}

static WiceProxy *make_inprocess(WiceMechanisms *mechanisms)
{
	WiceEngine *engine = wice__agent_find_engine(mechanisms->agent, mechanisms->ifname);
	return engine ? wice__proxy_inprocess_new(mechanisms->agent->context,
						  wice_engine_bind(engine))
		      : NULL;
}

static WiceProxy *make_bpf(WiceMechanisms *mechanisms, GError **error)
{
	WiceBpfMux *mux = wice__agent_mux(mechanisms->agent, error);
	return mux ? wice__proxy_bpf_new(mux, mechanisms->port) : NULL;
}

static WiceProxy *make_user(WiceMechanisms *mechanisms)
{
	WiceProxy *proxy = NULL;
	int err = wice__proxy_user_new(mechanisms->agent->context, mechanisms->port, &proxy);
	if (err)
		wice__log(WICE_LOG_WARNING, mechanisms->ifname,
			  "no userspace proxy can be made: %s", g_strerror(-err));
	return proxy;
}

static WiceProxy *make_proxy(WiceMechanisms *mechanisms, WiceMechanism mechanism, GError **error)
{
	switch (mechanism) {
	case WICE_MECHANISM_BPF:
		return make_bpf(mechanisms, error);
	case WICE_MECHANISM_NFT:
		return wice__proxy_nft_new(mechanisms->agent->context, mechanisms->ifname,
					   mechanisms->port, error);
	case WICE_MECHANISM_INPROCESS:
		return make_inprocess(mechanisms);
	case WICE_MECHANISM_USER:
		return make_user(mechanisms);
	case WICE_MECHANISM_NONE:
	case WICE_MECHANISM_KERNEL:
		break;
	}
	return NULL;
}

/* False if it cannot be had; then the obstacle, if there is one to tell, is known. */
static bool ensure_proxy(WiceMechanisms *mechanisms, WiceMechanism mechanism)
{
	g_autoptr(GError) error = NULL;
	Mechanism *one = &mechanisms->all[mechanism];
	if (one->proxy)
		return true;
	one->proxy = make_proxy(mechanisms, mechanism, &error);
	if (error) {
		g_free(one->obstacle);
		one->obstacle = g_strdup(error->message);
	}
	if (one->proxy && mechanism == WICE_MECHANISM_BPF)
		watch_outside(mechanisms);
	return one->proxy != NULL;
}

static void free_proxy(WiceMechanisms *mechanisms, WiceMechanism mechanism)
{
	Mechanism *one = &mechanisms->all[mechanism];
	if (!one->proxy)
		return;
	if (mechanism == WICE_MECHANISM_BPF)
		forget_outside(mechanisms);
	one->proxy->ops->free(one->proxy);
	one->proxy = NULL;
}

static void free_unused(WiceMechanisms *mechanisms)
{
	for (unsigned i = 0; i < WICE_MECHANISMS_N; i++)
		if (mechanisms->all[i].users == 0 && i != mechanisms->current)
			free_proxy(mechanisms, i);
}

static WiceMechanismState state_of(const WiceMechanisms *mechanisms, WiceMechanism mechanism,
				   unsigned refused)
{
	const char *obstacle = mechanisms->all[mechanism].obstacle;
	if (!obstacle && (refused & WICE_MECHANISM_BIT(mechanism)))
		return (WiceMechanismState){ false, "WireGuard's packets did not get through." };
	return (WiceMechanismState){ obstacle == NULL, obstacle };
}

static WiceMechanism choose(const WiceMechanisms *mechanisms, unsigned refused, char *ret_reason)
{
	bool has_engine = wice__agent_find_engine(mechanisms->agent, mechanisms->ifname);
	WiceMechanismInput input = {
		.wanted = mechanisms->wanted,
		.bpf = state_of(mechanisms, WICE_MECHANISM_BPF, refused),
		.nft = state_of(mechanisms, WICE_MECHANISM_NFT, refused),
	};
	if (has_engine)
		input.inprocess = state_of(mechanisms, WICE_MECHANISM_INPROCESS, refused);
	else if (mechanisms->wanted == WICE_MECHANISM_INPROCESS)
		input.inprocess.obstacle = "WireGuard is not in this process.";
	return wice__select_mechanism(&input, ret_reason);
}

WiceMechanism wice__mechanisms_best(WiceMechanisms *mechanisms, unsigned refused)
{
	for (;;) {
		char reason[WICE_MECHANISM_REASON_SIZE];
		WiceMechanism best = choose(mechanisms, refused, reason);
		if (best == WICE_MECHANISM_USER || ensure_proxy(mechanisms, best))
			return best;
		refused |= WICE_MECHANISM_BIT(best);
	}
}

/* What new paths use from now on, and what to say about it. */
static void look_again(WiceMechanisms *mechanisms)
{
	for (unsigned i = 0; i < WICE_MECHANISMS_N; i++)
		g_clear_pointer(&mechanisms->all[i].obstacle, g_free);
	WiceMechanism before = mechanisms->current;
	mechanisms->current = wice__mechanisms_best(mechanisms, 0);
	(void)choose(mechanisms, 0, mechanisms->reason);
	free_unused(mechanisms);
	if (mechanisms->current != before)
		wice__log(WICE_LOG_INFO, mechanisms->ifname, "proxy: %s. %s",
			  wice_mechanism_name(mechanisms->current), mechanisms->reason);
}

void wice__mechanisms_want(WiceMechanisms *mechanisms, WiceMechanism wanted)
{
	mechanisms->wanted = wanted;
	if (mechanisms->port)
		look_again(mechanisms);
}

/* True if paths of one of them are worth nothing any more. */
static bool tell_port(WiceMechanisms *mechanisms)
{
	bool stale = false;
	for (unsigned i = 0; i < WICE_MECHANISMS_N; i++) {
		WiceProxy *proxy = mechanisms->all[i].proxy;
		int err = proxy ? proxy->ops->set_wg_port(proxy, mechanisms->port) : 0;
		stale |= err != 0;
		if (err && err != -ESTALE)
			wice__log(WICE_LOG_WARNING, mechanisms->ifname,
				  "the proxy %s cannot follow to port %u: %s",
				  wice_mechanism_name(i), mechanisms->port, g_strerror(-err));
	}
	return stale;
}

bool wice__mechanisms_set_port(WiceMechanisms *mechanisms, uint16_t port, uint32_t fwmark)
{
	if (port == mechanisms->port && fwmark == mechanisms->fwmark)
		return false;
	mechanisms->port = port;
	mechanisms->fwmark = fwmark;
	forget_outside(mechanisms);
	if (!port)
		return true;
	bool stale = tell_port(mechanisms);
	if (mechanisms->all[WICE_MECHANISM_BPF].proxy)
		watch_outside(mechanisms);
	look_again(mechanisms);
	return stale;
}

void wice__mechanisms_stun_changed(WiceMechanisms *mechanisms)
{
	size_t n;
	const WiceEndpoint *servers = wice__stun_servers_list(mechanisms->agent->stun, &n);
	if (mechanisms->reflexive)
		wice__reflexive_set_servers(mechanisms->reflexive, servers, n);
}

void wice__mechanisms_network_changed(WiceMechanisms *mechanisms)
{
	if (mechanisms->reflexive)
		wice__reflexive_network_changed(mechanisms->reflexive);
	if (mechanisms->portmap)
		wice__portmap_network_changed(mechanisms->portmap);
}

/* Who asks for the proxy gets it where one is needed. */
bool wice__mechanisms_may_use_kernel(const WiceMechanisms *mechanisms)
{
	return mechanisms->wanted == WICE_MECHANISM_NONE ||
	       mechanisms->wanted == WICE_MECHANISM_USER;
}

bool wice__mechanisms_has_one_port(const WiceMechanisms *mechanisms)
{
	return mechanisms->current == WICE_MECHANISM_BPF;
}

WiceProxy *wice__mechanisms_take(WiceMechanisms *mechanisms, WiceMechanism mechanism)
{
	if (!ensure_proxy(mechanisms, mechanism))
		return NULL;
	mechanisms->all[mechanism].users++;
	return mechanisms->all[mechanism].proxy;
}

void wice__mechanisms_give(WiceMechanisms *mechanisms, WiceMechanism mechanism)
{
	mechanisms->all[mechanism].users--;
	free_unused(mechanisms);
}

static void add_address(WiceMechanisms *mechanisms, const WiceEndpoint *base,
			const WiceEndpoint *mapped, bool forwarded, const char *source)
{
	WiceReflexiveAddress address = { .base = *base, .mapped = *mapped, .forwarded = forwarded };
	WiceOutsideAddress shown = { .endpoint = *mapped, .source = source };
	g_array_append_val(mechanisms->outside, address);
	g_array_append_val(mechanisms->shown, shown);
}

static void collect_outside(WiceMechanisms *mechanisms)
{
	size_t n;
	g_array_set_size(mechanisms->outside, 0);
	g_array_set_size(mechanisms->shown, 0);
	const WiceReflexiveAddress *seen = NULL;
	if (mechanisms->reflexive)
		seen = wice__reflexive_list(mechanisms->reflexive, &n);
	for (size_t i = 0; seen && i < n; i++)
		add_address(mechanisms, &seen[i].base, &seen[i].mapped, false, "stun");
	const WicePortMapping *mapped = NULL;
	if (mechanisms->portmap)
		mapped = wice__portmap_list(mechanisms->portmap, &n);
	for (size_t i = 0; mapped && i < n; i++)
		add_address(mechanisms, &mapped[i].internal, &mapped[i].external, true,
			    wice__portmap_protocol_name(mapped[i].protocol));
}

void wice__mechanisms_outside(WiceMechanisms *mechanisms, WiceOutside *ret_outside)
{
	collect_outside(mechanisms);
	*ret_outside = (WiceOutside){
		.n = mechanisms->outside->len,
		.addresses = (const WiceReflexiveAddress *)(void *)mechanisms->outside->data,
		.settled = true,
	};
	if (!mechanisms->reflexive)
		return;
	ret_outside->settled = wice__reflexive_is_settled(mechanisms->reflexive);
	ret_outside->failed = wice__reflexive_failed(mechanisms->reflexive);
	ret_outside->nat = wice__reflexive_nat(mechanisms->reflexive);
}

WiceReflexive *wice__mechanisms_reflexive(const WiceMechanisms *mechanisms)
{
	return mechanisms->reflexive;
}

void wice__mechanisms_keep_alive(WiceMechanisms *mechanisms, const WiceEndpoint *remote)
{
	if (mechanisms->reflexive)
		(void)wice__reflexive_keep_alive(mechanisms->reflexive, remote);
}

void wice__mechanisms_status(WiceMechanisms *mechanisms, WiceInterfaceStatus *status)
{
	WiceOutside outside;
	if (!mechanisms->port)
		return;
	wice__mechanisms_outside(mechanisms, &outside);
	status->mechanism = mechanisms->current;
	status->mechanism_reason = mechanisms->reason;
	status->nat = outside.nat;
	status->n_outside = mechanisms->shown->len;
	status->outside = (const WiceOutsideAddress *)(void *)mechanisms->shown->data;
}

WiceMechanisms *wice__mechanisms_new(WiceAgent *agent, const char *ifname,
				     void (*changed)(void *user_data), void *user_data)
{
	WiceMechanisms *mechanisms = g_new0(WiceMechanisms, 1);
	mechanisms->agent = agent;
	mechanisms->ifname = g_strdup(ifname);
	mechanisms->changed = changed;
	mechanisms->user_data = user_data;
	mechanisms->wanted = agent->mechanism;
	mechanisms->outside = g_array_new(FALSE, TRUE, sizeof(WiceReflexiveAddress));
	mechanisms->shown = g_array_new(FALSE, TRUE, sizeof(WiceOutsideAddress));
	return mechanisms;
}

void wice__mechanisms_free(WiceMechanisms *mechanisms)
{
	for (unsigned i = 0; i < WICE_MECHANISMS_N; i++) {
		free_proxy(mechanisms, i);
		g_free(mechanisms->all[i].obstacle);
	}
	g_array_unref(mechanisms->outside);
	g_array_unref(mechanisms->shown);
	g_free(mechanisms->ifname);
	g_free(mechanisms);
}
