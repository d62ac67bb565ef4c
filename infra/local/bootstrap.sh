#!/bin/sh
# Makes .venv with everything in it, and the file named by $1 as the sign that it is complete.
# PYTHON=… chooses the interpreter; else the newest one found is taken.
set -eu

refuse() {
    echo "$1" >&2
    exit 2
}

find_python() {
    for name in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

python=$(find_python)
[ -n "$python" ] || refuse "Carillon needs Python 3.11 or newer: install it, or name it with PYTHON=…."
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
    refuse "$python lacks the venv module: install it (Debian and Ubuntu: apt-get install python3-venv)."

if ! .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    rm -rf .venv
    "$python" -m venv .venv
fi
rm -f .venv/.ready-*
echo "Installing into .venv (once) …"
.venv/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -r tests/requirements.txt ||
    refuse "The packages could not be installed: see above."
touch "$1"
