/* SPDX-License-Identifier: MIT */
#include "store/ledger.h"
#include "base/clock.h"
#include "store/import.h"
#include "store/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * What the ledger costs a delivery: freeze an audience, then claim, intend and settle all of it in
 * group commits, as a worker does. Prints CPU microseconds a delivery.
 *
 *     ledger [READERS [ROWS A COMMIT]]
 */
enum { STOCK = 500 };

static struct err e;

static void must(int rc, const char *what)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "ledger: %s: %s\n", what, e.text);
	exit(1);
}

static int64_t fill(struct store *s, size_t readers)
{
	struct list list = {.slug = STR("daily"), .name = STR("The Daily")};
	struct import_sorter *sorter = import_sorter_new();
	struct import_row *row = calloc(readers, sizeof *row);
	struct import_counts n;
	struct import *import;
	struct arena a = {0};
	int64_t id;

	must(list_add(s, &list, 1, &e), "list");
	for (size_t i = 0; i < readers; i++) {
		const char *key = arena_printf(&a, "reader.%08x.%zu@example%zu.com",
			(unsigned)(i * 2654435761u), i, i % 997);

		row[i] = (struct import_row){.key = str_of(key),
			.email = str_of(key),
			.first_name = STR("Ada"),
			.last_name = STR("Lovelace"),
			.attributes = STR("{\"city\":\"London\",\"since\":\"2024-01-31\"}"),
			.status = SUBSCRIPTION_ACTIVE,
			.line = i + 2};
	}
	must(import_begin(s,
		     &(struct import_start){.list = list.id, .file = STR("bench"), .now = 1},
		     &import, &e),
		"import");
	must(import_sort(sorter, row, &readers, &a, &e), "import");
	must(import_batch(import, row, readers, &e), "import");
	must(import_commit(import, STR(""), STR(""), &id, &n, &e), "import");
	arena_free(&a);
	import_sorter_free(sorter);
	free(row);
	return list.id;
}

/* The share of the lane of small domains, as ledger_claim() takes it. */
#define OTHER(n) &(const struct lane_share){LANE_OTHER, (n)}, 1

/* One group commit: outcomes of the last turn, intents of the next. */
static void turn(struct store *s, const struct lease *l, const struct claim *settle,
	const struct claim *intend, size_t n, int64_t now)
{
	must(store_begin(s, &e), "begin");
	for (size_t i = 0; settle && i < n; i++) {
		struct attempt a = {.issue = settle[i].issue,
			.subscriber = settle[i].subscriber,
			.lane = settle[i].lane,
			.at = now,
			.relay = STR("main"),
			.phase = PHASE_DOT,
			.code = 250,
			.status = STR("2.0.0"),
			.text = STR("2.0.0 Ok: queued as 4bKx2R1yZrz9vT"),
			.took_ms = 12,
			.state = DELIVERY_SENT};

		must(ledger_settle(s, l, &a, &e), "settle");
	}
	for (size_t i = 0; intend && i < n; i++)
		must(ledger_intend(s, l, intend[i].issue, intend[i].subscriber, intend[i].lane,
			     STR("main"), now, &e),
			"intend");
	must(store_commit(s, &e), "commit");
}

static size_t deliver(struct store *s, size_t group, int64_t now)
{
	struct arena a = {0};
	struct claim *c;
	struct lease l;
	size_t n, done = 0;

	must(lease_open(s, now, 3600, &l, &e), "lease");
	for (;;) {
		must(ledger_claim(s, &l, now, OTHER(STOCK), &a, &c, &n, &e), "claim");
		if (n == 0)
			break;
		for (size_t i = 0; i < n; i += group) {
			size_t some = n - i < group ? n - i : group;

			turn(s, &l, NULL, c + i, some, now);
			turn(s, &l, c + i, NULL, some, now);
		}
		done += n;
		arena_reset(&a);
	}
	must(lease_close(s, &l, now, &e), "lease");
	arena_free(&a);
	return done;
}

int main(int argc, char **argv)
{
	size_t readers = argc > 1 ? strtoul(argv[1], NULL, 10) : 200000;
	size_t group = argc > 2 ? strtoul(argv[2], NULL, 10) : 250;
	char folder[] = "/var/tmp/lettermill-bench-XXXXXX", path[64], lock[96];
	struct issue issue = {.slug = STR("first"),
		.subject = STR("First"),
		.due_at = 100,
		.hash = STR("00"),
		.source = STR("# First"),
		.program = STR("p")};
	int64_t list, frozen, cpu, wall;
	struct store *s;
	size_t done;

	if (!mkdtemp(folder) || readers == 0 || group == 0)
		return 1;
	snprintf(path, sizeof path, "%s/site.db", folder);
	must(store_create(path, &s, &e), "create");
	list = fill(s, readers);
	cpu = clock_cpu_ns();
	must(issue_schedule(s, &issue, list, false, 100, &frozen, &e), "schedule");
	printf("freeze: %.2f us a reader\n",
		(double)(clock_cpu_ns() - cpu) / 1e3 / (double)readers);
	must(issues_turn(s, 100, 0, true, &e), "turn");
	cpu = clock_cpu_ns();
	wall = clock_mono_ms();
	done = deliver(s, group, 100);
	cpu = clock_cpu_ns() - cpu;
	wall = clock_mono_ms() - wall;
	printf("ledger: %.2f us CPU a delivery (claim, intend, settle; %zu rows a commit), "
	       "%.0f/s\n",
		(double)cpu / 1e3 / (double)done, group,
		(double)done * 1e3 / (double)(wall ? wall : 1));
	must(issues_turn(s, 101, 0, true, &e), "turn");
	must(store_check(s, false, NULL, NULL, &e), "check");
	store_close(s);
	unlink(path);
	snprintf(lock, sizeof lock, "%s-import", path);
	unlink(lock);
	return rmdir(folder) != 0;
}
