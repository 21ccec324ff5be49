"""Schedules and losses as curves, and how a curve is drawn."""
