import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { getIntrospectionQuery } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { dataOf, httpUrl, observer, run, transport, wsUrl } from './room.mjs';

const sockets = createClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
const bare = new Client({ url: httpUrl, exchanges: [fetchExchange] });
const noKey = () => null;
const cache = cacheExchange({
  // Without the schema it guesses which fragments an event matches.
  schema: dataOf(await bare.query(getIntrospectionQuery(), {}).toPromise()),
  keys: { ParticipantConnection: noKey, ParticipantEdge: noKey, ParticipantCommandPayload: noKey },
});
const overWebSocket = subscriptionExchange({
  forwardSubscription: (request) => ({
    subscribe: (sink) => ({ unsubscribe: sockets.subscribe(request, sink) }),
  }),
});
const client = new Client({
  url: httpUrl,
  exchanges: [cache, fetchExchange, overWebSocket],
  fetchSubscriptions: transport === 'sse',
});

await run({
  follow: (document, variables, take, failed) => {
    const following = client.subscription(document, variables).subscribe(observer(take, failed).next);
    return () => following.unsubscribe();
  },
  ask: async (document, variables, kind) => dataOf(await client[kind](document, variables).toPromise()),
  close: () => sockets.dispose(),
});
