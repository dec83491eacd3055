#!/bin/sh
# Builds Parvis's wheel from this checkout, with its catalogues compiled, by tools pinned by their hashes.
#   deploy/build-wheel.sh FOLDER     the wheel is written there; PYTHON= another Python (3.11 or later)
#   WHEELS=FOLDER                    take the tools from this folder instead of the network
set -eu

folder=${1:?usage: deploy/build-wheel.sh FOLDER}
python=${PYTHON:-python3}
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

"$python" -m venv "$work/venv"
set -- --quiet --disable-pip-version-check --require-hashes -r "$root/requirements/build.lock"
if [ -n "${WHEELS:-}" ]; then
    set -- --no-index --find-links "$WHEELS" "$@"
fi
"$work/venv/bin/python" -m pip install "$@"

# What git does not keep, and a copy of what it does: the checkout may be read-only, and is left as it was.
mkdir "$work/src"
(cd "$root" && tar -cf - --exclude=__pycache__ --exclude='*.mo' \
    pyproject.toml README.md LICENSE wsgi.py portal auth services admin translations migrations) |
    tar -xf - -C "$work/src"
for catalogue in "$work"/src/translations/*/LC_MESSAGES/messages.po; do
    "$work/venv/bin/pybabel" --quiet compile --input-file "$catalogue" --output-file "${catalogue%.po}.mo"
done
(cd "$work/src" && "$work/venv/bin/python" -m hatchling build --target wheel --directory "$folder") >/dev/null 2>"$work/log" || {
    cat "$work/log" >&2
    exit 1
}

wheel=$(find "$folder" -maxdepth 1 -name 'parvis-*.whl' | sort | tail -n 1)
"$work/venv/bin/python" - "$wheel" <<'PYTHON'
import sys
import zipfile

names = set(zipfile.ZipFile(sys.argv[1]).namelist())
needed = {"wsgi.py", "migrations/env.py", *(f"translations/{each}/LC_MESSAGES/messages.mo" for each in ("ar", "en", "es", "fr"))}
if needed - names:
    sys.exit(f"The wheel lacks {', '.join(sorted(needed - names))}.")
PYTHON
echo "$wheel"
