/* SPDX-License-Identifier: MIT */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "batch.h"
#include "store/ledger.h"
#include "store/people.h"
#include "store/store.h"
#include "sweep.h"

#include <openssl/evp.h>
#include <sqlite3.h>

/*
 * The narrow waist between the verbs and SQLite: prepared statements kept by the address of their
 * SQL text, typed parameters, transactions, errors. Private to src/store.
 */
enum {
	DB_APPLICATION_ID = 0x4c746d6c, /* "Ltml" */
	DB_STATEMENTS = 256, /* slots; some 120 are used */
	DB_COUNTS = 64, /* lanes of issues whose counts move in one transaction before a flush */
	DB_RELAYS = 8, /* relays whose numbers are remembered */
	DB_FLIGHTS = 8, /* files of dead workers that one transaction may keep until its commit */
	DB_CARE =
		64, /* lanes of issues whose outcomes are looked at in one transaction before a flush */
	KEY_HASH_SIZE = SUPPRESSION_HASH_SIZE,
};

/* SQL for the domain of an address: what stands behind its '@'. In one that begins with a quote there may be others
 * before that; then it is what ends the address and has no other characters than a domain, which takes longer to find. */
#define DOMAIN_OF(column)                                                                          \
	"substr(" column ", 1 + CASE WHEN " column " >= '\"' AND " column " < '#'"                 \
	" THEN length(rtrim(" column ", 'abcdefghijklmnopqrstuvwxyz0123456789-.'))"                \
	" ELSE instr(" column ", '@') END)"

struct store {
	sqlite3 *db;
	char *path;
	const char *stands_for; /* the database whose place it is to take; NULL = none */
	int patience_ms;
	int64_t busy_since;
	bool open; /* a transaction begun by store_begin() or by a verb */
	bool broken; /* SQLite failed inside it: it can only be rolled back */
	bool truncate; /* something was erased: empty the WAL after the commit */
	struct {
		const char *sql;
		sqlite3_stmt *st;
	} statement[DB_STATEMENTS];
	struct {
		int64_t issue, lane;
		int64_t n[DELIVERY_STATE_N];
	} moved[DB_COUNTS]; /* not yet in issue_counts */
	size_t moved_n;
	struct care_entry {
		int64_t issue, lane; /* lane -1: all of the issue */
		struct care care;
	} care[DB_CARE]; /* what this transaction has read, and added to */
	size_t care_n;
	struct sweep *sweep; /* while import_pace() has it so; NULL = none */
	int64_t paused_ms; /* when import_pause() last left room */
	struct batch batch; /* of the import that is under way */
	EVP_MAC_CTX *mac; /* keyed with settings.hash_key; made at first use */
	struct {
		bool known; /* within a transaction: others write, too */
		int64_t id;
		unsigned char hash[CONSENT_HASH_SIZE];
	} chain; /* the last consent */
	EVP_MD_CTX *sha; /* made at first use */
	struct {
		int64_t id;
		char name[64];
	} relay[DB_RELAYS]; /* those used last */
	size_t relay_at;
	int64_t landed[DB_FLIGHTS]; /* leases whose flights it has believed (flight.h) */
	size_t landed_n;
};

/* ---- statements ---- */

enum val_type { VAL_END, VAL_NULL, VAL_INT, VAL_TEXT, VAL_BLOB };
struct val {
	enum val_type type;
	int64_t i;
	struct str s;
};
#define INT(x)  ((struct val){.type = VAL_INT, .i = (x)})
#define TEXT(x) ((struct val){.type = VAL_TEXT, .s = (x)})
#define BLOB(x) ((struct val){.type = VAL_BLOB, .s = (x)})
/* NULL for the empty view, and for 0. */
#define TEXT_OR_NULL(x) db_text_or_null(x)
#define INT_OR_NULL(x)  db_int_or_null(x)
/* The parameters ?1, ?2, … of a statement. */
#define VALS(...) ((const struct val[]){__VA_ARGS__, {.type = VAL_END}})

