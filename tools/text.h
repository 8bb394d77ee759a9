/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TOOLS_TEXT_H
#define WICE_TOOLS_TEXT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <wice/wice.h>

/* Words and figures for people. */

typedef enum {
	COLOUR_NONE,
	COLOUR_BOLD,
	COLOUR_GREEN,
	COLOUR_YELLOW,
	COLOUR_RED,
} Colour;

/* True if stream is a terminal that takes colours and nobody asked for none (NO_COLOR). */
bool text_wants_colour(FILE *stream);

/* Appends text in a colour, or as it is if colours are off. */
void text_colour(GString *out, bool colours, Colour colour, const char *text);

/*
 * Appends text that came from elsewhere: what a terminal would take as a command (control and
 * formatting characters) becomes '?'.
 */
void text_clean(GString *out, const char *text);

/* "2 minutes, 5 seconds"; "less than a second". */
void text_duration(GString *out, int64_t ms);

/* "1.21 MiB" */
void text_bytes(GString *out, uint64_t bytes);

Colour text_state_colour(WicePeerState state);
/* "through NAT" */
const char *text_path(WicePathKind path);

/* The first characters of a key, enough to tell peers apart at a glance. */
#define TEXT_SHORT_KEY_SIZE 12
char *text_short_key(const WiceKey *key, char ret_text[TEXT_SHORT_KEY_SIZE]);

#endif
