"""What can happen to a cluster of nodes and brokers, each fault ended by itself. Thread: one."""
import time

from cut_proxy import BOTH, TO_CLIENT, TO_SERVER
from souk_client import LOST


class Faults:
    """`kafka` has each node as a client, `nodes` was made with cuts."""

    def __init__(self, kafka, nodes, chance):
        self.kafka, self.nodes, self.chance = kafka, nodes, chance
        self.all = [self.kill_node, self.cut_from_brokers, self.pause_node, self.kill_broker, self.kill_two, self.cut_links,
                    self.deaf_to_brokers, self.pause_broker, self.stop_node, self.lose_the_copy, self.kill_all]
        self._coming = []

    def next(self):
        """Each once, in an order of chance, then each once again."""
        if not self._coming:
            self._coming = self.chance.sample(self.all, len(self.all))
        return self._coming.pop()

    def _while(self, shortest, longest):
        time.sleep(self.chance.uniform(shortest, longest))

    def _node(self):
        return self.chance.choice(self.nodes.names)

    def _leader(self):
        return self.kafka.leader(f"{self.nodes.cluster}.events", self.chance.randrange(self.nodes.shards))

    # ---- nodes ----

    def _kill(self, names):
        for name in names:
            self.nodes.kill(name)
        self._while(0, 6)
        for name in names:
            self.nodes.start(name)

    def kill_node(self):
        self._kill([self._node()])

    def kill_two(self):
        self._kill(self.chance.sample(self.nodes.names, 2))

    def kill_all(self):
        self._kill(self.nodes.names)

    def stop_node(self):
        name = self._node()
        self.nodes.down.add(name)
        self.nodes.daemons[name].stop()
        self.nodes.start(name)

    def pause_node(self):
        daemon = self.nodes.daemons[self._node()]
        daemon.pause()
        self._while(0.5, 6)
        daemon.resume()

    def lose_the_copy(self):
        name = self._node()
        self.nodes.kill(name)
        self.nodes.lose_the_copy(name)
        self.nodes.start(name)

    # ---- brokers, and the ways ----

    def kill_broker(self):
        broker = self._leader()
        self.kafka.kill(broker)
        self._while(0, 6)
        self.kafka.restart(broker)
        self.kafka.wait_in_sync(f"{self.nodes.cluster}.events")

    def pause_broker(self):
        broker = self._leader()
        self.kafka.pause(broker)
        self._while(0.5, 6)
        self.kafka.resume(broker)
        self.kafka.wait_in_sync(f"{self.nodes.cluster}.events")

    def cut_from_brokers(self):
        way = self.kafka.proxies[self._node()]
        way.cut()
        self._while(0.2, 5)
        way.passes()

    def deaf_to_brokers(self):
        """One direction, of one broker or of all."""
        way, only = self.kafka.proxies[self._node()], self.chance.choice([None, [self._leader()]])
        way.black_hole(self.chance.choice([TO_SERVER, TO_CLIENT]), only=only)
        self._while(0.2, 5)
        way.passes()

    def cut_links(self):
        """From the nodes that dial this one; one direction, or both."""
        only = [self.chance.choice(self.nodes.names[1:])]
        how = self.chance.choice([TO_SERVER, TO_CLIENT, BOTH, None])
        if how is None:
            self.nodes.links.cut(only=only)
        else:
            self.nodes.links.black_hole(how, only=only)
        self._while(0.2, 5)
        self.nodes.links.passes(only=only)


class Operator:
    """Moves shards and drains nodes for as long as it is let, through any node. Thread: one of its own."""

    def __init__(self, nodes, chance):
        self.nodes, self.chance, self.done = nodes, chance, 0

    def run(self, stopping):
        while not stopping.wait(self.chance.uniform(0.1, 0.5)):
            self.act()
        for name in self.nodes.names:
            self._say({"command": "uncordon", "node": name})

    def act(self):
        name, roll = self.chance.choice(self.nodes.names), self.chance.random()
        if roll < 0.8:
            return self._say({"command": "move", "shard": self.chance.randrange(self.nodes.shards), "node": name})
        if roll < 0.9:
            return self._say({"command": self.chance.choice(["drain", "cordon"]), "node": name})
        return self._say({"command": self.chance.choice(["uncordon", "rebalance"]), "node": name})

    def _say(self, command):
        client = self.nodes.client(timeout=15)
        if command["command"] == "rebalance":
            del command["node"]
        try:
            self.done += client.post("/v1/cluster/moves", {**command, "who": "chaos"}).status < 300
        except LOST:
            pass
        finally:
            client.close()
