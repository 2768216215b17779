"""Licences by their SPDX identifiers, which are the same in any case but are compared as they are registered.

The Hugging Face hub writes ``mit`` and a BOM ``MIT``: without this the two would contradict each other. What is no
identifier of the list stays as it is written.

>>> registered("apache-2.0"), registered("https://spdx.org/licenses/MIT.html"), registered("Own terms, see below")
('Apache-2.0', 'MIT', 'Own terms, see below')
"""

_PAGE = "https://spdx.org/licenses/"

# Of the SPDX licence list those that models, data and their libraries are commonly under.
_IDENTIFIERS = (
    "0BSD AFL-3.0 AGPL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-2.0 BlueOak-1.0.0"
    " BSD-2-Clause BSD-3-Clause BSD-3-Clause-Clear BSD-4-Clause BSL-1.0 BUSL-1.1 C-UDA-1.0 CC0-1.0 CC-BY-2.0 CC-BY-2.5"
    " CC-BY-3.0 CC-BY-4.0 CC-BY-NC-2.0 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0"
    " CC-BY-NC-SA-3.0 CC-BY-NC-SA-4.0 CC-BY-ND-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CDLA-Permissive-1.0 CDLA-Permissive-2.0"
    " CDLA-Sharing-1.0 ECL-2.0 EPL-1.0 EPL-2.0 etalab-2.0 EUPL-1.1 EUPL-1.2 GPL-2.0 GPL-2.0-only GPL-2.0-or-later"
    " GPL-3.0 GPL-3.0-only GPL-3.0-or-later ISC LGPL-2.1 LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0 LGPL-3.0-only"
    " LGPL-3.0-or-later LPPL-1.3c MIT MIT-0 MPL-2.0 MS-PL MulanPSL-2.0 NCSA ODbL-1.0 ODC-By-1.0 OFL-1.1 OGL-UK-3.0"
    " OSL-3.0 PDDL-1.0 PostgreSQL PSF-2.0 Python-2.0 Unlicense WTFPL Zlib"
)
_REGISTERED = {identifier.casefold(): identifier for identifier in _IDENTIFIERS.split()}


def registered(text: str) -> str:
    """Return a licence by its registered identifier, or as it is written."""
    written = text.strip()
    name = written.removeprefix(_PAGE).removesuffix(".html") if written.startswith(_PAGE) else written
    return _REGISTERED.get(name.casefold(), text)
