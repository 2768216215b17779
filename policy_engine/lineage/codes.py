"""The codes of the problems that reading facts can find, and what each means. A code keeps its meaning for ever."""

CODES: dict[str, str] = {
    # Reading a file
    "PE3101": "a file is larger than is read",
    "PE3102": "a file is not UTF-8 text",
    "PE3103": "a document is nested more deeply than is read",
    "PE3104": "a document is not valid JSON or YAML",
    "PE3105": "a key stands twice in one mapping",
    "PE3106": "a number that is not finite or beyond the range that is read",
    "PE3107": "a YAML alias, which is not read because a few bytes of aliases can stand for gigabytes",
    "PE3108": "a YAML tag, which is not read because tags can name code",
    "PE3109": "a text holds half of a surrogate pair, which is no character",
    "PE3110": "a key of a mapping is not a text",
    "PE3111": "the format of a document is none that is read",
    "PE3112": "a key of a mapping is longer than is read",
    # The shape of a document
    "PE3120": "a required key is missing",
    "PE3121": "a part of a document has another shape than its format says",
    "PE3122": "a key that the format does not have",
    "PE3123": "a version of the format that is not known",
    "PE3124": "a text that cannot be the name of a thing",
    "PE3130": "a reference leads to nothing in its document",
    "PE3131": "the schema has no place for a part of the document, so it is not kept",
    # Joining what documents assert
    "PE3140": "a kind is not in the schema",
    "PE3141": "an attribute is not in the schema for this kind",
    "PE3142": "a value does not fit the type of its attribute",
    "PE3143": "sources assert different values of one attribute, so it counts as unknown",
    "PE3144": "sources assert kinds of one thing that cannot both be true",
    "PE3145": "an edge leads to or from a thing that nobody declares",
    "PE3146": "an edge joins kinds that its type does not join",
    "PE3147": "a foreign document would make one thing of two that the inventory keeps apart",
    "PE3148": "an edge type is not in the schema",
    "PE3149": "the inventory gives one thing several ids",
    # Snapshots
    "PE3150": "two nodes or two sources have one name",
    "PE3151": "an edge names a node that the snapshot does not hold",
    "PE3152": "a node is asked for that the snapshot does not hold",
    "PE3153": "a value that a snapshot cannot hold",
    "PE3154": "the bytes are not a snapshot",
    "PE3155": "the bytes are a snapshot, but not in its canonical form",
    "PE3156": "a snapshot names something that the schema does not have",
    # Graphs handed in by a program
    "PE3160": "a graph handed in has a part of another shape than it needs",
    # Reading a file, continued
    "PE3161": "the front matter of a Markdown file does not end or is not a mapping",
    "PE3162": "a file holds a NUL character, which no text does",
    # Importing a format
    "PE3163": "a template that was not filled in stands for a value, which counts as missing",
    "PE3164": "a run has so many inputs and outputs that not every pair of them is kept as an edge",
    "PE3165": "a part of the traffic goes to a revision that the document does not name",
    "PE3166": "a deployment does not say which model it serves",
    # Importing cards, bills of materials and registries
    "PE3170": "several things of one document share a name, so that it identifies none of them",
    "PE3171": "the accuracy that a document states of a model is none, or not one",
    "PE3172": "a card has no front matter",
    "PE3173": "a name in the place of an id is no id, so that no edge is made",
    "PE3174": "the address of an MLflow server is none, or nothing answers there",
    "PE3175": "an MLflow server refuses to answer",
    "PE3176": "what answers is no MLflow server, or not as one does",
    "PE3177": "data of a run have no purpose, so that they count as training data",
    "PE3178": "a citation names a part of the document in a way that is not read",
    "PE3179": "an MLflow server does not have what is asked for by name",
    # Which things are one
    "PE3180": "two versions of one package would become one thing, so they are kept apart",
    "PE3181": "an edge leads from a thing to itself only because its two ends were found to be one thing",
    "PE3182": "a thing has the content digest of several things of the inventory, so it is joined with none of them",
}
"""Meaning of each code; `docs/reference/codes.md` has an entry for every one."""
