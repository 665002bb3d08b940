"""The parts of the report, one module each: Facts → a frozen view in display-ready words; templates put it on the page."""
