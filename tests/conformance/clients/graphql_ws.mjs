import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { run, withSinks, wsUrl } from './room.mjs';

await run(withSinks(createClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 })));
