#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Takes OTLP by HTTP on a port of loopback, and prints at the end what came: requests and bytes of bodies, by their path."""
import http.server
import json
import signal
import sys


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = {}

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        while length > 0:
            length -= len(self.rfile.read(min(length, 1 << 20)))
        requests, body, head = self.seen.get(self.path, (0, 0, 0))
        head += len(str(self.headers)) + len(self.requestline) + 2
        self.seen[self.path] = (requests + 1, body + int(self.headers["Content-Length"]), head)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit())
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
try:
    server.serve_forever()
finally:
    print(json.dumps({path: {"requests": n, "body_bytes": b, "head_bytes": h} for path, (n, b, h) in Receiver.seen.items()}))
