#!/bin/sh
# Installs ship: from a release archive, or from this checkout with cargo.
# `./install.sh --help` says how.
set -eu

usage() {
    cat <<'USAGE'
Installs ship into a folder of yours; needs no root.

  ./install.sh [--prefix DIR]                     builds this checkout with cargo
  ./install.sh [--prefix DIR] --from FILE-or-URL  takes a release archive (.tar.gz) or a binary
  ./install.sh [--prefix DIR] --uninstall         removes what it installed

  --prefix DIR            where to: DIR/bin/ship, and its completions and manual in DIR/share
                          (default: ~/.local)
  --from FILE-or-URL      a path, or a file://, https:// or http:// address
  --sha256 HEX            the checksum that it must have (default: the one in <archive>.sha256
                          beside it)
  --insecure-no-checksum  takes it without a checksum where there is none
  --uninstall             removes exactly the files that it installs
USAGE
}

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    shift
    for hint in "$@"; do
        printf '  %s\n' "$hint" >&2
    done
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

work=
staged=
clean_up() {
    [ -z "$work" ] || rm -rf -- "$work"
    [ -z "$staged" ] || rm -f -- "$staged"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The target triple of this machine; empty where cargo's own default is the right one.
target() {
    [ "$(uname -s)" = Linux ] || return 0
    case "$(uname -m)" in
        x86_64 | amd64) echo x86_64-unknown-linux-gnu ;;
        aarch64 | arm64) echo aarch64-unknown-linux-gnu ;;
        riscv64) echo riscv64gc-unknown-linux-gnu ;;
        *) return 0 ;;
    esac
}

