"""What a container is besides its network: namespaces, names, files of /etc, and what its own commands show."""
