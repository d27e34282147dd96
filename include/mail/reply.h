/* SPDX-License-Identifier: MIT */
#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Replies of an SMTP server (RFC 5321 section 4.2) and what EHLO offers. The server is hostile:
 * lines, length and text are capped.
 */
enum { REPLY_TEXT_MAX = 512, REPLY_LINES_MAX = 100, REPLY_BYTES_MAX = 16384 };

struct reply {
	int code; /* 200-599; 0 = no reply was read */
	char status[12]; /* enhanced code "5.1.1" (RFC 3463) from the first line that has one, or ""
			  */
	char text[REPLY_TEXT_MAX]; /* lines joined with " / ", codes removed, control octets as '?'
				    */
};

struct reply_reader {
	struct reply reply;
	size_t lines, bytes; /* of the reply being read */
	size_t text_n;
	char line[REPLY_TEXT_MAX]; /* the line being read; a longer one is read on and cut here */
	size_t line_n;
	/* Called with each complete line, code included, control octets as '?', when not NULL: EHLO's
	 * keywords, the dialogue of -v. */
	void (*on_line)(void *user, struct str line);
	void *user;
};

enum reply_result { REPLY_MORE, REPLY_DONE, REPLY_BAD };

/* Make ready for a first reply; no on_line. */
void reply_init(struct reply_reader *r);

/* Take octets from the front of `*input`. REPLY_DONE: r->reply is whole, and `*input` begins behind
 * it; the next call starts the next reply. REPLY_BAD: a protocol error (a line without a code,
 * codes that differ, a first digit outside 2-5, over the caps): the connection is of no more use.
 */
enum reply_result reply_read(struct reply_reader *r, struct str *input);

enum { REPLY_WORDS_SIZE = REPLY_TEXT_MAX + 24 };

/* Write the reply in one piece, "550 5.1.1 no such user", into `out`; only its text when the server said
 * nothing. Returns `out`. */
char *reply_words(const struct reply *r, char out[REPLY_WORDS_SIZE]);

/* What an EHLO reply offers. */
struct smtp_caps {
	bool pipelining; /* RFC 2920 */
	bool eightbitmime; /* RFC 6152 */
	bool smtputf8; /* RFC 6531 */
	bool dsn; /* RFC 3461 */
	bool starttls; /* RFC 3207 */
	bool chunking; /* RFC 3030 */
	bool enhanced; /* RFC 2034 */
	bool has_size; /* RFC 1870 */
	unsigned long long size; /* largest message taken; 0 = no limit named */
	char auth[128]; /* mechanisms, space between (RFC 4954) */
};

/* Note one line of an EHLO reply, with or without its "250-". Unknown keywords are ignored. */
void smtp_caps_line(struct smtp_caps *caps, struct str line);

#endif