# build: the binary of this checkout; its path in $binary.
build() {
    source=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
    [ -f "$source/Cargo.toml" ] || fail "there is no Cargo.toml beside $0 to build from" \
        "install a release archive: $0 --from FILE-or-URL"
    has cargo || fail "cargo is not installed, and it is needed to build ship" \
        "install Rust (https://rustup.rs), or a release archive: $0 --from FILE-or-URL"
    triple=$(target)
    output=${CARGO_TARGET_DIR:-$source/target}
    case "$output" in /*) ;; *) output=$source/$output ;; esac
    echo "building ship in $source (a few minutes the first time)" >&2
    if [ -n "$triple" ]; then
        # Static, so that the same file runs on any Linux host of this architecture. Without
        # --target the flag would reach the procedural macros, which cannot be static.
        (cd "$source" && CARGO_TARGET_DIR="$output" RUSTFLAGS="-C target-feature=+crt-static" \
            cargo build --profile dist --locked --bin ship --target "$triple") >&2 ||
            fail "the build failed; nothing was installed"
        binary=$output/$triple/dist/ship
    else
        (cd "$source" && CARGO_TARGET_DIR="$output" \
            cargo build --profile dist --locked --bin ship) >&2 ||
            fail "the build failed; nothing was installed"
        binary=$output/dist/ship
    fi
}

# get FROM TO: copies a file or downloads an address; fails when it cannot.
get() {
    case "$1" in
        http://* | https://*)
            if has curl; then
                curl --fail --silent --show-error --location --retry 2 --output "$2" -- "$1"
            elif has wget; then
                wget -q -O "$2" -- "$1"
            else
                fail "neither curl nor wget is installed; one is needed for $1"
            fi
            ;;
        file://*)
            # curl decodes the %20 of an address; without it, the address has to be plain.
            if has curl; then
                curl --fail --silent --show-error --output "$2" -- "$1"
            else
                cp -- "${1#file://}" "$2"
            fi
            ;;
        *) cp -- "$1" "$2" ;;
    esac
}

sha256() {
    if has sha256sum; then
        sha256sum <"$1"
    elif has shasum; then
        shasum -a 256 <"$1"
    elif has openssl; then
        openssl dgst -sha256 -r <"$1"
    else
        fail "no sha256sum, shasum or openssl is installed to verify the checksum with"
    fi
}

# verify FILE: against --sha256 or the file beside the archive.
verify() {
    expected=$sha256
    said=--sha256
    if [ -z "$expected" ] && get "$from.sha256" "$work/sha256" 2>/dev/null; then
        said=$from.sha256
        expected=$(cut -d ' ' -f 1 <"$work/sha256" | head -n 1)
        [ -n "$expected" ] || fail "$said holds no checksum; nothing was installed"
    fi
    if [ -z "$expected" ]; then
        [ -z "$insecure" ] || {
            echo "warning: $from was not verified: it has no checksum" >&2
            return 0
        }
        fail "there is no checksum to verify $from with; nothing was installed" \
            "expected it in $from.sha256; give it with --sha256 HEX," \
            "or take the file as it is with --insecure-no-checksum"
    fi
    expected=$(printf '%s' "$expected" | tr 'A-F' 'a-f')
    case "$expected" in
        *[!0-9a-f]*) fail "$said is not a SHA-256 checksum: $expected" ;;
    esac
    [ "${#expected}" -eq 64 ] || fail "$said is not a SHA-256 checksum: $expected"
    found=$(sha256 "$1") || exit 1
    found=${found%% *}
    [ "$found" = "$expected" ] || fail "the checksum of $from is wrong; nothing was installed" \
        "expected $expected ($said)" "found    $found"
}

# take: the binary of a release archive; its path in $binary.
take() {
    case "$from" in
        file:///* | http://* | https://*) ;;
        *://*) fail "cannot take $from: only file:///, http:// and https:// addresses" ;;
        /*) ;;
        *) from=./$from ;;
    esac
    get "$from" "$work/archive" || fail "cannot get $from; nothing was installed"
    verify "$work/archive"
    case "$from" in
        *.tar.gz | *.tgz)
            names=$(tar -tzf "$work/archive") ||
                fail "$from is not a whole .tar.gz archive; nothing was installed"
            member=$(printf '%s\n' "$names" | grep -E '^(\./)?([^/]+/)?ship$' | head -n 1) ||
                fail "there is no ship in $from; nothing was installed"
            case "$member" in
                ../*) fail "$from holds a path that leads out of it; nothing was installed" ;;
            esac
            mkdir "$work/unpacked"
            tar -xzf "$work/archive" -C "$work/unpacked" "$member" ||
                fail "cannot unpack $from; nothing was installed"
            binary=$work/unpacked/$member
            ;;
        *) binary=$work/archive ;;
    esac
    if [ ! -f "$binary" ] || [ -L "$binary" ]; then
        fail "ship in $from is not a file; nothing was installed"
    fi
}

# stage FILE TO MODE: puts a copy beside TO; its path in $staged.
stage() {
    mkdir -p -- "$(dirname -- "$2")" || fail "cannot make the folder of $2"
    [ ! -d "$2" ] || fail "$2 is a folder; remove it first"
    staged=$(mktemp "$(dirname -- "$2")/.ship.XXXXXX") ||
        fail "cannot write to $(dirname -- "$2")"
    cp -- "$1" "$staged" || fail "cannot write $staged"
    chmod "$3" "$staged" || fail "cannot write $staged"
}

# publish TO: what is staged takes its place in one step. A running binary is never written to: it
# keeps its old file until it ends.
publish() {
    mv -f -- "$staged" "$1" || fail "cannot write $1"
    staged=
    echo "installed $1"
}

# extra TO ARGUMENTS...: what `ship ARGUMENTS` prints, where this ship knows that command.
extra() {
    to=$1
    shift
    if "$prefix/bin/ship" "$@" </dev/null >"$work/extra" 2>/dev/null && [ -s "$work/extra" ]; then
        stage "$work/extra" "$to" 644
        publish "$to"
    fi
}

# pages: the manual's pages about each command.
pages() {
    "$prefix/bin/ship" man --dir "$work/man" </dev/null >/dev/null 2>&1 || return 0
    for page in "$work/man"/ship-*.1; do
        [ -f "$page" ] || continue
        stage "$page" "$share/man/man1/${page##*/}" 644
        publish "$share/man/man1/${page##*/}" >/dev/null
    done
    echo "installed $share/man/man1/ship-*.1"
}

