"""Traces and figures in forms that other programs read."""
