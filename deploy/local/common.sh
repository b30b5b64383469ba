# Sourced by kafka.sh and redis.sh: processes that are told by a pid file.

# A stopped process may stay as a zombie until somebody reaps it: that is gone, too.
gone() {
    ! kill -0 "$1" 2>/dev/null || grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

running() { # PIDFILE
    [ -s "$1" ] && ! gone "$(cat "$1")"
}

# stop_by PIDFILE SECONDS: asks, waits, then insists.
stop_by() {
    running "$1" || { rm -f "$1"; return 0; }
    pid=$(cat "$1")
    kill "$pid" 2>/dev/null || true
    tries=$(($2 * 20))
    while ! gone "$pid" && [ "$tries" -gt 0 ]; do
        sleep 0.05
        tries=$((tries - 1))
    done
    gone "$pid" || kill -9 "$pid" 2>/dev/null || true
    rm -f "$1"
}

die() {
    echo "$0: $*" >&2
    exit 1
}
