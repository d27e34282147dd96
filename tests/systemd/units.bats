# SPDX-License-Identifier: MIT
# The units as `make install` puts them in place, judged by systemd's own tools.

setup() {
	cd "$BATS_TEST_DIRNAME/../.."
	command -v systemd-analyze >/dev/null || skip "no systemd-analyze"
	prefix=$BATS_TEST_TMPDIR/usr
	env -u MAKEFLAGS make -s install PREFIX="$prefix"
	units=$prefix/lib/systemd/system
}

@test "systemd-analyze verify finds nothing" {
	run systemd-analyze verify --man=no "$units"/lettermill-*.service "$units"/lettermill-*.timer "$units"/lettermill-*.socket "$units"/lettermill-*.path
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$(grep lettermill <<<"$output")" ]
}

@test "verify would say so: a unit with a word it does not know" {
	sed -i 's/^ProtectSystem=/ProtectSistem=/' "$units/lettermill-deliver.service"
	run systemd-analyze verify --man=no "$units/lettermill-deliver.service"
	[[ "$output" == *ProtectSistem* ]]
}

@test "the services are exposed at most 2.0" {
		for service in deliver serve bounce mailbox; do
		run systemd-analyze security --offline=true --threshold=20 "$units/lettermill-$service.service"
		echo "$output" | tail -n 3
		[ "$status" -eq 0 ]
	done
}

@test "install puts the program, its pages and its units in place, and nothing else" {
	root=$BATS_TEST_TMPDIR/root
	env -u MAKEFLAGS make -s install DESTDIR="$root" PREFIX=/opt/mill
	(cd "$root" && find . -type f | sort) >"$BATS_TEST_TMPDIR/found"
	{
		echo ./opt/mill/bin/lettermill
		for unit in systemd/*; do echo "./opt/mill/lib/systemd/system/${unit##*/}"; done
		for page in man/*; do echo "./opt/mill/share/man/man${page##*.}/${page##*/}"; done
	} | sort | diff - "$BATS_TEST_TMPDIR/found"
	grep -q '^ExecStart=/opt/mill/bin/lettermill ' \
		"$root/opt/mill/lib/systemd/system/lettermill-deliver.service"
}
