"""The gateway on the network: GraphQL over HTTP and WebSocket, GraphiQL, health, and the backends' webhooks."""