struct val db_text_or_null(struct str s);
struct val db_int_or_null(int64_t i);

/* Prepare (once for each address `sql`) and bind `v` (NULL = none): step it with db_row(). What
 * `v` points to must live until then. -1 on error. */
int db_query(
	struct store *s, const char *sql, const struct val *v, sqlite3_stmt **st, struct err *e);

/* The next row: 1; 0 when there is none; -1. After 0 and -1 the statement is at rest again. */
int db_row(struct store *s, sqlite3_stmt *st, struct err *e);

/* Put a statement at rest before its last row; NULL is allowed. */
void db_end(sqlite3_stmt *st);

/* Run a statement to its end: 0 or -1. */
int db_run(struct store *s, const char *sql, const struct val *v, struct err *e);

/* As db_run(), and how many rows it changed. */
int db_change(
	struct store *s, const char *sql, const struct val *v, int64_t *changed, struct err *e);

/* The first column of the first row, as an integer: 1, 0 when there is no row or it is NULL, or
 * -1. */
int db_int(struct store *s, const char *sql, const struct val *v, int64_t *out, struct err *e);

/* A text or blob of the current row, valid until the next db_row() or db_end(); NULL gives the
 * empty view. The second copies it into `a`. */
struct str db_text(sqlite3_stmt *st, int column);
struct str db_copy(sqlite3_stmt *st, int column, struct arena *a);

/* Fill `e` from the handle's last error, and mark an open transaction as broken. Returns -1. */
int db_fail(struct store *s, struct err *e);

/* Open `path` with all pragmas but the journal mode: `flags` are those of sqlite3_open_v2(). */
int db_open(const char *path, int flags, struct store **out, struct err *e);

/* The number of the database's schema. ERR_INPUT for a file that is none of ours, ERR_CONFIG where it
 * is newer than this program. */
int db_schema_number(struct store *s, int *number, struct err *e);
int db_schema_newest(void);

/* Where the database is, or is going to be. */
const char *db_place(const struct store *s);

/* What root makes beside the database belongs to whom that does, or the service could not go on with it. `fd` -1 = what
 * `path` names, never through a link, which the service could have put there. */
int db_belong(const struct store *s, const char *path, int fd, struct err *e);

/* Make a file's content durable; a name that was given to it. */
int db_sync_path(const char *path, struct err *e);
int db_sync_name(const char *path, struct err *e);

/* ---- transactions ---- */

/* Begin a transaction of a verb's own unless one is open; `own` tells. */
int tx_open(struct store *s, bool *own, struct err *e);

/* End what tx_open() began: commit when `rc` is 0 or more, else roll back. Returns `rc`, or -1. */
int tx_close(struct store *s, bool own, int rc, struct err *e);

/* ---- what several verbs need ---- */

/* SQL names states and statuses by their numbers: a partial index takes no parameter. */
_Static_assert(DELIVERY_QUEUED == 0 && DELIVERY_CLAIMED == 1 && DELIVERY_SENDING == 2 &&
		       DELIVERY_DEFERRED == 3 && DELIVERY_IN_DOUBT == 4 && DELIVERY_SENT == 5 &&
		       DELIVERY_EXPIRED == 7 && DELIVERY_CANCELLED == 8 && DELIVERY_SKIPPED == 9,
	"SQL has other numbers of delivery states");
_Static_assert(
	ISSUE_SCHEDULED == 0 && ISSUE_DELIVERING == 1 && ISSUE_DONE == 3 && ISSUE_CANCELLED == 5,
	"SQL has other numbers of issue states");
_Static_assert(
	SUBSCRIPTION_PENDING == 0 && SUBSCRIPTION_ACTIVE == 1 && SUBSCRIPTION_UNSUBSCRIBED == 2,
	"SQL has other numbers of subscription statuses");

/* Who gets an issue of list ?1 that is due at ?3. */
#define AUDIENCE                                                                                   \
	" FROM subscriptions JOIN subscribers ON subscribers.id = subscriber_id"                   \
	" WHERE list_id = ?1 AND status = 1 AND NOT suppressed AND coalesce(paused_until, 0) <= "  \
	"?3"

