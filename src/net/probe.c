/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "door.h"
#include "link.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

struct probe {
	const struct relay *relay;
	struct relay_facts *facts;
	struct link_trouble why;
	bool ok;
};

/* The first certificate of the chain is the relay's own. libcurl gives each field as "Name:value". */
static void note_certificate(CURL *curl, struct relay_facts *f)
{
	const struct {
		struct str name;
		char *to;
		size_t size;
	} fields[] = {
		{STR("Subject:"), f->certificate_subject, sizeof(f->certificate_subject)},
		{STR("Issuer:"), f->certificate_issuer, sizeof(f->certificate_issuer)},
		{STR("Expire date:"), f->certificate_expires, sizeof(f->certificate_expires)},
	};
	struct curl_certinfo *chain = NULL;

	if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain ||
		chain->num_of_certs < 1)
		return;
	for (struct curl_slist *l = chain->certinfo[0]; l; l = l->next) {
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
			struct str line = str_of(l->data);

			if (!str_has_prefix(line, fields[i].name))
				continue;
			line = str_trim(str_slice(line, fields[i].name.n, line.n));
			snprintf(fields[i].to, fields[i].size, "%.*s", STR_ARG(line));
			for (char *p = fields[i].to; *p; p++) {
				if ((unsigned char)*p < 0x20 || *p == 0x7f)
					*p = '?';
			}
		}
	}
}

static void show_line(void *user, struct str line)
{
	relay_show(user, '<', line);
}

/* Say QUIT and wait a little for the answer; nothing depends on it. */
static void quit(const struct relay *relay, struct link *link)
{
	int limit = (int)phase_limit_ms(relay, PHASE_QUIT);
	int64_t until = clock_mono_ms() + limit;
	struct pollfd pollfd = {.fd = link->fd, .events = POLLIN};
	struct reply_reader reader;
	char in[1024];

	reply_init(&reader);
	reader.on_line = show_line;
	reader.user = (void *)relay;
	relay_show(relay, '>', STR("QUIT"));
	if (link_send(link, "QUIT\r\n", 6) != 6)
		return;
	while (clock_mono_ms() < until) {
		long n = link_recv(link, in, sizeof(in));
		struct str rest = {in, n > 0 ? (size_t)n : 0};

		if (n == LINK_LOST || (n > 0 && reply_read(&reader, &rest) != REPLY_MORE))
			return;
		if (n == LINK_AGAIN && poll(&pollfd, 1, limit) <= 0)
			return;
	}
}

static void *probe_run(void *arg)
{
	static const atomic_bool give_up = false;
	struct probe *p = arg;
	struct relay_facts *f = p->facts;
	struct link link;

	p->ok = link_open(p->relay, &give_up, true, &link, &p->why) == 0;
	if (!p->ok)
		return NULL;
	memcpy(f->greeting, link.greeting, sizeof(f->greeting));
	memcpy(f->tls_version, link.tls_version, sizeof(f->tls_version));
	memcpy(f->tls_cipher, link.tls_cipher, sizeof(f->tls_cipher));
	f->caps = link.caps;
	f->authenticated = link.authenticated;
	note_certificate(link.curl, f);
	quit(p->relay, &link);
	link_close(&link);
	return NULL;
}

int relay_probe(const struct relay *relay, struct relay_facts *out, struct err *e)
{
	struct probe p = {.relay = relay, .facts = out};
	const struct reply *r = &p.why.reply;
	pthread_t thread;

	if (relay_check(relay, e) < 0)
		return -1;
	curl_once();
	memset(out, 0, sizeof(*out));
	if (thread_start(&thread, probe_run, &p) < 0)
		return err_sys(e, "cannot start a thread for relay '%s'", relay->name);
	pthread_join(thread, NULL);
	if (p.ok)
		return 0;
	if (!r->code)
		return err_set(e, ERR_RELAY, "relay '%s' (%s:%u), phase %s: %s", relay->name,
			relay->host, relay->port, smtp_phase_name(p.why.phase), r->text);
	return err_set(e, ERR_RELAY, "relay '%s' (%s:%u), phase %s: it said '%d%s%s %s'",
		relay->name, relay->host, relay->port, smtp_phase_name(p.why.phase), r->code,
		r->status[0] ? " " : "", r->status, r->text);
}
