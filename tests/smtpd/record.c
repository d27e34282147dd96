/* SPDX-License-Identifier: MIT */
#include "smtpd.h"

#include "base/clock.h"
#include "base/enc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_LOG = 1 << 20 };

static int append_open(const char *path, struct err *e)
{
	int fd;

	if (!path)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0)
		err_sys(e, "cannot write '%s'", path);
	return fd;
}

static int maildir_open(const char *path, struct err *e)
{
	static const char *const parts[] = {"cur", "new", "tmp"};
	int fd;

	if (!path)
		return -1;
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "cannot make '%s'", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	for (size_t i = 0; i < 3; i++)
		if (mkdirat(fd, parts[i], 0755) < 0 && errno != EEXIST)
			err_sys(e, "cannot make '%s/%s'", path, parts[i]);
	return fd;
}

int record_open(struct server *s, struct err *e)
{
	struct err failure = {.code = ERR_NONE};

	buf_init(&s->transcript_text, 64 << 20);
	s->log = append_open(s->o->log, &failure);
	s->transcript = append_open(s->o->transcript, &failure);
	s->maildir = maildir_open(s->o->maildir, &failure);
	if (failure.code == ERR_NONE)
		return 0;
	*e = failure;
	return -1;
}

/* What cannot be recorded must not be acknowledged: the tests would count wrongly. */
static void write_all(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);

		if (n < 0 && errno != EINTR) {
			fprintf(stderr, "smtpd: cannot write a record: %s\n", strerror(errno));
			exit(74);
		}
		if (n > 0)
			s = str_slice(s, (size_t)n, s.n);
	}
}

static void field(struct buf *b, const char *name, struct str value)
{
	buf_printf(b, "\"%s\":", name);
	enc_json(b, value);
	buf_char(b, ',');
}

/* The value of Message-ID in the header at the start of `text`, white space around it removed. */
static struct str message_id(struct str text)
{
	struct str line;

	while (str_next(&text, '\n', &line) && str_trim(line).n) {
		if (!str_has_prefix_nocase(line, STR("Message-ID:")))
			continue;
		line = str_trim(str_slice(line, 11, line.n));
		if (!line.n && str_next(&text, '\n', &line)) /* folded behind the colon */
			line = str_trim(line);
		return line;
	}
	return STR("");
}

static void message_fields(struct buf *b, const struct conn *c)
{
	const struct transaction *t = &c->t;
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned digest_n = 0;

	buf_printf(b, "{\"message\":%" PRIu64 ",\"conn\":%" PRIu64 ",\"bytes\":%" PRIu64 ",",
		c->server->totals.messages, c->number, t->bytes);
	field(b, "from", str_of(t->sender));
	field(b, "message_id", message_id(buf_view(&t->text)));
	buf_printf(b, "\"tls\":%s,\"auth\":%s,\"smtputf8\":%s,",
		c->tls == TLS_UP ? "true" : "false", c->authenticated ? "true" : "false",
		t->utf8 ? "true" : "false");
	if (t->body)
		field(b, "body", str_of(t->body));
	if (t->envid)
		field(b, "envid", str_of(t->envid));
	if (t->ret)
		field(b, "ret", str_of(t->ret));
	if (c->server->o->sha256 &&
		EVP_Digest(t->text.p, t->text.n, digest, &digest_n, EVP_sha256(), NULL) == 1) {
		buf_cstr(b, "\"sha256\":\"");
		enc_hex(b, (struct str){(const char *)digest, digest_n});
		buf_cstr(b, "\",");
	}
}

static void log_message(const struct conn *c)
{
	const struct transaction *t = &c->t;
	struct buf common, all;

	buf_init(&common, LINE_MAX_LOG);
	buf_init(&all, LINE_MAX_LOG);
	message_fields(&common, c);
	for (size_t i = 0; i < t->recipient_n; i++) {
		const struct recipient *r = &t->recipient[i];

		buf_str(&all, buf_view(&common));
		if (r->notify)
			field(&all, "notify", str_of(r->notify));
		if (r->orcpt)
			field(&all, "orcpt", str_of(r->orcpt));
		buf_cstr(&all, "\"to\":");
		enc_json(&all, str_of(r->address));
		buf_cstr(&all, "}\n");
	}
	write_all(c->server->log, buf_view(&all));
	buf_free(&common);
	buf_free(&all);
}

