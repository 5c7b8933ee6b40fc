#!/usr/bin/env bash
# A producer of librdkafka sends each partition's records in a request of its own, Kafka's Java producer those of all.
#
# Versions: Apache Kafka 4.4.0 (kafka_2.13 and kafka-tools from Maven Central); confluent-kafka 2.16.1 (PyPI) with the librdkafka
#   of the same version.
# Behaviour: a record for each of 64 partitions, all led by one broker, handed over at once with linger.ms=500, so that both
#   clients wait until they have them all. The protocol's Produce request names many partitions, and the Java producer puts
#   all of them into one. librdkafka sends 64 requests. Lingering, and larger batches, gather the records of one partition and
#   never those of several; what a broker and a client spend on a request is spent for each partition that has a record.
# Seen:
#   librdkafka: 64 produce requests
#   Java: 1 produce requests
#
# Exit code: 0 as stated, 1 the behaviour has changed, 2 it could not be tried.
# Needs bash, a JDK of Java 17 or later, Maven, Python 3.9 or later with venv.
set -euo pipefail
KAFKA=4.4.0 CLIENT=2.16.1 PARTITIONS=64

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
read -r plain controller < <(python3 -c '
import socket
doors = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(door.getsockname()[1] for door in doors))')
cat > server.properties <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAIN://127.0.0.1:$plain,CONTROLLER://127.0.0.1:$controller
listener.security.protocol.map=PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAIN
log.dirs=$dir/data
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
END
small=(-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
timeout 60 java "${small[@]}" -cp 'jars/*' kafka.tools.StorageTool format \
    -t MkU3OEVBNTcwNTJENDM2Qg -c server.properties > format.log 2>&1 || untried "format: $(tail -n 5 format.log)"
java "${small[@]}" -cp 'jars/*' kafka.Kafka server.properties > broker.log 2>&1 &
broker=$!
made=
for _ in 1 2 3 4 5 6 7 8 9 10; do
    if timeout 60 java "${small[@]}" -cp 'jars/*' org.apache.kafka.tools.TopicCommand --create --topic events \
        --partitions "$PARTITIONS" --bootstrap-server "127.0.0.1:$plain" > topic.log 2>&1; then
        made=yes
        break
    fi
    sleep 1
done
[ -n "$made" ] || untried "no broker: $(tail -n 5 broker.log topic.log)"

# ---- what it does ----
cat > client.py <<'END'
import json, sys, time
import confluent_kafka as ck

sent = 0

def counted(text):
    global sent
    sent = sum(broker["req"].get("Produce", 0) for broker in json.loads(text)["brokers"].values())

producer = ck.Producer({"bootstrap.servers": sys.argv[1], "linger.ms": 500, "acks": "all", "statistics.interval.ms": 200,
                        "stats_cb": counted})
def send_all():
    for partition in range(int(sys.argv[2])):
        producer.produce("events", b"x", partition=partition)
    if producer.flush(30):
        sys.exit("not all were taken")
    end = time.monotonic() + 2
    while time.monotonic() < end:
        producer.poll(0.2)
    return sent

# What comes once, such as tries again while the topic gets its leaders, is behind us then.
before = send_all()
print(f"{send_all() - before} produce requests")
END
c=$(timeout 90 client/bin/python client.py "127.0.0.1:$plain" "$PARTITIONS") || untried "librdkafka: $?"
cat > Sender.java <<'END'
import java.util.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.serialization.ByteArraySerializer;

public class Sender {
    // Requests of all kinds to the broker.
    static long requests(KafkaProducer<?, ?> producer) {
        long all = 0;
        for (var metric : producer.metrics().values()) {
            var name = metric.metricName();
            if (name.group().equals("producer-node-metrics") && name.name().equals("request-total")
                    && name.tags().get("node-id").equals("node-1"))
                all += ((Number) metric.metricValue()).longValue();
        }
        return all;
    }
    public static void main(String[] given) throws Exception {
        Properties options = new Properties();
        options.put("bootstrap.servers", given[0]);
        options.put("linger.ms", "500");
        options.put("acks", "all");
        options.put("metadata.max.age.ms", "600000");
        var bytes = new ByteArraySerializer();
        try (var producer = new KafkaProducer<byte[], byte[]>(options, bytes, bytes)) {
            // What comes once, for the connection and the producer's number, is behind us then.
            producer.send(new ProducerRecord<>("events", 0, null, new byte[] {1})).get();
            long before = requests(producer);
            var sent = new ArrayList<java.util.concurrent.Future<RecordMetadata>>();
            for (int partition = 0; partition < Integer.parseInt(given[1]); ++partition)
                sent.add(producer.send(new ProducerRecord<>("events", partition, null, new byte[] {2})));
            for (var one : sent) one.get();
            System.out.println(requests(producer) - before + " produce requests");
        }
    }
}
END
java=$(timeout 90 java "${small[@]}" -cp 'jars/*' Sender.java "127.0.0.1:$plain" "$PARTITIONS" 2> java.log) ||
    untried "Java: $(tail -n 5 java.log)"
printf '%s: %s\n' librdkafka "$c" Java "$java"
if [ "$c" = "$PARTITIONS produce requests" ] && [ "$java" = "1 produce requests" ]; then
    exit 0
fi
echo changed
exit 1
