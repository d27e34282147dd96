/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include "db.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { PERIOD_NS = 50 * 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000 };

struct sweep {
	struct store *s; /* a handle of its own */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool end;
};

/* Wait for the next turn; false when there is none. */
static bool wait_turn(struct sweep *w)
{
	struct timespec until;
	bool end;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += PERIOD_NS;
	if (until.tv_nsec >= SECOND_NS) {
		until.tv_nsec -= SECOND_NS;
		until.tv_sec++;
	}
	pthread_mutex_lock(&w->lock);
	if (!w->end)
		pthread_cond_timedwait(&w->ended, &w->lock, &until);
	end = w->end;
	pthread_mutex_unlock(&w->lock);
	return !end;
}

/* Passive: nobody waits for it, and where it fails, a commit's own checkpoint tells. */
static void *run(void *user)
{
	struct sweep *w = user;

	while (wait_turn(w))
		sqlite3_wal_checkpoint_v2(w->s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	return NULL;
}

static void give_back(struct sweep *w)
{
	store_close(w->s);
	pthread_cond_destroy(&w->ended);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

struct sweep *sweep_begin(const char *path)
{
	struct sweep *w = calloc(1, sizeof *w);

	if (!w)
		return NULL;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->ended, NULL);
	if (db_open(path, SQLITE_OPEN_READWRITE, &w->s, NULL) == 0 &&
		pthread_create(&w->thread, NULL, run, w) == 0)
		return w;
	give_back(w);
	return NULL;
}

void sweep_end(struct sweep *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->end = true;
	pthread_cond_signal(&w->ended);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	give_back(w);
}
