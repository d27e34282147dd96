/* SPDX-License-Identifier: MIT */
#ifndef SMTPD_SCRIPT_H
#define SMTPD_SCRIPT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the server does otherwise than a well-behaved one. A rule is one line:
 *
 *   STEP [ADDRESS] {CONDITION} {ACTION} [reply TEXT]
 *
 * README.md beside this file has the words and their meaning.
 */
enum step {
	STEP_CONNECT,
	STEP_HELO,
	STEP_EHLO,
	STEP_STARTTLS,
	STEP_TLS,
	STEP_AUTH,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_BODY,
	STEP_DOT,
	STEP_AFTER_DOT,
	STEP_RSET,
	STEP_QUIT,
	STEP_COUNT,
};

/* What becomes of the connection once the reply, if any, is out. */
enum end {
	END_NONE,
	END_CLOSE,
	END_RESET,
	END_STALL,
	END_ENDLESS,
};

struct span {
	uint64_t from, to; /* both included */
};

struct rule {
	enum step step;
	const char *address; /* pattern for fnmatch(), NULL = any */
	struct span n, conn, msg;
	uint64_t every; /* only each every-th, 0 = all */
	uint64_t bytes; /* STEP_BODY: fires when so many octets of the message have come */
	bool once;
	int64_t delay_ms;
	bool garbage; /* octets that are no reply, in its place */
	const char *reply; /* lines with CRLF, NULL = the usual one, or none before an end */
	enum end end;

	uint64_t seen; /* how often step and address have fitted */
	uint64_t fired;
};

struct script {
	struct arena arena;
	struct rule *rule;
	size_t rule_n;
	bool has[STEP_COUNT];
};

/* Who and where it is about. `address` is what ADDRESS is held against; NULL fits only rules
 * without. */
struct moment {
	uint64_t conn, msg;
	const char *const *address;
	size_t address_n;
	uint64_t bytes_before, bytes_now; /* STEP_BODY */
};

/* Add the rule in `line`; an empty line or one that starts with '#' adds nothing. ERR_INPUT. */
int script_add(struct script *s, struct str line, struct err *e);

/* Add the rules of the file `path`, one a line. ERR_INPUT starts "FILE:LINE: ". */
int script_read(struct script *s, const char *path, struct err *e);

/* Count the moment in all rules it fits; the first one that fires, or NULL. */
const struct rule *script_match(struct script *s, enum step step, const struct moment *m);

void script_free(struct script *s);

#endif
