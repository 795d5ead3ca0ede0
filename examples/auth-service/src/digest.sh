# Digests and random names. Checksums, not cryptography: see the README.

command -v cksum >/dev/null || {
    echo 'cksum is needed, and not there' >&2
    exit 2
}

# digest TEXT: 24 hexadecimal digits
digest() (
    sum=
    for round in 1 2 3; do
        crc=$(printf '%s:%s:%s' "$round" "$sum" "$1" | cksum)
        sum=$sum$(printf '%08x' "${crc%% *}")
    done
    printf '%s\n' "$sum"
)

# random_hex BYTES
random_hex() {
    od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}
