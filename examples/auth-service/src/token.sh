# Tokens: USER.EXPIRES.SIGNATURE, valid until the second EXPIRES begins.

token_sign() {
    digest "$AUTH_SECRET:$1"
}

# token_issue USER LIFETIME
token_issue() (
    payload=$1.$(($(now) + $2))
    printf '%s.%s\n' "$payload" "$(token_sign "$payload")"
)

# token_check TOKEN: prints the user, or says what is wrong and fails
token_check() (
    case $1 in
        ?*.?*.?*) ;;
        *) echo malformed; exit 1 ;;
    esac
    payload=${1%.*}
    if [ "${1##*.}" != "$(token_sign "$payload")" ]; then
        echo forged
        exit 1
    fi
    expires=${payload##*.}
    if [ "$(now)" -gt "$expires" ]; then
        echo expired
        exit 1
    fi
    printf '%s\n' "${payload%.*}"
)
