#!/usr/bin/env bash
# Kafka: min.insync.replicas above the number of replicas is capped at it, in silence.
#
# Versions: Apache Kafka 4.4.0 (kafka_2.13 from Maven Central), confluent-kafka 2.16.0 (PyPI, with its own librdkafka).
# Behaviour: a topic with one replica and min.insync.replicas=2 is created without an objection, DescribeConfigs says 2,
#   and writes with acks=all are acknowledged, though one replica is all that ever has them. One would expect
#   NOT_ENOUGH_REPLICAS: two in-sync replicas are what the setting asks for, and what DescribeConfigs says is in force.
#   So min.insync.replicas tells nothing about the number of copies unless the replicas are counted too.
#   Upstream: KIP-966 brought the cap, KAFKA-21110 asks for a word of it in the documentation.
# Seen:
#   replicas: 1, in sync: 1
#   DescribeConfigs: min.insync.replicas=2
#   written with acks=all: 10 of 10
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
timeout 75 venv/bin/python - "127.0.0.1:$port" <<'END' || code=$?
import sys, time
import confluent_kafka as ck
from confluent_kafka import admin as ca

AS_STATED, CHANGED, UNTRIED = 0, 10, 2
RECORDS = 10
where = {"bootstrap.servers": sys.argv[1], "log_level": 0}
admin = ca.AdminClient(where)
end = time.monotonic() + 45
while True:
    try:
        admin.list_topics(timeout=2)
        break
    except ck.KafkaException:
        if time.monotonic() > end:
            sys.exit(UNTRIED)

new = ca.NewTopic("t", num_partitions=1, replication_factor=1, config={"min.insync.replicas": "2"})
try:
    admin.create_topics([new])["t"].result(20)
except ck.KafkaException as error:
    print("changed: the topic was refused:", error)
    sys.exit(CHANGED)
resource = ca.ConfigResource(ca.ResourceType.TOPIC, "t")
said = admin.describe_configs([resource])[resource].result(20)["min.insync.replicas"].value

reports = []
producer = ck.Producer({**where, "acks": "all", "message.timeout.ms": 10000})
for _ in range(RECORDS):
    producer.produce("t", b"x", on_delivery=lambda error, _: reports.append(error))
producer.flush(15)
partition = admin.list_topics("t", timeout=10).topics["t"].partitions[0]
written = sum(error is None for error in reports)
print(f"replicas: {len(partition.replicas)}, in sync: {len(partition.isrs)}")
print(f"DescribeConfigs: min.insync.replicas={said}")
print(f"written with acks=all: {written} of {RECORDS}", *{str(error) for error in reports if error})
if len(partition.replicas) == 1 and said == "2" and written == RECORDS:
    sys.exit(AS_STATED)
print("changed")
sys.exit(CHANGED)
END
case $code in
    0) exit 0 ;;
    10) exit 1 ;;
    *) untried "$code: $(tail -n 5 broker.log)" ;;
esac
