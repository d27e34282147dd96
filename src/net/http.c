/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/log.h"
#include "http_request.h"
#include "http_watch.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MEMORY_PER_CONNECTION = 32 * 1024, REPLY_MAX = 16 * 1024 * 1024 };

struct http_server {
	struct MHD_Daemon *daemon;
	struct http_site site;
	struct http_limits limits;
	pthread_key_t thread; /* what site.open made for this thread */
	struct http_watch watch;
	atomic_int begun; /* requests whose header has been read and that are not over */
	atomic_bool stopping;

	pthread_t writer;
	bool writing; /* the writing thread was started */
	pthread_mutex_t lock; /* guards the queue */
	pthread_cond_t more;
	struct incoming *first, **last;
	bool end; /* the writing thread is to end when the queue is empty */
};

void http_reply_header(struct http_reply *out, const char *name, const char *value)
{
	if (out->header_n == HTTP_HEADERS_MAX)
		return;
	out->header[out->header_n].name = name;
	out->header[out->header_n++].value = value;
}

/* ---- answering ---- */

static enum MHD_Result send_reply(
	struct MHD_Connection *connection, struct http_reply *out, bool last)
{
	struct MHD_Response *r;
	enum MHD_Result ok;

	if (out->body.over) { /* half a page is none */
		buf_reset(&out->body);
		out->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	}
	r = MHD_create_response_from_buffer(out->body.n, out->body.p, MHD_RESPMEM_MUST_FREE);
	if (!r)
		return MHD_NO;
	out->body.p = NULL; /* the response's now */
	buf_free(&out->body);
	if (out->type)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, out->type);
	for (size_t i = 0; i < out->header_n; i++)
		MHD_add_response_header(r, out->header[i].name, out->header[i].value);
	if (last)
		MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
	ok = MHD_queue_response(connection, out->status ? out->status : MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return ok;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status)
{
	struct http_reply out = {.status = status, .type = "text/plain; charset=utf-8"};
	enum MHD_Result ok;

	buf_init(&out.body, 256);
	buf_printf(&out.body, "%u %s\n", status, MHD_get_reason_phrase_for(status));
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		http_reply_header(&out, MHD_HTTP_HEADER_ALLOW, "GET, HEAD, POST, OPTIONS");
	ok = send_reply(connection, &out, true);
	buf_free(&out.body);
	return ok;
}

/* What this thread works with, made when it first has to. */
static void *own_thread(struct http_server *s)
{
	void *thread = pthread_getspecific(s->thread);
	struct err e = {0};

	if (thread)
		return thread;
	if (s->site.open(s->site.user, &thread, &e) < 0) {
		log_msg(LOG_LEVEL_ERROR, "serve", "%s", e.text);
		return NULL;
	}
	pthread_setspecific(s->thread, thread);
	return thread;
}

static void answer(struct http_server *s, struct incoming *in)
{
	void *thread;

	http_watch_phase(&s->watch, in->watched, HTTP_ANSWERING, 0);
	thread = own_thread(s);
	if (!thread) {
		in->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
		return;
	}
	buf_init(&in->reply.body, REPLY_MAX);
	s->site.serve(thread, &in->request, &in->reply);
	in->answered = true;
}

/* ---- the writing thread ---- */

static void *write_queue(void *user)
{
	struct http_server *s = user;

	for (;;) {
		struct incoming *in;

		pthread_mutex_lock(&s->lock);
		while (!s->first && !s->end)
			pthread_cond_wait(&s->more, &s->lock);
		in = s->first;
		if (in)
			s->first = in->next;
		if (!s->first)
			s->last = &s->first;
		pthread_mutex_unlock(&s->lock);
		if (!in)
			return NULL;
		answer(s, in);
		MHD_resume_connection(in->connection);
	}
}

/* libmicrohttpd asks for the answer again when the connection is resumed. */
static void hand_over(struct http_server *s, struct incoming *in)
{
	http_watch_phase(&s->watch, in->watched, HTTP_WAITING, 0);
	MHD_suspend_connection(in->connection);
	pthread_mutex_lock(&s->lock);
	*s->last = in;
	s->last = &in->next;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
}

/* ---- what libmicrohttpd calls ---- */

static void on_connection(void *user, struct MHD_Connection *connection, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct http_server *s = user;

	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		*context = info ? http_watch_add(&s->watch, info->connect_fd, s->limits.request_s)
				: NULL;
	else
		http_watch_remove(&s->watch, *context);
}

static bool announces_too_much(struct MHD_Connection *connection)
{
	struct str length = str_of(MHD_lookup_connection_value(
		connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH));
	int64_t n;

	return length.n && !str_to_int(length, 0, HTTP_BODY_MAX, &n);
}

static enum MHD_Result begin(struct http_server *s, struct MHD_Connection *connection,
	const char *url, const char *method, void **request)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct incoming *in = incoming_open(connection, url, method);

	*request = in;
	if (!in)
		return MHD_NO;
	atomic_fetch_add(&s->begun, 1);
	in->watched = info ? info->socket_context : NULL;
	http_watch_phase(&s->watch, in->watched, HTTP_CLIENT, s->limits.request_s);
	if (announces_too_much(connection))
		in->refused = MHD_HTTP_CONTENT_TOO_LARGE;
	return in->refused ? refuse(connection, in->refused) : MHD_YES;
}

