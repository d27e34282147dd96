/* SPDX-License-Identifier: MIT */
#include "mail/dkim.h"

#include "../../../src/mail/dkim_canon.h"
#include "base/enc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "corpus.h"

static void to_buf(void *user, struct str piece)
{
	buf_str(user, piece);
}

/* Append the field `wanted` of `head` in relaxed form. */
static void append_field(struct str head, struct str wanted, struct buf *out)
{
	struct str name, value;

	while (dkim_next_field(&head, &name, &value))
		if (str_eq_nocase(name, wanted)) {
			dkim_relax_field(name, value, out);
			return;
		}
}

/* RFC 8463 appendix A: the same canonical octets and the same Ed25519 signature as published. */
static void test_rfc8463(void **state)
{
	static const char *const names[] = {"From", "To", "Subject", "Date", "Message-ID"};
	struct buf message, secret, seed, fields, published, hash64;
	struct dkim_relaxer relaxer = {.take = to_buf, .user = &fields};
	unsigned char hash[32], signature[64];
	struct str head, name, value, body;
	EVP_PKEY *key = NULL;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t at, n = sizeof signature;

	(void)state;
	buf_init(&message, 1 << 16);
	buf_init(&secret, 1024);
	buf_init(&seed, 1024);
	buf_init(&fields, 1 << 16);
	buf_init(&published, 1024);
	buf_init(&hash64, 1024);
	if (!corpus_read("rfc-vectors/rfc8463-appendixA.msg", &message) ||
		!corpus_read("rfc-vectors/rfc8463-appendixA.ed25519-secret.b64", &secret))
		goto out;
	if (str_search(buf_view(&message), STR("\r\n")) == message.n) { /* LF in the corpus */
		for (size_t i = 0; i < message.n; i++) {
			if (message.p[i] == '\n')
				buf_char(&published, '\r');
			buf_char(&published, message.p[i]);
		}
		buf_reset(&message);
		buf_str(&message, buf_view(&published));
		buf_reset(&published);
	}
	head = buf_view(&message);
	assert_true(dkim_next_field(&head, &name, &value)); /* the Ed25519 signature */
	for (size_t i = 0; i < 5; i++)
		append_field(buf_view(&message), str_of(names[i]), &fields);
	at = str_search(value, STR("b=/"));
	for (size_t i = at + 2; i < value.n; i++)
		if (!memchr(" \r\n", value.p[i], 3))
			buf_char(&hash64, value.p[i]);
	assert_int_equal(dec_base64(&published, buf_view(&hash64)), 0);
	buf_reset(&hash64);
	assert_int_equal(published.n, 64);
	dkim_relax_field(name, str_slice(value, 0, at + 2), &fields);
	SHA256((unsigned char *)fields.p, fields.n - 2, hash);

	assert_int_equal(dec_base64(&seed, str_trim(buf_view(&secret))), 0);
	key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, (unsigned char *)seed.p, seed.n);
	assert_non_null(key);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, NULL, NULL, key), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &n, hash, sizeof hash), 1);
	assert_memory_equal(signature, published.p, 64);

	at = str_search(buf_view(&message), STR("\r\n\r\n"));
	body = str_slice(buf_view(&message), at + 4, message.n);
	buf_reset(&fields);
	dkim_relax_body(&relaxer, body, false);
	dkim_relax_end(&relaxer);
	SHA256((unsigned char *)fields.p, fields.n, hash);
	enc_base64(&hash64, (struct str){(char *)hash, sizeof hash});
	assert_true(str_search(value, buf_view(&hash64)) < value.n);
out:
	EVP_PKEY_free(key);
	EVP_MD_CTX_free(ctx);
	buf_free(&message);
	buf_free(&secret);
	buf_free(&seed);
	buf_free(&fields);
	buf_free(&published);
	buf_free(&hash64);
}

/* ---- whole signatures; tests/e2e/dkim.bats has them verified by an outside program ---- */

static void pem_of(EVP_PKEY *key, const char *passphrase, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	long n;

	PEM_write_bio_PrivateKey(bio, key, passphrase ? EVP_aes_128_cbc() : NULL,
		(const unsigned char *)passphrase, passphrase ? (int)strlen(passphrase) : 0, NULL,
		NULL);
	n = BIO_get_mem_data(bio, &p);
	buf_init(out, 1 << 16);
	buf_add(out, p, (size_t)n);
	BIO_free(bio);
	EVP_PKEY_free(key);
}

static const char message[] = "From: a@b.example\r\nTo: <c@d.example>\r\nSubject: x\r\n"
			      "Date: Mon, 03 Nov 2025 06:00:00 +0000\r\nX-Other: not signed\r\n"
			      "List-Unsubscribe: <https://b.example/u>\r\n"
			      "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
			      "Feedback-ID: a:b:c\r\nContent-Type: text/plain\r\n\r\nbody\r\n";

/* Sign a message that is cut in two at `at`, or whole where one of the two is too short to be referred to. */
static int sign_cut(
	struct dkim *d, struct str text, size_t at, int64_t now, struct buf *out, struct err *e)
{
	struct parts parts;
	int rc;

