# SPDX-License-Identifier: MIT

load ../lib

setup() {
	make_site
}

sql() {
	sqlite3 "$SITE/lettermill.db" "$1"
}

# The hashes of `consent prove --json` on standard input, computed by another program.
recompute() {
	/usr/bin/python3 -c '
import hashlib, json, struct, sys
o = json.load(sys.stdin)
for c in o["consents"]:
    h = hashlib.sha256(bytes.fromhex(c["before"]) + struct.pack(">4q", c["consent"], c["status_number"],
        c["unix"], c["line"] or 0) + "\0".join([o["address"], c["list"], c["source"], c["detail"] or ""]).encode())
    assert h.hexdigest() == c["hash"], c
print(len(o["consents"]))'
}

@test "a consent is proven with its source, and another program computes the same hashes" {
	printf 'email\nBob@Example.org\nana@example.org\n' >"$BATS_TEST_TMPDIR/people.csv"
	mill -q import "$BATS_TEST_TMPDIR/people.csv" --list daily
	mill -q subscriber unsubscribe ana@example.org
	mill -q subscriber add ana@example.org --list daily --consent $'wrote a letter,\nin ink'
	expect 0 consent prove ana@example.org
	has "$output" 'by      import 1, line 3'
	has "$output" 'list daily: unsubscribed'
	has "$output" 'the chain of 4 consents is whole'
	expect 0 consent prove --json ana@example.org
	is "$(recompute <<<"$output")" 3
	is "$(jq -c '[.consents[].status]' <<<"$output")" '["subscribed","unsubscribed","subscribed"]'
	is "$(jq -c '.chain | [.length, .sound]' <<<"$output")" '[4,true]'
	expect 66 consent prove nobody@example.org
}

@test "consents can only be added to, and what goes round that is found" {
	for who in ana bob eve; do mill -q subscriber add $who@example.org --list daily; done
	run sql 'DELETE FROM consents'
	has "$output" 'only added to'
	run sql 'UPDATE consents SET at = 1 WHERE id = 2'
	has "$output" 'only added to'
	cp "$SITE/lettermill.db" "$BATS_TEST_TMPDIR/good"
	for change in 'UPDATE consents SET at = 1 WHERE id = 2' \
		"UPDATE consents SET detail = 'x' WHERE id = 2" \
		'UPDATE consents SET line = 9 WHERE id = 1' \
		'UPDATE consents SET subscriber_id = 3 WHERE id = 2' \
		"UPDATE sources SET words = 'web form'" \
		"UPDATE lists SET slug = 'other'" \
		"UPDATE subscribers SET email_key = 'mallory@example.org' WHERE id = 2" \
		'DELETE FROM consents WHERE id = 2' \
		'DELETE FROM consents WHERE id = 3' \
		'UPDATE subscriptions SET status = 2 WHERE subscriber_id = 1' \
		'PRAGMA foreign_keys = OFF; DELETE FROM subscriptions; DELETE FROM subscribers'; do
		rm -f "$SITE"/lettermill.db*
		cp "$BATS_TEST_TMPDIR/good" "$SITE/lettermill.db"
		sql 'DROP TRIGGER consents_stay; DROP TRIGGER consents_stand'
		sql "$change"
		expect 1 db check
		has "$output" consent
	done
	rm -f "$SITE"/lettermill.db*
	cp "$BATS_TEST_TMPDIR/good" "$SITE/lettermill.db"
	sql "DROP TRIGGER consents_stand; UPDATE consents SET at = 1 WHERE id = 2"
	expect 1 consent prove ana@example.org
	has "$output" 'is BROKEN'
	has "$stderr" 'consent 2 is not what'
}

@test "an erased reader leaves numbers in the chain, which stays whole" {
	mill -q subscriber add ana@example.org --list daily --consent 'met at the fair'
	mill -q subscriber add bob@example.org --list daily
	has "$(mill consent prove ana@example.org)" 'detail  met at the fair'
	has "$(mill why ana@example.org)" 'met at the fair'
	is "$(mill why --json ana@example.org | jq -r '.consents[0].detail')" 'met at the fair'
	mill -q subscriber erase ana@example.org
	mill -q db check
	! grep -qaE 'met at the fair|ana@' "$SITE"/lettermill.db*
	is "$(sql "SELECT status FROM consents WHERE subscriber_id = 1 ORDER BY id")" $'1\n-1'
	expect 66 consent prove ana@example.org
	expect 0 consent prove bob@example.org
	# Who comes back later is somebody new.
	sql 'DELETE FROM suppressions'
	mill -q subscriber add ana@example.org --list daily
	is "$(mill consent prove --json ana@example.org | jq '.consents | length')" 1
	mill -q db check
}
