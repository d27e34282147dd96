# SPDX-License-Identifier: MIT
# Keys, and the signatures of a thousand copies before three verifiers that are not ours.

load ../lib

setup() {
	cd "$ROOT"
	make_site 9
}

# use_keys: put what `dkim new --json` said into the configuration; records go to $BATS_TEST_TMPDIR/zone.
use_keys() {
	mill dkim new --json news.example.org >"$BATS_TEST_TMPDIR/keys"
	jq -r '"dkim \"\(.selector)\" {\n\tdomain = \"\(.domain)\"\n\tkey_file = \"\(.key_file)\"\n}"' \
		"$BATS_TEST_TMPDIR/keys" >>"$SITE/lettermill.conf"
	jq -r '"\(.selector)._domainkey.\(.domain) \(.record)"' "$BATS_TEST_TMPDIR/keys" >"$BATS_TEST_TMPDIR/zone"
}

@test "new keys: closed to others, never written over, and shown as they are to be published" {
	expect 0 dkim show
	has "$output" "no key signs"
	expect 0 dkim new news.example.org
	has "$output" 'mill1._domainkey.news.example.org. IN TXT ('
	has "$output" '"v=DKIM1; k=rsa; p='
	has "$output" 'mill1-ed._domainkey.news.example.org. IN TXT ('
	has "$output" '"v=DKIM1; k=ed25519; p='
	is "$(awk '/^\t"/ && length > 257' <<<"$output")" "" # a string of a record has at most 255 octets
	is "$(stat -c %a "$SITE"/secrets/dkim-*.pem)" $'600\n600'
	openssl pkey -in "$SITE/secrets/dkim-mill1.pem" -noout -text | grep -q '2048 bit'
	before=$(sha256sum "$SITE"/secrets/*)
	expect 73 dkim new news.example.org
	has "$stderr" "--selector"
	is "$(sha256sum "$SITE"/secrets/*)" "$before"
	mill dkim new --selector mill2 bücher.example | sed -n '/^dkim/,/^}/p' >>"$SITE/lettermill.conf"
	expect 0 dkim show --json
	is "$(jq -r '.selector + " " + .domain' <<<"$output")" $'mill2 xn--bcher-kva.example\nmill2-ed xn--bcher-kva.example'
	for selector in "" A a_b -a a. ../x; do
		expect 64 dkim new --selector "$selector" news.example.org
	done
	expect 64 dkim new 'a b'
	expect 64 dkim new x@example.org
	rm "$SITE/secrets/dkim-mill2.pem"
	expect 66 dkim show
	has "$stderr" "dkim 'mill2': "
}

@test "a thousand copies: python3-dkim, OpenDKIM and mailauth accept both signatures" {
	source tests/smtpd/smtpd.bash
	mkdir "$BATS_TEST_TMPDIR/mail"
	smtpd_start --maildir "$BATS_TEST_TMPDIR/mail"
	use_relay "$SMTP_PORT"
	use_keys
	sed -i '1i quoted_local_parts = yes' "$SITE/lettermill.conf"
	/usr/bin/python3 - >"$BATS_TEST_TMPDIR/people.csv" <<-'P'
		import csv, random, sys
		random.seed(6376)
		pool = "aB9 .,'\"<>&=?%;:\u00e9\u65e5\u05d0\U0001f389\t-_~{}\\"
		out = csv.writer(sys.stdout)
		out.writerow(["email", "first_name"])
		for i in range(1000):
		    local = f"r{i}" if i % 10 else rf'"r  {i} <@\",>"'
		    out.writerow([f"{local}@example.org", "".join(random.choice(pool) for _ in range(random.randrange(60)))])
	P
	mill -q import --list daily "$BATS_TEST_TMPDIR/people.csv"
	write_issue "$SITE/i.md" 'Good morning, {{ subscriber.first_name | default: "reader" }}'
	mill -q issue schedule "$SITE/i.md"
	mill -q deliver
	smtpd_stop
	cd "$BATS_TEST_TMPDIR/mail/new"
	is "$(ls | wc -l)" 1000
	/usr/bin/python3 - "$BATS_TEST_TMPDIR/zone" <<-'P'
		import dkim, pathlib, sys
		zone = dict(l.rstrip("\n").split(" ", 1) for l in open(sys.argv[1]))
		def txt(name, timeout=5):
		    return zone.get(name.decode().rstrip("."), "").encode()
		for file in pathlib.Path(".").iterdir():
		    raw = file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
		    for i in range(2):
		        assert dkim.DKIM(raw).verify(idx=i, dnsfunc=txt), (file, i)
		    assert b"rsa-sha256" in raw and b"ed25519-sha256" in raw
		    h = raw.split(b" h=", 1)[1].split(b";", 1)[0].replace(b"\r\n ", b"").lower().split(b":")
		    for name in (b"list-unsubscribe", b"list-unsubscribe-post"):
		        assert h.count(name) == 1, h
		    for name in (b"from", b"to", b"subject", b"date"):
		        assert h.count(name) == 2, h
	P
	if command -v opendkim >/dev/null; then
		printf '%s\n' "TestPublicKeys $BATS_TEST_TMPDIR/zone" 'Mode v' 'UserID root' 'Syslog no' \
			>"$BATS_TEST_TMPDIR/opendkim.conf"
		ls >"$BATS_TEST_TMPDIR/files"
		split -l 100 "$BATS_TEST_TMPDIR/files" "$BATS_TEST_TMPDIR/part."
		for part in "$BATS_TEST_TMPDIR"/part.*; do
			opendkim -v -v -x "$BATS_TEST_TMPDIR/opendkim.conf" -t "$(paste -sd, "$part")" || :
		done >"$BATS_TEST_TMPDIR/said" 2>/dev/null
		is "$(grep -c 'dkim=pass' "$BATS_TEST_TMPDIR/said")" 2000
	else
		echo "# no opendkim" >&3
	fi
	export NODE_PATH=$ROOT/build/node/node_modules
	if [ -d "$NODE_PATH/mailauth" ] && command -v node >/dev/null; then
		is "$(node "$ROOT/tests/node/dkim.js" "$BATS_TEST_TMPDIR/zone" * | awk '$2 == 2' | wc -l)" 1000
	else
		echo "# no mailauth in build/node" >&3
	fi
}

@test "a copy that cannot be made fails by itself, also where threads sign" {
	source tests/smtpd/smtpd.bash
	smtpd_start
	use_relay "$SMTP_PORT"
	use_keys
	{
		echo email,city
		seq 50 | sed 's/.*/r&@example.org,Oslo/'
	} >"$BATS_TEST_TMPDIR/people.csv"
	mill -q import --list daily "$BATS_TEST_TMPDIR/people.csv"
	write_issue "$SITE/i.md" 'News from {{ subscriber.city | default: "home" }}'
	mill -q issue schedule "$SITE/i.md"
	sql "UPDATE subscribers SET attributes = '[]' WHERE email_key IN ('r7@example.org', 'r8@example.org')"
	mill -q deliver
	smtpd_stop
	is "$(sql 'SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state')" $'5|48\n6|2'
	is "$(sql 'SELECT count(*) FROM attempts WHERE text LIKE "%not a JSON object%"')" 2
}
