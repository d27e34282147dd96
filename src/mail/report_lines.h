/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAIL_REPORT_LINES_H
#define SRC_MAIL_REPORT_LINES_H

#include "base/arena.h"
#include "base/str.h"
#include "mail/verdict.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The words of a report, line by line: what each line says (by the table of report_rules.h), which
 * addresses it names and which reply it quotes. Ends where the copy of the returned message begins.
 */
enum {
	LINES_MAX = 600,
	LINE_BYTES_MAX = 1000, /* octets of one line that are looked at */
	LINE_ADDRESSES_MAX = 8,
	LINE_FAR = 4, /* lines between the head of a paragraph and what still belongs to it */
};

/* What a line says. */
enum line_says {
	SAYS_NAMES = 1, /* the addresses that failed follow */
	SAYS_NAME = 2, /* the address in these words failed */
	SAYS_FAILED = 4, /* something failed */
	SAYS_LATER = 8, /* the relay still tries */
	SAYS_FINAL = 16, /* it has given up */
	SAYS_CHALLENGE = 32, /* the sender is to prove that it is a person */
	SAYS_AWAY = 64, /* nobody reads this now */
	SAYS_COPY = 128, /* the copy of the message follows */
	SAYS_WEAK = 512, /* something failed, in words that others use as well */
	SAYS_DAEMON = 256, /* a mail system, as a sender's name */
};

struct line {
	struct str text; /* trimmed */
	unsigned says;
	const char *rule; /* of SAYS_NAMES and SAYS_NAME */
	struct str named; /* the address of SAYS_NAME */
	struct str address[LINE_ADDRESSES_MAX];
	size_t address_n;
	bool leads; /* it begins with its first address */
	struct str reply; /* what begins with a reply's code, to the end of the line; or empty */
	enum smtp_phase phase; /* the command that it says was refused; PHASE_N: none */
};

struct lines {
	struct line *line;
	size_t n;
	struct str copy; /* what follows them: the returned message, or empty */
	struct str to; /* a field "To:" among them that names one address */
	unsigned says; /* by any of them */
};

/* Read `text`. Quoted text ("> ") loses its marks. */
void lines_read(struct arena *a, struct str text, struct lines *out);

/* What the words of one line, as a subject, say. */
unsigned lines_say(struct str words);

/* Whether `s` may be an address: something, '@' and the name of a host. */
bool lines_is_address(struct str s);

/* What begins with a reply's code in `s`, to its end; empty where none is quoted. */
struct str lines_find_reply(struct str s);

/* `reply` (from lines_find_reply()) and the further words `more` in one: code, a space, text. Empty where
 * `reply` is. */
struct str lines_tidy(struct arena *a, struct str reply, struct str more);

/* The words of a reply, its code first, among lines `from` to `to`: from the first code on to the end of its
 * paragraph, joined. Empty where no code is quoted. */
struct str lines_reply(struct arena *a, const struct lines *t, size_t from, size_t to);

/* All words of lines `from` to `to`, joined. */
struct str lines_join(struct arena *a, const struct lines *t, size_t from, size_t to);

#endif
