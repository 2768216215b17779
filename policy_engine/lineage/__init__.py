"""The lineage graph: reading what sources assert, joining it, and the immutable snapshot that rules look at."""
