"""The codes of messages about packs as things that are published: signed, verified, compared."""

CODES = {
    "PE3901": "a pack is not the one that was signed",
    "PE3902": "a pack is not among those that were signed",
    "PE3903": "a pack that was signed is not there",
    "PE3904": "the signature of packs does not count",
    "PE3905": "a pack is another, and its version is the same",
    "PE3906": "there is no pack in a place where one is looked for",
    "PE3911": "a file that would be written at the beginning exists already",
}
