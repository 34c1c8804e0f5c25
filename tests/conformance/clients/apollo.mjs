import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { WebSocketLink } from '@apollo/client/link/ws';
import { createClient } from 'graphql-ws';
import { SubscriptionClient } from 'subscriptions-transport-ws';
import WebSocket from 'ws';

import { dataOf, httpUrl, observer, run, transport, wsUrl } from './room.mjs';

const links = {
  // It asks for multipart/mixed when it is given a subscription.
  multipart: () => [new HttpLink({ uri: httpUrl }), () => {}],
  ws: () => {
    const client = createClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
    return [new GraphQLWsLink(client), () => client.dispose()];
  },
  'legacy-ws': () => {
    const client = new SubscriptionClient(wsUrl, {}, WebSocket);
    return [new WebSocketLink(client), () => client.close()];
  },
};
const [link, closeLink] = links[transport]();
const client = new ApolloClient({ link: ApolloLink.from([link]), cache: new InMemoryCache() });

await run({
  follow: (document, variables, take, failed) => {
    const following = client.subscribe({ query: gql(document), variables }).subscribe(observer(take, failed));
    return () => following.unsubscribe();
  },
  ask: async (document, variables, kind) => {
    const asking = { [kind]: gql(document), variables };
    return dataOf(await (kind === 'query' ? client.query(asking) : client.mutate(asking)));
  },
  close: () => {
    client.stop();
    return closeLink();
  },
});
