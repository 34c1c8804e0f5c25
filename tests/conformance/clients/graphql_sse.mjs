import { createClient } from 'graphql-sse';

import { httpUrl, run, transport, withSinks } from './room.mjs';

const singleConnection = transport === 'sse-single';
const url = singleConnection ? `${httpUrl}/stream` : httpUrl;

await run(withSinks(createClient({ url, singleConnection, retryAttempts: 0 })));
