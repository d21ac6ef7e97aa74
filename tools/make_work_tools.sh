#!/bin/sh
# Puts the programs that `python -m benchmarks replay` works with on a Debian machine. It is not part of the tests: what
# is missing is skipped there, by name, and an hour without it proves less.
set -eu
packages="apt cron dpkg gcc git libc6-dev logrotate make nginx-light openssh-client openssh-server postgresql python3 python3-venv rsync tar util-linux vim"
programs="apt-get cron dpkg-deb gcc git logrotate make nginx ssh sshd sftp psql python3 rsync tar setpriv vim"
set -- "their work is skipped"
. "$(dirname "$0")/debian_packages.sh"
