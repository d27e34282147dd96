# SPDX-License-Identifier: MIT
# An older copy of the database in the place of the one that has been sending: nobody gets a second copy, for the
# send journal beside it knows what has left.

load ../lib

setup() {
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
	copy=$BATS_TEST_TMPDIR/copy.db
}

teardown() {
	[ -z "${mill_pid:-}" ] || kill -9 "$mill_pid" 2>/dev/null || :
	smtpd_stop || :
	umount "$SITE/lettermill.db.journal" 2>/dev/null || :
}

# site_for OPTION...: the server with these options, and a site that sends to it.
site_for() {
	smtpd_start "$@"
	make_site "$SMTP_PORT"
}

# readers FIRST LAST
readers() {
	{
		echo email,first_name
		seq "$1" "$2" | sed 's/.*/reader&@example.org,Reader &/'
	} >"$BATS_TEST_TMPDIR/readers.csv"
	mill -q import "$BATS_TEST_TMPDIR/readers.csv" --list daily
}

schedule() {
	write_issue "$BATS_TEST_TMPDIR/issue.md"
	mill -q issue schedule "$BATS_TEST_TMPDIR/issue.md"
}

counts() {
	mill status --json 1 | jq -r '.counts | to_entries | map(select(.value > 0) | "\(.key)=\(.value)") | join(" ")'
}

# put_back: the copy takes the database's place as a file, behind the program's back.
put_back() {
	rm -f "$SITE"/lettermill.db-wal "$SITE"/lettermill.db-shm
	cp "$copy" "$SITE/lettermill.db"
}

has_copies() {
	[ "$(wc -l <"$SMTPD_LOG")" -ge "$1" ]
}

mill_is_gone() {
	! kill -0 "$mill_pid" 2>/dev/null
}

# deliver_until COPIES [SIGNAL]: start delivering, end it once so many copies are there.
deliver_until() {
	"$LETTERMILL" -C "$SITE" -q deliver 3>&- &
	mill_pid=$!
	wait_for 60 has_copies "$1"
	kill -s "${2:-TERM}" "$mill_pid"
	wait_for 10 mill_is_gone
	wait "$mill_pid" || :
	mill_pid=
}

once_each() {
	is "$(smtpd_copies | sort)" "$(seq -f 'reader%g@example.org' "$1" | sort)"
}

leases_end() {
	sql 'UPDATE deliveries SET due_at = 1 WHERE state IN (0, 3); UPDATE leases SET until = 1'
}

@test "a copy from before the first message: what was sent is known, the rest leaves" {
	site_for --dot-delay 5
	readers 1 300
	schedule
	mill -q backup "$copy"
	deliver_until 100
	sent=$(sql 'SELECT count(*) FROM deliveries WHERE state = 5')
	put_back
	is "$(sql 'SELECT count(*) FROM deliveries WHERE state = 5')" 0
	expect 0 deliver --json
	is "$(jq -c '[.known_sent, .known_in_doubt, .sent]' <<<"$output")" "[$sent,0,$((300 - sent))]"
	has "$stderr" "the send journal knew of $sent copies"
	is "$(counts)" "sent=300"
	once_each 300
	is "$(mill status --json 1 | jq -r .state)" done
	expect 0 db check
	who=$(sql "SELECT min(subscriber_id) FROM attempts WHERE text LIKE '%send journal%'")
	expect 0 why "$(sql "SELECT email_key FROM subscribers WHERE id = $who")"
	has "$output" "the relay took it: the send journal says so"
	expect 0 deliver
	once_each 300
}

@test "a copy from the midst of it, again and again" {
	site_for --dot-delay 5
	readers 1 300
	schedule
	for n in 60 120 180; do
		deliver_until "$n"
		rm -f "$copy"
		mill -q backup "$copy"
		deliver_until $((n + 40))
		put_back
		leases_end
	done
	expect 0 deliver
	is "$(counts)" "sent=300"
	once_each 300
	expect 0 db check
}