	parts_init(&parts, 1 << 20);
	parts_refer(&parts, str_slice(text, 0, at));
	parts_refer(&parts, str_slice(text, at, text.n));
	parts_end(&parts);
	rc = dkim_sign(&d, 1, &parts, now, out, e);
	parts_free(&parts);
	return rc;
}

static void sign_with(struct dkim *d, struct buf *out)
{
	struct str rest;
	struct err e = {0};

	buf_reset(out);
	assert_int_equal(sign_cut(d, STR(message), 0, 1762149600, out, &e), 0);
	assert_true(str_has_suffix(buf_view(out), STR("\r\n")));
	for (rest = buf_view(out); rest.n;) {
		size_t n = str_search(rest, STR("\r\n"));

		assert_in_range(n, 2, 78);
		rest = str_slice(rest, n + 2, rest.n);
	}
	assert_true(str_search(buf_view(out), STR("c=relaxed/relaxed;\r\n d=b.example; s=lm;")) <
		    out->n);
	/* from the end, and the names that must not come again once more */
	assert_true(str_search(buf_view(out), STR(" h=Content-Type:Feedback-ID:")) < out->n);
	assert_int_equal(str_search(buf_view(out), STR("X-Other")), out->n);
	assert_true(str_search(buf_view(out), STR("From:To:Subject:Date:Content-Type;")) < out->n);
}

static void test_sign(void **state)
{
	const struct {
		const char *type;
		size_t bits;
	} c[] = {{"ED25519", 0}, {"RSA", 2048}, {"RSA", 1024}};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		EVP_PKEY *key = c[i].bits ? EVP_RSA_gen(c[i].bits)
					  : EVP_PKEY_Q_keygen(NULL, NULL, c[i].type);
		struct parts parts;
		struct buf pem, one, two;
		struct dkim *d = NULL;

		pem_of(key, NULL, &pem);
		buf_init(&one, 1 << 16);
		buf_init(&two, 1 << 16);
		assert_int_equal(
			dkim_open(buf_view(&pem), STR("b.example"), STR("lm"), &d, NULL), 0);
		sign_with(d, &one);
		sign_with(d, &two); /* both algorithms are deterministic; nothing is left over */
		assert_true(str_eq(buf_view(&one), buf_view(&two)));
		buf_reset(&two); /* what is hashed for the first key is the second's, too */
		parts_init(&parts, 1 << 16);
		parts_refer(&parts, STR(message));
		parts_end(&parts);
		for (int turn = 0; turn < 2; turn++)
			assert_int_equal(dkim_sign((struct dkim *const[]){d, d}, 2, &parts,
						 1762149600, &two, NULL),
				0);
		parts_free(&parts);
		assert_int_equal(two.n, 4 * one.n);
		for (size_t k = 0; k < 4; k++)
			assert_true(str_eq(str_slice(buf_view(&two), k * one.n, (k + 1) * one.n),
				buf_view(&one)));
		dkim_close(d);
		buf_free(&pem);
		buf_free(&one);
		buf_free(&two);
	}
	dkim_close(NULL);
}

/* Header fields and body come in parts; what is signed is the whole. The fields end around the 2,048 octets that are
 * looked at in one. */
static void test_parts(void **state)
{
	struct buf pem, text, whole, out;
	struct dkim *d;

	(void)state;
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, &pem);
	buf_init(&text, 1 << 16);
	buf_init(&whole, 1 << 16);
	buf_init(&out, 1 << 16);
	assert_int_equal(dkim_open(buf_view(&pem), STR("b.example"), STR("lm"), &d, NULL), 0);
	for (size_t head = 2040; head < 2056; head++) {
		buf_reset(&text);
		buf_reset(&whole);
		buf_cstr(&text, "From: a@b.example\r\n");
		while (text.n < 1900)
			buf_cstr(&text, "List-Number:  of many,\r\n\tfolded \r\n");
		buf_printf(&text, "List-Id: %0*d\r\n\r\n", (int)(head - text.n - 13), 0);
		assert_int_equal(text.n, head);
		for (int i = 0; i < 60; i++)
			buf_printf(&text, "line  %d \r\n \r\n", i);
		assert_int_equal(sign_cut(d, buf_view(&text), 0, 1, &whole, NULL), 0);
		for (size_t at = 1; at < text.n; at += at < head - 8 || at > head + 8 ? 97 : 1) {
			buf_reset(&out);
			assert_int_equal(sign_cut(d, buf_view(&text), at, 1, &out, NULL), 0);
			assert_true(str_eq(buf_view(&out), buf_view(&whole)));
		}
		text.p[text.n - 8] = 'x'; /* and each part counts */
		buf_reset(&out);
		assert_int_equal(sign_cut(d, buf_view(&text), head, 1, &out, NULL), 0);
		assert_false(str_eq(buf_view(&out), buf_view(&whole)));
	}
	dkim_close(d);
	buf_free(&pem);
	buf_free(&text);
	buf_free(&whole);
	buf_free(&out);
}

