/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_ICE_CREDENTIALS_H
#define WICE_ICE_CREDENTIALS_H

#include "ice/ice.h"

/*
 * Makes random credentials for an agent of ours: a ufrag of WICE_ICE_OWN_UFRAG_LEN characters (48
 * bits) and a password of 24 (144 bits; RFC 8445 section 5.3 wants 24 and 128 at least).
 */
void wice__ice_credentials_make(WiceIceCredentials *ret);

#endif
