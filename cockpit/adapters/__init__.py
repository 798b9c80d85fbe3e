"""One file or folder per outside system, independent of each other."""
