"""Tests of `sm serve` as a process."""
