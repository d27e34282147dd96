#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Copies with hostile values, as an outside reader of mail and an outside verifier of DKIM see them.

load ../lib

setup() {
	WIRE=${WIRE:-$(dirname "$LETTERMILL")/wire}
	cd "$BATS_TEST_TMPDIR"
}

@test "copies parse without defects, hold nothing but what was put in, and their signatures verify" {
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>/dev/null
	openssl genpkey -algorithm ed25519 -out ed.pem
	rsa=$(openssl pkey -in rsa.pem -pubout -outform DER | base64 -w0)
	# The last 32 octets of the DER form are the key itself (RFC 8410).
	ed=$(openssl pkey -in ed.pem -pubout -outform DER | tail -c 32 | base64 -w0)
	mkdir copies
	"$WIRE" copies news.example.org lm=rsa.pem ed=ed.pem
	run "$ROOT/tests/wire/check.py" copies news.example.org \
		"lm=v=DKIM1; k=rsa; p=$rsa" "ed=v=DKIM1; k=ed25519; p=$ed"
	echo "$output"
	[ "$status" -eq 0 ]
	is "$output" "20 copies"
}
