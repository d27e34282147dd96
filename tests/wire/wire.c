/* SPDX-License-Identifier: MIT */
/*
 * wire DIR DOMAIN SELECTOR=KEY…: write copies of the sample whose values are hostile into DIR, signed
 * by each private KEY (a PEM file): N.eml as on the wire, N.value and N.city the octets that went in.
 */
#include "base/file.h"
#include "mail/dkim.h"

#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum { SIGNERS_MAX = 4, SIZE_MAX_OCTETS = 1 << 20 };

static void need(int rc, const struct err *e)
{
	if (rc == 0)
		return;
	fprintf(stderr, "wire: %s\n", e->text);
	exit(EX_SOFTWARE);
}

static struct dkim *signer(const char *domain, const char *argument, struct err *e)
{
	struct str path = str_of(argument), selector;
	struct dkim *d = NULL;
	struct buf pem;

	str_next(&path, '=', &selector);
	buf_init(&pem, SIZE_MAX_OCTETS);
	need(file_read(path.p, &pem, e), e);
	need(dkim_open(buf_view(&pem), str_of(domain), selector, &d, e), e);
	buf_free(&pem);
	return d;
}

static void write_file(const char *dir, int n, const char *ending, struct str content)
{
	struct err e = {0};
	char path[4096];

	snprintf(path, sizeof path, "%s/%d.%s", dir, n, ending);
	need(file_write(path, content, 0644, &e), &e);
}

int main(int argc, char **argv)
{
	struct dkim *dkim[SIGNERS_MAX];
	struct parts copy;
	struct buf message;
	struct program program;
	struct arena a = {0};
	struct err e = {0};
	int signers = argc - 3;

	if (signers < 0 || signers > SIGNERS_MAX)
		return EX_USAGE;
	for (int i = 0; i < signers; i++)
		dkim[i] = signer(argv[2], argv[3 + i], &e);
	need(sample_program(&a, sample_subject, sample_text, sample_html, &program, &e), &e);
	parts_init(&copy, SIZE_MAX_OCTETS);
	buf_init(&message, SIZE_MAX_OCTETS);
	for (int i = 0; i < SAMPLE_NASTY; i++) {
		struct str city = sample_nasty[SAMPLE_NASTY - 1 - i];
		struct render_copy values = sample_copy(&a, &program, sample_nasty[i], city);

		parts_reset(&copy);
		buf_reset(&message);
		need(render_parts(&program, &values, &copy, &e), &e);
		if (signers)
			need(dkim_sign(dkim, (size_t)signers, &copy, values.date, &message, &e),
				&e);
		parts_join(&copy, &message);
		write_file(argv[1], i, "eml", buf_view(&message));
		write_file(argv[1], i, "value", sample_nasty[i]);
		write_file(argv[1], i, "city", city);
	}
	for (int i = 0; i < signers; i++)
		dkim_close(dkim[i]);
	parts_free(&copy);
	buf_free(&message);
	arena_free(&a);
	return EX_OK;
}
