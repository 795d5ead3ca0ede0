. ./src/session.sh

test_a_session_belongs_to_its_user() {
    owl=$(session_open owl)
    fox=$(session_open fox)
    expect owl "$(session_user "$owl")"
    expect fox "$(session_user "$fox")"
}

test_a_closed_session_is_gone() {
    id=$(session_open owl)
    session_close "$id"
    expect unknown "$(session_user "$id")"
}

test_an_idle_session_ends() {
    AUTH_IDLE=1
    id=$(session_open owl)
    sleep 1
    expect expired "$(session_user "$id")"
}

test_a_session_in_use_stays_alive() {
    AUTH_IDLE=10
    AUTH_NOW=1000
    id=$(session_open owl)
    for AUTH_NOW in 1009 1018 1027; do
        expect owl "$(session_user "$id")"
    done
}
