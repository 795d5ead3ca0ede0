. ./src/token.sh

test_a_fresh_token_names_its_user() {
    expect owl "$(token_check "$(token_issue owl 300)")"
}

test_a_token_is_valid_in_its_last_second() {
    AUTH_NOW=1000
    token=$(token_issue owl 60)
    AUTH_NOW=1059
    expect owl "$(token_check "$token")"
}

test_a_token_is_refused_from_the_second_it_expires() {
    AUTH_NOW=1000
    token=$(token_issue owl 60)
    AUTH_NOW=1060
    expect expired "$(token_check "$token")"
}

test_a_token_expires_on_the_real_clock() {
    token=$(token_issue owl 1)
    sleep 2
    expect expired "$(token_check "$token")"
}

test_a_token_with_another_user_or_expiry_is_forged() {
    token=$(token_issue owl 300)
    expect forged "$(token_check "fox.${token#*.}")"
    expect forged "$(token_check "owl.9999999999.${token##*.}")"
}

test_what_is_no_token_is_malformed() {
    for text in '' owl owl.1000 ..; do
        expect malformed "$(token_check "$text")"
    done
}
