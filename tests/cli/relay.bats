# SPDX-License-Identifier: MIT

load ../lib
load ../smtpd/smtpd

setup() {
	make_site
}

teardown() {
	smtpd_stop || :
}

@test "relay check shows what a relay offers and sends nothing" {
	smtpd_start --no DSN
	use_relay "$SMTP_PORT"
	expect 0 relay check
	has "$output" "relay main, 127.0.0.1:$SMTP_PORT, without TLS"
	has "$output" "PIPELINING"
	run ! grep -q DSN <<<"$output"
	expect 0 relay check --json main
	is "$(jq -c '[.relay,.ok,.host,.tls,.authenticated,.offers.pipelining,.offers.dsn]' <<<"$output")" \
		'["main",true,"127.0.0.1",null,false,true,false]'
	expect 0 relay check -v main
	has "$stderr" "> EHLO "
	is "$(smtpd_copies)" ""
	smtpd_stop
	is "$(smtpd_violations)" ""
}

@test "TLS and login" {
	mkdir "$BATS_TEST_TMPDIR/certs"
	"$ROOT/tests/smtpd/make-certs" "$BATS_TEST_TMPDIR/certs"
	smtpd_start --cert "$BATS_TEST_TMPDIR/certs/server.pem" --auth news:secret-word
	printf 'secret-word\n' >"$SITE/secrets/relay"
	chmod 600 "$SITE/secrets/relay"
	sed -i "s|tls = none|tls = starttls\nca_file = '$BATS_TEST_TMPDIR/certs/ca.pem'\nusername = news\npassword_file = secrets/relay|; s/host = .*/host = localhost/" "$SITE/lettermill.conf"
	use_relay "$SMTP_PORT"
	expect 0 relay check -v --json
	is "$(jq -c '[.authenticated, (.tls.version | startswith("TLSv1"))]' <<<"$output")" '[true,true]'
	run ! grep -q -e secret-word -e "$(printf '\0news\0secret-word' | base64)" <<<"$output$stderr"
	expect 0 relay check
	has "$output" "login        accepted as news"
	has "$output" "TLS          TLSv1"

	printf 'wrong\n' >"$SITE/secrets/relay"
	expect 75 relay check
	has "$stderr" "535"
	chmod 644 "$SITE/secrets/relay"
	expect 77 relay check
	has "$stderr" "chmod 600"
	run ! grep -q wrong <<<"$stderr"
}

@test "a relay that is not there, by name and in the configuration" {
	expect 75 relay check
	has "$stderr" "main"
	expect 75 relay check --json
	is "$(jq -c '[.relay,.ok]' <<<"$output")" '["main",false]'
	expect 66 relay check mian
	has "$stderr" "no relay 'mian'"
	sed -i '/^relay/,/^}/d' "$SITE/lettermill.conf"
	expect 78 relay check
	has "$stderr" "no relay is configured"
}
