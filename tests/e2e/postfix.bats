# SPDX-License-Identifier: MIT
# The whole way with a real relay: Postfix takes the issue by submission with STARTTLS and AUTH, and
# delivers it into a Maildir.

load ../lib

setup() {
	[ "$(id -u)" = 0 ] || skip "Postfix needs root"
	[ -x /usr/lib/postfix/sbin/master ] || skip "Postfix is not installed"
	cd "$ROOT"
	source tests/smtpd/smtpd.bash
	source tests/e2e/postfix.bash
	relay=$(mktemp -d "${TMPDIR:-/tmp}/postfix.XXXXXX")
}

teardown() {
	[ -z "${relay:-}" ] || {
		postfix_stop
		rm -rf "$relay"
	}
}

delivered() {
	[ "$(find "$relay/mail/all/new" -type f | wc -l)" -ge "$1" ]
}

site_for_postfix() {
	postfix_start "$relay" || {
		cat "$relay/master.out" "$relay/log"
		return 1
	}
	make_site "$POSTFIX_PORT"
	/usr/bin/python3 - "$SITE/lettermill.conf" "$relay/ca.pem" <<-'P'
		import sys
		conf, ca = sys.argv[1:]
		text = open(conf).read()
		new = text.replace("host = 127.0.0.1", "host = localhost").replace("tls = none",
		    f'tls = starttls\n\tca_file = "{ca}"\n\tusername = "news@lettermill.test"\n'
		    '\tpassword_file = "secrets/relay"')
		assert new.count("localhost") == new.count("starttls") == 1
		open(conf, "w").write(new)
	P
	(umask 077 && echo 'correct horse' >"$SITE/secrets/relay")
}

@test "relay check tells what Postfix offers" {
	site_for_postfix
	expect 0 relay check main --json
	jq -e '.ok and .authenticated and .tls.version == "TLSv1.3" and .offers.pipelining and
		.offers.smtputf8 and .offers.dsn' <<<"$output"
	[ ! -e "$relay/mail/all" ]
	expect 0 relay check main
	has "$output" "login        accepted as news@lettermill.test"
}

@test "the sample issue reaches each of 1,000 readers once, whole and sound" {
	site_for_postfix
	mill -q import "$ROOT/tests/data/subscribers.csv" --list daily
	mill -q issue schedule "$ROOT/mail-templates/sample/issue.md"
	expect 0 deliver
	is "$(mill status --json 1 | jq -c '[.state, .counts.sent]')" '["done",1000]'
	wait_for 120 delivered 1000
	tests/e2e/check-copies "$relay/mail/all" tests/data/subscribers.csv
	is "$(grep -h 'with ESMTPSA' -r "$relay/mail/all/new" | wc -l)" 1000
	is "$(grep -E 'improper command pipelining|warning: (Illegal|non-SMTP)' "$relay/log")" ""
}

@test "a wrong password: Postfix refuses, nobody loses an attempt" {
	site_for_postfix
	(umask 077 && echo 'wrong donkey' >"$SITE/secrets/relay")
	printf 'email\nada@example.org\n' >"$BATS_TEST_TMPDIR/one.csv"
	mill -q import "$BATS_TEST_TMPDIR/one.csv" --list daily
	write_issue "$BATS_TEST_TMPDIR/issue.md"
	mill -q issue schedule "$BATS_TEST_TMPDIR/issue.md"
	expect 75 deliver
	has "$stderr" 535
	is "$(mill status --json 1 | jq .counts.queued)" 1
	is "$(mill why --json ada@example.org | jq '.deliveries[0].attempts | length')" 0
}
