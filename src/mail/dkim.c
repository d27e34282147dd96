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

/* What all signatures of a message share. */
struct message {
	struct buf head; /* its header fields */
	struct buf fields; /* those that are signed, relaxed, in the order of ... */
	struct buf names; /* ... h=, folded */
	unsigned char hash[HASH_SIZE]; /* bh= */
};

struct dkim {
	EVP_PKEY *key;
	EVP_PKEY_CTX *rsa; /* NULL for Ed25519; kept: making one costs more than hashing a field */
	EVP_MD_CTX *hash;
	EVP_MD *sha256;
	struct buf begin; /* of every signature field, up to the time */
	struct buf known; /* of struct str: texts that are relaxed, by their places */
	struct message message; /* which it is the first to sign */
	struct buf line; /* a signature's field */
	struct buf relaxed; /* the same, as it is signed: b= empty, no CRLF at its end */
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
	buf_init(&d->message.head, FIELDS_MAX);
	buf_init(&d->message.fields, FIELDS_MAX);
	buf_init(&d->message.names, FIELDS_MAX);
	buf_init(&d->line, FIELDS_MAX);
	buf_init(&d->relaxed, FIELDS_MAX);
	buf_init(&d->base64, SIGNATURE_MAX * 2);
	d->key = read_key(pem);
	if (check_key(d, e) < 0 || prepare(d, e) < 0)
		goto out;
	buf_printf(&d->begin,
		"DKIM-Signature: v=1; a=%s-sha256; c=relaxed/relaxed;\r\n d=%.*s; s=%.*s; t=",
		d->rsa ? "rsa" : "ed25519", STR_ARG(domain), STR_ARG(selector));
	if (d->begin.over) {
		err_set(e, ERR_CONFIG, "the domain or the selector of the DKIM key is too long");
		goto out;
	}
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
	buf_free(&d->message.head);
	buf_free(&d->message.fields);
	buf_free(&d->message.names);
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

/* Join the header fields, and find the body. */
static int split(const struct parts *message, struct buf *head, struct body *body, struct err *e)
{
	enum { STEP = 2048 }; /* octets: the part in which they end may hold most of the message */
	size_t n;
	const struct str *part = parts_list(message, &n);

	for (; n; part++, n--)
		for (size_t at = 0; at < part->n; at += STEP) {
			size_t from = head->n < 3 ? 0 : head->n - 3, end;

			buf_str(head, str_slice(*part, at, at + STEP));
			if (head->over)
				return err_set(e, ERR_BUG,
					"a message's header fields are too long to be signed");
			end = from +
			      str_search(str_slice(buf_view(head), from, head->n), STR("\r\n\r\n"));
			if (end == head->n)
				continue;
			at = at + STEP < part->n ? at + STEP : part->n;
			*body = (struct body){str_slice(*part, at - (head->n - end - 4), part->n),
				part + 1, n - 1};
			head->n = end + 2;
			return 0;
		}
	return err_set(e, ERR_BUG, "a message to be signed has no end of its header fields");
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

/* Fill m->fields and m->names by m->head. A verifier takes the last field of a name first (RFC 6376 section
 * 5.4.2), so it is walked from its end; names that are in h= once more stand for nothing. */
static int gather(struct message *m, struct err *e)
{
	struct str name[FIELDS_N_MAX], value[FIELDS_N_MAX], head = buf_view(&m->head);
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
			dkim_relax_field(name[n], value[n], &m->fields);
			add_name(&m->names, &column, name[n]);
		}
	if (!from)
		return err_set(e, ERR_BUG, "a message to be signed has no From");
	for (size_t i = 0; i < SIGNED_N; i++)
		if (signed_fields[i].how == OVER)
			add_name(&m->names, &column, str_of(signed_fields[i].name));
	return 0;
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

/* Reset: after an Ed25519 signature the context would go on to sign. */
static int begin_hash(struct dkim *d)
{
	return EVP_MD_CTX_reset(d->hash) == 1 && EVP_DigestInit_ex2(d->hash, d->sha256, NULL) == 1
		       ? 0
		       : -1;
}

struct hashing {
	EVP_MD_CTX *md;
	bool failed;
};

static void hash_piece(void *user, struct str piece)
{
	struct hashing *h = user;

	h->failed |= EVP_DigestUpdate(h->md, piece.p, piece.n) != 1;
}

static int hash_body(
	struct dkim *d, const struct body *body, unsigned char hash[HASH_SIZE], struct err *e)
{
	struct hashing h = {d->hash, begin_hash(d) < 0};
	struct dkim_relaxer r = {.take = hash_piece, .user = &h};

	dkim_relax_body(&r, body->rest, false);
	for (size_t i = 0; i < body->n; i++)
		dkim_relax_body(&r, body->part[i], is_known(d, body->part[i]));
	dkim_relax_end(&r);
	if (h.failed || EVP_DigestFinal_ex(d->hash, hash, NULL) != 1)
		return err_set(e, ERR_BUG, "OpenSSL cannot hash a body");
	return 0;
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

/* Sign the message's fields, and the signature's own behind them. Ed25519 signs the hash as its message (RFC 8463
 * section 3). */
static int sign_fields(
	struct dkim *d, const struct message *m, unsigned char signature[SIGNATURE_MAX], size_t *n)
{
	unsigned char hash[HASH_SIZE];

	*n = SIGNATURE_MAX;
	if (begin_hash(d) < 0 || EVP_DigestUpdate(d->hash, m->fields.p, m->fields.n) != 1 ||
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

/* Write the field up to and with "b=", and its relaxed form, which has no CRLF (RFC 6376 section 3.7). */
static void begin_line(struct dkim *d, const struct message *m, int64_t now)
{
	struct str field, name, value;

	buf_reset(&d->line);
	buf_reset(&d->relaxed);
	buf_str(&d->line, buf_view(&d->begin));
	buf_printf(&d->line, "%lld;\r\n h=", (long long)now);
	buf_str(&d->line, buf_view(&m->names));
	buf_cstr(&d->line, ";\r\n bh=");
	enc_base64(&d->line, (struct str){(const char *)m->hash, HASH_SIZE});
	buf_cstr(&d->line, ";\r\n b=");
	field = buf_view(&d->line);
	dkim_next_field(&field, &name, &value);
	dkim_relax_field(name, value, &d->relaxed);
	d->relaxed.n -= 2;
}

static int sign(
	struct dkim *d, const struct message *m, int64_t now, struct buf *out, struct err *e)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t n;

	begin_line(d, m, now);
	if (sign_fields(d, m, signature, &n) < 0)
		return err_set(e, ERR_BUG, "OpenSSL cannot sign a message");
	buf_reset(&d->base64);
	enc_base64(&d->base64, (struct str){(const char *)signature, n});
	add_folded(&d->line, strlen(" b="), buf_view(&d->base64));
	buf_cstr(&d->line, "\r\n");
	if (m->fields.over || m->names.over || d->relaxed.over || d->line.over)
		return err_set(e, ERR_BUG, "a message's header fields are too long to be signed");
	buf_str(out, buf_view(&d->line));
	return 0;
}

int dkim_sign(struct dkim *const *d, size_t n, const struct parts *message, int64_t now,
	struct buf *out, struct err *e)
{
	struct message *m = &d[0]->message;
	struct body body = {0};

	buf_reset(&m->head);
	buf_reset(&m->fields);
	buf_reset(&m->names);
	if (split(message, &m->head, &body, e) < 0 || gather(m, e) < 0 ||
		hash_body(d[0], &body, m->hash, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (sign(d[i], m, now, out, e) < 0)
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
