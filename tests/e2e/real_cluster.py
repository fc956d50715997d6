# SPDX-License-Identifier: BSD-3-Clause
"""A cluster of real servers on free ports of 127.0.0.1: primaries, and a replica of each."""
import processes
import real_server
import resp

SLOTS = 16384
NODE_TIMEOUT = 1.5


class Node(real_server.RealServer):
    """
    A server in cluster mode. `id` is the name that the cluster knows it by. `tls`: an authority and an identity, for a
    server with a TLS port, `tls_port`, beside the plain one.
    """

    def __init__(self, folder, tls=None, **settings):
        options = ["--cluster-enabled", "yes", "--cluster-node-timeout", int(NODE_TIMEOUT * 1000),
                   "--repl-diskless-sync-delay", 0]
        if tls:
            self.tls_port = real_server.free_port()
            options += ["--tls-port", self.tls_port, "--tls-ca-cert-file", tls[0].cert, "--tls-cert-file", tls[1].cert,
                        "--tls-key-file", tls[1].key, "--tls-auth-clients", "no"]
        super().__init__(folder, options, **settings)
        self.id = self.client.call("CLUSTER", "MYID")

    def state(self):
        return dict(line.split(":", 1) for line in self.client.call("CLUSTER", "INFO").splitlines() if ":" in line)

    def known(self, node):
        """What this node knows of another: the words of its line."""
        lines = self.client.call("CLUSTER", "NODES").splitlines()
        return next((line.split() for line in lines if line.startswith(node.id)), None)

    def knows(self, node):
        words = self.known(node)
        return words is not None and "handshake" not in words[2]

    def epoch_of(self, node):
        return int(self.known(node)[6])

    def role(self):
        return self.client.call("ROLE")[0]


class RealCluster:
    """`primaries` share the slots evenly, in order; replica i is that of primary i."""

    def __init__(self, folder, primaries=3, replicas=3, **settings):
        self.folder = folder
        self.settings = settings
        self.nodes = []
        try:
            for _ in range(primaries + replicas):
                self.start_node()
            self.primaries = self.nodes[:primaries]
            self.replicas = self.nodes[primaries:]
            self.form()
        except BaseException:
            self.stop()
            raise

    def start_node(self):
        path = self.folder / f"node{len(self.nodes)}"
        path.mkdir()
        self.nodes.append(Node(path, **self.settings))
        return self.nodes[-1]

    def form(self):
        count = len(self.primaries)
        for i, node in enumerate(self.nodes):
            node.client.call("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
            if node in self.primaries:
                node.client.call("CLUSTER", "ADDSLOTS", *range(i * SLOTS // count, (i + 1) * SLOTS // count))
        for node in self.nodes[1:]:
            self.meet(node)
        self.wait_until_met()
        for primary, replica in zip(self.primaries, self.replicas):
            processes.wait_until(lambda: self.follows(replica, primary), "a replica has its primary")
        self.wait_until(lambda: all(node.state()["cluster_state"] == "ok" for node in self.nodes), "the cluster is up")
        self.wait_until(lambda: all(node.client.call("ROLE")[3] == "connected" for node in self.replicas),
                        "the replicas are in sync")

    def show_replicas(self):
        """A replica is part of the topology when its primary has written something and it has said how much it has."""
        self.flush()
        self.wait_until(lambda: all(sum(len(shard) - 3 for shard in node.client.call("CLUSTER", "SLOTS")) ==
                                    len(self.replicas) for node in self.nodes), "all nodes show the replicas")

    def meet(self, node):
        node.client.call("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)

    def wait_until_met(self):
        self.wait_until(lambda: all(one.knows(other) for one in self.nodes for other in self.nodes),
                        "all nodes know one another")

    def add_primary(self):
        """A node without slots."""
        node = self.start_node()
        self.meet(node)
        self.wait_until_met()
        self.wait_until(lambda: node.state()["cluster_state"] == "ok", "the new node is up")
        self.primaries.append(node)
        return node

    @staticmethod
    def follows(replica, primary):
        try:
            replica.client.call("CLUSTER", "REPLICATE", primary.id)
            return True
        except resp.ReplyError:  # it has not heard of the primary so far
            return False

    @staticmethod
    def wait_until(condition, what):
        return processes.wait_until(condition, what, 30)

    port = property(lambda self: self.primaries[0].port)

    def node_of(self, slot):
        """The primary that serves a slot, as the first of them sees it."""
        for first, last, primary, *_ in self.nodes[0].client.call("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == primary[1])
        raise AssertionError(f"nobody serves slot {slot}")

    def size(self):
        return sum(node.size() for node in self.primaries)

    def flush(self):
        for node in self.primaries:
            node.client.call("FLUSHALL")

    def slot_of(self, key):
        return self.nodes[0].client.call("CLUSTER", "KEYSLOT", key)

    def begin_to_migrate(self, slot, source, target):
        """Moves the keys of a slot, as a resharding does it."""
        target.client.call("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.client.call("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
        while True:
            keys = source.client.call("CLUSTER", "GETKEYSINSLOT", slot, 100)
            if not keys:
                return
            source.client.call("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *keys)

    def end_to_migrate(self, slot, source, target):
        """
        Moves the slot itself. Who takes it over must know the highest epoch, or the slot goes back to whoever had it:
        so all hear of this move before there is another.
        """
        for node in [target, source] + [one for one in self.primaries if one not in (source, target)]:
            node.client.call("CLUSTER", "SETSLOT", slot, "NODE", target.id)
        self.wait_until(lambda: {node.epoch_of(target) for node in self.nodes} == {target.epoch_of(target)},
                        "all have heard of the new owner")

    def migrate(self, slot, source, target):
        self.begin_to_migrate(slot, source, target)
        self.end_to_migrate(slot, source, target)

    def stop(self):
        for node in self.nodes:
            node.stop()
