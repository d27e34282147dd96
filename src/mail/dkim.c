/* SPDX-License-Identifier: MIT */
#include "mail/dkim.h"

#include "base/enc.h"
#include "dkim_canon.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

enum {
	HASH_SIZE = 32,
	SIGNATURE_MAX = 2048, /* of an RSA key of 16384 bits */
	FIELDS_N_MAX = 256,
	FIELDS_MAX = 256 * 1024,
	RSA_BITS_MIN = 1024,
	RSA_BITS_NEW = 2048,
	LINE = 76,
	WORTH_KNOWING = 1024, /* octets: to look for it costs less than to look through it */
};

struct dkim {
	EVP_PKEY *key;
	EVP_PKEY_CTX *rsa; /* NULL for Ed25519; kept: making one costs more than hashing a field */
	EVP_MD_CTX *hash;
	EVP_MD *sha256;
	struct buf begin; /* of every signature field, up to the time */
	struct buf known; /* of struct str: texts that are relaxed, by their places */
	/* Of a message, in the first of the keys that sign it: */
	struct buf head; /* its header fields */
	struct buf fields; /* those that are signed, relaxed, in the order of ... */
	struct buf names; /* ... h=, folded */
	/* Of a signature: */
	struct buf line; /* the field */
	struct buf relaxed; /* the same, as it is signed: without b= and a CRLF at its end */
	struct buf base64;
};

/* Fields that are signed where they are there; OVER: named once more than that, so that no second one
 * can be put in; PREFIX: all that begin so. */
static const struct {
	const char *name;
	enum { ONCE, OVER, PREFIX } how;
} signed_fields[] = {
	{"From", OVER},
	{"To", OVER},
	{"Subject", OVER},
	{"Date", OVER},
	{"Content-Type", OVER},
	{"Reply-To", ONCE},
	{"Message-ID", ONCE},
	{"MIME-Version", ONCE},
	{"Content-", PREFIX},
	{"List-", PREFIX},
	{"Feedback-ID", ONCE},
};
enum { SIGNED_N = sizeof signed_fields / sizeof *signed_fields };

static bool is_signed(struct str name)
{
	for (size_t i = 0; i < SIGNED_N; i++) {
		struct str known = str_of(signed_fields[i].name);

		if (signed_fields[i].how == PREFIX ? str_has_prefix_nocase(name, known)
						   : str_eq_nocase(name, known))
			return true;
	}
	return false;
}

/* There is nobody to ask for a passphrase. */
static int no_passphrase(char *text, int size, int writing, void *user)
{
	(void)text;
	(void)size;
	(void)writing;
	(void)user;
	return 0;
}

static EVP_PKEY *read_key(struct str pem)
{
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

	BIO_free(bio);
	return key;
}

static int check_key(const struct dkim *d, struct err *e)
{
	if (!d->key)
		return err_set(e, ERR_CONFIG,
			"the DKIM key is not a private key in PEM without a passphrase");
	if (EVP_PKEY_is_a(d->key, "ED25519"))
		return 0;
	if (!EVP_PKEY_is_a(d->key, "RSA"))
		return err_set(e, ERR_CONFIG, "the DKIM key is neither RSA nor Ed25519");
	if (EVP_PKEY_get_bits(d->key) < RSA_BITS_MIN)
		return err_set(e, ERR_CONFIG,
			"the DKIM key has %d bits, which verifiers ignore: make one of 2048",
			EVP_PKEY_get_bits(d->key));
	return 0;
}

/* Make the contexts that every signature uses again. */
static int prepare(struct dkim *d, struct err *e)
{
	d->hash = EVP_MD_CTX_new();
	d->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (d->hash && d->sha256 && EVP_PKEY_is_a(d->key, "ED25519"))
		return 0;
	d->rsa = EVP_PKEY_CTX_new(d->key, NULL);
	if (d->hash && d->sha256 && d->rsa && EVP_PKEY_sign_init(d->rsa) == 1 &&
		EVP_PKEY_CTX_set_rsa_padding(d->rsa, RSA_PKCS1_PADDING) == 1 &&
		EVP_PKEY_CTX_set_signature_md(d->rsa, d->sha256) == 1)
		return 0;
	return err_set(e, ERR_BUG, "OpenSSL cannot sign with the DKIM key");
}

