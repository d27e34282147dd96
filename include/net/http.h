/* SPDX-License-Identifier: MIT */
#ifndef NET_HTTP_H
#define NET_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A small HTTP/1.1 server (libmicrohttpd) behind the operator's TLS proxy: requests whole and within
 * limits go to one handler, its answer goes back. Every octet of a request is hostile; sizes, fields,
 * connections and the time that a request may take have ceilings, and a client that dawdles is cut off
 * so that others are served. POSTs are answered one after the other by a thread of their own, so that
 * whoever only reads never waits for somebody's write.
 */
enum { HTTP_BODY_MAX = 64 * 1024, HTTP_FIELDS_MAX = 64, HTTP_THREADS_MAX = 16 };

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS };

struct http_field {
	struct str name, value;
};

/* One request; everything in it lives until the handler has returned. */
struct http_request {
	enum http_method method;
	struct str path; /* percent-decoded once, begins with '/'; without the query */
	const struct http_field *query; /* decoded, in their order */
	size_t query_n;
	/* Of a POST body in application/x-www-form-urlencoded or multipart/form-data; files are left
	 * out. */
	const struct http_field *form;
	size_t form_n;
	bool is_form; /* the body was one of these two */
	struct str body; /* of a POST, as it came */
	/* The client's address: the peer's, or the last of X-Forwarded-For where the peer is a proxy on
	 * this machine. */
	struct str client;
	struct arena *arena; /* for the handler's own use */
	void *connection; /* for http_header() */
};

/* The value of the first query or form field `name`, or of a header field; the empty view where there is
 * none. */
struct str http_query(const struct http_request *r, const char *name);
struct str http_form(const struct http_request *r, const char *name);
struct str http_header(const struct http_request *r, const char *name);

enum { HTTP_HEADERS_MAX = 12 };

/* The answer. `body` is the handler's to fill; header names and values are static, or in the request's
 * arena. */
struct http_reply {
	unsigned status; /* 200 unless set */
	const char *type; /* Content-Type */
	struct buf body;
	struct {
		const char *name, *value;
	} header[HTTP_HEADERS_MAX];
	size_t header_n;
};

/* Add a header field; what is more than HTTP_HEADERS_MAX is left out. */
void http_reply_header(struct http_reply *out, const char *name, const char *value);

/* What the server asks of its caller. `open` makes what one thread needs (a database handle), `close`
 * frees it; `serve` answers one request with it, in that thread. */
struct http_site {
	int (*open)(void *user, void **thread, struct err *e);
	void (*close)(void *thread);
	void (*serve)(void *thread, const struct http_request *request, struct http_reply *reply);
	void *user;
};

struct http_limits {
	unsigned threads; /* for what is not a POST: 1 to HTTP_THREADS_MAX */
	unsigned connections; /* at once; when nearly all are taken the slowest is cut off */
	unsigned request_s; /* a request must be whole within this, and an answer taken */
	unsigned idle_s; /* a connection without a request is closed after this */
};

struct http_server;

/* Listen on `address`: "HOST:PORT" or "[HOST]:PORT", port 0 for any free one. Returns the socket, or -1:
 * ERR_CONFIG for a bad address, ERR_IO, ERR_EXISTS where somebody else listens. */
int http_listen(const char *address, struct err *e);

/* The port of a listening socket; 0 where it has none. */
unsigned http_port(int socket);

/* Serve on the listening `socket`, which becomes the server's, until http_stop(). ERR_IO; the error of
 * site->open for the first thread. */
int http_start(int socket, const struct http_site *site, const struct http_limits *limits,
	struct http_server **out, struct err *e);

/* Whether no request has been in its handler for longer than HTTP_STUCK_S. */
enum { HTTP_STUCK_S = 60 };
bool http_alive(struct http_server *s);

/* Accept nothing more, let the requests that have begun end (at most `grace_ms`), free. NULL is
 * allowed. */
void http_stop(struct http_server *s, int grace_ms);

#endif
