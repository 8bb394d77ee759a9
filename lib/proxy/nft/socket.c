/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction is one datagram with a begin, messages and an end. The kernel carries it out while
 * it is being sent and answers, at the end, with an error for each message that it refuses and with
 * the acknowledgement that we want for the last one. What concerns the whole of it (privileges,
 * memory, or the commit itself) is an error for the begin. So nothing is ever waited for; the
 * timeout is for the unforeseen.
 */
#include "proxy/nft/socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <sys/socket.h>
#include <sys/time.h>

#define TIMEOUT_S 5
#define RECEIVE_SIZE 8192
/* A table that is full is one datagram of 4 MiB. */
#define SEND_BUFFER (8 * 1024 * 1024)

struct WiceNftSocket {
	struct nl_sock *netlink;
	uint32_t sequence; /* of the next message */
};

typedef struct {
	uint32_t first, last;
	int error;      /* the first one */
	uint32_t owner; /* of the table that was found */
} Answer;

static void read_table(struct nlmsghdr *header, Answer *answer)
{
	struct nlattr *owner = nlmsg_find_attr(header, sizeof(struct nfgenmsg), NFTA_TABLE_OWNER);
	if (owner && nla_len(owner) == sizeof answer->owner)
		answer->owner = ntohl(nla_get_u32(owner));
}

/* True if it was the last one. */
static bool read_answer(struct nlmsghdr *header, Answer *answer)
{
	if (header->nlmsg_seq - answer->first > answer->last - answer->first)
		return false; /* of a former transaction */
	if (header->nlmsg_type == (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE) &&
	    nlmsg_valid_hdr(header, sizeof(struct nfgenmsg)))
		read_table(header, answer);
	if (header->nlmsg_type != NLMSG_ERROR || !nlmsg_valid_hdr(header, sizeof(struct nlmsgerr)))
		return false;
	const struct nlmsgerr *error = nlmsg_data(header);
	if (answer->error == 0)
		answer->error = error->error;
	return header->nlmsg_seq == answer->last ||
	       (header->nlmsg_seq == answer->first && error->error != 0);
}

static int receive_answer(WiceNftSocket *socket, Answer *answer)
{
	union {
		struct nlmsghdr header;
		uint8_t bytes[RECEIVE_SIZE];
	} buffer;
	for (;;) {
		ssize_t n = recv(nl_socket_get_fd(socket->netlink), &buffer, sizeof buffer, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		int rest = (int)n;
		for (struct nlmsghdr *header = &buffer.header; nlmsg_ok(header, rest);
		     header = nlmsg_next(header, &rest))
			if (read_answer(header, answer))
				return answer->error;
	}
}

static int exchange(WiceNftSocket *socket, const GByteArray *request, Answer *answer)
{
	ssize_t n;
	do
		n = send(nl_socket_get_fd(socket->netlink), request->data, request->len, 0);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : receive_answer(socket, answer);
}

static int connect_socket(struct nl_sock *netlink)
{
	struct timeval timeout = { .tv_sec = TIMEOUT_S };
	int size = SEND_BUFFER, one = 1;
	int r = nl_connect(netlink, NETLINK_NETFILTER);
	if (r < 0)
		return r == -NLE_PROTO_MISMATCH || r == -NLE_AF_NOSUPPORT ? -EOPNOTSUPP : -EIO;
	int fd = nl_socket_get_fd(netlink);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) < 0)
		return -errno;
	/* Fails without privileges, about which the first message will tell more. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	/* Errors without the message that they are about; older kernels add it. */
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof one);
	return 0;
}

int wice__nft_socket_open(WiceNftSocket **ret_socket)
{
	struct nl_sock *netlink = nl_socket_alloc();
	if (!netlink)
		return -ENOMEM;
	int r = connect_socket(netlink);
	if (r < 0) {
		nl_socket_free(netlink);
		return r;
	}
	*ret_socket = g_new0(WiceNftSocket, 1);
	(*ret_socket)->netlink = netlink;
	return 0;
}

void wice__nft_socket_close(WiceNftSocket *socket)
{
	if (!socket)
		return;
	nl_socket_free(socket->netlink);
	g_free(socket);
}

uint32_t wice__nft_socket_port(const WiceNftSocket *socket)
{
	return nl_socket_get_local_port(socket->netlink);
}

int wice__nft_find_table(WiceNftSocket *socket, const char *name, uint32_t *ret_owner)
{
	GByteArray *request = g_byte_array_new();
	Answer answer = { .first = socket->sequence, .last = socket->sequence };
	int r = wice__nft_write_get_table(name, socket->sequence++, request);
	if (r == 0)
		r = exchange(socket, request, &answer);
	g_byte_array_unref(request);
	if (r == 0)
		*ret_owner = answer.owner;
	return r == -EINVAL ? -EOPNOTSUPP : r;
}

void wice__nft_begin(WiceNftSocket *socket, WiceNftBatch *batch, const char *table)
{
	wice__nft_batch_init(batch, table, socket->sequence);
}

int wice__nft_commit(WiceNftSocket *socket, WiceNftBatch *batch)
{
	Answer answer = { .first = socket->sequence };
	int r = wice__nft_batch_end(batch, &answer.last);
	socket->sequence = batch->sequence;
	if (r == 0)
		r = exchange(socket, batch->bytes, &answer);
	wice__nft_batch_done(batch);
	return r;
}
