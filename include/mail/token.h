/* SPDX-License-Identifier: MIT */
#ifndef MAIL_TOKEN_H
#define MAIL_TOKEN_H

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Tokens: opaque, signed, never stored. A purpose, two integers and a generation, with an
 * HMAC-SHA-256 over all of it (RFC 2104), written in lower-case base32 so that mail systems that
 * change case keep them whole. No address is inside.
 */
enum token_purpose {
	TOKEN_VERP = 1, /* return path of one copy: issue, subscriber; 10 octets of MAC */
	TOKEN_UNSUBSCRIBE = 2, /* list, subscriber; 16 octets of MAC, never expires */
	TOKEN_PREFERENCES = 3, /* list, subscriber */
	TOKEN_VIEW = 4, /* issue, subscriber: the issue in a browser */
	TOKEN_CONFIRM = 5, /* issue (of the confirmation), subscriber */
	TOKEN_FORM = 6, /* time, list: when a form was shown */
	TOKEN_CLICK = 7, /* issue, subscriber (0 = nobody in particular): the links of a copy */
};

enum { TOKEN_KEY_SIZE = 32, TOKEN_TEXT_MAX = 64 };

/* The site's key. `id` goes into the token, so that keys can be rotated. */
struct token_key {
	uint8_t id;
	unsigned char key[TOKEN_KEY_SIZE];
};

struct token {
	enum token_purpose purpose;
	uint64_t a; /* issue or list */
	uint64_t b; /* subscriber */
};

/* Append the token's text (at most TOKEN_TEXT_MAX octets, [a-z2-7]) to `out`. */
void token_make(const struct token_key *key, const struct token *t, struct buf *out);

/* The same for who makes many: a kept MAC costs a sixth of a new one. NULL where OpenSSL has none; freed
 * by token_signer_close(), which takes NULL. One thread's. */
struct token_signer;
struct token_signer *token_signer_open(const struct token_key *key);
void token_sign(struct token_signer *s, const struct token *t, struct buf *out);
void token_signer_close(struct token_signer *s);

/* Read a token of `purpose`, in either case. False for anything that `key` did not sign for that
 * purpose; the comparison takes the same time whatever is wrong. */
bool token_read(const struct token_key *key, enum token_purpose purpose, struct str text,
	struct token *out);

#endif
