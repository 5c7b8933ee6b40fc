#!/usr/bin/env bash
# librdkafka: a topic deleted and created anew goes unnoticed by an idempotent producer and by a consumer.
#
# Versions: Apache Kafka 4.4.0 (kafka_2.13 from Maven Central), confluent-kafka 2.16.0 (PyPI, with its own librdkafka).
# Behaviour: a topic is deleted and created again at once, and the producer that filled it goes on writing until the new
#   log is longer than the old one was. No call fails, no error callback is called, nothing is logged, every report says
#   success. The consumer, which waited at offset 500 with auto.offset.reset=error, reads on at 500 in the new log: its
#   offsets are dense, and the new log's first 500 records never come. One would expect UNKNOWN_TOPIC_ID or some other
#   error: topics have had ids since Kafka 2.8. Only the producer's reports give it away: their offsets start anew.
#   Run by hand with 10 s between deletion and creation, in which nothing was written: the same.
# Seen:
#   error callbacks: 0, log lines: 0, failed reports: 0 of 1500
#   producer's reports: old 499 at 499, then new 0 at 0
#   consumer: 1000 records, offsets dense; old 499 at 499, then new 500 at 500
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
auto.create.topics.enable=false
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
timeout 75 venv/bin/python - "127.0.0.1:$port" <<'END' || code=$?
import logging, sys, threading, time
import confluent_kafka as ck
from confluent_kafka import admin as ca

AS_STATED, CHANGED, UNTRIED = 0, 10, 2
OLD, NEW = 500, 1000
where = {"bootstrap.servers": sys.argv[1]}
admin = ca.AdminClient({**where, "log_level": 0})
end = time.monotonic() + 40
while True:
    try:
        admin.list_topics(timeout=2)
        break
    except ck.KafkaException:
        if time.monotonic() > end:
            sys.exit(UNTRIED)


def create():
    admin.create_topics([ca.NewTopic("t", num_partitions=1, replication_factor=1)])["t"].result(20)


errors, lines, reports, read = [], [], [], []
logger = logging.getLogger("clients")
logger.propagate = False
handler = logging.Handler()
handler.emit = lambda record: lines.append(record.getMessage())
logger.addHandler(handler)
watched = {**where, "error_cb": errors.append, "logger": logger}

create()
producer = ck.Producer({**watched, "enable.idempotence": True})
consumer = ck.Consumer({**watched, "group.id": "g", "auto.offset.reset": "error", "enable.auto.commit": False})
consumer.assign([ck.TopicPartition("t", 0, 0)])
done = threading.Event()


def consume():
    while not done.is_set():
        record = consumer.poll(0.1)
        if record is not None and record.error():
            errors.append(record.error())
        elif record is not None:
            read.append((record.value().decode(), record.offset()))


def write(age, number):
    for n in range(number):
        producer.produce("t", f"{age} {n}".encode(), partition=0, on_delivery=lambda error, record: reports.append(
            (error, record.value().decode(), record.offset())))
        producer.poll(0)
    return producer.flush(15) == 0


def wait_for(records):
    limit = time.monotonic() + 10
    while len(read) < records and time.monotonic() < limit:
        time.sleep(0.05)
    return len(read) >= records


reader = threading.Thread(target=consume)
reader.start()
try:
    if not write("old", OLD) or not wait_for(OLD):
        sys.exit(UNTRIED)
    lines.clear()  # a broker just started may have said that its producer ids were not loaded yet
    time.sleep(1)
    admin.delete_topics(["t"])["t"].result(20)
    create()
    write("new", NEW)
    wait_for(NEW)
    time.sleep(2)
finally:
    done.set()
    reader.join()
    consumer.close()


def change(records):
    """Where the old log's last record is followed by the new log's first."""
    for (value, offset), (next_value, next_offset) in zip(records, records[1:]):
        if value.startswith("old") and next_value.startswith("new"):
            return f"{value} at {offset}, then {next_value} at {next_offset}"
    return "no change seen"


failed = [error for error, _, _ in reports if error]
written = change([report[1:] for report in reports])
dense = [offset for _, offset in read] == list(range(NEW))
print(f"error callbacks: {len(errors)}, log lines: {len(lines)}, failed reports: {len(failed)} of {len(reports)}")
for said in (*errors, *lines, *failed)[:5]:
    print(" ", said)
print("producer's reports:", written)
print(f"consumer: {len(read)} records, offsets {'' if dense else 'not '}dense; {change(read)}")
silent = not errors and not lines and not failed and len(reports) == OLD + NEW
if (silent and dense and written == f"old {OLD - 1} at {OLD - 1}, then new 0 at 0"
        and change(read) == f"old {OLD - 1} at {OLD - 1}, then new {OLD} at {OLD}"):
    sys.exit(AS_STATED)
print("changed")
sys.exit(CHANGED)
END
case $code in
    0) exit 0 ;;
    10) exit 1 ;;
    *) untried "$code: $(tail -n 5 broker.log)" ;;
esac
