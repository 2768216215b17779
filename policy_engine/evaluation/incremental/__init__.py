"""Results that are kept up to date: a change of a fact decides again what read that fact, and nothing else."""
