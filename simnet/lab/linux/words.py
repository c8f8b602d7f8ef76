"""What the C library says of an errno (strerror of glibc)."""

STRERROR = {
    "EPERM": "Operation not permitted",
    "ENOENT": "No such file or directory",
    "EACCES": "Permission denied",
    "EINVAL": "Invalid argument",
    "EXDEV": "Invalid cross-device link",
    "EMSGSIZE": "Message too long",
    "EADDRINUSE": "Address already in use",
    "EADDRNOTAVAIL": "Cannot assign requested address",
    "ENETDOWN": "Network is down",
    "ENETUNREACH": "Network is unreachable",
    "ECONNRESET": "Connection reset by peer",
    "ETIMEDOUT": "Connection timed out",
    "ECONNREFUSED": "Connection refused",
    "EHOSTDOWN": "Host is down",
    "EHOSTUNREACH": "No route to host",
    "ENOPROTOOPT": "Protocol not available",
    "EOPNOTSUPP": "Operation not supported",
    "ENONET": "Machine is not on the network",
}
