"""The candidate against the stable track, at every look and without more false alarms for it. Pure.

A gate looks every few seconds for half an hour. A test that is made for one look (Fisher, Mann–Whitney) and asked that
often at 1 % raises a false alarm in about one of ten healthy releases, and in most of them where errors come in bursts.
What is here multiplies up *evidence* instead: an e-process, a bet against "the candidate is not worse" whose capital
cannot be expected to grow while that is true. By Ville's inequality (1939) it ever reaches 1/alpha with a chance of at
most alpha, however often one looks and whenever one stops.

All of it is closed forms of the standard library: scipy.stats would add 90 MB to the engine and a second to its start.
"""
