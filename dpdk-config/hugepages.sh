#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Hugepages for DPDK: shows them, makes them now, or keeps them over a reboot.
#
#   hugepages.sh show
#   hugepages.sh setup   --mib N|--pages N [--size 2M|1G] [--node N] [--apply]
#   hugepages.sh persist --mib N|--pages N [--size 2M|1G] [--node N] [--apply]
#
# setup and persist print their commands; --apply runs them. How much a sensor needs says
# `weir doctor`. 2 MiB pages can be made at any time; 1 GiB pages only while memory is not yet
# fragmented, so that `persist --size 1G` asks for them on the kernel's command line.
# --node takes them from one NUMA node: the one the network card is on.
set -euo pipefail
# shellcheck source=dpdk-config/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"

command="" size=2M pages="" mib="" node=""

whole() { [[ $2 =~ ^[0-9]+$ ]] || die 2 "$1 $2: not a whole number"; }

while [ $# -gt 0 ]; do
	case $1 in
	show | setup | persist)
		[ -z "$command" ] || die 2 "one command at a time: $command, $1"
		command=$1
		;;
	--size) value "$@" && size=$2 && shift ;;
	--pages) value "$@" && whole "$@" && pages=$2 && shift ;;
	--mib) value "$@" && whole "$@" && mib=$2 && shift ;;
	--node) value "$@" && whole "$@" && node=$2 && shift ;;
	--sysroot) value "$@" && sysroot=$2 && shift ;;
	--apply) apply=yes ;;
	-h | --help) help ;;
	*) die 2 "unknown word: $1 (--help)" ;;
	esac
	shift
done
[ -n "$command" ] || die 2 "show, setup or persist (--help)"

case $size in
2M) kib=2048 ;;
1G) kib=1048576 ;;
*) die 2 "--size $size: 2M or 1G" ;;
esac

show() {
	local dir where name
	printf '%-8s %10s %8s %8s\n' where page total free
	for dir in "$sysroot"/sys/kernel/mm/hugepages/hugepages-*kB \
		"$sysroot"/sys/devices/system/node/node*/hugepages/hugepages-*kB; do
		[ -d "$dir" ] || continue
		where=machine
		name=${dir##*/hugepages-}
		[[ $dir =~ /node/(node[0-9]+)/ ]] && where=${BASH_REMATCH[1]}
		printf '%-8s %10s %8s %8s\n' "$where" "$name" \
			"$(cat "$dir/nr_hugepages")" "$(cat "$dir/free_hugepages")"
	done
}

# The file of the pool, under /sys.
pool() {
	local dir=/sys/kernel/mm/hugepages
	[ -z "$node" ] || dir=/sys/devices/system/node/node$node/hugepages
	printf '%s/hugepages-%skB/nr_hugepages' "$dir" "$kib"
}

setup() {
	local file got
	file=$(pool)
	[ -e "$sysroot$file" ] || die 69 "the machine has no pages of $size (no $file)"
	put "$pages" "$file"
	[ $apply = yes ] || return 0
	got=$(read_file "$file")
	[ "$got" -ge "$pages" ] || die 1 "the kernel made $got of $pages pages of $size: memory is" \
		"fragmented; free some, or persist and reboot"
}

is_default_size() { grep -Eq "^Hugepagesize: +$kib kB" "$sysroot/proc/meminfo"; }

persist() {
	local tmpfiles=/etc/tmpfiles.d/weir-hugepages${node:+-node$node}.conf
	local sysctl=/etc/sysctl.d/60-weir-hugepages.conf
	if [ "$size" = 1G ]; then
		put "GRUB_CMDLINE_LINUX_DEFAULT=\"\$GRUB_CMDLINE_LINUX_DEFAULT hugepagesz=1G hugepages=${node:+$node:}$pages\"" \
			/etc/default/grub.d/weir-hugepages.cfg
		run update-grub
		note "1 GiB pages are there after the next start of the machine"
	elif [ -z "$node" ] && is_default_size; then
		put "vm.nr_hugepages = $pages" $sysctl
		[ ! -e "$sysroot$tmpfiles" ] || run rm "$sysroot$tmpfiles"
	else
		put "w $(pool) - - - - $pages" "$tmpfiles"
	fi
}

if [ "$command" = show ]; then
	show
	exit 0
fi
if [ -n "$mib" ] && [ -z "$pages" ]; then
	pages=$(((mib * 1024 + kib - 1) / kib))
elif [ -n "$mib" ] || [ -z "$pages" ]; then
	die 2 "either --mib N or --pages N"
fi
need_root
"$command"
say_dry
