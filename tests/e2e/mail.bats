# SPDX-License-Identifier: MIT
# Whole messages before strangers: parsers, validators, filters, browsers. What only npm has is in build/node
# (make deps); without it, or a filter, the test is skipped.

load ../lib

setup_file() {
	export SITE=$BATS_FILE_TMPDIR/site OUT=$BATS_FILE_TMPDIR/out NODE_PATH=$ROOT/build/node/node_modules
	"$LETTERMILL" -q init "$SITE"
	"$LETTERMILL" -q -C "$SITE" list add week
	printf '%s\n' email,first_name,city,plan,name ana@example.org,Ana,Oslo,gold,Ana >"$SITE/people.csv"
	"$LETTERMILL" -q -C "$SITE" import --list daily "$SITE/people.csv"
	for file in "$ROOT"/mail-templates/sample/issue.md "$ROOT"/tests/golden/*.md \
		"$ROOT"/../shared/design/issue.md; do
		[ ! -e "$file" ] || "$LETTERMILL" -q -C "$SITE" issue preview --as ana@example.org \
			--output "$OUT" "$file" 2>/dev/null
	done
	# The other look.
	for file in "$ROOT"/mail-templates/sample/issue.md "$ROOT"/tests/golden/*.md; do
		sed -e "/^slug:/d" -e "2i theme: cards\\nslug: cards-$(basename "$file" .md)" "$file" >"$SITE/cards.md"
		"$LETTERMILL" -q -C "$SITE" issue preview --as ana@example.org --output "$OUT" "$SITE/cards.md" 2>/dev/null
	done
	is "$(ls "$OUT"/cards-*.eml | wc -l)" 5
}

setup() {
	cd "$OUT"
}

# needs PACKAGE: of npm.
needs() {
	[ -d "$NODE_PATH/$1" ] && command -v node >/dev/null || skip "no $1 in build/node"
}

# told NAME: nothing, or what it says is the failure.
told() {
	local said
	said=$("$@") || true
	is "$said" ""
}

@test "Python, mailparser and postal-mime read the same" {
	needs mailparser
	needs postal-mime
	for file in *.eml; do
		node "$ROOT/tests/node/parse.js" "$file" >"$BATS_TEST_TMPDIR/others"
		/usr/bin/python3 - "$file" "$BATS_TEST_TMPDIR/others" <<-'P'
			import email, email.policy, json, sys
			m = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
			assert not m.defects and not any(p.defects for p in m.walk())
			def body(kind):
			    return m.get_body((kind,)).get_content().replace("\r\n", "\n").rstrip()
			ours = {"subject": m["Subject"], "from": [[a.display_name, a.addr_spec] for a in m["From"].addresses],
			        "to": [a.addr_spec for a in m["To"].addresses], "id": m["Message-ID"],
			        "text": body("plain"), "html": body("html"), "files": []}
			n = 0
			for line in open(sys.argv[2]):
			    theirs = json.loads(line)
			    who = theirs.pop("who")
			    n += 1
			    for key in ours:
			        assert ours[key] == theirs[key], (sys.argv[1], who, key, ours[key], theirs[key])
			assert n == 2
		P
	done
}

@test "html-validate finds nothing" {
	needs html-validate
	told node "$ROOT/tests/node/validate.js" *.html
}

@test "what large mail programs lack is used only where nothing is lost" {
	needs caniemail
	told node "$ROOT/tests/node/features.js" "$ROOT/tests/node/allowed-features" *.html
	# The gate shuts: a feature that nobody allowed.
	echo '<div style="display:grid">' >"$BATS_TEST_TMPDIR/bad.html"
	echo '<style>a{position:fixed}</style>' >>"$BATS_TEST_TMPDIR/bad.html"
	has "$(node "$ROOT/tests/node/features.js" "$ROOT/tests/node/allowed-features" "$BATS_TEST_TMPDIR/bad.html")" \
		"css-position: not in"
}

@test "axe-core finds nothing, light and dark, wide and narrow" {
	needs playwright-core
	needs axe-core
	export CHROMIUM=${CHROMIUM:-$(command -v chromium || :)}
	[ -n "$CHROMIUM" ] || skip "no chromium"
	shots=${LETTERMILL_SHOTS:-$BATS_TEST_TMPDIR}
	mkdir -p "$shots"
	told timeout 600 node "$ROOT/tests/node/look.js" "$shots" *.html
}

@test "SpamAssassin's rules: at most 0.5" {
	command -v spamassassin >/dev/null || skip "no spamassassin"
	for file in *.eml; do
		score=$(spamassassin -L -t <"$file" 2>/dev/null | sed -nE 's/^X-Spam-Status:.* score=(-?[0-9.]+) .*/\1/p')
		[ -n "$score" ]
		/usr/bin/python3 -c 'import sys; sys.exit(float(sys.argv[1]) > 0.5)' "$score" || is "$file $score" "0.5"
	done
}

# A copy of rspamd's configuration on free ports, with its files in the test's folder.
rspamd_start() {
	local conf=$BATS_TEST_TMPDIR/rspamd port
	cp -r /etc/rspamd "$conf"
	mkdir "$conf/db" "$conf/run" "$conf/log"
	chmod -R a+rX "$BATS_TEST_TMPDIR"
	port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	RSPAMD=127.0.0.1:$port
	sed -i "s/localhost:11333/127.0.0.1:$((port + 1))/; s/localhost:11334/$RSPAMD/; s/localhost:11332/127.0.0.1:$((port + 2))/" \
		"$conf"/*.inc "$conf"/*.conf
	rspamd -f -i -c "$conf/rspamd.conf" --var=CONFDIR="$conf" --var=LOCAL_CONFDIR="$conf" --var=DBDIR="$conf/db" \
		--var=RUNDIR="$conf/run" --var=LOGDIR="$conf/log" >"$conf/said" 2>&1 3>&- &
	RSPAMD_PID=$!
	for _ in $(seq 600); do
		! rspamc -h "$RSPAMD" stat >/dev/null 2>&1 || return 0
		kill -0 "$RSPAMD_PID" || { tail -5 "$conf/said"; return 1; }
		read -rt 0.1 <> <(:) || :
	done
	return 1
}

teardown() {
	[ -z "${RSPAMD_PID:-}" ] || kill "$RSPAMD_PID"
}

@test "rspamd's rules on content: at most 0.5" {
	command -v rspamd >/dev/null || skip "no rspamd"
	rspamd_start
	for file in *.eml; do
		score=$(rspamc -h "$RSPAMD" --ip 127.0.0.1 --helo mail.example.org --hostname mail.example.org symbols "$file" |
			tee "$BATS_TEST_TMPDIR/score" | sed -nE 's/^Score: (-?[0-9.]+) .*/\1/p')
		[ -n "$score" ]
		/usr/bin/python3 -c 'import sys; sys.exit(float(sys.argv[1]) > 0.5)' "$score" ||
			is "$file $(cat "$BATS_TEST_TMPDIR/score")" "0.5"
	done
}
