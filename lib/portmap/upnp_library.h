/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_PORTMAP_UPNP_LIBRARY_H
#define WICE_PORTMAP_UPNP_LIBRARY_H

#include <miniupnpc/miniupnpc.h>
#include <miniupnpc/upnpcommands.h>
#include <stdbool.h>

/*
 * miniupnpc, loaded when a router is first asked by UPnP: libwice does not need it.
 *
 * What is called is listed here, and is called as wice__upnp_library.upnpDiscoverDevices().
 */
#define WICE_UPNP_FUNCTIONS(FUNCTION)       \
	FUNCTION(upnpDiscoverDevices)       \
	FUNCTION(freeUPNPDevlist)           \
	FUNCTION(UPNP_GetValidIGD)          \
	FUNCTION(FreeUPNPUrls)              \
	FUNCTION(UPNP_GetExternalIPAddress) \
	FUNCTION(UPNP_AddPortMapping)       \
	FUNCTION(UPNP_DeletePortMapping)

#define WICE_UPNP_POINTER(name) __typeof__(name) *name;
typedef struct {
	WICE_UPNP_FUNCTIONS(WICE_UPNP_POINTER)
} WiceUpnpLibrary;
#undef WICE_UPNP_POINTER

/* Empty until wice__upnp_library_need() has returned true. */
extern WiceUpnpLibrary wice__upnp_library;

/* Loads it the first time, for good. If that fails, it is not tried again. Any thread. */
bool wice__upnp_library_need(void);

/* Loads the library of that name, all of it or nothing; for the above and tests. */
bool wice__upnp_library_load(const char *soname, WiceUpnpLibrary *ret);

#endif
