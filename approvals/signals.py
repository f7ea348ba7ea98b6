"""The signals that travel upwards from the approval side, sent inside the sender's transaction with plain ``send()``.

A listener that fails takes the act back with it. ``writing`` collects ledger entries and messages that the sender
writes with its own (see ``approvals.writing``).

- ``case_completed`` from ``complete_case``: ``case`` (locked and saved), ``licence``, ``by``, ``now``, ``writing``.
- ``licence_changed`` from ``approvals.actions.licences`` (and the decision to revoke): ``licence`` (locked and saved),
  ``change`` (the ``LicenceChange``), ``by``, ``now``, ``writing``.
- ``revocation_decided`` from ``approvals.actions.revoking.decide_revocation``: ``revocation`` (decided and saved),
  ``by``, ``now``, ``writing``.
"""

from django.dispatch import Signal

case_completed = Signal()
licence_changed = Signal()
revocation_decided = Signal()
