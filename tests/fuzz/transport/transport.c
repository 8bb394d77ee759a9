/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core with sessions whose keys are known here, so that strangers' bytes, and what peers who say
 * odd things would send, come in as datagrams. The input is a list of steps: a byte that says what,
 * then what it needs.
 *
 *   0  a datagram of any bytes, perhaps in segments
 *   1  messages that a peer has sealed, in one datagram: any counters, packets, lengths
 *   2  the same with one bit wrong
 *   3  packets go out
 *   4  time passes
 *   5  the configuration changes
 *   6  a new session begins
 *   7  the interface goes down and up
 *
 * It is known which packets must come out, and everything that is sealed must open.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "../known_dh.h"
#include "crypto/key.h"
#include "engine/core_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)
#define PEERS 2
#define STEPS_MAX 64
#define SEGMENTS_MAX 8
#define START_MS 1000000
#define PACKET_MAX 600
#define TIMERS_MAX 50

/* The peer's half of a session. */
typedef struct {
	uint32_t local_index;
	uint8_t send[32], receive[32]; /* the core's */
	WiceReplay seen;
	int64_t born_ms;
} Known;

typedef struct {
	const uint8_t *data;
	size_t size;
} Input;

static WiceCore *core;
static WiceLane *outbound, *inbound;
static WiceKey keys[PEERS];
static Known known[PEERS][3]; /* the newest first */
static bool has_peer[PEERS], owns_source[PEERS];
static int64_t now_ms;
static uint32_t random_state;

static WiceNow now(void)
{
	return (WiceNow){ now_ms, now_ms * 1000000 };
}

static uint8_t next_byte(Input *input)
{
	if (!input->size)
		return 0;
	input->size--;
	return *input->data++;
}

/* What the core asks for. */

static Known *find_known(uint32_t remote_index)
{
	for (int peer = 0; peer < PEERS; peer++)
		for (int i = 0; i < 3; i++)
			if (known[peer][i].local_index == remote_index - 1)
				return &known[peer][i];
	return NULL;
}

/* What the core has sealed must open. */
static void check_sealed(const uint8_t *message, uint32_t length)
{
	Known *session = find_known(wice__get_le32(message + 4));
	uint8_t nonce[12] = { 0 }, plain[PACKET_MAX + 64];
	unsigned long long plain_length;

	MUST(session && length >= WICE_MESSAGE_MIN_TRANSPORT && length <= sizeof(plain));
	memcpy(nonce + 4, message + 8, 8);
	MUST(crypto_aead_chacha20poly1305_ietf_decrypt(
		     plain, &plain_length, NULL, message + WICE_MESSAGE_HEADER_LEN,
		     length - WICE_MESSAGE_HEADER_LEN, NULL, 0, nonce, session->send) == 0);
	MUST(plain_length == 0 || plain[0] == 0x45);
}

static void on_send(WiceBindPath *path, const WiceBindPacket *packets, size_t n, void *user_data)
{
	MUST(n > 0 && path->remote.address.family != WICE_FAMILY_NONE);
	for (size_t i = 0; i < n; i++) {
		WiceMessageType type = wice__message_type(packets[i].data, packets[i].length);

		MUST(type != WICE_MESSAGE_INVALID);
		if (type == WICE_MESSAGE_TRANSPORT)
			check_sealed(packets[i].data, packets[i].length);
		/* The bind may write before it. */
		memset(packets[i].data - WICE_PACKET_BIND_HEADROOM, 0, WICE_PACKET_BIND_HEADROOM);
	}
}

static void on_route(const WiceEndpoint *remote, WiceBindPath *ret_path, void *user_data)
{
	*ret_path = (WiceBindPath){ .remote = *remote };
}

static void fill_random(void *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		random_state = random_state * 1664525 + 1013904223;
		((uint8_t *)bytes)[i] = (uint8_t)(random_state >> 24);
	}
}

/* Of what has the length of a key there are only some, so that their X25519 is known. */
static void on_random(void *bytes, size_t n, void *user_data)
{
	uint32_t after = random_state + 1;

	if (n == 32)
		random_state %= 64;
	fill_random(bytes, n);
	if (n == 32)
		random_state = after;
}

static void on_event(WiceEngineEventType type, const WiceKey *peer, void *user_data)
{
}

