"""The language server: what an editor shows of policies while they are written.

``policy_dsl.lsp.server.serve`` speaks the Language Server Protocol over standard input and output. It is the only
part of ``policy_dsl`` that reads files, and needs the extra ``lsp``; everything else here is pure and works on
texts: ``documents`` knows which files belong together, ``analysis`` compiles them, ``index`` says what each name
means, and ``hover``, ``completion``, ``rename``, ``actions`` and ``outline`` answer one question each.
"""
