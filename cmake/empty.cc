// Keeps a library linkable while it has no source yet.
