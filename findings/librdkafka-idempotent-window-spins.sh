#!/usr/bin/env bash
# librdkafka: an idempotent producer with its default window burns a core while a broker is silent.
#
# Versions: Apache Kafka 4.4.0 (kafka_2.13 from Maven Central), confluent-kafka 2.16.0 (PyPI, with its own librdkafka).
# Behaviour: five batches of one partition are unanswered and a sixth record waits, as when a broker is frozen or slow.
#   The default max.in.flight.requests.per.connection is then 5, and with it a thread of the client does not sleep
#   but uses all the CPU it can get until the broker answers. With 4 in flight it sleeps, and without idempotence too.
#   One would expect no difference: nothing can be sent until an answer comes. Beside a slow broker on a small machine
#   that is CPU which the broker lacks. All records are delivered in the end.
# Seen, CPU seconds of the whole client while the broker is stopped (SIGSTOP) for 3 s; the most of 2 rounds:
#   idempotent, default: 2.84
#   idempotent, 4 in flight: 0.00
#   not idempotent, 5 in flight: 0.00
#
# Exit code: 0 as stated, 1 the behaviour has changed, 2 it could not be tried.
# Needs bash, Java 17 or later, Maven, Python 3.9 or later with venv.
set -euo pipefail
KAFKA=4.4.0 CLIENT=2.16.0

dir=$(mktemp -d)
broker=
clean_up() {
    code=$?
    trap - EXIT
    if [ -n "$broker" ]; then
        kill -KILL "$broker" 2>/dev/null || true
        wait "$broker" 2>/dev/null || true
    fi
    rm -rf "$dir"
    exit "$code"
}
trap clean_up EXIT
trap 'exit 2' INT TERM
untried() { echo "not tried: $*" >&2; exit 2; }
cd "$dir"

# ---- packages ----
cat > pom.xml <<END
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>finding</groupId><artifactId>finding</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$KAFKA</version>
    </dependency>
  </dependencies>
</project>
END
timeout 600 mvn -q -B -DincludeScope=runtime -DoutputDirectory=jars \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies > maven.log 2>&1 </dev/null ||
    untried "Maven: $(tail -n 5 maven.log)"
{ python3 -m venv venv &&
    timeout 300 venv/bin/pip install -q --only-binary :all: "confluent-kafka==$CLIENT"; } > pip.log 2>&1 ||
    untried "pip: $(tail -n 5 pip.log)"

# ---- one broker ----
read -r port controller < <(python3 -c '
import socket
doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(door.getsockname()[1] for door in doors))')
cat > server.properties <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=$dir/data
END
small=(-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
timeout 60 java "${small[@]}" -cp 'jars/*' kafka.tools.StorageTool format \
    -t MkU3OEVBNTcwNTJENDM2Qg -c server.properties > format.log 2>&1 ||
    untried "format: $(tail -n 5 format.log)"
java "${small[@]}" -cp 'jars/*' kafka.Kafka server.properties > broker.log 2>&1 &
broker=$!

# ---- what it does ----
code=0
timeout 100 venv/bin/python - "127.0.0.1:$port" "$broker" <<'END' || code=$?
import os, signal, sys, time
import confluent_kafka as ck
from confluent_kafka import admin as ca

AS_STATED, CHANGED, UNTRIED = 0, 10, 2
ROUNDS, RECORDS, SECONDS = 2, 6, 3
where, broker = {"bootstrap.servers": sys.argv[1], "log_level": 0}, int(sys.argv[2])
admin = ca.AdminClient(where)
end = time.monotonic() + 40
while True:
    try:
        admin.list_topics(timeout=2)
        break
    except ck.KafkaException:
        if time.monotonic() > end:
            sys.exit(UNTRIED)
admin.create_topics([ca.NewTopic("t", num_partitions=1, replication_factor=1)])["t"].result(20)


def cpu(settings):
    reports = []
    producer = ck.Producer({**where, "acks": "all", "linger.ms": 0, **settings})

    def write():
        producer.produce("t", b"x", partition=0, on_delivery=lambda error, _: reports.append(error))
        producer.poll(0)

    write()
    producer.flush(10)
    os.kill(broker, signal.SIGSTOP)
    try:
        for _ in range(RECORDS):
            write()
            time.sleep(0.1)  # so that each is a batch of its own
        before = time.process_time()
        time.sleep(SECONDS)
        used = time.process_time() - before
    finally:
        os.kill(broker, signal.SIGCONT)
    producer.flush(20)
    if reports != [None] * (1 + RECORDS):
        sys.exit(UNTRIED)
    return used


kinds = {"idempotent, default": {"enable.idempotence": True},
         "idempotent, 4 in flight": {"enable.idempotence": True, "max.in.flight.requests.per.connection": 4},
         "not idempotent, 5 in flight": {"enable.idempotence": False, "max.in.flight.requests.per.connection": 5}}
used = dict.fromkeys(kinds, 0.0)
for _ in range(ROUNDS):
    for name, settings in kinds.items():
        used[name] = max(used[name], cpu(settings))
for name, seconds in used.items():
    print(f"{name}: {seconds:.2f}")
default, four, plain = used.values()
# A busy machine gives the spinning thread less of a core, never more to one that sleeps.
if default > SECONDS / 6 and max(four, plain) < SECONDS / 15:
    sys.exit(AS_STATED)
print("changed")
sys.exit(CHANGED)
END
case $code in
    0) exit 0 ;;
    10) exit 1 ;;
    *) untried "$code: $(tail -n 5 broker.log)" ;;
esac
