/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_RELAY_ATTEMPT_H
#define WICE_RELAY_ATTEMPT_H

#include "relay/relay.h"
#include "relay/transport.h"

/*
 * One allocation at one server, from opening the way to it until it fails: a transport, the TURN
 * client that speaks over it, and what is measured on it. All but what comes in happens on its
 * timer, so that no function here calls back.
 */
typedef struct WiceRelayAttempt WiceRelayAttempt;

/* All may free the attempt. */
typedef struct {
	/* It has an allocation, or a channel or what is measured has changed. */
	void (*changed)(void *user_data);
	/*
	 * It is of no use (any more), and is to be freed. answered: the server is there. reason: a
	 * sentence.
	 */
	void (*failed)(WiceTurnFailure failure, bool answered, const char *reason, void *user_data);
	void (*data)(uint16_t channel, uint8_t *data, size_t len, void *user_data);
	/* As that of WiceRelayEvents; must not free the attempt. */
	void (*refused)(uint16_t channel, uint16_t code, void *user_data);
	/* As those of WiceRelayEvents. closing also comes from free. */
	void (*socket_opened)(int fd, const WiceEndpoint *local, const WiceEndpoint *server,
			      void *user_data);
	void (*socket_closing)(int fd, const WiceEndpoint *local, const WiceEndpoint *server,
			       void *user_data);
} WiceRelayAttemptEvents;

typedef struct {
	GMainContext *context;
	const WiceEndpoint *datagrams;   /* over UDP to this server */
	const WiceStreamOptions *stream; /* else */
	uint32_t fwmark;
	const char *username, *password; /* NULL: none */
	int64_t patience_ms;             /* how long it is waited for a first answer */
} WiceRelayAttemptOptions;

WiceRelayAttempt *wice__relay_attempt_new(const WiceRelayAttemptOptions *options,
					  const WiceRelayAttemptEvents *events, void *user_data);
/* As wice__relay_give_back(). */
bool wice__relay_attempt_give_back(WiceRelayAttempt *attempt);
/* Gives the allocation back, without waiting for an answer. NULL is fine. */
void wice__relay_attempt_free(WiceRelayAttempt *attempt);

WiceTurnClient *wice__relay_attempt_client(WiceRelayAttempt *attempt);
const WiceMeasure *wice__relay_attempt_measure(const WiceRelayAttempt *attempt);
WiceRelayTransport *wice__relay_attempt_transport(WiceRelayAttempt *attempt);
/*
 * To be called after the client was asked for something: what is due leaves before this returns, so
 * that data that its caller sends over a new channel comes after the request for it.
 */
void wice__relay_attempt_flush(WiceRelayAttempt *attempt);
/* As wice__relay_set_used(). */
void wice__relay_attempt_set_used(WiceRelayAttempt *attempt, bool used);
/* Something of the server has come in. */
void wice__relay_attempt_input(WiceRelayAttempt *attempt, uint8_t *packet, size_t len);
/*
 * The server, the allocation or the way to them may be gone: asks, and fails if no answer comes.
 * moved: this host's own address may be another one.
 */
void wice__relay_attempt_suspect(WiceRelayAttempt *attempt, bool moved);

#endif
