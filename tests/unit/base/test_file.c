/* SPDX-License-Identifier: MIT */
#include "base/file.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/lettermill-test-XXXXXX";
static char path[64], missing[64];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof path, "%s/file", folder);
	snprintf(missing, sizeof missing, "%s/missing", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* fails when a temporary file was left behind */
}

static void test_write_and_read(void **state)
{
	struct err e = {0};
	struct stat st;
	struct buf b;

	(void)state;
	buf_init(&b, 16);
	assert_int_equal(file_create(path, STR("one"), 0640, &e), 0);
	assert_int_equal(file_create(path, STR("two"), 0640, &e), -1);
	assert_int_equal(e.code, ERR_EXISTS);
	assert_int_equal(file_read(path, &b, &e), 0);
	assert_string_equal(buf_text(&b), "one");
	assert_int_equal(file_write(path, STR("three"), 0600, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	buf_reset(&b);
	assert_int_equal(file_read(path, &b, &e), 0);
	assert_string_equal(buf_text(&b), "three");
	buf_free(&b);
}

static void test_refusals(void **state)
{
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	assert_int_equal(file_read(missing, &b, &e), -1);
	assert_int_equal(e.code, ERR_MISSING);
	assert_non_null(strstr(e.text, missing));
	assert_int_equal(file_read(folder, &b, &e), -1);
	assert_int_equal(e.code, ERR_INPUT);
	assert_int_equal(file_write(path, STR("12345"), 0600, &e), 0);
	assert_int_equal(file_read(path, &b, &e), -1); /* over the ceiling */
	assert_int_equal(e.code, ERR_INPUT);
	buf_free(&b);
}

static void test_secrets(void **state)
{
	struct err e = {0};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_int_equal(file_write(path, STR("s3cret\r\n"), 0600, &e), 0);
	assert_int_equal(file_read_secret(path, &b, &e), 0);
	assert_string_equal(buf_text(&b), "s3cret");
	buf_reset(&b);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(file_read_secret(path, &b, &e), -1);
	assert_int_equal(e.code, ERR_DENIED);
	assert_null(strstr(e.text, "s3cret"));
	assert_int_equal(b.n, 0);
	assert_int_equal(file_write(path, STR("\n"), 0600, &e), 0);
	assert_int_equal(file_read_secret(path, &b, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	buf_free(&b);
}

static void test_errors(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, ERR_INPUT, "bad '%s'", "a\x1b[31m\n"), -1);
	assert_string_equal(e.text, "bad 'a?[31m?'");
	err_prefix(&e, "file.md:%d: ", 12);
	assert_string_equal(e.text, "file.md:12: bad 'a?[31m?'");
	err_set(&e, e.code, "%s again", e.text);
	assert_string_equal(e.text, "file.md:12: bad 'a?[31m?' again");
	errno = EACCES;
	err_sys(&e, "cannot open '%s'", "x");
	assert_int_equal(e.code, ERR_DENIED);
	assert_string_equal(e.text, "cannot open 'x': Permission denied");
	assert_int_equal(err_set(NULL, ERR_BUG, "nobody listens"), -1);
	assert_int_equal(err_exit_code(ERR_CONFIG), 78);
	assert_int_equal(err_exit_code(ERR_RELAY), 75);
}

/* What log_end() writes, caught from the file descriptor. */
static void test_log(void **state)
{
	char text[4096] = {0};
	int saved = dup(STDERR_FILENO), fd;
	struct log_line l;

	(void)state;
	unsetenv("JOURNAL_STREAM");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	log_set_level(LOG_LEVEL_INFO);
	log_begin(&l, LOG_LEVEL_INFO, "attempt");
	log_int(&l, "issue", -3);
	log_str(&l, "reply", STR("250 \"ok\"\r\nevent=forged"));
	log_str(&l, "empty", STR(""));
	log_end(&l);
	log_begin(&l, LOG_LEVEL_DEBUG, "hidden");
	log_end(&l);
	log_begin(&l, LOG_LEVEL_ERROR, "long");
	for (int i = 0; i < 1000; i++)
		log_int(&l, "k", i);
	log_end(&l);
	dup2(saved, STDERR_FILENO);
	assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
	close(fd);
	close(saved);
	assert_true(str_has_prefix(str_of(text),
		STR("event=attempt issue=-3 reply=\"250 \\\"ok\\\"\\x0d\\x0aevent=forged\" "
		    "empty=\"\"\nevent=long k=0 ")));
	assert_true(str_has_suffix(str_of(text), STR("\n")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_log),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
