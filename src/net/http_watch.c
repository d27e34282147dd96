/* SPDX-License-Identifier: MIT */
#include "http_watch.h"

#include "base/clock.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

enum { WATCH_MS = 250, CROWDED_MS = 1000 };

struct http_connection *http_watch_add(struct http_watch *w, int socket, unsigned seconds)
{
	struct http_connection *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->socket = socket;
	http_watch_phase(w, c, HTTP_CLIENT, seconds);
	pthread_mutex_lock(&w->lock);
	c->next = w->first;
	if (w->first)
		w->first->prev = c;
	w->first = c;
	w->n++;
	pthread_mutex_unlock(&w->lock);
	return c;
}

void http_watch_remove(struct http_watch *w, struct http_connection *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&w->lock);
	if (c->prev)
		c->prev->next = c->next;
	else
		w->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	w->n--;
	pthread_mutex_unlock(&w->lock);
	free(c);
}

void http_watch_phase(
	struct http_watch *w, struct http_connection *c, enum http_phase phase, unsigned seconds)
{
	if (!c)
		return;
	pthread_mutex_lock(&w->lock);
	c->phase = phase;
	c->since_ms = clock_mono_ms();
	c->until_ms = c->since_ms + seconds * 1000LL;
	pthread_mutex_unlock(&w->lock);
}

bool http_watch_stuck(struct http_watch *w, int64_t ms)
{
	int64_t now = clock_mono_ms();
	bool stuck = false;

	pthread_mutex_lock(&w->lock);
	for (const struct http_connection *c = w->first; c; c = c->next)
		stuck |= c->phase == HTTP_ANSWERING && now - c->since_ms > ms;
	pthread_mutex_unlock(&w->lock);
	return stuck;
}

/* Cut off who is over time and, when nearly all connections are taken, as many as are too many of those
 * that came first. The shutdown wakes libmicrohttpd, which then closes the socket itself. */
static void watch_once(struct http_watch *w)
{
	int64_t now = clock_mono_ms();
	size_t crowd = w->most - w->most / 8, excess;
	struct http_connection *oldest = NULL;

	pthread_mutex_lock(&w->lock);
	excess = w->n > crowd ? w->n - crowd : 0;
	for (struct http_connection *c = w->first; c; c = c->next) {
		oldest = c;
		if (c->phase == HTTP_CLIENT && now > c->until_ms)
			shutdown(c->socket, SHUT_RDWR);
	}
	for (struct http_connection *c = oldest; c && excess; c = c->prev)
		if (c->phase == HTTP_CLIENT && now - c->since_ms > CROWDED_MS) {
			shutdown(c->socket, SHUT_RDWR);
			excess--;
		}
	pthread_mutex_unlock(&w->lock);
}

static void *watch(void *user)
{
	const struct timespec step = {0, WATCH_MS * 1000000L};
	struct http_watch *w = user;

	while (!atomic_load(&w->stopping)) {
		nanosleep(&step, NULL);
		watch_once(w);
	}
	return NULL;
}

int http_watch_start(struct http_watch *w, unsigned most)
{
	w->most = most;
	pthread_mutex_init(&w->lock, NULL);
	w->running = pthread_create(&w->thread, NULL, watch, w) == 0;
	return w->running ? 0 : -1;
}

void http_watch_stop(struct http_watch *w)
{
	atomic_store(&w->stopping, true);
	if (w->running)
		pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->lock);
}
