#!/usr/bin/env bash
# Kafka: broker.session.timeout.ms counts for nothing in a broker's file; only the controller's file sets it.
#
# Versions: Apache Kafka 4.4.0 (kafka_2.13 from Maven Central); confluent-kafka 2.16.0 (PyPI) asks for the leader.
# Behaviour: one process is the controller, two are brokers. With broker.session.timeout.ms=2000 in both brokers' files
#   a partition whose leader is killed waits for a new one as long as by the default of 9000. With the same line in the
#   controller's file instead it waits a fifth of that. No process says that the brokers' line is not used. One would
#   expect the brokers' files to be the place: by the setting's name, and because broker.heartbeat.interval.ms, which
#   goes with it, is read there. Where each process is broker and controller both read the one file, and all is well
#   until controllers get processes of their own.
# Seen, seconds from kill -9 of the leader to the new leader:
#   broker.session.timeout.ms=2000 in the brokers' files: 9.9
#   broker.session.timeout.ms=2000 in the controller's file: 2.0
#
# Exit code: 0 as stated, 1 the behaviour has changed, 2 it could not be tried.
# Needs bash, Java 17 or later, Maven, Python 3.9 or later with venv.
set -euo pipefail
KAFKA=4.4.0 CLIENT=2.16.0

dir=$(mktemp -d)
declare -A running=()
end_process() {
    kill -KILL "$1" 2>/dev/null || true
    while kill -0 "$1" 2>/dev/null; do sleep 0.1; done
}
clean_up() {
    code=$?
    trap - EXIT
    for pid in "${running[@]}"; do end_process "$pid"; done
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

# ---- a controller, 100, and two brokers, 1 and 2 ----
declare -A port
read -r "port[1]" "port[2]" "port[100]" < <(python3 -c '
import socket
doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(door.getsockname()[1] for door in doors))')
small=(-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
write_file() { # node, more lines
    local roles=broker listener=PLAINTEXT
    [ "$1" != 100 ] || roles=controller listener=CONTROLLER
    cat > "$1.properties" <<END
process.roles=$roles
node.id=$1
controller.quorum.voters=100@127.0.0.1:${port[100]}
listeners=$listener://127.0.0.1:${port[$1]}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
log.dirs=$dir/data-$1
END
    printf '%s\n' "${@:2}" >> "$1.properties"
}
start() {
    java "${small[@]}" -cp 'jars/*' kafka.Kafka "$1.properties" >> "$1.log" 2>&1 &
    running[$1]=$!
    disown  # no word of the shell when it is killed
}
stop() {
    end_process "${running[$1]}"
    unset "running[$1]"
}
write_file 100
for broker in 1 2; do write_file $broker broker.session.timeout.ms=2000 broker.heartbeat.interval.ms=500; done
for node in 100 1 2; do
    timeout 60 java "${small[@]}" -cp 'jars/*' kafka.tools.StorageTool format -t MkU3OEVBNTcwNTJENDM2Qg \
        -c "$node.properties" > format.log 2>&1 || untried "format: $(tail -n 5 format.log)"
done

# ---- what it does ----
# Kills the leader once both brokers have the partition, and waits for the next one. Prints: dead broker, seconds.
cat > failover.py <<'END'
import os, signal, sys, time
import confluent_kafka as ck
from confluent_kafka import admin as ca

# broker -> (address, process)
brokers = {int(node): (f"127.0.0.1:{port}", int(pid)) for node, port, pid in (word.split(":") for word in sys.argv[1:])}
admins = {node: ca.AdminClient({"bootstrap.servers": address, "log_level": 0})
          for node, (address, _) in brokers.items()}


def partition(node):
    """What this broker says of it; None: nothing."""
    try:
        topic = admins[node].list_topics("t", timeout=2).topics["t"]
    except ck.KafkaException:
        return None
    return topic.partitions.get(0)


def until(what, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.05)
    sys.exit(2)


def complete():
    said = [partition(node) for node in brokers]
    return all(one and one.leader in brokers and len(one.isrs) == 2 for one in said)


def create():
    try:
        new = ca.NewTopic("t", num_partitions=1, replication_factor=2)
        admins[1].create_topics([new], operation_timeout=5, request_timeout=5)["t"].result(10)
    except ck.KafkaException as error:
        return error.args[0].code() == ck.KafkaError.TOPIC_ALREADY_EXISTS
    return True


until(create, 40)
until(complete, 30)
time.sleep(2)
until(complete, 5)
dead = partition(1).leader
alive = 3 - dead
os.kill(brokers[dead][1], signal.SIGKILL)
start = time.monotonic()
until(lambda: (one := partition(alive)) and one.leader == alive, 25)
print(dead, f"{time.monotonic() - start:.1f}")
END
fail_over() {
    timeout 100 venv/bin/python failover.py "1:${port[1]}:${running[1]}" "2:${port[2]}:${running[2]}" ||
        untried "no failover: $? $(tail -n 3 ./*.log)"
}
for node in 100 1 2; do start $node; done
result=$(fail_over)
read -r dead by_brokers <<< "$result"
unset "running[$dead]"

for node in "${!running[@]}"; do stop "$node"; done
for broker in 1 2; do write_file $broker broker.heartbeat.interval.ms=500; done
write_file 100 broker.session.timeout.ms=2000
start 100
for broker in 1 2; do start $broker; done
result=$(fail_over)
read -r dead by_controller <<< "$result"
unset "running[$dead]"

echo "broker.session.timeout.ms=2000 in the brokers' files: $by_brokers"
echo "broker.session.timeout.ms=2000 in the controller's file: $by_controller"
if awk -v brokers="$by_brokers" -v controller="$by_controller" 'BEGIN { exit !(brokers > 7 && controller < 5.5) }'; then
    exit 0
fi
echo changed
exit 1
