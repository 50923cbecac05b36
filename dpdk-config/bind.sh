#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Gives network cards to DPDK and back to the kernel.
#
#   bind.sh status
#   bind.sh bind   CARD... [--driver vfio-pci] [--noiommu] [--force] [--apply]
#   bind.sh unbind CARD... [--apply]
#
# CARD is a PCI address (0000:81:00.0) or an interface (eth2). bind and unbind print their commands;
# --apply runs them: by driverctl where it is installed (kept over a reboot), else by
# dpdk-devbind.py, else by hand in /sys (until the next start of the machine).
#
# An interface with routes or addresses is refused, be they its own or those of a bond, bridge or
# VLAN above it: whoever binds the card of the ssh session is cut off. --force does it all the same.
# NVIDIA's cards (mlx4, mlx5) stay with their kernel driver, which DPDK works on top of.
# --noiommu is for virtual machines without an IOMMU: the card can then reach all memory.
set -euo pipefail
# shellcheck source=dpdk-config/common.sh
. "$(dirname "$(readlink -f "$0")")/common.sh"

command="" driver=vfio-pci force=no noiommu=no cards=()

while [ $# -gt 0 ]; do
	case $1 in
	status | bind | unbind)
		if [ -z "$command" ]; then command=$1; else cards+=("$1"); fi
		;;
	--driver) value "$@" && driver=$2 && shift ;;
	--sysroot) value "$@" && sysroot=$2 && shift ;;
	--force) force=yes ;;
	--noiommu) noiommu=yes ;;
	--apply) apply=yes ;;
	-h | --help) help ;;
	-*) die 2 "unknown option: $1 (--help)" ;;
	*) cards+=("$1") ;;
	esac
	shift
done
[ -n "$command" ] || die 2 "status, bind or unbind (--help)"

pci=/sys/bus/pci/devices

# link_name FILE: the last part of where a symbolic link points to
link_name() {
	local target
	target=$(readlink "$sysroot$1" 2>/dev/null) || return 0
	printf '%s' "${target##*/}"
}

# The interfaces of a card; virtio has one more level.
netdevs_of() {
	local path
	for path in "$sysroot$pci/$1"/net/* "$sysroot$pci/$1"/virtio*/net/*; do
		[ ! -e "$path" ] || basename "$path"
	done
}

# use_of INTERFACE: what the system does with it and with what is above it. Link-local addresses and
# their routes, which every interface has that is up, do not count.
use_of() {
	local name=$1 depth=${2:-4} routes addresses above
	routes=$(
		{
			awk -v n="$name" '$1 == n && $2 !~ /FEA9$/ { print "route" }' "$sysroot/proc/net/route"
			awk -v n="$name" '$NF == n && $1 !~ /^(fe[89ab]|ff)/ && $9 !~ /^([89a-f]|..[13579bdf])/ { print "route" }' \
				"$sysroot/proc/net/ipv6_route"
		} 2>/dev/null | wc -l
	)
	addresses=$(awk -v n="$name" '$NF == n && $4 != "20" { print }' "$sysroot/proc/net/if_inet6" 2>/dev/null | wc -l)
	[ "$routes" -eq 0 ] || printf '%s has %d route(s); ' "$name" "$routes"
	[ "$addresses" -eq 0 ] || printf '%s has %d IPv6 address(es); ' "$name" "$addresses"
	[ "$depth" -gt 0 ] || return 0
	for above in "$sysroot/sys/class/net/$name"/upper_*; do
		[ -e "$above" ] || [ -L "$above" ] || continue
		above=${above##*/upper_}
		printf '%s is part of %s; ' "$name" "$above"
		use_of "$above" $((depth - 1))
	done
}

# is_kernels DRIVER: neither none nor one that hands the card to DPDK
is_kernels() { [[ -n $1 && $1 != vfio-pci && $1 != igb_uio && $1 != uio_pci_generic ]]; }

use_of_card() {
	local netdev netdevs use="" now
	netdevs=$(netdevs_of "$1")
	now=$(link_name "$pci/$1/driver")
	for netdev in $netdevs; do use+=$(use_of "$netdev"); done
	if [ -z "$netdevs" ] && is_kernels "$now" && [ "$(vendor_of "$1")" != 0x15b3 ]; then
		use="its interface is not to be seen: in another network name space?"
	fi
	printf '%s' "${use%; }"
}

vendor_of() { read_file "$pci/$1/vendor"; }

# The kernel driver NVIDIA's cards keep.
kernel_driver_of() {
	local device
	device=$(read_file "$pci/$1/device")
	if [ $((device)) -le $((0x1010)) ]; then echo mlx4_core; else echo mlx5_core; fi
}

recommended() {
	if [ "$(vendor_of "$1")" = 0x15b3 ]; then
		kernel_driver_of "$1"
	elif [ -n "$(use_of_card "$1")" ]; then
		echo "-"
	else
		echo vfio-pci
	fi
}

