"""Kafka's classes as Java has loaded them once, kept beside the jars: a broker then answers in half the time. Made by
starting one broker and ending it. Standard library only."""
import os
import shutil
import socket
import subprocess
import tempfile
import time

import brokers
import wire

SECONDS_MAX = 120


def make_archive(version):
    """Once for each version of Kafka and of Java, ten seconds. Whether there is one now; all works without."""
    wanted = brokers.archive_file(version)
    if os.path.exists(wanted):
        return True
    home, fresh = tempfile.mkdtemp(prefix="souk-kafka-"), f"{wanted}.{os.getpid()}"
    process = None
    try:
        with socket.socket() as one, socket.socket() as other:
            for probe in (one, other):
                probe.bind(("127.0.0.1", 0))
            ports = {"plain": one.getsockname()[1], "controller": other.getsockname()[1]}
        nodes = brokers.plan(home, 1, lambda node, kind: ports[kind])
        brokers.write_files(nodes[0], nodes)
        brokers.format_disks(version, brokers.new_cluster_id(), nodes)
        with open(nodes[0].log_file, "ab") as log:
            process = subprocess.Popen(brokers.node_command(version, nodes[0], f"-XX:ArchiveClassesAtExit={fresh}"),
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=home)
        end = time.monotonic() + SECONDS_MAX
        while process.poll() is None and time.monotonic() < end and not wire.brokers_seen(nodes[0].address):
            time.sleep(0.1)
        process.terminate()
        process.wait(SECONDS_MAX)
        if os.path.exists(fresh):
            os.rename(fresh, wanted)
    except (OSError, RuntimeError, subprocess.TimeoutExpired):
        pass
    finally:
        if process and process.poll() is None:
            process.kill()
            process.wait()
        shutil.rmtree(home, ignore_errors=True)
        if os.path.exists(fresh):
            os.remove(fresh)
    return os.path.exists(wanted)
