"""A web app of the standard library alone."""

import json
import os
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# Read once: an old process keeps telling its old version.
VERSION = (Path(__file__).parent / "VERSION").read_text().strip()
FACTS = {"app": "hello-python", "version": VERSION, "uid": os.getuid(), "pid": os.getpid()}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/healthz":
            self.answer(200, "application/json", json.dumps({"ok": True, **FACTS}))
        elif self.path == "/":
            self.answer(200, "text/plain", f"hello from python {VERSION}")
        else:
            self.answer(404, "text/plain", "not found")

    def answer(self, status, kind, text):
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    port = int(os.environ.get("PORT", "8000"))
    server = ThreadingHTTPServer(("", port), Handler)
    # shutdown() waits for the loop, which the signal interrupts: another thread must call it.
    stop = threading.Thread(target=server.shutdown)
    signal.signal(signal.SIGTERM, lambda *_: stop.start())
    print(f"listening on port {port}: {json.dumps(FACTS)}", flush=True)
    server.serve_forever(poll_interval=0.1)


if __name__ == "__main__":
    main()
