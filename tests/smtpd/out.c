/* SPDX-License-Identifier: MIT */
#include "smtpd.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { LINGER_MS = 2000, ENDLESS_SIZE = 16384 };

static void segment_add(struct conn *c, int64_t due, size_t n)
{
	if (c->segment_n == c->segment_cap) {
		c->segment_cap = c->segment_cap ? 2 * c->segment_cap : 16;
		c->segment = realloc(c->segment, c->segment_cap * sizeof(*c->segment));
		if (!c->segment)
			abort();
	}
	c->segment[c->segment_n++] = (struct segment){due, n};
}

void out_add(struct conn *c, struct str text, int64_t delay_ms)
{
	struct server *s = c->server;
	int64_t due = s->now + s->o->reply_delay_ms;

	if (due < c->last_due)
		due = c->last_due;
	due += delay_ms;
	c->last_due = due;
	buf_str(&c->out, text);
	if (due <= s->now && !c->segment_n)
		c->ready += text.n;
	else
		segment_add(c, due, text.n);
	if (text.n)
		record_dialogue(c, 'S', text);
}

void out_end(struct conn *c, enum end end, int64_t delay_ms)
{
	if (delay_ms)
		out_add(c, (struct str){NULL, 0}, delay_ms);
	c->end = end;
	c->state = STATE_DEAF;
}

bool out_empty(const struct conn *c)
{
	return !c->ready && !c->segment_n;
}

static void out_release(struct conn *c)
{
	size_t n = 0;

	while (n < c->segment_n && c->segment[n].due <= c->server->now)
		c->ready += c->segment[n++].n;
	if (n) {
		c->segment_n -= n;
		memmove(c->segment, c->segment + n, c->segment_n * sizeof(*c->segment));
	}
}

/* Write what may leave; false when the socket takes no more. */
static bool out_write(struct conn *c)
{
	while (c->ready && !c->dead) {
		ssize_t n;

		if (c->tls == TLS_UP) {
			n = SSL_write(c->ssl, c->out.p, (int)c->ready);
			if (n <= 0 && SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_WRITE)
				return false;
		} else {
			n = send(c->fd, c->out.p, c->ready, MSG_NOSIGNAL);
			if (n < 0 && errno == EAGAIN)
				return false;
		}
		if (n <= 0) {
			ERR_clear_error(); /* or the next connection would seem to have failed */
			c->dead = true;
			return false;
		}
		buf_consume(&c->out, (size_t)n);
		c->ready -= (size_t)n;
	}
	return !c->dead;
}

static void endless_refill(struct conn *c)
{
	while (c->out.n < ENDLESS_SIZE)
		buf_cstr(&c->out, "250-and that is not all\r\n");
	c->ready = c->out.n;
}

static void close_begin(struct conn *c)
{
	c->linger_until = c->server->now + LINGER_MS;
	if (c->tls == TLS_UP)
		SSL_shutdown(c->ssl);
	shutdown(c->fd, SHUT_WR);
}

void out_flush(struct conn *c)
{
	static const struct linger hard = {.l_onoff = 1};

	out_release(c);
	if (!out_write(c) || c->segment_n)
		return;
	if (c->end == END_ENDLESS)
		endless_refill(c);
	if (c->end == END_CLOSE && !c->linger_until)
		close_begin(c);
	if (c->end == END_RESET) {
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
		c->dead = true;
	}
	if (c->tls == TLS_WANTED)
		tls_begin(c);
}
