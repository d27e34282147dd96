/* SPDX-License-Identifier: MIT */
#include "worker.h"

#include <stdlib.h>

/* What a worker writes into the send journals of its issues: one write a turn and issue for the outcomes,
 * before their commit, and one for the intents, behind theirs. */

static void add(
	struct worker *w, const struct worker_slot *slot, enum journal_kind kind, int64_t now)
{
	const struct journal_entry entry = {
		.subscriber = slot->subscriber,
		.mark = slot->mark,
		.at = now,
		.attempt = slot->attempts + 1,
		.relay = str_of(w->relay[slot->relay].name),
		.kind = kind,
	};

	if (slot->of->journal)
		journal_add(slot->of->journal, &entry);
}

int worker_journal_outcomes(struct worker *w, int64_t now, struct err *e)
{
	for (size_t i = 0; i < w->done_n; i++) {
		enum verdict_action action = w->done[i].action;

		if (action != VERDICT_DOUBT)
			add(w, &w->slot[w->done[i].id],
				action == VERDICT_SENT ? JOURNAL_SENT : JOURNAL_NOT_SENT, now);
	}
	for (struct worker_issue *i = w->issue; i; i = i->next) {
		int wrote = i->journal && w->journal_bad.code == ERR_NONE
				    ? journal_write(i->journal, &w->journal_bad)
				    : 0;

		if (wrote > 0 && journal_seen(w->site->store, i->journal, e) < 0)
			return -1;
	}
	return 0;
}

/* What was intended and may not leave: it comes back as what nothing was said about. */
static void withhold(struct worker *w)
{
	for (size_t i = 0; i < w->slot_n; i++) {
		struct worker_slot *slot = &w->slot[i];

		if (slot->use != SLOT_INTENDED)
			continue;
		slot->use = SLOT_SUBMITTED;
		free(slot->stocked);
		slot->stocked = NULL;
		w->done[w->done_n++] = (struct outcome){.id = i,
			.relay = (unsigned)slot->relay,
			.action = VERDICT_AGAIN,
			.phase = PHASE_CONNECT,
			.finding = FINDING_NONE};
	}
}

int worker_journal_intents(struct worker *w, int64_t now, struct err *e)
{
	for (size_t i = 0; i < w->slot_n; i++)
		if (w->slot[i].use == SLOT_INTENDED)
			add(w, &w->slot[i], JOURNAL_INTENT, now);
	for (struct worker_issue *i = w->issue; i; i = i->next)
		if (i->journal && w->journal_bad.code == ERR_NONE)
			journal_write(i->journal, &w->journal_bad);
	if (w->journal_bad.code == ERR_NONE)
		return 0;
	withhold(w);
	return err_set(e, w->journal_bad.code, "%s", w->journal_bad.text);
}