int dkim_open(
	struct str pem, struct str domain, struct str selector, struct dkim **out, struct err *e)
{
	struct dkim *d = calloc(1, sizeof *d);

	if (!d)
		return err_set(e, ERR_IO, "out of memory");
	buf_init(&d->begin, FIELDS_MAX);
	buf_init(&d->known, SIZE_MAX);
	buf_init(&d->head, FIELDS_MAX);
	buf_init(&d->fields, FIELDS_MAX);
	buf_init(&d->names, FIELDS_MAX);
	buf_init(&d->line, FIELDS_MAX);
	buf_init(&d->relaxed, FIELDS_MAX);
	buf_init(&d->base64, SIGNATURE_MAX * 2);
	d->key = read_key(pem);
	if (check_key(d, e) < 0 || prepare(d, e) < 0)
		goto out;
	buf_printf(&d->begin,
		"DKIM-Signature: v=1; a=%s-sha256; c=relaxed/relaxed;\r\n d=%.*s; s=%.*s; t=",
		d->rsa ? "rsa" : "ed25519", STR_ARG(domain), STR_ARG(selector));
	*out = d;
	return 0;
out:
	ERR_clear_error(); /* a later TLS session of this thread would take it for its own */
	dkim_close(d);
	return -1;
}

void dkim_close(struct dkim *d)
{
	if (!d)
		return;
	EVP_PKEY_CTX_free(d->rsa);
	EVP_PKEY_free(d->key);
	EVP_MD_CTX_free(d->hash);
	EVP_MD_free(d->sha256);
	buf_free(&d->begin);
	buf_free(&d->known);
	buf_free(&d->head);
	buf_free(&d->fields);
	buf_free(&d->names);
	buf_free(&d->line);
	buf_free(&d->relaxed);
	buf_free(&d->base64);
	free(d);
}

/* ---- a message ---- */

/* What is behind the header fields and the blank line: the rest of a part, and the parts behind it. */
struct body {
	struct str rest;
	const struct str *part;
	size_t n;
};

/* Join the header fields in `head`, and find the body. */
static int cut(const struct parts *message, struct buf *head, struct body *body)
{
	enum { STEP = 2048 }; /* octets: the part in which they end may hold most of the message */
	size_t n;
	const struct str *part = parts_list(message, &n);

	for (; n; part++, n--)
		for (struct str rest = *part; rest.n;) {
			struct str step = str_slice(rest, 0, STEP);
			size_t from = head->n < 3 ? 0 : head->n - 3, end;

			buf_str(head, step);
			rest = str_slice(rest, STEP, rest.n);
			end = from +
			      str_search(str_slice(buf_view(head), from, head->n), STR("\r\n\r\n"));
			if (end == head->n)
				continue;
			rest.p = step.p + step.n - (head->n - end - 4);
			rest.n = (size_t)(part->p + part->n - rest.p);
			head->n = end + 2;
			*body = (struct body){rest, part + 1, n - 1};
			return 0;
		}
	return -1;
}

/* Append a name to h=, folded. */
static void add_name(struct buf *names, size_t *column, struct str name)
{
	if (names->n) {
		buf_char(names, ':');
		++*column;
	}
	if (*column + name.n + 1 > LINE) {
		buf_cstr(names, "\r\n ");
		*column = 1;
	}
	buf_str(names, name);
	*column += name.n;
}

/* Fill d->fields and d->names by d->head. A verifier takes the last field of a name first (RFC 6376 section
 * 5.4.2), so it is walked from its end; names that are in h= once more stand for nothing. */
