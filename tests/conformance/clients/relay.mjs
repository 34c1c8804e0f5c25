import { parse } from 'graphql';
import { createClient } from 'graphql-ws';
import relay from 'relay-runtime';
import WebSocket from 'ws';

import { httpUrl, run, wsUrl } from './room.mjs';

const { Environment, Network, Observable, RecordSource, Store } = relay;
const { commitMutation, fetchQuery, requestSubscription } = relay;

const sockets = createClient({ url: wsUrl, webSocketImpl: WebSocket, retryAttempts: 0 });
const environment = new Environment({
  network: Network.create(
    async ({ text }, variables) => {
      const body = JSON.stringify({ query: text, variables });
      const response = await fetch(httpUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      return response.json();
    },
    ({ text }, variables) => Observable.create((sink) => sockets.subscribe({ query: text, variables }, sink)),
  ),
  store: new Store(new RecordSource()),
});

await run({
  follow: (document, variables, take, failed) => {
    const onCompleted = () => failed(new Error('it ended too early'));
    const subscription = compiled(document);
    const request = { subscription, variables, onNext: take, onError: failed, onCompleted };
    const following = requestSubscription(environment, request);
    return () => following.dispose();
  },
  ask: (document, variables, kind) =>
    kind === 'query'
      ? fetchQuery(environment, compiled(document), variables).toPromise()
      : new Promise((onCompleted, onError) =>
          commitMutation(environment, { mutation: compiled(document), variables, onCompleted, onError }),
        ),
  close: () => sockets.dispose(),
});

/** Make of a document what relay-compiler makes of it, as far as our documents go: no lists of objects but `edges`. */
function compiled(text) {
  const [operation] = parse(text).definitions;
  const { value: name } = operation.name;
  const selections = operation.selectionSet.selections.map(selection);
  const argumentDefinitions = operation.variableDefinitions.map(({ variable }) => ({
    defaultValue: null,
    kind: 'LocalArgument',
    name: variable.name.value,
  }));
  const type = { query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }[operation.operation];
  return {
    kind: 'Request',
    fragment: { argumentDefinitions, kind: 'Fragment', metadata: null, name, selections, type, abstractKey: null },
    operation: { argumentDefinitions, kind: 'Operation', name, selections },
    params: { id: null, cacheID: name, metadata: {}, name, operationKind: operation.operation, text },
  };
}

function selection(node) {
  const selections = node.selectionSet?.selections.map(selection);
  if (node.kind === 'InlineFragment') {
    return { kind: 'InlineFragment', selections, type: node.typeCondition.name.value, abstractKey: null };
  }
  const name = node.name.value;
  const field = { alias: null, args: node.arguments.map(argument), name, storageKey: null };
  return selections
    ? { ...field, kind: 'LinkedField', concreteType: null, plural: name === 'edges', selections }
    : { ...field, kind: 'ScalarField' };
}

function argument({ name, value }) {
  return value.kind === 'Variable'
    ? { kind: 'Variable', name: name.value, variableName: value.name.value }
    : { kind: 'ObjectValue', name: name.value, fields: value.fields.map(argument) };
}
