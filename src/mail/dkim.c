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
};

struct dkim {
	EVP_PKEY *key;
	EVP_PKEY_CTX *rsa; /* NULL for Ed25519; kept: making one costs more than hashing a field */
	EVP_MD_CTX *hash;
	EVP_MD *sha256;
	char *domain, *selector;
	struct buf fields; /* what the signature is over */
	struct buf names; /* h= */
	struct buf line; /* the signature field, without CRLF at its end */
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

static char *copy(struct str s)
{
	char *p = malloc(s.n + 1);

	if (p) {
		memcpy(p, s.p, s.n);
		p[s.n] = '\0';
	}
	return p;
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
	buf_init(&d->fields, FIELDS_MAX);
	buf_init(&d->names, FIELDS_MAX);
	buf_init(&d->line, FIELDS_MAX);
	d->domain = copy(domain);
	d->selector = copy(selector);
	d->key = read_key(pem);
	if (!d->domain || !d->selector) {
		err_set(e, ERR_IO, "out of memory");
		goto out;
	}
	if (check_key(d, e) < 0 || prepare(d, e) < 0)
		goto out;
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
	free(d->domain);
	free(d->selector);
	buf_free(&d->fields);
	buf_free(&d->names);
	buf_free(&d->line);
	free(d);
}

static void hash_piece(void *user, struct str piece)
{
	EVP_DigestUpdate(user, piece.p, piece.n);
}

/* Reset: after an Ed25519 signature the context would go on to sign. */
static int begin_hash(struct dkim *d)
{
	return EVP_MD_CTX_reset(d->hash) == 1 && EVP_DigestInit_ex2(d->hash, d->sha256, NULL) == 1
		       ? 0
		       : -1;
}

static int hash_body(struct dkim *d, struct str body, unsigned char hash[HASH_SIZE])
{
	if (begin_hash(d) < 0)
		return -1;
	dkim_relax_body(body, hash_piece, d->hash);
	return EVP_DigestFinal_ex(d->hash, hash, NULL) == 1 ? 0 : -1;
}

/* Sign d->fields. Ed25519 signs the hash as its message (RFC 8463 section 3). */
static int sign_fields(struct dkim *d, unsigned char signature[SIGNATURE_MAX], size_t *n)
{
	unsigned char hash[HASH_SIZE];

	*n = SIGNATURE_MAX;
	if (begin_hash(d) < 0 || EVP_DigestUpdate(d->hash, d->fields.p, d->fields.n) != 1 ||
		EVP_DigestFinal_ex(d->hash, hash, NULL) != 1)
		return -1;
	if (d->rsa)
		return EVP_PKEY_sign(d->rsa, signature, n, hash, sizeof hash) == 1 ? 0 : -1;
	if (EVP_DigestSignInit(d->hash, NULL, NULL, NULL, d->key) != 1 ||
		EVP_DigestSign(d->hash, signature, n, hash, sizeof hash) != 1)
		return -1;
	return 0;
}

static void add_name(struct dkim *d, struct str name)
{
	if (d->names.n)
		buf_char(&d->names, ':');
	buf_str(&d->names, name);
}

/* Fill d->fields and d->names. A verifier takes the last field of a name first (RFC 6376 section
 * 5.4.2), so the message is walked from its end; names that are in h= once more stand for nothing. */
static int gather(struct dkim *d, struct str *message, struct err *e)
{
	struct str name[FIELDS_N_MAX], value[FIELDS_N_MAX];
	bool from = false;
	size_t n = 0;

	while (n < FIELDS_N_MAX && dkim_next_field(message, &name[n], &value[n]))
		n++;
	if (n == FIELDS_N_MAX || !str_has_prefix(*message, STR("\r\n")))
		return err_set(
			e, ERR_BUG, "a message to be signed has no end of its header fields");
	*message = str_slice(*message, 2, message->n);
	while (n-- > 0)
		if (is_signed(name[n])) {
			from |= str_eq_nocase(name[n], STR("From"));
			dkim_relax_field(name[n], value[n], &d->fields);
			add_name(d, name[n]);
		}
	if (!from)
		return err_set(e, ERR_BUG, "a message to be signed has no From");
	for (size_t i = 0; i < SIGNED_N; i++)
		if (signed_fields[i].how == OVER)
			add_name(d, str_of(signed_fields[i].name));
	return 0;
}

/* Append `text` to the line, folding where a piece ends: behind each `separator`, or anywhere for
 * '\0'. */
static void add_folded(struct buf *out, size_t *column, struct str text, char separator)
{
	while (text.n) {
		size_t left = *column < LINE ? LINE - *column : 0;
		size_t n = separator ? str_find(text, separator) + 1 : left;

		if (n > text.n)
			n = text.n;
		if (n == 0 || n > left) {
			buf_cstr(out, "\r\n ");
			*column = 1;
			if (!separator)
				continue;
		}
		buf_str(out, str_slice(text, 0, n));
		*column += n;
		text = str_slice(text, n, text.n);
	}
}

/* Write the signature field up to and with "b=". */
static void write_line(struct dkim *d, int64_t now, const unsigned char hash[HASH_SIZE])
{
	size_t column = strlen(" h=");

	buf_printf(&d->line,
		"DKIM-Signature: v=1; a=%s-sha256; c=relaxed/relaxed;\r\n"
		" d=%s; s=%s; t=%lld;\r\n h=",
		d->rsa ? "rsa" : "ed25519", d->domain, d->selector, (long long)now);
	add_folded(&d->line, &column, buf_view(&d->names), ':');
	buf_cstr(&d->line, ";\r\n bh=");
	enc_base64(&d->line, (struct str){(const char *)hash, HASH_SIZE});
	buf_cstr(&d->line, ";\r\n b=");
}

/* `hash` is the body's once it is `hashed`. */
static int sign(struct dkim *d, struct str message, unsigned char hash[HASH_SIZE], bool hashed,
	int64_t now, struct buf *out, struct err *e)
{
	unsigned char signature[SIGNATURE_MAX];
	size_t n, column = strlen(" b=");
	struct str field, name, value;
	struct buf base64;
	int rc = -1;

	buf_init(&base64, SIGNATURE_MAX * 2);
	buf_reset(&d->fields);
	buf_reset(&d->names);
	buf_reset(&d->line);
	if (gather(d, &message, e) < 0)
		goto out;
	if (!hashed && hash_body(d, message, hash) < 0) {
		err_set(e, ERR_BUG, "OpenSSL cannot hash a body");
		goto out;
	}
	write_line(d, now, hash);
	/* The field itself comes last, without its CRLF (RFC 6376 section 3.7). */
	field = buf_view(&d->line);
	dkim_next_field(&field, &name, &value);
	dkim_relax_field(name, value, &d->fields);
	if (d->fields.over || d->names.over || d->line.over) {
		err_set(e, ERR_BUG, "a message's header fields are too long to be signed");
		goto out;
	}
	d->fields.n -= 2;
	if (sign_fields(d, signature, &n) < 0) {
		err_set(e, ERR_BUG, "OpenSSL cannot sign a message");
		goto out;
	}
	enc_base64(&base64, (struct str){(const char *)signature, n});
	add_folded(&d->line, &column, buf_view(&base64), '\0');
	buf_add(&d->line, "\r\n", 2);
	buf_str(out, buf_view(&d->line));
	rc = 0;
out:
	buf_free(&base64);
	return rc;
}

int dkim_sign_each(struct dkim *const *d, size_t n, struct str message, int64_t now,
	struct buf *out, struct err *e)
{
	unsigned char hash[HASH_SIZE];

	for (size_t i = 0; i < n; i++)
		if (sign(d[i], message, hash, i > 0, now, out, e) < 0)
			return -1;
	return 0;
}

int dkim_sign(struct dkim *d, struct str message, int64_t now, struct buf *out, struct err *e)
{
	return dkim_sign_each(&d, 1, message, now, out, e);
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
