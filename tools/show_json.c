/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The schema is documented in docs/json.md and promised: members may be added, never changed or
 * removed.
 */
#include "json.h"
#include "show.h"
#include "text.h"

static void put_key(Json *json, const char *name, const WiceKey *key)
{
	char text[WICE_KEY_BASE64_SIZE];
	wice_key_to_base64(key, text);
	if (wice_key_is_zero(key))
		json_null(json, name);
	else
		json_string(json, name, text);
}

static void put_candidate(Json *json, const char *name, const WiceCandidate *candidate)
{
	if ((int)candidate->type == 0) {
		json_null(json, name);
		return;
	}
	json_begin_object(json, name);
	json_string(json, "type", wice_candidate_type_name(candidate->type));
	json_uint(json, "priority", candidate->priority);
	json_endpoint(json, "endpoint", &candidate->endpoint);
	json_endpoint(json, "related", &candidate->related);
	json_string(json, "foundation", candidate->foundation);
	json_end_object(json);
}

static void put_allowed_ips(Json *json, const WicePeerStatus *peer)
{
	json_begin_array(json, "allowed_ips");
	for (size_t i = 0; i < peer->n_allowed_ips; i++) {
		char text[WICE_PREFIX_SIZE];
		json_string(json, NULL, wice_prefix_format(&peer->allowed_ips[i], text));
	}
	json_end_array(json);
}

static void put_peer(Json *json, const WicePeerStatus *peer)
{
	json_begin_object(json, NULL);
	put_key(json, "public_key", &peer->public_key);
	put_allowed_ips(json, peer);
	json_string(json, "state", wice_state_name(peer->state));
	json_int(json, "state_since_ms", peer->state_since_ms);
	json_string(json, "path", wice_path_name(peer->path));
	json_string(json, "mechanism", wice_mechanism_name(peer->mechanism));
	put_candidate(json, "local", &peer->local);
	put_candidate(json, "remote", &peer->remote);
	json_endpoint(json, "endpoint", &peer->endpoint);
	/* Milliseconds: nanoseconds since 1970 are beyond what a double holds exactly. */
	if (peer->handshake_ns)
		json_int(json, "handshake_ms", peer->handshake_ns / 1000000);
	else
		json_null(json, "handshake_ms");
	json_uint(json, "rx_bytes", peer->rx_bytes);
	json_uint(json, "tx_bytes", peer->tx_bytes);
	json_uint(json, "restarts", peer->restarts);
	if (peer->connect_ms)
		json_uint(json, "connect_ms", peer->connect_ms);
	else
		json_null(json, "connect_ms");
	json_string(json, "reason", peer->reason);
	json_end_object(json);
}

static void put_counters(Json *json, const WiceSignalingCounters *counters)
{
	json_begin_object(json, "signaling");
	json_uint(json, "accepted", counters->accepted);
	json_uint(json, "malformed", counters->malformed);
	json_uint(json, "oversized", counters->oversized);
	json_uint(json, "misaddressed", counters->misaddressed);
	json_uint(json, "unknown_peer", counters->unknown_peer);
	json_uint(json, "forged", counters->forged);
	json_uint(json, "replayed", counters->replayed);
	json_uint(json, "stale", counters->stale);
	json_uint(json, "downgraded", counters->downgraded);
	json_uint(json, "limited", counters->limited);
	json_uint(json, "unsupported", counters->unsupported);
	json_end_object(json);
}

static void put_outside(Json *json, const WiceInterfaceStatus *interface)
{
	json_begin_array(json, "outside");
	for (size_t i = 0; i < interface->n_outside; i++) {
		json_begin_object(json, NULL);
		json_endpoint(json, "endpoint", &interface->outside[i].endpoint);
		json_string(json, "source", interface->outside[i].source);
		json_end_object(json);
	}
	json_end_array(json);
}

