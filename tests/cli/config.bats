# SPDX-License-Identifier: MIT
# A wrong configuration is one sentence with file and line. The cases are in tests/unit/app/test_config.c.

load ../lib

setup() {
	make_site
}

@test "every command says the same of a wrong file" {
	echo 'delivery { expire_afer = 3d }' >>"$SITE/lettermill.conf"
	line=$(wc -l <"$SITE/lettermill.conf")
	sentence="lettermill.conf:$line: there is no key 'expire_afer' at 'delivery': did you mean 'expire_after'?"
	for command in "list ls" "import x.csv --list daily" "subscriber find x" "issue ls" deliver status \
		"why a@example.org" "relay check" "db check" "db migrate"; do
		expect 78 $command
		is "$stderr" "$sentence"
		is "$output" ""
	done
}

@test "comments do not shift the line" {
	cat >>"$SITE/lettermill.conf" <<-'END'
		# one

		// and it's another
		lane gmail {  # "and
			at_once = '7'  # its value
			databse = "# \" // '"
		}
	END
	line=$(grep -n databse "$SITE/lettermill.conf" | cut -d : -f 1)
	expect 78 list ls
	is "$stderr" "lettermill.conf:$line: there is no key 'databse' at 'lane': lettermill.conf(5) lists them all"
}

@test "no file at all" {
	cd "$BATS_TEST_TMPDIR"
	[ ! -e /etc/lettermill/lettermill.conf ] || skip "this machine has a site in /etc/lettermill"
	run --separate-stderr -66 "$LETTERMILL" list ls
	has "$stderr" "make a site with 'lettermill init'"
	run --separate-stderr -66 "$LETTERMILL" --config nowhere.conf list ls
	has "$stderr" "'nowhere.conf'"
}

@test "a token key that others may read, or that is none" {
	write_issue "$SITE/i.md"
	chmod 644 "$SITE/secrets/token.key"
	expect 77 issue preview i.md --output out
	has "$stderr" "chmod 600"
	chmod 600 "$SITE/secrets/token.key"
	echo short >"$SITE/secrets/token.key"
	expect 78 issue preview i.md --output out
	has "$stderr" "is not 64 hexadecimal digits"
	run ! grep -q short <<<"$stderr"
	rm "$SITE/secrets/token.key"
	expect 66 issue preview i.md --output out
}
