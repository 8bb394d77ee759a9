/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GLib's locks and reference counts, told to ThreadSanitizer. It learns which accesses are ordered by watching
 * pthread's locks and the atomics of code that was built with it; GLib's locks are futexes inside a library that was
 * not, so that it would call everything that they guard a race. Linked into the test programs of such a build, these
 * functions come before GLib's own, for calls from outside of it. What GLib does on its own threads stays unseen: TLS
 * handshakes, names being resolved, sources of a main context that another thread runs.
 */
#include <dlfcn.h>
#include <glib.h>
#include <stdlib.h>

void __tsan_acquire(void *address);
void __tsan_release(void *address);

/* GLib makes the lock behind a GRWLock when it is first used, and publishes it by an atomic that is not seen. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:g_rw_lock_reader_lock\nrace:g_rw_lock_writer_lock\n";
}

/* ISO C has no conversion between pointers to objects and to functions, POSIX demands one. */
#define REAL(name) (*(__typeof__(name) **)(void *[]){ real(#name) })

static void *real(const char *name)
{
	void *address = dlsym(RTLD_NEXT, name);
	if (!address)
		abort();
	return address;
}

void g_mutex_lock(GMutex *mutex)
{
	REAL(g_mutex_lock)(mutex);
	__tsan_acquire(mutex);
}

gboolean g_mutex_trylock(GMutex *mutex)
{
	gboolean locked = REAL(g_mutex_trylock)(mutex);
	if (locked)
		__tsan_acquire(mutex);
	return locked;
}

void g_mutex_unlock(GMutex *mutex)
{
	__tsan_release(mutex);
	REAL(g_mutex_unlock)(mutex);
}

void g_cond_wait(GCond *cond, GMutex *mutex)
{
	__tsan_release(mutex);
	REAL(g_cond_wait)(cond, mutex);
	__tsan_acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time)
{
	__tsan_release(mutex);
	gboolean signalled = REAL(g_cond_wait_until)(cond, mutex, end_time);
	__tsan_acquire(mutex);
	return signalled;
}

/* Whoever takes the last reference away sees all that the others did before they let go. */
gboolean(g_atomic_ref_count_dec)(gatomicrefcount *count)
{
	__tsan_release((void *)count);
	gboolean last = REAL(g_atomic_ref_count_dec)(count);
	if (last)
		__tsan_acquire((void *)count);
	return last;
}
