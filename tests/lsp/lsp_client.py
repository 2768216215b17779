"""A client of the language server, as an editor is one: a process, framed JSON, one message after another."""

import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, Queue
from typing import Any

ENGINE = [sys.executable, "-c", "from policy_engine.cli.lsp import command; command(['--stdio'])"]
WAIT = 20.0


class Refused(Exception):  # noqa: N818 - what happened, as a test reads
    """The server answered a request with an error."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]


class Editor:
    """One session with a server."""

    def __init__(self, folder: Path | None = None, command: list[str] = ENGINE, **capabilities: Any) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._messages: Queue[Any] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._stderr: list[bytes] = []
        self._errors = threading.Thread(target=self._drain, daemon=True)
        self._errors.start()
        self._number = 0
        self._versions: dict[str, int] = {}
        self.diagnostics: dict[str, Any] = {}
        self.messages: list[Any] = []
        uri = folder.as_uri() if folder is not None else None
        folders = [{"uri": uri, "name": "w"}] if uri else None
        self.capabilities = self.ask(
            "initialize",
            {"processId": None, "rootUri": uri, "workspaceFolders": folders, "capabilities": capabilities},
        )["capabilities"]
        self.tell("initialized", {})

    # --- framing: section "Base Protocol" of the specification ------------------------------------------

    def send_raw(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while (line := stream.readline()) not in {b"\r\n", b""}:
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not line:
                self._messages.put(None)
                return
            self._messages.put(json.loads(stream.read(length)))

    def _drain(self) -> None:
        assert self.process.stderr is not None
        self._stderr.extend(self.process.stderr)

    # --- messages ----------------------------------------------------------------------------------------

    def tell(self, method: str, params: object) -> None:
        self.send_raw(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode())

    def ask(self, method: str, params: object) -> Any:
        self._number += 1
        number = self._number
        self.send_raw(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode())
        while True:
            message = self._next(WAIT)
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise Refused(message["error"])
                return message["result"]
            self._take(message)

    def _next(self, wait: float) -> Any:
        message = self._messages.get(timeout=wait)
        assert message is not None, b"".join(self._stderr).decode()
        return message

    def _take(self, message: Any) -> None:
        self.messages.append(message)
        if message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]
        elif "id" in message:
            answer = {"jsonrpc": "2.0", "id": message["id"], "result": None}
            self.send_raw(json.dumps(answer).encode())

    def wait_for_diagnostics(self, uri: str, severities: tuple[int, ...] = (1,)) -> list[Any]:
        """Return the diagnostics of the version that was sent last, errors unless others are asked for."""
        while True:
            sent = self.diagnostics.get(uri, {})
            found = [d for d in sent.get("diagnostics", ()) if d["severity"] in severities]
            if sent.get("version") == self._versions[uri] and (found or 1 in severities):
                return found
            try:
                self._take(self._next(WAIT))
            except Empty:
                raise AssertionError(f"no diagnostics for {uri}") from None

    # --- what an editor does -----------------------------------------------------------------------------

    def open(self, uri: str, text: str) -> None:
        self._versions[uri] = 1
        document = {"uri": uri, "languageId": "policy", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})

    def close_files(self) -> None:
        for uri in self._versions:
            self.tell("textDocument/didClose", {"textDocument": {"uri": uri}})
        self._versions.clear()
        self.diagnostics.clear()

    def change(self, uri: str, text: str) -> None:
        self._versions[uri] += 1
        document = {"uri": uri, "version": self._versions[uri]}
        self.tell("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]})

    def at(self, method: str, uri: str, place: tuple[int, int], **more: object) -> Any:
        position = {"line": place[0], "character": place[1]}
        return self.ask(f"textDocument/{method}", {"textDocument": {"uri": uri}, "position": position, **more})

    def labels(self, uri: str, place: tuple[int, int]) -> list[str]:
        return [item["label"] for item in self.at("completion", uri, place)["items"]]

    def stop(self) -> int:
        self.ask("shutdown", None)
        self.tell("exit", None)
        return self.process.wait(WAIT)

    def close(self) -> None:
        """Free what the process held; one that still runs is ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(WAIT)
        self._reader.join(WAIT)
        self._errors.join(WAIT)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()

    @property
    def log(self) -> str:
        """What the server has written for the editor's log."""
        return b"".join(self._stderr).decode()


def place_of(text: str, marked: str, encoding: str = "utf-16") -> tuple[int, int]:
    """Return the place of ``|`` in a part of a text that is given with it, such as ``system.|stage``."""
    before, _, after = marked.partition("|")
    assert before + after in text, marked
    offset = text.index(before + after) + len(before)
    line = text.count("\n", 0, offset)
    on_line = text[text.rfind("\n", 0, offset) + 1 : offset]
    return line, len(on_line.encode(f"{encoding}-le")) // {"utf-16": 2, "utf-32": 4}[encoding]


def edited(text: str, edits: list[Any]) -> str:
    """Return a text with edits made, counted in UTF-16."""
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:n]) for n in range(len(lines) + 1)]

    def offset(position: Any) -> int:
        line = lines[position["line"]] if position["line"] < len(lines) else ""
        units = line.encode("utf-16-le")[: 2 * position["character"]]
        return starts[position["line"]] + len(units.decode("utf-16-le"))

    for edit in sorted(
        edits, key=lambda e: (e["range"]["start"]["line"], e["range"]["start"]["character"]), reverse=True
    ):
        start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
        text = text[:start] + edit["newText"] + text[end:]
    return text
