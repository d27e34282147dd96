/* SPDX-License-Identifier: MIT */
#include "mail/token.h"

#include "base/enc.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <stdlib.h>

/*
 * Octets of a token before base32: key id, purpose, a and b as varints, MAC. The fields are all of the
 * MAC's input; varints end where they end, so no two tokens share an input.
 */
enum {
	MAC_SIZE = 32,
	FIELDS_MAX = 2 + 2 * 10,
	TOKEN_OCTETS_MAX = FIELDS_MAX + 16,
};

/* A return path has 64 octets, and 80 bits of MAC suffice where a forgery buys one false bounce. */
static size_t mac_kept(enum token_purpose purpose)
{
	return purpose == TOKEN_VERP ? 10 : 16;
}

/* The MAC of `fields`; false when the library has none, so that nothing is taken for signed. */
static bool sign(const struct token_key *key, struct str fields, unsigned char mac[MAC_SIZE])
{
	unsigned n = 0;

	return HMAC(EVP_sha256(), key->key, sizeof key->key, (const unsigned char *)fields.p,
		       fields.n, mac, &n) &&
	       n == MAC_SIZE;
}

struct token_signer {
	uint8_t id;
	EVP_MAC_CTX *mac;
	struct buf octets; /* of the token that is being made */
};

struct token_signer *token_signer_open(const struct token_key *key)
{
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};
	struct token_signer *s = calloc(1, sizeof *s);
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	if (s) {
		s->id = key->id;
		buf_init(&s->octets, TOKEN_OCTETS_MAX);
		s->mac = EVP_MAC_CTX_new(mac);
	}
	EVP_MAC_free(mac);
	if (s && s->mac && EVP_MAC_init(s->mac, key->key, sizeof key->key, params) == 1)
		return s;
	token_signer_close(s);
	return NULL;
}

void token_signer_close(struct token_signer *s)
{
	if (!s)
		return;
	EVP_MAC_CTX_free(s->mac);
	buf_free(&s->octets);
	free(s);
}

/* As sign(), by the key that the signer holds. */
static bool sign_again(struct token_signer *s, struct str fields, unsigned char mac[MAC_SIZE])
{
	size_t n = 0;

	return EVP_MAC_init(s->mac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(s->mac, (const unsigned char *)fields.p, fields.n) == 1 &&
	       EVP_MAC_final(s->mac, mac, &n, MAC_SIZE) == 1 && n == MAC_SIZE;
}

static void put_fields(uint8_t id, const struct token *t, struct buf *octets)
{
	buf_reset(octets);
	buf_char(octets, (char)id);
	buf_char(octets, (char)t->purpose);
	buf_varint(octets, t->a);
	buf_varint(octets, t->b);
}

static void put_text(struct buf *octets, enum token_purpose purpose, bool is_signed,
	const unsigned char mac[MAC_SIZE], struct buf *out)
{
	if (is_signed) {
		buf_add(octets, mac, mac_kept(purpose));
		enc_base32(out, buf_view(octets));
	} else {
		out->over = true;
	}
}

void token_make(const struct token_key *key, const struct token *t, struct buf *out)
{
	unsigned char mac[MAC_SIZE];
	struct buf octets;

	buf_init(&octets, TOKEN_OCTETS_MAX);
	put_fields(key->id, t, &octets);
	put_text(&octets, t->purpose, sign(key, buf_view(&octets), mac), mac, out);
	buf_free(&octets);
}

void token_sign(struct token_signer *s, const struct token *t, struct buf *out)
{
	unsigned char mac[MAC_SIZE];
	struct buf *octets = &s->octets;

	put_fields(s->id, t, octets);
	put_text(octets, t->purpose, sign_again(s, buf_view(octets), mac), mac, out);
}

bool token_read(
	const struct token_key *key, enum token_purpose purpose, struct str text, struct token *out)
{
	unsigned char mac[MAC_SIZE];
	struct str fields, kept, rest;
	struct buf octets;
	uint64_t a, b;
	bool good = false;

	buf_init(&octets, TOKEN_OCTETS_MAX);
	if (text.n > TOKEN_TEXT_MAX || dec_base32(&octets, text) != 0 || octets.over ||
		octets.n < 2 + mac_kept(purpose))
		goto out;
	fields = str_slice(buf_view(&octets), 0, octets.n - mac_kept(purpose));
	kept = str_slice(buf_view(&octets), fields.n, octets.n);
	if (!sign(key, fields, mac) || CRYPTO_memcmp(mac, kept.p, kept.n) != 0)
		goto out;
	rest = str_slice(fields, 2, fields.n);
	if ((unsigned char)fields.p[0] == key->id && (unsigned char)fields.p[1] == purpose &&
		varint_next(&rest, &a) && varint_next(&rest, &b) && rest.n == 0) {
		*out = (struct token){.purpose = purpose, .a = a, .b = b};
		good = true;
	}
out:
	buf_free(&octets);
	return good;
}
