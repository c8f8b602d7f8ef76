"""Whether the kernel and simnet say the same: a verdict each, the client as the server saw it, and what was met."""


def differences(kernel, simnet):
    """Each difference as text."""
    for name, one, other in zip(("verdict", "server saw"), kernel, simnet, strict=False):
        if one != other:
            yield f"{name}: the kernel {one!r}, simnet {other!r}"
    for key in [*kernel[2], *(key for key in simnet[2] if key not in kernel[2])]:
        if kernel[2].get(key) != simnet[2].get(key):
            yield f"{key}:\n    kernel {kernel[2].get(key)}\n    simnet {simnet[2].get(key)}"


def disagreement(kernel_says, simnet, attempts):
    """What the two say differently, and do so again: the kernel's trace loses a message now and then."""
    found = []
    for _ in range(attempts):
        found = list(differences(kernel_says(), simnet))
        if not found:
            break
    return found
