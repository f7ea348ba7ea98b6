"""The one signal of the chain.

``case_completed`` is sent by ``complete_case`` inside its transaction with plain ``send()``: a listener that fails
takes the completion back with it. Arguments: ``case`` (locked and saved), ``licence``, ``by``, ``now``, ``writing``
(ledger entries and messages that the sender writes with its own, see ``approvals.writing``).
"""

from django.dispatch import Signal

case_completed = Signal()
