# Passwords. What is stored is SALT:DIGEST.

# password_acceptable PASSWORD: true if it is long enough
password_acceptable() {
    [ "${#1}" -ge 8 ]
}

# password_hash PASSWORD [SALT]
password_hash() (
    salt=${2:-$(random_hex 4)}
    key=$(printf '%.8s' "$1")
    printf '%s:%s\n' "$salt" "$(digest "$salt:$key")"
)

# password_matches PASSWORD HASH
password_matches() {
    [ "$(password_hash "$1" "${2%%:*}")" = "$2" ]
}
