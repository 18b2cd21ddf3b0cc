#!/bin/bash
set -eu
exec python3 -m http.server "$PORT" --directory pages
