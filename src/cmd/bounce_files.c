/* SPDX-License-Identifier: MIT */
#include "bounce_files.h"

#include "base/buf.h"
#include "base/file.h"
#include "mail/report.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *status_or_null(const struct report_recipient *p)
{
	return p->reply.status[0] ? p->reply.status : NULL;
}

static json_t *recipient_json(struct arena *a, const struct report_recipient *p)
{
	bool failed = p->finding.rule;
	const char *code = p->reply.code ? arena_printf(a, "%d", p->reply.code) : NULL;

	return json_pack("{s:o, s:s?, s:s?, s:s?, s:s?}", "address", cmd_json_text(p->address),
		"class", failed ? p->finding.hard ? "hard" : "soft" : NULL, "status",
		status_or_null(p), "reply", code, "reason",
		failed ? reason_name(p->finding.reason) : NULL);
}

static void print_json(struct arena *a, const char *file, const struct report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->recipient_n; i++)
		json_array_append_new(list, recipient_json(a, &report->recipient[i]));
	cmd_json(json_pack("{s:o, s:s, s:o}", "file", cmd_json_text(str_of(file)), "kind",
		report_kind_name(report->kind), "recipients", list));
}

static void print_words(struct arena *a, const char *file, const struct report *report)
{
	char words[REPLY_WORDS_SIZE];

	printf("%s: %s (%s)\n", cmd_text_in(a, str_of(file)), report_kind_name(report->kind),
		report->rule);
	for (size_t i = 0; i < report->recipient_n; i++) {
		const struct report_recipient *p = &report->recipient[i];
		bool failed = p->finding.rule;

		printf("  %s  %s  %s  %s  %s\n", cmd_text_in(a, p->address),
			failed ? p->finding.hard ? "hard" : "soft" : "-",
			failed ? reason_name(p->finding.reason) : "-",
			failed ? p->finding.rule : "-",
			cmd_text_in(a, str_of(reply_words(&p->reply, words))));
	}
}

static int read_input(struct buf *out, struct err *e)
{
	char part[65536];
	ssize_t n = 0;

	while (!out->over && (n = read(STDIN_FILENO, part, sizeof part)) > 0)
		buf_add(out, part, (size_t)n);
	return !out->over && n < 0 ? err_sys(e, "cannot read standard input") : 0;
}

static int classify_file(
	struct cmd *c, struct arena *a, struct buf *message, const char *file, struct err *e)
{
	struct report report;
	int rc = strcmp(file, "-") == 0 ? read_input(message, e) : file_read(file, message, e);

	if (rc == 0 && message->over)
		rc = err_set(e, ERR_INPUT, "it has more than %d octets", REPORT_BYTES_MAX);
	if (rc < 0 || report_read(a, buf_view(message), &report, e) < 0)
		return err_prefix(e, "%s: ", file);
	if (c->json)
		print_json(a, file, &report);
	else
		print_words(a, file, &report);
	return 0;
}

int bounce_files(struct cmd *c, struct err *e)
{
	struct arena a = {0};
	struct buf message;
	struct err last = {0};

	buf_init(&message, REPORT_BYTES_MAX);
	for (int i = 0; i < c->argc; i++) {
		if (classify_file(c, &a, &message, c->argv[i], &last) < 0 && i + 1 < c->argc)
			fprintf(stderr, "lettermill: %s\n", last.text);
		buf_reset(&message);
		arena_reset(&a);
	}
	buf_free(&message);
	arena_free(&a);
	return last.code ? err_set(e, last.code, "%s", last.text) : 0;
}
