"""What docker's commands print of an engine: `ps`, `port`, `inspect`, `network ls`, `service ls`, `version`.

Each file has one kind of thing; `commands` holds them by the words that they are called with. Ids are the engine's own;
times are constant (`clock`), as nothing in an engine of simnet takes time.
"""
