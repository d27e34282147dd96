/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "door.h"
#include "session.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * The transport `curl`: one epoll thread for all sessions. Links are opened by threads of their own, one
 * each, because that blocks; a relay that is slow to greet holds up nobody else.
 */
enum { OPENING_MAX = 16, EVENTS_MAX = 64, QUIT_GRACE_MS = 1000 };

struct opening {
	struct opening *next;
	struct engine *engine;
	pthread_t thread;
	bool ok;
	struct link link;
	struct link_trouble why;
};

struct engine {
	struct transport *t;
	pthread_t thread;
	int epoll, event;
	atomic_bool signalled; /* `event` is set */
	atomic_bool give_up; /* open no more links */
	struct opening *opened; /* done; guarded by t->lock */

	struct session *first;
	size_t live, opening;
	int64_t now, next_check; /* before that no session's deadline passes */
	int64_t close_at; /* 0 = not closing */
};

static void engine_wake(struct transport *t)
{
	struct engine *e = t->self;
	uint64_t one = 1;

	if (!atomic_exchange(&e->signalled, true) && write(e->event, &one, sizeof(one)) < 0)
		atomic_store(&e->signalled, false);
}

/* ---- opening ---- */

static void *opening_run(void *arg)
{
	struct opening *o = arg;
	struct transport *t = o->engine->t;

	o->ok = link_open(t->relay, &o->engine->give_up, false, &o->link, &o->why) == 0;
	pthread_mutex_lock(&t->lock);
	o->next = o->engine->opened;
	o->engine->opened = o;
	pthread_mutex_unlock(&t->lock);
	engine_wake(t);
	return NULL;
}

static void open_links(struct engine *e)
{
	size_t wanted = jobs_waiting(e->t, OPENING_MAX), most;

	pthread_mutex_lock(&e->t->lock);
	most = sessions_most(e->t);
	pthread_mutex_unlock(&e->t->lock);
	while (e->opening < wanted && e->live + e->opening < most) {
		struct opening *o = calloc(1, sizeof(*o));

		if (o)
			o->engine = e;
		if (!o || thread_start(&o->thread, opening_run, o) < 0) {
			struct reply why = reply_ours("", "no thread to connect with");

			free(o);
			job_no_session(e->t, NULL, e->live + e->opening, PHASE_CONNECT, &why);
			return;
		}
		e->opening++;
	}
}

static void add_session(struct engine *e, struct link *link)
{
	struct session *s = session_open(e->t, link);
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = s};

	if (!s)
		return;
	if (epoll_ctl(e->epoll, EPOLL_CTL_ADD, s->link.fd, &event) < 0) {
		session_close(s);
		return;
	}
	s->next = e->first;
	e->first = s;
	e->live++;
}

static void take_opened(struct engine *e)
{
	struct opening *o, *next;

	pthread_mutex_lock(&e->t->lock);
	o = e->opened;
	e->opened = NULL;
	pthread_mutex_unlock(&e->t->lock);
	for (; o; o = next) {
		next = o->next;
		pthread_join(o->thread, NULL);
		e->opening--;
		if (!o->ok)
			job_no_session(
				e->t, NULL, e->live + e->opening, o->why.phase, &o->why.reply);
		else if (e->close_at)
			link_close(&o->link);
		else
			add_session(e, &o->link);
		free(o);
	}
}

/* ---- sessions ---- */

static void turn(struct engine *e, struct session *s, bool readable)
{
	bool blocked = s->blocked;

	if (s->over)
		return;
	session_turn(s, readable, e->now);
	if (s->blocked != blocked && !s->over) {
		struct epoll_event event = {
			.events = EPOLLIN | EPOLLRDHUP | (s->blocked ? EPOLLOUT : 0),
			.data.ptr = s,
		};

		epoll_ctl(e->epoll, EPOLL_CTL_MOD, s->link.fd, &event);
	}
	if (s->deadline && s->deadline < e->next_check)
		e->next_check = s->deadline;
}

/* Give what waits to sessions with nothing to do, then to those that can take another envelope. */
static void feed(struct engine *e)
{
	for (int idle = 1; idle >= 0; idle--) {
		for (struct session *s = e->first; s && jobs_waiting(e->t, 1); s = s->next) {
			if (!idle || session_idle(s))
				turn(e, s, false);
		}
	}
	open_links(e);
}

