#!/usr/bin/env bash
# The rsync script that ship is measured against: hard-linked releases, an atomic
# switch, one multiplexed connection per host, all hosts side by side.
#
#   rsync-deploy.sh deploy   FILE...    from the folder that holds the files
#   rsync-deploy.sh rollback
#
# HOSTS        destinations for ssh, separated by spaces
# ROOT         the app's folder on the hosts
# SERVICE      the systemd unit; sudo may restart it
# HEALTH       the URL that must answer with 2xx, asked on the host
# COMPRESS=1   rsync -z
# SSH_CONFIG   an ssh_config(5) other than the user's own
set -euo pipefail

action=$1
shift
keep=5

sockets=${XDG_RUNTIME_DIR:-$HOME/.ssh}
ssh=(ssh -o ControlMaster=auto -o ControlPersist=60 -o "ControlPath=$sockets/%C")
[ -z "${SSH_CONFIG:-}" ] || ssh+=(-F "$SSH_CONFIG")

release=$(date -u +%Y%m%d%H%M%S%N)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Runs a function for each host, side by side; fails when it fails for one.
each_host() {
    local host failed=0
    local -A jobs=()
    for host in $HOSTS; do
        "$1" "$host" &> "$work/$host" &
        jobs[$host]=$!
    done
    for host in $HOSTS; do
        wait "${jobs[$host]}" || { failed=1; echo "$host: $1 failed" >&2; cat "$work/$host" >&2; }
    done
    return "$failed"
}

# Sends the files; what the live release has already is linked on the host.
upload() {
    rsync -a --delete ${COMPRESS:+-z} -e "${ssh[*]}" \
        --link-dest=../../current/ -- "${files[@]}" "$1:$ROOT/releases/$release/"
}

# What the host does on its side, in one go: switch, restart, wait for a good answer, and
# switch back when none comes. $target is the release to switch to.
switch='
flip() { ln -s "$1" "$ROOT/$2.new.$$" && mv -T "$ROOT/$2.new.$$" "$ROOT/$2"; }
healthy() {
    local tries=600
    until curl -fsS -o /dev/null --max-time 5 "$HEALTH" 2> /dev/null; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || return 1
        sleep 0.05
    done
}
before=$(readlink "$ROOT/current" || true)
flip "$target" current
sudo -n systemctl restart "$SERVICE"
if ! healthy; then
    echo "$target is not healthy; going back to ${before:-nothing}" >&2
    [ -z "$before" ] || { flip "$before" current; sudo -n systemctl restart "$SERVICE"; }
    exit 1
fi
'

# Variables of the script on the host.
settings() { printf 'set -euo pipefail; ROOT=%q SERVICE=%q HEALTH=%q keep=%q\n' "$ROOT" "$SERVICE" "$HEALTH" "$keep"; }

activate() {
    "${ssh[@]}" "$1" bash -s <<END
$(settings)
target=releases/$release
$switch
[ -z "\$before" ] || flip "\$before" previous
cd "\$ROOT/releases"
ls -1 | sort -r | tail -n +\$((keep + 1)) | grep -vxF "\${before#releases/}" | setsid xargs -r rm -rf &> /dev/null &
END
}

go_back() {
    "${ssh[@]}" "$1" bash -s <<END
$(settings)
target=\$(readlink "\$ROOT/previous")
$switch
END
}

case $action in
    deploy)
        files=("$@")
        each_host upload
        each_host activate
        ;;
    rollback) each_host go_back ;;
    *)
        echo "unknown action: $action" >&2
        exit 2
        ;;
esac
