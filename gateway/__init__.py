"""One GraphQL API for the conferences of several phone systems; everything here knows no backend."""