static int gather(struct dkim *d, struct err *e)
{
	struct str name[FIELDS_N_MAX], value[FIELDS_N_MAX], head = buf_view(&d->head);
	size_t n = 0, column = strlen(" h=");
	bool from = false;

	while (n < FIELDS_N_MAX && dkim_next_field(&head, &name[n], &value[n]))
		n++;
	if (head.n)
		return err_set(e, ERR_BUG,
			"a message to be signed has a line that is no header field, or too many");
	while (n-- > 0)
		if (is_signed(name[n])) {
			from |= str_eq_nocase(name[n], STR("From"));
			dkim_relax_field(name[n], value[n], &d->fields);
			add_name(&d->names, &column, name[n]);
		}
	if (!from)
		return err_set(e, ERR_BUG, "a message to be signed has no From");
	for (size_t i = 0; i < SIGNED_N; i++)
		if (signed_fields[i].how == OVER)
			add_name(&d->names, &column, str_of(signed_fields[i].name));
	return 0;
}

/* Reset: after an Ed25519 signature the context would go on to sign. */
static int begin_hash(struct dkim *d)
{
	return EVP_MD_CTX_reset(d->hash) == 1 && EVP_DigestInit_ex2(d->hash, d->sha256, NULL) == 1
		       ? 0
		       : -1;
}

static void hash_piece(void *user, struct str piece)
{
	EVP_DigestUpdate(user, piece.p, piece.n);
}

void dkim_know(struct dkim *d, struct str text)
{
	if (text.n >= WORTH_KNOWING && dkim_is_relaxed(text))
		buf_add(&d->known, &text, sizeof text);
}

static bool is_known(const struct dkim *d, struct str text)
{
	const struct str *known = (const struct str *)(const void *)d->known.p;

	for (size_t i = 0; text.n >= WORTH_KNOWING && i < d->known.n / sizeof *known; i++)
		if (known[i].p == text.p && known[i].n == text.n)
			return true;
	return false;
}

static int hash_body(
	struct dkim *d, const struct body *body, unsigned char hash[HASH_SIZE], struct err *e)
{
	struct dkim_relaxer r = {.take = hash_piece, .user = d->hash};

	if (begin_hash(d) < 0)
		goto bad;
	dkim_relax_body(&r, body->rest, false);
	for (size_t i = 0; i < body->n; i++)
		dkim_relax_body(&r, body->part[i], is_known(d, body->part[i]));
	dkim_relax_end(&r);
	if (EVP_DigestFinal_ex(d->hash, hash, NULL) == 1)
		return 0;
bad:
	return err_set(e, ERR_BUG, "OpenSSL cannot hash a body");
}

/* ---- a signature ---- */

/* Append `text` to the line, folded anywhere. */
static void add_folded(struct buf *line, size_t column, struct str text)
{
	while (text.n) {
		struct str piece = str_slice(text, 0, LINE - column);

		buf_str(line, piece);
		text = str_slice(text, piece.n, text.n);
		if (text.n)
			buf_cstr(line, "\r\n ");
		column = 1;
	}
}

/* Sign the fields of `of`, and the signature field itself, which comes last. Ed25519 signs the hash as its
 * message (RFC 8463 section 3). */
static int sign_fields(
	struct dkim *d, const struct dkim *of, unsigned char signature[SIGNATURE_MAX], size_t *n)
{
	unsigned char hash[HASH_SIZE];

	*n = SIGNATURE_MAX;
	if (begin_hash(d) < 0 || EVP_DigestUpdate(d->hash, of->fields.p, of->fields.n) != 1 ||
		EVP_DigestUpdate(d->hash, d->relaxed.p, d->relaxed.n) != 1 ||
		EVP_DigestFinal_ex(d->hash, hash, NULL) != 1)
		return -1;
	if (d->rsa)
		return EVP_PKEY_sign(d->rsa, signature, n, hash, sizeof hash) == 1 ? 0 : -1;
	if (EVP_DigestSignInit(d->hash, NULL, NULL, NULL, d->key) != 1 ||
		EVP_DigestSign(d->hash, signature, n, hash, sizeof hash) != 1)
		return -1;
	return 0;
}