/* Note that `n` rows of `issue` in `lane` went from one state to another; DELIVERY_STATE_N for
 * `from` is a new row. */
int counts_move(struct store *s, int64_t issue, int64_t lane, enum delivery_state from,
	enum delivery_state to, int64_t n, struct err *e);

/* Write what counts_move() noted. */
int counts_flush(struct store *s, struct err *e);

/* ---- consents ---- */

enum { CONSENT_REMOVED = -1 }; /* as a status: the subscription is no more */

/* Give a subscription its status by a new consent: `source` of source_id(), `line` 0 = of no file, `detail`
 * may be empty. */
int consent_add(struct store *s, int64_t subscriber, int64_t list, int status, int64_t source,
	int64_t line, struct str detail, int64_t now, struct err *e);

/* Remove a subscriber's subscriptions (of one list; 0 = of all), by a consent each that says so. It has to
 * come before the subscriber is deleted: what is found of somebody unknown must end so. */
int consent_remove(struct store *s, int64_t subscriber, int64_t list, struct str source,
	int64_t now, struct err *e);

/* Many at once: after consent_begin() the SQL function
 *     consent_hash(EMAIL_KEY, SLUG, SOURCE WORDS, STATUS, AT, LINE, DETAIL)
 * is the hash of the next consent. It is for INSERT INTO consents ... SELECT alone, called once a row, in the
 * order of their ids, which SQLite gives from s->chain.id + 1 on. Afterwards subscriptions are made from
 * the consents behind that id. */
int consent_begin(struct store *s, struct err *e);

/* The numbers of the consents of subscriber ?1. */
#define CONSENTS_OF                                                                                \
	"WITH RECURSIVE own(id) AS (SELECT consent_id FROM lists"                                  \
	" CROSS JOIN subscriptions ON list_id = lists.id WHERE subscriber_id = ?1"                 \
	" UNION SELECT id FROM consents WHERE subscriber_id = ?1 AND previous IS NOT NULL"         \
	" UNION SELECT previous FROM own CROSS JOIN consents ON consents.id = own.id"              \
	" WHERE previous IS NOT NULL) SELECT id FROM own"

/* Register consent_hash(). */
int consent_register(struct store *s);

/* The number of a source of consent, added when it is new. */
int source_id(struct store *s, struct str words, int64_t *id, struct err *e);

/* Why a row was skipped; the numbers stand in the database. */
enum skip_reason {
	SKIP_NONE,
	SKIP_UNSUBSCRIBED,
	SKIP_SUPPRESSED,
	SKIP_ERASED,
	SKIP_PAUSED,
	SKIP_CONFIRMED,
	SKIP_N
};
const char *skip_reason_name(int64_t reason);

/* Whether an issue is one that asks to confirm or says goodbye (sql/0004_pages.sql): 1, 0, -1. Its copies go to
 * readers who are not on the list; why one is not sent, by the marks of subscriber and subscription. */
int is_confirmation(struct store *s, int64_t issue, struct err *e);
enum skip_reason skip_confirmation(int suppressed, int status);

/* The number of a relay, added when it is new. */
int relay_id(struct store *s, struct str name, int64_t *id, struct err *e);

/* Where a row goes that nobody holds any longer and nothing was said about: back into the
 * queue, unless its issue was cancelled meanwhile. */
int resting_state(struct store *s, int64_t issue, enum delivery_state *out, struct err *e);

/* Put a row at rest that was in state `from`, with no attempt used: `to` is queued, cancelled or
 * skipped. Counts are moved. */
int row_rest(struct store *s, int64_t issue, int64_t subscriber, enum delivery_state from,
	enum delivery_state to, int64_t due_at, enum skip_reason reason, int64_t now,
	struct err *e);

/* The name of a lane, "" where there is none; in `a` or static. */
int lane_name(struct store *s, int64_t lane, struct arena *a, struct str *out, struct err *e);

