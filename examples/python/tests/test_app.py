import json
import os
import threading
import unittest
from http.server import ThreadingHTTPServer
from urllib.error import HTTPError
from urllib.request import urlopen

from app import Handler


class AppTest(unittest.TestCase):
    def setUp(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def tearDown(self):
        self.server.shutdown()
        self.server.server_close()

    def test_answers_its_pages(self):
        with urlopen(f"{self.base}/") as answer:
            self.assertTrue(answer.read().startswith(b"hello from python v"))
        with urlopen(f"{self.base}/healthz") as answer:
            self.assertEqual(json.load(answer)["pid"], os.getpid())
        with self.assertRaises(HTTPError) as missing:
            urlopen(f"{self.base}/nothing")
        self.assertEqual(missing.exception.code, 404)
        missing.exception.close()
