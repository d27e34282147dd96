#!/bin/bash
# SPDX-License-Identifier: MIT
# tests/bench/deliver.sh: what a delivered message costs, with and without DKIM, on loopback and with a round trip of
# 20 ms, beside Postfix's smtp-source, nodemailer (a pool, build/node) and Python's smtplib: the same message, the
# same sink (build/smtpd, nothing written), as many connections, one core for the sender and one for the sink.
#
# lettermill's figure is all that `deliver` does: start, claim, render, sign, intent, transaction, settle, on a database
# with synchronous=FULL. smtp-source repeats one message from memory and keeps no books. nodemailer and smtplib compose each
# message. MESSAGES, TRIP_MESSAGES (with the round trip), SLOW_MESSAGES (for the last two), CONNECTIONS and ROUNDS may be
# set; the figures are medians. At the end, which part of the CPU time with RSA goes by inside OpenSSL.
set -euo pipefail
cd "$(dirname "$0")/../.."
B=$(realpath "${B:-build}")
for program in lettermill smtpd openssl.so; do
	[ -e "$B/$program" ] || { echo "no $B/$program: make bench builds it" >&2; exit 1; }
done
MESSAGES=${MESSAGES:-50000} TRIP_MESSAGES=${TRIP_MESSAGES:-20000} SLOW_MESSAGES=${SLOW_MESSAGES:-2000} CONNECTIONS=${CONNECTIONS:-50} ROUNDS=${ROUNDS:-3}
export NODE_PATH=$PWD/build/node/node_modules
export LC_ALL=C TIMEFORMAT='%U %S %R'

work=$(mktemp -d "${TMPDIR:-/var/tmp}/bench.XXXXXX")
sink=
trap '[ -z "$sink" ] || kill "$sink"; rm -rf "$work"' EXIT
mill=("$B/lettermill" -q -C "$work/site")
on_client_core=() on_sink_core=()
if [ "$(nproc)" -gt 1 ]; then
	on_client_core=(taskset -c 0) on_sink_core=(taskset -c 1)
fi

# sink_start OPTION...: on a port of its own, the same for all rounds. Sets port and sink.
sink_start() {
	rm -f "$work/port"
	"${on_sink_core[@]}" "$B/smtpd" --port "${port:-0}" --port-file "$work/port" "$@" >"$work/sink" &
	sink=$!
	until [ -s "$work/port" ]; do
		kill -0 "$sink"
		sleep 0.05
	done
	port=$(cat "$work/port")
}

sink_stop() {
	kill "$sink"
	wait "$sink"
	sink=
}

# site READERS [DKIM-TYPE]: a new site with the sample issue scheduled for so many, signed with that key.
site() {
	rm -rf "$work/site"
	"$B/lettermill" -q init "$work/site"
	sed -i -e 's/host = "smtp.example.org"/host = "127.0.0.1"/' -e "s/# port = 587 .*/port = $port/" \
		-e 's/# tls = starttls .*/tls = none/' \
		-e "s|# canary = .*|canary = \"\"|" -e "s/# connections = 10 .*/connections = $CONNECTIONS/" "$work/site/lettermill.conf"
	if [ -n "${2:-}" ]; then
		"${mill[@]}" --json dkim new news.example.org | jq -r "select(.record | contains(\"k=$2\")) |
			\"dkim \\(.selector) { domain = \\(.domain) key_file = \\(.key_file) }\"" >>"$work/site/lettermill.conf"
	fi
	{
		echo email,first_name
		seq "$1" | sed 's/.*/reader&@example.org,Reader &/'
	} >"$work/readers.csv"
	"${mill[@]}" import "$work/readers.csv" --list daily
	"${mill[@]}" issue schedule "$work/site/issues/sample.md"
}

