/* SPDX-License-Identifier: MIT */
/*
 * render [TURNS]: CPU microseconds of what it costs to compile the sample issue, and of what one copy of a message
 * of about 33 KB with 16 slots costs to render, and to sign.
 */
#include "../unit/mail/compose_fixture.h"
#include "../unit/mail/sample.h"
#include "base/clock.h"
#include "mail/dkim.h"
#include "mail/token.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/pem.h>
#include <openssl/rsa.h>

static const char paragraph[] =
	"<p style=\"margin:0 0 16px;font-size:16px;line-height:26px;color:#262b33\">The harbour "
	"opened before dawn, and by the time the first ferry had left, caf\xc3\xa9s were full of "
	"people "
	"reading about it: three lines, each of them shorter than the last.</p>\n";
static const char sentence[] =
	"The harbour opened before dawn, and by the time the first ferry had "
	"left, caf\xc3\xa9s were full of people reading about it.\n";

/* `slots` paragraphs with a slot each, and constant ones up to `size` octets. */
static char *template_of(const char *unit, size_t slots, size_t size)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; b.n < size; i++) {
		if (i < slots)
			buf_printf(&b, "Dear {{ subscriber.first_name | default: \"friend\" }}, ");
		buf_cstr(&b, unit);
	}
	buf_char(&b, '\0');
	return b.p;
}

struct bench {
	struct program program;
	struct render_copy copy;
	struct buf message, other;
	struct parts parts;
	struct dkim *dkim;
	struct token_key key;
};

static void do_render(struct bench *b)
{
	render(&b->program, &b->copy, &b->message, NULL);
}

static void do_sign(struct bench *b)
{
	parts_reset(&b->parts);
	if (render_parts(&b->program, &b->copy, &b->parts, NULL) < 0 ||
		dkim_sign(&b->dkim, 1, &b->parts, 1762149600, &b->other, NULL) < 0)
		abort();
}

static void do_token(struct bench *b)
{
	token_make(&b->key, &(struct token){TOKEN_VERP, 1, 5000000}, &b->other);
}

static void measure(const char *what, struct bench *b, void (*act)(struct bench *), long turns)
{
	int64_t start = 0;

	for (long i = -turns / 10; i <= turns; i++) {
		if (i == 0)
			start = clock_cpu_ns();
		buf_reset(&b->message);
		buf_reset(&b->other);
		act(b);
	}
	printf("%-24s %8.2f us\n", what, (double)(clock_cpu_ns() - start) / 1e3 / (double)turns);
}

/* The theme's files are taken apart each time, as the program does. */
static void do_compile(struct bench *b)
{
	struct compile_input in;
	struct program program;
	struct fixture f;

	(void)b;
	fixture_init(&f);
	in = (struct compile_input){.issue = &f.issue, .theme = &f.theme, .sender = &f.sender};
	if (fixture_compose(&f, "issue.md", fixture_file(&f.a, "mail-templates/sample/issue.md")) <
			0 ||
		assemble(&f.a, &in, &f.out, &program, &f.e) < 0)
		abort();
	arena_free(&f.a);
}

static void open_key(struct bench *b, EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
	n = BIO_get_mem_data(bio, &p);
	dkim_close(b->dkim);
	if (dkim_open((struct str){p, (size_t)n}, STR("news.example.org"), STR("lm"), &b->dkim,
		    NULL) < 0)
		abort();
	BIO_free(bio);
	EVP_PKEY_free(key);
}

int main(int argc, char **argv)
{
	long turns = argc > 1 ? strtol(argv[1], NULL, 10) : 100000;
	char *text = template_of(sentence, 7, 7000), *html = template_of(paragraph, 8, 23000);
	struct bench b = {.key = {.id = 1}};
	struct arena a = {0};
	struct err e;

	buf_init(&b.message, 1 << 20);
	buf_init(&b.other, 1 << 20);
	parts_init(&b.parts, 1 << 20);
	if (turns < 10 || sample_program(&a, sample_subject, text, html, &b.program, &e) < 0)
		return 1;
	b.copy = sample_copy(&a, &b.program, STR("Zo\xc3\xab"), STR("Oslo"));
	do_render(&b);
	printf("a message of %zu octets, 16 slots\n", b.message.n);
	measure("compile the sample", &b, do_compile, turns / 500);
	measure("render", &b, do_render, turns);
	measure("a token", &b, do_token, turns);
	open_key(&b, EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
	measure("render, sign Ed25519", &b, do_sign, turns / 10);
	open_key(&b, EVP_RSA_gen(2048));
	measure("render, sign RSA-2048", &b, do_sign, turns / 10);
	dkim_close(b.dkim);
	buf_free(&b.message);
	buf_free(&b.other);
	parts_free(&b.parts);
	arena_free(&a);
	free(text);
	free(html);
	return 0;
}
