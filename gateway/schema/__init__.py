"""The public GraphQL schema: types over the live state, thin, and described for front-end developers."""

# First of all, since Strawberry gives an enum that it meets before a definition of its own, without descriptions.
from gateway.schema import enums as enums
