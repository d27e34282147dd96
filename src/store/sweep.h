/* SPDX-License-Identifier: MIT */
#ifndef STORE_SWEEP_H
#define STORE_SWEEP_H

#include "base/err.h"

/*
 * Checkpoints in a thread of their own: what long work has written into the WAL goes into the database behind its back.
 * In between commits, that and waiting for the disk were a quarter of an import's time. Private to src/store.
 */
struct sweep;

/* Begin, for the database `path`. NULL where there is no memory or thread: then commits checkpoint, as always. */
struct sweep *sweep_begin(const char *path);

/* End it; NULL is allowed. */
void sweep_end(struct sweep *w);

#endif
