# The program as a whole. What it prints is compared together with what it complains about.

auth() {
    word=$1
    shift
    printf '%s\n' "$word" | ./auth "$@" 2>&1 || :
}

test_a_login_leads_to_a_token() {
    auth 'open sesame' register owl
    session=$(auth 'open sesame' login owl)
    token=$(auth '' token "$session")
    expect owl "$(auth '' whoami "$token")"
    auth '' logout "$session"
    expect 'auth: session: unknown' "$(auth '' token "$session")"
}

test_a_wrong_name_and_a_wrong_password_look_alike() {
    auth 'open sesame' register owl
    expect 'auth: wrong name or password' "$(auth 'shut sesame' login owl)"
    expect 'auth: wrong name or password' "$(auth 'open sesame' login fox)"
}
