/** The floor: an HTTPS server that reads a request and answers a fixed JSON object. Same certificate code, same load. */
import { createServer } from 'node:https';

import { makeServerCertificate } from './certificate.ts';

const { key, cert } = await makeServerCertificate();
const body = JSON.stringify({ kind: 'Secret', apiVersion: 'v1', metadata: { name: 'x' } });
const server = createServer({ key, cert }, (request, response) => {
  request.resume();
  request.on('end', () => {
    response.writeHead(201, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`floor ready at https://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : ''}\n`);
});
process.on('SIGTERM', () => process.exit(0));
