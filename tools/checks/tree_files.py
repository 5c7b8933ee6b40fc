"""The files of the tree, for the checks: all but what is built, generated or git's own."""
import os

SKIPPED = {"build", "data", ".git", "__pycache__", ".cache"}


def files(root):
    """Paths relative to `root`, with '/', in byte order."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in SKIPPED]
        found += [os.path.relpath(os.path.join(folder, n), root).replace(os.sep, "/") for n in names]
    return sorted(found)


def root_of_the_tree():
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
