/* SPDX-License-Identifier: MIT */
#include "smtpd.h"

#include <openssl/err.h>

SSL_CTX *tls_open(const struct options *o, struct err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, o->cert) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, o->key ? o->key : o->cert, SSL_FILETYPE_PEM) !=
			1) {
		char why[256];

		ERR_error_string_n(ERR_get_error(), why, sizeof(why));
		err_set(e, ERR_CONFIG, "certificate or key of '%s' cannot be used: %s", o->cert,
			why);
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	return ctx;
}

void tls_begin(struct conn *c)
{
	const struct rule *r = reply_rule(c, STEP_TLS, NULL, 0);

	c->tls = TLS_NONE;
	if (r) {
		reply_perform(c, r, 0, 0, (struct str){NULL, 0});
		if (r->end == END_NONE && (r->garbage || r->reply))
			out_end(c, END_CLOSE, 0);
		if (c->state == STATE_DEAF)
			return;
	}
	c->ssl = SSL_new(c->server->tls);
	if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1) {
		c->dead = true;
		return;
	}
	c->tls = TLS_HANDSHAKE;
}

bool tls_handshake(struct conn *c)
{
	int rc = SSL_accept(c->ssl), why;

	if (rc == 1) {
		c->tls = TLS_UP;
		return true;
	}
	why = SSL_get_error(c->ssl, rc);
	ERR_clear_error();
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		c->dead = true;
	return false;
}
