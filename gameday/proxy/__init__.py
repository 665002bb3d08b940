"""The fault proxy: a process of its own between a client and its dependency, which can be down or slow on command.

It imports nothing else of ours, so that it runs wherever a plain Python does::

    life ──► api ──► proxies ──► proxy ──► link ──► pipe ──► faults
    (stdin,   (HTTP)   (all of     (one      (one      (one      (what is
    signals)           them)       name)     client)   direction) wrong)
"""
