# SPDX-License-Identifier: MIT
# Each step of a session times each way in which a relay can fail there: what the ledger says of the one copy, and
# how many the relay has, after the run in which it failed and after a good one.

load ../lib

# STATE/COPIES behind the run in which it failed, and behind the next one: q queued (the relay is to blame, no attempt
# is used), d deferred, f failed, i in doubt, s sent, * either. In the row after-dot the relay has the copy before it fails:
# where it then says 4xx it gets a second one by its own word, where it says nothing the copy is in doubt and is sent
# once more. A 550 at MAIL is about the sender.
table="#         4xx      5xx      421      close    stall    garbage  endless
connect   q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1
ehlo      q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1
starttls  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1
auth      q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1  q/0,s/1
mail      d/0,s/1  q/0,s/1  q/0,s/1  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1
rcpt      d/0,s/1  f/0,f/0  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1
data      d/0,s/1  f/0,f/0  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1
body      s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1
dot       d/0,s/1  f/0,f/0  d/0,s/1  s/1,s/1  *,s/1    s/1,s/1  s/1,s/1
after-dot d/1,s/2  f/1,f/1  d/1,s/2  s/2,s/2  *,s/2    s/2,s/2  s/2,s/2
rset      d/0,s/1  d/0,s/1  d/0,s/1  d/0,s/1  d/0,s/1  d/0,s/1  d/0,s/1
quit      s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1  s/1,s/1"
faults=('reply 451 4.3.0 later' 'reply 550 5.7.1 no' 'reply 421 4.3.2 closing' close stall garbage endless)
steps=(connect ehlo starttls auth mail rcpt data body dot after-dot rset quit)

setup_file() {
	export CERTS=$BATS_FILE_TMPDIR
	"$ROOT/tests/smtpd/make-certs" "$CERTS"
}

teardown() {
	smtpd_stop || :
}

# cell STEP FAULT: sets `cell`.
cell() {
	local step=$1 fault=$2 rules=() first
	rm -rf "$BATS_TEST_TMPDIR/site"
	[ "$step" != rset ] || rules=(--rule 'rcpt once reply 452 4.3.1 not now')
	smtpd_start --cert "$CERTS/server.pem" --auth news:secret "${rules[@]}" --rule "$step once $fault"
	make_site "$SMTP_PORT"
	sed -i -e 's/host = 127.0.0.1/host = localhost/' -e "s|tls = none|tls = starttls\n\tca_file = \"$CERTS/ca.pem\"\n\tusername = news\n\tpassword_file = \"secrets/relay\"\n\ttimeout = 2s|" \
		-e 's/connections = 4/connections = 1/' "$SITE/lettermill.conf"
	(umask 077 && echo secret >"$SITE/secrets/relay")
	mill -q subscriber add ada@example.org --list daily
	write_issue "$SITE/i.md"
	mill -q issue schedule "$SITE/i.md"
	mill -q deliver 2>/dev/null || :
	first=$(state)
	# Whether the silence ends soon enough for a second try in the same run is the clock's choice.
	[[ $fault != stall || $step != *dot ]] || first='*'
	sql 'UPDATE deliveries SET due_at = 1 WHERE state IN (0, 3); UPDATE leases SET until = 1; UPDATE relays SET paused_until = 0'
	sqlite3 "$SITE/lettermill.db" 'DELETE FROM relay_pace; DELETE FROM lane_pace' 2>/dev/null || :
	mill -q issue resume 1 2>/dev/null || :
	mill -q deliver 2>/dev/null || :
	cell=$first,$(state)
	smtpd_stop || cell+=!
}

state() {
	echo "$(sql "SELECT substr('qcSdisfexkbC', state + 1, 1) FROM deliveries")/$(smtpd_copies | wc -l)"
}

@test "every step, every fault: nobody is lost, nobody doubled outside a doubt" {
	source "$ROOT/tests/smtpd/smtpd.bash"
	for step in "${steps[@]}"; do
		row=$(printf '%-9s' "$step")
		for fault in "${faults[@]}"; do
			cell "$step" "$fault"
			row+=" $(printf '%-8s' "$cell")"
		done
		sed 's/ *$//' <<<"$row"
	done >"$BATS_TEST_TMPDIR/table"
	is "$(cat "$BATS_TEST_TMPDIR/table")" "$(tail -n +2 <<<"$table")"
}

@test "ten thousand wait, the relay says 535, 454 or that a quota is spent: nobody fails, no attempt is used, all leave later" {
	source "$ROOT/tests/smtpd/smtpd.bash"
	(echo email && seq -f 'reader%g@example.org' 10000) >"$BATS_TEST_TMPDIR/people.csv"
	for rule in 'auth reply 535 5.7.8 wrong' 'auth reply 454 4.7.0 not now' \
		'mail reply 454 Throttling failure: Daily message quota exceeded.' \
		'mail reply 550 5.4.5 daily sending quota exceeded'; do
		rm -rf "$BATS_TEST_TMPDIR/site"
		smtpd_start --auth news:secret --rule "$rule"
		make_site "$SMTP_PORT"
		sed -i "s|tls = none|tls = none\n\tusername = news\n\tpassword_file = \"secrets/relay\"|" "$SITE/lettermill.conf"
		printf 'delivery {\n\tcanary = ""\n}\n' >>"$SITE/lettermill.conf"
		(umask 077 && echo secret >"$SITE/secrets/relay")
		mill -q import --list daily "$BATS_TEST_TMPDIR/people.csv"
		write_issue "$SITE/i.md"
		mill -q issue schedule "$SITE/i.md"
		expect 75 deliver
		has "$stderr" "every relay is paused"
		is "$rule $(sql 'SELECT count(*), sum(state = 0), max(attempts) FROM deliveries')" "$rule 10000|10000|0"
		smtpd_stop
		SMTPD_PORT=$SMTP_PORT smtpd_start --auth news:secret
		sql 'DELETE FROM relay_pace; UPDATE relays SET paused_until = 0' # the pause is over
		expect 0 deliver
		is "$rule $(mill status --json 1 | jq -c '[.state, .counts.sent]')" "$rule [\"done\",10000]"
		is "$(smtpd_copies | sort -u | wc -l)" 10000
		smtpd_stop
	done
}
