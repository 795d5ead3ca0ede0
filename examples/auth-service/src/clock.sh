# Time, in whole seconds. AUTH_NOW stops the clock, for tests.

now() {
    if [ -n "${AUTH_NOW:-}" ]; then
        printf '%s\n' "$AUTH_NOW"
    else
        date +%s
    fi
}