/* Insert the rows of an issue, each with its lane, and count them in `frozen`. */
int lane_freeze(
	struct store *s, const struct issue *i, int64_t list, int64_t *frozen, struct err *e);

/* What waits in an issue in state `from` ends in state `to`; adds to `rows`. */
int lanes_end(struct store *s, int64_t issue, enum delivery_state from, enum delivery_state to,
	int64_t now, int64_t *rows, struct err *e);

/* Plan the windows and stages of an issue that has just been frozen, and give its rows their own times. */
int care_plan(struct store *s, struct issue *i, int64_t copies, struct err *e);

/* How many copies of a delivering issue may be begun at `now`: 0 outside its window and when its stage is
 * used up. */
int care_room(struct store *s, int64_t issue, int64_t now, int64_t *room, struct err *e);

/* Count an answer about a copy of `lane` (`f` NULL = it was sent), and pause its issue when there are too
 * many of a kind. */
int care_settle(struct store *s, const struct attempt *a, int64_t lane, const struct finding *f,
	struct err *e);

/* Pause an issue for a reason of ours; nothing to do where it is over. */
int care_pause(struct store *s, int64_t issue, const char *why, int64_t now, struct err *e);

/* Write what care_settle() and issue_trouble() counted. */
int care_flush(struct store *s, struct err *e);

/* The operator has said "send": old counts count no more. */
int care_forget(struct store *s, int64_t issue, struct err *e);

/* Open and close windows, and begin stages. */
int care_turn(struct store *s, int64_t now, struct err *e);

/* Record an attempt, as the last of its row. */
int attempt_add(struct store *s, const struct attempt *a, struct err *e);

/* The keyed hash of an address key, as suppressions hold it. */
int key_hash(struct store *s, struct str key, unsigned char out[KEY_HASH_SIZE], struct err *e);

/* The hash under which an address is suppressed, the same for all cases of its letters: who has left as Ana@... does
 * not come back as ana@... */
int suppression_hash(
	struct store *s, struct str key, unsigned char out[KEY_HASH_SIZE], struct err *e);

/* Until schema 7 the hash was that of the address as it was written, and lists of sites that wrote theirs before have
 * such hashes, too. Where `key` is suppressed so, it is under suppression_hash() from now on: 1, 0 or -1. */
int suppression_refold(struct store *s, struct str key, struct err *e);

/* The same for all subscribers. Within a transaction. */
int suppressions_refold(struct store *s, struct err *e);

/* Mark the readers with this address, in whatever case, whose own suppression has just come or gone. */
int suppression_mark(struct store *s, struct str key, bool suppressed, struct err *e);

/* Whether `key` is suppressed: by a hash of ours, or by one of another site, which then becomes ours. 1, 0 or
 * -1. suppression_adopt() is its second half. */
int suppression_find(struct store *s, struct str key, struct err *e);
int suppression_adopt(struct store *s, struct str key, struct err *e);

/* Lift the suppression that came from `source` (empty = from anywhere), if there is one. Within a transaction. */
int suppression_take_back(struct store *s, struct str key, struct str source, struct err *e);

/* Whether the domain of `key` is suppressed: 1 with the time, 0 or -1. */
int suppression_of_domain(struct store *s, struct str key, int64_t *at, struct err *e);

/* Register hash_under(SECRET, lower(EMAIL_KEY)). Once: it makes a connection prepare all its statements anew. */
int suppression_register(struct store *s);

/* Merge the JSON object `add` into `old` (either may be empty), whose null takes an attribute away: the result is in
 * `a`, and `*changed` tells whether it differs from `old` in content. ERR_INPUT where `add` is no JSON
 * object. */
int attributes_merge(struct arena *a, struct str old, struct str add, struct str *out,
	bool *changed, struct err *e);

/* Attributes as they are stored: NULL where there are none. */
struct val attributes_val(struct str attributes);

/* Make a name, and the names in a JSON object, known fields. */
int field_add(struct store *s, struct str name, struct err *e);
int fields_note(struct store *s, struct str attributes, struct err *e);

#endif
