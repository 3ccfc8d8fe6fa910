#!/bin/sh
# Sets up .venv for `make`: system packages where it may, Python packages from the one lock, backbones, stubs, translations.
# Usage: [EXTRAS=train,dev,genicam] setup.sh [PACKAGE-LIST…]; the lists name the system packages that are wanted.
# While a step works it shows its progress: one moving line on a terminal, else a line every 15 seconds. What a step
# prints goes to .setup/STEP.log; its last lines are shown when it fails.
set -eu
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
logs=.setup
every=15
running=
[ $# -gt 0 ] || set -- deploy/system-packages.txt
mkdir -p "$logs"

say() {
    printf 'set-up: %s\n' "$*"
}

elapsed() { # seconds → m:ss
    printf '%d:%02d' $(($1 / 60)) $(($1 % 60))
}

stop() {
    trap - INT TERM
    [ -z "$running" ] || kill "$running" 2>/dev/null || :
    exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM

# What a successful pip may say without a reason to worry.
harmless='^WARNING: (Location .* is ignored|Running pip as the .root. user|The directory .* cache|Cache entry|There was an error checking the latest version|Skipping .* due to invalid metadata)|^\[notice\]|^$'

pip_progress() {
    ready=$(find .venv -maxdepth 5 -name '*.dist-info' 2>/dev/null | wc -l)
    if planned=$(grep '^Installing collected packages:' "$1" | tail -n 1) && [ -n "$planned" ]; then
        echo "unpacking package $((ready)) of about $(($(echo "$planned" | wc -w) - 3 + before))"
        return
    fi
    found=$(grep -c -E '^ *Collecting ' "$1" || :)
    latest=$(sed -n -E 's/^ *(Downloading|Using cached) (.*\/)?([A-Za-z0-9_.]+-[^- ]+)[^ ]* (\([0-9.]+ [kMG]?B\)).*/\3 \4/p; s/^ *Collecting ([^ (;]+).*/\1/p' "$1" | tail -n 1)
    if [ "$found" -gt 0 ]; then
        echo "downloading package $found: $latest"
    else
        echo "comparing with constraints.txt"
    fi
}

plain_progress() {
    echo "working"
}

# step NAME PROGRESS TITLE COMMAND…: runs a command and shows that it goes on; ends the set-up when it fails.
step() {
    name=$1 progress=$2 title=$3
    shift 3
    log=$logs/$name.log
    began=$(date +%s)
    say "$title"
    "$@" >"$log" 2>&1 </dev/null &
    running=$!
    shown=0
    while kill -0 "$running" 2>/dev/null; do
        sleep 1
        seconds=$(($(date +%s) - began))
        if [ -t 1 ]; then
            printf '\r\033[K  %s  %s' "$(elapsed "$seconds")" "$("$progress" "$log" | cut -c 1-70)"
        elif [ $((seconds - shown)) -ge "$every" ]; then
            shown=$seconds
            printf '  %s  %s\n' "$(elapsed "$seconds")" "$("$progress" "$log")"
        fi
    done
    [ ! -t 1 ] || printf '\r\033[K'
    status=0
    wait "$running" || status=$?
    running=
    seconds=$(($(date +%s) - began))
    if [ "$status" -ne 0 ]; then
        {
            say "FAILED after $(elapsed "$seconds"): $title"
            grep -v -E "$harmless" "$log" | tail -n 20
            say "the whole output is in $log"
        } >&2
        exit "$status"
    fi
    # A package that does not fit the others and the like, once each.
    grep -E '^(WARNING|ERROR|warning|error)' "$log" | grep -v -E "$harmless" | sort -u >&2 || :
    printf '  %s  done\n' "$(elapsed "$seconds")"
}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    say "ImageFlow needs Python 3.11 or newer as '$python'. Install it, or name it: make PYTHON=python3.12 setup" >&2
    exit 1
fi

install_system_packages() {
    $as_root apt-get update -qq
    # shellcheck disable=SC2086  # the list is meant to split into words
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}

apt_progress() {
    unpacked=$(grep -c '^Unpacking ' "$1" || :)
    configured=$(grep -c '^Setting up ' "$1" || :)
    echo "unpacked $unpacked, configured $configured"
}

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
            say "system packages are missing. Run this line, then the same make command again:" >&2
            echo "    sudo apt-get update && sudo apt-get install -y --no-install-recommends$missing" >&2
            exit 1
        fi
        step system apt_progress "installing system packages:$missing" install_system_packages
    fi
else
    say "not a Debian system; if Qt does not start, install what deploy/system-packages.txt names." >&2
fi

[ -x .venv/bin/python ] || step venv plain_progress "making .venv" "$python" -m venv .venv
title="checking that the Python packages are up to date"
[ -x .venv/bin/imageflow ] || title="installing Python packages into .venv, about 2.3 GB on disk"
before=$(find .venv -maxdepth 5 -name '*.dist-info' 2>/dev/null | wc -l)
step pip pip_progress "$title" .venv/bin/python -m pip install --disable-pip-version-check --no-input --no-color \
    --progress-bar off --constraint constraints.txt --editable ".[${EXTRAS:-train,dev}]"

for backbone in efficientnet-lite2 efficientnet-lite0; do
    step "backbone-$backbone" plain_progress "converting the backbone $backbone" \
        .venv/bin/python -m inspection.anomaly.backbone.conversion "$backbone"
done
step protos plain_progress "generating the stubs of the protos" .venv/bin/python -m server.grpc.generation
step translations plain_progress "compiling the translations" .venv/bin/python -m app.window.look.language
