. ./src/password.sh

matches() {
    if password_matches "$1" "$2"; then echo accepted; else echo refused; fi
}

test_the_right_password_is_accepted() {
    expect accepted "$(matches 'open sesame' "$(password_hash 'open sesame')")"
}

test_a_wrong_password_is_refused() {
    expect refused "$(matches 'shut sesame' "$(password_hash 'open sesame')")"
}

test_long_passwords_with_the_same_beginning_are_told_apart() {
    hash=$(password_hash 'correct horse battery')
    expect refused "$(matches 'correct horse staple' "$hash")"
}

test_the_same_password_is_stored_differently_each_time() {
    first=$(password_hash 'open sesame')
    second=$(password_hash 'open sesame')
    [ "$first" != "$second" ] || expect 'another salt' "$second"
}
