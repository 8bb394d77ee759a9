/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_CONTROL_MESSAGES_H
#define WICE_CONTROL_MESSAGES_H

#include "control/control.pb-c.h"

#include <glib.h>
#include <wice/status.h>

/* Short names for what is generated from control.proto. */
typedef Wice__Control__V1__Endpoint PbEndpoint;
typedef Wice__Control__V1__Prefix PbPrefix;
typedef Wice__Control__V1__Candidate PbCandidate;
typedef Wice__Control__V1__PeerStatus PbPeer;
typedef Wice__Control__V1__SignalingCounters PbCounters;
typedef Wice__Control__V1__OutsideAddress PbOutside;
typedef Wice__Control__V1__RelayStatus PbRelay;
typedef Wice__Control__V1__InterfaceStatus PbInterface;
typedef Wice__Control__V1__BackendStatus PbBackend;
typedef Wice__Control__V1__GetStatusResponse PbStatus;
typedef Wice__Control__V1__Event PbEvent;

/*
 * The numbers of the enums agree with <wice/...>, except that the states are shifted to make room
 * for "unspecified".
 */
#define STATE_SHIFT 1
G_STATIC_ASSERT((int)WICE__CONTROL__V1__PEER_STATE__PEER_STATE_FAILED ==
		(int)WICE_STATE_FAILED + STATE_SHIFT);
G_STATIC_ASSERT((int)WICE__CONTROL__V1__PATH_KIND__PATH_KIND_RELAY == (int)WICE_PATH_RELAY);
G_STATIC_ASSERT((int)WICE__CONTROL__V1__MECHANISM__MECHANISM_INPROCESS ==
		(int)WICE_MECHANISM_INPROCESS);
G_STATIC_ASSERT((int)WICE__CONTROL__V1__MECHANISM__MECHANISM_NFT == (int)WICE_MECHANISM_NFT);
G_STATIC_ASSERT((int)WICE__CONTROL__V1__NAT_MAPPING__NAT_MAPPING_ENDPOINT_DEPENDENT ==
		(int)WICE_NAT_ENDPOINT_DEPENDENT);
G_STATIC_ASSERT((int)WICE__CONTROL__V1__DEVICE_KIND__DEVICE_KIND_ENGINE == (int)WICE_DEVICE_ENGINE);
G_STATIC_ASSERT((int)WICE__CONTROL__V1__CANDIDATE_TYPE__CANDIDATE_TYPE_RELAYED ==
		(int)WICE_CANDIDATE_RELAYED);
G_STATIC_ASSERT((int)WICE__CONTROL__V1__EVENT_TYPE__EVENT_TYPE_BACKEND_STATE ==
		(int)WICE_EVENT_BACKEND_STATE);

#endif
