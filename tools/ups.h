/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TOOLS_UPS_H
#define WICE_TOOLS_UPS_H

/*
 * The interfaces that wiced is told to make: a child `wice up` for each one at the start, which asks
 * wiced back, and a child `wice down` at the end. So hooks and names that resolve slowly hold up
 * nobody.
 */
typedef struct Ups Ups;

/* names: NULL-terminated, what `wice up` is given; socket: where wiced listens. Both are borrowed. */
Ups *ups_new(const char *const *names, const char *socket);
/* Those that are up stay up. NULL is fine. */
void ups_free(Ups *ups);

void ups_start(Ups *ups);
/* Removes them, then calls done from the main loop; at once if there is nothing to remove. */
void ups_stop(Ups *ups, void (*done)(void *user_data), void *user_data);

#endif
