"""Spreadsheet files that people send, read as tables of text."""
