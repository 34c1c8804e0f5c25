"""How GraphQL requests are read and run: documents, shared subscriptions, kept answers."""
