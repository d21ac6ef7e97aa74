#!/bin/sh
# Puts PostgreSQL's programs on a Debian machine, for the tests that keep the state in it; where it cannot, it says so
# and those tests are skipped. The tests start a server of their own and touch no other.
set -eu
for program in /usr/lib/postgresql/*/bin/postgres; do
    [ -x "$program" ] && exit 0
done
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "PostgreSQL is missing: its tests are skipped (apt-get install postgresql)" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql >/dev/null ||
    echo "PostgreSQL could not be installed: its tests are skipped" >&2
