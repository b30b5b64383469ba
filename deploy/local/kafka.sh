#!/bin/sh
# A private Kafka broker on this machine (KRaft, one node), from the jars of Maven Central. For tests and for trying
# paceline with --kafka; not for production.
#
#   kafka.sh get       fetch the jars, once (needs mvn)
#   kafka.sh start     format if new, start, wait until the broker answers
#   kafka.sh stop | kill | freeze | thaw | status | wipe
#
# Environment: KAFKA_DIR (data, logs; default ~/.cache/paceline/kafka), KAFKA_JARS (default ~/.cache/paceline/kafka-VERSION),
# KAFKA_VERSION (3.9.2), KAFKA_PORT (19092; the controller takes the next one), KAFKA_OPTIONS (more server.properties
# lines; the last one of a name wins), KAFKA_HEAP.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/paceline
version=${KAFKA_VERSION:-3.9.2}
jars=${KAFKA_JARS:-$cache/kafka-$version}
dir=${KAFKA_DIR:-$cache/kafka}
port=${KAFKA_PORT:-19092}
controller=$((port + 1))
pidfile=$dir/pid
archive=$jars/classes.jsa # shared class data: halves the start; written at the first stop

answers() {
    kcat -b "127.0.0.1:$port" -X reconnect.backoff.ms=20 -L -m 1 2>/dev/null | grep -q '^ *[1-9][0-9]* brokers'
}

get() {
    [ -e "$jars/complete" ] && return 0
    command -v mvn >/dev/null || die "mvn is missing: apt-get install maven openjdk-17-jre-headless"
    mvn -B -q -f "$here/pom.xml" -Dkafka.version="$version" -Djars="$jars" dependency:copy-dependencies
    : >"$jars/complete"
}

configure() {
    mkdir -p "$dir"
    cat >"$dir/server.properties" <<PROPERTIES
node.id=1
process.roles=broker,controller
controller.quorum.voters=1@127.0.0.1:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs=$dir/data
log.segment.bytes=67108864
num.network.threads=2
num.io.threads=2
auto.create.topics.enable=false
# one broker, small: no replicas, few internal partitions, a cleaner that does not take 128 MiB
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
log.cleaner.dedupe.buffer.size=10485760
group.initial.rebalance.delay.ms=0
# back in 2 s instead of 11 s after a kill -9
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=250
${KAFKA_OPTIONS:-}
PROPERTIES
    cat >"$dir/log4j.properties" <<PROPERTIES
log4j.rootLogger=WARN, file
log4j.appender.file=org.apache.log4j.FileAppender
log4j.appender.file.File=$dir/broker.log
log4j.appender.file.layout=org.apache.log4j.PatternLayout
log4j.appender.file.layout.ConversionPattern=[%d] %p %m (%c)%n
PROPERTIES
}

# A session of its own: Ctrl-C in the terminal that started it does not end it.
broker_java() { # JVM-SWITCH CLASS ARGUMENT...
    switch=$1
    shift
    # shellcheck disable=SC2086
    exec setsid java ${KAFKA_HEAP:--Xms256m -Xmx512m} -XX:+UseSerialGC -XX:TieredStopAtLevel=1 "$switch" \
        -Dlog4j.configuration="file:$dir/log4j.properties" -cp "$jars/*" "$@"
}

start() {
    running "$pidfile" && return 0
    [ -e "$jars/complete" ] || die "no jars in $jars: run '$0 get' first"
    command -v kcat >/dev/null || die "kcat is missing: apt-get install kcat"
    configure
    if [ ! -e "$dir/data/meta.properties" ]; then
        id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | cut -c 1-22)
        (broker_java -Xshare:auto kafka.tools.StorageTool format --ignore-formatted -t "$id" \
            -c "$dir/server.properties") >"$dir/format.out" 2>&1 || die "format failed, see $dir/format.out"
    fi
    share=-XX:ArchiveClassesAtExit=$archive
    [ -s "$archive" ] && share=-XX:SharedArchiveFile=$archive
    (broker_java "$share" kafka.Kafka "$dir/server.properties") >"$dir/broker.out" 2>&1 </dev/null &
    echo $! >"$pidfile"
    tries=1200
    until answers; do
        running "$pidfile" || { tail -n 20 "$dir/broker.out" >&2; die "the broker ended, see $dir/broker.log"; }
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || die "the broker does not answer, see $dir/broker.log"
        sleep 0.05
    done
}

case ${1:-} in
get) get ;;
start) start ;;
stop) stop_by "$pidfile" 30 ;;
kill)
    running "$pidfile" && kill -9 "$(cat "$pidfile")"
    rm -f "$pidfile" ;;
freeze) running "$pidfile" && kill -STOP "$(cat "$pidfile")" ;;
thaw) running "$pidfile" && kill -CONT "$(cat "$pidfile")" ;;
status)
    running "$pidfile" && answers || { echo down; exit 3; }
    echo "up, 127.0.0.1:$port, pid $(cat "$pidfile")" ;;
wipe)
    running "$pidfile" && die "stop it first"
    rm -rf "$dir/data" "$dir"/*.log "$dir"/*.out ;;
*)
    sed -n '2,12p' "$0"
    exit 2 ;;
esac
