"""The rules of an engine version: read from models/docker, chosen by version, put into a host's tables."""
