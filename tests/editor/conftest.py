"""The language server that ``LOSSARY_LANGUAGE_SERVER`` names, with the schema of the collection."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests are collected by path, and this helper is no test
from language_client import LanguageClient

from lossary_factory import schema


@pytest.fixture(scope="session")
def editor(tmp_path_factory):
    """An editor that knows the schema."""
    command = os.environ.get("LOSSARY_LANGUAGE_SERVER")
    if not command:
        pytest.skip("LOSSARY_LANGUAGE_SERVER names no server; `nox -s language_server` does")
    path = tmp_path_factory.mktemp("schema") / "loss.schema.json"
    path.write_text(json.dumps(schema()), encoding="utf-8")
    client = LanguageClient(["node", command, "--stdio"], path)
    yield client
    client.close()
