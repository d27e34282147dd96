/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "door.h"
#include "session.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * The transport `curl`: one epoll thread for all sessions with all relays. Links are opened by threads of
 * their own, one each, because that blocks; a relay that is slow to greet holds up nobody else.
 */
enum { OPENING_MAX = 32 /* of a gate */, EVENTS_MAX = 64, QUIT_GRACE_MS = 1000 };

struct opening {
	struct opening *next;
	struct engine *engine;
	struct gate *gate;
	unsigned era;
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

	size_t sessions, opening; /* of all gates and eras */
	bool some_over; /* sessions to be closed */
	int64_t now, next_check; /* before that no session's deadline passes */
	int64_t close_at; /* 0 = not closing */
};

void engine_wake(struct engine *e)
{
	uint64_t one = 1;

	if (!atomic_exchange(&e->signalled, true) && write(e->event, &one, sizeof(one)) < 0)
		atomic_store(&e->signalled, false);
}

/* Each gate that the engine drives, from `g` on; NULL after the last. */
static struct gate *driven(const struct engine *e, struct gate *g)
{
	while (g < e->t->gate + e->t->gate_n && g->pool)
		g++;
	return g < e->t->gate + e->t->gate_n ? g : NULL;
}

#define EACH_GATE(g, e) (struct gate *g = driven((e), (e)->t->gate); g; g = driven((e), g + 1))

/* ---- sessions ---- */

static void turn(struct engine *e, struct session *s, bool readable)
{
	bool blocked = s->blocked;

	if (s->over)
		return;
	session_turn(s, readable, e->now);
	if (s->over) {
		e->some_over = true;
		return;
	}
	if (s->blocked != blocked) {
		struct epoll_event event = {
			.events = EPOLLIN | EPOLLRDHUP | (s->blocked ? EPOLLOUT : 0),
			.data.ptr = s,
		};

		epoll_ctl(e->epoll, EPOLL_CTL_MOD, s->link.fd, &event);
	}
	if (s->deadline < e->next_check)
		e->next_check = s->deadline;
}

static void check_deadlines(struct engine *e)
{
	if (e->now < e->next_check)
		return;
	e->next_check = INT64_MAX;
	for
		EACH_GATE(g, e)
		{
			for (struct session *s = g->session; s; s = s->next) {
				if (s->deadline <= e->now) {
					session_expire(s);
					e->some_over |= s->over;
					turn(e, s, false);
				} else if (s->deadline < e->next_check) {
					e->next_check = s->deadline;
				}
			}
		}
}

static void reap_gate(struct engine *e, struct gate *g)
{
	for (struct session **link = &g->session; *link;) {
		struct session *s = *link;

		if (!s->over) {
			link = &s->next;
			continue;
		}
		*link = s->next;
		g->live -= !s->left;
		e->sessions--;
		session_close(s);
	}
}

/* Close the sessions that are over; whether there were any. */
static bool reap(struct engine *e)
{
	if (!e->some_over)
		return false;
	e->some_over = false;
	for
		EACH_GATE(g, e)
	reap_gate(e, g);
	return true;
}

/* After trouble a gate's sessions take no more messages, and what is being opened is not wanted any more: the
 * relay's next era begins without them, even where one of them hangs. */
static void leave(struct engine *e, struct gate *g)
{
	unsigned era = g->era;

	if (g->seen == era)
		return;
	g->seen = era;
	g->live = g->opening = 0;
	for (struct session *s = g->session; s; s = s->next) {
		s->left = s->draining = true;
		turn(e, s, false);
	}
}

/* ---- opening ---- */

static void *opening_run(void *arg)
{
	struct opening *o = arg;
	struct engine *e = o->engine;

	o->ok = link_open(o->gate->relay, &e->give_up, false, &o->link, &o->why) == 0;
	pthread_mutex_lock(&e->t->lock);
	o->next = e->opened;
	e->opened = o;
	pthread_mutex_unlock(&e->t->lock);
	engine_wake(e);
	return NULL;
}

