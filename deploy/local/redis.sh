#!/bin/sh
# A private Redis on a unix socket (and on TCP, if REDIS_PORT is given). For tests and for trying paceline with --redis.
#
#   redis.sh start | stop | kill | freeze | thaw | status | wipe
#
# Environment: REDIS_DIR (default ~/.cache/paceline/redis), REDIS_SOCKET (default REDIS_DIR/redis.sock, at most 107 bytes),
# REDIS_PORT (0: none), REDIS_SYNC (everysec, always, no), REDIS_OPTIONS (more arguments of redis-server).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"

dir=${REDIS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/paceline/redis}
socket=${REDIS_SOCKET:-$dir/redis.sock}
sync=${REDIS_SYNC:-everysec}
pidfile=$dir/pid

# LOADING answers an error until the append-only file is read, so PONG means ready.
answers() { [ "$(redis-cli -s "$socket" PING 2>/dev/null)" = PONG ]; }

start() {
    mkdir -p "$dir"
    [ "${#socket}" -le 107 ] || die "the socket's path is longer than 107 bytes: $socket"
    answers && return 0
    command -v redis-server >/dev/null || die "redis-server is missing: apt-get install redis-server"
    append=yes
    [ "$sync" = no ] && append=no && sync=everysec
    # shellcheck disable=SC2086
    redis-server --port "${REDIS_PORT:-0}" --bind 127.0.0.1 --unixsocket "$socket" --unixsocketperm 700 --dir "$dir" \
        --save "" --appendonly "$append" --appendfsync "$sync" --maxmemory-policy noeviction \
        --daemonize yes --pidfile "$pidfile" --logfile "$dir/redis.log" ${REDIS_OPTIONS:-} >/dev/null
    tries=2000
    until answers; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || { tail -n 5 "$dir/redis.log" >&2; die "Redis does not answer"; }
        sleep 0.01
    done
}

case ${1:-} in
start) start ;;
stop) stop_by "$pidfile" 10 ;;
kill)
    running "$pidfile" && kill -9 "$(cat "$pidfile")"
    rm -f "$pidfile" ;;
freeze) running "$pidfile" && kill -STOP "$(cat "$pidfile")" ;;
thaw) running "$pidfile" && kill -CONT "$(cat "$pidfile")" ;;
status)
    answers || { echo down; exit 3; }
    echo "up, $socket, pid $(cat "$pidfile")" ;;
wipe)
    answers && die "stop it first"
    rm -rf "$dir/appendonlydir" "$dir/dump.rdb" ;;
*)
    sed -n '2,8p' "$0"
    exit 2 ;;
esac
