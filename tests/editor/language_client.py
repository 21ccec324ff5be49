"""As much of an editor as it takes to ask a language server: messages over its standard streams."""

from __future__ import annotations

import itertools
import json
import queue
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PATIENCE = 60
"""Seconds after which a server is taken for dead."""


class LanguageClient:
    """Opens texts in a server of YAML, with one JSON Schema for all of them."""

    def __init__(self, command: Sequence[str], schema: Path) -> None:
        self._server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        self._numbers = itertools.count(1)
        self._messages: queue.Queue[dict[str, Any]] = queue.Queue()
        self._settings = {
            "yaml": {
                "schemas": {schema.as_uri(): "*.yaml"},
                "schemaStore": {"enable": False},
                "validate": True,
                "completion": True,
                "hover": True,
            }
        }
        threading.Thread(target=self._listen, daemon=True).start()
        completion = {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}}
        capabilities = {
            "textDocument": {"completion": completion, "publishDiagnostics": {}},
            "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
        }
        self.request("initialize", {"processId": None, "rootUri": None, "capabilities": capabilities})
        self._notify("initialized", {})
        self._notify("workspace/didChangeConfiguration", {"settings": self._settings})
        deadline = time.monotonic() + PATIENCE
        while not self.completions("|") and time.monotonic() < deadline:
            pass  # the server reads its settings, and the schema, when it finds the time

    def close(self) -> None:
        """End the server."""
        self.request("shutdown", None)
        self._notify("exit", None)
        self._server.wait(PATIENCE)
        for stream in (self._server.stdin, self._server.stdout):
            stream.close()

    def open(self, text: str) -> str:
        """Open a text, and return the name under which the server knows it."""
        uri = f"file:///texts/{next(self._numbers)}.yaml"
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._notify("textDocument/didOpen", {"textDocument": document})
        return uri

    def diagnostics(self, text: str) -> list[dict[str, Any]]:
        """Return what the server finds wrong with a text."""
        uri = self.open(text)
        while True:
            message = self._next()
            params = message.get("params") or {}
            if message.get("method") == "textDocument/publishDiagnostics" and params.get("uri") == uri:
                found: list[dict[str, Any]] = params["diagnostics"]
                return found

    def completions(self, marked: str) -> list[str]:
        """Return what can be written at the mark ``|`` of a text."""
        uri, position = self._open_at_mark(marked)
        answer = self.request("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
        items = answer["items"] if isinstance(answer, dict) else answer or []
        return [item["label"] for item in items]

    def hover(self, marked: str) -> str:
        """Return what is shown over the mark ``|`` of a text."""
        uri, position = self._open_at_mark(marked)
        answer = self.request("textDocument/hover", {"textDocument": {"uri": uri}, "position": position})
        return "" if answer is None else str(answer["contents"]["value"])

    def _open_at_mark(self, marked: str) -> tuple[str, dict[str, int]]:
        before, _, after = marked.partition("|")
        *lines, last = before.split("\n")
        return self.open(before + after), {"line": len(lines), "character": len(last)}

    def request(self, method: str, params: object) -> Any:
        """Ask, and wait for the answer."""
        number = next(self._numbers)
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._next()
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise RuntimeError(message["error"])
                return message["result"]

    def _next(self) -> dict[str, Any]:
        """Return the next message; what the server itself asks is answered on the way."""
        message = self._messages.get(timeout=PATIENCE)
        if "id" in message and "method" in message:
            items = message["params"]["items"] if message["method"] == "workspace/configuration" else []
            result = [self._settings.get(item.get("section")) for item in items]
            self._send({"id": message["id"], "result": result or None})
        return message

    def _notify(self, method: str, params: object) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._server.stdin.flush()

    def _listen(self) -> None:
        stream = self._server.stdout
        while line := stream.readline():
            length = 0
            while line.strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
                line = stream.readline()
            self._messages.put(json.loads(stream.read(length)))
