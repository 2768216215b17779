"""The fixed words of the language: severities, what a rule rests on, and the results of a rule."""

SEVERITIES = ("critical", "high", "medium", "low")
BASES = ("law", "standard", "firm_policy", "inference")
RESULTS = ("pass", "fail", "unknown", "not_applicable", "waived")
