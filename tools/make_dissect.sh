#!/bin/sh
# Puts dissect, which Hinomi runs as a program of its own (`--dissect`), where the tests look for it: an environment
# apart, never Hinomi's. Where it cannot be had, the tests that need it are skipped, each with its reason.
set -eu
cd "$(dirname "$0")/.."
venv=.venv-dissect
[ -f "$venv/.ready" ] && exit 0
sh tools/make_venv.sh "$venv" &&
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
        dissect.target==3.25.1 dissect.apfs==1.1 dissect.cramfs==1.1 dissect.extfs==3.15 dissect.fat==3.13 \
        dissect.fve==4.6 dissect.vmfs==3.13 pycryptodome &&
    touch "$venv/.ready" ||
    echo "dissect could not be installed: its tests are skipped" >&2