static void open_links(struct engine *e, struct gate *g)
{
	size_t wanted = g->waiting_n, most;

	if (wanted <= g->opening || g->opening >= OPENING_MAX)
		return;
	pthread_mutex_lock(&e->t->lock);
	most = sessions_most(g);
	pthread_mutex_unlock(&e->t->lock);
	while (g->opening < wanted && g->opening < OPENING_MAX && g->live + g->opening < most) {
		struct opening *o = calloc(1, sizeof(*o));

		if (o)
			*o = (struct opening){.engine = e, .gate = g, .era = g->seen};
		if (!o || thread_start(&o->thread, opening_run, o) < 0) {
			struct reply why = reply_ours("", "no thread to connect with");

			free(o);
			job_no_session(g, NULL, g->live + g->opening, PHASE_CONNECT, &why);
			return;
		}
		g->opening++;
		e->opening++;
	}
}

/* A link that is open becomes a session. */
static void add_session(struct engine *e, struct opening *o)
{
	struct gate *g = o->gate;
	struct session *s = session_open(g, &o->link, e->now);
	struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = s};

	if (!s || epoll_ctl(e->epoll, EPOLL_CTL_ADD, s->link.fd, &event) < 0) {
		struct reply why = reply_ours("", "no memory for a session");

		if (s)
			session_close(s);
		job_no_session(g, NULL, g->live + g->opening, PHASE_CONNECT, &why);
		return;
	}
	s->next = g->session;
	g->session = s;
	e->sessions++;
	s->left = s->draining = o->era != g->seen;
	g->live += !s->left;
	turn(e, s, false);
}

static void take_opened(struct engine *e)
{
	struct opening *o, *next;

	pthread_mutex_lock(&e->t->lock);
	o = e->opened;
	e->opened = NULL;
	pthread_mutex_unlock(&e->t->lock);
	for (; o; o = next) {
		struct gate *g = o->gate;

		next = o->next;
		pthread_join(o->thread, NULL);
		e->opening--;
		leave(e, g);
		g->opening -= o->era == g->seen;
		if (o->ok)
			add_session(e, o);
		else if (o->era == g->seen)
			job_no_session(g, NULL, g->live + g->opening, o->why.phase, &o->why.reply);
		free(o);
	}
}

/* ---- turns ---- */

/* Give what waits to sessions with nothing to do, then to those that can take another envelope. */
static void feed(struct engine *e, struct gate *g)
{
	leave(e, g);
	for (int idle = 1; idle >= 0 && g->waiting_n; idle--) {
		for (struct session *s = g->session; s && g->waiting_n; s = s->next) {
			if (!idle || session_idle(s))
				turn(e, s, false);
		}
	}
	open_links(e, g);
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
	for
		EACH_GATE(g, e)
		{
			for (struct session *s = g->session; s; s = s->next) {
				s->draining = true;
				turn(e, s, false);
				if (e->now >= stop_at && (s->envelope || s->body))
					session_abandon(s, &why);
				e->some_over |= s->over;
			}
		}
	if (stop_at > e->now && stop_at < e->next_check)
		e->next_check = stop_at;
	if (e->close_at > e->now && e->close_at < e->next_check)
		e->next_check = e->close_at;
}

/* Whether all is done after a stop, or what is not has had its time. */
static bool ended(const struct engine *e)
{
	return e->close_at && !e->opening && (!e->sessions || e->now >= e->close_at);
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
			for
				EACH_GATE(g, e)
			feed(e, g);
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

int engine_start(struct transport *t, struct err *err)
{
	struct engine *e = calloc(1, sizeof(*e));
	struct epoll_event event = {.events = EPOLLIN};

	curl_once();
	if (!e)
		return err_sys(err, "no memory for the transport");
	e->t = t;
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	e->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->engine = e;
	if (e->epoll < 0 || e->event < 0 ||
		epoll_ctl(e->epoll, EPOLL_CTL_ADD, e->event, &event) < 0 ||
		thread_start(&e->thread, engine_run, e) < 0) {
		err_sys(err, "cannot start the transport");
		engine_free(e);
		t->engine = NULL;
		return -1;
	}
	return 0;
}

void engine_finish(struct engine *e)
{
	pthread_join(e->thread, NULL);
	for
		EACH_GATE(g, e)
		{
			for (struct session *s = g->session, *next; s; s = next) {
				next = s->next;
				session_close(s);
			}
		}
	engine_free(e);
}
