/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "portmap/upnp_library.h"

#include "base/log.h"
#include "config.h"
#include <dlfcn.h>
#include <glib.h>
#include <stddef.h>
#include <string.h>

WiceUpnpLibrary wice__upnp_library;

#define NAME_AND_PLACE(name) { #name, offsetof(WiceUpnpLibrary, name) },
static const struct {
	const char *name;
	size_t place;
} functions[] = { WICE_UPNP_FUNCTIONS(NAME_AND_PLACE) };

bool wice__upnp_library_load(const char *soname, WiceUpnpLibrary *ret)
{
	WiceUpnpLibrary library;
	void *handle = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
	if (!handle)
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(functions); i++) {
		void *function = dlsym(handle, functions[i].name);
		if (!function) {
			dlclose(handle);
			return false;
		}
		memcpy((char *)&library + functions[i].place, &function, sizeof function);
	}
	*ret = library;
	return true;
}

static gpointer load(gpointer unused)
{
	bool loaded = wice__upnp_library_load(WICE_LIBMINIUPNPC, &wice__upnp_library);
	if (!loaded)
		wice__log(WICE_LOG_INFO, "portmap",
			  "Routers are not asked by UPnP: %s cannot be loaded.", WICE_LIBMINIUPNPC);
	return GINT_TO_POINTER(loaded);
}

bool wice__upnp_library_need(void)
{
	static GOnce once = G_ONCE_INIT;
	return g_once(&once, load, NULL);
}
