"""Commands of the screen: each is one class that gives a key, a footer entry, a palette entry, a help line."""
