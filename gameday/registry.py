"""Drivers and renderers, found by their entry points and checked when they are loaded; ours have no other way in.

What a driver's author must know
--------------------------------
A driver is a frozen dataclass. Each field is one parameter of the file's ``with:``, under the field's own name (a trailing
underscore, as in ``from_``, is dropped); a field without a default is a parameter that must be given::

    @dataclass(frozen=True, slots=True, kw_only=True)
    class ProxyLatency:
        '''Add latency to everything that passes a fault proxy.'''      # `gameday list` prints the first line

        proxy: str = field(metadata={"help": "a name under proxies:"})
        latency: int = field(metadata={"unit": "duration", "help": "added to each answer", "min": 1})   # ms
        share: float = field(default=1.0, metadata={"unit": "percent"})                          # 5% is 0.05

        name = "proxy.latency"         # no annotation: not a parameter
        reversible = True
        provable = True

- Annotations: ``str``, ``int``, ``float``, ``bool``, ``Literal[...]``, ``tuple[str, ...]`` (any item type of this list), ``Mapping[str, Any]``,
  ``Any``, and each of them ``| None``. A YAML list arrives as a tuple.
- ``metadata`` keys: ``help`` (a phrase), ``unit`` (``"duration"``: ``250ms`` in the file, whole milliseconds as ``int`` in the driver;
  ``"percent"``: ``5%`` in the file, 0.05 as ``float``; ``"rate"``: ``100/s``, per second as ``float``), ``min`` and ``max`` (inclusive, of the value
  the driver sees).
- What the annotations cannot say is checked in ``__post_init__``, which raises ``ValueError``. A message that begins with a
  parameter's name (``undo is missing: …``) is shown at that parameter's place in the file.
"""
