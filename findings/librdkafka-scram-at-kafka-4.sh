#!/usr/bin/env bash
# librdkafka 2.6.0 and older cannot log in at Kafka 4.x by SCRAM: right passwords are called invalid credentials.
#
# Versions: Apache Kafka 4.4.0 (kafka_2.13 and kafka-tools from Maven Central); confluent-kafka 2.6.0 and 2.6.1 (PyPI),
#   each with the librdkafka of the same version.
# Behaviour: a user made by `kafka-storage format --add-scram` logs in at a SASL_PLAINTEXT listener by SCRAM-SHA-256
#   with librdkafka 2.6.1 and with Kafka's own Java tools. The same name and password fail with librdkafka 2.6.0, and
#   nothing that client or broker says hints at anything but a wrong password. The older client repeats its nonce in its
#   last message, which RFC 5802 does not have and Kafka 4.x refuses. Debian 12 has librdkafka 2.0.2: kcat from there
#   fails with the same words. Upstream: librdkafka pull request 4895.
# Seen:
#   librdkafka 2.6.0: SASL authentication error: Authentication failed during authentication due to invalid credentials
#                     with SASL mechanism SCRAM-SHA-256 (after 339ms in state AUTH_REQ)
#   librdkafka 2.6.1: logged in
#   Java 4.4.0: logged in
#
# Exit code: 0 as stated, 1 the behaviour has changed, 2 it could not be tried.
# Needs bash, Java 17 or later, Maven, Python 3.9 or later with venv.
set -euo pipefail
KAFKA=4.4.0 OLD=2.6.0 NEW=2.6.1 NAME=someone PASSWORD=correct-horse

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
for version in "$OLD" "$NEW"; do
    { python3 -m venv "client-$version" &&
        timeout 300 "client-$version/bin/pip" install -q --only-binary :all: "confluent-kafka==$version"
    } > pip.log 2>&1 || untried "pip: $(tail -n 5 pip.log)"
done

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
END
small=(-Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1)
timeout 60 java "${small[@]}" -cp 'jars/*' kafka.tools.StorageTool format \
    -t MkU3OEVBNTcwNTJENDM2Qg -c server.properties \
    --add-scram "SCRAM-SHA-256=[name=$NAME,password=$PASSWORD]" > format.log 2>&1 ||
    untried "format: $(tail -n 5 format.log)"
java "${small[@]}" -cp 'jars/*' kafka.Kafka server.properties > broker.log 2>&1 &
broker=$!

# ---- what it does ----
# Asks for the topics' names, as a client does that was told the name and the password.
cat > client.py <<'END'
import sys, time
import confluent_kafka as ck
from confluent_kafka import admin as ca

where, name, password = sys.argv[1:]
errors = []
login = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-256", "sasl.username": name,
         "sasl.password": password} if name else {}
admin = ca.AdminClient({"bootstrap.servers": where, "log_level": 0, "error_cb": errors.append, **login})
end = time.monotonic() + (10 if name else 45)
while time.monotonic() < end:
    try:
        admin.list_topics(timeout=2)
        print("logged in")
        break
    except ck.KafkaException:
        admin.poll(0)
        refused = [error.str() for error in errors if error.code() == ck.KafkaError._AUTHENTICATION]
        if refused:
            print(refused[0].split(": ", 1)[1])
            break
else:
    print("no answer")
END
log_in() { timeout 30 "client-$1/bin/python" client.py "127.0.0.1:$scram" "$NAME" "$PASSWORD"; }

[ "$(timeout 60 "client-$NEW/bin/python" client.py "127.0.0.1:$plain" "" "")" = "logged in" ] ||
    untried "no broker: $(tail -n 5 broker.log)"
old=$(log_in "$OLD") || untried "librdkafka $OLD: $?"
new=$(log_in "$NEW") || untried "librdkafka $NEW: $?"
cat > client.properties <<END
security.protocol=SASL_PLAINTEXT
sasl.mechanism=SCRAM-SHA-256
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="$NAME" password="$PASSWORD";
END
if timeout 60 java "${small[@]}" -cp 'jars/*' org.apache.kafka.tools.TopicCommand --list \
    --bootstrap-server "127.0.0.1:$scram" --command-config client.properties > java.log 2>&1; then
    java="logged in"
else
    java=$(tail -n 1 java.log)
fi
printf '%s: %s\n' "librdkafka $OLD" "$old" "librdkafka $NEW" "$new" "Java $KAFKA" "$java"
if [[ $old == *"invalid credentials"* && $new == "logged in" && $java == "logged in" ]]; then
    exit 0
fi
echo changed
exit 1
