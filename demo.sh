#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole journey on one machine: a generated capture through weir-sensor (DPDK, no NIC, no
# hugepages) into weir-collector, and what weir-api says about it beside the truth.
#   ./demo.sh          goes on with the capture in a loop until Ctrl-C
#   ./demo.sh --once   ends after the comparison; nothing stays behind
set -euo pipefail

usage() {
	echo "Usage: ./demo.sh [--once]" >&2
	exit 2
}

once=no
[ $# -le 1 ] || usage
case ${1:-} in
--once) once=yes ;;
"") ;;
-h | --help)
	sed -n '3,6s/^# \{0,1\}//p' "$0"
	exit 0
	;;
*) usage ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
build=${WEIR_BUILD:-$here/build}
packets=${WEIR_DEMO_PACKETS:-200000}
flows=${WEIR_DEMO_FLOWS:-6000}
seconds=240
rate=2000 # packets per second when the capture loops

say() { printf '\n== %s\n' "$*"; }
die() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

pids=()
work=
cleanup() {
	trap - EXIT INT TERM
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		kill "${pids[i]}" 2>/dev/null || true
		wait "${pids[i]}" 2>/dev/null || true
	done
	[ -z "$work" ] || rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 0' INT TERM

# start NAME COMMAND...: in the background, its words in $work/NAME.log
start() {
	local name=$1
	shift
	"$@" >"$work/$name.out" 2>"$work/$name.log" </dev/null &
	pids+=($!)
}

# wait_for NAME COMMAND...: until the command succeeds, as long as the program just started lives
wait_for() {
	local name=$1 tries
	shift
	for ((tries = 0; tries < 300; tries++)); do
		"$@" && return
		kill -0 "${pids[-1]}" 2>/dev/null || break
		sleep 0.1
	done
	cat "$work/$name.log" >&2
	die "$name is not ready"
}

free_ports() {
	python3 -c '
import socket
s = [socket.socket() for _ in range(3)]
for x in s: x.bind(("127.0.0.1", 0))
print(*(x.getsockname()[1] for x in s))'
}

say "packages and release build"
"$here/packaging/install-packages.sh" build run
if [ ! -f "$build/build.ninja" ]; then
	meson setup "$build" "$here" --buildtype=release >/dev/null
fi
ninja -C "$build" | tail -n 1

work=$(mktemp -d)
read -r udp tcp https < <(free_ports)
weir() { "$build/cli/weir" "$@" --control "$work/control.sock" -o json; }
report() { python3 "$here/bench/demo_report.py" "$work" "https://127.0.0.1:$https" "$@"; }

say "a capture of $flows conversations in $packets packets, $seconds seconds long"
"$build/bench/weir-gen" capture --out "$work/capture.pcap" --truth "$work/truth.json" \
	--packets "$packets" --flows "$flows" --duration $seconds --start $(($(date +%s) - seconds))

say "weir-collector: udp 127.0.0.1:$udp, tcp 127.0.0.1:$tcp"
start collector "$build/collector/weir-collector" --store "$work/store" \
	--control "$work/control.sock" --listen "udp:127.0.0.1:$udp" --listen "tcp:127.0.0.1:$tcp"
collector_is_ready() { weir ping >/dev/null 2>&1; }
wait_for collector collector_is_ready
weir user add demo --entity netflow >"$work/user.json"

say "weir-api: https://127.0.0.1:$https (HTTP/2 over TLS, self-signed)"
start api "$build/api/weir-api" --store "$work/store" --control "$work/control.sock" \
	--listen "https:127.0.0.1:$https"
api_is_ready() { report --ready; }
wait_for api api_is_ready

say "weir-sensor: the capture through DPDK's net_pcap, IPFIX over TCP to the collector"
"$build/sensor/weir-sensor" --pcap "$work/capture.pcap" --export "tcp:127.0.0.1:$tcp" --once \
	>"$work/sensor.json" 2>"$work/sensor.log" || {
	cat "$work/sensor.log" >&2
	die "weir-sensor failed"
}
cat "$work/sensor.json"
all_stored() { weir ledger >"$work/ledger.json" && report --stored; }
wait_for collector all_stored

say "what the REST API says"
report --compare
[ $once = no ] || exit 0

say "how to log in"
report --login
say "the capture now loops at $rate packets a second; Ctrl-C ends everything"
start sensor "$build/sensor/weir-sensor" --pcap "$work/capture.pcap" --loop --rate $rate \
	--export "tcp:127.0.0.1:$tcp"
wait -n "${pids[@]}" || true
tail -n 5 "$work"/*.log >&2
die "a program ended by itself"