@test "restore brings in what the journal knows, and pauses all the same" {
	site_for --dot-delay 5
	readers 1 200
	schedule
	mill -q backup "$copy"
	deliver_until 100
	sent=$(sql 'SELECT count(*) FROM deliveries WHERE state = 5')
	unchanged expect 0 restore --dry-run --json "$copy"
	is "$(jq -c '[.known_sent, .known_in_doubt, .unknown_issues, .without_journal]' <<<"$output")" "[$sent,0,0,0]"
	expect 0 restore "$copy"
	has "$output" "the send journal knows of $sent copies sent after the backup, and of 0 that may have been"
	[ -s "$SITE/lettermill.db.journal/daily.first-light" ]
	is "$(mill status --json 1 | jq -r .state)" paused
	is "$(counts)" "queued=$((200 - sent)) sent=$sent"
	expect 0 issue resume 1
	expect 0 deliver
	once_each 200
	expect 0 db check
}

@test "killed in flight: what the older copy does not know is in doubt, and goes once more" {
	site_for --dot-delay 20
	readers 1 200
	schedule
	mill -q backup "$copy"
	deliver_until 60 KILL
	put_back
	expect 0 deliver --json
	doubts=$(jq .known_in_doubt <<<"$output")
	[ "$doubts" -le 16 ] # four a connection
	is "$(counts)" "sent=200"
	is "$(smtpd_copies | sort -u)" "$(seq -f 'reader%g@example.org' 200 | sort)"
	is "$(comm -23 <(smtpd_copies | sort | uniq -d) \
		<(sql 'SELECT email_key FROM deliveries JOIN subscribers ON id = subscriber_id WHERE doubts > 0' |
			sort))" ""
	is "$(jq -r 'select(.to) | .to + " " + .message_id' "$SMTPD_LOG" | sort -u | wc -l)" 200
	expect 0 db check
}

@test "killed in flight, in_doubt = hold: what may have left stays" {
	site_for --rule 'after-dot n>=50 stall'
	printf 'delivery {\n\tin_doubt = hold\n}\n' >>"$SITE/lettermill.conf"
	readers 1 100
	schedule
	mill -q backup "$copy"
	deliver_until 53 KILL
	smtpd_stop || :
	put_back
	expect 75 deliver
	in_doubt=$(sql 'SELECT count(*) FROM deliveries WHERE state = 4')
	[ "$in_doubt" -ge 4 ]
	[ "$in_doubt" -le 16 ]
	# Those without an answer that the server has are among them.
	is "$(comm -23 <(tail -n +50 "$SMTPD_LOG" | jq -r .to | sort) <(sql \
		'SELECT email_key FROM deliveries JOIN subscribers ON id = subscriber_id WHERE state = 4' |
		sort))" ""
	expect 0 deliver --dry-run
	expect 0 db check
}

@test "killed, and the same database goes on: no doubt that the ledger does not know of" {
	site_for --dot-delay 5
	readers 1 200
	schedule
	for n in 40 80 120; do
		deliver_until "$n" KILL
		left=$(sql 'SELECT count(*) FROM deliveries WHERE state = 2')
		had=$(sql 'SELECT count(*) FROM attempts WHERE state = 4')
		leases_end
		expect 0 issue ls # nothing of delivery
		[ $(($(sql 'SELECT count(*) FROM attempts WHERE state = 4') - had)) -le "$left" ]
	done
	expect 0 deliver
	is "$(sql 'SELECT count(*) FROM deliveries WHERE doubts > 1')" 0
	is "$(counts)" "sent=200"
	is "$(smtpd_copies | sort -u)" "$(seq -f 'reader%g@example.org' 200 | sort)"
	expect 0 db check
}

@test "a copy from before the issue was scheduled, and of other readers' numbers" {
	site_for --dot-delay 5
	readers 1 20
	mill -q backup "$copy"
	readers 21 200
	schedule
	deliver_until 100
	expect 0 restore "$copy"
	has "$output" "it also knows of 1 issue that the backup does not have"
	# The readers come again, the other way round: each number is somebody else's.
	(echo email,first_name; seq 200 -1 21 | sed 's/.*/reader&@example.org,Reader &/') >"$BATS_TEST_TMPDIR/again.csv"
	mill -q import "$BATS_TEST_TMPDIR/again.csv" --list daily
	schedule
	expect 0 deliver
	once_each 200
	is "$(counts)" "sent=200"
	expect 0 db check
}

