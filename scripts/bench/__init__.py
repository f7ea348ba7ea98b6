"""``make bench``: figures beside their floors in raw SQL from the same run, as a table and as ``var/bench.json``.

``SCALE`` sets how many rows the big tables get (running clocks; a tenth of it in cases), 1,000,000 by default.
``STATES_SCALE`` sets how many cases, in every state, the desks' lists and pages are asked over, 10,000 by default.
"""