# measure NAME ROUND-TRIP MESSAGES COMMAND...: notes "CPU-seconds seconds sink-CPU-seconds messages" of the command.
measure() {
	local name=$1 trip=$2 messages=$3 spent
	shift 3
	sink_start --reply-delay "$trip"
	{ time "${on_client_core[@]}" "$@" >/dev/null 2>"$work/errors"; } 2>"$work/time" || {
		cat "$work/errors"
		exit 1
	}
	sink_stop
	spent=$(awk '{ print $1 + $2, $3 }' "$work/time")
	[[ $(cat "$work/sink") =~ \"messages\":$messages,.*\"violations\":0,.*\"cpu_us\":([0-9]+) ]] || {
		echo "the sink did not get $messages sound messages: $(cat "$work/sink")" >&2
		exit 1
	}
	echo "$spent ${BASH_REMATCH[1]}e-6 $messages" >>"$work/$name.$trip"
}

# figure FILE COLUMN: its median per message.
figure() {
	awk -v c="$2" '{ print $c / $4 }' "$1" | sort -g | sed -n "$(((ROUNDS + 1) / 2))p"
}

sink_start --maildir "$work/mail"
site 1
"${mill[@]}" deliver
sink_stop
tail -n +3 "$work"/mail/new/* >"$work/message"

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$work/rsa.pem" 2>/dev/null
has_node=$(command -v node >/dev/null && [ -d "$NODE_PATH/nodemailer" ] && echo yes || true)
for ((round = 0; round < ROUNDS; round++)); do
	for trip in 0 20; do
		messages=$MESSAGES
		[ $trip = 0 ] || messages=$TRIP_MESSAGES
		for key in "" rsa ed25519; do
			site "$messages" $key
			measure "lettermill${key:+ $key}" $trip "$messages" "${mill[@]}" deliver
			# Beside the one that it is held against: the machine changes from minute to minute.
			[ -n "$key" ] || measure smtp-source $trip "$messages" smtp-source -d -s "$CONNECTIONS" -m "$messages" \
				-F "$work/message" -f sender@example.org -t reader@example.org "127.0.0.1:$port"
		done
		measure smtplib $trip "$SLOW_MESSAGES" /usr/bin/python3 tests/bench/deliver.py "$work/message" "$port" \
			"$CONNECTIONS" "$SLOW_MESSAGES"
		[ -z "$has_node" ] || for key in "" "$work/rsa.pem"; do
			measure "nodemailer${key:+ rsa}" $trip "$SLOW_MESSAGES" node tests/bench/deliver.js "$work/message" \
				"$port" "$CONNECTIONS" "$SLOW_MESSAGES" $key
		done
	done
done

printf '%s messages (%s with the round trip, %s for nodemailer and smtplib) of %s octets, %s connections, median of %s rounds\n' \
	"$MESSAGES" "$TRIP_MESSAGES" "$SLOW_MESSAGES" "$(wc -c <"$work/message")" "$CONNECTIONS" "$ROUNDS"
printf '%-20s %10s %15s %12s %12s\n' sender "round trip" "us CPU/message" messages/s "us CPU, sink"
for trip in 0 20; do
	for name in lettermill "lettermill rsa" "lettermill ed25519" smtp-source smtplib nodemailer "nodemailer rsa"; do
		[ ! -e "$work/$name.$trip" ] || awk -v name="$name" -v trip=$trip -v cpu="$(figure "$work/$name.$trip" 1)" \
			-v time="$(figure "$work/$name.$trip" 2)" -v sink="$(figure "$work/$name.$trip" 3)" \
			'BEGIN { printf "%-20s %7d ms %15.1f %12.0f %12.1f\n", name, trip, cpu * 1e6, 1 / time, sink * 1e6 }'
	done
done | tee "$work/table"
ratio() { # WORDS NAME TRIP COLUMN NAME TRIP: of the second to the first
	awk -F '  +' -v w="$1" -v a="$2 $3" -v b="$5 $3" -v c="$4" '{ split($2, t, " "); k = $1 " " t[1]; v[k] = $c }
		END { if (v[a] && v[b]) printf "%s: x %.2f\n", w, v[a] / v[b] }' "$work/table"
}
ratio "CPU, lettermill / smtp-source" lettermill 0 3 smtp-source
ratio "CPU, nodemailer / lettermill" nodemailer 0 3 lettermill
ratio "CPU with RSA, nodemailer / lettermill" "nodemailer rsa" 0 3 "lettermill rsa"
ratio "CPU, smtplib / lettermill" smtplib 0 3 lettermill
ratio "messages/s at 20 ms, lettermill / smtp-source" lettermill 20 4 smtp-source
for ((round = 0; round < ROUNDS; round++)); do
	site "$MESSAGES" rsa
	measure inside 0 "$MESSAGES" env LD_PRELOAD="$B/openssl.so" OPENSSL_TIME="$work/time-inside" "${mill[@]}" deliver
	cat "$work/time-inside" >>"$work/openssl"
done
awk '{ print 100 * $1 / $2 }' "$work/openssl" | sort -g | awk '{ v[NR] = $1 }
	END { printf "CPU inside OpenSSL with RSA: %.1f %% (%.1f to %.1f)\n", v[int((NR + 1) / 2)], v[1], v[NR] }'
