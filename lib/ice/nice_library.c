/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "ice/nice_library.h"

#include "base/log.h"
#include "config.h"
#include <dlfcn.h>
#include <stddef.h>
#include <string.h>
#include <wice/error.h>

WiceNiceLibrary wice__nice_library;

#define NAME_AND_PLACE(name) { "nice_" #name, offsetof(WiceNiceLibrary, name) },
static const struct {
	const char *name;
	size_t place;
} functions[] = { WICE_NICE_FUNCTIONS(NAME_AND_PLACE) };

static bool fail(GError **error)
{
	g_set_error(error, WICE_ERROR, WICE_ERROR_UNSUPPORTED,
		    "libnice, without which no peer can be connected, cannot be loaded: %s. "
		    "Install a current one (Debian: libnice10).",
		    dlerror());
	return false;
}

/* Never closed, not even where a function is missing: GObject types cannot be taken back. */
bool wice__nice_library_load(const char *soname, WiceNiceLibrary *ret, GError **error)
{
	WiceNiceLibrary library;
	void *handle = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);
	if (!handle)
		return fail(error);
	for (size_t i = 0; i < G_N_ELEMENTS(functions); i++) {
		void *function = dlsym(handle, functions[i].name);
		if (!function)
			return fail(error);
		memcpy((char *)&library + functions[i].place, &function, sizeof function);
	}
	*ret = library;
	return true;
}

static gpointer load(gpointer unused)
{
	g_autoptr(GError) error = NULL;
	bool loaded = wice__nice_library_load(WICE_LIBNICE, &wice__nice_library, &error);
	if (!loaded)
		wice__log(WICE_LOG_ERROR, "ice", "%s", error->message);
	return GINT_TO_POINTER(loaded);
}

bool wice__nice_library_need(void)
{
	static GOnce once = G_ONCE_INIT;
	return g_once(&once, load, NULL);
}
