// The precompiled header needs a file of its own to be made for.
