/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <wice/cancel.h>

#include "event/cancel.h"

struct WiceCancel {
	gatomicrefcount refs;
	bool cancelled;
	GList *watches; /* WiceCancelWatch */
};

struct WiceCancelWatch {
	WiceCancel *cancel;
	void (*func)(void *user_data);
	void *user_data;
};

WiceCancel *wice_cancel_new(void)
{
	WiceCancel *cancel = g_new0(WiceCancel, 1);
	g_atomic_ref_count_init(&cancel->refs);
	return cancel;
}

WiceCancel *wice_cancel_ref(WiceCancel *cancel)
{
	g_atomic_ref_count_inc(&cancel->refs);
	return cancel;
}

void wice_cancel_unref(WiceCancel *cancel)
{
	/* Watches hold references, so there are none left with the last one. */
	if (cancel && g_atomic_ref_count_dec(&cancel->refs))
		g_free(cancel);
}

void wice_cancel_now(WiceCancel *cancel)
{
	if (cancel->cancelled)
		return;
	cancel->cancelled = true;
	for (GList *link = cancel->watches; link;) {
		WiceCancelWatch *watch = link->data;
		link = link->next; /* the function may end its watch */
		watch->func(watch->user_data);
	}
}

bool wice_cancel_is_cancelled(const WiceCancel *cancel)
{
	return cancel->cancelled;
}

WiceCancelWatch *wice__cancel_watch(WiceCancel *cancel, void (*func)(void *user_data),
				    void *user_data)
{
	WiceCancelWatch *watch = g_new0(WiceCancelWatch, 1);
	watch->cancel = wice_cancel_ref(cancel);
	watch->func = func;
	watch->user_data = user_data;
	cancel->watches = g_list_prepend(cancel->watches, watch);
	return watch;
}

void wice__cancel_unwatch(WiceCancelWatch *watch)
{
	if (!watch)
		return;
	watch->cancel->watches = g_list_remove(watch->cancel->watches, watch);
	wice_cancel_unref(watch->cancel);
	g_free(watch);
}
