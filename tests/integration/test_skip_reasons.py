"""Every reason for which a contact is passed over, in a flow, with its count."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.engine.settle import settle
from chalicelib.model.message import Suppress
from chalicelib.model.skipping import SkipReason, refused_by
from chalicelib.wiring import use_ports
from tests.integration.consents import consent, newsletter, reasons
from tests.integration.receipts import story
from tests.integration.story import Story

__all__ = ["story"]
CONTACTS = 3
