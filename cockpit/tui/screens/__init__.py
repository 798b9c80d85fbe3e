"""The screens: the main one, and one for each thing that is a key away."""
