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

@test "no mix of line ends and dots in a reader's name makes two mails of one, and the signature holds" {
	site_for_postfix
	mill dkim new --json news.example.org >"$BATS_TEST_TMPDIR/keys"
	jq -r '"dkim \"\(.selector)\" {\n\tdomain = \"\(.domain)\"\n\tkey_file = \"\(.key_file)\"\n}"' \
		"$BATS_TEST_TMPDIR/keys" >>"$SITE/lettermill.conf"
	(echo email && seq 0 1427 | sed 's/.*/r&@lettermill.test/') >"$BATS_TEST_TMPDIR/people.csv"
	mill -q import "$BATS_TEST_TMPDIR/people.csv" --list daily
	# All mixes of CR, LF, dot and a letter, up to five long, and what smugglers have used behind them; put into the
	# database by hand, as an import would clean them.
	/usr/bin/python3 - "$SITE/lettermill.db" <<-'P'
		import itertools, sqlite3, sys
		names = ["".join(m) for n in range(1, 6) for m in itertools.product("\r\n.x", repeat=n)]
		names += [e + "." + f + "MAIL FROM:<evil@example.net>\r\nRCPT TO:<victim@lettermill.test>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"
		          for e in ("\n", "\r", "\r\n", "\r\r\n", "\r\0\n", "\n\n", "\x85", "\u2028")
		          for f in ("\n", "\r", "\r\n", "\r\r\n", "\r\0\n", "\n\n", "\x85", "\u2028")]
		db = sqlite3.connect(sys.argv[1])
		for i, name in enumerate(names):
		    assert db.execute("UPDATE subscribers SET first_name = ? WHERE email_key = ?", (name, f"r{i}@lettermill.test")).rowcount == 1
		db.commit()
	P
	write_issue "$SITE/i.md" 'For {{ subscriber.first_name }}'
	printf '\n{{ subscriber.first_name }}\n\n.{{ subscriber.first_name }}.\n\n`{{ subscriber.first_name }}`\n' >>"$SITE/i.md"
	mill -q issue schedule "$SITE/i.md"
	n=1428
	expect 0 deliver
	wait_for 180 delivered "$n"
	is "$(find "$relay/mail/all/new" -type f | wc -l)" "$n"
	is "$(grep -rl smuggled "$relay/mail/all/new" | xargs -r grep -l '^Subject: smuggled' | wc -l)" 0
	is "$(grep -E 'improper command pipelining|non-SMTP|bare newline|victim' "$relay/log")" ""
	/usr/bin/python3 - "$relay/mail/all/new" "$BATS_TEST_TMPDIR/keys" <<-'P'
		import dkim, json, pathlib, sys
		zone = {f"{k['selector']}._domainkey.{k['domain']}": k["record"] for k in map(json.loads, open(sys.argv[2]))}
		seen = set()
		for file in pathlib.Path(sys.argv[1]).iterdir():
		    raw = file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
		    for i in range(2):
		        assert dkim.DKIM(raw).verify(idx=i, dnsfunc=lambda name, timeout=5: zone.get(name.decode().rstrip("."), "").encode()), file
		    seen.add([l for l in raw.split(b"\r\n") if l.startswith(b"To: ")][0])
		assert len(seen) == len(list(pathlib.Path(sys.argv[1]).iterdir())), "two to one"
	P
}
