#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every test, from a clean Debian 12 on: packages; unit tests and corpus replays with ASan and
# UBSan, then with TSan; the integration tests with the release build. What failed is named once
# more at the end. The last line is "N passed, N failed, N skipped"; the status is 0 when none failed.
set -uo pipefail
cd "$(dirname "$0")" || exit

passed=0 failed=0 skipped=0
failures=$(mktemp)
say() { printf '\n== %s (%s s)\n' "$*" "$SECONDS"; }

count() { # PASSED FAILED SKIPPED
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
}

finish() {
	[ $((passed + failed)) -gt 0 ] || failed=1
	echo
	cat "$failures"
	rm -f "$failures"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

# build DIR MESON_OPTION...: a failed build is a failed test
build() {
	set_up "$@" && ninja -C "$1" --quiet
}

set_up() {
	local dir=$1
	shift
	[ -f "$dir/build.ninja" ] || meson setup "$dir" "$@"
}

# tests_of DIR PATTERN: the unit tests of a build whose name the pattern fits, and their programs
tests_of() {
	meson introspect "$1" --tests | python3 -c '
import json, os, re, sys
folder, pattern = os.path.abspath(sys.argv[1]), re.compile(sys.argv[2])
fit = [t for t in json.load(sys.stdin) if "weir:unit" in t["suite"] and pattern.match(t["name"])]
print(*(t["name"] for t in fit))
print(*(os.path.relpath(t["cmd"][0], folder) for t in fit))' "$1" "$2"
}

# unit DIR MESON_TEST_OPTION...: runs the tests of a build and counts them
unit() {
	local dir=$1
	shift
	rm -f "$dir/meson-logs/testlog.json"
	meson test -C "$dir" --no-rebuild --print-errorlogs "$@"
	read -r ok bad skip < <(python3 - "$dir" "$failures" <<-'EOF'
		import json, sys
		folder, failures = sys.argv[1:]
		try:
		    tests = [json.loads(line) for line in open(folder + "/meson-logs/testlog.json")]
		except OSError:
		    tests = [{"name": "meson test", "result": "ERROR"}]
		good, skip = ("OK", "EXPECTEDFAIL"), ("SKIP",)
		bad = [t for t in tests if t["result"] not in good + skip]
		with open(failures, "a") as out:
		    out.writelines(f"failed: {folder} {t['name']} ({t['result']})\n" for t in bad)
		print(sum(t["result"] in good for t in tests), len(bad), sum(t["result"] in skip for t in tests))
	EOF
	)
	count "$ok" "$bad" "$skip"
}

integration() {
	local log
	log=$(mktemp)
	python3 tests/integration/run.py --build build | tee "$log"
	read -r ok bad skip < <(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$/\1 \2 \3/p' "$log")
	count "${ok:-0}" "${bad:-1}" "${skip:-0}"
	sed -n 's/^FAIL */failed: integration /p' "$log" >>"$failures"
	rm -f "$log"
}

say "packages"
packaging/install-packages.sh build run test || {
	count 0 1 0
	finish
}

# Without detect_stack_use_after_return: GCC 12 gives such frames no alignment beyond 32 bytes, and
# flows are aligned to 128.
export ASAN_OPTIONS=abort_on_error=1
export UBSAN_OPTIONS=halt_on_error=1:abort_on_error=1:print_stacktrace=1
say "unit tests and corpus replays with ASan and UBSan"
if build build-asan --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false; then
	unit build-asan
else
	count 0 1 0
fi

# Those with threads.
say "unit tests of collector, api and the sensor's threads with TSan"
threaded='(collector|api)/|sensor/(sensor|worker|export/|flow/ring)|lib/(scrape|base/control|intel/current)'
if set_up build-tsan --buildtype=debugoptimized -Db_sanitize=thread -Db_lundef=false &&
	{ read -r names && read -r programs; } < <(tests_of build-tsan "$threaded") &&
	ninja -C build-tsan --quiet $programs; then
	unit build-tsan $names
else
	count 0 1 0
fi

say "integration tests with the release build"
if build build --buildtype=release; then
	integration
else
	count 0 1 0
fi
say "done"
finish
