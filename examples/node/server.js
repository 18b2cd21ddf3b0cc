'use strict';

const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

// Read once: an old process keeps telling its old version.
const version = fs.readFileSync(path.join(__dirname, 'VERSION'), 'utf8').trim();
const facts = { app: 'hello-node', version, uid: process.getuid(), pid: process.pid };

const server = http.createServer((req, res) => {
  if (req.url === '/healthz') {
    res.setHeader('content-type', 'application/json');
    res.end(`${JSON.stringify({ ok: true, ...facts })}\n`);
  } else if (req.url === '/') {
    res.setHeader('content-type', 'text/plain');
    res.end(`hello from node ${version}\n`);
  } else {
    res.statusCode = 404;
    res.end('not found\n');
  }
});

module.exports = server;

if (require.main === module) {
  const port = Number(process.env.PORT || 3000);
  server.listen(port, () => console.log(`listening on port ${port}: ${JSON.stringify(facts)}`));
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections?.();
  });
}
