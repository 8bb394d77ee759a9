/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "event/sockaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

socklen_t wice__endpoint_to_sockaddr(const WiceEndpoint *endpoint, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof *ret);
	if (endpoint->address.family == WICE_FAMILY_IPV4) {
		struct sockaddr_in *in4 = (struct sockaddr_in *)ret;
		in4->sin_family = AF_INET;
		in4->sin_port = htons(endpoint->port);
		memcpy(&in4->sin_addr, endpoint->address.bytes, 4);
		return sizeof *in4;
	}
	if (endpoint->address.family == WICE_FAMILY_IPV6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(endpoint->port);
		in6->sin6_scope_id = endpoint->scope;
		memcpy(&in6->sin6_addr, endpoint->address.bytes, 16);
		return sizeof *in6;
	}
	return 0;
}

static void from_in6(const struct sockaddr_in6 *in6, WiceEndpoint *ret)
{
	ret->port = ntohs(in6->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)) {
		ret->address.family = WICE_FAMILY_IPV4;
		memcpy(ret->address.bytes, in6->sin6_addr.s6_addr + 12, 4);
		return;
	}
	ret->address.family = WICE_FAMILY_IPV6;
	ret->scope = in6->sin6_scope_id;
	memcpy(ret->address.bytes, &in6->sin6_addr, 16);
}

bool wice__endpoint_from_sockaddr(const struct sockaddr *address, socklen_t len, WiceEndpoint *ret)
{
	WiceEndpoint endpoint = { 0 };
	if (len >= sizeof(struct sockaddr_in) && address->sa_family == AF_INET) {
		struct sockaddr_in in4;
		memcpy(&in4, address, sizeof in4);
		endpoint.address.family = WICE_FAMILY_IPV4;
		endpoint.port = ntohs(in4.sin_port);
		memcpy(endpoint.address.bytes, &in4.sin_addr, 4);
	} else if (len >= sizeof(struct sockaddr_in6) && address->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, address, sizeof in6);
		from_in6(&in6, &endpoint);
	} else {
		return false;
	}
	*ret = endpoint;
	return true;
}
