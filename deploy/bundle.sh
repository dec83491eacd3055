#!/bin/sh
# Makes the bundle that a closed network installs from: every locked dependency by its hash, Parvis's own wheel, what
# installs them, the list of what it holds (SBOM), and the checksums of it all.
#   deploy/bundle.sh [FOLDER]        writes parvis-VERSION-PYTHON-MACHINE.tar.gz there (default: dist)
# Run it where there is a network, with the same Python (PYTHON=) and the same kind of machine as where it will be used.
set -eu
umask 022

folder=${1:-dist}
python=${PYTHON:-python3}
root=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/pyproject.toml")
kind=$("$python" -c 'import platform, sys; print(f"cp{sys.version_info[0]}{sys.version_info[1]}-{platform.machine()}")')
name=parvis-$version-$kind
bundle=$work/$name
mkdir -p "$bundle/wheels" "$bundle/requirements"

"$python" -m venv "$work/venv"
echo "Fetching the locked dependencies…"
for lock in runtime redis otlp; do
    cp "$root/requirements/$lock.lock" "$bundle/requirements/"
    "$work/venv/bin/python" -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        --no-deps --dest "$bundle/wheels" -r "$root/requirements/$lock.lock"
done
echo "Building the wheel…"
PYTHON=$python "$root/deploy/build-wheel.sh" "$bundle/wheels" >/dev/null

for each in deploy docs CHANGELOG.md LICENSE README.md SECURITY.md; do
    cp -R "$root/$each" "$bundle/"
done
"$python" "$root/tools/sbom.py" --wheels "$bundle/wheels" >"$bundle/sbom.cdx.json"
(cd "$bundle" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$work/SHA256SUMS"
mv "$work/SHA256SUMS" "$bundle/SHA256SUMS"
# The same content makes the same archive, whoever makes it.
tar -C "$work" --sort=name --mode=u=rwX,go=rX --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - "$name" | gzip -n >"$folder/$name.tar.gz"
(cd "$folder" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
echo "$folder/$name.tar.gz"
