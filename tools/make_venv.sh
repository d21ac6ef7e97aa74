#!/bin/sh
# Makes a virtual environment with pip at "$1", also on a Debian whose python3 came without its venv package.
set -eu
python=${PYTHON:-python3}
venv=$1
[ -x "$venv/bin/python" ] && "$venv/bin/python" -m pip --version >/dev/null 2>&1 && exit 0
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Hinomi needs Python 3.11 or newer; PYTHON=/path/to/python3.12 make chooses another." >&2
    exit 1
}
"$python" -m venv "$venv" 2>/dev/null && exit 0
rm -rf "$venv"
echo "python3-venv is missing: installing it with apt-get" >&2
as_root=""
[ "$(id -u)" = 0 ] || as_root=sudo
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -qq && $as_root apt-get install -y -qq python3-venv >/dev/null || {
    echo "Could not install it. Run: apt-get install python3-venv" >&2
    exit 1
}
"$python" -m venv "$venv"
