. ./src/ratelimit.sh

# record USER OUTCOME TIMES
record() {
    left=$3
    while [ "$left" -gt 0 ]; do
        ratelimit_record "$1" "$2"
        left=$((left - 1))
    done
}

test_the_fifth_failure_locks_the_account() {
    record owl failure 4
    expect open "$(ratelimit_state owl)"
    record owl failure 1
    expect locked "$(ratelimit_state owl)"
}

test_successful_logins_lock_nobody_out() {
    record owl success 20
    record owl failure 1
    expect open "$(ratelimit_state owl)"
}

test_accounts_are_counted_one_by_one() {
    record owl failure 5
    expect open "$(ratelimit_state fox)"
}

test_a_lockout_ends_with_its_window() {
    AUTH_WINDOW=1
    record owl failure 5
    sleep 1
    expect open "$(ratelimit_state owl)"
}
