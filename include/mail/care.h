/* SPDX-License-Identifier: MIT */
#ifndef MAIL_CARE_H
#define MAIL_CARE_H

#include "mail/classify.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Care for reputation: when an issue must stand still because too many of its copies are refused or
 * reported, and how large its first stages are. All thresholds are here.
 */

/* The last outcomes, newest first, one bit each: set where it was of a kind that more copies would only
 * meet again. */
enum { CARE_RECENT_MAX = 200, CARE_RECENT_WORDS = 4 };
struct care_recent {
	uint64_t word[CARE_RECENT_WORDS];
};
void care_recent_add(struct care_recent *r, bool trouble);

/* How many of the last `n` (<= CARE_RECENT_MAX) are set. */
int care_recent_count(const struct care_recent *r, int n);

/* What came of the copies of an issue since the operator last said "send". */
struct care {
	int64_t tries; /* answers about a copy, also those that put it off */
	int64_t blocked; /* of them, because of our address or reputation */
	int64_t sent; /* taken by the relay */
	int64_t refused; /* for good */
	int64_t hard; /* addresses that are dead: refused, or reported later by mail */
	int64_t complaints;
	struct care_recent recent; /* our message is refused: content, protocol */
};

/* Whether a reason is kept in an issue's `recent` (its content) or in a lane's (our set-up: auth, sender,
 * size); neither for what is about the reader or the way there. */
bool care_of_content(enum reason reason);
bool care_of_setup(enum reason reason);

enum care_word {
	CARE_FINE,
	CARE_WARN, /* tell the operator; ends a stage, too */
	CARE_PAUSE,
};
enum { CARE_WHY_SIZE = 160 };

/* Judge an issue, with the sentence for the operator in `why` unless it is fine. `stage_end`: between two
 * stages, where less is known and more is at stake: fewer copies are enough to judge by. */
enum care_word care_judge(const struct care *c, bool stage_end, char why[CARE_WHY_SIZE]);

/* Judge the recent outcomes of one lane of an issue by a refusal for `reason` that has just come. */
enum care_word care_judge_lane(
	const struct care_recent *r, enum reason reason, char why[CARE_WHY_SIZE]);

/* ---- stages ---- */

enum {
	CARE_STAGE_MAX = 4,
	CARE_STAGED_FROM = 10000, /* a smaller audience has no stages: it is over before rates mean
				   * anything */
	CARE_STAGE_MIN = 100, /* copies in a stage */
};

/* The sizes of the stages before the last, in hundredths of a per cent of the audience: each larger than
 * the one before. */
struct care_stages {
	int n;
	int share[CARE_STAGE_MAX];
};

/* Read "1%,10%" (up to CARE_STAGE_MAX shares that grow, two decimals); the empty text is none. */
bool care_stages_parse(struct str text, struct care_stages *out);

/* How many copies of `audience` may have been begun in `stage` (from 0): all of them behind the last
 * share, or where the audience is small. */
int64_t care_ceiling(const struct care_stages *stages, int stage, int64_t audience);

#endif
