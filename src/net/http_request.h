/* SPDX-License-Identifier: MIT */
#ifndef SRC_NET_HTTP_REQUEST_H
#define SRC_NET_HTTP_REQUEST_H

#include "net/http.h"

#include <microhttpd.h>

/*
 * A request on its way in, and its answer on the way out.
 */
struct incoming {
	struct http_request request;
	struct http_reply reply;
	struct arena arena;
	struct buf body;
	unsigned refused; /* status to answer with instead; 0 = none */
	bool whole;
	bool answered; /* `reply` holds the answer */
	struct http_connection *watched;
	struct MHD_Connection *connection;
	struct incoming *next; /* in the queue of the writing thread */
};

/* Begin with the request line and the header. NULL when out of memory. */
struct incoming *incoming_open(
	struct MHD_Connection *connection, const char *path, const char *method);

/* Take a piece of the body. */
void incoming_take(struct incoming *in, const char *data, size_t n);

/* The body is whole: complete `in->request`. */
void incoming_end(struct incoming *in);

/* Free; NULL is allowed. */
void incoming_close(struct incoming *in);

#endif