/* Write the signature field up to and with "b=", and its relaxed form, without a CRLF (RFC 6376 section 3.7). */
static void write_line(
	struct dkim *d, const struct dkim *of, const unsigned char hash[HASH_SIZE], int64_t now)
{
	struct str field, name, value;

	buf_reset(&d->line);
	buf_reset(&d->relaxed);
	buf_str(&d->line, buf_view(&d->begin));
	buf_printf(&d->line, "%lld;\r\n h=", (long long)now);
	buf_str(&d->line, buf_view(&of->names));
	buf_cstr(&d->line, ";\r\n bh=");
	enc_base64(&d->line, (struct str){(const char *)hash, HASH_SIZE});
	buf_cstr(&d->line, ";\r\n b=");
	field = buf_view(&d->line);
	dkim_next_field(&field, &name, &value);
	dkim_relax_field(name, value, &d->relaxed);
	d->relaxed.n -= 2;
}

static int sign(struct dkim *d, const struct dkim *of, const unsigned char hash[HASH_SIZE],
	int64_t now, struct buf *out, struct err *e)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t n;

	write_line(d, of, hash, now);
	if (of->fields.over || of->names.over || d->line.over || d->relaxed.over)
		return err_set(e, ERR_BUG, "a message's header fields are too long to be signed");
	if (sign_fields(d, of, signature, &n) < 0)
		return err_set(e, ERR_BUG, "OpenSSL cannot sign a message");
	buf_reset(&d->base64);
	enc_base64(&d->base64, (struct str){(const char *)signature, n});
	add_folded(&d->line, strlen(" b="), buf_view(&d->base64));
	buf_cstr(&d->line, "\r\n");
	buf_str(out, buf_view(&d->line));
	return 0;
}

int dkim_sign(struct dkim *const *d, size_t n, const struct parts *message, int64_t now,
	struct buf *out, struct err *e)
{
	unsigned char hash[HASH_SIZE];
	struct dkim *first = d[0];
	struct body body;

	buf_reset(&first->head);
	buf_reset(&first->fields);
	buf_reset(&first->names);
	if (cut(message, &first->head, &body) < 0)
		return err_set(
			e, ERR_BUG, "a message to be signed has no end of its header fields");
	if (gather(first, e) < 0 || hash_body(first, &body, hash, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (sign(d[i], first, hash, now, out, e) < 0)
			return -1;
	return 0;
}

/* ---- keys ---- */

int dkim_record(const struct dkim *d, struct buf *out, struct err *e)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(d->key, &der);
	struct str key = {(const char *)der, n > 0 ? (size_t)n : 0};

	if (!d->rsa &&
		key.n >= HASH_SIZE) /* the key itself is at the end of its DER form (RFC 8410) */
		key = str_slice(key, key.n - HASH_SIZE, key.n);
	buf_printf(out, "v=DKIM1; k=%s; p=", d->rsa ? "rsa" : "ed25519");
	enc_base64(out, key);
	OPENSSL_free(der);
	return key.n ? 0 : err_set(e, ERR_BUG, "OpenSSL cannot write a public key");
}

int dkim_generate(enum dkim_type type, struct buf *pem, struct err *e)
{
	EVP_PKEY *key = type == DKIM_RSA ? EVP_RSA_gen(RSA_BITS_NEW)
					 : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_secmem());
	char *text;
	long n;
	int rc = -1;

	if (key && bio && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
		n = BIO_get_mem_data(bio, &text);
		buf_add(pem, text, (size_t)n);
		rc = 0;
	}
	BIO_free(bio);
	EVP_PKEY_free(key);
	return rc < 0 ? err_set(e, ERR_BUG, "OpenSSL cannot make a key") : 0;
}
