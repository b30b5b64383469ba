#!/usr/bin/env bash
# demo.sh -- a company that plays in: the funnel, live in the terminal. Called by ./paceline-up demo.
#
#   --once              plays a bounded company as lived, prints its final funnel, compares it with its known answers
#   --kafka             on a real Kafka and Redis started here on private ports, instead of the embedded mode
#   --bootstrap B       on an existing Kafka (needs --redis)
#   --redis ADDRESS     HOST:PORT or socket path of an existing Redis
#   --stop              stops what an earlier demo left running
#
# Everything is below $PACELINE_STATE/demo; Ctrl-C stops everything that was started here, and nothing else.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${PACELINE_STATE:?start me through ./paceline-up demo}" "${PACELINE_BIN:?}"
paceline=$PACELINE_BIN/paceline
demo=$PACELINE_STATE/demo
once='' kafka='' bootstrap='' redis='' stop=''
seed=${PACELINE_DEMO_SEED:-7}
leads=${PACELINE_DEMO_LEADS:-400}
tenant=demo

usage() { sed -n '2,9p' "$0" | sed 's/^# \{0,1\}//'; }
say() { printf 'demo: %s\n' "$*" >&2; }

while [ $# -gt 0 ]; do
    case $1 in
    --once) once=1 ;;
    --kafka) kafka=1 ;;
    --bootstrap) shift; bootstrap=${1:?--bootstrap HOST:PORT} ;;
    --redis) shift; redis=${1:?--redis ADDRESS} ;;
    --stop) stop=1 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done
[ -z "$bootstrap" ] || [ -n "$redis" ] || { say "--bootstrap needs --redis"; exit 2; }

# Sockets have short paths (107 bytes), checkouts may not: sockets and data of a run live where there is room.
run=$demo
if [ ${#demo} -gt 70 ]; then run=/tmp/paceline-demo-$(id -u)-$(printf '%s' "$demo" | cksum | cut -d' ' -f1); fi
mkdir -p "$demo" "$run"

export KAFKA_DIR=$run/kafka REDIS_DIR=$run/redis KAFKA_JARS=$PACELINE_STATE/kafka-jars KAFKA_PORT=${KAFKA_PORT:-29092}
service=''
player=''

gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }

end_process() { # end_process PID: TERM, a deadline, then KILL
    kill "$1" 2>/dev/null || return 0
    for _ in $(seq 200); do
        if gone "$1"; then return 0; fi
        read -r -t 0.05 <> <(:) || :
    done
    kill -9 "$1" 2>/dev/null || :
}

end_recorded() { # end_recorded FILE: ends the process an earlier demo wrote down, if it is still that program
    local pid
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    if [ "$(readlink "/proc/$pid/exe" 2>/dev/null)" = "$paceline" ]; then end_process "$pid"; fi
    rm -f "$1"
}

stop_all() {
    trap - EXIT INT TERM
    if [ -n "$player" ]; then end_process "$player"; fi
    if [ -n "$service" ]; then end_process "$service"; fi
    rm -f "$run/service.pid"
    if [ -n "$kafka" ]; then
        "$here/kafka.sh" stop || :
        "$here/redis.sh" stop || :
    fi
}

if [ -n "$stop" ]; then
    end_recorded "$run/service.pid"
    "$here/kafka.sh" stop
    "$here/redis.sh" stop
    exit 0
fi
trap stop_all EXIT
trap 'exit 130' INT TERM
end_recorded "$run/service.pid"

# ---- where it runs ------------------------------------------------------------------------------------------------
data=$run/data
where=(--dir "$data")
if [ -n "$kafka" ]; then
    say "starting a private Kafka on 127.0.0.1:$KAFKA_PORT and a private Redis"
    "$here/kafka.sh" get
    "$here/kafka.sh" start
    "$here/redis.sh" start
    bootstrap=127.0.0.1:$KAFKA_PORT redis=$REDIS_DIR/redis.sock
fi
if [ -n "$bootstrap" ]; then
    # Topics of their own for each run: a demo leaves nothing among yours but topics that begin with its prefix.
    where=(--dir "$data" --kafka "$bootstrap" --redis "$redis" --prefix "demo-$(date +%s)-$$.")
    export PACELINE_SHARDS=${PACELINE_SHARDS:-2}
fi
rm -rf "$data"
mkdir -p "$data"

# In a session of its own: Ctrl-C is for this script, which ends what it started in order.
setsid "$paceline" run "${where[@]}" >"$demo/run.log" 2>&1 &
service=$!
echo "$service" >"$run/service.pid"
for _ in $(seq 600); do
    if grep -q 'paceline is running' "$demo/run.log"; then break; fi
    if gone "$service"; then
        tail -n 20 "$demo/run.log" >&2
        exit 70
    fi
    read -r -t 0.05 <> <(:) || :
done

# ---- what plays ---------------------------------------------------------------------------------------------------
company=$demo/company
rm -rf "$company"
# A live demo goes on where the history ends: today.
from=2026-01-05
if [ -z "$once" ]; then from=$(date -d '-90 days' +%F); fi
"$paceline" gen --out "$company" --seed "$seed" --leads "$leads" --reps 24 --from "$from" --tenant "$tenant" --quiet
"$paceline" plan apply "$company/plan.yaml" "${where[@]}" >"$demo/plan.log"
if [ -n "$once" ]; then
    "$paceline" import "$company/events.ndjson" --tenant "$tenant" --as-lived "${where[@]}" || [ $? = 1 ]
    "$paceline" wait --tenant "$tenant" "${where[@]}"
    "$paceline" show funnel --tenant "$tenant" --window total "${where[@]}"
    "$paceline" check answers "$company/answers.json" "${where[@]}"
    exit 0
fi
"$paceline" import "$company/events.ndjson" --tenant "$tenant" --as-lived --then-live "${where[@]}" >"$demo/import.log" 2>&1 || [ $? = 1 ]
"$paceline" wait --tenant "$tenant" "${where[@]}"
setsid "$paceline" gen --play --seed "$((seed + 1))" --leads $((leads * 20)) --reps 24 --tenant "$tenant" --rate 20 --quiet "${where[@]}" >"$demo/play.log" 2>&1 &
player=$!
say "playing in 20 events a second; Ctrl-C ends the demo"
# A picture a second on a terminal, else one every ten seconds.
if [ -t 1 ]; then clear=$'\033[H\033[J' pause=1; else clear='' pause=10; fi
while ! gone "$service"; do
    picture=$("$paceline" show funnel --tenant "$tenant" --window r30d "${where[@]}" 2>&1) || :
    printf '%s%s\n' "$clear" "$picture"
    read -r -t "$pause" <> <(:) || :
done
if gone "$player" && [ -s "$demo/play.log" ]; then tail -n 3 "$demo/play.log" >&2; fi
tail -n 20 "$demo/run.log" >&2
exit 70
