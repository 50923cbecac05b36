# SPDX-License-Identifier: Apache-2.0
# What hugepages.sh and bind.sh share. Commands are printed; they are run only with --apply.
# shellcheck shell=bash

apply=no
sysroot="" # before /sys, /proc and /etc: for tests

program=$(basename "$0")

note() { printf '%s: %s\n' "$program" "$*" >&2; }

die() { # STATUS WORDS...
	local status=$1
	shift
	note "$*"
	exit "$status"
}

# The script's own head, from its third line to the first that is no comment.
help() {
	sed -n '3,/^[^#]/{s/^# \{0,1\}//p}' "$0"
	exit 0
}

# value OPTION [VALUE]...: refuses an option without one
value() { [ -n "${2:-}" ] || die 2 "$1 needs a value (--help)"; }

# run COMMAND...
run() {
	printf '%s\n' "$*"
	[ $apply = no ] || "$@"
}

# put VALUE FILE: as "echo VALUE > FILE"
put() {
	if [ -z "$1" ]; then
		printf 'echo > %s\n' "$2"
	elif [[ $1 =~ ^[0-9a-zA-Z.:_-]+$ ]]; then
		printf 'echo %s > %s\n' "$1" "$2"
	else
		printf "echo '%s' > %s\n" "$1" "$2"
	fi
	[ $apply = no ] && return
	mkdir -p "$(dirname "$sysroot$2")"
	printf '%s\n' "$1" >"$sysroot$2"
}

# read_file FILE: its text, nothing when it cannot be read
read_file() { cat "$sysroot$1" 2>/dev/null || true; }

need_root() {
	if [ $apply = yes ] && [ -z "$sysroot" ] && [ "$(id -u)" -ne 0 ]; then
		die 77 "--apply needs root"
	fi
}

# At the end of a run without --apply.
say_dry() { [ $apply = yes ] || note "nothing was changed; --apply runs these commands"; }