status() {
	local path bdf id driver_now netdevs use
	printf '%-13s %-10s %-12s %-10s %-12s %s\n' card id driver interface recommended use
	for path in "$sysroot$pci"/*; do
		[[ $(cat "$path/class" 2>/dev/null) == 0x02* ]] || continue
		bdf=${path##*/}
		id=$(read_file "$pci/$bdf/vendor"):$(read_file "$pci/$bdf/device")
		driver_now=$(link_name "$pci/$bdf/driver")
		netdevs=$(netdevs_of "$bdf" | paste -sd,)
		use=$(use_of_card "$bdf")
		printf '%-13s %-10s %-12s %-10s %-12s %s\n' "$bdf" "${id//0x/}" "${driver_now:--}" \
			"${netdevs:--}" "$(recommended "$bdf")" "${use:-none}"
	done
}

# resolve CARD: its PCI address
resolve() {
	local path
	if [[ $1 =~ ^[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]$ ]]; then
		[ -e "$sysroot$pci/${1,,}" ] || die 69 "$1: no device at this PCI address"
		printf '%s' "${1,,}"
		return
	fi
	if [[ $1 == */* ]] || [ ! -e "$sysroot/sys/class/net/$1" ]; then
		die 69 "$1: neither a PCI address nor an interface"
	fi
	for path in "$sysroot$pci"/*/net/"$1" "$sysroot$pci"/*/virtio*/net/"$1"; do
		[ -e "$path" ] || continue
		path=${path#"$sysroot$pci"/}
		printf '%s' "${path%%/*}"
		return
	done
	die 69 "$1: not an interface of a PCI card"
}

# By hand, in /sys: what driverctl does too. The empty driver gives the card back.
by_hand() { # BDF DRIVER
	put "$2" "$pci/$1/driver_override"
	[ -z "$(link_name "$pci/$1/driver")" ] || put "$1" "$pci/$1/driver/unbind"
	put "$1" /sys/bus/pci/drivers_probe
}

check_iommu() {
	if [ "$driver" != vfio-pci ] || compgen -G "$sysroot/sys/kernel/iommu_groups/*" >/dev/null; then
		return
	fi
	[ $noiommu = yes ] || die 69 "the IOMMU is off: vfio-pci cannot take a card ('weir doctor'" \
		"says how to turn it on; --noiommu does without)"
	run modprobe vfio-pci
	put 1 /sys/module/vfio/parameters/enable_unsafe_noiommu_mode
}

# refuse_used BDF: the machine must not lose an interface it lives by
refuse_used() {
	local use
	use=$(use_of_card "$1")
	[ -n "$use" ] || return 0
	[ $force = yes ] || die 1 "$1: refused, the system uses it: $use. Listen beside it with" \
		"net_af_packet (dpdk-config/profiles/af_packet.yaml), or --force"
	note "$1: forced, although the system uses it: $use"
}

bind_card() {
	local bdf=$1
	refuse_used "$bdf"
	check_iommu
	if command -v driverctl >/dev/null; then
		run driverctl set-override "$bdf" "$driver"
	elif command -v dpdk-devbind.py >/dev/null; then
		run modprobe "$driver"
		if [ $force = yes ]; then
			run dpdk-devbind.py --force -b "$driver" "$bdf"
		else
			run dpdk-devbind.py -b "$driver" "$bdf"
		fi
	else
		run modprobe "$driver"
		by_hand "$bdf" "$driver"
		note "driverctl (apt-get install driverctl) would keep this over a reboot"
	fi
}

unbind_card() {
	local bdf=$1
	refuse_used "$bdf"
	if command -v driverctl >/dev/null; then
		run driverctl unset-override "$bdf"
	else
		by_hand "$bdf" ""
	fi
}

# has_nothing_to_do BDF
has_nothing_to_do() {
	local bdf=$1 now
	now=$(link_name "$pci/$bdf/driver")
	if [ "$command" = bind ] && [ "$(vendor_of "$bdf")" = 0x15b3 ]; then
		note "$bdf: an NVIDIA card, which keeps its kernel driver ($(kernel_driver_of "$bdf")):" \
			"name it in sensor.ports as it is"
	elif [ "$command" = bind ] && [ "$now" = "$driver" ]; then
		note "$bdf: has $driver already"
	elif [ "$command" = unbind ] && is_kernels "$now"; then
		note "$bdf: has its kernel driver ($now) already"
	else
		return 1
	fi
}

if [ "$command" = status ]; then
	status
	exit 0
fi
[ ${#cards[@]} -gt 0 ] || die 2 "$command: which card? (--help)"
need_root
addresses=()
for card in "${cards[@]}"; do # all are looked at before the first is touched
	address=$(resolve "$card")
	has_nothing_to_do "$address" && continue
	[ $force = yes ] || refuse_used "$address"
	addresses+=("$address")
done
for address in "${addresses[@]}"; do
	"${command}_card" "$address"
done
say_dry
