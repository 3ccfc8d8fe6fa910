#!/bin/sh
# Sets up .venv for `make`: system packages where it may, Python packages from the one lock, the backbone, translations.
# Usage: [EXTRAS=train,dev,genicam] setup.sh [PACKAGE-LIST…]; the lists name the system packages that are wanted.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
[ $# -gt 0 ] || set -- deploy/system-packages.txt

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "set-up: ImageFlow needs Python 3.11 or newer as '$python'. Install it, or name it: make PYTHON=python3.12 setup" >&2
    exit 1
fi

if command -v dpkg-query >/dev/null 2>&1; then
    missing=
    for package in $(awk '!/^#/ && NF {print $1}' "$@"); do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
        # Newer releases carry the same library under a name that ends in t64.
        dpkg-query -W -f='${Status}' "${package}t64" 2>/dev/null | grep -q 'ok installed' && continue
        missing="$missing $package"
    done
    if [ -n "$missing" ]; then
        if [ "$(id -u)" = 0 ]; then
            as_root=
        elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
            as_root=sudo
        else
            echo "set-up: system packages are missing. Run this line, then the same make command again:" >&2
            echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
            exit 1
        fi
        echo "set-up: installing system packages:$missing"
        $as_root apt-get update -qq
        # shellcheck disable=SC2086  # the list is meant to split into words
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
    fi
else
    echo "set-up: not a Debian system; if Qt does not start, install what deploy/system-packages.txt names." >&2
fi

[ -x .venv/bin/python ] || "$python" -m venv .venv
if [ -x .venv/bin/imageflow ]; then
    echo "set-up: looking whether the Python packages are up to date"
else
    echo "set-up: installing Python packages into .venv, some 2.3 GB on disk: this takes minutes, and nothing is shown meanwhile"
fi
.venv/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[${EXTRAS:-train,dev}]"
echo "set-up: preparing the backbones"
for backbone in efficientnet-lite2 efficientnet-lite0; do
    .venv/bin/python -m inspection.anomaly.backbone.conversion "$backbone"
done
echo "set-up: preparing the translations"
.venv/bin/python -m app.window.look.language
