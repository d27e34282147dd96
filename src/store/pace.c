/* SPDX-License-Identifier: MIT */
#include "store/pace.h"
#include "db.h"

#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

static void words_in(char *out, size_t size, sqlite3_stmt *st, int column)
{
	struct str text = db_text(st, column);

	snprintf(out, size, "%.*s", STR_ARG(text));
}

static int load_relay(struct store *s, struct pacer_relay *r, int64_t *id, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	*id = 0;
	r->rate = (struct pace_rate){0};
	r->warm = (struct pace_warm){0};
	r->circuit = (struct pace_circuit){0};
	r->reason[0] = '\0';
	memset(r->window, 0, sizeof r->window);
	if (db_query(s,
		    "SELECT relays.id, paused_until, failures, reason, probe_until, free_us,"
		    " warm_day, warm_used, warm_level, down_since"
		    " FROM relays LEFT JOIN relay_pace ON relay_id = relays.id WHERE name = ?1",
		    VALS(TEXT(str_of(r->name))), &st, e) < 0)
		return -1;
	rc = db_row(s, st, e);
	if (rc != 1)
		return rc;
	*id = sqlite3_column_int64(st, 0);
	r->circuit.rest_until = sqlite3_column_int64(st, 1);
	r->circuit.failures = sqlite3_column_int(st, 2);
	words_in(r->reason, sizeof r->reason, st, 3);
	r->circuit.probe_until = sqlite3_column_int64(st, 4);
	r->rate.free_us = sqlite3_column_int64(st, 5);
	r->warm.day = sqlite3_column_int64(st, 6);
	r->warm.used = sqlite3_column_int64(st, 7);
	r->warm.level = sqlite3_column_int(st, 8);
	r->circuit.since = sqlite3_column_int64(st, 9);
	db_end(st);
	return 0;
}

/* In the order of slots, oldest first, so that the newest decides where the window ends. */
static int load_counts(struct store *s, struct pacer_relay *r, int64_t id, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s, "SELECT span, slot, n FROM relay_counts WHERE relay_id = ?1", VALS(INT(id)),
		    &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		enum pace_span span = (enum pace_span)sqlite3_column_int(st, 0);

		if (span < PACE_SPAN_N)
			pace_window_add(&r->window[span], span,
				sqlite3_column_int64(st, 1) * pace_slot_seconds(span),
				sqlite3_column_int(st, 2));
	}
	return rc;
}

static void fill_lane(struct pacer_lane *l, sqlite3_stmt *st)
{
	struct pace_throttle *t = &l->throttle;

	l->rate.free_us = sqlite3_column_int64(st, 1);
	*t = (struct pace_throttle){
		.strike = {sqlite3_column_int64(st, 2), sqlite3_column_int64(st, 3),
			sqlite3_column_int64(st, 4)},
		.acted_at = sqlite3_column_int64(st, 5),
		.wait_until = sqlite3_column_int64(st, 6),
		.hold_until = sqlite3_column_int64(st, 7),
		.per_minute = sqlite3_column_int(st, 8),
		.at_once = sqlite3_column_int(st, 9),
		.at_once_until = sqlite3_column_int64(st, 10),
		.blocks = sqlite3_column_int(st, 11),
	};
	l->throttled = sqlite3_column_int64(st, 12);
	l->refusal.at = sqlite3_column_int64(st, 13);
	l->refusal.code = sqlite3_column_int(st, 14);
	words_in(l->refusal.words, sizeof l->refusal.words, st, 15);
}

static int load_lanes(struct store *s, struct pacer *p, struct err *e)
{
	sqlite3_stmt *st;
	int rc;

	if (db_query(s,
		    "SELECT lane, free_us, strike_1, strike_2, strike_3, acted_at, wait_until,"
		    " hold_until, per_minute, at_once, at_once_until, blocks, throttled, "
		    "refused_at,"
		    " refused_code, refused_words FROM lane_pace",
		    NULL, &st, e) < 0)
		return -1;
	while ((rc = db_row(s, st, e)) == 1) {
		int lane = pacer_lane_find(p, sqlite3_column_int64(st, 0));

		if (lane >= 0)
			fill_lane(&p->lane[lane], st);
	}
	return rc;
}

