/* SPDX-License-Identifier: MIT */
#include "door.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct reply reply_ours(const char *status, const char *fmt, ...)
{
	struct reply reply = {0};
	va_list args;

	va_start(args, fmt);
	vsnprintf(reply.text, sizeof(reply.text), fmt, args);
	va_end(args);
	snprintf(reply.status, sizeof(reply.status), "%s", status);
	return reply;
}

int64_t phase_limit_ms(const struct relay *relay, enum smtp_phase phase)
{
	static const int seconds[PHASE_N + 1] = {
		[PHASE_CONNECT] = 30,
		[PHASE_BANNER] = 300,
		[PHASE_EHLO] = 300,
		[PHASE_STARTTLS] = 120,
		[PHASE_AUTH] = 120,
		[PHASE_MAIL] = 300,
		[PHASE_RCPT] = 300,
		[PHASE_DATA] = 120,
		[PHASE_BODY] = 180,
		[PHASE_DOT] = 600,
		[PHASE_RSET] = 120,
		[PHASE_QUIT] = 5,
		[PHASE_N] = 30, /* without a message: then the connection is given back */
	};
	int64_t s = seconds[phase];

	if (relay->timeout_s && relay->timeout_s < s)
		s = relay->timeout_s;
	return 1000 * s;
}

/* Whether what is sent to `host` stays on this machine. */
static bool is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return str_eq_nocase(str_of(host), STR("localhost"));
}

static int esmtp_check(const struct relay *relay, struct err *e)
{
	struct in6_addr v6;

	if (relay->tls != RELAY_TLS_NONE)
		return err_set(e, ERR_CONFIG,
			"relay '%s': transport 'esmtp' has no TLS, because libesmtp accepts "
			"replies that "
			"somebody else has injected before STARTTLS and may hang with TLS 1.3; use "
			"transport 'curl'",
			relay->name);
	if (relay->username)
		return err_set(e, ERR_CONFIG,
			"relay '%s': transport 'esmtp' has no login, because libesmtp goes on "
			"without one "
			"where the relay offers none; use transport 'curl'",
			relay->name);
	if (!is_loopback(relay->host))
		return err_set(e, ERR_CONFIG,
			"relay '%s': transport 'esmtp' is only for a mail server on this machine "
			"('localhost' or 127.0.0.1), not '%s', because it has no TLS; use "
			"transport 'curl'",
			relay->name, relay->host);
	if (inet_pton(AF_INET6, relay->host, &v6) == 1)
		return err_set(e, ERR_CONFIG,
			"relay '%s': libesmtp takes no IPv6 address such as '%s'; use 'localhost', "
			"or "
			"transport 'curl'",
			relay->name, relay->host);
	return 0;
}

int relay_check(const struct relay *relay, struct err *e)
{
	if (relay->connections < 1 || relay->connections > 1000)
		return err_set(e, ERR_CONFIG, "relay '%s': 'connections' is %u, not 1 to 1000",
			relay->name, relay->connections);
	if (relay->tls == RELAY_TLS_NONE && relay->username && !is_loopback(relay->host))
		return err_set(e, ERR_CONFIG,
			"relay '%s': a password would cross the network to '%s' in clear; use "
			"'tls = starttls' or 'tls = implicit'",
			relay->name, relay->host);
	if (!relay->username != !relay->password)
		return err_set(e, ERR_CONFIG, "relay '%s': a user name and a password go together",
			relay->name);
	return relay->transport == RELAY_ESMTP ? esmtp_check(relay, e) : 0;
}

int thread_start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(thread, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc ? -1 : 0;
}
