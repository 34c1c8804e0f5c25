import { SubscriptionClient } from 'subscriptions-transport-ws';
import WebSocket from 'ws';

import { dataOf, observer, run, wsUrl } from './room.mjs';

const client = new SubscriptionClient(wsUrl, {}, WebSocket);

await run({
  follow: (query, variables, take, failed) => {
    const following = client.request({ query, variables }).subscribe(observer(take, failed));
    return () => following.unsubscribe();
  },
  ask: async (query, variables) =>
    dataOf(await new Promise((next, error) => client.request({ query, variables }).subscribe({ next, error }))),
  close: () => client.close(),
});
