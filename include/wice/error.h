/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ERROR_H
#define WICE_ERROR_H

#include <glib.h>
#include <wice/macros.h>

WICE_BEGIN_DECLS

/*
 * Errors at the public boundary are GErrors of this domain. The message is a full sentence: what
 * was tried, on what, why it failed and, where one can tell, what to do. The code is for programs.
 */
#define WICE_ERROR (wice_error_quark())

typedef enum {
	WICE_ERROR_FAILED = 0,  /* none of the others; the message says what */
	WICE_ERROR_INVALID,     /* an argument or a text is malformed; mend it, do not retry */
	WICE_ERROR_NOT_FOUND,   /* no such interface, peer, backend or file */
	WICE_ERROR_EXISTS,      /* it is there already */
	WICE_ERROR_BUSY,        /* somebody else holds it, for instance another daemon */
	WICE_ERROR_PERMISSION,  /* privileges are missing; the message names which */
	WICE_ERROR_UNSUPPORTED, /* this system or this build cannot do it */
	WICE_ERROR_TIMEOUT,     /* the deadline passed; retrying may help */
	WICE_ERROR_CANCELLED,   /* the caller cancelled it */
	WICE_ERROR_UNREACHABLE, /* a server or peer did not answer; retrying may help */
	WICE_ERROR_PROTOCOL,    /* the other side sent what it must not */
	WICE_ERROR_IO,          /* the system refused; the message holds strerror(3) */
} WiceErrorCode;

WICE_API GQuark wice_error_quark(void);

WICE_END_DECLS

#endif
