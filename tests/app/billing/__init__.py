"""Tests of the pure billing core: dated tables, whole lives as stories, and properties."""
