#!/bin/sh
# Read by the scripts that put Debian packages on a machine, with `packages` and `programs` set: installs the packages
# where one of the programs is missing. Where it cannot, it says what is missing and what comes of that (`$1`).
PATH="$PATH:/usr/sbin:/sbin"
missing=""
for program in $programs; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing, $1:$missing (apt-get install $packages)" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of packages
apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages >/dev/null ||
    echo "Could not be installed, $1:$missing" >&2