static void put_relays(Json *json, const WiceInterfaceStatus *interface)
{
	json_begin_array(json, "relays");
	for (size_t i = 0; i < interface->n_relays; i++) {
		const WiceRelayStatus *relay = &interface->relays[i];
		json_begin_object(json, NULL);
		json_string(json, "url", relay->url);
		json_bool(json, "ready", relay->ready);
		json_string(json, "reason", relay->reason);
		json_endpoint(json, "server", &relay->server);
		json_endpoint(json, "relayed_ipv4", &relay->relayed_ipv4);
		json_endpoint(json, "relayed_ipv6", &relay->relayed_ipv6);
		json_uint(json, "rtt_us", relay->rtt_us);
		json_uint(json, "loss_permille", relay->loss_permille);
		json_uint(json, "n_peers", relay->n_peers);
		json_end_object(json);
	}
	json_end_array(json);
}

static void put_interface(Json *json, const WiceInterfaceStatus *interface)
{
	json_begin_object(json, NULL);
	json_string(json, "name", interface->name);
	json_string(json, "kind", wice_device_kind_name(interface->kind));
	json_uint(json, "ifindex", interface->ifindex);
	put_key(json, "public_key", &interface->public_key);
	json_uint(json, "listen_port", interface->listen_port);
	json_uint(json, "fwmark", interface->fwmark);
	json_string(json, "mechanism", wice_mechanism_name(interface->mechanism));
	json_string(json, "mechanism_reason", interface->mechanism_reason);
	json_string(json, "nat", wice_nat_mapping_name(interface->nat));
	put_outside(json, interface);
	put_relays(json, interface);
	put_counters(json, &interface->signaling);
	json_begin_array(json, "peers");
	for (size_t i = 0; i < interface->n_peers; i++)
		put_peer(json, &interface->peers[i]);
	json_end_array(json);
	json_end_object(json);
}

static void put_backend(Json *json, const WiceBackendStatus *backend)
{
	json_begin_object(json, NULL);
	json_string(json, "url", backend->url);
	json_bool(json, "ready", backend->ready);
	json_string(json, "reason", backend->reason);
	json_end_object(json);
}

char *show_status_json(const WiceStatusInfo *info)
{
	Json json;
	json_init(&json, true);
	json_begin_object(&json, NULL);
	json_string(&json, "version", info->version);
	json_int(&json, "pid", info->pid);
	json_int(&json, "started_ms", info->started_ms);
	json_int(&json, "now_ms", info->now_ms);
	put_counters(&json, &info->signaling);
	json_begin_array(&json, "backends");
	for (size_t i = 0; i < info->n_backends; i++)
		put_backend(&json, &info->backends[i]);
	json_end_array(&json);
	json_begin_array(&json, "interfaces");
	for (size_t i = 0; i < info->n_interfaces; i++)
		put_interface(&json, &info->interfaces[i]);
	json_end_array(&json);
	json_end_object(&json);
	return json_finish(&json);
}

char *show_event_json(const WiceEvent *event)
{
	Json json;
	json_init(&json, false);
	json_begin_object(&json, NULL);
	json_string(&json, "event", wice_event_name(event->type));
	json_int(&json, "time_ms", event->time_ms);
	if (event->type == WICE_EVENT_BACKEND_STATE) {
		json_string(&json, "backend", event->backend);
		json_bool(&json, "ready", event->ready);
		json_string(&json, "reason", event->reason);
	} else {
		json_string(&json, "interface", event->interface);
	}
	if (!wice_key_is_zero(&event->peer))
		put_key(&json, "peer", &event->peer);
	if (event->type == WICE_EVENT_PEER_STATE) {
		json_string(&json, "state", wice_state_name(event->state));
		json_string(&json, "previous_state", wice_state_name(event->previous_state));
		json_string(&json, "path", wice_path_name(event->path));
		json_string(&json, "mechanism", wice_mechanism_name(event->mechanism));
		json_string(&json, "reason", event->reason);
	}
	json_end_object(&json);
	return json_finish(&json);
}
