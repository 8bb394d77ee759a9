/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_WG_CONF_EDIT_H
#define WICE_WG_CONF_EDIT_H

#include "wg/conf.h"
#include "wg/writer.h"

/*
 * Writes a text anew, section by section, where lines stay as they are but for those of some keys.
 * Nothing is written to the document: the result is for wice__conf_replace_text().
 */

/* How the file is written; new lines are written so, too. */
typedef struct {
	const char *eol;
	WiceConfToken indent;
	const char *equals; /* with the white space around it */
} WiceConfStyle;

/* What is to become of a key in a section. */
typedef struct {
	bool edited;      /* else its lines stay */
	bool exact;       /* even if a line says it in other words, or says nothing at length */
	const char *text; /* its value, "": none */
	size_t chosen;    /* the line that says it, or is to: an offset in the text */
	bool found;       /* there is such a line */
	bool right;       /* it says it already */
} WiceConfWish;

/* A section with the comment above it. */
typedef struct {
	WiceConfSection kind;
	size_t start;
	size_t end;
} WiceConfExtent;

typedef struct {
	const WiceConf *conf;
	WiceConfStyle style;
	GArray *extents; /* WiceConfExtent */
	size_t preamble; /* where the first section begins */
	WiceWriter out;
	WiceConfWish wishes[WICE_CONF_N_KEYS];

	/* The allowed IPs of a peer, while its section is written. */
	const WiceDevicePeer *peer;
	const WiceConfPeer *before; /* what the section says; NULL: it is new */
	uint32_t *owners;           /* by allowed IP of peer: item that says it + 1, or 0 */
	size_t n_missing;           /* that no item says */
	size_t last_ips_line;       /* offset of the last line of AllowedIPs + 1, or 0 */
	uint32_t item;              /* number of the next item */
} WiceConfEdit;

void wice__conf_edit_init(WiceConfEdit *edit, const WiceConf *conf);
/* Wipes what has not been taken. */
void wice__conf_edit_done(WiceConfEdit *edit);

/* Asks for a key to have a value in the sections that are looked at from now on. */
void wice__conf_edit_wish(WiceConfEdit *edit, WiceConfKey key, const char *text);
/* The same for the allowed IPs; before is what the section says of the peer, NULL if it is new. */
void wice__conf_edit_wish_ips(WiceConfEdit *edit, const WiceDevicePeer *peer,
			      const WiceConfPeer *before);

/* Finds the lines of a section that have to do with the wishes. */
void wice__conf_edit_look(WiceConfEdit *edit, const WiceConfExtent *extent);
/* Writes a section as wished; complete: with lines for what no line says. */
void wice__conf_edit_write(WiceConfEdit *edit, const WiceConfExtent *extent, bool complete);
/* Writes a new section. */
void wice__conf_edit_add(WiceConfEdit *edit, WiceConfSection kind);
/* Writes a part of the text as it is. */
void wice__conf_edit_copy(WiceConfEdit *edit, size_t start, size_t end);

#endif
