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
