# SPDX-License-Identifier: MIT
# The smaller version of `make crash`: some 60 kills and other troubles. tests/crash/README.md tells.

load ../lib

@test "killed, stopped, starved and disturbed: nobody is lost, nobody doubled outside a doubt" {
	[[ $LETTERMILL != */asan/* ]] || skip "what is preloaded does not go with the sanitizers"
	run "$ROOT/tests/crash/crash" --small
	echo "$output"
	is "$status" 0
}
