# SPDX-License-Identifier: MIT

load ../lib

setup() {
	make_site
	mill -q subscriber add ana@example.org --list daily --set city=Lisbon
	mill -q subscriber add bob@example.com --list daily --set city=Porto
	mill -q subscriber add eve@example.org
	mill -q subscriber tag ana@example.org vip old
	cat >"$SITE/one.md" <<-END
		---
		subject: One
		list: daily
		---
		Words.
	END
}

@test "tags are given and taken, and segments find people" {
	mill -q subscriber tag ana@example.org VIP new
	is "$(mill subscriber show --json ana@example.org | jq -c .attributes.tags)" '["vip","old","new"]'
	mill -q subscriber tag --remove ana@example.org Old
	is "$(mill subscriber tag --json ana@example.org vip | jq -c .attributes.tags)" '["vip","new"]'
	expect 64 subscriber tag ana@example.org 'a,b'
	is "$(mill subscriber find --json --segment 'tag = "vip"' | jq -r .email)" ana@example.org
	is "$(mill subscriber find --json --segment 'domain = "example.org"' | jq -r .email)" $'ana@example.org\neve@example.org'
	expect 1 subscriber find --segment 'tag = "none"'
	sql 'UPDATE subscribers SET created_at = 1700000000'
	printf 'email,signup_date\neve@example.org,2025-02-03\n' >"$BATS_TEST_TMPDIR/eve.csv"
	for day in 2023-11-14:bob@example.com 2025-02-03:eve@example.org; do
		[ "$day" = "${day#2025}" ] || mill -q import "$BATS_TEST_TMPDIR/eve.csv" --list daily
		has "$(mill subscriber find --json --segment "signup_date = ${day%%:*}" | jq -r .email)" "${day#*:}"
	done
	expect 64 subscriber find
	expect 64 subscriber find ana --segment 'tag = "x"'
	expect 65 subscriber find --segment 'city = "x" or 1 = 1'
	has "$stderr" "at '1 = 1'"
}

@test "an audience is counted, shown and compared" {
	is "$(mill issue audience --json --list daily | jq .count)" 2
	expect 0 issue audience --json --list daily --segment 'city = "Lisbon"' --against 'domain = "example.com" or tag = "vip"'
	is "$(jq -c '[.segment, .count, .compared, [.sample[].email]]' <<<"$output")" \
		'["city = \"Lisbon\"",1,{"count":2,"both":1,"first_alone":0,"second_alone":1},["ana@example.org"]]'
	expect 0 issue audience --list daily --segment 'city = "Lisbon"'
	has "$output" "1 reader of 'daily' in city = \"Lisbon\""
	has "$output" ana@example.org
	expect 1 issue audience --list daily --segment 'city = "Rome"'
	expect 66 issue audience --list weekly
}

@test "an issue goes to its segment alone, by option or front matter" {
	is "$(mill issue schedule --json --dry-run --segment 'tag = "vip"' "$SITE/one.md" | jq .copies)" 1
	unchanged expect 66 issue schedule --segment 'city = "Rome"' "$SITE/one.md"
	unchanged expect 65 issue schedule --segment 'citty = "Rome"' "$SITE/one.md"
	has "$stderr" "did you mean 'city'"
	is "$(mill issue schedule --json --segment 'city = "Porto"' "$SITE/one.md" | jq .copies)" 1
	is "$(mill issue show --json one | jq -r .segment)" 'city = "Porto"'
	has "$(mill why bob@example.com)" one
	sed -i 's/^subject: One/subject: Two\nsegment: tag = "vip"/' "$SITE/one.md"
	is "$(mill issue schedule --json "$SITE/one.md" | jq .copies)" 1
	is "$(mill issue show --json two | jq -r .segment)" 'tag = "vip"'
	sed -i 's/^segment: .*/segment: tag = vip/' "$SITE/one.md"
	expect 65 issue check "$SITE/one.md"
	has "$stderr" 'one.md:3: the segment is not understood'
	mill -q db check
}
