# Sessions: a file for each, with its user and when it was last used. They end AUTH_IDLE seconds after that.

# session_open USER: prints the session's id
session_open() (
    id=$(random_hex 8)
    mkdir -p "$AUTH_STATE/sessions"
    printf '%s %s\n' "$1" "$(now)" >"$AUTH_STATE/sessions/$id"
    printf '%s\n' "$id"
)

# session_user ID: prints the user and keeps the session alive, or says what is wrong and fails
session_user() (
    case $1 in
        '' | *[!0-9a-f]*) echo unknown; exit 1 ;;
    esac
    file=$AUTH_STATE/sessions/$1
    if [ ! -f "$file" ]; then
        echo unknown
        exit 1
    fi
    read -r user used <"$file"
    time=$(now)
    if [ "$time" -ge $((used + AUTH_IDLE)) ]; then
        rm -f "$file"
        echo expired
        exit 1
    fi
    printf '%s %s\n' "$user" "$time" >"$file"
    printf '%s\n' "$user"
)

# session_close ID
session_close() {
    case $1 in
        '' | *[!0-9a-f]*) return 1 ;;
    esac
    rm -f "$AUTH_STATE/sessions/$1"
}
