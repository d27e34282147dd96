/* SPDX-License-Identifier: MIT */
#include "http_request.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum { FORM_BUFFER = 4096, FIELD_NAME_MAX = 64 };

/* ---- looking things up ---- */

static struct str field_value(const struct http_field *f, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(f[i].name, str_of(name)))
			return f[i].value;
	return STR("");
}

struct str http_query(const struct http_request *r, const char *name)
{
	return field_value(r->query, r->query_n, name);
}

struct str http_form(const struct http_request *r, const char *name)
{
	return field_value(r->form, r->form_n, name);
}

struct str http_header(const struct http_request *r, const char *name)
{
	return str_of(MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name));
}

/* ---- the header ---- */

struct fields {
	struct http_field *field;
	size_t n;
};

static enum MHD_Result add_query(
	void *user, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct fields *f = user;

	(void)kind;
	if (f->n == HTTP_FIELDS_MAX)
		return MHD_NO;
	f->field[f->n++] = (struct http_field){str_of(name), str_of(value)};
	return MHD_YES;
}

static void read_query(struct incoming *in)
{
	struct fields f = {.n = 0};

	f.field = arena_array(&in->arena, HTTP_FIELDS_MAX, sizeof *f.field);
	MHD_get_connection_values(in->connection, MHD_GET_ARGUMENT_KIND, add_query, &f);
	in->request.query = f.field;
	in->request.query_n = f.n;
}

static bool is_address(const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

/* Only a proxy on this machine is believed, and of what it says only the last hop, which it has seen
 * itself. */
static struct str client_of(struct incoming *in)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(in->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *peer = info ? info->client_addr : NULL;
	const char *hops =
		MHD_lookup_connection_value(in->connection, MHD_HEADER_KIND, "X-Forwarded-For");
	char *text = arena_alloc(&in->arena, INET6_ADDRSTRLEN);
	bool local = !peer || peer->sa_family == AF_UNIX;

	if (peer && peer->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)peer;

		local = ntohl(v4->sin_addr.s_addr) >> 24 == 127;
		inet_ntop(AF_INET, &v4->sin_addr, text, INET6_ADDRSTRLEN);
	} else if (peer && peer->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)peer;

		local = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
		inet_ntop(AF_INET6, &v6->sin6_addr, text, INET6_ADDRSTRLEN);
	}
	if (local && hops) {
		const char *comma = strrchr(hops, ',');
		char *told = arena_cstr(&in->arena, str_trim(str_of(comma ? comma + 1 : hops)));

		if (is_address(told))
			return str_of(told);
	}
	return str_of(text);
}

struct incoming *incoming_open(
	struct MHD_Connection *connection, const char *path, const char *method)
{
	static const struct {
		const char *word;
		enum http_method method;
	} methods[] = {{"GET", HTTP_GET}, {"HEAD", HTTP_HEAD}, {"POST", HTTP_POST},
		{"OPTIONS", HTTP_OPTIONS}};
	struct incoming *in = calloc(1, sizeof *in);

	if (!in)
		return NULL;
	in->connection = connection;
	in->refused = MHD_HTTP_METHOD_NOT_ALLOWED;
	for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
		if (strcmp(method, methods[i].word) == 0) {
			in->request.method = methods[i].method;
			in->refused = 0;
		}
	buf_init(&in->body, HTTP_BODY_MAX);
	in->request.path = arena_str(&in->arena, str_of(path));
	in->request.arena = &in->arena;
	in->request.connection = connection;
	in->request.client = client_of(in);
	read_query(in);
	return in;
}

/* ---- the body ---- */

struct form {
	struct incoming *in;
	struct http_field *field;
	size_t n;
	struct buf value; /* of the last field, which may come in pieces */
	bool skip; /* the pieces are a file's */
};

static void end_field(struct form *f)
{
	if (f->n)
		f->field[f->n - 1].value = arena_str(&f->in->arena, buf_view(&f->value));
	buf_reset(&f->value);
}

static enum MHD_Result add_form(void *user, enum MHD_ValueKind kind, const char *name,
	const char *file, const char *type, const char *encoding, const char *data, uint64_t at,
	size_t n)
{
	struct form *f = user;

	(void)kind, (void)type, (void)encoding;
	if (at == 0) {
		end_field(f);
		f->skip = file || !name || strlen(name) > FIELD_NAME_MAX;
		if (f->n == HTTP_FIELDS_MAX) {
			f->in->refused = MHD_HTTP_BAD_REQUEST;
			return MHD_NO;
		}
		/* A field that is left out keeps its place without a name, so that the next one's end
		 * is not taken for it. */
		f->field[f->n++].name = f->skip ? STR("") : arena_str(&f->in->arena, str_of(name));
	}
	if (!f->skip)
		buf_add(&f->value, data, n);
	return MHD_YES;
}

static void read_form(struct incoming *in)
{
	struct form f = {.in = in};
	struct MHD_PostProcessor *p;
	bool good;

	p = MHD_create_post_processor(in->connection, FORM_BUFFER, add_form, &f);
	if (!p)
		return;
	buf_init(&f.value, HTTP_BODY_MAX);
	f.field = arena_array(&in->arena, HTTP_FIELDS_MAX, sizeof *f.field);
	good = in->body.n == 0 || MHD_post_process(p, in->body.p, in->body.n) == MHD_YES;
	/* The last field of an urlencoded form ends with the processor. */
	good = MHD_destroy_post_processor(p) == MHD_YES && good;
	end_field(&f);
	buf_free(&f.value);
	if (!good && !in->refused)
		in->refused = MHD_HTTP_BAD_REQUEST;
	in->request.is_form = true;
	in->request.form = f.field;
	in->request.form_n = f.n;
}

void incoming_take(struct incoming *in, const char *data, size_t n)
{
	buf_add(&in->body, data, n);
	if (in->body.over && !in->refused)
		in->refused = MHD_HTTP_CONTENT_TOO_LARGE;
}

void incoming_end(struct incoming *in)
{
	in->whole = true;
	in->request.body = buf_view(&in->body);
	if (in->request.method == HTTP_POST && !in->refused)
		read_form(in);
}

void incoming_close(struct incoming *in)
{
	if (!in)
		return;
	buf_free(&in->reply.body);
	buf_free(&in->body);
	arena_free(&in->arena);
	free(in);
}
