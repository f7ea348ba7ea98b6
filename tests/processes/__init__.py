"""Tests that start and kill real processes."""

import pytest

pytest.register_assert_rewrite("tests.processes.portal", "tests.processes.sweeping")