static void check_deadlines(struct engine *e)
{
	if (e->now < e->next_check)
		return;
	e->next_check = INT64_MAX;
	for (struct session *s = e->first; s; s = s->next) {
		if (s->deadline && s->deadline <= e->now)
			session_expire(s);
		else if (s->deadline && s->deadline < e->next_check)
			e->next_check = s->deadline;
	}
}

/* Close the sessions that are over; whether there were any. */
static bool reap(struct engine *e)
{
	size_t live = e->live;

	for (struct session **link = &e->first; *link;) {
		struct session *s = *link;

		if (s->over) {
			*link = s->next;
			session_close(s);
			e->live--;
		} else {
			link = &s->next;
		}
	}
	return e->live < live;
}

/* The transport stops: no more messages, QUIT where nothing is in flight; once the grace is over, give up
 * what still is. */
static void stop(struct engine *e)
{
	struct reply why = reply_ours("", "given up: the transport stops");
	bool stopping, closing;
	int64_t stop_at;

	pthread_mutex_lock(&e->t->lock);
	stopping = e->t->stopping;
	closing = e->t->closing;
	stop_at = e->t->stop_at;
	pthread_mutex_unlock(&e->t->lock);
	if (!stopping)
		return;
	atomic_store(&e->give_up, true);
	if (closing && !e->close_at)
		e->close_at = e->now + QUIT_GRACE_MS;
	for (struct session *s = e->first; s; s = s->next) {
		s->draining = true;
		turn(e, s, false);
		if (e->now >= stop_at && (s->envelope || s->body))
			session_abandon(s, &why);
	}
	if (stop_at > e->now && stop_at < e->next_check)
		e->next_check = stop_at;
	if (e->close_at > e->now && e->close_at < e->next_check)
		e->next_check = e->close_at;
}

/* Whether all is done after a stop, or what is not has had its time. */
static bool ended(const struct engine *e)
{
	return e->close_at && !e->opening && (!e->live || e->now >= e->close_at);
}

/* Milliseconds until a deadline may have passed; -1 when there is none. */
static int patience(const struct engine *e)
{
	int64_t ms = e->next_check - clock_mono_ms();

	if (e->next_check == INT64_MAX)
		return -1;
	return ms < 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int)ms;
}

static void *engine_run(void *arg)
{
	struct engine *e = arg;
	struct epoll_event events[EVENTS_MAX];
	bool end = false;

	e->next_check = INT64_MAX;
	while (!end) {
		int n = epoll_wait(e->epoll, events, EVENTS_MAX, patience(e));

		e->now = clock_mono_ms();
		for (int i = 0; i < n; i++) {
			uint64_t count;

			if (events[i].data.ptr) {
				turn(e, events[i].data.ptr, (events[i].events & ~EPOLLOUT) != 0);
			} else if (read(e->event, &count, sizeof(count)) > 0) {
				atomic_store(&e->signalled, false);
			}
		}
		check_deadlines(e);
		take_opened(e);
		stop(e);
		reap(e);
		/* Where a session ends, its messages may wait again, and there is room for another. */
		do {
			feed(e);
		} while (reap(e));
		jobs_tell(e->t);
		end = ended(e);
	}
	return NULL;
}

/* ---- the door's side ---- */

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

void curl_once(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, global_init);
}

static void engine_free(struct engine *e)
{
	if (e->epoll >= 0)
		close(e->epoll);
	if (e->event >= 0)
		close(e->event);
	free(e);
}

static int engine_start(struct transport *t, struct err *err)
{
	struct engine *e = calloc(1, sizeof(*e));
	struct epoll_event event = {.events = EPOLLIN};

	curl_once();
	if (!e)
		return err_sys(err, "no memory for relay '%s'", t->relay->name);
	e->t = t;
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	e->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->self = e;
	if (e->epoll < 0 || e->event < 0 ||
		epoll_ctl(e->epoll, EPOLL_CTL_ADD, e->event, &event) < 0 ||
		thread_start(&e->thread, engine_run, e) < 0) {
		err_sys(err, "cannot start the transport of relay '%s'", t->relay->name);
		engine_free(e);
		return -1;
	}
	return 0;
}

static void engine_finish(struct transport *t)
{
	struct engine *e = t->self;

	pthread_join(e->thread, NULL);
	while (e->first) {
		struct session *s = e->first;

		e->first = s->next;
		session_close(s);
	}
	engine_free(e);
	transport_free(t);
}

const struct transport_kind transport_curl = {engine_start, engine_wake, NULL, engine_finish};
