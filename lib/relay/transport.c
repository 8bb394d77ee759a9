/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "relay/transport.h"

void wice__relay_transport_init(WiceRelayTransport *transport, const WiceRelayTransportKind *kind,
				GMainContext *context, const WiceRelayTransportEvents *events,
				void *user_data)
{
	transport->kind = kind;
	transport->references = 1;
	transport->context = g_main_context_ref(context);
	transport->events = events;
	transport->user_data = user_data;
	transport->fd = -1;
}

void wice__relay_transport_ref(WiceRelayTransport *transport)
{
	transport->references++;
}

void wice__relay_transport_unref(WiceRelayTransport *transport)
{
	if (--transport->references > 0)
		return;
	g_main_context_unref(transport->context);
	transport->kind->free(transport);
}

void wice__relay_transport_close(WiceRelayTransport *transport)
{
	if (!transport)
		return;
	transport->events = NULL;
	transport->kind->close(transport);
	wice__relay_transport_unref(transport);
}

int wice__relay_transport_send(WiceRelayTransport *transport, const uint8_t *packet, size_t len)
{
	return transport->kind->send(transport, packet, len);
}

void wice__relay_transport_trust(WiceRelayTransport *transport)
{
	if (transport->kind->trust)
		transport->kind->trust(transport);
}

void wice__relay_transport_set_reading(WiceRelayTransport *transport, bool reading)
{
	if (transport->kind->set_reading)
		transport->kind->set_reading(transport, reading);
}

const WiceEndpoint *wice__relay_transport_server(const WiceRelayTransport *transport)
{
	return &transport->server;
}

int wice__relay_transport_fd(const WiceRelayTransport *transport)
{
	return transport->fd;
}

const WiceEndpoint *wice__relay_transport_local(const WiceRelayTransport *transport)
{
	return &transport->local;
}
