"""The auditor's assessment report as PDF: rendering, signing and verifying.

Nothing is imported here, so that verifying a report does not load the modules that draw one.
"""
