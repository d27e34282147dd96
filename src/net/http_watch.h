/* SPDX-License-Identifier: MIT */
#ifndef SRC_NET_HTTP_WATCH_H
#define SRC_NET_HTTP_WATCH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The open connections, watched: libmicrohttpd's own limit is only for silence, and a client that sends
 * an octet now and then would hold its connection for ever.
 */
enum http_phase {
	HTTP_CLIENT, /* it is the client's turn: to send, to read, to ask again */
	HTTP_WAITING, /* whole, in the queue of the writing thread */
	HTTP_ANSWERING, /* a handler has it */
};

struct http_connection {
	struct http_connection *prev, *next;
	int socket;
	enum http_phase phase;
	int64_t since_ms, until_ms; /* of the phase; only a client's turn has an end */
};

struct http_watch {
	pthread_mutex_t lock;
	struct http_connection *first;
	size_t n, most;
	atomic_bool stopping;
	pthread_t thread;
	bool running;
};

/* Watch up to `most` connections; 0, or -1 where there is no thread to be had. */
int http_watch_start(struct http_watch *w, unsigned most);

/* Stop watching. */
void http_watch_stop(struct http_watch *w);

/* A connection came: it must have asked within `seconds`. NULL when out of memory: it goes unwatched.
 * It went: NULL is allowed. */
struct http_connection *http_watch_add(struct http_watch *w, int socket, unsigned seconds);
void http_watch_remove(struct http_watch *w, struct http_connection *c);

/* A new phase begins; `seconds` are for HTTP_CLIENT. NULL is allowed. */
void http_watch_phase(
	struct http_watch *w, struct http_connection *c, enum http_phase phase, unsigned seconds);

/* Whether a handler has had a request for longer than `ms`. */
bool http_watch_stuck(struct http_watch *w, int64_t ms);

#endif
