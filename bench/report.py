"""How a bench says what it measured, and whether that meets its target."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `target` reads "<= 1.15" or ">= 3000"; None for a number that is only shown."""

    name: str
    value: float
    unit: str
    target: str | None = None

    @property
    def met(self) -> bool | None:
        if self.target is None:
            return None
        sign, _, bound = self.target.partition(" ")
        return self.value <= float(bound) if sign == "<=" else self.value >= float(bound)

    def __str__(self) -> str:
        value = f"{self.value:,.0f}" if self.value >= 1000 else f"{self.value:.3g}"
        verdict = {None: "", True: f"   ok      (target {self.target})", False: f"   MISSED  (target {self.target})"}[
            self.met
        ]
        return f"{self.name:<62} {value:>10} {self.unit:<14}{verdict}"