/* Header fields that are too long are refused, never cut off. */
static void test_too_long(void **state)
{
	struct buf pem, text, out;
	struct dkim *d;
	bool refused = false;

	(void)state;
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, &pem);
	buf_init(&text, 1 << 20);
	buf_init(&out, 1 << 20);
	assert_int_equal(dkim_open(buf_view(&pem), STR("b.example"), STR("lm"), &d, NULL), 0);
	for (size_t length = 1280; length < 1320; length++) {
		struct err e = {0};

		buf_reset(&text);
		buf_reset(&out);
		buf_cstr(&text, "From: a\r\n");
		for (int i = 0; i < 200; i++)
			buf_printf(&text, "List-%0*d:\r\n", (int)length, i);
		buf_cstr(&text, "\r\nx\r\n");
		if (sign_cut(d, buf_view(&text), 0, 1, &out, &e) == 0) {
			assert_false(refused);
			assert_true(str_has_suffix(buf_view(&out), STR("==\r\n")));
		} else {
			refused = true;
			assert_int_equal(out.n, 0);
			assert_string_equal(
				e.text, "a message's header fields are too long to be signed");
		}
	}
	assert_true(refused);
	dkim_close(d);
	buf_free(&pem);
	buf_free(&text);
	buf_free(&out);
}

/* The signature of a text with these two octets near its end. */
static void sign_ending(
	struct dkim *d, struct buf *text, size_t head, const char two[2], struct buf *out)
{
	memcpy(text->p + text->n - 20, two, 2);
	buf_reset(out);
	assert_int_equal(sign_cut(d, buf_view(text), head, 1, out, NULL), 0);
}

/* What is known to be relaxed is not looked through; what is not relaxed does not become known. */
static void test_known(void **state)
{
	struct buf pem, text, letters, blanks, out;
	struct dkim *d;
	size_t head;

	(void)state;
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, &pem);
	buf_init(&text, 1 << 16);
	buf_init(&letters, 1 << 16);
	buf_init(&blanks, 1 << 16);
	buf_init(&out, 1 << 16);
	assert_int_equal(dkim_open(buf_view(&pem), STR("b.example"), STR("lm"), &d, NULL), 0);
	for (int i = 0; i < 40; i++)
		buf_printf(&text, "%s: a@b.example\r\n", i ? "X-Other" : "From");
	buf_cstr(&text, "\r\n");
	head = text.n;
	for (int i = 0; i < 200; i++)
		buf_printf(&text, " line %d\r\n", i);
	sign_ending(d, &text, head, "xx", &letters);
	sign_ending(d, &text, head, "  ", &blanks);
	assert_false(str_eq(buf_view(&letters), buf_view(&blanks)));
	dkim_know(d, str_slice(buf_view(&text), head, text.n));
	sign_ending(d, &text, head, "  ", &out);
	assert_true(str_eq(buf_view(&out), buf_view(&blanks)));
	sign_ending(d, &text, head, "xx", &out);
	dkim_know(d, str_slice(buf_view(&text), head, text.n));
	sign_ending(d, &text, head, "xx", &out);
	assert_true(str_eq(buf_view(&out), buf_view(&letters)));
	/* So the promise that it stays as it is must be kept. */
	sign_ending(d, &text, head, "  ", &out);
	assert_false(str_eq(buf_view(&out), buf_view(&blanks)));
	dkim_close(d);
	buf_free(&pem);
	buf_free(&text);
	buf_free(&letters);
	buf_free(&blanks);
	buf_free(&out);
}

static void refuse(struct buf *pem)
{
	struct err e = {0};
	struct dkim *d = NULL;

	assert_int_equal(dkim_open(buf_view(pem), STR("b.example"), STR("lm"), &d, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_null(d);
	buf_free(pem);
}

static void test_bad_keys(void **state)
{
	struct buf pem;

	(void)state;
	pem_of(EVP_RSA_gen(512), NULL, &pem);
	refuse(&pem);
	pem_of(EVP_EC_gen("P-256"), NULL, &pem);
	refuse(&pem);
	pem_of(EVP_RSA_gen(1024), "secret", &pem);
	refuse(&pem);
	buf_init(&pem, 100);
	refuse(&pem);
	buf_cstr(&pem, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
	refuse(&pem);
}

static void test_bad_messages(void **state)
{
	static const char *const bad[] = {"", "From: a@b.example", "From: a@b.example\r\n", "\r\nx",
		"To: a@b.example\r\n\r\nFrom: x\r\n", "nothing\r\nFrom: a@b.example\r\n\r\n"};
	struct buf pem, out;
	struct dkim *d;

	(void)state;
	pem_of(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL, &pem);
	buf_init(&out, 1 << 16);
	assert_int_equal(dkim_open(buf_view(&pem), STR("b.example"), STR("lm"), &d, NULL), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = {0};

		assert_int_equal(sign_cut(d, str_of(bad[i]), 0, 0, &out, &e), -1);
		assert_int_equal(e.code, ERR_BUG);
		assert_int_equal(out.n, 0);
	}
	dkim_close(d);
	buf_free(&pem);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc8463),
		cmocka_unit_test(test_sign),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_bad_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
