/* SPDX-License-Identifier: MIT */
#include "import_run.h"
#include "seen.h"

#include <stdlib.h>
#include <string.h>

/* Order, and repeats: the rows of a file become batches. */

struct import_sorter {
	struct seen seen;
};

struct import_sorter *import_sorter_new(void)
{
	return calloc(1, sizeof(struct import_sorter));
}

void import_sorter_free(struct import_sorter *sorter)
{
	if (!sorter)
		return;
	seen_free(&sorter->seen);
	free(sorter);
}

/* ---- order ---- */

struct rank {
	uint64_t head; /* first 8 octets of the key, without capitals: most comparisons end here */
	const struct import_row *row;
};

static int by_key(const struct import_row *a, const struct import_row *b)
{
	int order = str_cmp_nocase(a->key, b->key);

	return order ? order : (a->line > b->line) - (a->line < b->line);
}

static int by_rank(const void *pa, const void *pb)
{
	const struct rank *a = pa, *b = pb;

	if (a->head != b->head)
		return a->head < b->head ? -1 : 1;
	return by_key(a->row, b->row);
}

static uint64_t head_of(struct str key)
{
	uint64_t head = 0;

	for (size_t i = 0; i < 8; i++) {
		unsigned char c = i < key.n ? (unsigned char)key.p[i] : 0;

		head = head << 8 | (c >= 'A' && c <= 'Z' ? c + 'a' - 'A' : c);
	}
	return head;
}

/* Move each row to the place of its rank. A cycle of places takes one row aside: a second array would be a third
 * of an import's memory. */
static void move_rows(struct import_row *rows, struct rank *rank, size_t n)
{
	for (size_t first = 0; first < n; first++) {
		struct import_row aside = rows[first];
		size_t at = first;

		if (!rank[first].row)
			continue;
		for (;;) {
			size_t from = (size_t)(rank[at].row - rows);

			rank[at].row = NULL;
			if (from == first)
				break;
			rows[at] = rows[from];
			at = from;
		}
		rows[at] = aside;
	}
}

static void put_in_order(struct import_row *rows, size_t n)
{
	struct arena a = {0};
	struct rank *rank;
	size_t sorted = 1;

	while (sorted < n && by_key(&rows[sorted - 1], &rows[sorted]) < 0)
		sorted++;
	if (sorted >= n)
		return;
	rank = arena_array(&a, n, sizeof *rank);
	for (size_t i = 0; i < n; i++)
		rank[i] = (struct rank){head_of(rows[i].key), &rows[i]};
	qsort(rank, n, sizeof *rank, by_rank);
	move_rows(rows, rank, n);
	arena_free(&a);
}

/* ---- repeats ---- */

enum subscription_status import_stricter(enum subscription_status a, enum subscription_status b)
{
	if (a >= SUBSCRIPTION_UNSUBSCRIBED || b >= SUBSCRIPTION_UNSUBSCRIBED)
		return a > b ? a : b;
	return a < b ? a : b;
}

/* Lay `over` on the earlier `row` of the same address. */
static int lay_over(
	struct arena *a, struct import_row *row, const struct import_row *over, struct err *e)
{
	bool changed;

	if (attributes_merge(a, row->attributes, over->attributes, &row->attributes, &changed, e) <
		0)
		return -1;
	/* The first spelling stays. */
	if (over->email.n && str_eq(over->key, row->key))
		row->email = over->email;
	if (over->first_name.n)
		row->first_name = over->first_name;
	if (over->last_name.n)
		row->last_name = over->last_name;
	if (over->suppress.n)
		row->suppress = over->suppress;
	if (over->detail.n)
		row->detail = over->detail;
	row->status = import_stricter(row->status, over->status);
	row->line = over->line;
	row->repeats++;
	return 0;
}

int import_sort(struct import_sorter *sorter, struct import_row *rows, size_t *n, struct arena *a,
	struct err *e)
{
	size_t kept = 0;
	int new;

	put_in_order(rows, *n);
	for (size_t at = 0; at < *n; at++) {
		if (kept && str_eq_nocase(rows[kept - 1].key, rows[at].key)) {
			if (lay_over(a, &rows[kept - 1], &rows[at], e) < 0)
				return -1;
			continue;
		}
		new = seen_add(&sorter->seen, rows[at].key);
		if (new < 0)
			return err_set(e, ERR_IO, "out of memory");
		rows[kept] = rows[at];
		rows[kept++].again = !new;
	}
	*n = kept;
	return 0;
}
