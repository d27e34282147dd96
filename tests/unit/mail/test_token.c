/* SPDX-License-Identifier: MIT */
#include "mail/token.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct token_key key = {.id = 7, .key = "0123456789abcdef0123456789abcde"};

static const struct token tokens[] = {
	{TOKEN_VERP, 1, 1},
	{TOKEN_VERP, 0, 0},
	{TOKEN_VERP, UINT64_MAX, UINT64_MAX},
	{TOKEN_UNSUBSCRIBE, 3, 5000000},
	{TOKEN_PREFERENCES, 3, 5000000},
	{TOKEN_VIEW, UINT64_MAX, UINT64_MAX},
};
enum { TOKENS = sizeof tokens / sizeof *tokens };

static void test_round_trip(void **state)
{
	struct token_signer *signer = token_signer_open(&key);
	struct buf text, again;

	(void)state;
	buf_init(&text, 1024);
	buf_init(&again, 1024);
	for (size_t i = 0; i < TOKENS; i++) {
		struct token back = {0};

		buf_reset(&text);
		token_make(&key, &tokens[i], &text);
		buf_reset(&again);
		token_sign(signer, &tokens[i], &again);
		assert_true(str_eq(buf_view(&text), buf_view(&again)));
		assert_in_range(text.n, 1, TOKEN_TEXT_MAX);
		if (tokens[i].purpose == TOKEN_VERP) /* "b-" in front, 64 octets in all */
			assert_in_range(text.n, 1, 62);
		for (size_t j = 0; j < text.n; j++)
			assert_true((text.p[j] >= 'a' && text.p[j] <= 'z') ||
				    (text.p[j] >= '2' && text.p[j] <= '7'));
		for (int upper = 0; upper < 2; upper++) {
			assert_true(token_read(&key, tokens[i].purpose, buf_view(&text), &back));
			assert_int_equal(back.purpose, tokens[i].purpose);
			assert_true(back.a == tokens[i].a && back.b == tokens[i].b);
			for (size_t j = 0; j < text.n; j++)
				text.p[j] = (char)toupper((unsigned char)text.p[j]);
		}
	}
	token_signer_close(signer);
	buf_free(&again);
	buf_free(&text);
}

/* The format is a promise: links in mails that were sent must be read for ever. */
static void test_known_texts(void **state)
{
	static const struct {
		struct token t;
		const char *text;
	} known[] = {
		{{TOKEN_VERP, 1, 1}, "a4aqcanfmldfirwb3e7edry"},
		{{TOKEN_UNSUBSCRIBE, 3, 5000000}, "a4bahqewwebi54oeknc2q6hfhzbtpefnwz2ee"},
	};
	struct buf text;

	(void)state;
	buf_init(&text, 1024);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		buf_reset(&text);
		token_make(&key, &known[i].t, &text);
		assert_string_equal(buf_text(&text), known[i].text);
	}
	buf_free(&text);
}

static void test_forgeries(void **state)
{
	struct token_key other_key = key, other_id = key;
	struct token back = {0};
	struct buf text;

	(void)state;
	other_key.key[31] ^= 1;
	other_id.id = 8;
	buf_init(&text, 1024);
	for (size_t i = 0; i < TOKENS; i++) {
		buf_reset(&text);
		token_make(&key, &tokens[i], &text);
		assert_false(token_read(&other_key, tokens[i].purpose, buf_view(&text), &back));
		assert_false(token_read(&other_id, tokens[i].purpose, buf_view(&text), &back));
		for (int p = TOKEN_VERP; p <= TOKEN_VIEW; p++)
			assert_int_equal(
				token_read(&key, (enum token_purpose)p, buf_view(&text), &back),
				p == (int)tokens[i].purpose);
		for (size_t n = 0; n < text.n; n++) /* cut short, or one character changed */
		{
			char was = text.p[n];

			assert_false(token_read(
				&key, tokens[i].purpose, str_slice(buf_view(&text), 0, n), &back));
			text.p[n] = was == 'q' ? 'r' : 'q';
			assert_false(token_read(&key, tokens[i].purpose, buf_view(&text), &back));
			text.p[n] = was;
		}
		buf_char(&text, 'a');
		assert_false(token_read(&key, tokens[i].purpose, buf_view(&text), &back));
	}
	assert_false(token_read(&key, TOKEN_VERP, (struct str){0}, &back));
	assert_false(token_read(&key, TOKEN_VERP, STR("aaaaaaaaaaaaaaaaaaaaaaaa"), &back));
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_known_texts),
		cmocka_unit_test(test_forgeries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
