/* SPDX-License-Identifier: MIT */
#include "mail/care.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- the last outcomes ---- */

void care_recent_add(struct care_recent *r, bool trouble)
{
	for (int i = CARE_RECENT_WORDS - 1; i > 0; i--)
		r->word[i] = r->word[i] << 1 | r->word[i - 1] >> 63;
	r->word[0] = r->word[0] << 1 | trouble;
}

int care_recent_count(const struct care_recent *r, int n)
{
	int count = 0;

	for (int i = 0; i < CARE_RECENT_WORDS && n > 0; i++, n -= 64)
		count += __builtin_popcountll(
			n < 64 ? r->word[i] & ((UINT64_C(1) << n) - 1) : r->word[i]);
	return count;
}

bool care_of_content(enum reason reason)
{
	return reason == REASON_CONTENT || reason == REASON_PROTOCOL;
}

bool care_of_setup(enum reason reason)
{
	return reason == REASON_AUTH || reason == REASON_SENDER || reason == REASON_SIZE;
}

/* ---- rates ---- */

/* In thousandths of what they are a part of. A part smaller than `part_min`, or a whole smaller than
 * `whole_min`, says nothing yet. */
static const struct rate {
	const char *words;
	int warn, pause;
	int64_t part_min, whole_min, whole_min_stage;
} rates[] = {
	{"dead addresses", 50, 100, 1, 100, 20},
	{"refusals of our address or reputation", 50, 100, 1, 100, 20},
	{"complaints", 1, 3, 3, 1, 1},
};
enum { RATE_HARD, RATE_BLOCK, RATE_COMPLAINT, RATE_N };

static enum care_word judge_rate(
	const struct rate *r, int64_t part, int64_t whole, bool stage_end, char why[CARE_WHY_SIZE])
{
	enum care_word word;

	if (whole < part) /* reports about copies from before the operator's last word */
		whole = part;
	if (part < r->part_min || whole < (stage_end ? r->whole_min_stage : r->whole_min) ||
		part * 1000 < whole * r->warn)
		return CARE_FINE;
	word = part * 1000 < whole * r->pause ? CARE_WARN : CARE_PAUSE;
	snprintf(why, CARE_WHY_SIZE, "%.1f %% %s: %" PRId64 " of %" PRId64,
		100.0 * (double)part / (double)whole, r->words, part, whole);
	return word;
}

enum care_word care_judge(const struct care *c, bool stage_end, char why[CARE_WHY_SIZE])
{
	const int64_t part[RATE_N] = {c->hard, c->blocked, c->complaints};
	const int64_t whole[RATE_N] = {c->sent + c->refused, c->tries, c->sent};
	int content = care_recent_count(&c->recent, CARE_RECENT_MAX);
	enum care_word worst = CARE_FINE;

	if (content * 20 > CARE_RECENT_MAX) {
		snprintf(why, CARE_WHY_SIZE,
			"the message itself is refused: %d of the last %d copies", content,
			CARE_RECENT_MAX);
		return CARE_PAUSE;
	}
	for (int i = 0; i < RATE_N; i++) {
		char words[CARE_WHY_SIZE];
		enum care_word word = judge_rate(&rates[i], part[i], whole[i], stage_end, words);

		if (word <= worst)
			continue;
		worst = word;
		snprintf(why, CARE_WHY_SIZE, "%s", words);
	}
	return worst;
}

enum care_word care_judge_lane(
	const struct care_recent *r, enum reason reason, char why[CARE_WHY_SIZE])
{
	static const char *const words[REASON_N] = {
		[REASON_AUTH] =
			"our mail fails authentication: mend SPF, DKIM, DMARC or reverse DNS",
		[REASON_SENDER] = "our envelope sender is refused",
		[REASON_SIZE] = "the message is too large",
	};
	enum { LAST = 50, ENOUGH = 3 };
	int n = care_recent_count(r, LAST);

	if (!care_of_setup(reason) || n < ENOUGH)
		return CARE_FINE;
	snprintf(why, CARE_WHY_SIZE, "%s (%d of the last %d copies to one provider)", words[reason],
		n, LAST);
	return CARE_PAUSE;
}

/* ---- stages ---- */

enum { WHOLE = 10000 };

/* "1%", "0.25 %" → 100, 25. */
static bool parse_share(struct str text, int *share)
{
	struct str number, whole;
	int64_t percent, hundredths = 0;

	text = str_trim(text);
	if (!str_has_suffix(text, STR("%")))
		return false;
	number = str_trim(str_slice(text, 0, text.n - 1));
	if (!str_next(&number, '.', &whole) || !str_to_int(whole, 0, 99, &percent))
		return false;
	if (number.p && (number.n < 1 || number.n > 2 || !str_to_int(number, 0, 99, &hundredths) ||
				number.p[0] == '-'))
		return false;
	if (number.n == 1)
		hundredths *= 10;
	*share = (int)(percent * 100 + hundredths);
	return *share > 0;
}

bool care_stages_parse(struct str text, struct care_stages *out)
{
	struct care_stages stages = {0};
	struct str rest = text, share;
	int before = 0;

	if (str_trim(text).n)
		while (str_next(&rest, ',', &share)) {
			if (stages.n == CARE_STAGE_MAX ||
				!parse_share(share, &stages.share[stages.n]) ||
				stages.share[stages.n] <= before)
				return false;
			before = stages.share[stages.n++];
		}
	*out = stages;
	return true;
}

int64_t care_ceiling(const struct care_stages *stages, int stage, int64_t audience)
{
	int64_t n;

	if (stage >= stages->n || audience < CARE_STAGED_FROM)
		return audience;
	n = (audience * stages->share[stage] + WHOLE - 1) / WHOLE;
	return n < CARE_STAGE_MIN ? CARE_STAGE_MIN : n;
}
