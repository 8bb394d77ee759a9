/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ICE_NICE_LIBRARY_H
#define WICE_ICE_NICE_LIBRARY_H

#include <glib.h>
#include <nice/agent.h>
#include <nice/interfaces.h>
#include <stdbool.h>

/*
 * libnice, loaded when the first agent is made and not with libwice: Debian's build brings thirty
 * more libraries with it, which were two thirds of the time that a `wice wg show` takes.
 *
 * FUNCTION(agent_new) stands for nice_agent_new(). What is called is listed here, and is called as
 * libnice->agent_new().
 */
#define WICE_NICE_FUNCTIONS(FUNCTION)          \
	FUNCTION(address_copy_to_sockaddr)     \
	FUNCTION(address_init)                 \
	FUNCTION(address_is_valid)             \
	FUNCTION(address_set_from_sockaddr)    \
	FUNCTION(agent_add_local_address)      \
	FUNCTION(agent_add_stream)             \
	FUNCTION(agent_attach_recv)            \
	FUNCTION(agent_gather_candidates)      \
	FUNCTION(agent_get_local_candidates)   \
	FUNCTION(agent_get_sockets)            \
	FUNCTION(agent_new_full)               \
	FUNCTION(agent_set_port_range)         \
	FUNCTION(agent_set_local_credentials)  \
	FUNCTION(agent_set_remote_candidates)  \
	FUNCTION(agent_set_remote_credentials) \
	FUNCTION(candidate_free)               \
	FUNCTION(candidate_new)                \
	FUNCTION(interfaces_get_local_ips)

#define WICE_NICE_POINTER(name) __typeof__(nice_##name) *name;
typedef struct {
	WICE_NICE_FUNCTIONS(WICE_NICE_POINTER)
} WiceNiceLibrary;
#undef WICE_NICE_POINTER

/* Empty until wice__nice_library_need() has returned true. */
extern WiceNiceLibrary wice__nice_library;

/*
 * Loads it the first time, for good, in whichever thread comes first. If that fails, the log says
 * why, and it is not tried again.
 */
bool wice__nice_library_need(void);

/* Loads the library of that name; for wice__nice_library_need() and tests. */
bool wice__nice_library_load(const char *soname, WiceNiceLibrary *ret, GError **error);

#endif
