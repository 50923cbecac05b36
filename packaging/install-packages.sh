#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install-packages.sh GROUP...: installs what is missing of the groups in apt-packages.txt. Starts
# no service: what comes with a daemon (nfdump, softflowd, pmacct) must not occupy its ports.
set -euo pipefail

list="$(dirname "$0")/apt-packages.txt"
policy=/usr/sbin/policy-rc.d

packages_of() {
	awk -v groups=" $* " '
		/^\[/ { group = substr($1, 2, length($1) - 2); next }
		NF && $1 !~ /^#/ && index(groups, " " group " ") { print $1 }' "$list"
}

missing=()
for package in $(packages_of "$@"); do
	state=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || { echo "install as root: apt-get install ${missing[*]}" >&2; exit 77; }
	as_root=(sudo)
fi
echo "installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -e $policy ]; then
	trap 'rm -f "$log"; "${as_root[@]}" rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee $policy >/dev/null
	"${as_root[@]}" chmod 755 $policy
fi
quiet() {
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" >"$log" 2>&1 || {
		cat "$log" >&2
		exit 1
	}
}
quiet update
quiet -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}"
