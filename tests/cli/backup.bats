# SPDX-License-Identifier: MIT

load ../lib

setup() {
	make_site
	mill -q subscriber add --list daily ana@example.org
	copy=$BATS_TEST_TMPDIR/copy.db
}

state() {
	mill status --json 1 | jq -r .state
}

@test "a backup is whole, nobody else's to read, and never written over" {
	unchanged expect 0 backup "$copy"
	is "$(stat -c %a "$copy")" 600
	is "$(sqlite3 "$copy" .dump | sha256sum)" "$(sqlite3 "$SITE/lettermill.db" .dump | sha256sum)"
	expect 73 backup "$copy"
	expect 66 backup "$BATS_TEST_TMPDIR/missing/copy.db"
	is "$(ls "$BATS_TEST_TMPDIR" | grep -c '\.new-')" 0
}

@test "restore: the backup's people are back, running issues are paused, the old database is kept" {
	write_issue "$SITE/i.md"
	mill -q issue schedule "$SITE/i.md"
	mill -q backup "$copy"
	mill -q subscriber add --list daily bob@example.org
	chmod 600 "$SITE/lettermill.db"
	unchanged expect 0 restore --dry-run --json "$copy"
	is "$output" '{"paused":1,"without_journal":1,"known_sent":0,"known_in_doubt":0,"unknown_issues":0,"kept":null,"dry_run":true}'
	expect 0 restore "$copy"
	has "$output" "1 issue is paused"
	has "$output" "1 of the following has no send journal here"
	has "$(mill status)" "restored from a backup without a send journal: what was sent since is not known"
	is "$(state)" paused
	is "$(sql 'SELECT count(*) FROM subscribers')" 1
	is "$(stat -c %a "$SITE/lettermill.db")" 600
	kept=$(ls "$SITE"/lettermill.db.before-restore-*)
	is "$(sqlite3 "$kept" 'SELECT count(*) FROM subscribers')" 2
	expect 0 deliver
	expect 0 db check
	is "$(ls "$SITE" | grep -cE -- '\.new-|-wal$')" 0
}

@test "restore: not under somebody's hands, not from anything else" {
	mill -q backup "$copy"
	coproc HOLD { sqlite3 "$SITE/lettermill.db"; }
	echo "BEGIN; SELECT 'held', count(*) FROM lists;" >&"${HOLD[1]}"
	read -r held <&"${HOLD[0]}"
	is "$held" "held|1"
	expect 75 restore "$copy"
	has "$stderr" "somebody uses the database"
	echo .quit >&"${HOLD[1]}"
	wait "$HOLD_PID" || :
	unchanged expect 66 restore "$BATS_TEST_TMPDIR/none.db"
	echo hello >"$BATS_TEST_TMPDIR/text"
	unchanged expect 65 restore "$BATS_TEST_TMPDIR/text"
	sqlite3 "$BATS_TEST_TMPDIR/other.db" 'CREATE TABLE t (x)'
	unchanged expect 65 restore "$BATS_TEST_TMPDIR/other.db"
	is "$(ls "$SITE" | grep -c '\.new-')" 0
}

@test "restore: in the place of a damaged database, and of none" {
	mill -q backup "$copy"
	printf 'damaged' >"$SITE/lettermill.db"
	printf 'of another' >"$SITE/lettermill.db-wal"
	expect 0 restore "$copy"
	expect 0 db check
	is "$(sql 'SELECT count(*) FROM subscribers')" 1
	is "$(cat "$SITE"/lettermill.db.before-restore-*Z)" damaged
	rm "$SITE/lettermill.db"
	expect 0 restore "$copy"
	expect 0 db check
}
