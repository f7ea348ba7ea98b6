"""Facts that travel upwards from the catalogue.

``item_changed`` is sent with plain ``send()`` inside the transaction of the change: a listener that fails undoes it.
Arguments: ``sender`` (``BusinessItem``), ``business_item``, ``change`` (``enums.ItemChange``), ``now`` (aware).
"""

from django.dispatch import Signal

item_changed = Signal()