static const WiceCoreHooks hooks = {
	.send = on_send,
	.route = on_route,
	.random = on_random,
	.event = on_event,
};

/* Setting up. */

static void set_peer(int number, unsigned flags, uint16_t keepalive_s)
{
	WiceAllowedIpChange ip = {
		{ { WICE_FAMILY_IPV4, { 10, 0, 0, (uint8_t)(number + 1) } }, 32 }, false
	};
	WicePeerChange peer = {
		.flags = flags,
		.fields = WICE_PEER_HAS_ENDPOINT | WICE_PEER_HAS_KEEPALIVE,
		.public_key = keys[number],
		.endpoint = { { WICE_FAMILY_IPV4, { 192, 0, 2, 1 } }, 1, 0 },
		.keepalive_s = keepalive_s,
		.n_allowed_ips = 1,
		.allowed_ips = &ip,
	};
	WiceDeviceChange change = { .size = sizeof(change), .n_peers = 1, .peers = &peer };

	has_peer[number] = owns_source[number] = !(flags & WICE_PEER_CHANGE_REMOVE);
	wice__core_apply(core, &change);
}

static void remove_peers(void)
{
	WiceDeviceChange change = { .size = sizeof(change),
				    .flags = WICE_DEVICE_CHANGE_REPLACE_PEERS };

	wice__core_apply(core, &change);
}

static bool is_held(const Known *session)
{
	return g_hash_table_contains(core->indices, GUINT_TO_POINTER(session->local_index));
}

/* As if a handshake had come to its end. */
static void begin_session(int number, bool initiator)
{
	WiceCorePeer *peer;
	WiceNoiseKeys session = { .initiator = initiator };
	Known *slots = known[number];
	int gone = 2;

	if (!has_peer[number])
		return;
	g_mutex_lock(&core->mutex);
	peer = wice__core_find_peer(core, &keys[number]);
	fill_random(session.send, sizeof(session.send));
	fill_random(session.receive, sizeof(session.receive));
	session.local_index = wice__core_new_index(core);
	session.remote_index = session.local_index + 1;
	wice__core_begin_session(core, peer, &session, now());
	/* The core holds two besides, and not always the newest. */
	while (is_held(&slots[gone]))
		gone--;
	memmove(slots + 1, slots, gone * sizeof(*slots));
	slots[0] = (Known){ .local_index = session.local_index, .born_ms = now_ms };
	memcpy(slots[0].send, session.send, 32);
	memcpy(slots[0].receive, session.receive, 32);
	wice__core_look(core, peer, now());
	g_mutex_unlock(&core->mutex);
}

static void make_core(void)
{
	WiceKey private_key = { { 0, 1 } };
	WiceDeviceChange change = { .size = sizeof(change),
				    .fields = WICE_DEVICE_HAS_PRIVATE_KEY,
				    .private_key = private_key };

	for (int i = 0; i < PEERS; i++) {
		private_key.bytes[1] = (uint8_t)(i + 2);
		wice_key_public(&private_key, &keys[i]);
	}
	core = wice__core_new(wice__aead_find("libsodium"), &hooks, NULL);
	outbound = wice__lane_new(core);
	inbound = wice__lane_new(core);
	wice__core_apply(core, &change);
}

static void reset(void)
{
	if (!core)
		make_core();
	now_ms = START_MS;
	random_state = 1;
	memset(known, 0, sizeof(known));
	wice__core_set_up(core, false);
	remove_peers();
	core->timestamp_ns = 0;
	wice__core_set_up(core, true);
	wice__core_set_mtu(core, 1420);
	for (int i = 0; i < PEERS; i++) {
		set_peer(i, 0, 0);
		begin_session(i, i % 2);
	}
}

static void run_timers(void)
{
	int64_t next = wice__core_deadline(core);

	for (int i = 0; next <= now_ms; i++) {
		MUST(i < TIMERS_MAX);
		next = wice__core_timers(core, now());
	}
}

/* Datagrams. */

static void put_handshake(const uint8_t *data, size_t length, const WiceBindPath *path,
			  void *user_data)
{
	GPtrArray *handshakes = user_data;

	MUST(length <= WICE_MESSAGE_MAX_HANDSHAKE);
	g_ptr_array_add(handshakes, g_bytes_new(data, length));
}

