#!/bin/sh
# Puts the programs that `python -m benchmarks replay` works with on a Debian machine. It is not part of the tests: what
# is missing is skipped there, by name, and an hour without it proves less.
set -eu
PATH="$PATH:/usr/sbin:/sbin"
packages="apt cron dpkg gcc git libc6-dev logrotate make nginx-light openssh-client openssh-server postgresql python3 python3-venv rsync tar util-linux vim"
programs="apt-get cron dpkg-deb gcc git logrotate make nginx ssh sshd sftp psql python3 rsync tar setpriv vim"
missing=""
for program in $programs; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "Missing, their work is skipped:$missing (apt-get install $packages)" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # a list of packages
apt-get update -qq && apt-get install -y -qq --no-install-recommends $packages >/dev/null ||
    echo "Could not be installed, their work is skipped:$missing" >&2
