/* SPDX-License-Identifier: MIT */
#include "source.h"

#include "base/enc.h"
#include "csvtext.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Text of people is packed to a tenth; what was made to burst is a thousand times its size. */
enum { PIECE = 256 * 1024, ENTRIES_MAX = 1000, NAME_OCTETS_MAX = 255, BURST_RATIO = 200 };
static const uint64_t burst_least = 100 * 1000 * 1000;

struct source {
	const char *name;
	int fd;
	uint64_t size;
	struct archive *archive;
	EVP_MD_CTX *sum;
	uint64_t unpacked;
	bool packed, is_zip, is_excel;
	size_t entries, members;
	struct str member;
	struct {
		struct str member;
		const char *why;
	} left_out[SOURCE_MEMBERS_MAX];
	size_t left_out_n;
	struct arena a;
};

static int open_archive(struct source *s, struct err *e)
{
	s->archive = archive_read_new();
	s->sum = EVP_MD_CTX_new();
	if (!s->archive || !s->sum || !EVP_DigestInit_ex(s->sum, EVP_sha256(), NULL))
		return err_set(e, ERR_IO, "out of memory");
	archive_read_support_filter_gzip(s->archive);
	archive_read_support_format_zip(s->archive);
	archive_read_support_format_raw(s->archive);
	archive_read_support_format_empty(s->archive);
	if (archive_read_open_fd(s->archive, s->fd, PIECE) != ARCHIVE_OK)
		return err_set(e, ERR_INPUT, "cannot read '%s': %s", s->name,
			archive_error_string(s->archive));
	return 0;
}

int source_open(const char *path, struct source **out, struct err *e)
{
	struct source *s = calloc(1, sizeof *s);
	struct stat st;

	if (!s)
		return err_set(e, ERR_IO, "out of memory");
	s->name = strcmp(path, "-") ? path : "standard input";
	s->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	if (s->fd < 0 || fstat(s->fd, &st) < 0) {
		err_sys(e, "cannot read '%s'", s->name);
		goto out;
	}
	if (S_ISDIR(st.st_mode)) {
		err_set(e, ERR_INPUT, "'%s' is a folder", s->name);
		goto out;
	}
	if (S_ISREG(st.st_mode))
		s->size = (uint64_t)st.st_size;
	if (open_archive(s, e) < 0)
		goto out;
	*out = s;
	return 0;
out:
	source_close(s);
	return -1;
}

void source_close(struct source *s)
{
	if (!s)
		return;
	archive_read_free(s->archive);
	EVP_MD_CTX_free(s->sum);
	if (s->fd >= 0)
		close(s->fd);
	arena_free(&s->a);
	free(s);
}

/* The name as UTF-8, of sane length. */
static struct str name_of(struct source *s, struct archive_entry *entry)
{
	const char *text = archive_entry_pathname_utf8(entry);
	struct str name = str_of(text ? text : archive_entry_pathname(entry));
	struct buf utf8;

	if (utf8_invalid_at(name) < name.n) {
		buf_init(&utf8, 64 * 1024);
		csvtext_windows_1252(&utf8, name);
		name = arena_str(&s->a, buf_view(&utf8));
		buf_free(&utf8);
	}
	return arena_str(&s->a, str_slice(name, 0, utf8_prefix(name, NAME_OCTETS_MAX)));
}

static bool is_text(struct str name)
{
	static const char *const ends[] = {".csv", ".tsv", ".txt"};

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (name.n > 4 &&
			str_eq_nocase(str_slice(name, name.n - 4, name.n), str_of(ends[i])))
			return true;
	return false;
}

/* What a Mac adds to each file is not one that somebody packed. */
static bool is_shadow(struct str name)
{
	return str_has_prefix(name, STR("__MACOSX/")) || str_search(name, STR("/._")) < name.n ||
	       str_has_prefix(name, STR("._"));
}

void source_leave_out(struct source *s, struct str member, const char *why)
{
	if (s->left_out_n == SOURCE_MEMBERS_MAX)
		return;
	s->left_out[s->left_out_n].member = arena_str(&s->a, member);
	s->left_out[s->left_out_n++].why = why;
}

