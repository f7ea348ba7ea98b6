"""Invented people and cases for demonstration, training and tests; refused in production."""