@test "a journal of another database, or no journal at all: refused, in words" {
	site_for
	readers 1 5
	schedule
	mkdir "$SITE/lettermill.db.journal"
	echo 'hello, this is some text and certainly no journal, but it is long enough' \
		>"$SITE/lettermill.db.journal/daily.first-light"
	expect 0 deliver
	has "$stderr" "is no send journal"
	is "$(mill status --json 1 | jq -r .state)" paused
	expect 0 issue show 1
	has "$output" "is no send journal"
	is "$(smtpd_copies | wc -l)" 0
	SITE2=$BATS_TEST_TMPDIR/two
	"$LETTERMILL" -q init "$SITE2"
	cp "$SITE/lettermill.conf" "$SITE2"
	"$LETTERMILL" -q -C "$SITE2" import "$BATS_TEST_TMPDIR/readers.csv" --list daily
	"$LETTERMILL" -q -C "$SITE2" issue schedule "$BATS_TEST_TMPDIR/issue.md"
	"$LETTERMILL" -q -C "$SITE2" deliver
	cp "$SITE2/lettermill.db.journal/daily.first-light" "$SITE/lettermill.db.journal"
	mill -q issue resume 1
	expect 0 deliver
	has "$stderr" "belongs to another database"
	mill -q backup "$copy"
	unchanged expect 65 restore "$copy"
	has "$stderr" "belongs to another database"
	is "$(smtpd_copies | wc -l)" 5
	rm "$SITE/lettermill.db.journal/daily.first-light"
	mill -q issue resume 1
	expect 0 deliver
	is "$(counts)" "sent=5"
}

@test "a journal that is gone: said, and no reason to stop" {
	site_for --dot-delay 5
	readers 1 200
	schedule
	deliver_until 50
	rm -r "$SITE/lettermill.db.journal"
	expect 0 deliver
	has "$stderr" "the send journal of issue 1 is gone"
	once_each 200
	[ -s "$SITE/lettermill.db.journal/daily.first-light" ]
}

@test "a journal that cannot be written: nothing leaves, nothing is in doubt" {
	site_for
	readers 1 5
	schedule
	touch "$SITE/lettermill.db.journal"
	expect 74 deliver
	has "$stderr" "lettermill.db.journal"
	is "$(counts)" "queued=5"
	is "$(smtpd_copies | wc -l)" 0
	rm "$SITE/lettermill.db.journal"
	mkdir "$SITE/lettermill.db.journal"
	ln -s elsewhere "$SITE/lettermill.db.journal/daily.first-light" # no link is followed
	expect 74 deliver
	is "$(counts)" "queued=5"
	rm "$SITE/lettermill.db.journal/daily.first-light"
	expect 0 deliver
	once_each 5
}

@test "a journal that is full: nothing more leaves, nothing is in doubt, and it goes on later" {
	site_for
	readers 1 400
	schedule
	mkdir "$SITE/lettermill.db.journal"
	mount -t tmpfs -o size=8k tmpfs "$SITE/lettermill.db.journal" 2>/dev/null || skip "no right to mount a tmpfs"
	expect 74 deliver
	umount "$SITE/lettermill.db.journal"
	has "$stderr" "cannot write the send journal"
	sent=$(smtpd_copies | wc -l)
	[ "$sent" -gt 50 ]
	[ "$sent" -lt 200 ]
	is "$(counts)" "queued=$((400 - sent)) sent=$sent"
	expect 0 deliver
	once_each 400
	expect 0 db check
}

@test "journals are removed when their issue has been over for a month" {
	site_for
	readers 1 5
	schedule
	expect 0 deliver
	journal=$SITE/lettermill.db.journal/daily.first-light
	touch -d '31 days ago' "$journal"
	write_issue "$BATS_TEST_TMPDIR/issue.md" "Second light"
	mill -q issue schedule "$BATS_TEST_TMPDIR/issue.md"
	expect 0 deliver
	[ ! -e "$journal" ]
	[ -e "$SITE/lettermill.db.journal/daily.second-light" ]
	expect 0 db check
}