/* The message with LF at line ends, as it is usual in a Maildir. */
static void text_local(struct buf *b, struct str text)
{
	const char *cr;

	while (text.n && (cr = memchr(text.p, '\r', text.n))) {
		size_t n = (size_t)(cr - text.p);

		buf_add(b, text.p, n);
		if (n + 1 == text.n || text.p[n + 1] != '\n')
			buf_char(b, '\r');
		text = str_slice(text, n + 1, text.n);
	}
	buf_str(b, text);
}

static void maildir_message(const struct conn *c)
{
	const struct server *s = c->server;
	const struct transaction *t = &c->t;
	struct buf b;
	char tmp[128], new[128];

	for (size_t i = 0; i < t->recipient_n; i++) {
		int fd;

		snprintf(tmp, sizeof(tmp), "tmp/%" PRId64 ".P%dQ%" PRIu64 "R%zu.smtpd", clock_now(),
			(int)getpid(), s->totals.messages, i);
		snprintf(new, sizeof(new), "new/%s", tmp + 4);
		buf_init(&b, t->text.n + 2 * COMMAND_MAX);
		buf_printf(&b, "Return-Path: <%s>\nDelivered-To: %s\n", t->sender,
			t->recipient[i].address);
		text_local(&b, buf_view(&t->text));
		fd = openat(s->maildir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0) {
			fprintf(stderr, "smtpd: cannot create '%s': %s\n", tmp, strerror(errno));
			exit(74);
		}
		write_all(fd, buf_view(&b));
		close(fd);
		renameat(s->maildir, tmp, s->maildir, new);
		buf_free(&b);
	}
}

void record_message(struct conn *c)
{
	struct totals *totals = &c->server->totals;

	totals->messages++;
	totals->copies += c->t.recipient_n;
	totals->bytes += c->t.bytes;
	if (c->server->maildir >= 0)
		maildir_message(c);
	if (c->server->log >= 0)
		log_message(c);
}

void record_violation(struct conn *c, const char *what, struct str detail)
{
	struct server *s = c->server;
	struct buf b;

	s->totals.violations++;
	if (s->log < 0)
		return;
	buf_init(&b, LINE_MAX_LOG);
	buf_printf(&b, "{\"conn\":%" PRIu64 ",", c->number);
	field(&b, "violation", str_of(what));
	buf_cstr(&b, "\"detail\":");
	enc_json(&b, detail);
	buf_cstr(&b, "}\n");
	write_all(s->log, buf_view(&b));
	buf_free(&b);
}

void record_dialogue(struct conn *c, char direction, struct str lines)
{
	struct server *s = c->server;
	struct str line;

	if (s->transcript < 0)
		return;
	while (str_next(&lines, '\n', &line)) {
		line = str_trim(line);
		if (line.n || lines.p)
			buf_printf(&s->transcript_text, "%" PRIu64 " %c %.*s\n", c->number,
				direction, STR_ARG(line));
	}
}

void record_flush(struct server *s)
{
	if (s->transcript < 0 || !s->transcript_text.n)
		return;
	write_all(s->transcript, buf_view(&s->transcript_text));
	buf_reset(&s->transcript_text);
}

void record_summary(struct server *s)
{
	const struct totals *t = &s->totals;

	printf("{\"connections\":%" PRIu64 ",\"most_at_once\":%" PRIu64 ",\"messages\":%" PRIu64
	       ",\"copies\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"violations\":%" PRIu64
	       ",\"cpu_us\":%" PRId64 "}\n",
		t->connections, t->most_at_once, t->messages, t->copies, t->bytes, t->violations,
		clock_cpu_ns() / 1000);
	fflush(stdout);
}

void record_close(struct server *s)
{
	record_flush(s);
	buf_free(&s->transcript_text);
	if (s->log >= 0)
		close(s->log);
	if (s->transcript >= 0)
		close(s->transcript);
	if (s->maildir >= 0)
		close(s->maildir);
}
