"""The GraphiQL page for browsers, bundled into the package so that it works without internet access."""

from gateway.web.graphiql.pages import graphiql_page, graphiql_routes

__all__ = ["graphiql_page", "graphiql_routes"]
