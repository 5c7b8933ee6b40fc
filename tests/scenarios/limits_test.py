#!/usr/bin/env python3
"""Slow, numerous, rude and paused: nobody's behaviour costs anybody else more than a moment."""
import resource
import signal
import socket
import threading
import time
import unittest

from souk_client import PATIENCE, Daemon, Shop, money

daemon = Daemon()
CONNECTIONS = 2000


def setUpModule():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 3 * CONNECTIONS), hard))  # soukd inherits it
    daemon.start()


def tearDownModule():
    status = daemon.stop()
    daemon.__exit__()
    if status != 0:
        raise AssertionError(f"soukd ended with {status}")


def connect():
    host, port = daemon.address.rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=20 * PATIENCE)


class Limits(unittest.TestCase):
    def setUp(self):
        self.client = daemon.client()
        self.shop = Shop(self.client)
        self.addCleanup(self.client.close)

    def worst_latency_s(self, requests=200):
        sku, worst = self.shop.product(stock=0), 0.0
        cart = self.shop.cart()
        for _ in range(requests):
            start = time.monotonic()
            self.assertEqual(self.shop.add(cart, sku).status, 200)
            worst = max(worst, time.monotonic() - start)
        return worst

    def test_slow_senders_hold_up_nobody(self):
        slow = [connect() for _ in range(200)]
        request = b"POST /v1/carts HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"
        done = threading.Event()

        def drip():
            for byte in request:
                for connection in slow:
                    connection.send(bytes([byte]))
                if done.wait(0.05):
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            self.assertLess(self.worst_latency_s(), 1.0 * PATIENCE)
        finally:
            done.set()
            dripping.join()
            for connection in slow:
                connection.close()

    def test_clients_that_never_read_hold_up_nobody(self):
        greedy = [connect() for _ in range(20)]
        for connection in greedy:
            connection.setblocking(False)
            try:
                while True:  # until its buffers and ours are full of questions whose answers nobody takes
                    connection.send(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
            except BlockingIOError:
                pass
        self.assertLess(self.worst_latency_s(), 1.0 * PATIENCE)
        for connection in greedy:
            connection.close()

    def test_clients_that_hang_up_early_hurt_nobody(self):
        sku = self.shop.product(stock=0)
        cart = self.shop.cart()
        body = b'{"sku":"%s","quantity":1}' % sku.encode()
        for cut in range(0, 300):
            request = b"POST /v1/carts/%s/items HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (
                cart.encode(), len(body), body)
            with connect() as connection:
                connection.sendall(request[:cut % (len(request) + 1)])
        self.assertLess(self.worst_latency_s(50), 1.0 * PATIENCE)

    def test_two_thousand_connections_are_served(self):
        request = b"POST /v1/carts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
        connections = [connect() for _ in range(CONNECTIONS)]
        for connection in connections:
            connection.sendall(request)
        statuses = {connection.recv(4096).split(b" ")[1] for connection in connections}
        self.assertEqual(statuses, {b"201"})
        self.assertLess(self.worst_latency_s(50), 1.0 * PATIENCE)
        for connection in connections:
            connection.close()

    def test_pipelined_requests_are_answered_in_order(self):
        cart, sku = self.shop.cart(), self.shop.product(stock=0)
        body = b'{"sku":"%s","quantity":1}' % sku.encode()
        one = (b"POST /v1/carts/%s/items HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
               b"Content-Length: %d\r\n\r\n%s")
        with connect() as connection:
            connection.sendall(one % (cart.encode(), len(body), body) * 30)
            got, end = b"", time.monotonic() + 10 * PATIENCE
            while got.count(b"HTTP/1.1 200") < 30 and time.monotonic() < end:
                got += connection.recv(65536)
        quantities = [int(part.split(b",")[0]) for part in got.split(b'"quantity":')[1:]]
        self.assertEqual(quantities, list(range(1, 31)))

    def test_a_pause_of_the_daemon_loses_nothing(self):
        sku, cart, answered = self.shop.product(stock=0), self.shop.cart(), []

        def customer(number):
            client = daemon.client()
            shop = Shop(client)
            for turn in range(20):
                said = shop.add(cart, sku, key=f"pause-{cart}-{number}-{turn}", headers={"Prefer": "return=minimal"})
                if said.status == 204:
                    answered.append(1)
            client.close()

        customers = [threading.Thread(target=customer, args=(i,)) for i in range(8)]
        for thread in customers:
            thread.start()
        daemon.process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        daemon.process.send_signal(signal.SIGCONT)
        for thread in customers:
            thread.join(60 * PATIENCE)
        self.assertEqual(len(answered), 160)
        self.assertEqual(self.client.get(f"/v1/carts/{cart}").json["lines"][0]["quantity"], 160)

    def test_a_cart_takes_2000_lines_and_not_one_more(self):
        cart = self.shop.cart()
        sku = self.shop.product(stock=0)
        minimal = {"Prefer": "return=minimal"}
        for line in range(2000):
            said = self.shop.add(cart, sku, unit_price=money(f"{line}.50"), headers=minimal)
            self.assertEqual(said.status, 204, (line, said))
        said = self.shop.add(cart, sku, unit_price=money("2000.50"))
        self.assertEqual((said.status, said.json["code"]), (409, "too_many_lines"))
        self.assertEqual(len(self.client.get(f"/v1/carts/{cart}").json["lines"]), 2000)

    def test_a_line_takes_a_million_pieces_and_not_one_more(self):
        cart, sku = self.shop.cart(), self.shop.product(stock=0)
        self.assertEqual(self.shop.add(cart, sku, 1_000_000).status, 200)
        said = self.shop.add(cart, sku, 1)
        self.assertEqual((said.status, said.json["code"]), (409, "quantity_too_large"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
