# Lockout: AUTH_MAX_FAILURES failed logins within AUTH_WINDOW seconds lock an account until they are older than that.

# ratelimit_record USER success|failure
ratelimit_record() (
    mkdir -p "$AUTH_STATE/attempts"
    printf '%s %s\n' "$(now)" "$2" >>"$AUTH_STATE/attempts/$1"
)

# ratelimit_state USER: prints "open" or "locked"
ratelimit_state() (
    file=$AUTH_STATE/attempts/$1
    count=0
    if [ -f "$file" ]; then
        since=$(($(now) - AUTH_WINDOW))
        count=$(awk -v since="$since" '$1 > since { n++ } END { print n + 0 }' "$file")
    fi
    if [ "$count" -ge "$AUTH_MAX_FAILURES" ]; then
        echo locked
    else
        echo open
    fi
)
