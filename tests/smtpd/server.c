/* SPDX-License-Identifier: MIT */
#include "smtpd.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { EVENTS = 256 };

static void watch(struct server *s, int fd, void *what)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = what};

	epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int listener_open(struct server *s, struct err *e)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)s->o->port)};
	socklen_t n = sizeof(a);
	int one = 1;

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->listener < 0)
		return err_sys(e, "cannot make a socket");
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s->listener, (struct sockaddr *)&a, n) < 0 || listen(s->listener, 1024) < 0 ||
		getsockname(s->listener, (struct sockaddr *)&a, &n) < 0)
		return err_sys(e, "cannot listen on port '%d'", s->o->port);
	s->o->port = ntohs(a.sin_port);
	return 0;
}

int server_open(struct server *s, struct options *o, struct err *e)
{
	sigset_t set;

	*s = (struct server){
		.o = o, .epoll = -1, .listener = -1, .signals = -1, .next_due = INT64_MAX};
	s->log = s->transcript = s->maildir = -1;
	if (o->cert && !(s->tls = tls_open(o, e)))
		return -1;
	if (record_open(s, e) < 0)
		return -1;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC);
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (s->signals < 0 || s->epoll < 0)
		return err_sys(e, "cannot wait for events");
	if (listener_open(s, e) < 0)
		return -1;
	watch(s, s->signals, &s->signals);
	watch(s, s->listener, &s->listener);
	if (o->max_seconds)
		alarm((unsigned)o->max_seconds); /* kills, even a server that turns endlessly */
	return 0;
}

static void conn_free(struct conn *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->server->totals.at_once--;
	SSL_free(c->ssl);
	close(c->fd);
	transaction_free(&c->t);
	buf_free(&c->out);
	free(c->segment);
	free(c->in);
	free(c);
}

/* Read once; true when there may be more that epoll does not tell of. */
static bool conn_read(struct conn *c)
{
	size_t space;
	ssize_t n;

	if (c->state == STATE_DEAF)
		c->in_n = 0;
	space = IN_SIZE - c->in_n;
	if (!space || c->hold_until || c->eof || c->dead)
		return false;
	if (c->tls == TLS_UP) {
		n = SSL_read(c->ssl, c->in + c->in_n, (int)space);
		if (n <= 0 && SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_READ)
			return false;
		ERR_clear_error();
		c->eof = n <= 0;
	} else {
		n = recv(c->fd, c->in + c->in_n, space, 0);
		if (n < 0 && errno == EAGAIN)
			return false;
		c->eof = n == 0;
		c->dead = n < 0;
	}
	if (n > 0)
		c->in_n += (size_t)n;
	return n > 0 && c->tls == TLS_UP;
}

static void due_at(struct server *s, int64_t due)
{
	if (due && due < s->next_due)
		s->next_due = due;
}

static void conn_watch(struct conn *c)
{
	unsigned events = 0;
	struct epoll_event ev = {.data.ptr = c};

	if (!c->hold_until && !c->eof)
		events |= EPOLLIN;
	if (c->ready)
		events |= EPOLLOUT;
	if (events != c->events) {
		ev.events = events;
		epoll_ctl(c->server->epoll, EPOLL_CTL_MOD, c->fd, &ev);
		c->events = events;
	}
	if (c->segment_n)
		due_at(c->server, c->segment[0].due);
	due_at(c->server, c->hold_until);
	due_at(c->server, c->linger_until);
}

/* Do all that can be done for the connection now. Frees it when it is over. */
static void conn_turn(struct conn *c)
{
	int64_t now = c->server->now;
	bool more = true;

	if (c->hold_until && c->hold_until <= now)
		c->hold_until = 0;
	if (c->tls == TLS_HANDSHAKE && tls_handshake(c) && c->server->o->implicit_tls)
		session_open(c);
	while (more && c->tls != TLS_HANDSHAKE) {
		more = conn_read(c);
		session_input(c);
		out_flush(c);
	}
	if (c->linger_until && c->linger_until <= now)
		c->dead = true;
	if (c->eof && !c->hold_until && (out_empty(c) || c->state == STATE_DEAF))
		c->dead = true;
	if (c->dead)
		conn_free(c);
	else
		conn_watch(c);
}

static void conn_accept(struct server *s)
{
	struct conn *c;
	int fd = accept4(s->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (!c || !(c->in = malloc(IN_SIZE)))
		abort();
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->server = s;
	c->fd = fd;
	c->events = EPOLLIN;
	buf_init(&c->out, OUT_MAX);
	c->next = s->first;
	c->link = &s->first;
	if (c->next)
		c->next->link = &c->next;
	s->first = c;
	c->number = ++s->totals.connections;
	if (++s->totals.at_once > s->totals.most_at_once)
		s->totals.most_at_once = s->totals.at_once;
	watch(s, fd, c);
	if (s->o->implicit_tls)
		tls_begin(c);
	else
		session_open(c);
	conn_turn(c);
}

static void timers_run(struct server *s)
{
	struct conn *c, *next;

	if (s->now < s->next_due)
		return;
	s->next_due = INT64_MAX;
	for (c = s->first; c; c = next) {
		next = c->next;
		conn_turn(c);
	}
}

int server_run(struct server *s, struct err *e)
{
	struct epoll_event ev[EVENTS];

	s->now = clock_mono_ms();
	while (!s->stop) {
		int64_t wait = s->next_due == INT64_MAX ? -1 : s->next_due - s->now;
		int n;

		record_flush(s);
		if (s->next_due != INT64_MAX && wait < 0)
			wait = 0;
		n = epoll_wait(s->epoll, ev, EVENTS, (int)wait);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "cannot wait for events");
		s->now = clock_mono_ms();
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr == &s->signals)
				s->stop = true;
			else if (ev[i].data.ptr == &s->listener)
				conn_accept(s);
			else
				conn_turn(ev[i].data.ptr);
		}
		timers_run(s);
	}
	return 0;
}

void server_close(struct server *s)
{
	while (s->first)
		conn_free(s->first);
	if (s->listener >= 0)
		close(s->listener);
	if (s->signals >= 0)
		close(s->signals);
	if (s->epoll >= 0)
		close(s->epoll);
	SSL_CTX_free(s->tls);
	record_close(s);
}
