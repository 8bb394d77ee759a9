/* SPDX-FileCopyrightText: 2026 The libwice authors */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WICE_TESTS_UNIT_ENGINE_CORE_BED_H
#define WICE_TESTS_UNIT_ENGINE_CORE_BED_H

/* What the tests of an engine's core share: two ends, a and b, of a world in virtual time. */
#include "engine/core_private.h"
#include "sim/engine_world.h"
#include "suite.h"

enum { A, B, C };

/* Two peers that have not met. */
static inline World *strangers(void)
{
	World *world = world_new(1, 2);

	world_join(world, A, B);
	return world;
}

static inline WiceCorePeer *peer_of(World *world, int end, int peer)
{
	return wice__core_find_peer(world->ends[end].core, &world->ends[peer].public_key);
}

/* Two peers with a session that a has begun, and nothing that one waits for. */
static inline World *friends(void)
{
	World *world = strangers();

	ck_assert(world_connected(world, A, B));
	ck_assert(peer_of(world, A, B)->current->initiator);
	world_run(world, 1000);
	return world;
}

static inline void cut(World *world)
{
	world->lost_kinds[A] = world->lost_kinds[B] = WORLD_CUT;
}

static inline void heal(World *world)
{
	world->lost_kinds[A] = world->lost_kinds[B] = 0;
}

/* Nothing that must not be has happened. */
static inline void finish(World *world)
{
	ck_assert_msg(!world->failure, "%s", world->failure);
	world_free(world);
}

#endif
