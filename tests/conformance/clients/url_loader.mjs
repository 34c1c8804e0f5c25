import { SubscriptionProtocol, UrlLoader } from '@graphql-tools/url-loader';
import { execute, parse, subscribe } from 'graphql';

import { dataOf, httpUrl, observer, run, transport } from './room.mjs';

const protocols = {
  ws: SubscriptionProtocol.WS,
  'legacy-ws': SubscriptionProtocol.LEGACY_WS,
  sse: SubscriptionProtocol.SSE,
  // The same requests, at /graphql/stream.
  'sse-stream': SubscriptionProtocol.GRAPHQL_SSE,
};
// Read by introspection; whatever is executed on it goes to the gateway.
const [{ schema }] = await new UrlLoader().load(httpUrl, { subscriptionsProtocol: protocols[transport] });

await run({
  follow: (document, variableValues, take, failed) => {
    const results = subscribe({ schema, document: parse(document), variableValues });
    const { next, complete } = observer(take, failed);
    let stopped = false;
    const takeAll = async () => {
      const stream = await results;
      if (!(Symbol.asyncIterator in stream)) dataOf(stream);
      for await (const result of stream) next(result);
      if (!stopped) complete();
    };
    takeAll().catch(failed);
    return async () => {
      stopped = true;
      await (await results).return();
    };
  },
  ask: async (document, variableValues) => dataOf(await execute({ schema, document: parse(document), variableValues })),
  close: () => {},
});
