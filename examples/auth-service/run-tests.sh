#!/bin/sh
# run-tests.sh [WORD...]: runs the tests whose file or name contains one of the words, or all of them.
# Each test is a function test_... in tests/*_test.sh and runs in a shell and a state folder of its own.
set -u
cd "$(dirname "$0")" || exit 2

umask 077
LC_ALL=C
export LC_ALL
unset AUTH_NOW

# Not named after this process: one that was killed may have left a folder of the same number.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/auth-service-tests.XXXXXX") || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# expect EXPECTED ACTUAL
expect() {
    [ "$1" = "$2" ] && return 0
    printf 'expected: %s\nactual:   %s\n' "$1" "$2"
    exit 1
}

# wanted TEXT WORD...
wanted() {
    text=$1
    shift
    [ $# -gt 0 ] || return 0
    for word in "$@"; do
        case $text in
            *"$word"*) return 0 ;;
        esac
    done
    return 1
}

started=$(date +%s)
passed=0
failed=0

for file in tests/*_test.sh; do
    part=${file#tests/}
    part=${part%_test.sh}
    for name in $(sed -n 's/^test_\([a-z0-9_]*\)() {$/\1/p' "$file"); do
        words=$(printf '%s' "$name" | tr _ ' ')
        wanted "$part: $words" "$@" || continue
        (
            set -e
            AUTH_STATE=$scratch/$part.$name
            AUTH_SECRET=test-secret
            AUTH_LIFETIME=300 AUTH_IDLE=1800 AUTH_MAX_FAILURES=5 AUTH_WINDOW=60
            export AUTH_STATE AUTH_SECRET AUTH_LIFETIME AUTH_IDLE AUTH_MAX_FAILURES AUTH_WINDOW
            . ./src/clock.sh
            . ./src/digest.sh
            . "./$file"
            "test_$name"
        ) >"$scratch/said" 2>&1
        code=$?
        if [ "$code" -eq 0 ]; then
            passed=$((passed + 1))
            printf 'ok   %s: %s\n' "$part" "$words"
        else
            failed=$((failed + 1))
            line=$(grep -n "^test_$name()" "$file")
            printf 'FAIL %s: %s (%s:%s)\n' "$part" "$words" "$file" "${line%%:*}"
            [ -s "$scratch/said" ] || echo "ended with code $code" >"$scratch/said"
            sed 's/^/       /' "$scratch/said"
        fi
    done
done

echo
echo "$passed passed, $failed failed in $(($(date +%s) - started)) s"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
