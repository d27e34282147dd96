# SPDX-License-Identifier: MIT

load ../lib

setup() {
	make_site
	mill subscriber add --list daily ana@example.org
}

@test "a good database" {
	unchanged expect 0 db check
	is "$output" "$SITE/lettermill.db: all right"
	unchanged expect 0 db check --quick --json
	is "$output" '{"ok":true,"findings":0}'
	unchanged expect 0 db migrate
	has "$output" "the database is up to date: schema "
	unchanged expect 0 db migrate --dry-run --json
	is "$(jq -c '[.from == .to, .copy, .dry_run]' <<<"$output")" '[true,null,true]'
}

@test "faults are told, exit code 1" {
	write_issue "$SITE/i.md"
	mill issue schedule -q i.md
	sql "delete from deliveries"
	unchanged expect 1 db check
	[ -n "$output" ]
	unchanged expect 1 db check --json
	is "$(tail -1 <<<"$output" | jq .ok)" false
	[ "$(head -1 <<<"$output" | jq -r .finding)" ]
}

@test "each thing that must hold is looked at" {
	local faults=(
		"UPDATE deliveries SET lane = 77; UPDATE issue_counts SET lane = 77" "in lane 77, which does not exist"
		"INSERT INTO leases VALUES (1, 1); UPDATE deliveries SET state = 2, lease = 1; UPDATE issue_counts SET state = 2" \
		"by no relay that exists"
		"UPDATE issue_care SET copies = 2" "has 1 copies, not the 2 of its freeze"
		"DELETE FROM issue_care" "has 1 copies, not the 0 of its freeze"
		"INSERT INTO care VALUES (1, 0, 1, 0, 1, 1, 0, 0, x'')" "more is known than was tried"
		"INSERT INTO journals VALUES (7, x'00', 1)" "the journal of issue 7"
		"UPDATE deliveries SET state = 10; UPDATE issue_counts SET state = 10" "came back, and no report says so"
		"INSERT INTO returns VALUES (9, 1, 0, 1, 1, NULL, NULL, '', '', 1, '', 0, 0, '', 550, '', '')" \
		"a report about subscriber 9"
		"INSERT INTO suppressed_domains VALUES ('Example.org', 'hand', 1)" "the domain Example.org"
		"INSERT INTO notices VALUES (8, 1, 1, 'en', 1, 1)" "the notice 8"
		"INSERT INTO asks VALUES (1, 1, 1, 1, 1, NULL, '', '', '', '', '')" "which asks nobody to confirm"
		"INSERT INTO links VALUES (1, 2, 'https://example.org')" "are not numbered from 1"
		"INSERT INTO clicks VALUES (1, 1, 1, 1, 0)" "subscriber 1 followed link 1"
		"UPDATE issues SET segment = 'nonsense ='" "the segment of issue 1 is none"
	)
	write_issue "$SITE/i.md"
	mill issue schedule -q i.md
	expect 0 db check
	cp "$SITE/lettermill.db" "$BATS_TEST_TMPDIR/sound.db"
	for ((at = 0; at < ${#faults[@]}; at += 2)); do
		rm -f "$SITE"/lettermill.db*
		cp "$BATS_TEST_TMPDIR/sound.db" "$SITE/lettermill.db"
		sql "${faults[at]}"
		expect 1 db check
		has "$output" "${faults[at + 1]}"
	done
}

@test "what is no database of ours" {
	mv "$SITE/lettermill.db" "$SITE/away.db"
	expect 66 db check
	has "$stderr" "lettermill.db"
	echo "this is a text" >"$SITE/lettermill.db"
	expect 65 db check
	rm "$SITE/lettermill.db"
	sqlite3 "$SITE/lettermill.db" 'create table x(y)'
	expect 65 db check
}

@test "a newer schema is refused" {
	sql "pragma user_version = 999"
	expect 78 db check
	has "$stderr" "newer"
	expect 78 db migrate
	expect 78 list ls
}