# our_pages: the pages about each command that are in place; a page of another program that is named
# alike is not one.
our_pages() {
    for page in "$share"/man/man1/ship-*.1; do
        if [ -f "$page" ] && grep -q "A page of ship's manual" "$page"; then
            printf '%s\n' "$page"
        fi
    done
}

install() {
    work=$(mktemp -d)
    if [ -n "$from" ]; then take; else build; fi
    # Tried in its place before it replaces anything: an archive of another architecture does not
    # run here, and nothing may run in a temporary folder that is mounted noexec.
    stage "$binary" "$prefix/bin/ship" 755
    version=$("$staged" --version </dev/null 2>"$work/why") ||
        fail "this ship does not run on $(uname -sm); nothing was installed" "$(cat "$work/why")"
    publish "$prefix/bin/ship"
    extra "$bash_completion" completions bash
    extra "$zsh_completion" completions zsh
    extra "$fish_completion" completions fish
    extra "$manual" man
    pages
    echo "${version:-ship} is ready; to remove it: $0 --uninstall$(of_prefix)"
    case ":$PATH:" in
        *":$prefix/bin:"*) ;;
        *)
            echo "warning: $prefix/bin is not on PATH; add it in your shell's profile:" >&2
            echo "  export PATH=\"$prefix/bin:\$PATH\"" >&2
            ;;
    esac
}

of_prefix() {
    [ "$prefix" = "${HOME:-}/.local" ] || printf " --prefix '%s'" "$prefix"
}

uninstall() {
    removed=
    for file in "$prefix/bin/ship" "$bash_completion" "$zsh_completion" "$fish_completion" \
        "$manual"; do
        [ -e "$file" ] || [ -L "$file" ] || continue
        rm -f -- "$file" || fail "cannot remove $file"
        echo "removed $file"
        removed=yes
    done
    pages=$(our_pages)
    if [ -n "$pages" ]; then
        printf '%s\n' "$pages" | while IFS= read -r page; do
            rm -f -- "$page" || fail "cannot remove $page"
        done
        echo "removed $share/man/man1/ship-*.1"
        removed=yes
    fi
    [ -n "$removed" ] || echo "ship is not installed in $prefix"
}

prefix=
from=
sha256=
insecure=
action=install
while [ $# -gt 0 ]; do
    case "$1" in
        --prefix=* | --from=* | --sha256=*)
            option=${1%%=*}
            value=${1#*=}
            shift
            set -- "$option" "$value" "$@"
            continue
            ;;
        --prefix | --from | --sha256)
            [ -n "${2:-}" ] || fail "$1 needs a value" "see $0 --help"
            case "$1" in
                --prefix) prefix=$2 ;;
                --from) from=$2 ;;
                --sha256) sha256=$2 ;;
            esac
            shift
            ;;
        --insecure-no-checksum) insecure=yes ;;
        --uninstall) action=uninstall ;;
        -h | --help)
            usage
            exit 0
            ;;
        *) fail "unknown argument: $1" "see $0 --help" ;;
    esac
    shift
done
if [ -z "$prefix" ]; then
    [ -n "${HOME:-}" ] || fail "HOME is not set; say where to with --prefix DIR"
    prefix=$HOME/.local
fi
case "$prefix" in /*) ;; *) prefix=$PWD/$prefix ;; esac
[ "$prefix" = / ] || prefix=${prefix%/}
if [ -z "$from" ] && [ -n "$sha256$insecure" ]; then
    fail "--sha256 and --insecure-no-checksum belong to --from"
fi

share=$prefix/share
bash_completion=$share/bash-completion/completions/ship
zsh_completion=$share/zsh/site-functions/_ship
fish_completion=$share/fish/vendor_completions.d/ship.fish
manual=$share/man/man1/ship.1
"$action"
