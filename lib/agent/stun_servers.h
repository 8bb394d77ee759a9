/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_AGENT_STUN_SERVERS_H
#define WICE_AGENT_STUN_SERVERS_H

#include <glib.h>
#include <stddef.h>
#include <wice/addr.h>

/* The STUN servers of an agent: URLs "stun:host[:port]" (RFC 7064), resolved in the background. */
typedef struct WiceStunServers WiceStunServers;

/* changed is called when the list of addresses has changed. Errors: INVALID. */
WiceStunServers *wice__stun_servers_new(GMainContext *context, const char *const *urls,
					void (*changed)(void *user_data), void *user_data,
					GError **error);
void wice__stun_servers_free(WiceStunServers *servers);
/* Asks for the names again: the network has changed. */
void wice__stun_servers_refresh(WiceStunServers *servers);
/* The addresses known now; valid until changed is called. */
const WiceEndpoint *wice__stun_servers_list(const WiceStunServers *servers, size_t *ret_n);

/* "stun:example.org", "stun:192.0.2.1:3478", "stun:[2001:db8::1]": false if malformed. */
bool wice__stun_url_parse(const char *url, char **ret_host, uint16_t *ret_port);

#endif