/* Returns how many packets came out. */
static size_t receive(uint8_t *data, size_t length, uint32_t segment)
{
	WiceBindDatagram datagram = { .data = data,
				      .length = (uint32_t)length,
				      .segment = segment };
	g_autoptr(GPtrArray) handshakes =
		g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	WicePacket *packets;
	size_t n;

	datagram.path.remote = (WiceEndpoint){ { WICE_FAMILY_IPV4, { 192, 0, 2, 2 } }, 2, 0 };
	n = wice__lane_open(inbound, &datagram, 1, now_ms, put_handshake, handshakes, &packets);
	for (size_t i = 0; i < n; i++) {
		WiceIpHeader header;

		MUST(packets[i].data >= data &&
		     packets[i].data + packets[i].length <= data + length);
		MUST(wice__ip_header(packets[i].data, packets[i].length, &header));
		MUST(header.length == packets[i].length);
	}
	wice__lane_report(inbound, now());
	for (guint i = 0; i < handshakes->len; i++) {
		gsize size;
		const uint8_t *bytes = g_bytes_get_data(handshakes->pdata[i], &size);

		wice__core_handshake(core, bytes, size, &datagram.path, i % 2, now());
	}
	run_timers();
	return n;
}

static void receive_bytes(Input *input)
{
	uint32_t segment = next_byte(input);
	size_t length = MIN(input->size, (size_t)next_byte(input) * 2);
	g_autofree uint8_t *copy = NULL;

	length = MIN(length, input->size);
	copy = g_memdup2(input->data, length);
	input->data += length;
	input->size -= length;
	MUST(receive(copy, length, segment) == 0);
}

/* A packet of the peer, or something that is none; true if it should come out, once opened. */
static bool make_packet(Input *input, int peer, uint8_t *packet, size_t length)
{
	uint8_t what = next_byte(input);
	WiceIpHeader header;

	memset(packet, 0, length);
	if (length < 20)
		return false;
	packet[0] = what & 1 ? next_byte(input) : 0x45;
	packet[2] = (uint8_t)(length >> 8);
	packet[3] = what & 2 ? next_byte(input) : (uint8_t)length;
	memcpy(packet + 12, (uint8_t[]){ 10, 0, 0, (uint8_t)(peer + 1) }, 4);
	if (what & 4)
		packet[15] = next_byte(input);
	return wice__ip_header(packet, length, &header) && header.family == WICE_FAMILY_IPV4 &&
	       packet[12] == 10 && packet[15] == peer + 1;
}

static bool is_live(int peer, const Known *session)
{
	WiceIndexEntry *entry =
		g_hash_table_lookup(core->indices, GUINT_TO_POINTER(session->local_index));

	return session->local_index && entry && entry->session && has_peer[peer] &&
	       now_ms - session->born_ms < REJECT_AFTER_TIME;
}

/* Writes one message that the peer could have sent. Returns if a packet must come of it. */
static bool make_message(Input *input, int peer, Known *session, uint8_t *message, size_t plain)
{
	uint8_t nonce[12] = { 0 };
	uint64_t counter = next_byte(input);
	bool right, live = is_live(peer, session);

	if (next_byte(input) % 8 == 0)
		counter = counter << 56 | counter << 6;
	wice__put_le32(message, WICE_MESSAGE_TRANSPORT);
	wice__put_le32(message + 4, session->local_index);
	wice__put_le64(message + 8, counter);
	memcpy(nonce + 4, message + 8, 8);
	right = make_packet(input, peer, message + WICE_MESSAGE_HEADER_LEN, plain);
	crypto_aead_chacha20poly1305_ietf_encrypt(message + WICE_MESSAGE_HEADER_LEN, NULL,
						  message + WICE_MESSAGE_HEADER_LEN, plain, NULL, 0,
						  NULL, nonce, session->receive);
	return live && wice__replay_accept(&session->seen, counter) && right && owns_source[peer];
}