size_t source_left_out(const struct source *s, size_t i, struct str *member, const char **why)
{
	if (i < s->left_out_n) {
		*member = s->left_out[i].member;
		*why = s->left_out[i].why;
	}
	return s->left_out_n;
}

/* Whether this entry of a zip is to be read. 1, 0, -1. */
static int judge(struct source *s, struct archive_entry *entry, struct err *e)
{
	struct str name = name_of(s, entry);

	if (++s->entries > ENTRIES_MAX)
		return err_set(e, ERR_INPUT,
			"'%s' holds more than %d files: unpack it, and import "
			"the right ones",
			s->name, ENTRIES_MAX);
	s->is_excel |= str_eq(name, STR("xl/workbook.xml"));
	if (archive_entry_filetype(entry) != AE_IFREG || is_shadow(name))
		return 0;
	if (!is_text(name)) {
		source_leave_out(s, name, "its name does not end in .csv, .tsv or .txt");
		return 0;
	}
	if (archive_entry_is_data_encrypted(entry))
		return err_set(e, ERR_INPUT,
			"'%s' is locked with a password: unpack it, and import what was in it",
			s->name);
	if (++s->members > SOURCE_MEMBERS_MAX)
		return err_set(e, ERR_INPUT, "'%s' holds more than %d files of text", s->name,
			SOURCE_MEMBERS_MAX);
	s->member = name;
	return 1;
}

static int refuse(struct source *s, struct err *e)
{
	return err_set(
		e, ERR_INPUT, "cannot unpack '%s': %s", s->name, archive_error_string(s->archive));
}

int source_next(struct source *s, struct err *e)
{
	struct archive_entry *entry;
	int rc;

	while ((rc = archive_read_next_header(s->archive, &entry)) == ARCHIVE_OK ||
		rc == ARCHIVE_WARN) {
		s->packed = archive_filter_count(s->archive) > 1;
		s->is_zip = (archive_format(s->archive) & ARCHIVE_FORMAT_BASE_MASK) ==
			    ARCHIVE_FORMAT_ZIP;
		if (!s->is_zip)
			return 1;
		s->packed = true;
		rc = judge(s, entry, e);
		if (rc)
			return rc;
	}
	if (rc != ARCHIVE_EOF)
		return refuse(s, e);
	if (s->is_zip && !s->members)
		return err_set(e, ERR_INPUT,
			s->is_excel
				? "'%s' is a spreadsheet of Excel: save it as CSV, and import that"
				: "'%s' holds no file whose name ends in .csv, .tsv or .txt",
			s->name);
	return 0;
}

struct str source_member(const struct source *s)
{
	return s->is_zip ? s->member : STR("");
}

ssize_t source_read(struct source *s, char *to, size_t max, struct err *e)
{
	size_t n = 0;

	while (n < max) {
		ssize_t got = archive_read_data(s->archive, to + n, max - n);

		if (got < 0)
			return refuse(s, e);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	EVP_DigestUpdate(s->sum, to, n);
	s->unpacked += n;
	if (s->packed && s->unpacked > burst_least && s->unpacked / BURST_RATIO > source_done(s))
		return err_set(e, ERR_INPUT,
			"'%s' unpacks to more than %d times its size: no file of people does",
			s->name, BURST_RATIO);
	return (ssize_t)n;
}

const char *source_name(const struct source *s)
{
	return s->name;
}

uint64_t source_done(const struct source *s)
{
	return (uint64_t)archive_filter_bytes(s->archive, -1);
}

uint64_t source_size(const struct source *s)
{
	return s->size;
}

void source_sum(struct source *s, char out[SOURCE_SUM_SIZE])
{
	unsigned char sum[32];
	struct buf hex;

	buf_init(&hex, SOURCE_SUM_SIZE);
	EVP_DigestFinal_ex(s->sum, sum, NULL);
	enc_hex(&hex, (struct str){(char *)sum, sizeof sum});
	memcpy(out, buf_text(&hex), SOURCE_SUM_SIZE);
	buf_free(&hex);
}
