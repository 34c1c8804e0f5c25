// mercurius on fastify, with its own pubsub and its compiler of queries (graphql-jit).
import Fastify from "fastify";
import mercurius from "mercurius";
import { obey } from "./control.mjs";
import { resolvers, typeDefs, updated, withSnapshot } from "./schema.mjs";

const TOPIC = "room";

const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers: {
    ...resolvers,
    RoomEvent: { resolveType: (event) => event.__typename },
    Subscription: {
      roomEvents: {
        subscribe: async (_, __, { pubsub }) => withSnapshot((await pubsub.subscribe(TOPIC))[Symbol.asyncIterator]()),
      },
    },
  },
  subscription: true,
  jit: 1,
});
await app.listen({ port: 0, host: "127.0.0.1", backlog: 1024 });
const hello = { port: app.server.address().port, rooms: ["room"] };
await obey(hello, (text) => app.graphql.pubsub.publish({ topic: TOPIC, payload: { roomEvents: updated(text) } }));
