"""Receives Mave's webhooks with Python's standard library.

Start it with your webhook's secret:  WEBHOOK_SECRET=whsec_... python3 receiver.py
"""

import hashlib
import hmac
import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["WEBHOOK_SECRET"]
TOLERANCE = 300  # seconds
BODY_MAX = 1_048_576  # bytes


def is_from_mave(body: bytes, header: str) -> bool:
    """Verifies the Mave-Signature header, t=<time>, v1=<hex>. During a secret rotation it has a second v1."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    signatures = [value.lower().encode() for name, _, value in parts if name == "v1"]
    if len(times) != 1 or not re.fullmatch("[0-9]{1,11}", times[0]):
        return False
    expected = hmac.new(f"{times[0]}.{SECRET}".encode(), body, hashlib.sha256).hexdigest().encode()
    found = [hmac.compare_digest(expected, signature) for signature in signatures]
    return any(found) and abs(time.time() - int(times[0])) <= TOLERANCE


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if length > BODY_MAX:
            return self.respond(413)
        body = self.rfile.read(length)  # the raw body: verify it before parsing
        if not is_from_mave(body, self.headers.get("Mave-Signature", "")):
            return self.respond(400)
        event = json.loads(body)
        # An event can arrive more than once. To detect duplicates, store event["id"].
        print(event["type"], event["data"]["id"], flush=True)
        self.respond(204)

    def respond(self, status):
        self.send_response(status)
        self.end_headers()


ThreadingHTTPServer(("", int(os.environ.get("PORT", 4000))), Receiver).serve_forever()
