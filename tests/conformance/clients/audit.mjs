// The audit of the package `graphql-http`: what GraphQL over HTTP asks of a server, one line of JSON for each point.

import { auditServer } from 'graphql-http';

for (const { id, name, status, reason } of await auditServer({ url: process.argv[2] })) {
  process.stdout.write(`${JSON.stringify({ point: { id, name, status, reason } })}\n`);
}
