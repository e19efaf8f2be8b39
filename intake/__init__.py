"""Placeholder until its room is described."""
