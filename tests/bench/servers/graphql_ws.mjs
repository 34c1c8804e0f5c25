// graphql-ws on ws, with PubSub of graphql-subscriptions, as their documentation has it.
import { createServer } from "node:http";
import { buildSchema } from "graphql";
import { PubSub } from "graphql-subscriptions";
import { useServer } from "graphql-ws/use/ws";
import { WebSocketServer } from "ws";
import { obey } from "./control.mjs";
import { resolvers, typeDefs, updated, withSnapshot } from "./schema.mjs";

const TOPIC = "room";
const pubsub = new PubSub();
pubsub.ee.setMaxListeners(0);

const schema = buildSchema(typeDefs);
for (const [type, fields] of Object.entries(resolvers)) {
  for (const [name, resolve] of Object.entries(fields)) schema.getType(type).getFields()[name].resolve = resolve;
}
const roomEvents = schema.getSubscriptionType().getFields().roomEvents;
roomEvents.subscribe = () => withSnapshot(pubsub.asyncIterableIterator(TOPIC));

const http = createServer((_, response) => response.writeHead(404).end());
useServer({ schema }, new WebSocketServer({ server: http, path: "/graphql" }));
http.listen({ port: 0, host: "127.0.0.1", backlog: 1024 }, () => {
  const hello = { port: http.address().port, rooms: ["room"] };
  obey(hello, (text) => pubsub.publish(TOPIC, { roomEvents: updated(text) }));
});