static void receive_sealed(Input *input, bool flip)
{
	uint8_t which = next_byte(input);
	int peer = which % PEERS;
	Known *session = &known[peer][which / PEERS % 3], before = *session;
	size_t plain = next_byte(input), segments = 1 + next_byte(input) % SEGMENTS_MAX;
	size_t step = WICE_MESSAGE_MIN_TRANSPORT + plain, length = step * segments, expected = 0;
	g_autofree uint8_t *datagram = g_malloc(length);

	if (flip)
		segments = 1, length = step;
	for (size_t i = 0; i < segments; i++)
		expected += make_message(input, peer, session, datagram + i * step, plain);
	if (flip) {
		size_t at = next_byte(input) | (size_t)next_byte(input) << 8;

		/* The first 8 bytes say what and whose it is; another session's key does not fit. */
		datagram[8 + at / 8 % (step - 8)] ^= (uint8_t)(1 << at % 8);
		*session = before;
		expected = 0;
	}
	MUST(receive(datagram, length, segments > 1 ? (uint32_t)step : 0) == expected);
}

/* The other steps. */

static void send_packets(Input *input)
{
	WicePacket packets[SEGMENTS_MAX];
	uint8_t *memory[SEGMENTS_MAX];
	size_t n = 1 + next_byte(input) % SEGMENTS_MAX, n_runs;
	const WiceLaneRun *runs;

	for (size_t i = 0; i < n; i++) {
		uint32_t length = 20 + next_byte(input) * 2u;

		memory[i] = g_malloc0(WICE_PACKET_HEADROOM + length + WICE_PACKET_TAILROOM);
		packets[i] = (WicePacket){ memory[i] + WICE_PACKET_HEADROOM, length };
		packets[i].data[0] = 0x45;
		packets[i].data[2] = (uint8_t)(length >> 8);
		packets[i].data[3] = (uint8_t)length;
		memcpy(packets[i].data + 16, (uint8_t[]){ 10, 0, 0, next_byte(input) % 4 }, 4);
	}
	n_runs = wice__lane_seal(outbound, packets, n, now_ms, &runs);
	MUST(n_runs <= PEERS);
	for (size_t i = 0; i < n_runs; i++) {
		WiceBindPath path = runs[i].path;

		on_send(&path, runs[i].packets, runs[i].n, NULL);
		if (n % 2)
			wice__lane_source_cleared(outbound, &runs[i]);
	}
	wice__lane_report(outbound, now());
	for (size_t i = 0; i < n; i++)
		g_free(memory[i]);
	run_timers();
}

static void pass_time(Input *input)
{
	static const int64_t steps[] = { 0, 1, 400, 5000, 10000, 15400, 60000, 180000 };

	now_ms += steps[next_byte(input) % G_N_ELEMENTS(steps)];
	run_timers();
}

static void configure(Input *input)
{
	uint8_t what = next_byte(input);
	int peer = what / 8 % PEERS;

	switch (what % 8) {
	case 0:
		set_peer(peer, WICE_PEER_CHANGE_REMOVE, 0);
		break;
	case 1:
		set_peer(peer, WICE_PEER_CHANGE_REPLACE_ALLOWED_IPS, 0);
		break;
	case 2:
		set_peer(peer, 0, next_byte(input));
		break;
	case 3:
		wice__core_set_mtu(core, next_byte(input) * 8u);
		break;
	case 4:
		wice__core_reroute(core);
		break;
	default:
		set_peer(peer, 0, 0);
	}
	run_timers();
}

static void down_and_up(void)
{
	wice__core_set_up(core, false);
	MUST(g_hash_table_size(core->indices) == 0 && core->staged_bytes == 0);
	MUST(wice__core_deadline(core) == core->limit_ms);
	wice__core_set_up(core, true);
	run_timers();
}

static void step(Input *input)
{
	uint8_t which;

	switch (next_byte(input) % 8) {
	case 0:
		receive_bytes(input);
		break;
	case 1:
		receive_sealed(input, false);
		break;
	case 2:
		receive_sealed(input, true);
		break;
	case 3:
		send_packets(input);
		break;
	case 4:
		pass_time(input);
		break;
	case 5:
		configure(input);
		break;
	case 6:
		which = next_byte(input);
		begin_session(which % PEERS, which & 2);
		break;
	default:
		down_and_up();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input input = { data, size };

	reset();
	for (int i = 0; i < STEPS_MAX && input.size; i++)
		step(&input);
	return 0;
}
