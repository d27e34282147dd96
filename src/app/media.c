/* SPDX-License-Identifier: MIT */
#include "media.h"

#include "base/enc.h"
#include "base/file.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEDIA_MAX = 5 * 1024 * 1024, HASH_OCTETS = 8 };

/* Below the issue's folder, and not hidden. */
static int check_path(struct str path, struct err *e)
{
	struct str rest = path, part;

	while (str_next(&rest, '/', &part))
		if (!part.n || part.p[0] == '.')
			return err_set(e, ERR_INPUT,
				"a local image is a file beside the issue or in a folder below, "
				"such as "
				"media/photo.png");
	return 0;
}

static struct str name_of(struct str path)
{
	size_t at = path.n;

	while (at > 0 && path.p[at - 1] != '/')
		at--;
	return str_slice(path, at, path.n);
}

/* "HASH/NAME" */
static struct str stored_as(struct arena *a, struct str path, struct str data)
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	struct buf b;
	struct str file;

	SHA256((const unsigned char *)data.p, data.n, digest);
	buf_init(&b, path.n + 4 * HASH_OCTETS);
	enc_hex(&b, (struct str){(const char *)digest, HASH_OCTETS});
	buf_char(&b, '/');
	buf_str(&b, name_of(path));
	file = arena_str(a, buf_view(&b));
	buf_free(&b);
	return file;
}

static struct str address_of(const struct media_finder *f, struct str file)
{
	struct str name = name_of(file), url;
	struct buf b;

	buf_init(&b, 4096);
	buf_str(&b, f->site->config.web.url);
	buf_cstr(&b, "/media/");
	buf_str(&b, str_slice(file, 0, file.n - name.n));
	enc_url(&b, name);
	url = arena_str(&f->publish->arena, buf_view(&b));
	buf_free(&b);
	return url;
}

static int read_image(
	struct media_finder *f, struct str path, struct publish_media *m, struct err *e)
{
	struct arena *a = &f->publish->arena;
	struct str issue = str_of(f->publish->source.file);
	struct str folder = str_slice(issue, 0, issue.n - name_of(issue).n);
	struct buf b;
	int rc = -1;

	m->source = arena_printf(a, "%.*s%.*s", STR_ARG(folder), STR_ARG(path));
	buf_init(&b, MEDIA_MAX);
	if (check_path(path, e) == 0 && file_read(m->source, &b, e) == 0 &&
		image_read(buf_view(&b), &m->media.image, e) == 0) {
		m->media.path = arena_str(a, path);
		m->media.data = arena_str(a, buf_view(&b));
		m->file = stored_as(a, path, m->media.data);
		m->media.url = address_of(f, m->file);
		rc = 0;
	}
	buf_free(&b);
	return rc;
}

const struct compile_media *media_find(void *finder, struct str path, struct err *e)
{
	struct media_finder *f = finder;
	struct publish_media **link = &f->publish->media, *m;

	for (; *link; link = &(*link)->next)
		if (str_eq((*link)->media.path, path))
			return &(*link)->media;
	m = arena_alloc(&f->publish->arena, sizeof *m);
	if (read_image(f, path, m, e) < 0)
		return NULL;
	*link = m;
	return &m->media;
}

static int make_folder(const char *path, struct err *e)
{
	if (mkdir(path, 0755) == 0 || errno == EEXIST)
		return 0;
	return err_sys(e, "cannot make the folder '%s'", path);
}

int media_put(struct site *s, const struct publish_media *first, struct err *e)
{
	struct arena a = {0};
	int rc = 0;

	if (first)
		rc = make_folder(s->config.media, e);
	for (const struct publish_media *m = first; m && rc == 0; m = m->next) {
		const char *path = arena_printf(&a, "%s/%.*s", s->config.media, STR_ARG(m->file));
		const char *folder = arena_printf(
			&a, "%s/%.*s", s->config.media, (int)str_find(m->file, '/'), m->file.p);

		rc = make_folder(folder, e);
		if (rc == 0 && access(path, R_OK) < 0)
			rc = file_write(path, m->media.data, 0644, e);
	}
	arena_free(&a);
	return rc;
}

static void replace(struct buf *b, struct str what, struct str by)
{
	struct buf out;
	struct str rest = buf_view(b);

	buf_init(&out, b->max);
	while (rest.n) {
		size_t at = str_search(rest, what);

		buf_str(&out, str_slice(rest, 0, at));
		if (at < rest.n)
			buf_str(&out, by);
		rest = str_slice(rest, at + what.n, rest.n);
	}
	buf_free(b);
	*b = out;
}

void media_show(
	const struct publish_media *first, struct str list_id, const char *before, struct buf *html)
{
	struct arena a = {0};
	int number = 1;

	for (const struct publish_media *m = first; m; m = m->next) {
		char *whole = realpath(m->source, NULL);
		struct str by =
			str_of(before ? arena_printf(&a, "%s%.*s", before, STR_ARG(m->file))
				      : arena_printf(&a, "file://%s", whole ? whole : m->source));
		struct str cid =
			str_of(arena_printf(&a, "cid:image%d@%.*s", number++, STR_ARG(list_id)));
		struct buf escaped;

		buf_init(&escaped, 8 * by.n);
		enc_html(&escaped, by);
		replace(html, m->media.url, buf_view(&escaped));
		replace(html, cid, buf_view(&escaped));
		buf_free(&escaped);
		free(whole);
	}
	arena_free(&a);
}
