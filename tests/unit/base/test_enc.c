/* SPDX-License-Identifier: MIT */
#include "base/enc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

static void check(void (*enc)(struct buf *, struct str), const char *in, const char *expected)
{
	struct buf b;

	buf_init(&b, 1024);
	enc(&b, str_of(in));
	assert_string_equal(buf_text(&b), expected);
	buf_free(&b);
}

/* The vectors of RFC 4648 section 10. */
static void test_rfc4648(void **state)
{
	static const char *const base64[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"}};
	static const char *const base32[][2] = {{"", ""}, {"f", "my"}, {"fo", "mzxq"},
		{"foo", "mzxw6"}, {"foob", "mzxw6yq"}, {"fooba", "mzxw6ytb"},
		{"foobar", "mzxw6ytboi"}};

	(void)state;
	for (size_t i = 0; i < 7; i++) {
		check(enc_base64, base64[i][0], base64[i][1]);
		check(enc_base32, base32[i][0], base32[i][1]);
	}
	check(enc_base64url, "\xfb\xff", "-_8");
	check(enc_hex, "\x01\xfe", "01fe");
}

static void test_escapes(void **state)
{
	(void)state;
	check(enc_html, "<a href=\"x\">&'\x01\n", "&lt;a href=&quot;x&quot;&gt;&amp;&#39;?\n");
	check(enc_url, "a b/\xc3\xa9~-._?", "a%20b%2F%C3%A9~-._%3F");
	check(enc_json, "a\"b\\c\n\x02\xff\xc3\xa9",
		"\"a\\\"b\\\\c\\n\\u0002\xef\xbf\xbd\xc3\xa9\"");
}

/* Whatever is encoded comes back, for every length and for random octets. */
static void test_round_trip(void **state)
{
	unsigned char in[9000];
	struct buf text, back;

	(void)state;
	buf_init(&text, 100000);
	buf_init(&back, 100000);
	srand(1);
	for (size_t i = 0; i < sizeof in; i++)
		in[i] = (unsigned char)rand();
	for (size_t n = 0; n < sizeof in; n += n < 40 ? 1 : 977) {
		struct str s = {(char *)in, n};

		buf_reset(&text);
		buf_reset(&back);
		enc_base32(&text, s);
		assert_int_equal(dec_base32(&back, buf_view(&text)), 0);
		assert_true(str_eq(buf_view(&back), s));
		buf_reset(&text);
		buf_reset(&back);
		enc_base64(&text, s);
		assert_int_equal(dec_base64(&back, buf_view(&text)), 0);
		assert_true(str_eq(buf_view(&back), s));
	}
	buf_free(&text);
	buf_free(&back);
}

/* One value has one spelling: a token cannot be varied into another that also passes. */
static void test_strict_decoding(void **state)
{
	static const char *const bad32[] = {"mz=", "mz1q", "m z", "mzxr", "a", "mzxw6yr"};
	static const char *const bad64[] = {"Zg*=", "Zh==", "Z", "Zm9v!"};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	for (size_t i = 0; i < sizeof bad32 / sizeof *bad32; i++)
		assert_int_equal(dec_base32(&b, str_of(bad32[i])), -1);
	for (size_t i = 0; i < sizeof bad64 / sizeof *bad64; i++)
		assert_int_equal(dec_base64(&b, str_of(bad64[i])), -1);
	buf_reset(&b);
	assert_int_equal(dec_base32(&b, STR("MZXW6YTBOI")), 0);
	assert_string_equal(buf_text(&b), "foobar");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc4648),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_strict_decoding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
