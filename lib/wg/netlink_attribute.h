/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_NETLINK_ATTRIBUTE_H
#define WICE_WG_NETLINK_ATTRIBUTE_H

/*
 * Attributes inside of nests. A large dump has hundreds of thousands of them, and with libnl each
 * one costs several function calls, more than all the rest of reading it.
 */
#include <errno.h>
#include <glib.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>

/* What is left of a nest. */
typedef struct {
	const uint8_t *at;
	size_t rest;
} WiceNetlinkNest;

static inline size_t wice__attribute_size(const struct nlattr *attribute)
{
	return attribute->nla_len - (size_t)NLA_HDRLEN;
}

static inline const void *wice__attribute_data(const struct nlattr *attribute)
{
	return (const uint8_t *)attribute + NLA_HDRLEN;
}

/* The nest was found by a parser, so it is whole itself; what is in it is not trusted. */
static inline WiceNetlinkNest wice__nest_open(const struct nlattr *attribute)
{
	return (WiceNetlinkNest){ .at = wice__attribute_data(attribute),
				  .rest = wice__attribute_size(attribute) };
}

/* The next attribute, which is whole; NULL at the end and before one that is cut off. */
static inline const struct nlattr *wice__nest_next(WiceNetlinkNest *nest)
{
	const struct nlattr *attribute = (const void *)nest->at;
	if (nest->rest < (size_t)NLA_HDRLEN || attribute->nla_len < NLA_HDRLEN ||
	    attribute->nla_len > nest->rest)
		return NULL;
	size_t step = MIN((size_t)NLA_ALIGN(attribute->nla_len), nest->rest);
	nest->at += step;
	nest->rest -= step;
	return attribute;
}

/* How long the contents of an attribute are. Those with a max of 0 are not known. */
typedef struct {
	uint16_t min, max;
} WiceNetlinkBounds;

/*
 * Sorts the attributes of a nest by their type, into n pointers; the last one of a type counts, and
 * unknown ones do not. -EPROTO if one is too short or too long, or something is cut off.
 */
static inline int wice__nest_sort(const struct nlattr *nest, const WiceNetlinkBounds *bounds,
				  size_t n, const struct nlattr **ret)
{
	WiceNetlinkNest inside = wice__nest_open(nest);
	const struct nlattr *attribute;
	memset(ret, 0, n * sizeof *ret);
	while ((attribute = wice__nest_next(&inside))) {
		size_t type = attribute->nla_type & NLA_TYPE_MASK;
		size_t size = wice__attribute_size(attribute);
		if (type >= n || bounds[type].max == 0)
			continue;
		if (size < bounds[type].min || size > bounds[type].max)
			return -EPROTO;
		ret[type] = attribute;
	}
	return inside.rest == 0 ? 0 : -EPROTO;
}

/* The contents of one that is long enough. */

static inline uint8_t wice__attribute_u8(const struct nlattr *attribute)
{
	return *(const uint8_t *)wice__attribute_data(attribute);
}

static inline uint16_t wice__attribute_u16(const struct nlattr *attribute)
{
	uint16_t value;
	memcpy(&value, wice__attribute_data(attribute), sizeof value);
	return value;
}

static inline uint32_t wice__attribute_u32(const struct nlattr *attribute)
{
	uint32_t value;
	memcpy(&value, wice__attribute_data(attribute), sizeof value);
	return value;
}

static inline uint64_t wice__attribute_u64(const struct nlattr *attribute)
{
	uint64_t value;
	memcpy(&value, wice__attribute_data(attribute), sizeof value);
	return value;
}

#endif
