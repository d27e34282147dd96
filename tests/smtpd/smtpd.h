/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_H
#define SMTPD_H

#include "script.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The scripted SMTP server of the tests: one process, one epoll thread. README.md says what it
 * does. */
enum {
	IN_SIZE = 128 * 1024, /* of a connection's input */
	OUT_MAX = 1 << 20,
	COMMAND_MAX = 2048, /* RFC 5321 section 4.5.3.1.4 asks for 512, extensions add to it */
	HEADER_MAX = 64 * 1024,
	RECIPIENTS_MAX = 1000,
	LINE_MAX_OCTETS = 1000, /* RFC 5321 section 4.5.3.1.6, with CRLF */
};

enum extension {
	EXT_PIPELINING = 1 << 0,
	EXT_SIZE = 1 << 1,
	EXT_8BITMIME = 1 << 2,
	EXT_SMTPUTF8 = 1 << 3,
	EXT_DSN = 1 << 4,
	EXT_ENHANCED = 1 << 5,
	EXT_CHUNKING = 1 << 6,
	EXT_STARTTLS = 1 << 7,
	EXT_AUTH = 1 << 8,
};

struct extension_name {
	const char *name;
	enum extension bit;
};
extern const struct extension_name extension_names[];
extern const size_t extension_name_n;

struct options {
	int port;
	const char *port_file;
	unsigned extensions;
	uint64_t size; /* largest message */
	const char *cert, *key;
	bool implicit_tls, require_tls;
	const char *user, *password; /* NULL = no AUTH */
	int64_t reply_delay_ms, dot_delay_ms;
	const char *log, *maildir, *transcript;
	bool sha256;
	int64_t max_seconds;
	struct script script;
};

struct recipient {
	const char *address, *notify, *orcpt;
};

/* One mail transaction; its strings live in `arena`. */
struct transaction {
	struct arena arena;
	bool open; /* MAIL was accepted */
	const char *sender, *body, *envid, *ret;
	bool utf8;
	struct recipient *recipient;
	const char **address; /* of the recipients, for the script */
	size_t recipient_n, recipient_cap;

	struct buf text; /* the message: all of it, or its header alone when nobody wants more */
	bool begun;
	bool whole; /* text is all of it */
	bool header_done;
	bool after_crlf; /* the next octet starts a line */
	bool eight_bit;
	uint64_t bytes;
	unsigned reported; /* kinds of violation, each once a message */
};

enum state {
	STATE_COMMAND,
	STATE_AUTH, /* a line of the AUTH exchange is awaited */
	STATE_DATA,
	STATE_BDAT,
	STATE_DEAF, /* input is thrown away: the connection ends, or stalls */
};

enum tls { TLS_NONE, TLS_WANTED, TLS_HANDSHAKE, TLS_UP };

struct segment {
	int64_t due;
	size_t n;
};

struct conn {
	struct conn *next, **link;
	struct server *server;
	int fd;
	uint64_t number, msg;
	enum state state;
	enum tls tls;
	SSL *ssl;

	char *in;
	size_t in_n;
	bool eof;
	int64_t hold_until; /* 0 = input is read */

	struct buf out;
	size_t ready; /* octets of `out` that may leave */
	struct segment *segment; /* the rest, by the time it may leave */
	size_t segment_n, segment_cap;
	int64_t last_due;
	int64_t linger_until; /* our side is shut, the client's end is awaited */
	enum end end;
	bool dead;
	unsigned events; /* what epoll waits for */

	bool refused; /* the greeting was no 220 (RFC 5321 section 3.1) */
	bool greeted, extended, authenticated;
	bool sync; /* the client must now wait for what is in `out` */
	const char *sync_after;
	int auth_step; /* 0 PLAIN, 1 LOGIN's user, 2 LOGIN's password */
	bool auth_user_fits;

	struct transaction t;
	uint64_t chunk; /* octets of a BDAT chunk still to come */
	bool chunk_last, chunk_refused;
};

struct totals {
	uint64_t connections, at_once, most_at_once;
	uint64_t messages, copies, bytes, violations;
};

struct server {
	struct options *o;
	int epoll, listener, signals;
	SSL_CTX *tls;
	struct conn *first;
	int64_t now, next_due;
	int log, maildir;
	int transcript;
	struct buf transcript_text;
	struct totals totals;
	bool stop;
};

/* server.c: sockets, time, TLS. */
int server_open(struct server *s, struct options *o, struct err *e);
int server_run(struct server *s, struct err *e);
void server_close(struct server *s);

/* out.c: what leaves, and when. `delay_ms` comes on top of the emulated round trip. */
void out_add(struct conn *c, struct str text, int64_t delay_ms);
void out_end(struct conn *c, enum end end, int64_t delay_ms);
void out_flush(struct conn *c);
bool out_empty(const struct conn *c);

/* session.c: the dialogue. Both work on what is there and never block. */
void session_open(struct conn *c);
void session_input(struct conn *c);

/* reply.c: choose the rule for this step, do what it says, else give the usual reply. Returns the
 * code that the client sees, 0 when it sees none. */
int reply(struct conn *c, enum step step, const char *address, int code, const char *status,
	const char *text);
/* The same in its parts. `usual` is a whole reply with its line ends. */
const struct rule *reply_rule(struct conn *c, enum step step, const char *const *address, size_t n);
int reply_code(const struct rule *r, int code);
int reply_perform(
	struct conn *c, const struct rule *r, int64_t delay_ms, int code, struct str usual);
/* A reply that no rule changes. */
void reply_plain(struct conn *c, int code, const char *status, const char *text);
/* The usual reply as one line, with the enhanced code where it is offered. In `line`. */
struct str reply_format(
	const struct conn *c, char line[512], int code, const char *status, const char *text);

/* envelope.c: MAIL and RCPT. */
void transaction_reset(struct transaction *t);
void transaction_free(struct transaction *t);
void envelope_mail(struct conn *c, struct str args);
void envelope_rcpt(struct conn *c, struct str args);

/* auth.c */
void auth_begin(struct conn *c, struct str args);
void auth_line(struct conn *c, struct str line);

/* data.c: the message. */
void data_command(struct conn *c, struct str args);
void data_chunk_command(struct conn *c, struct str args);
/* Take octets of DATA, or of a BDAT chunk, from the front of `in`; returns how many. */
size_t data_take(struct conn *c, struct str in);
size_t data_chunk_take(struct conn *c, struct str in);

/* tls.c */
SSL_CTX *tls_open(const struct options *o, struct err *e);
void tls_begin(struct conn *c);
bool tls_handshake(struct conn *c);

/* record.c: everything is written when these return. */
int record_open(struct server *s, struct err *e);
void record_message(struct conn *c);
void record_violation(struct conn *c, const char *what, struct str detail);
void record_dialogue(struct conn *c, char direction, struct str lines);
void record_flush(struct server *s);
void record_close(struct server *s);
void record_summary(struct server *s);

#endif
