# SPDX-License-Identifier: MIT
# The list of suppressions, and its way to another site.

load ../lib

setup() {
	cd "$ROOT"
	make_site
	mill -q subscriber add ana@example.org --list daily
	mill -q subscriber add ben@example.org --list daily
	mill -q subscriber suppress ana@example.org
	mill -q subscriber suppress ben@example.org
	mill -q subscriber erase ben@example.org
}

@test "ls tells address, reason, time and source, or the hash where nobody has the address" {
	expect 0 suppression ls --json
	is "$(jq -rs '[.[].address] | sort | map(. // "-") | join(" ")' <<<"$output")" "- ana@example.org"
	is "$(jq -rs '[.[].hash | length] | unique | join(" ")' <<<"$output")" 32
	expect 0 suppression ls
	has "$output" ana@example.org
}

@test "to another site, with addresses and hashed" {
	mill suppression export >"$BATS_TEST_TMPDIR/plain" 2>"$BATS_TEST_TMPDIR/said"
	has "$(cat "$BATS_TEST_TMPDIR/said")" "1 suppression left out"
	mill suppression export --hashed >"$BATS_TEST_TMPDIR/hashed"
	run ! grep -q example "$BATS_TEST_TMPDIR/hashed"
	is "$(wc -l <"$BATS_TEST_TMPDIR/hashed")" 3

	SITE=$BATS_TEST_TMPDIR/other
	"$LETTERMILL" -q init "$SITE"
	mill -q subscriber add ana@example.org --list daily
	unchanged expect 66 suppression import /nonexistent
	expect 0 suppression import --json "$BATS_TEST_TMPDIR/hashed"
	is "$(jq -c '[.rows,.added,.rejected]' <<<"$output")" '[2,2,0]'
	is "$(sql "SELECT suppressed FROM subscribers")" 1
	# Nobody knew ben here; he is not brought back.
	printf 'email\nben@example.org\neva@example.org\n' >"$BATS_TEST_TMPDIR/people.csv"
	expect 0 import --json --list daily "$BATS_TEST_TMPDIR/people.csv"
	is "$(tail -1 <<<"$output" | jq -c '[.added,.suppressed]')" '[1,1]'
	expect 0 suppression import --json "$BATS_TEST_TMPDIR/hashed"
	is "$(jq .added <<<"$output")" 0
	expect 0 db check
}

@test "plain addresses, one a line, and lines that are none" {
	printf 'address\neva@example.org\n\nnot an address\n' >"$BATS_TEST_TMPDIR/list"
	expect 0 suppression import --json "$BATS_TEST_TMPDIR/list"
	is "$(jq -c '[.rows,.added,.rejected]' <<<"$output")" '[1,1,1]'
	has "$stderr" "list:4: "
	expect 0 subscriber show eva@example.org
	has "$output" "suppressed since"
}

@test "a whole domain is suppressed: nobody there gets mail or comes back, until it is lifted" {
	local list=$BATS_TEST_TMPDIR/list
	mill -q subscriber add ana@spam.example --list daily
	mill -q subscriber add bob@spam.example --list daily
	mill -q subscriber add eve@sub.spam.example --list daily
	mill -q subscriber suppress bob@spam.example
	is "$(mill subscriber suppress --json @SPAM.example | jq -c .)" '{"domain":"spam.example","suppressed":true,"subscribers":2}'
	mill -q db check
	is "$(mill issue audience --json --list daily | jq -r '.sample[].email')" eve@sub.spam.example
	expect 77 subscriber add joe@spam.example --list daily
	printf 'email\nnew@spam.example\nnew@example.org\n' >"$list.csv"
	is "$(mill import --json --list daily "$list.csv" | tail -1 | jq -c '[.added, .suppressed]')" '[1,1]'
	is "$(mill subscriber show --json ana@spam.example | jq -r .suppression.reason)" domain
	expect 77 subscriber suppress --lift ana@spam.example
	is "$(mill suppression export | cut -d, -f1 | head -1)" @spam.example
	mill suppression export --hashed >"$list"
	mill -q subscriber suppress --lift @spam.example
	mill -q db check
	is "$(mill subscriber show --json ana@spam.example | jq -r .suppression)" null
	is "$(mill subscriber show --json bob@spam.example | jq -r .suppression.reason)" hand
	expect 66 subscriber suppress --lift @spam.example
	expect 65 subscriber suppress '@no domain'
	mill -q suppression import "$list"
	is "$(mill subscriber show --json ana@spam.example | jq -r .suppression.reason)" domain
	mill -q db check
}
