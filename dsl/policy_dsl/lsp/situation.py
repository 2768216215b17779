"""What kind of name the words before a cursor ask for.

The words are those of the declaration that the cursor is in, up to the word being typed. Nothing after the cursor is
read and nothing has to parse, so the answer is the same in a finished rule and in half a line.

>>> from policy_dsl.typed.schema import Kind
>>> schema = Schema(kinds={"System": Kind("System", None, {})})
>>> situation_at("rule r for each System where system.", 36, schema).wanted
<Wanted.ATTRIBUTES: 'attributes'>
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from policy_dsl.syntax.lark_parser import Token, tokens
from policy_dsl.typed.quantifiers import variable_name
from policy_dsl.typed.schema import Schema

_MARGIN = re.compile(r"^[^\W\d]", re.MULTILINE)
_WORD_BEFORE = re.compile(r"\w*\Z")
_DOTTED_BEFORE = re.compile(r"[\w.]*\Z")
_PLACEHOLDER = re.compile(r"\{(?:(\w+)\.)?(\w*)\Z")
_NAME = re.compile(r"[^\W\d]\w*")


class Wanted(StrEnum):
    """The names that fit at a place."""

    ATTRIBUTES = "attributes"
    EDGES = "edges"
    KINDS = "kinds"
    EVIDENCE = "evidence types"
    ROLES = "roles"
    TYPES = "types"
    ENUMS = "enumerations"
    PACKS = "packs"
    RULES = "rules"
    THINGS = "things"
    FIELDS = "fields"
    PLACEHOLDERS = "placeholders"
    MEMBERS = "members"
    VALUES = "values"
    FACTS = "facts"
    SEVERITIES = "severities"
    BASES = "bases"
    RESULTS = "results"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Situation:
    """Which names are wanted, and what the words before say of them.

    ``subject`` is the kind or evidence type whose attributes, edges or fields are meant; ``compared`` the path whose
    type decides, or after ``=`` the name of the type itself; ``start`` the place where the word being typed begins.
    """

    wanted: Wanted
    start: int
    before: str
    variables: Mapping[str, str] = field(default_factory=dict)
    subject: str = ""
    root: str = ""
    compared: tuple[str, ...] = ()
    in_text: bool = False


def situation_at(text: str, offset: int, schema: Schema) -> Situation | None:
    """Return the situation at a place, or nothing in a comment or in a text without a placeholder."""
    typed = _WORD_BEFORE.search(text, 0, offset)
    start = typed.start() if typed is not None else offset
    margin = max((m.start() for m in _MARGIN.finditer(text, 0, start)), default=0)
    if start == 0 or text[start - 1] == "\n":
        return Situation(Wanted.NOTHING, start, "")
    before = text[margin:start]
    found = [t for t in tokens(before) if t.type != "STRAY"]
    end = (found[-1].end_pos or 0) if found else 0
    if found and found[-1].type == "UNCLOSED":
        return _in_text(before, found, start, schema)
    if "#" in before[end:].rpartition("\n")[2]:
        return None
    if found and found[0] == "use" and found[-1] in {"use", "."}:
        dotted = _DOTTED_BEFORE.search(text, 0, offset)
        return Situation(Wanted.PACKS, dotted.start() if dotted is not None else start, "use")
    return _Reader(before, found, start, schema).situation()


def _in_text(before: str, found: Sequence[Token], start: int, schema: Schema) -> Situation | None:
    inside = _PLACEHOLDER.search(str(found[-1]))
    if inside is None or found[0] != "rule":
        return None
    variables = _Reader(before, found[:-1], start, schema).variables()
    if inside[1] is None:
        return Situation(Wanted.PLACEHOLDERS, start, before, variables, in_text=True)
    kind = variables.get(inside[1], "")
    return Situation(Wanted.ATTRIBUTES, start, before, variables, kind, inside[1], in_text=True)


class _Reader:
    """Reads the words of a declaration from the cursor backwards."""

    def __init__(self, before: str, found: Sequence[Token], start: int, schema: Schema) -> None:
        self.before = before
        self.tokens = found
        self.words = [str(t) for t in found]
        self.start = start
        self.schema = schema
        self.known = self.variables()

    @property
    def head(self) -> str:
        """The word that the declaration begins with."""
        return self.words[0] if self.words else ""

    def word(self, back: int) -> str:
        """Return a word counted from the cursor, 1 for the last."""
        return self.words[-back] if len(self.words) >= back else ""

    def variables(self) -> dict[str, str]:
        """Return the variables that the words so far bind, or the things of a test, with their kinds."""
        found: dict[str, str] = {}
        for i, word in enumerate(self.words):
            if word not in self.schema.kinds:
                continue
            following = self.words[i + 1] if i + 1 < len(self.words) else ""
            if self.head == "define" and self.words[i - 1] == ":":
                found[self.words[i - 2]] = word
            elif self.head == "test":
                if self.begins_line(i) and _NAME.fullmatch(following):
                    found[following] = word
            elif following == "as" and i + 2 < len(self.words):
                found[self.words[i + 2]] = word
            elif i > 0:
                found[variable_name(word)] = word
        return found

    def begins_line(self, at: int) -> bool:
        """Tell whether a word is the first on its line."""
        return at == 0 or self.tokens[at].line != self.tokens[at - 1].line

    # --- the answer ----------------------------------------------------------------------------------

    def situation(self) -> Situation:
        """Return the situation at the cursor."""
        for reading in (self.after_dot, self.in_list, self.after_word, self.in_declaration, self.in_test, self.in_set):
            found = reading()
            if found is not None:
                return found
        evidence = self.evidence_in_question()
        return self.of(Wanted.VALUES if self.head in {"rule", "define"} else Wanted.NOTHING, subject=evidence)

    def of(self, wanted: Wanted, subject: str = "", root: str = "", compared: tuple[str, ...] = ()) -> Situation:
        """Return a situation with these names wanted."""
        return Situation(wanted, self.start, self.before, self.known, subject, root, compared)

    def after_dot(self) -> Situation | None:
        """``system.`` wants attributes, ``some Model in system.`` edges, and so does each step after it."""
        if self.word(1) == "/":
            return self.of(Wanted.EDGES)
        if self.word(1) != "." or self.head in {"policy", "use"}:
            return None
        root = self.word(2)
        kind = self.known.get(root, "")
        if self.word(3) == "in" and (self.word(4) in self.schema.kinds or self.word(5) == "as"):
            return self.of(Wanted.EDGES, subject=kind, root=root)
        return self.of(Wanted.ATTRIBUTES if self.word(3) != "." else Wanted.NOTHING, subject=kind, root=root)

    def in_list(self) -> Situation | None:
        """Names after a comma are of the same sort as those before it."""
        at = len(self.words)
        while at >= 2 and self.words[at - 1] == "," and _NAME.fullmatch(self.words[at - 2]):
            at -= 2
        if at == 0 or self.word(1) not in {",", "via", "by", "of", "from", "to", "on"}:
            return None
        opener, before = self.words[at - 1], self.words[at - 2] if at >= 2 else ""
        if opener == "via":
            return self.of(Wanted.EDGES)
        if opener == "by" and before == "signed":
            return self.of(Wanted.ROLES)
        if opener == "of" and before in {"because", "upstream", "downstream"}:
            return self.of(Wanted.THINGS)
        declares = {("edge", "from"), ("edge", "to"), ("evidence", "on")}
        return self.of(Wanted.KINDS) if (self.head, opener) in declares else None

    def after_word(self) -> Situation | None:
        """Most words say by themselves what follows them."""
        last, before = self.word(1), self.word(2)
        if last in {"every", "some", "no", "each", "over"} or (last, before) in {("of", "count"), ("(", "through")}:
            return self.of(Wanted.KINDS)
        if last.isdigit() and (before == "exactly" or (before in {"least", "most"} and self.word(4) != "by")):
            return self.of(Wanted.KINDS)
        if last == "evidence" and (before in {"has", "latest"} or self.head == "test"):
            return self.of(Wanted.EVIDENCE)
        if last == "distinct":
            return self.of(Wanted.ROLES)
        if last == "on":
            return self.of(Wanted.THINGS)
        return None

    def in_declaration(self) -> Situation | None:
        """Declarations ask for types, kinds and words of a fixed list."""
        last, before = self.word(1), self.word(2)
        schema_part = self.head in {"node", "evidence", "extend"}
        if self.head in {"rule", "policy"} and last in {"severity", "basis"}:
            return self.of(Wanted.SEVERITIES if last == "severity" else Wanted.BASES)
        if (self.head, last) in {("node", "is"), ("extend", "node")}:
            return self.of(Wanted.KINDS)
        if (self.head, last) == ("extend", "enum"):
            return self.of(Wanted.ENUMS)
        if last == ":" and (schema_part or self.head in {"parameter", "define"}):
            return self.of(Wanted.TYPES)
        if (before, last) == ("set", "of") and (schema_part or self.head in {"parameter", "define"}):
            return self.of(Wanted.TYPES)
        if last == "=" and (schema_part or self.head == "parameter"):
            return self.of(Wanted.MEMBERS, compared=("=", before))
        return None

    def in_test(self) -> Situation | None:
        """A test states facts line by line, and expects a result of a rule on a thing."""
        if self.head != "test":
            return None
        last = self.word(1)
        if last == "expect":
            return self.of(Wanted.RESULTS)
        if last == "of":
            return self.of(Wanted.RULES)
        opened = self.open_brace()
        if opened is not None:
            subject = self.owner_of_fields(opened)
            if last == ":":
                return self.of(Wanted.MEMBERS, subject=subject, compared=(self.word(2),))
            return self.of(Wanted.FIELDS if last in {"{", ","} else Wanted.NOTHING, subject=subject)
        line = [str(t) for t in self.tokens if t.line == self.before.count("\n") + 1]
        stating = "given" in self.words and self.last_of("given") > max(self.last_of("expect"), self.last_of("cases"))
        if not stating:
            return None
        if not line:
            return self.of(Wanted.FACTS)
        if len(line) == 1 and line[0] in self.known:
            return self.of(Wanted.EDGES, subject=self.known[line[0]])
        if len(line) == 2 and line[0] in self.known:
            return self.of(Wanted.THINGS)
        return None

    def in_set(self) -> Situation | None:
        """``stage is`` and ``stage in {`` want members of the enumeration that the left side has."""
        at = len(self.words)
        while at >= 2 and self.words[at - 1] == "," and self.words[at - 2] not in {"{", "("}:
            at -= 2
        if at >= 1 and self.words[at - 1] == "{":
            at -= 1
        elif at != len(self.words):
            return None
        operators = 0
        while at >= 1 and self.words[at - 1] in {"is", "not", "in", "contains"}:
            at -= 1
            operators += 1
        if not operators or at == 0:
            return None
        path = [self.words[at - 1]]
        while at >= 3 and self.words[at - 2] == ".":
            at -= 2
            path.insert(0, self.words[at - 1])
        return self.of(Wanted.MEMBERS, subject=self.evidence_in_question(), compared=tuple(path))

    # --- what stands before --------------------------------------------------------------------------

    def evidence_in_question(self) -> str:
        """Return the evidence type whose fields a condition can name here."""
        at = self.last_of("evidence")
        asked = at > 0 and self.words[at - 1] in {"has", "latest"} and at + 1 < len(self.words)
        return self.words[at + 1] if asked and "where" in self.words[at:] else ""

    def open_brace(self) -> int | None:
        """Return where the brace opens that the cursor is in."""
        depth = 0
        for at in range(len(self.words) - 1, -1, -1):
            depth += {"}": 1, "{": -1}.get(self.words[at], 0)
            if depth < 0:
                return at
        return None

    def owner_of_fields(self, brace: int) -> str:
        """Return the kind or evidence type whose fields stand in the braces of a fact."""
        at = brace
        while at > 0 and not self.begins_line(at):
            at -= 1
        return self.words[at + 1] if self.words[at] == "evidence" else self.words[at]

    def last_of(self, word: str) -> int:
        """Return where a word stands last, -1 if nowhere."""
        return max((i for i, w in enumerate(self.words) if w == word), default=-1)
