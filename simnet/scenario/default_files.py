"""The names that `docker compose` looks for in a folder, the first one first."""

from __future__ import annotations

DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
