// The GraphiQL page: queries over HTTP and subscriptions over graphql-transport-ws, both at the page's own address.
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import 'graphiql/style.css';
import { createRoot } from 'react-dom/client';
import roomEvents from './welcome/room_events.graphql';
import rooms from './welcome/rooms.graphql';

// bundle.mjs puts the hashed names of the bundled workers here.
const workerFiles = WORKER_FILES;

globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(new URL(workerFiles[label] ?? workerFiles.editor, import.meta.url)),
};

const endpoint = location.origin + location.pathname;

const fetcher = createGraphiQLFetcher({
  url: endpoint,
  // By address, not as a ready client: so the Headers tab also reaches connection_init.
  subscriptionUrl: endpoint.replace(/^http/, 'ws'),
  enableIncrementalDelivery: false,
});

const welcome = [
  { query: rooms },
  { query: roomEvents, variables: JSON.stringify({ roomId: 'paste a room id here' }, null, 2) },
];

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL fetcher={fetcher} defaultTabs={welcome} defaultEditorToolsVisibility="variables" />,
);