/* Called with the header, with each piece of the body, when the request is whole, and again when a POST has
 * its answer. */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *data, size_t *n, void **request)
{
	struct http_server *s = user;
	struct incoming *in = *request;

	(void)version;
	if (!in)
		return begin(s, connection, url, method, request);
	if (*n) {
		incoming_take(in, data, *n);
		*n = 0;
		return MHD_YES;
	}
	if (!in->whole) {
		incoming_end(in);
		if (!in->refused && in->request.method == HTTP_POST) {
			hand_over(s, in);
			return MHD_YES;
		}
		if (!in->refused)
			answer(s, in);
	}
	http_watch_phase(&s->watch, in->watched, HTTP_CLIENT, s->limits.request_s);
	return in->refused ? refuse(connection, in->refused)
			   : send_reply(connection, &in->reply, atomic_load(&s->stopping));
}

static void on_completed(void *user, struct MHD_Connection *connection, void **request,
	enum MHD_RequestTerminationCode why)
{
	struct http_server *s = user;
	struct incoming *in = *request;

	(void)connection, (void)why;
	if (!in)
		return;
	http_watch_phase(&s->watch, in->watched, HTTP_CLIENT, s->limits.idle_s);
	incoming_close(in);
	*request = NULL;
	atomic_fetch_sub(&s->begun, 1);
}

static void on_log(void *user, const char *format, va_list args)
{
	char text[512];

	(void)user;
	vsnprintf(text, sizeof text, format, args);
	log_msg(LOG_LEVEL_DEBUG, "http", "%.*s", (int)strcspn(text, "\n"), text);
}

/* ---- starting and stopping ---- */

/* Fails here and now, with its sentence, rather than at the first request. */
static int try_site(const struct http_site *site, struct err *e)
{
	void *thread = NULL;

	if (site->open(site->user, &thread, e) < 0)
		return -1;
	site->close(thread);
	return 0;
}

static struct MHD_Daemon *start_daemon(struct http_server *s, int socket)
{
	const struct http_limits *l = &s->limits;

	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC |
					MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG,
		0, NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)MEMORY_PER_CONNECTION, MHD_OPTION_CONNECTION_LIMIT, l->connections,
		MHD_OPTION_CONNECTION_TIMEOUT, l->request_s, MHD_OPTION_STRICT_FOR_CLIENT, 1,
		l->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, l->threads,
		MHD_OPTION_END);
}

int http_start(int socket, const struct http_site *site, const struct http_limits *limits,
	struct http_server **out, struct err *e)
{
	struct http_server *s = calloc(1, sizeof *s);

	*out = NULL;
	if (!s) {
		close(socket);
		return err_set(e, ERR_IO, "out of memory");
	}
	s->site = *site;
	s->limits = *limits;
	s->last = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->more, NULL);
	pthread_key_create(&s->thread, site->close);
	s->writing = http_watch_start(&s->watch, limits->connections) == 0 &&
		     pthread_create(&s->writer, NULL, write_queue, s) == 0;
	/* Several threads wait on the socket, and only one of them gets each connection. */
	if (!s->writing || fcntl(socket, F_SETFL, O_NONBLOCK) < 0)
		err_sys(e, "the HTTP server cannot be started");
	else if (try_site(site, e) == 0 && !(s->daemon = start_daemon(s, socket)))
		err_set(e, ERR_IO, "the HTTP server cannot be started");
	if (!s->daemon) {
		close(socket);
		http_stop(s, 0);
		return -1;
	}
	*out = s;
	return 0;
}

bool http_alive(struct http_server *s)
{
	return !http_watch_stuck(&s->watch, HTTP_STUCK_S * 1000LL);
}

/* Those that still wait are refused, and the writing thread ends. */
static void end_writing(struct http_server *s)
{
	pthread_mutex_lock(&s->lock);
	while (s->first) {
		struct incoming *in = s->first;

		s->first = in->next;
		in->refused = MHD_HTTP_SERVICE_UNAVAILABLE;
		MHD_resume_connection(in->connection);
	}
	s->last = &s->first;
	s->end = true;
	pthread_cond_signal(&s->more);
	pthread_mutex_unlock(&s->lock);
	if (s->writing)
		pthread_join(s->writer, NULL);
}

void http_stop(struct http_server *s, int grace_ms)
{
	const struct timespec step = {0, 10 * 1000000L};
	int64_t until = clock_mono_ms() + grace_ms;
	MHD_socket listening = MHD_INVALID_SOCKET;

	if (!s)
		return;
	atomic_store(&s->stopping, true);
	if (s->daemon)
		listening = MHD_quiesce_daemon(s->daemon);
	while (atomic_load(&s->begun) > 0 && clock_mono_ms() < until)
		nanosleep(&step, NULL);
	end_writing(s);
	if (s->daemon)
		MHD_stop_daemon(s->daemon);
	if (listening != MHD_INVALID_SOCKET)
		close(listening);
	http_watch_stop(&s->watch);
	pthread_key_delete(s->thread);
	pthread_cond_destroy(&s->more);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
