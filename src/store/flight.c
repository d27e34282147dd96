/* SPDX-License-Identifier: MIT */
#include "flight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <systemd/sd-id128.h>
#include <unistd.h>

enum { FILE_MODE = 0640, PATH_SIZE = 4096, SLOTS_MAX = 1000000 };

struct head {
	char magic[8];
	sd_id128_t boot; /* of the machine; null where it is not known: never believed */
	unsigned char site[KEY_HASH_SIZE]; /* a hash under the database's key */
	int64_t lease;
	uint64_t device, inode; /* its own: a copy of the file is of another time */
};
static const char magic[8] = {'L', 't', 'm', 'l', 'F', 'l', 't', '1'};

struct entry {
	int64_t issue, subscriber;
	int32_t attempts;
	atomic_uchar stage; /* 0 = the others mean nothing */
};

struct flight {
	int fd;
	void *map; /* NULL = none */
	size_t size;
	struct entry *entry;
};

struct flight_found {
	size_t n;
	struct entry entry[];
};

static int path_of(const struct store *s, int64_t lease, char path[PATH_SIZE], struct err *e)
{
	if (snprintf(path, PATH_SIZE, "%s-flight-%lld", s->path, (long long)lease) < PATH_SIZE)
		return 0;
	return err_set(e, ERR_INPUT, "the path '%s' is too long", s->path);
}

static int head_of(struct store *s, int64_t lease, int fd, struct head *out, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot see to the flight of '%s'", s->path);
	*out = (struct head){.lease = lease, .device = st.st_dev, .inode = st.st_ino};
	memcpy(out->magic, magic, sizeof magic);
	if (sd_id128_get_boot(&out->boot) < 0)
		out->boot = SD_ID128_NULL;
	return key_hash(s, STR("flight"), out->site, e);
}

/* ---- the worker's side ---- */

/* Room is taken at once: a store into a hole that the disk has no room for would end the process, as it still may where
 * the file system writes every block to a new place. */
static int make(struct flight *f, struct store *s, const char *path, int64_t lease, struct err *e)
{
	struct head head;

	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(e, "cannot remove '%s'", path);
	f->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (f->fd < 0)
		return err_sys(e, "cannot create '%s'", path);
	if (db_belong(s, path, f->fd, e) < 0 || head_of(s, lease, f->fd, &head, e) < 0)
		return -1;
	if (flock(f->fd, LOCK_EX) < 0 || (errno = posix_fallocate(f->fd, 0, (off_t)f->size)) != 0)
		return err_sys(e, "cannot write '%s'", path);
	f->map = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	if (f->map == MAP_FAILED) {
		f->map = NULL;
		return err_sys(e, "cannot map '%s'", path);
	}
	memcpy(f->map, &head, sizeof head);
	f->entry = (struct entry *)((char *)f->map + sizeof head);
	return 0;
}

int flight_open(
	struct store *s, const struct lease *l, size_t slot_n, struct flight **out, struct err *e)
{
	struct flight *f = calloc(1, sizeof *f);
	char path[PATH_SIZE];

	*out = NULL;
	if (!f)
		return err_set(e, ERR_IO, "out of memory");
	f->fd = -1;
	f->size = sizeof(struct head) + slot_n * sizeof *f->entry;
	if (path_of(s, l->id, path, e) == 0 && make(f, s, path, l->id, e) == 0) {
		*out = f;
		return 0;
	}
	flight_close(f);
	return -1;
}

/* Closing is unlocking once the mapping is gone, too. */
void flight_close(struct flight *f)
{
	if (!f)
		return;
	if (f->map)
		munmap(f->map, f->size);
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

atomic_uchar *flight_put(
	struct flight *f, size_t slot, int64_t issue, int64_t subscriber, int attempts)
{
	struct entry *one = &f->entry[slot];

	one->issue = issue;
	one->subscriber = subscriber;
	one->attempts = attempts;
	atomic_store_explicit(&one->stage, FLIGHT_HERE, memory_order_release);
	return &one->stage;
}

void flight_drop(struct flight *f, size_t slot)
{
	atomic_store_explicit(&f->entry[slot].stage, FLIGHT_UNKNOWN, memory_order_release);
}

/* ---- who finds it ---- */

/* Open the file of a lease where it can be believed, with its number of entries: of this boot, whole, no copy,
 * and not locked by a living process. -1 where not. */
static int find(struct store *s, int64_t lease, size_t *n)
{
	char path[PATH_SIZE];
	struct head ours, found;
	struct stat st;
	int fd;

	if (path_of(s, lease, path, NULL) < 0)
		return -1;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (head_of(s, lease, fd, &ours, NULL) == 0 && !sd_id128_is_null(ours.boot) &&
		flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		pread(fd, &found, sizeof found, 0) == sizeof found &&
		memcmp(&found, &ours, sizeof found) == 0) {
		*n = ((size_t)st.st_size - sizeof found) / sizeof(struct entry);
		if (*n <= SLOTS_MAX)
			return fd;
	}
	close(fd);
	return -1;
}

bool flight_ended(struct store *s, int64_t lease)
{
	size_t n;
	int fd = find(s, lease, &n);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

struct flight_found *flight_take(struct store *s, int64_t lease)
{
	struct flight_found *found;
	char path[PATH_SIZE];
	size_t n = 0;
	int fd = find(s, lease, &n);

	if (s->landed_n < DB_FLIGHTS)
		s->landed[s->landed_n++] = lease;
	else if (path_of(s, lease, path, NULL) == 0)
		unlink(path);
	if (fd < 0)
		return NULL;
	found = malloc(sizeof *found + n * sizeof found->entry[0]);
	if (found) {
		ssize_t size = (ssize_t)(n * sizeof found->entry[0]);

		found->n =
			pread(fd, found->entry, (size_t)size, sizeof(struct head)) == size ? n : 0;
	}
	close(fd);
	return found;
}

void flights_remove(struct store *s)
{
	char path[PATH_SIZE];

	for (size_t i = 0; i < s->landed_n; i++)
		if (path_of(s, s->landed[i], path, NULL) == 0)
			unlink(path);
	s->landed_n = 0;
}

enum flight_stage flight_stage(
	const struct flight_found *f, int64_t issue, int64_t subscriber, int attempts)
{
	for (size_t i = 0; f && i < f->n; i++) {
		const struct entry *one = &f->entry[i];

		if (one->stage && one->subscriber == subscriber && one->issue == issue &&
			one->attempts == attempts)
			return (enum flight_stage)one->stage;
	}
	return FLIGHT_UNKNOWN;
}
