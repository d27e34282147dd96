/* SPDX-License-Identifier: MIT */
#ifndef SRC_MAIL_PHRASE_H
#define SRC_MAIL_PHRASE_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Finding phrases in what servers say. The text is read once into words, in lower case and without
 * punctuation; phrases are then compared word by word, so that no fragment of a word, of a host's name
 * or of an address can decide. The time is linear in the text: a phrase has a bounded reach.
 *
 * A pattern is one or more phrases with ';' between. The words of a phrase:
 *
 *   word       this word                  (word)  this word, or none
 *   a/b/c      one of these               ..      up to PHRASE_GAP words of any kind
 *   word*      a word that begins so      ^ $     begin, end of the text
 *   #addr #ip #host #num   an address, an IP address, the name of a host, a number
 */
enum {
	PHRASE_TEXT_MAX = 1024, /* octets of the text that are looked at */
	PHRASE_WORDS_MAX = 256,
	PHRASE_GAP = 8,
};

enum phrase_where {
	IN_TEXT,
	IN_HOSTS, /* the labels of host names in the text */
	IN_LINKS, /* the labels of host names in URLs */
	PHRASE_WHERE_N,
};

struct phrase_words {
	struct str word[PHRASE_WORDS_MAX];
	size_t n;
	uint64_t seen[16]; /* a bit for each beginning of three octets that occurs */
};

struct phrase_text {
	struct phrase_words in[PHRASE_WHERE_N];
	char room[PHRASE_TEXT_MAX]; /* the words' octets */
	size_t room_n;
};

/* Read `text`; what is over the caps is left out. `out` keeps no view into it. */
void phrase_read(struct str text, struct phrase_text *out);

/* Whether a phrase of `pattern` occurs; `at` (may be NULL) gets the index of its first word. */
bool phrase_match(const char *pattern, const struct phrase_words *words, size_t *at);

/* Octets of the enhanced code "5.1.1" (RFC 3463 section 2) that `s` begins with, 0 where there is none. */
size_t phrase_status(struct str s);

#endif
