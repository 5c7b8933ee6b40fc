#!/usr/bin/env bash
# A consumer of librdkafka that reads partitions of its own choice, in no group, needs the right to a group all the same.
#
# Versions: Apache Kafka 4.4.0 (kafka_2.13 and kafka-tools from Maven Central), StandardAuthorizer; confluent-kafka 2.16.1
#   (PyPI) with the librdkafka of the same version.
# Behaviour: a user who may READ and DESCRIBE a topic, and nothing else, assigns itself the partition, commits nothing, and
#   subscribes to nothing. A reader written to the letter (raise on every error that poll() returns) ends with
#   GROUP_AUTHORIZATION_FAILED before the first record, or among the first ones; one that passes over that error gets all
#   records. group.id cannot be left out. Kafka's own Java consumer, with assign() and without group.id, reads with the same
#   rights and hears of no group. So "READ on the topic" is enough for one client and looks like too little for the other.
# Seen:
#   librdkafka: records 5, errors GROUP_AUTHORIZATION_FAILED
#   Java: records 5
#
# Exit code: 0 as stated, 1 the behaviour has changed, 2 it could not be tried.
# Needs bash, a JDK of Java 17 or later, Maven, Python 3.9 or later with venv.
set -euo pipefail
KAFKA=4.4.0 CLIENT=2.16.1 NAME=reader PASSWORD=correct-horse

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
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>$KAFKA</version>
    </dependency>
  </dependencies>
</project>
END
timeout 600 mvn -q -B -DincludeScope=runtime -DoutputDirectory=jars \
    org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies > maven.log 2>&1 </dev/null ||
    untried "Maven: $(tail -n 5 maven.log)"
{ python3 -m venv client && timeout 300 client/bin/pip install -q --only-binary :all: "confluent-kafka==$CLIENT"; } \
    > pip.log 2>&1 || untried "pip: $(tail -n 5 pip.log)"

# ---- one broker ----
read -r plain scram controller < <(python3 -c '
import socket
doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*(door.getsockname()[1] for door in doors))')
cat > server.properties <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAIN://127.0.0.1:$plain,SCRAM://127.0.0.1:$scram,CONTROLLER://127.0.0.1:$controller
listener.security.protocol.map=PLAIN:PLAINTEXT,SCRAM:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-256
listener.name.scram.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
log.dirs=$dir/data
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
END
small=(-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
timeout 60 java "${small[@]}" -cp 'jars/*' kafka.tools.StorageTool format \
    -t MkU3OEVBNTcwNTJENDM2Qg -c server.properties \
    --add-scram "SCRAM-SHA-256=[name=$NAME,password=$PASSWORD]" > format.log 2>&1 ||
    untried "format: $(tail -n 5 format.log)"
java "${small[@]}" -cp 'jars/*' kafka.Kafka server.properties > broker.log 2>&1 &
broker=$!

# ---- what it does ----
tool() { timeout 60 java "${small[@]}" -cp 'jars/*' "$@"; }
cat > client.properties <<END
security.protocol=SASL_PLAINTEXT
sasl.mechanism=SCRAM-SHA-256
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="$NAME" password="$PASSWORD";
END
made=
for _ in 1 2 3 4 5 6 7 8 9 10; do
    if tool org.apache.kafka.tools.TopicCommand --create --topic events --bootstrap-server "127.0.0.1:$plain" \
        > topic.log 2>&1; then
        made=yes
        break
    fi
    sleep 1
done
[ -n "$made" ] || untried "no broker: $(tail -n 5 broker.log topic.log)"
tool org.apache.kafka.tools.AclCommand --add --bootstrap-server "127.0.0.1:$plain" --allow-principal "User:$NAME" \
    --operation Read --operation Describe --topic events > acl.log 2>&1 || untried "rights: $(tail -n 5 acl.log)"
cat > client.py <<'END'
import sys, time
import confluent_kafka as ck

plain, scram, name, password = sys.argv[1:]
producer = ck.Producer({"bootstrap.servers": plain})
for number in range(5):
    producer.produce("events", str(number))
producer.flush(30)
reader = ck.Consumer({"bootstrap.servers": scram, "group.id": "none", "enable.auto.commit": False, "log_level": 0,
                      "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-256", "sasl.username": name,
                      "sasl.password": password})
reader.assign([ck.TopicPartition("events", 0, 0)])
records, errors = 0, set()
end = time.monotonic() + 15
while time.monotonic() < end and not (records == 5 and errors):
    message = reader.poll(0.5)
    if message is None:
        continue
    if message.error():
        errors.add(message.error().name())
    else:
        records += 1
print(f"records {records}, errors {' '.join(sorted(errors)) or 'none'}")
END
c=$(timeout 60 client/bin/python client.py "127.0.0.1:$plain" "127.0.0.1:$scram" "$NAME" "$PASSWORD") ||
    untried "librdkafka: $?"
cat > Reader.java <<'END'
import java.io.*;
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

public class Reader {
    public static void main(String[] given) throws Exception {
        Properties options = new Properties();
        try (var file = new FileReader(given[1])) { options.load(file); }
        options.put("bootstrap.servers", given[0]);
        var bytes = new ByteArrayDeserializer();
        try (var reader = new KafkaConsumer<>(options, bytes, bytes)) {
            var partition = List.of(new TopicPartition("events", 0));
            reader.assign(partition);
            reader.seekToBeginning(partition);
            int records = 0;
            for (int i = 0; i < 30 && records < 5; ++i) records += reader.poll(Duration.ofMillis(500)).count();
            System.out.println("records " + records);
        }
    }
}
END
java=$(timeout 60 java "${small[@]}" -cp 'jars/*' Reader.java "127.0.0.1:$scram" client.properties 2> java.log) ||
    untried "Java: $(tail -n 5 java.log)"
printf '%s: %s\n' librdkafka "$c" Java "$java"
if [ "$c" = "records 5, errors GROUP_AUTHORIZATION_FAILED" ] && [ "$java" = "records 5" ]; then
    exit 0
fi
echo changed
exit 1