int pace_load(struct store *s, struct pacer *p, struct err *e)
{
	int64_t version, id;

	/* It changes when another connection has committed, and for nothing that this one does. */
	if (db_int(s, "PRAGMA data_version", NULL, &version, e) < 0)
		return -1;
	if (p->known == version)
		return 0;
	for (size_t i = 0; i < p->relay_n; i++)
		if (load_relay(s, &p->relay[i], &id, e) < 0 ||
			(id && load_counts(s, &p->relay[i], id, e) < 0))
			return -1;
	if (load_lanes(s, p, e) < 0)
		return -1;
	p->known = version;
	return 0;
}

/* ---- writing ---- */

static int64_t first_changed(const struct pacer_relay *r, enum pace_span span)
{
	int64_t slot = r->changed_from / pace_slot_seconds(span);
	int64_t oldest = r->window[span].slot - pace_slot_count(span) + 1;

	return slot > oldest ? slot : oldest;
}

static int save_counts(struct store *s, const struct pacer_relay *r, int64_t id, struct err *e)
{
	for (enum pace_span span = 0; span < PACE_SPAN_N; span++) {
		const struct pace_window *w = &r->window[span];

		for (int64_t slot = first_changed(r, span); slot <= w->slot; slot++)
			if (db_run(s,
				    "INSERT INTO relay_counts (relay_id, span, slot, n)"
				    " VALUES (?1, ?2, ?3, ?4)"
				    " ON CONFLICT DO UPDATE SET n = excluded.n",
				    VALS(INT(id), INT(span), INT(slot),
					    INT(pace_window_slot(w, span, slot))),
				    e) < 0)
				return -1;
		if (db_run(s,
			    "DELETE FROM relay_counts WHERE relay_id = ?1 AND span = ?2 AND slot "
			    "<= ?3",
			    VALS(INT(id), INT(span), INT(w->slot - pace_slot_count(span))), e) < 0)
			return -1;
	}
	return 0;
}

static int save_relay(struct store *s, struct pacer_relay *r, struct err *e)
{
	int64_t id;

	if (relay_id(s, str_of(r->name), &id, e) < 0 ||
		db_run(s,
			"UPDATE relays SET paused_until = ?2, failures = ?3, reason = ?4"
			" WHERE id = ?1 AND (paused_until, failures, reason) <> (?2, ?3, ?4)",
			VALS(INT(id), INT(r->circuit.rest_until), INT(r->circuit.failures),
				TEXT(str_of(r->reason))),
			e) < 0 ||
		db_run(s, "INSERT OR REPLACE INTO relay_pace VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			VALS(INT(id), INT(r->circuit.probe_until), INT(r->rate.free_us),
				INT(r->warm.day), INT(r->warm.used), INT(r->warm.level),
				INT(r->circuit.since)),
			e) < 0 ||
		save_counts(s, r, id, e) < 0)
		return -1;
	r->changed_from = INT64_MAX;
	return 0;
}

static int save_lane(struct store *s, struct pacer_lane *l, struct err *e)
{
	const struct pace_throttle *t = &l->throttle;

	if (db_run(s,
		    "INSERT OR REPLACE INTO lane_pace VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,"
		    " ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
		    VALS(INT(l->id), INT(l->rate.free_us), INT(t->strike[0]), INT(t->strike[1]),
			    INT(t->strike[2]), INT(t->acted_at), INT(t->wait_until),
			    INT(t->hold_until), INT(t->per_minute), INT(t->at_once),
			    INT(t->at_once_until), INT(t->blocks), INT(l->throttled),
			    INT(l->refusal.at), INT(l->refusal.code),
			    TEXT(str_of(l->refusal.words))),
		    e) < 0)
		return -1;
	l->changed = false;
	return 0;
}

int pace_save(struct store *s, struct pacer *p, struct err *e)
{
	bool own;
	int rc = 0;

	if (tx_open(s, &own, e) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < p->relay_n; i++)
		if (p->relay[i].changed_from < INT64_MAX)
			rc = save_relay(s, &p->relay[i], e);
	for (size_t i = 0; rc == 0 && i < p->lane_n; i++)
		if (p->lane[i].changed)
			rc = save_lane(s, &p->lane[i], e);
	return tx_close(s, own, rc, e);
}
